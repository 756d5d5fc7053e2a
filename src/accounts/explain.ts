// Why no account could be had: counts for the message, the right code and the time after which asking again makes sense.
// Pure. Invariant: the message holds numbers and the model's name only, nothing of any account.
import type { ErrorCode } from "../core/errors.ts";
import type { Model } from "../core/models.ts";
import type { Entry } from "./entry.ts";
import { resetOf, QUOTA_KINDS } from "./quota.ts";
import { leftIn, type Plan } from "./select.ts";

export interface Emptiness {
  readonly code: Extract<ErrorCode, "no_available_account" | "upstream_rate_limited">;
  /** Null when time alone will not help. */
  readonly retryAfterMs: number | null;
  readonly message: string;
}

export interface Survey {
  total: number;
  /** Of a tier that cannot serve the model. */
  unfit: number;
  disabled: number;
  expired: number;
  /** Tried already by the same request. */
  tried: number;
  cooling: number;
  /** Awake, but the window for this model is empty. */
  exhausted: number;
  /** All places taken. */
  busy: number;
  free: number;
  /** Earliest end of a rest or reset of a window. */
  nextAt: number | null;
}

export interface SurveyNeed {
  readonly plan: Plan;
  readonly now: number;
  readonly maxInflight: number;
  readonly excluded: ReadonlySet<string>;
}

const nextFor = (entry: Entry, need: SurveyNeed): number => {
  const kind = QUOTA_KINDS[need.plan.window[entry.tier] ?? 0] ?? "fast";
  const window = entry.account.windows[kind];
  return window ? resetOf(window) : need.now;
};

export const survey = (entries: readonly Entry[], need: SurveyNeed): Survey => {
  const counts = { unfit: 0, disabled: 0, expired: 0, tried: 0, cooling: 0, exhausted: 0, busy: 0, free: 0 };
  let nextAt: number | null = null;
  const sooner = (at: number) => {
    nextAt = Math.min(nextAt ?? at, at);
  };
  for (const entry of entries) {
    const { status } = entry.account;
    if ((need.plan.order[entry.tier] ?? -1) < 0) counts.unfit++;
    else if (status === "disabled") counts.disabled++;
    else if (status === "expired") counts.expired++;
    else if (entry.restsUntil > need.now) {
      counts.cooling++;
      sooner(entry.restsUntil);
    } else if (leftIn(entry, need) === 0) {
      counts.exhausted++;
      sooner(nextFor(entry, need));
    } else if (need.excluded.has(entry.id)) counts.tried++;
    else if (entry.inFlight >= need.maxInflight) counts.busy++;
    else counts.free++;
  }
  return { total: entries.length, ...counts, nextAt };
};

/** What a caller may ask again after when everything is merely busy. */
const BUSY_RETRY_MS = 1000;

export const explain = (counts: Survey, about: { model: Model; now: number }): Emptiness => {
  const parts = (["busy", "cooling", "exhausted", "expired", "disabled", "tried", "unfit"] as const)
    .filter((name) => counts[name] > 0)
    .map(
      (name) => `${counts[name]} ${name === "unfit" ? "of a lower tier" : name === "tried" ? "already tried" : name}`,
    );
  const detail = parts.length > 0 ? `${counts.total} accounts: ${parts.join(", ")}` : "the pool is empty";
  const waiting = counts.cooling + counts.exhausted;
  const able = counts.busy + counts.free + counts.tried;
  if (waiting > 0 && able === 0) {
    return {
      code: "upstream_rate_limited",
      retryAfterMs: Math.max(1000, (counts.nextAt ?? about.now) - about.now),
      message: `Every account that can serve ${about.model.id} is resting (${detail}).`,
    };
  }
  return {
    code: "no_available_account",
    retryAfterMs: able > 0 ? BUSY_RETRY_MS : null,
    message: `No account can serve ${about.model.id} now (${detail}).`,
  };
};
