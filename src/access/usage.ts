// What each handed-out key has used up: units of the day, tokens of the day and of the month. One number serves the check,
// the error and the display. Knows no route and no request: whoever is served is a `holder`, any object.
// Invariants: a unit is taken before the work begins and comes back at most once; nothing is held for a holder that was
// settled; what was counted is in storage within a second.
import { GatewayError } from "../core/errors.ts";
import { createBudget, type Hold, type Spend, type SpendLimits, WHOLE } from "./budget.ts";
import type { ClientKey, ClientKeys } from "./client-keys.ts";
import { seconds, type RateHeaders } from "./limits-client.ts";
import { createPeriods } from "./usage-periods.ts";
import { createUsageStore, type Counters, type UsageDeps, type UsageState } from "./usage-store.ts";

export type Bucket = "chat" | "heavy" | "image" | "video";
export const BUCKETS: readonly Bucket[] = ["chat", "heavy", "image", "video"];

/** What a request is about to use. */
export interface Want {
  /** The id in the catalogue; checked against the key's list. */
  readonly model: string;
  /** As the caller wrote it, for the error. */
  readonly asked: string;
  readonly units: Partial<Record<Bucket, number>>;
  /** Tokens of the request itself, and how many the answer may have; asked for only when the key has a token limit. */
  readonly tokens: () => { readonly input: number; readonly output: number };
  /** Where an account that costs money may serve it. */
  readonly spend?: Spend;
}

/** How the work ended. */
export interface Spent {
  /** False gives the units back and books no token: nothing was delivered, and not by the caller's doing. */
  readonly served: boolean;
  readonly tokens: number;
  /** What the upstream charged, whether it was any use or not. */
  readonly costTicks?: number;
}

/** The side that use cases see. */
export interface Allowance {
  /** Whether the key's list has the model; callers without a key of their own may use all. */
  allows(key: string | null, model: string): boolean;
  /**
   * Throws what the caller is told; keys without limits of their own are let through. False when the request may go on, but
   * only with accounts that cost nothing.
   */
  reserve(holder: object, request: { readonly key: string | null; readonly want: Want }): boolean;
  settle(holder: object, spent: Spent): void;
}

