// Names of pools and what they say about the subscription of the accounts in them. Names that nobody knows are allowed:
// a pool is also an operator's own grouping, and such an account counts as basic until its quota is measured.
import type { Tier } from "../core/models.ts";

export const DEFAULT_POOL = "ssoBasic";

const POOL_OF_TIER: Record<Tier, string> = { basic: "ssoBasic", super: "ssoSuper", heavy: "ssoHeavy" };

/** Names that other gateways use for the same pools. */
const CANONICAL: ReadonlyMap<string, string> = new Map([
  ["sso", "ssoBasic"],
  ["ssoNormal", "ssoBasic"],
  ["basic", "ssoBasic"],
  ["super", "ssoSuper"],
  ["heavy", "ssoHeavy"],
]);

/** The pool's name as used here; null for "auto" and nothing, which leave the choice to the quota. */
export const canonicalPool = (name: string | null | undefined): string | null => {
  const trimmed = name?.trim() ?? "";
  return trimmed === "" || trimmed === "auto" ? null : (CANONICAL.get(trimmed) ?? trimmed);
};

export const poolOfTier = (tier: Tier): string => POOL_OF_TIER[tier];

export const tierOfPool = (pool: string): Tier | null =>
  (["basic", "super", "heavy"] as const).find((tier) => POOL_OF_TIER[tier] === pool) ?? null;

/** Where an account belongs once its tier is known better; a pool with a name of its own keeps its accounts. */
export const poolAfterTier = (pool: string, tier: Tier): string =>
  tierOfPool(pool) === null ? pool : POOL_OF_TIER[tier];
