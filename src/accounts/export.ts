// Writes accounts out in the two forms that every gateway of this kind reads. The result holds secrets; who calls this has
// been asked for them by an administrator. Pure. Invariant: what is written can be imported again without a loss.
import type { Account } from "./account.ts";

/** One token a line. */
export const exportText = (accounts: readonly Account[]): string => accounts.map(({ token }) => `${token}\n`).join("");

/** Pool → accounts, with everything that is known. */
export const exportJson = (accounts: readonly Account[]): Record<string, Record<string, unknown>[]> => {
  const pools: Record<string, Record<string, unknown>[]> = {};
  for (const { id: _, pool, ...fields } of accounts) (pools[pool] ??= []).push(fields);
  return pools;
};
