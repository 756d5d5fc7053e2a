// Asks the upstream what named accounts have left. Knows the pool and a function that asks; nothing of HTTP and of time.
// Invariant: every account that was named gets exactly one outcome, and a failure that is not the account's leaves it alone.
import { asGatewayError, type ErrorCode, type GatewayError } from "../core/errors.ts";
import type { Log } from "../lib/log.ts";
import { mapLimited } from "../lib/lock.ts";
import type { Credential } from "../core/credential.ts";
import type { Pool } from "./pool.ts";
import type { QuotaReport } from "../core/quota.ts";
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

export interface QuotaQuestion {
  readonly credential: Credential;
  readonly signal: AbortSignal;
  learn(facts: { readonly userId?: string; readonly teamId?: string }): void;
}

export interface RefresherDeps {
  readonly pool: Pool;
  /** Asks the upstream. Throws GatewayError. */
  readonly ask: (question: QuotaQuestion) => Promise<QuotaReport>;
  readonly log: Log;
  readonly settings: () => TokenSettings;
}

export interface Refresher {
  refresh(ids: readonly string[], options: RefreshOptions): Promise<RefreshOutcome[]>;
}

export const createRefresher = (deps: RefresherDeps): Refresher => {
  const { pool, log, settings } = deps;
  const underway = new Map<string, Promise<RefreshOutcome>>();

  const ask = async (id: string, options: RefreshOptions): Promise<RefreshOutcome> => {
    const credential = pool.credential(id);
    if (!credential) return { id, outcome: "skipped", reason: "there is no such account" };
    try {
      const report = await deps.ask({
        credential,
        signal: options.signal ?? new AbortController().signal,
        learn: (facts) => void pool.signal(id, { type: "learned", ...facts }),
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
    if (signal === "suspect" || signal === "dead") pool.signal(id, { type: "failed", error, mode: null });
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

  return {
    refresh: (ids, options) =>
      mapLimited([...new Set(ids)], options.concurrency ?? settings().refresh_concurrency, async (id) => {
        const outcome = await one(id, options);
        options.onOutcome?.(outcome);
        return outcome;
      }),
  };
};
