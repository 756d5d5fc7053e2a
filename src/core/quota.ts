// The counters of an account as the upstream reports them, and what their sizes say about the subscription.
// Shared by the providers that read them and the accounts room that keeps them. Pure.
import type { Tier } from "./models.ts";

export const QUOTA_KINDS = [
  "fast",
  "auto",
  "expert",
  "heavy",
  "image",
  "image_pro",
  "image_edit",
  "video",
  "video720p",
] as const;
export type QuotaKind = (typeof QUOTA_KINDS)[number];

/** One counter as the upstream reports it. */
export interface QuotaReading {
  readonly remaining: number;
  readonly total: number | null;
  readonly windowSeconds: number | null;
  /** Unix milliseconds of the reset, when the upstream tells. */
  readonly resetAt: number | null;
}

export interface QuotaReport {
  readonly windows: Partial<Record<QuotaKind, QuotaReading>>;
  /** What the numbers say about the subscription; null when they say nothing. */
  readonly tier: Tier | null;
}

const TIERS: readonly Tier[] = ["basic", "super", "heavy"];

/** Sizes by which the site's subscriptions can be told apart (observed 2026-08). */
const TIER_BY_TOTAL: Record<"auto" | "fast", Readonly<Record<number, Tier>>> = {
  auto: { 7: "basic", 20: "basic", 50: "super", 150: "heavy" },
  fast: { 30: "basic", 140: "super", 400: "heavy" },
};

/** What the sizes of the windows say about the subscription; the lower tier when they disagree. */
export const inferTier = (windows: QuotaReport["windows"]): Tier | null => {
  const votes = [
    TIER_BY_TOTAL.auto[windows.auto?.total ?? -1],
    TIER_BY_TOTAL.fast[windows.fast?.total ?? -1],
    (windows.heavy?.total ?? 0) > 0 ? ("heavy" as const) : undefined,
  ];
  return TIERS.find((tier) => votes.includes(tier)) ?? null;
};
