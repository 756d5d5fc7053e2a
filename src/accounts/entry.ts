// An account in memory: its document, what storage knows of it, and the numbers that the selection reads.
// The index of all entries is the truth in the process. Invariant: after every change of `account` the numbers are redone.
import { TIERS, QUOTA_KINDS, resetOf } from "./quota.ts";
import type { Account } from "./account.ts";
import type { Row } from "./select.ts";

/** A change that can be applied again, to whatever somebody else has stored meanwhile. */
export type Change = (account: Account) => Account;

export interface Entry extends Row {
  account: Account;
  /** Revision in storage; 0 when it is not there yet. */
  revision: number;
  /** Changes since the last write, in order. */
  pending: Change[];
  /** Taken out of the pool; leases may still hold it. */
  gone: boolean;
}

const restsUntil = (account: Account): number => {
  if (account.status === "active") return 0;
  return account.status === "cooling" ? (account.cooldown_until ?? 0) : Number.POSITIVE_INFINITY;
};

const numbersOf = (account: Account) => {
  const windows = QUOTA_KINDS.map((kind) => account.windows[kind]);
  return {
    tier: TIERS.indexOf(account.tier),
    restsUntil: restsUntil(account),
    fresh: account.use_count === 0 && account.last_used_at === null,
    remaining: windows.map((window) => window?.remaining ?? -1),
    resetAt: windows.map((window) => (window ? resetOf(window) : 0)),
    totals: windows.map((window) => window?.total ?? -1),
  };
};

export const createEntry = (account: Account, revision: number): Entry => ({
  id: account.id,
  skipUntil: 0,
  inFlight: 0,
  ...numbersOf(account),
  account,
  revision,
  pending: [],
  gone: false,
});

export const replaceAccount = (entry: Entry, account: Account): void => {
  Object.assign(entry, numbersOf(account), { account });
};
