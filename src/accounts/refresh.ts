// Asks the upstream what accounts have left: one, many, all, or those whose turn it is. Knows the pool and a function that
// asks; nothing of HTTP. Invariant: every account that was named gets exactly one outcome, and a failure that is not the
// account's leaves it alone.
import { asGatewayError, type ErrorCode, type GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { mapLimited } from "../lib/lock.ts";
import type { Account } from "./account.ts";
import type { Credential } from "./leases.ts";
import type { Pool } from "./pool.ts";
import type { QuotaReport } from "./quota.ts";
import type { TokenSettings } from "./settings.ts";

export type RefreshOutcome =
  | { readonly id: string; readonly outcome: "done" }
  | { readonly id: string; readonly outcome: "skipped"; readonly reason: string }
  | { readonly id: string; readonly outcome: "failed"; readonly code: ErrorCode; readonly message: string };

export interface RefreshOptions {
  /** A person may bring an expired account back and asks for whatever was named; the schedule leaves those out. */
  readonly by: "person" | "schedule";
  readonly signal?: AbortSignal;
  readonly concurrency?: number;
  readonly onOutcome?: (outcome: RefreshOutcome) => void;
}

export interface RefreshProgress {
  readonly running: boolean;
  readonly total: number;
  readonly current: number;
  readonly success: number;
  readonly failed: number;
  readonly skipped: number;
}

export interface QuotaQuestion {
  readonly credential: Credential;
  readonly signal: AbortSignal;
  learn(facts: { readonly userId?: string }): void;
}

export interface RefresherDeps {
  readonly pool: Pool;
  /** Asks the upstream. Throws GatewayError. */
  readonly ask: (question: QuotaQuestion) => Promise<QuotaReport>;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => TokenSettings;
}

export interface Refresher {
  refresh(ids: readonly string[], options: RefreshOptions): Promise<RefreshOutcome[]>;
  /** A second call while one is running joins it. */
  refreshAll(options: RefreshOptions): Promise<RefreshOutcome[]>;
  /** Resting accounts that were not asked for longer than their pool's interval. */
  refreshDue(signal?: AbortSignal): Promise<RefreshOutcome[]>;
  /** Of the running or last `refreshAll`. */
  progress(): RefreshProgress;
}

const HOUR_MS = 3_600_000;
const IDLE: RefreshProgress = { running: false, total: 0, current: 0, success: 0, failed: 0, skipped: 0 };

export const createRefresher = (deps: RefresherDeps): Refresher => {
  const { pool, clock, log, settings } = deps;
  const underway = new Map<string, Promise<RefreshOutcome>>();
  let all: Promise<RefreshOutcome[]> | null = null;
  let progress = IDLE;

  const ask = async (id: string, options: RefreshOptions): Promise<RefreshOutcome> => {
    const credential = pool.credential(id);
    if (!credential) return { id, outcome: "skipped", reason: "there is no such account" };
    try {
      const report = await deps.ask({
        credential,
        signal: options.signal ?? new AbortController().signal,
        learn: ({ userId }) => {
          if (userId !== undefined) pool.signal(id, { type: "learned", userId });
        },
      });
      const known = pool.signal(id, { type: "quota", report, by: options.by });
      return known ? { id, outcome: "done" } : { id, outcome: "skipped", reason: "the account was removed meanwhile" };
    } catch (thrown) {
      if (options.signal?.aborted) return { id, outcome: "skipped", reason: "cancelled" };
      return failed(id, asGatewayError(thrown));
    }
  };

  const failed = (id: string, error: GatewayError): RefreshOutcome => {
    const { signal } = error.row;
    // A throttled question says nothing about the account's own work; only a refused session does.
    if (signal === "suspect" || signal === "dead") pool.signal(id, { type: "failed", error, mode: "fast" });
    log.at(error.row.log, "an account's quota could not be asked for", { account: id, code: error.code, error });
    return { id, outcome: "failed", code: error.code, message: error.message };
  };

  const one = async (id: string, options: RefreshOptions): Promise<RefreshOutcome> => {
    if (options.signal?.aborted) return { id, outcome: "skipped", reason: "cancelled" };
    const status = pool.get(id)?.status;
    if (options.by === "schedule" && (status === "disabled" || status === "expired")) {
      return { id, outcome: "skipped", reason: `the account is ${status}` };
    }
    // Somebody asks for the same account already: one question serves both.
    const running = underway.get(id);
    if (running) return running;
    const asking = ask(id, options).finally(() => underway.delete(id));
    underway.set(id, asking);
    return asking;
  };

  const refresh = (ids: readonly string[], options: RefreshOptions): Promise<RefreshOutcome[]> =>
    mapLimited([...new Set(ids)], options.concurrency ?? settings().refresh_concurrency, async (id) => {
      const outcome = await one(id, options);
      options.onOutcome?.(outcome);
      return outcome;
    });

  const counted = (options: RefreshOptions): RefreshOptions => ({
    ...options,
    onOutcome: (outcome) => {
      progress = {
        ...progress,
        current: progress.current + 1,
        success: progress.success + (outcome.outcome === "done" ? 1 : 0),
        failed: progress.failed + (outcome.outcome === "failed" ? 1 : 0),
        skipped: progress.skipped + (outcome.outcome === "skipped" ? 1 : 0),
      };
      options.onOutcome?.(outcome);
    },
  });

  const isDue = ({ status, tier, last_sync_at }: Account): boolean => {
    const { refresh_interval_hours, super_refresh_interval_hours } = settings();
    const hours = tier === "basic" ? refresh_interval_hours : super_refresh_interval_hours;
    return status === "cooling" && clock.now() - (last_sync_at ?? 0) >= hours * HOUR_MS;
  };

  return {
    refresh,
    refreshAll(options) {
      if (all) return all;
      const ids = pool.all().map(({ id }) => id);
      progress = { ...IDLE, running: true, total: ids.length };
      all = refresh(ids, counted(options)).finally(() => {
        progress = { ...progress, running: false };
        all = null;
      });
      return all;
    },
    refreshDue: (signal) => {
      const due = pool.all().filter(isDue);
      return refresh(
        due.map(({ id }) => id),
        { by: "schedule", ...(signal ? { signal } : {}) },
      );
    },
    progress: () => progress,
  };
};
