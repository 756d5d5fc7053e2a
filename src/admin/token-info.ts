// How an account looks to an administrator: the stored fields under the names that every client of this kind knows, and what
// is derived from them. Pure. Invariant: a number that nobody measured is called estimated or unknown, never passed off.
import type { Account, AccountStatus, CooldownReason } from "../accounts/account.ts";
import { stateOf, type AccountState } from "../accounts/listing.ts";
import { chatSummary, heavySummary, remainingAt, resetOf, type QuotaSummary, type Window } from "../accounts/quota.ts";
import { upstreamOf } from "../core/credential.ts";
import type { ModelKind, Tier, Upstream } from "../core/models.ts";

export interface WindowInfo {
  /** -1: unknown, because the window's time is over and its size is not known. */
  readonly remaining: number;
  readonly total: number | null;
  readonly window_seconds: number | null;
  readonly reset_at: number;
  readonly synced_at: number;
  readonly source: Window["source"];
}

export interface KeyModel {
  readonly id: string;
  readonly kind: ModelKind;
}

export interface TokenInfo {
  readonly id: string;
  readonly token: string;
  readonly token_masked: string;
  readonly pool: string;
  readonly token_type: "sso" | "ssoSuper" | "xai";
  /** A session of the site, or a key of the official API. */
  readonly upstream: Upstream;
  /** Of a key, once known: limits and credits are the team's. */
  readonly team_id: string | null;
  /** Of a key: until when its team rests for a model. */
  readonly model_rests: Readonly<Record<string, number>>;
  /** Of a key, once listed: what it may use. */
  readonly models: readonly KeyModel[] | null;
  /** Comes from the setting xai.api_keys: what is changed there changes here. */
  readonly from_config: boolean;
  readonly tier: Tier;
  readonly tier_source: Account["tier_source"];
  readonly status: AccountStatus;
  /** What the status and the quota mean together. */
  readonly state: AccountState;
  /** Calls left over all chat modes but heavy; -1 is unknown. */
  readonly quota: number;
  readonly quota_known: boolean;
  readonly quota_source: QuotaSummary["source"];
  readonly heavy_quota: number;
  readonly heavy_quota_known: boolean;
  readonly windows: Readonly<Record<string, WindowInfo>>;
  readonly consumed: number;
  readonly use_count: number;
  readonly fail_count: number;
  readonly in_flight: number;
  readonly created_at: number;
  readonly last_used_at: number | null;
  readonly last_fail_at: number | null;
  readonly last_fail_reason: string | null;
  readonly last_fail_code: string | null;
  readonly last_sync_at: number | null;
  readonly last_asset_clear_at: number | null;
  readonly cooldown_until: number | null;
  readonly cooldown_reason: CooldownReason | null;
  /** Whole seconds. */
  readonly cooldown_remaining: number;
  readonly tags: readonly string[];
  readonly note: string;
}

/** The same without the secret. */
export type AccountRow = Omit<TokenInfo, "token">;

/** Enough to tell accounts apart, whose sessions all begin alike; a short text is no session of the site. */
export const maskToken = (token: string): string =>
  token.length > 20 ? `${token.slice(0, 8)}…${token.slice(-8)}` : "****";

/** Facts under masked tokens; two accounts that look the same are told apart by their ids. */
export const byMaskedToken = <T extends { readonly id: string; readonly token: string }, R>(
  items: readonly T[],
  fact: (item: T) => R,
): Record<string, R> => {
  const named = new Map<string, R>();
  for (const item of items) {
    const name = maskToken(item.token);
    named.set(named.has(name) || name === "****" ? `${name} (${item.id})` : name, fact(item));
  }
  return Object.fromEntries(named);
};

export const toAccountRow = (info: TokenInfo): AccountRow => {
  const { token: _, ...row } = info;
  return row;
};

const windowInfo = (window: Window, now: number): WindowInfo => ({
  remaining: remainingAt(window, now) ?? -1,
  total: window.total,
  window_seconds: window.window_seconds,
  reset_at: resetOf(window),
  synced_at: window.synced_at,
  // A number that stands for a window filled again by time alone was not measured.
  source: now < resetOf(window) ? window.source : "estimated",
});

/** What is known of an account beside its document. */
export interface Live {
  readonly now: number;
  readonly inFlight: number;
  readonly models: readonly KeyModel[] | null;
}

export const toTokenInfo = (account: Account, live: Live): TokenInfo => {
  const { now } = live;
  const upstream = upstreamOf(account.token);
  const chat = chatSummary({ windows: account.windows, stored: account.quota }, now);
  const heavy = heavySummary({ windows: account.windows, stored: account.heavy_quota }, now);
  const rest = account.status === "cooling" ? (account.cooldown_until ?? now) - now : 0;
  return {
    id: account.id,
    token: account.token,
    token_masked: maskToken(account.token),
    pool: account.pool,
    token_type: upstream === "xai" ? "xai" : account.tier === "basic" ? "sso" : "ssoSuper",
    upstream,
    team_id: account.team_id,
    model_rests: Object.fromEntries(Object.entries(account.model_rests).filter(([, until]) => until > now)),
    models: live.models,
    from_config: account.from_config,
    tier: account.tier,
    tier_source: account.tier_source,
    status: account.status,
    state: stateOf(account, now),
    quota: chat.remaining,
    quota_known: chat.remaining >= 0,
    quota_source: chat.source,
    heavy_quota: heavy.remaining,
    heavy_quota_known: heavy.remaining >= 0,
    windows: Object.fromEntries(
      Object.entries(account.windows).map(([kind, window]) => [kind, windowInfo(window, now)]),
    ),
    consumed: account.consumed,
    use_count: account.use_count,
    fail_count: account.fail_count,
    in_flight: live.inFlight,
    created_at: account.created_at,
    last_used_at: account.last_used_at,
    last_fail_at: account.last_fail_at,
    last_fail_reason: account.last_fail_reason,
    last_fail_code: account.last_fail_code,
    last_sync_at: account.last_sync_at,
    last_asset_clear_at: account.last_asset_clear_at,
    cooldown_until: account.cooldown_until,
    cooldown_reason: account.cooldown_reason,
    cooldown_remaining: Math.max(0, Math.ceil(rest / 1000)),
    tags: account.tags,
    note: account.note,
  };
};
