// Keys that stand in the configuration: they come into the pool with it and leave with it. Knows no file.
// Invariant: a key that a person has added stays, whatever the configuration says.
import type { Log } from "../lib/log.ts";
import { accountId } from "./account.ts";
import { isApiKey, KEY_POOL } from "./api-keys.ts";
import type { Pool } from "./pool.ts";
import { readToken } from "./tokens.ts";

export interface ConfiguredKeys {
  /** Makes the pool agree with the list; one call after the other. */
  apply(keys: readonly string[]): Promise<void>;
}

export const createConfiguredKeys = ({ pool, log }: { pool: Pool; log: Log }): ConfiguredKeys => {
  let running: Promise<void> = Promise.resolve();

  const readable = (keys: readonly string[]): string[] =>
    keys.flatMap((text, index) => {
      const read = readToken(text);
      if ("token" in read && isApiKey(read)) return [read.token];
      log.error("an entry of xai.api_keys is no key of the official API (xai-…) and is left out", { entry: index + 1 });
      return [];
    });
  const apply = async (keys: readonly string[]): Promise<void> => {
    const tokens = readable(keys);
    const wanted = new Set(tokens.map(accountId));
    const gone = pool.all().filter(({ id, from_config }) => from_config && !wanted.has(id));
    const fresh = tokens.filter((token) => pool.get(accountId(token)) === undefined);
    if (gone.length > 0) await pool.remove(gone.map(({ id }) => id));
    if (fresh.length === 0) return;
    const fields = { from_config: true };
    await pool.upsert(fresh.map((token) => ({ token, pool: KEY_POOL, tier: null, status: null, fields })));
    log.info("API keys were taken over from xai.api_keys", { added: fresh.length });
  };

  return {
    apply(keys) {
      const applied = running.then(() => apply(keys));
      // One change that could not be stored must not keep later ones out.
      running = applied.catch(() => {});
      return applied;
    },
  };
};
