// The part of the composition that counts: keys handed out to clients and what they use. Named by compose.ts alone.
import { createApiKeys } from "./access/api-keys.ts";
import { createClientKeys } from "./access/client-keys.ts";
import { createClientLimits } from "./access/limits-client.ts";
import type { Audit } from "./access/audit.ts";
import { createKeyUsage } from "./access/usage.ts";
import { createKeyAdmin } from "./admin/keys.ts";
import type { Config } from "./config/schema.ts";
import { createMeter } from "./gateway/metered.ts";
import type { RequestRecord } from "./gateway/record.ts";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import type { Documents } from "./storage/port.ts";

export interface ComposeRecords {
  readonly documents: Documents;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
}

export type Records = Awaited<ReturnType<typeof composeRecords>>;

export const composeRecords = async (given: ComposeRecords) => {
  const { documents, config, clock, log } = given;
  const clientKeys = createClientKeys(documents);
  await clientKeys.load();
  const keyUsage = createKeyUsage({
    ...{ documents, clock, log, keys: clientKeys },
    offsetMinutes: () => config().keys.reset_offset_minutes,
  });
  await keyUsage.load();
  const meter = createMeter({ allowance: keyUsage, config });
  const apiKeys = createApiKeys(() => config().app.api_key, { keys: clientKeys, clock });
  const keyAdmin = createKeyAdmin({
    ...{ documents, clock, log, audit: given.audit, apiKeys },
    keys: clientKeys,
    usage: keyUsage,
    globalKeySet: () => config().app.api_key.length > 0,
  });
  return {
    clientKeys,
    keyUsage,
    keyAdmin,
    meter,
    apiKeys,
    limits: createClientLimits(clock),
    recorded(record: RequestRecord) {
      meter.settle(record);
    },
    /** Now and then: files that a migration has kept, things that are over. */
    async tidy() {
      await keyAdmin.takeKept();
    },
    async close() {
      await keyUsage.close();
    },
  };
};
