// When quotas are asked for without a person: accounts whose turn it is in the background, and resting ones at once when a
// request finds nobody. Knows the pool and the refresher. Invariant: at most one background round and one wake-up run at a
// time, both within token.refresh_concurrency, and nothing starts after stop.
import { ERROR_TABLE } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Account } from "./account.ts";
import type { Pool } from "./pool.ts";
import type { Refresher, RefreshOutcome } from "./refresh.ts";
import type { TokenSettings } from "./settings.ts";

export interface RefreshSchedule {
  /** Begins the rounds in the background. */
  start(): void;
  /** Asks for everybody whose turn it is; a call while a round runs joins it. */
  round(): Promise<readonly RefreshOutcome[]>;
  /** Asks for some of the named accounts, which are resting. Null when it is not the time for that. */
  wake(ids: readonly string[]): Promise<unknown> | null;
  stop(): Promise<void>;
}

export interface ScheduleDeps {
  readonly pool: Pool;
  readonly refresher: Refresher;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => TokenSettings;
  readonly chance: () => number;
}

const ROUND_MS = 60_000;
/** Accounts that come one by one are asked for together. */
const GATHER_MS = 1000;
/** After a question that brought nothing the account is left alone for this long. */
const RETRY_MS = 15 * 60_000;
const HOUR_MS = 3_600_000;
/** Failures in a row that are not the accounts' own: the way out is shut, and every further question makes it worse. */
const SHUT_AFTER = 5;

/** Between 0 and 1, always the same for an account: their turns do not come all at once. */
const spread = (id: string): number => Number.parseInt(id.slice(-4), 16) / 0xffff || 0;

const oldestFirst = (one: Account, other: Account): number => (one.last_sync_at ?? 0) - (other.last_sync_at ?? 0);

export const createRefreshSchedule = (deps: ScheduleDeps): RefreshSchedule => {
  const { pool, refresher, clock, log, settings } = deps;
  const stopped = new AbortController();
  const asked = new Map<string, number>();
  let running: Promise<readonly RefreshOutcome[]> | null = null;
  let waking: Promise<unknown> | null = null;
  let wokenAt = Number.NEGATIVE_INFINITY;

  const intervalMs = ({ id, tier }: Account): number => {
    const { refresh_interval_hours, super_refresh_interval_hours } = settings();
    const hours = tier === "basic" ? refresh_interval_hours : super_refresh_interval_hours;
    return hours * HOUR_MS * (1 + spread(id) / 10);
  };
  const isDue = (account: Account): boolean => {
    const { id, status, last_sync_at } = account;
    const now = clock.now();
    if (now - (asked.get(id) ?? Number.NEGATIVE_INFINITY) < RETRY_MS) return false;
    // Nobody knows yet what a new account is.
    if (status === "active") return last_sync_at === null;
    return status === "cooling" && now - (last_sync_at ?? 0) >= intervalMs(account);
  };

  const ask = async (accounts: readonly Account[]): Promise<readonly RefreshOutcome[]> => {
    const shut = new AbortController();
    let failures = 0;
    const outcomes = await refresher.refresh(
      accounts.map(({ id }) => id),
      {
        by: "schedule",
        signal: AbortSignal.any([stopped.signal, shut.signal]),
        onOutcome: (outcome) => {
          if (outcome.outcome !== "skipped") asked.set(outcome.id, clock.now());
          const isOurs = outcome.outcome === "failed" && ERROR_TABLE[outcome.code].blame !== "account";
          failures = isOurs ? failures + 1 : 0;
          if (failures >= SHUT_AFTER) shut.abort();
        },
      },
    );
    const count = (kind: RefreshOutcome["outcome"]) => outcomes.filter(({ outcome }) => outcome === kind).length;
    if (outcomes.length > 0) {
      const counts = { accounts: outcomes.length, done: count("done"), failed: count("failed") };
      log.at(shut.signal.aborted ? "warn" : "info", "quotas were asked for", { ...counts, skipped: count("skipped") });
    }
    return outcomes;
  };

  const round: RefreshSchedule["round"] = () => {
    for (const id of asked.keys()) if (!pool.get(id)) asked.delete(id);
    running ??= ask(pool.all().filter(isDue).toSorted(oldestFirst)).finally(() => {
      running = null;
    });
    return running;
  };

  let nudged = new AbortController();
  /** Until the next round; new accounts do not wait for it, but for each other. */
  const pause = async () => {
    const waking = AbortSignal.any([stopped.signal, nudged.signal]);
    await clock.sleep(ROUND_MS * (0.8 + 0.4 * deps.chance()), waking).catch(() => {});
    if (!nudged.signal.aborted) return;
    await clock.sleep(GATHER_MS, stopped.signal).catch(() => {});
    nudged = new AbortController();
  };
  const loop = async () => {
    const leave = pool.subscribe(({ kind }) => {
      if (kind === "added") nudged.abort();
    });
    stopped.signal.addEventListener("abort", leave);
    while (!stopped.signal.aborted) {
      await pause();
      if (stopped.signal.aborted || !settings().auto_refresh) continue;
      await round().catch((error: unknown) => log.error("a round of quota questions failed", { error }));
    }
  };
  let looping: Promise<void> = Promise.resolve();

  /** An account that has just been refused is not asked whether it meant it. */
  const mayWake = ({ last_fail_at, last_sync_at }: Account): boolean => {
    const patienceMs = settings().on_demand_refresh_min_interval_sec * 1000;
    return clock.now() - Math.max(last_fail_at ?? 0, last_sync_at ?? 0) >= patienceMs;
  };

  return {
    start() {
      looping = loop();
    },
    round,
    wake(ids) {
      if (waking) return waking;
      const limits = settings();
      const tooSoon = clock.now() - wokenAt < limits.on_demand_refresh_min_interval_sec * 1000;
      if (!limits.on_demand_refresh_enabled || tooSoon || stopped.signal.aborted) return null;
      const candidates = ids.flatMap((id) => pool.get(id) ?? []).filter(mayWake);
      if (candidates.length === 0) return null;
      wokenAt = clock.now();
      waking = ask(candidates.toSorted(oldestFirst).slice(0, limits.on_demand_refresh_max_tokens))
        .catch((error: unknown) => log.error("resting accounts could not be asked", { error }))
        .finally(() => {
          waking = null;
        });
      return waking;
    },
    async stop() {
      stopped.abort();
      await Promise.allSettled([looping, running, waking]);
    },
  };
};
