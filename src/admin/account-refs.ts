// How requests name accounts: by id, or by token in any spelling that a person pastes. Knows the pool only.
// Invariant: what was named and is not there is told masked, because it may be a secret with a slip in it.
import { accountId, type Account } from "../accounts/account.ts";
import type { Pool } from "../accounts/pool.ts";
import { readToken } from "../accounts/tokens.ts";
import { GatewayError } from "../core/errors.ts";
import { mask } from "../lib/log.ts";
import { invalid } from "./account-checks.ts";

/** Ids or tokens. */
export type Refs = readonly string[];

export interface Resolved {
  readonly ids: string[];
  readonly missing: string[];
}

export interface AccountRefs {
  idOf(ref: string): string | undefined;
  /** Throws `not_found`. */
  account(ref: string, param?: string): Account;
  /** Each account once. Throws when nothing was named. */
  resolve(refs: Refs): Resolved;
}

/** What names an account in an answer that may be logged. */
const nameOf = (ref: string): string => (/^acc_[0-9a-f]{16}$/.test(ref) ? ref : mask(ref));

export const createAccountRefs = (pool: Pick<Pool, "get">): AccountRefs => {
  const idOf = (ref: string): string | undefined => {
    if (pool.get(ref)) return ref;
    const reading = readToken(ref);
    const id = "token" in reading ? accountId(reading.token) : undefined;
    return id !== undefined && pool.get(id) ? id : undefined;
  };
  return {
    idOf,
    account(ref, param = "token") {
      const found = pool.get(idOf(ref) ?? "");
      if (!found) throw new GatewayError("not_found", "There is no such account.", { param });
      return found;
    },
    resolve(refs) {
      if (refs.length === 0) throw invalid("tokens", "No tokens provided.");
      const ids = new Set<string>();
      const missing: string[] = [];
      for (const ref of refs) {
        const id = idOf(ref);
        if (id !== undefined) ids.add(id);
        else missing.push(nameOf(ref));
      }
      return { ids: [...ids], missing };
    },
  };
};
