// A client key as pages and scripts see it: today's fields and those that earlier programs had. Holds no secret.
// Invariant: what is shown as used is what the check reads.
import type { ClientKey } from "../access/client-keys.ts";
import { TICKS_PER_USD } from "../core/usage.ts";
import { BUCKETS, type KeyUsage } from "../access/usage.ts";

export type KeyStatus = "active" | "disabled" | "expired" | "exhausted";

export interface KeyView {
  readonly id: string;
  /** The id again, for pages that send `key` back to say which one they mean. */
  readonly key: string;
  readonly display_key: string;
  readonly name: string;
  readonly note: string;
  readonly is_active: boolean;
  readonly status: KeyStatus;
  /** Unix seconds, as all times here. */
  readonly created_at: number;
  readonly rotated_at: number | null;
  readonly expires_at: number | null;
  readonly last_used_at: number | null;
  readonly models: readonly string[] | null;
  readonly rpm: number;
  readonly concurrency: number;
  readonly chat_limit: number;
  readonly heavy_limit: number;
  readonly image_limit: number;
  readonly video_limit: number;
  readonly daily_tokens: number;
  readonly monthly_tokens: number;
  /** US dollars that the official API may cost; −1 is unlimited. */
  readonly daily_usd: number;
  readonly monthly_usd: number;
  readonly usage_today: Readonly<Record<string, number>>;
  /** Null is unlimited. */
  readonly remaining_today: Readonly<Record<string, number | null>>;
  readonly usage_month: { readonly tokens_used: number; readonly usd_spent: number };
  readonly remaining_month: { readonly tokens: number | null };
  readonly day: string;
}

const secondsOf = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000));
const left = (limit: number, used: number): number | null => (limit < 0 ? null : Math.max(0, limit - used));

const usdOf = (ticks: number): number => ticks / TICKS_PER_USD;

export const viewOf = (key: ClientKey, about: { usage: KeyUsage; nowMs: number }): KeyView => {
  const today = about.usage.today(key.id);
  const tokensToday = left(key.dailyTokens, today.tokens);
  const tokensMonth = left(key.monthlyTokens, today.monthTokens);
  const remaining = Object.fromEntries(BUCKETS.map((bucket) => [bucket, left(key[bucket], today[bucket])]));
  return {
    id: key.id,
    key: key.id,
    display_key: key.shown,
    name: key.name,
    note: key.note,
    is_active: key.enabled,
    status: statusOf(key, { nowMs: about.nowMs, exhausted: [remaining["chat"], tokensToday, tokensMonth].includes(0) }),
    created_at: Math.floor(key.createdMs / 1000),
    rotated_at: secondsOf(key.rotatedMs),
    expires_at: secondsOf(key.expiresMs),
    last_used_at: secondsOf(about.usage.lastUsedMs(key.id)),
    models: key.models,
    rpm: key.rpm,
    concurrency: key.concurrency,
    chat_limit: key.chat,
    heavy_limit: key.heavy,
    image_limit: key.image,
    video_limit: key.video,
    daily_tokens: key.dailyTokens,
    monthly_tokens: key.monthlyTokens,
    daily_usd: key.dailyUsd,
    monthly_usd: key.monthlyUsd,
    usage_today: {
      ...Object.fromEntries(BUCKETS.map((bucket) => [`${bucket}_used`, today[bucket]])),
      tokens_used: today.tokens,
      usd_spent: usdOf(today.ticks),
    },
    remaining_today: { ...remaining, tokens: tokensToday },
    usage_month: { tokens_used: today.monthTokens, usd_spent: usdOf(today.monthTicks) },
    remaining_month: { tokens: tokensMonth },
    day: today.day,
  };
};

const statusOf = (key: ClientKey, about: { nowMs: number; exhausted: boolean }): KeyStatus => {
  if (!key.enabled) return "disabled";
  if (key.expiresMs !== null && key.expiresMs <= about.nowMs) return "expired";
  return about.exhausted ? "exhausted" : "active";
};
