// One request over as many accounts as it takes: leases an account, runs the provider, moves on after a failure that the
// error table lets it move on from, until something visible has come. Knows no protocol and no provider's wording.
// Invariants: exactly one report a lease; nothing is retried after the first visible event; one request never tries the
// same account twice unless it is the only one.
import type { Config } from "../config/schema.ts";
import { type ErrorCode, GatewayError } from "../core/errors.ts";
import {
  isLast,
  isVisible,
  type EventBatch,
  type GenerationEvent,
  type GenerationStream,
  type Usage,
} from "../core/events.ts";
import type { Model, Upstream } from "../core/models.ts";
import type { Clock } from "../lib/clock.ts";
import { pullStream, readFrom } from "../lib/pull.ts";
import type { Emptiness } from "../accounts/explain.ts";
import type { Lease, Need, Pool } from "../accounts/pool.ts";
import type { Attempt } from "./record.ts";

export interface AttemptOptions {
  /** What can serve the request, the preferred first; never empty. */
  readonly offers: readonly Model[];
  readonly signal: AbortSignal;
  /** Id of the account that should serve it if it can. */
  readonly sticky?: string | undefined;
  /** Which accounts may serve it, the preferred ones first; any that serves the model when absent. */
  readonly needs?: (tried: ReadonlySet<string>) => readonly Need[];
  /** False leaves accounts that cost money out. */
  readonly mayPay: boolean;
  /** A kind of account that is out of the question. */
  readonly barred?: Upstream | null;
  /** Events that go out at once although they commit nothing; a second attempt tells its own. */
  readonly passes?: (event: GenerationEvent) => boolean;
  /** Calls of the counter that a served attempt has cost, where it is not the usual number. */
  readonly units?: () => number;
  /** What an answer has cost that came without a bill, or was left before it; its tokens where the upstream told them. */
  readonly unbilled?: (lease: Lease, told: Usage | null) => number;
  /** Whether something is in the making that costs money although nothing of it was seen. */
  readonly making?: () => boolean;
  /** Runs the provider with the leased account. */
  readonly run: (lease: Lease) => GenerationStream;
  readonly onAttempt: (attempt: Attempt, lease: Lease) => void;
}

