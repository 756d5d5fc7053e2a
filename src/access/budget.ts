// What the official API may cost: a limit for each handed-out key and one for the whole gateway, by day and by month. Knows no
// price. Invariants: an estimate is held before the work begins and let go of once; what was charged is booked, also for work
// that failed; nothing that may cost money begins above a limit.
import { GatewayError } from "../core/errors.ts";
import { TICKS_PER_USD } from "../core/usage.ts";
import type { Clock } from "../lib/clock.ts";
import type { ClientKey } from "./client-keys.ts";
import type { Periods } from "./usage-periods.ts";
import type { UsageState } from "./usage-store.ts";

/** US dollars; −1 is unlimited, 0 is nothing. */
export interface SpendLimits {
  readonly dailyUsd: number;
  readonly monthlyUsd: number;
}

/** What a request may cost. */
export interface Spend {
  /** The most that it will probably cost; asked for only where there is a limit. */
  readonly ticks: () => number;
  /** Accounts that cost nothing can serve it as well. */
  readonly avoidable: boolean;
  /** The upstream works on it already: it is held, and refused by nothing. */
  readonly underway?: boolean;
}

export interface Hold {
  readonly ticks: number;
  readonly states: readonly UsageState[];
}

export interface BudgetDeps {
  readonly stateOf: (id: string) => UsageState;
  readonly mark: (state: UsageState) => void;
  readonly periods: { now(): Periods };
  readonly clock: Pick<Clock, "now">;
  /** Of the whole gateway. */
  readonly whole: () => SpendLimits;
}

/** The state of the whole gateway; no key has such an id. */
export const WHOLE = "*";

const NOTHING: Hold = { ticks: 0, states: [] };

const usd = (ticks: number): string => `$${(ticks / TICKS_PER_USD).toFixed(4)}`;

interface Limit {
  readonly whose: string;
  readonly name: "daily" | "monthly";
  readonly state: UsageState;
  readonly usedTicks: number;
  readonly mostTicks: number;
  readonly endsMs: number;
}

export const createBudget = ({ stateOf, mark, periods, clock, whole }: BudgetDeps) => {
  const limitsOf = (whose: string, about: { state: UsageState; limits: SpendLimits }): readonly Limit[] => {
    const { state, limits } = about;
    const now = periods.now();
    const all: readonly Limit[] = [
      ...[{ name: "daily" as const, usedTicks: state.day.ticks, most: limits.dailyUsd, endsMs: now.dayEndsMs }],
      ...[{ name: "monthly" as const, usedTicks: state.month.ticks, most: limits.monthlyUsd, endsMs: now.monthEndsMs }],
    ].map(({ most, ...limit }) => ({ ...limit, whose, state, mostTicks: most * TICKS_PER_USD }));
    return all.filter(({ mostTicks }) => mostTicks >= 0);
  };
  const over = (limit: Limit): GatewayError =>
    new GatewayError(
      "insufficient_quota",
      `The ${limit.name} spending limit of ${limit.whose} is used up: ${usd(limit.usedTicks)} of ${usd(limit.mostTicks)}; it begins anew at ${new Date(limit.endsMs).toISOString()}.`,
      { retryAfterMs: limit.endsMs - clock.now(), shouldRetry: false },
    );
  const held = (): GatewayError =>
    new GatewayError(
      "rate_limit_exceeded",
      "What is left of the spending limit is held by running requests; ask again when one of them has ended.",
      { retryAfterMs: 1_000 },
    );

  return {
    /** Null when nothing may be spent, but the request can do without. Throws when it cannot. */
    hold(key: ClientKey | undefined, spend: Spend): Hold | null {
      const own = key ? limitsOf("this API key", { state: stateOf(key.id), limits: key }) : [];
      const limits = [...own, ...limitsOf("this gateway", { state: stateOf(WHOLE), limits: whole() })];
      if (limits.length === 0) return NOTHING;
      const ticks = spend.ticks();
      for (const limit of limits) {
        const used = limit.usedTicks + ticks;
        const free = limit.mostTicks - limit.state.heldTicks;
        if (spend.underway || (limit.usedTicks < limit.mostTicks && used <= free)) continue;
        if (spend.avoidable) return null;
        throw limit.usedTicks < limit.mostTicks && used <= limit.mostTicks ? held() : over(limit);
      }
      const states = [...new Set(limits.map(({ state }) => state))];
      for (const state of states) state.heldTicks += ticks;
      return { ticks, states };
    },
    release({ ticks, states }: Hold): void {
      for (const state of states) state.heldTicks -= ticks;
    },
    book(key: ClientKey | undefined, ticks: number): void {
      if (ticks === 0) return;
      for (const state of [stateOf(WHOLE), ...(key ? [stateOf(key.id)] : [])]) {
        state.day.ticks += ticks;
        state.month.ticks += ticks;
        mark(state);
      }
    },
  };
};