export interface KeyUsage extends Allowance {
  load(): Promise<void>;
  headers(key: ClientKey): RateHeaders;
  today(id: string): { readonly day: string; readonly month: string } & Counters & {
      readonly monthTokens: number;
      readonly monthTicks: number;
    };
  /** What the whole gateway has spent. */
  spent(): { readonly dayTicks: number; readonly monthTicks: number };
  lastUsedMs(id: string): number | null;
  /** Sets the day's units to what another installation has counted, where that is more. */
  adopt(id: string, counted: { readonly day: string } & Partial<Record<Bucket, number>>): void;
  forget(id: string): void;
  /** The day that is counted now, such as 2026-08-31. */
  readonly day: string;
  /** When the day's counters begin anew. */
  readonly dayEndsMs: number;
  /** Holders that were not settled yet. */
  readonly open: number;
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Grant {
  /** Undefined for callers without a key of their own. */
  readonly key: ClientKey | undefined;
  readonly hold: Hold | null;
  readonly state: UsageState;
  readonly day: string;
  readonly units: Partial<Record<Bucket, number>>;
  readonly heldTokens: number;
}

export type { UsageDeps };

export interface KeyUsageDeps extends UsageDeps {
  readonly keys: Pick<ClientKeys, "get">;
  /** What the whole gateway may spend; without it there is no limit. */
  readonly spendLimits?: () => SpendLimits;
}

const UNLIMITED_SPEND: SpendLimits = { dailyUsd: -1, monthlyUsd: -1 };

export const createKeyUsage = (deps: KeyUsageDeps): KeyUsage => {
  const { clock, keys } = deps;
  const periods = createPeriods(clock, deps.offsetMinutes);
  const store = createUsageStore(deps, periods);
  const budget = createBudget({ ...store, periods, clock, whole: deps.spendLimits ?? (() => UNLIMITED_SPEND) });
  const grants = new Map<object, Grant[]>();

  const lists = ({ models }: ClientKey, model: string): boolean => models === null || models.includes(model);
  const checkModel = (key: ClientKey, want: Want) => {
    if (lists(key, want.model)) return;
    throw new GatewayError("model_not_allowed", `This API key may not use the model '${want.asked}'.`, {
      param: "model",
      shouldRetry: false,
    });
  };
  const checkUnits = (key: ClientKey, state: UsageState, want: Want) => {
    for (const bucket of BUCKETS) {
      const units = want.units[bucket] ?? 0;
      const limit = key[bucket];
      const used = state.day[bucket];
      if (units === 0 || limit < 0 || used + units <= limit) continue;
      const now = periods.now();
      throw new GatewayError(
        "daily_quota_exceeded",
        `Daily quota exceeded: ${bucket} (${used} of ${limit} used, ${units} wanted; begins anew at ${iso(now.dayEndsMs)}).`,
        { retryAfterMs: now.dayEndsMs - clock.now(), shouldRetry: false },
      );
    }
  };
  /** How many tokens to hold: no more than what is left, so that the last answer of a day is not refused for its size. */
  const tokensToHold = (key: ClientKey, state: UsageState, want: Want): number => {
    if (key.dailyTokens < 0 && key.monthlyTokens < 0) return 0;
    const { input, output } = want.tokens();
    const now = periods.now();
    const limits = [
      { name: "daily", limit: key.dailyTokens, used: state.day.tokens, endsMs: now.dayEndsMs },
      { name: "monthly", limit: key.monthlyTokens, used: state.month.tokens, endsMs: now.monthEndsMs },
    ].filter(({ limit }) => limit >= 0);
    let left = Number.MAX_SAFE_INTEGER;
    for (const { name, limit, used, endsMs } of limits) {
      if (used + input > limit || limit === 0) {
        throw new GatewayError(
          "insufficient_quota",
          `The ${name} token limit of this API key is used up: ${used} of ${limit} used, ${input} wanted; it begins anew at ${iso(endsMs)}.`,
          { retryAfterMs: endsMs - clock.now(), shouldRetry: false },
        );
      }
      left = Math.min(left, limit - used - state.heldTokens);
    }
    if (input > left) {
      throw new GatewayError(
        "rate_limit_exceeded",
        "What is left of this API key's tokens is held by its running requests; ask again when one of them has ended.",
        { retryAfterMs: 1_000 },
      );
    }
    return Math.min(input + output, left);
  };

  return {
    load: store.load,
    allows(id, model) {
      const key = id === null ? undefined : keys.get(id);
      return key === undefined || lists(key, model);
    },
    reserve(holder, { key: id, want }) {
      const key = id === null ? undefined : keys.get(id);
      if (!key && want.spend === undefined) return true;
      const underway = want.spend?.underway === true;
      if (key && !underway) checkModel(key, want);
      const state = store.stateOf(key?.id ?? WHOLE);
      if (key) checkUnits(key, state, want);
      const heldTokens = key && !underway ? tokensToHold(key, state, want) : 0;
      const hold = want.spend === undefined ? null : budget.hold(key, want.spend);
      state.heldTokens += heldTokens;
      if (key) {
        for (const bucket of BUCKETS) state.day[bucket] += want.units[bucket] ?? 0;
        state.lastUsedMs = clock.now();
        store.mark(state);
      }
      const grant = { key, hold, state, day: periods.now().day, units: want.units, heldTokens };
      const known = grants.get(holder);
      if (known) known.push(grant);
      else grants.set(holder, [grant]);
      return want.spend === undefined || hold !== null;
    },
    settle(holder, { served, tokens, costTicks = 0 }) {
      const own = grants.get(holder);
      if (!own) return;
      grants.delete(holder);
      const payer = own[0]?.key;
      budget.book(payer && keys.get(payer.id), costTicks);
      for (const { key, hold, state, day, units, heldTokens } of own) {
        if (hold) budget.release(hold);
        state.heldTokens -= heldTokens;
        if (!key || !keys.get(key.id)) continue;
        const current = store.stateOf(key.id);
        // Units of a day that is over are gone with it.
        if (!served && day === current.periods.day) {
          for (const bucket of BUCKETS) current.day[bucket] = Math.max(0, current.day[bucket] - (units[bucket] ?? 0));
        }
        store.mark(current);
      }
      const [first] = own;
      if (!served || !first?.key || !keys.get(first.key.id)) return;
      const current = store.stateOf(first.key.id);
      current.day.tokens += tokens;
      current.month.tokens += tokens;
    },
    headers: (key) => quotaHeaders(key, store.stateOf(key.id), periods.now().dayEndsMs - clock.now()),
    today(id) {
      const { periods: own, day, month } = store.stateOf(id);
      return { ...day, day: own.day, month: own.month, monthTokens: month.tokens, monthTicks: month.ticks };
    },
    spent() {
      const { day, month } = store.stateOf(WHOLE);
      return { dayTicks: day.ticks, monthTicks: month.ticks };
    },
    lastUsedMs: (id) => store.stateOf(id).lastUsedMs,
    adopt(id, counted) {
      const state = store.stateOf(id);
      if (counted.day !== state.periods.day) return;
      for (const bucket of BUCKETS) state.day[bucket] = Math.max(state.day[bucket], counted[bucket] ?? 0);
      store.mark(state);
    },
    forget: store.forget,
    get day() {
      return periods.now().day;
    },
    get dayEndsMs() {
      return periods.now().dayEndsMs;
    },
    get open() {
      return grants.size;
    },
    flush: store.flush,
    close: store.close,
  };
};

const iso = (ms: number): string => new Date(ms).toISOString();

const HEADER_NAMES: Record<Bucket, string> = { chat: "chat", heavy: "heavy", image: "images", video: "videos" };

const quotaHeaders = (key: ClientKey, state: UsageState, resetMs: number): RateHeaders => {
  const headers: (readonly [string, string])[] = [];
  const add = (name: string, limit: number, used: number) => {
    if (limit < 0) return;
    headers.push(
      [`x-ratelimit-limit-${name}`, String(limit)],
      [`x-ratelimit-remaining-${name}`, String(Math.max(0, limit - used))],
      [`x-ratelimit-reset-${name}`, seconds(resetMs)],
    );
  };
  for (const bucket of BUCKETS) add(HEADER_NAMES[bucket], key[bucket], state.day[bucket]);
  // One pair of numbers fits the header: the limit of which less is left.
  const daily = key.dailyTokens < 0 ? Number.POSITIVE_INFINITY : key.dailyTokens - state.day.tokens;
  const monthly = key.monthlyTokens < 0 ? Number.POSITIVE_INFINITY : key.monthlyTokens - state.month.tokens;
  if (daily <= monthly) add("tokens", key.dailyTokens, state.day.tokens + state.heldTokens);
  else {
    const monthMs = state.periods.monthEndsMs - state.periods.dayEndsMs + resetMs;
    const left = Math.max(0, monthly - state.heldTokens);
    headers.push(
      ["x-ratelimit-limit-tokens", String(key.monthlyTokens)],
      ["x-ratelimit-remaining-tokens", String(left)],
      ["x-ratelimit-reset-tokens", seconds(monthMs)],
    );
  }
  return headers;
};