export interface AttemptDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly config: () => Config;
  readonly resetEgress: (upstream: Upstream) => void;
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
  const acquire = async (
    needs: readonly Need[],
    wait: { signal: AbortSignal; otherwise: readonly Need[] },
  ): Promise<Lease> => {
    const { signal } = wait;
    const ms = config().token.wait_ms;
    // Waiting for a free account is cheaper than paying for one.
    const thrifty = config().routing.prefer === "cheapest";
    for (const need of needs) {
      const waits = thrifty && need.model.upstream === "web";
      const lease = waits ? await pool.waitForFree(need, { signal, ms }) : pool.acquire(need);
      if (lease) return lease;
    }
    for (const need of lastOfEachKind(needs)) {
      const lease = await pool.waitForFree(need, { signal, ms });
      if (lease) return lease;
    }
    throw emptiness(needs.length > 0 ? needs : wait.otherwise);
  };

  /** Why nobody serves; with two kinds of accounts, the one that asks to come back sooner. */
  const emptiness = (needs: readonly Need[], cause?: GatewayError): GatewayError => {
    const [first, second] = lastOfEachKind(needs).map((need) => pool.explainEmpty(need));
    const soonest = (empty: Emptiness | undefined) => empty?.retryAfterMs ?? Number.POSITIVE_INFINITY;
    const told = second && soonest(second) < soonest(first) ? second : first;
    // What failed last speaks for its own kind of account only.
    const alone = cause !== undefined && second === undefined;
    const limited = alone ? cause.row.status === 429 : told?.code === "upstream_rate_limited";
    const words = [first, second].flatMap((empty) => empty?.message ?? []).join(" ");
    return new GatewayError(limited ? "upstream_rate_limited" : "no_available_account", words, {
      ...(typeof told?.retryAfterMs === "number" ? { retryAfterMs: told.retryAfterMs } : {}),
      ...(cause ? { cause } : {}),
    });
  };

  /** Reads the retry rule of the error table against what this request has left. */
  const decide = (error: GatewayError, about: { left: Allowance; upstream: Upstream }): Next => {
    const { left, upstream } = about;
    const { retry } = config();
    const status = error.detail.upstream?.status;
    if (clock.monotonic() > left.until || error.detail.shouldRetry === false) return "stop";
    switch (error.row.retry) {
      case "never":
        return "stop";
      case "other-account":
        // The setting is about the site's statuses; the official API says in words what a refusal is about.
        if (upstream === "web" && status !== undefined && !retry.retry_status_codes.includes(status)) return "stop";
        return left.switches-- > 0 ? "other-account" : "stop";
      case "once":
        return left.repeats-- > 0 ? "other-account" : "stop";
      case "other-egress":
        if (status === undefined || !retry.reset_session_status_codes.includes(status)) return "stop";
        if (left.freshEgress-- <= 0) return "stop";
        resetEgress(upstream);
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
  const lastWord = (error: GatewayError, needs: readonly Need[]): GatewayError => {
    if (error.row.blame !== "account" || error.row.retry === "never") return error;
    // Asking again cannot help: nobody may use the model.
    if (error.row.signal === "model-denied") return error;
    return emptiness(needs, error);
  };

  /** One account's try at the answer; its events are held back until one of them is visible. */
  const begin = (lease: Lease, { run, onAttempt, passes, units, unbilled, making }: AttemptOptions) => {
    const startedMs = clock.monotonic();
    const stream = run(lease);
    let held: GenerationEvent[] | null = [];
    let last: GenerationEvent | undefined;
    let told: Usage | null = null;
    let closed = false;
    /** What came to nothing by the upstream's own word is charged only where it says so. */
    const costTicks = () => {
      if (told?.costTicks !== undefined) return told.costTicks;
      const isBegun = held === null || (making?.() ?? false);
      const isUsed = last?.type === "finish" || (isBegun && (!last || brokeOff(last)));
      return isUsed ? (unbilled?.(lease, told) ?? 0) : 0;
    };
    const close = () => {
      if (closed) return;
      closed = true;
      const error = last?.type === "failure" ? last.error : null;
      if (error && error.code !== "client_closed") lease.report({ kind: "failed", error });
      else if (last?.type === "finish") lease.report({ kind: "served", ...(units ? { units: units() } : {}) });
      else lease.report({ kind: "client-closed" });
      onAttempt(
        {
          account: lease.credential.accountId,
          startedMs,
          durationMs: clock.monotonic() - startedMs,
          code: error?.code ?? (last ? null : "client_closed"),
          reason: error?.detail.upstream?.text ?? error?.message ?? null,
          costTicks: costTicks(),
        },
        lease,
      );
      void stream.return();
    };
    /** A batch, the failure of an attempt of which nothing was seen, or null at the end. */
    const next = async (signal: AbortSignal): Promise<EventBatch | GatewayError | null> => {
      for (;;) {
        const value = await readFrom(stream);
        if (value === null) {
          close();
          return last ? null : cancelled(signal);
        }
        const end = value[value.length - 1];
        if (end && isLast(end)) {
          last = end;
          for (const event of value) if (event.type === "usage") told = event.usage;
        }
        if (held === null) {
          if (last) close();
          return value;
        }
        const visible = value.some(isVisible) || last?.type === "finish";
        if (!visible && last?.type === "failure") {
          close();
          return last.error;
        }
        if (!visible) {
          const early = passes ? value.filter(passes) : [];
          held.push(...(passes ? value.filter((event) => !passes(event)) : value));
          if (early.length > 0) return early;
          continue;
        }
        const batch = held.length > 0 ? [...held, ...value] : value;
        held = null;
        if (last) close();
        return batch;
      }
    };
    return { lease, next, close };
  };

  return (options: AttemptOptions): GenerationStream => {
    const { offers, signal } = options;
    const { retry } = config();
    const tried = new Set<string>();
    const left: Allowance = {
      switches: retry.max_retry,
      repeats: Math.min(1, retry.max_retry),
      freshEgress: Math.min(1, retry.max_retry),
      until: clock.monotonic() + retry.retry_budget * 1000,
    };
    let only: string | null = null;
    let failed: GatewayError | null = null;
    let count = 0;
    let current: ReturnType<typeof begin> | null = null;
    let over = false;

    const { sticky } = options;
    const isOpen = ({ upstream }: Model): boolean => upstream !== options.barred;
    const own = (): readonly Need[] =>
      offers.filter(isOpen).map((model) => ({
        model,
        exclude: tried,
        ...(sticky === undefined ? {} : { sticky }),
        ...(only ? { only } : {}),
      }));
    /** Once a single account is to be tried again, only what allows that one counts. */
    const needs = (): readonly Need[] => {
      const wished = (options.needs?.(tried) ?? own()).filter(({ model }) => isOpen(model));
      const all = options.mayPay ? wished : wished.filter(({ model }) => model.upstream === "web");
      if (tried.size === 0 && own().length === 0) throw barredError();
      if (wished.length > 0 && all.length === 0) throw unpayable();
      const again = only;
      if (again === null) return all;
      return all.filter((one) => one.only === undefined || one.only === again).map((one) => ({ ...one, only: again }));
    };
    const end = (error: GatewayError): EventBatch => {
      over = true;
      return [{ type: "failure", error }];
    };
    /** The next account's attempt, or the last word when there is none. */
    const proceed = async (): Promise<EventBatch | null> => {
      try {
        if (failed) await pause(failed, count - 1, signal);
        current = begin(await acquire(needs(), { signal, otherwise: own() }), options);
        count++;
        return null;
      } catch (thrown) {
        const error = thrown instanceof GatewayError ? thrown : cancelled(signal);
        // An upstream's fault on the only account may be repeated on that account.
        if (failed?.row.retry === "once" && tried.size > 0 && !only && !signal.aborted) {
          only = [...tried].at(-1) ?? null;
          tried.clear();
          return null;
        }
        return end(failed ? lastWord(failed, own()) : error);
      }
    };
    const judge = (error: GatewayError, { credential: { accountId }, model }: Lease): EventBatch | null => {
      failed = error;
      const next = decide(error, { left, upstream: model.upstream });
      if (next === "stop" || signal.aborted) return end(left.switches < 0 ? lastWord(error, own()) : error);
      only = next === "same-account" ? accountId : null;
      if (next === "other-account") tried.add(accountId);
      return null;
    };
    const pull = async (): Promise<EventBatch | null> => {
      while (!over) {
        if (!current) {
          const word = await proceed();
          if (word) return word;
          continue;
        }
        const step = await current.next(signal);
        if (!(step instanceof GatewayError)) {
          over = step === null;
          return step;
        }
        const { lease } = current;
        current = null;
        const word = judge(step, lease);
        if (word) return word;
      }
      return null;
    };
    return pullStream(pull, () => current?.close());
  };
};

/** Failures that cut an answer off while the upstream went on with it. */
const CUTS: readonly ErrorCode[] = ["client_closed", "upstream_cut", "upstream_timeout", "shutting_down"];

const brokeOff = (end: GenerationEvent): boolean => end.type === "failure" && CUTS.includes(end.error.code);

const barredError = (): GatewayError =>
  new GatewayError("model_not_allowed", "This API key may not use the model that could serve the request.", {
    param: "model",
    shouldRetry: false,
  });

const unpayable = (): GatewayError =>
  new GatewayError(
    "insufficient_quota",
    "A spending limit is reached, and only keys of the official API can do what the request asks for.",
    { shouldRetry: false },
  );

/** The last resort of web accounts and that of keys. */
const lastOfEachKind = (needs: readonly Need[]): Need[] =>
  (["web", "xai"] as const).flatMap((kind) => needs.findLast(({ model }) => model.upstream === kind) ?? []);

const cancelled = (signal: AbortSignal): GatewayError =>
  signal.reason instanceof GatewayError
    ? signal.reason
    : new GatewayError("client_closed", "The request was cancelled.", { cause: signal.reason });
