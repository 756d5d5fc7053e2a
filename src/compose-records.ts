// The part of the composition that counts: keys handed out to clients and what they use. Named by compose.ts alone.
import { createApiKeys } from "./access/api-keys.ts";
import { createClientKeys } from "./access/client-keys.ts";
import { createClientLimits } from "./access/limits-client.ts";
import type { Audit } from "./access/audit.ts";
import { createSocketSecrets } from "./access/socket-secrets.ts";
import { createKeyUsage } from "./access/usage.ts";
import { createKeyAdmin } from "./admin/keys.ts";
import { composeMetrics } from "./compose-metrics.ts";
import { createOldReports } from "./admin/reports-legacy.ts";
import { createReports, DAY_MS } from "./admin/reports.ts";
import type { MediaAdmin } from "./admin/media.ts";
import type { Pool } from "./accounts/pool.ts";
import type { Config } from "./config/schema.ts";
import type { SpendLimits } from "./access/budget.ts";
import type { Catalogue } from "./core/models.ts";
import { createMeter } from "./gateway/metered.ts";
import { journalRow } from "./gateway/record-row.ts";
import type { RequestRecord } from "./gateway/record.ts";
import type { RecordPlace } from "./http/context.ts";
import { closeAll } from "./lib/close-all.ts";
import type { Clock } from "./lib/clock.ts";
import type { Log } from "./lib/log.ts";
import { createJournalWriter } from "./storage/journal-writer.ts";
import type { Documents, Journal } from "./storage/port.ts";

export interface ComposeRecords {
  readonly documents: Documents;
  readonly journal: Journal;
  readonly pool: Pick<Pool, "all">;
  readonly mediaAdmin: Pick<MediaAdmin, "use">;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly audit: Audit;
  readonly catalogue: Catalogue;
  readonly version: { readonly version: string; readonly commit: string };
}

/** In the settings 0 stands for no limit. */
const spendLimitsOf = ({ xai }: Config): SpendLimits => ({
  dailyUsd: xai.daily_budget_usd || -1,
  monthlyUsd: xai.monthly_budget_usd || -1,
});

const MEGABYTE = 1024 * 1024;

export type Records = Awaited<ReturnType<typeof composeRecords>>;

export const composeRecords = async (given: ComposeRecords) => {
  const { documents, journal, config, clock, log } = given;
  const clientKeys = createClientKeys(documents);
  await clientKeys.load();
  const keyUsage = createKeyUsage({
    ...{ documents, clock, log, keys: clientKeys },
    offsetMinutes: () => config().keys.reset_offset_minutes,
    spendLimits: () => spendLimitsOf(config()),
  });
  await keyUsage.load();
  const meter = createMeter({ allowance: keyUsage, catalogue: given.catalogue, config });
  const apiKeys = createApiKeys(() => config().app.api_key, { keys: clientKeys, clock });
  const keyAdmin = createKeyAdmin({
    ...{ documents, clock, log, audit: given.audit, apiKeys },
    keys: clientKeys,
    usage: keyUsage,
    globalKeySet: () => config().app.api_key.length > 0,
  });
  const dayOffsetMs = () => config().keys.reset_offset_minutes * 60_000;
  const writer = createJournalWriter({ journal, clock, log, dayOffsetMs });
  const metrics = composeMetrics({ ...given, writer });
  const shared = { keys: clientKeys, clock, dayOffsetMs };
  const reports = createReports({ ...shared, journal, settle: writer.flush, audit: given.audit });
  const oldReports = createOldReports({
    ...{ ...shared, reports },
    pool: () => poolNumbers(given.pool),
    mediaUse: () => given.mediaAdmin.use(),
  });
  const keeping = () => {
    const { retention_days, max_mb, hourly_days, daily_days } = config().journal;
    const before = (days: number) => clock.now() - days * DAY_MS;
    return {
      beforeMs: before(retention_days),
      maxBytes: max_mb * MEGABYTE,
      hoursBeforeMs: before(hourly_days),
      daysBeforeMs: before(daily_days),
    };
  };
  /** Requests that never got as far as a key are counted by metrics alone: anybody can send as many as they like. */
  const recorded = (record: RequestRecord, { route, auth }: RecordPlace) => {
    meter.settle(record);
    const closedMs = clock.monotonic();
    metrics.record(record, { route, closedMs });
    // Of the playground only what the upstream was asked for, not every look at it.
    const counts = auth === "api" || (auth === "visitor" && record.model !== null);
    if (!counts || record.key === null || !config().journal.enabled) return;
    writer.add(journalRow(record, { route, endMs: clock.now(), closedMs }));
  };
  let tidying: Promise<void> | null = null;
  const tidy = async () => {
    await keyAdmin.takeKept();
    const gone = await journal.prune(keeping());
    if (gone.rows + gone.rollups > 0) log.info("old rows of the journal were removed", { ...gone });
  };
  return {
    reports,
    oldReports,
    exposition: metrics.text,
    writer,
    clientKeys,
    keyUsage,
    keyAdmin,
    meter,
    apiKeys,
    limits: createClientLimits(clock),
    socketSecrets: createSocketSecrets(clock),
    recorded,
    /** For work that goes on after its request was answered. */
    jobMeter: {
      clip: meter.clip,
      settle: (record: RequestRecord) => recorded(record, { route: "video job", auth: "api" }),
    },
    /** Before anything is served: keys that a migration has brought. */
    open: keyAdmin.takeKept,
    /** Now and then; one that has much to remove goes on while the next is due. */
    tidy(): Promise<void> {
      tidying ??= tidy().finally(() => {
        tidying = null;
      });
      return tidying;
    },
    async close() {
      metrics.stop();
      await closeAll([keyUsage.close, writer.close]);
    },
  };
};

const poolNumbers = (pool: Pick<Pool, "all">) => {
  const numbers = { total: 0, active: 0, cooling: 0, expired: 0, disabled: 0, quota: 0, calls: 0 };
  for (const { status, quota, use_count } of pool.all()) {
    numbers.total++;
    numbers[status]++;
    numbers.calls += use_count;
    if (status === "active" && quota > 0) numbers.quota += quota;
  }
  return numbers;
};
