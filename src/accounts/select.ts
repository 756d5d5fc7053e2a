// Which account serves the next call: one pass over rows that hold nothing but what the decision needs.
// Pure (chance comes in); knows no storage and no lease. Invariant: costs no more than a few nanoseconds a row, since it
// runs once a request over the whole pool.
import { modeFor, tierServes, type Mode, type Model } from "../core/models.ts";
import { QUOTA_KINDS, TIERS, type QuotaKind } from "./quota.ts";

/** An account as the selection sees it; numbers only, -1 for unknown. Arrays are indexed like QUOTA_KINDS. */
export interface Row {
  readonly id: string;
  /** Index in TIERS. */
  tier: number;
  /** 0: awake. Otherwise the time at which its rest ends; Infinity for accounts that are off. */
  restsUntil: number;
  /** Never used. */
  fresh: boolean;
  /** Passed over until the selection with this number. */
  skipUntil: number;
  inFlight: number;
  remaining: readonly number[];
  resetAt: readonly number[];
  totals: readonly number[];
}

/** What a model asks of an account, worked out once a call; indexed by tier. */
export interface Plan {
  /** Lower is tried first; -1: accounts of this tier cannot serve it. */
  readonly order: readonly number[];
  /** Index of the window that the call draws from. */
  readonly window: readonly number[];
}

const MEDIA_WINDOW: Readonly<Record<string, QuotaKind>> = {
  "grok-imagine-image": "image",
  "grok-imagine-image-2.0": "image_pro",
  "grok-imagine-image-edit": "image_edit",
  "grok-imagine-video": "video",
};

/** The counter that a call of the model draws from on an account in this mode. */
export const windowOf = (model: Model, mode: Mode): QuotaKind =>
  model.kind === "chat" ? mode : (MEDIA_WINDOW[model.id] ?? mode);

/** `window` overrides the counter, e.g. for a clip in a higher resolution. */
export const planFor = (model: Model, window?: QuotaKind): Plan => {
  // Where the mode is the point of the model, accounts that have it go before those that serve it one mode lower.
  const picky = model.web.mode === "expert" || model.web.mode === "heavy";
  const modes = TIERS.map((tier) => modeFor(model, tier));
  return {
    order: TIERS.map((tier, index) => {
      if (!tierServes(tier, model.tier)) return -1;
      return picky && modes[index] !== model.web.mode ? index + TIERS.length : index;
    }),
    window: modes.map((mode) => QUOTA_KINDS.indexOf(window ?? windowOf(model, mode))),
  };
};

export interface Selection<R extends Row> {
  readonly plan: Plan;
  readonly now: number;
  /** Number of this selection. */
  readonly turn: number;
  readonly maxInflight: number;
  readonly excluded: readonly R[];
  readonly chance: () => number;
}

/** Calls left in the window that the plan names; -1 is unknown. */
export const leftIn = (row: Row, at: { plan: Plan; now: number }): number => {
  const window = at.plan.window[row.tier] ?? 0;
  const left = row.remaining[window] ?? -1;
  return left >= 0 && at.now >= (row.resetAt[window] ?? 0) ? (row.totals[window] ?? -1) : left;
};

/** Unknown and unused first; then what is left beyond the calls in flight; used but unknown before the overdrawn. */
const scoreOf = (row: Row, left: number): number => {
  if (left >= 0) return left - row.inFlight;
  return row.fresh ? Number.POSITIVE_INFINITY : 0.5;
};

/** The best row, or null when none can be had now. */
export const selectRow = <R extends Row>(rows: readonly R[], selection: Selection<R>): R | null => {
  const { plan, now, turn, maxInflight, excluded } = selection;
  let bestOrder = Number.POSITIVE_INFINITY;
  let bestScore = Number.NEGATIVE_INFINITY;
  let bestInFlight = 0;
  const equals: R[] = [];
  for (const row of rows) {
    if (row.restsUntil > now || row.skipUntil > turn || row.inFlight >= maxInflight) continue;
    const order = plan.order[row.tier] ?? -1;
    if (order < 0 || order > bestOrder) continue;
    const left = leftIn(row, selection);
    if (left === 0) continue;
    const score = scoreOf(row, left);
    if (order === bestOrder) {
      if (score < bestScore) continue;
      if (score === bestScore && row.inFlight > bestInFlight) continue;
    }
    if (excluded.length > 0 && excluded.includes(row)) continue;
    if (order !== bestOrder || score !== bestScore || row.inFlight !== bestInFlight) equals.length = 0;
    bestOrder = order;
    bestScore = score;
    bestInFlight = row.inFlight;
    equals.push(row);
  }
  return equals[Math.floor(selection.chance() * equals.length)] ?? null;
};

/** True when the row could be chosen if it were the only one. */
export const isSelectable = <R extends Row>(row: R, selection: Selection<R>): boolean =>
  selectRow([row], selection) !== null;
