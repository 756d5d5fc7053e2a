// What the tests of the account pool share: a clock moved by hand, settings with the shipped defaults, invented accounts.
import type { Clock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { findModel, type WebModel } from "../../src/core/models.ts";
import { parseAccount, type Account } from "../../src/accounts/account.ts";
import type { ImportedAccount } from "../../src/accounts/imported.ts";
import { createPool, type Pool, type PoolDeps } from "../../src/accounts/pool.ts";
import type { TokenSettings } from "../../src/accounts/settings.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import type { DocumentChange, Documents } from "../../src/storage/port.ts";

export const START = Date.UTC(2026, 7, 1);
export const HOUR = 3_600_000;

export const settings: TokenSettings = {
  strategy: "quota",
  fail_threshold: 5,
  save_delay_ms: 500,
  max_inflight: 4,
  max_inflight_per_key: 64,
  error_skip_requests: 5,
  cooldown_seconds: 3600,
  exhausted_cooldown_seconds: 36_000,
  max_retry_after_seconds: 86_400,
  refresh_interval_hours: 8,
  super_refresh_interval_hours: 2,
  refresh_concurrency: 5,
  auto_refresh: true,
  on_demand_refresh_enabled: true,
  on_demand_refresh_min_interval_sec: 300,
  on_demand_refresh_max_tokens: 100,
};

/** Lets everything run that waits for nothing but its turn. */
export const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

export interface ManualClock extends Clock {
  advance(ms: number): Promise<void>;
}

export const manualClock = (start = START): ManualClock => {
  let now = start;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms, signal) =>
      new Promise<void>((resolve, reject) => {
        if (signal?.aborted) return reject(new Error("aborted"));
        const sleeper = { at: now + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(new Error("aborted"));
        });
      }),
    every: () => () => {},
    async advance(ms) {
      now += ms;
      for (const sleeper of [...sleepers]) {
        if (sleeper.at > now) continue;
        sleepers.delete(sleeper);
        sleeper.wake();
      }
      await settle();
    },
  };
};

export const anAccount = (fields: Record<string, unknown> = {}): Account => {
  const account = parseAccount({ token: "sim-ok-fixture", created_at: START, ...fields });
  if (!account) throw new Error("not an account");
  return account;
};

export const item = (token: string, more: Partial<ImportedAccount> = {}): ImportedAccount => ({
  token,
  pool: null,
  tier: null,
  status: null,
  fields: {},
  ...more,
});

export const model = (id: string): WebModel => {
  const found = findModel(id);
  if (!found) throw new Error(`no model ${id}`);
  return found;
};

export const aWindow = (remaining: number, more: Record<string, unknown> = {}) => ({
  remaining,
  total: null,
  window_seconds: 7200,
  reset_at: START + 2 * HOUR,
  synced_at: START,
  source: "measured",
  ...more,
});

/** Documents that note every write. */
export const watchedDocuments = (): Documents & { writes: DocumentChange[][] } => {
  const documents = createMemoryDocuments();
  const writes: DocumentChange[][] = [];
  return {
    ...documents,
    writes,
    write: (changes) => {
      writes.push(changes);
      return documents.write(changes);
    },
  };
};

export const newPool = (deps: Partial<PoolDeps> & { clock: Clock }): Pool =>
  createPool({
    documents: createMemoryDocuments(),
    log: silentLog,
    settings: () => settings,
    chance: () => 0,
    strict: true,
    ...deps,
  });

export const none: ReadonlySet<string> = new Set();
