// Which keys of the official API are out of the question for a model: those whose listing lacks it. Knows no request.
import type { Pool } from "../accounts/pool.ts";
import type { Model } from "../core/models.ts";

/** Whether a key may use a model; null while nobody knows. */
export type MayUse = (accountId: string, modelId: string) => boolean | null;

/** Ids that shall not be tried: those that were, and keys that have not the model. */
export const excludeOthers = (
  { pool, mayUse }: { pool: Pick<Pool, "keys" | "keyCount">; mayUse: MayUse },
  { model, tried }: { model: Model; tried: ReadonlySet<string> },
): ReadonlySet<string> => {
  // The common case costs nothing: one key, or none.
  if (model.upstream === "web" || pool.keyCount <= 1) return tried;
  const without = pool.keys().filter(({ id }) => mayUse(id, model.id) === false);
  return without.length === 0 ? tried : new Set([...tried, ...without.map(({ id }) => id)]);
};
