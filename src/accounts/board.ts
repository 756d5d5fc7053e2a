// The numbers that a selection reads, one column a number and one slot an account: a pass over thousands of accounts stays
// inside the processor's caches, which a list of objects does not. Knows no account's secret and takes no decision.
// Invariant: slots 0…size-1 are taken, in no order; a removal moves the last one into the gap.
import type { Account } from "./account.ts";
import { isApiKey } from "./api-keys.ts";
import { resetOf, TIERS } from "./quota.ts";
import { QUOTA_KINDS } from "../core/quota.ts";

export interface Board {
  size: number;
  /** Index in TIERS, or KEY_RANK. */
  tier: Uint8Array;
  /** 0: awake. Otherwise the time at which the rest ends; Infinity for accounts that are off. */
  restsUntil: Float64Array;
  /** 1: never used. */
  fresh: Uint8Array;
  /** Passed over until the selection with this number. */
  skipUntil: Float64Array;
  inFlight: Int32Array;
  /** Calls so far. */
  used: Float64Array;
  /** Number of the last selection that was not to take the slot. */
  barred: Float64Array;
  /** Selections so far. */
  selections: number;
  /** One column a kind, in the order of QUOTA_KINDS, and one that nobody counts in; -1 is unknown. */
  remaining: Float64Array[];
  resetAt: Float64Array[];
  totals: Float64Array[];
  /** Room for the slots that are equally good during one pass. */
  equals: Int32Array;
}

/** Where keys of the official API stand, which have no tier. */
export const KEY_RANK = TIERS.length;

/** Column of calls that draw from no counter. */
export const NO_WINDOW = QUOTA_KINDS.length;

export const rankOf = (account: Account): number => (isApiKey(account) ? KEY_RANK : TIERS.indexOf(account.tier));

const FIRST_CAPACITY = 64;

const columns = () => Array.from({ length: NO_WINDOW + 1 }, () => new Float64Array(FIRST_CAPACITY));

export const createBoard = (): Board => ({
  size: 0,
  tier: new Uint8Array(FIRST_CAPACITY),
  restsUntil: new Float64Array(FIRST_CAPACITY),
  fresh: new Uint8Array(FIRST_CAPACITY),
  skipUntil: new Float64Array(FIRST_CAPACITY),
  inFlight: new Int32Array(FIRST_CAPACITY),
  used: new Float64Array(FIRST_CAPACITY),
  barred: new Float64Array(FIRST_CAPACITY),
  selections: 0,
  remaining: columns(),
  resetAt: columns(),
  totals: columns(),
  equals: new Int32Array(FIRST_CAPACITY),
});

type Column = Uint8Array | Int32Array | Float64Array;

const everyColumn = (board: Board): Column[] => [
  board.tier,
  board.restsUntil,
  board.fresh,
  board.skipUntil,
  board.inFlight,
  board.used,
  board.barred,
  ...board.remaining,
  ...board.resetAt,
  ...board.totals,
];

const grow = (board: Board): void => {
  const capacity = board.tier.length * 2;
  const bytes = (old: Uint8Array) => {
    const column = new Uint8Array(capacity);
    column.set(old);
    return column;
  };
  const wide = (old: Float64Array) => {
    const column = new Float64Array(capacity);
    column.set(old);
    return column;
  };
  const inFlight = new Int32Array(capacity);
  inFlight.set(board.inFlight);
  Object.assign(board, {
    tier: bytes(board.tier),
    restsUntil: wide(board.restsUntil),
    fresh: bytes(board.fresh),
    skipUntil: wide(board.skipUntil),
    inFlight,
    used: wide(board.used),
    barred: wide(board.barred),
    remaining: board.remaining.map(wide),
    resetAt: board.resetAt.map(wide),
    totals: board.totals.map(wide),
    equals: new Int32Array(capacity),
  } satisfies Omit<Board, "size" | "selections">);
};

const restsUntil = (account: Account): number => {
  if (account.status === "active") return 0;
  return account.status === "cooling" ? (account.cooldown_until ?? 0) : Number.POSITIVE_INFINITY;
};

/** Puts the account's present numbers on the board; what is only in memory stays. */
export const writeSlot = (board: Board, at: { readonly slot: number; readonly account: Account }): void => {
  const { slot, account } = at;
  board.tier[slot] = rankOf(account);
  board.restsUntil[slot] = restsUntil(account);
  board.used[slot] = account.use_count;
  board.fresh[slot] = account.use_count === 0 && account.last_used_at === null ? 1 : 0;
  QUOTA_KINDS.forEach((kind, index) => {
    const window = account.windows[kind];
    const [remaining, resetAt, totals] = [board.remaining[index], board.resetAt[index], board.totals[index]];
    if (!remaining || !resetAt || !totals) return;
    remaining[slot] = window?.remaining ?? -1;
    resetAt[slot] = window ? resetOf(window) : 0;
    totals[slot] = window?.total ?? -1;
  });
  const uncounted = board.remaining[NO_WINDOW];
  if (uncounted) uncounted[slot] = -1;
};

/** A slot for a new account. */
export const takeSlot = (board: Board, account: Account): number => {
  if (board.size === board.tier.length) grow(board);
  const slot = board.size++;
  for (const column of everyColumn(board)) column[slot] = 0;
  writeSlot(board, { slot, account });
  return slot;
};

/** Frees the slot; whoever held the last slot holds this one from now on. */
export const freeSlot = (board: Board, slot: number): void => {
  const last = --board.size;
  for (const column of everyColumn(board)) column[slot] = column[last] ?? 0;
};
