// Which account serves the next call: one pass over the board's columns.
// Pure (chance comes in); knows no document and no lease. Invariant: costs no more than a few nanoseconds an account, since
// it runs once a request over the whole pool.
import { modeFor, tierServes, type Mode, type Model, type WebModel } from "../core/models.ts";
import { KEY_RANK, NO_WINDOW, type Board } from "./board.ts";
import { TIERS } from "./quota.ts";
import { QUOTA_KINDS, type QuotaKind } from "../core/quota.ts";
import type { Strategy } from "./settings.ts";

/** One tier that can serve a model, and the counter that the call draws from there; both as positions in their tables. */
export interface Stop {
  readonly tier: number;
  readonly window: number;
}

/** What a model asks of an account, worked out once a call: the tiers that serve it, the preferred one first. */
export type Plan = readonly Stop[];

const MEDIA_WINDOW: Readonly<Record<string, QuotaKind>> = {
  "grok-imagine-image": "image",
  "grok-imagine-image-2.0": "image_pro",
  "grok-imagine-image-edit": "image_edit",
  "grok-imagine-video": "video",
};

/** The counter that a call of the model draws from on an account in this mode. */
export const windowOf = (model: WebModel, mode: Mode): QuotaKind =>
  model.kind === "chat" ? mode : (MEDIA_WINDOW[model.id] ?? mode);

/** `window` overrides the counter, e.g. for a clip in a higher resolution. */
export const planFor = (model: Model, window?: QuotaKind): Plan => {
  // Keys are limited by their team's rates and credits, not by counters.
  if (model.upstream === "xai") return [{ tier: KEY_RANK, window: NO_WINDOW }];
  // Where the mode is the point of the model, accounts that have it go before those that serve it one mode lower.
  const picky = model.web.mode === "expert" || model.web.mode === "heavy";
  const stops = TIERS.flatMap((name, tier) => {
    if (!tierServes(name, model.tier)) return [];
    const mode = modeFor(model, name);
    const lower = picky && mode !== model.web.mode;
    return [{ tier, lower, window: QUOTA_KINDS.indexOf(window ?? windowOf(model, mode)) }];
  });
  return [...stops.filter(({ lower }) => !lower), ...stops.filter(({ lower }) => lower)];
};

/** How the plan sees an account of this tier; nothing when such an account cannot serve the model. */
export const stopOf = (plan: Plan, tier: number): Stop | undefined => plan.find((stop) => stop.tier === tier);

export interface Selection {
  readonly plan: Plan;
  readonly now: number;
  /** Number of this selection. */
  readonly turn: number;
  readonly maxInflight: number;
  /** Slots that are out of the question. */
  readonly excluded: readonly number[];
  readonly chance: () => number;
  readonly strategy: Strategy;
  /** The one slot to look at, instead of all. */
  readonly only?: number;
}

/** Calls left in the window with this position; -1 is unknown. After its reset a window is full again. */
export const leftIn = (board: Board, at: { slot: number; window: number; now: number }): number => {
  const left = board.remaining[at.window]?.[at.slot] ?? -1;
  const over = left >= 0 && at.now >= (board.resetAt[at.window]?.[at.slot] ?? 0);
  return over ? (board.totals[at.window]?.[at.slot] ?? -1) : left;
};

/** Weight of a call left against a call in flight, so that one number orders by the first and then by the second. */
const CALL = 2048;
const NEVER_USED = 1e9 * CALL;
/** Used and unknown: after those that have something left, before those whose last calls are already running. */
const UNKNOWN = 0.5 * CALL;

/** The best account of one tier. Written for speed: plain loops over columns, no calls, no allocation. */
const selectInTier = (board: Board, { selection, stop }: { selection: Selection; stop: Stop }): number => {
  const { now, turn, maxInflight, only } = selection;
  const { tier, restsUntil, skipUntil, inFlight, fresh, used, barred, selections, equals } = board;
  const byQuota = selection.strategy === "quota";
  const byUse = selection.strategy === "least_used";
  const remaining = board.remaining[stop.window];
  const resetAt = board.resetAt[stop.window];
  const totals = board.totals[stop.window];
  if (!remaining || !resetAt || !totals) return -1;
  let best = Number.NEGATIVE_INFINITY;
  let count = 0;
  // Said to be integers, else the engine takes the counter for anything and the pass is five times slower.
  const end = Math.trunc(only === undefined ? board.size : only + 1);
  for (let slot = Math.trunc(only ?? 0); slot < end; slot++) {
    if (tier[slot] !== stop.tier) continue;
    const busy = inFlight[slot] ?? 0;
    if ((restsUntil[slot] ?? 0) > now || (skipUntil[slot] ?? 0) > turn || busy >= maxInflight) continue;
    let left = remaining[slot] ?? -1;
    if (left >= 0 && now >= (resetAt[slot] ?? 0)) left = totals[slot] ?? -1;
    if (left === 0) continue;
    let score = 0;
    if (byQuota) {
      const worth = left > 0 ? (left - busy) * CALL : fresh[slot] === 1 ? NEVER_USED : UNKNOWN;
      score = worth - busy;
    } else if (byUse) score = -(used[slot] ?? 0) - busy;
    if (score < best || barred[slot] === selections) continue;
    if (score > best) count = 0;
    best = score;
    equals[count++] = slot;
  }
  return count === 0 ? -1 : (equals[Math.floor(selection.chance() * count)] ?? -1);
};

/** The slot that serves the call, or -1 when no account can be had now. */
export const selectSlot = (board: Board, selection: Selection): number => {
  board.selections++;
  for (const slot of selection.excluded) if (slot >= 0) board.barred[slot] = board.selections;
  for (const stop of selection.plan) {
    const slot = selectInTier(board, { selection, stop });
    if (slot >= 0) return slot;
  }
  return -1;
};
