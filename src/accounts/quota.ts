// Arithmetic on quota windows: what is left when, what a call costs, what the numbers say about the subscription.
// Pure; knows no account and no wire format. Invariant: a window never blocks for ever, since every one has a reset time.
import { CATALOGUE, modeFor, tierServes, type Mode, type Tier } from "../core/models.ts";
import { QUOTA_KINDS, type QuotaKind, type QuotaReport } from "../core/quota.ts";

/** One counter as it is kept. No window for a kind means unknown, which is not the same as empty. */
export interface Window {
  readonly remaining: number;
  readonly total: number | null;
  readonly window_seconds: number | null;
  readonly reset_at: number | null;
  readonly synced_at: number;
  /** "measured": the upstream said so. "estimated": reckoned here since. */
  readonly source: "measured" | "estimated";
}

export type Windows = Partial<Record<QuotaKind, Window>>;

const DAY_SECONDS = 86_400;
export const TIERS: readonly Tier[] = ["basic", "super", "heavy"];
const CHAT_MODES: readonly Mode[] = ["fast", "auto", "expert", "heavy"];

/** The chat modes that an account of a tier can use, read off the catalogue. */
const modesOf = (tier: Tier): readonly Mode[] => {
  const reachable = CATALOGUE.filter((model) => model.kind === "chat" && tierServes(tier, model.tier));
  return [...new Set(reachable.map((model) => modeFor(model, tier)))];
};
export const TIER_CHAT_MODES: Readonly<Record<Tier, readonly Mode[]>> = {
  basic: modesOf("basic"),
  super: modesOf("super"),
  heavy: modesOf("heavy"),
};

export const isQuotaKind = (name: string | undefined): name is QuotaKind => QUOTA_KINDS.some((kind) => kind === name);

/** When the counter starts anew; reckoned from the last news when the upstream named no time. */
export const resetOf = (window: Window): number =>
  window.reset_at ?? window.synced_at + (window.window_seconds ?? DAY_SECONDS) * 1000;

/** Calls left at `now`; null is unknown. After the reset a window is full again, as far as its size is known. */
export const remainingAt = (window: Window | undefined, now: number): number | null => {
  if (!window) return null;
  return now >= resetOf(window) ? window.total : window.remaining;
};

/** The window after a call; nothing when only its old, bygone numbers are known. */
export const deduct = (window: Window, call: { units: number; now: number }): Window | undefined => {
  const left = remainingAt(window, call.now);
  if (left === null) return undefined;
  const begun = call.now >= resetOf(window);
  const length = window.window_seconds ?? DAY_SECONDS;
  return {
    ...window,
    remaining: Math.max(0, left - call.units),
    reset_at: begun ? call.now + length * 1000 : window.reset_at,
    source: "estimated",
  };
};

/** The upstream said that the counter is empty; `resetMs` is its own word about the wait. */
export const emptied = (
  window: Window | undefined,
  at: { now: number; resetMs?: number; defaultSeconds: number },
): Window => {
  const known = window && resetOf(window) > at.now ? resetOf(window) : null;
  const length = (window?.window_seconds ?? at.defaultSeconds) * 1000;
  return {
    remaining: 0,
    total: window?.total ?? null,
    window_seconds: window?.window_seconds ?? null,
    reset_at: at.resetMs === undefined ? (known ?? at.now + length) : at.now + at.resetMs,
    synced_at: at.now,
    source: "measured",
  };
};

/** Stored windows with a report laid over them; kinds that the report leaves out stay as they were. */
export const withReport = (windows: Windows, news: { report: QuotaReport; now: number }): Windows => {
  const next: Windows = { ...windows };
  for (const kind of QUOTA_KINDS) {
    const reading = news.report.windows[kind];
    if (!reading) continue;
    next[kind] = {
      remaining: Math.max(0, reading.remaining),
      total: reading.total ?? windows[kind]?.total ?? null,
      window_seconds: reading.windowSeconds ?? windows[kind]?.window_seconds ?? null,
      reset_at: reading.resetAt,
      synced_at: news.now,
      source: "measured",
    };
  }
  return next;
};

/**
 * When the account has nothing left: the earliest reset of its chat modes. Null as long as a chat mode is unknown or has
 * calls left, or a media counter is known to have some.
 */
export const emptyUntil = (held: { windows: Windows; tier: Tier }, now: number): number | null => {
  const chat = TIER_CHAT_MODES[held.tier].map((mode) => held.windows[mode]);
  if (chat.some((window) => remainingAt(window, now) !== 0)) return null;
  const media = QUOTA_KINDS.filter((kind) => !CHAT_MODES.some((mode) => mode === kind));
  if (media.some((kind) => (remainingAt(held.windows[kind], now) ?? 0) > 0)) return null;
  return Math.min(...chat.flatMap((window) => (window ? [resetOf(window)] : [])));
};

export interface QuotaSummary {
  /** Calls left, -1 when unknown. */
  readonly remaining: number;
  readonly source: "measured" | "estimated" | "unknown";
}

const UNKNOWN: QuotaSummary = { remaining: -1, source: "unknown" };

const summaryOf = (windows: readonly (Window | undefined)[], now: number): QuotaSummary | null => {
  let remaining = 0;
  let known = 0;
  let measured = true;
  for (const window of windows) {
    const left = remainingAt(window, now);
    if (!window || left === null) continue;
    known++;
    remaining += left;
    measured &&= window.source === "measured" && now < resetOf(window);
  }
  return known === 0 ? null : { remaining, source: measured ? "measured" : "estimated" };
};

/** One number for all chat modes but heavy; `stored` is a number of unknown age that came with an import. */
export const chatSummary = (held: { windows: Windows; stored: number }, now: number): QuotaSummary => {
  const { fast, auto, expert } = held.windows;
  const known = summaryOf([fast, auto, expert], now);
  return known ?? (held.stored >= 0 ? { remaining: held.stored, source: "estimated" } : UNKNOWN);
};

export const heavySummary = (held: { windows: Windows; stored: number }, now: number): QuotaSummary => {
  const known = summaryOf([held.windows.heavy], now);
  return known ?? (held.stored >= 0 ? { remaining: held.stored, source: "estimated" } : UNKNOWN);
};
