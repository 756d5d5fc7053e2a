// What an import knows of an account, and how that becomes a new account or goes into one that exists.
// Pure. Invariant: merging never loses a tag, a note, a count or a time, and never moves an account on its own.
import type { Tier } from "../core/models.ts";
import type { JsonObject } from "../lib/json.ts";
import { parseAccount, transition, type Account, type AccountStatus } from "./account.ts";
import { isApiKey, KEY_POOL } from "./api-keys.ts";
import { DEFAULT_POOL, poolOfTier, tierOfPool } from "./pools.ts";
import type { TokenSettings } from "./settings.ts";

export interface ImportedAccount {
  readonly token: string;
  /** Null when the source does not say. */
  readonly pool: string | null;
  readonly tier: Tier | null;
  readonly status: AccountStatus | null;
  /** The rest under the names of the account document; only what the source stated. Unknown fields are kept. */
  readonly fields: JsonObject;
}

export interface MergeContext {
  readonly item: ImportedAccount;
  readonly now: number;
  readonly settings: TokenSettings;
  /** True for an edit: what is stated replaces what is stored. False for an import: it only adds. */
  readonly replace: boolean;
}

const placeOf = (item: ImportedAccount): { pool: string; tier: Tier } => {
  if (isApiKey(item)) return { pool: poolOfKey(item.pool), tier: "basic" };
  const named = item.pool === KEY_POOL ? null : item.pool;
  const pool = named ?? (item.tier ? poolOfTier(item.tier) : DEFAULT_POOL);
  return { pool, tier: item.tier ?? tierOfPool(pool) ?? "basic" };
};

export const createAccount = (item: ImportedAccount, now: number): Account => {
  const account = parseAccount({
    created_at: now,
    ...item.fields,
    token: item.token,
    ...placeOf(item),
    ...(item.status ? { status: item.status } : {}),
  });
  if (!account) throw new Error("an imported account needs a token");
  // The earliest programs knew no status for a rest, only its end.
  const rests = account.status === "active" && (account.cooldown_until ?? 0) > now;
  if (rests) return { ...account, status: "cooling", cooldown_reason: account.cooldown_reason ?? "rate_limited" };
  // A rest without an end could never be lifted by time.
  const endless = account.status === "cooling" && account.cooldown_until === null;
  return endless ? { ...account, status: "active", cooldown_reason: null } : account;
};

const latest = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? (a ?? b) : Math.max(a, b);

const union = (a: readonly string[], b: readonly string[]): string[] => [...new Set([...a, ...b])];

/** The stored account with the import's news. */
export const mergeImported = (stored: Account, context: MergeContext): Account => {
  const { item, now, replace } = context;
  const theirs = createAccount(item, now);
  const stated = (field: keyof Account): boolean => item.fields[field] !== undefined;
  const wins = <F extends "note" | "quota" | "heavy_quota">(field: F, isEmpty: boolean): Account[F] =>
    stated(field) && (replace || isEmpty) ? theirs[field] : stored[field];
  // Where counters are kept by mode, a single number is only their sum sent back.
  const measured = Object.keys(stored.windows).length > 0;
  const merged: Account = {
    ...theirs,
    ...stored,
    note: wins("note", stored.note === ""),
    tags: replace && stated("tags") ? theirs.tags : union(stored.tags, theirs.tags),
    quota: measured ? stored.quota : wins("quota", stored.quota < 0),
    heavy_quota: measured ? stored.heavy_quota : wins("heavy_quota", stored.heavy_quota < 0),
    windows: { ...theirs.windows, ...stored.windows },
    use_count: Math.max(stored.use_count, theirs.use_count),
    consumed: Math.max(stored.consumed, theirs.consumed),
    created_at: Math.min(stored.created_at, theirs.created_at),
    last_used_at: latest(stored.last_used_at, theirs.last_used_at),
    last_sync_at: latest(stored.last_sync_at, theirs.last_sync_at),
    last_asset_clear_at: latest(stored.last_asset_clear_at, theirs.last_asset_clear_at),
    user_id: stored.user_id ?? theirs.user_id,
    ...(replace && item.pool !== null && item.pool !== stored.pool ? inPool(stored, item.pool) : {}),
  };
  const next = withStatus(merged, context);
  return Bun.deepEquals(next, stored) ? stored : next;
};

/** Bringing the token again is a person's word that it works; a list that calls it expired is not. */
const withStatus = (account: Account, { item, now, settings }: MergeContext): Account => {
  if (item.status === "disabled") return transition(account, { signal: { type: "disable" }, now, settings });
  const revived = item.status === "active" || (item.status === null && account.status === "expired");
  const off = account.status === "expired" || account.status === "disabled";
  return revived && off ? transition(account, { signal: { type: "enable" }, now, settings }) : account;
};

/** Pools that stand for a subscription hold sessions only. */
const poolOfKey = (pool: string | null): string => (pool === null || tierOfPool(pool) !== null ? KEY_POOL : pool);

/** The place that a person chose: measurements no longer change the tier, unless the pool's name says nothing about it. */
export const inPool = (account: Account, pool: string): Pick<Account, "pool" | "tier" | "tier_source"> => {
  if (isApiKey(account)) return { pool: poolOfKey(pool), tier: account.tier, tier_source: account.tier_source };
  const tier = tierOfPool(pool);
  return tier === null
    ? { pool, tier: account.tier, tier_source: account.tier_source }
    : { pool, tier, tier_source: "manual" };
};
