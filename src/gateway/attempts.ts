// One request over as many accounts as it takes: leases an account, runs the provider, moves on after a failure that the
// error table lets it move on from, until something visible has come. Knows no protocol and no provider's wording.
// Invariants: exactly one report a lease; nothing is retried after the first visible event; one request never tries the
// same account twice unless it is the only one.
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import { isLast, isVisible, type EventBatch, type GenerationEvent, type GenerationStream } from "../core/events.ts";
import type { Model } from "../core/models.ts";
import type { Clock } from "../lib/clock.ts";
import type { Lease, Need, Pool } from "../accounts/pool.ts";
import type { Attempt } from "./record.ts";

export interface AttemptOptions {
  readonly model: Model;
  readonly signal: AbortSignal;
  /** Runs the provider with the leased account. */
  readonly run: (lease: Lease) => GenerationStream;
  readonly onAttempt: (attempt: Attempt, lease: Lease) => void;
}

export interface AttemptDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly config: () => Config;
  readonly resetEgress: () => void;
}

/** What a request may still do after a failure. */
interface Allowance {
  switches: number;
  repeats: number;
  freshEgress: number;
  readonly until: number;
}

type Next = "other-account" | "same-account" | "stop";

export const createAttempts = ({ pool, clock, config, resetEgress }: AttemptDeps) => {
  const acquire = async (need: Need, signal: AbortSignal): Promise<Lease> => {
    const lease = pool.acquire(need) ?? (await pool.waitForFree(need, { signal, ms: config().token.wait_ms }));
    if (lease) return lease;
    const empty = pool.explainEmpty(need);
    throw new GatewayError(empty.code, empty.message, {
      ...(empty.retryAfterMs === null ? {} : { retryAfterMs: empty.retryAfterMs }),
    });
  };

  /** Reads the retry rule of the error table against what this request has left. */
  const decide = (error: GatewayError, left: Allowance): Next => {
    const { retry } = config();
    const status = error.detail.upstream?.status;
    if (clock.monotonic() > left.until) return "stop";
    switch (error.row.retry) {
      case "never":
        return "stop";
      case "other-account":
        if (status !== undefined && !retry.retry_status_codes.includes(status)) return "stop";
        return left.switches-- > 0 ? "other-account" : "stop";
      case "once":
        return left.repeats-- > 0 ? "other-account" : "stop";
      case "other-egress":
        if (status === undefined || !retry.reset_session_status_codes.includes(status)) return "stop";
        if (left.freshEgress-- <= 0) return "stop";
        resetEgress();
        return "same-account";
      default:
        return error.row.retry satisfies never;
    }
  };

  /** The pause before a repeat after the upstream's own fault. Moving to another account needs none. */
  const pause = async (error: GatewayError, count: number, signal: AbortSignal) => {
    if (error.row.retry !== "once") return;
    const { retry_backoff_base, retry_backoff_factor, retry_backoff_max } = config().retry;
    const seconds = Math.min(retry_backoff_base * retry_backoff_factor ** count, retry_backoff_max);
    await clock.sleep(seconds * 1000, signal);
  };

  /** What the caller is told when every account that could help has failed with the account's own trouble. */
  const lastWord = (error: GatewayError, need: Need): GatewayError => {
    if (error.row.blame !== "account" || error.row.retry === "never") return error;
    const empty = pool.explainEmpty(need);
    const limited = error.row.status === 429;
    return new GatewayError(limited ? "upstream_rate_limited" : "no_available_account", empty.message, {
      ...(empty.retryAfterMs === null ? {} : { retryAfterMs: empty.retryAfterMs }),
      cause: error,
    });
  };

  return async function* attempts(options: AttemptOptions): GenerationStream {
    const { model, signal } = options;
    const { retry } = config();
    const tried = new Set<string>();
    const left: Allowance = {
      switches: retry.max_retry,
      repeats: Math.min(1, retry.max_retry),
      freshEgress: Math.min(1, retry.max_retry),
      until: clock.monotonic() + retry.retry_budget * 1000,
    };
    let again: string | null = null;
    let failed: GatewayError | null = null;

    for (let count = 0; ; count++) {
      const need: Need = { model, exclude: tried, ...(again ? { only: again } : {}) };
      let lease: Lease;
      try {
        if (failed) await pause(failed, count - 1, signal);
        lease = await acquire(need, signal);
      } catch (thrown) {
        const error = thrown instanceof GatewayError ? thrown : cancelled(signal);
        // An upstream's fault on the only account may be repeated on that account.
        if (failed?.row.retry === "once" && tried.size > 0 && !again && !signal.aborted) {
          again = [...tried].at(-1) ?? null;
          tried.clear();
          continue;
        }
        return yield [{ type: "failure", error: failed ? lastWord(failed, need) : error }];
      }

      const attempt = yield* oneAttempt(lease, options);
      if (attempt === null) return;
      failed = attempt;
      const next = decide(failed, left);
      if (next === "stop" || signal.aborted) {
        return yield [{ type: "failure", error: left.switches < 0 ? lastWord(failed, need) : failed }];
      }
      again = next === "same-account" ? lease.credential.accountId : null;
      if (next === "other-account") tried.add(lease.credential.accountId);
    }
  };

  /** Yields an attempt's events from its first visible one on. Returns the failure if nothing visible came, else null. */
  async function* oneAttempt(
    lease: Lease,
    { run, onAttempt, signal }: AttemptOptions,
  ): AsyncGenerator<EventBatch, GatewayError | null, void> {
    const startedMs = clock.monotonic();
    let held: GenerationEvent[] | null = [];
    let last: GenerationEvent | undefined;
    const close = () => {
      const error = last?.type === "failure" ? last.error : null;
      if (error && error.code !== "client_closed") lease.report({ kind: "failed", error });
      else if (last?.type === "finish") lease.report({ kind: "served" });
      else lease.report({ kind: "client-closed" });
      onAttempt(
        {
          account: lease.credential.accountId,
          startedMs,
          durationMs: clock.monotonic() - startedMs,
          code: error?.code ?? (last ? null : "client_closed"),
          reason: error?.detail.upstream?.text ?? error?.message ?? null,
        },
        lease,
      );
    };
    const stream = run(lease);
    try {
      for await (const batch of stream) {
        const end = batch[batch.length - 1];
        if (end && isLast(end)) last = end;
        if (!held) {
          yield batch;
          continue;
        }
        held.push(...batch);
        if (held.some(isVisible) || last?.type === "finish") {
          yield held;
          held = null;
        }
      }
    } finally {
      close();
    }
    if (last === undefined) return cancelled(signal);
    return last.type === "failure" && held ? last.error : null;
  }
};

const cancelled = (signal: AbortSignal): GatewayError =>
  signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError("client_closed", "The request was cancelled.", { cause: signal.reason });
