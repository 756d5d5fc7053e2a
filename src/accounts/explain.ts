// Why no account could be had: counts for the message, the right code and the time after which asking again makes sense.
// Pure. Invariant: the message holds numbers and the model's name only, nothing of any account.
import type { ErrorCode } from "../core/errors.ts";
import type { Model } from "../core/models.ts";
import { isApiKey, modelRestsUntil } from "./api-keys.ts";
import { rankOf } from "./board.ts";
import type { Entry, EntryIndex } from "./entry.ts";
import { leftIn, stopOf, type Plan } from "./select.ts";

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
  readonly model: Model;
  readonly plan: Plan;
  readonly now: number;
  readonly maxInflight: number;
  readonly excluded: ReadonlySet<string>;
  /** The one account to look at, instead of all. */
  readonly only?: string;
}

export const survey = ({ board, entries }: EntryIndex, need: SurveyNeed): Survey => {
  const counts = { unfit: 0, disabled: 0, expired: 0, tried: 0, cooling: 0, exhausted: 0, busy: 0, free: 0 };
  let nextAt: number | null = null;
  const sooner = (at: number) => {
    nextAt = Math.min(nextAt ?? at, at);
  };
  const looked = entries.filter((entry) => isLookedAt(entry, need));
  for (const { id, slot, account } of looked) {
    const stop = stopOf(need.plan, rankOf(account));
    const modelRest = modelRestsUntil(account, { model: need.model.id, now: need.now });
    const restsUntil = Math.max(board.restsUntil[slot] ?? 0, modelRest);
    if (!stop) counts.unfit++;
    else if (account.status === "disabled") counts.disabled++;
    else if (account.status === "expired") counts.expired++;
    else if (restsUntil > need.now) {
      counts.cooling++;
      sooner(restsUntil);
    } else if (leftIn(board, { slot, window: stop.window, now: need.now }) === 0) {
      counts.exhausted++;
      sooner(board.resetAt[stop.window]?.[slot] ?? need.now);
    } else if (need.excluded.has(id)) counts.tried++;
    else if ((board.inFlight[slot] ?? 0) >= need.maxInflight) counts.busy++;
    else counts.free++;
  }
  return { total: looked.length, ...counts, nextAt };
};

/** Sessions are not counted where only keys serve, and the other way round. */
const isLookedAt = ({ id, account }: Entry, { only, model }: SurveyNeed): boolean =>
  (only === undefined || id === only) && isApiKey(account) === (model.upstream === "xai");

/** Accounts that could serve the need and only rest, or have used up the window that it draws from. */
export const restingFor = ({ board, entries }: EntryIndex, need: SurveyNeed): string[] =>
  entries
    .filter(({ id, slot, account }) => {
      const stop = stopOf(need.plan, rankOf(account));
      if (!stop || (need.only !== undefined && id !== need.only)) return false;
      if (account.status === "cooling") return (board.restsUntil[slot] ?? 0) > need.now;
      return account.status === "active" && leftIn(board, { slot, window: stop.window, now: need.now }) === 0;
    })
    .map(({ id }) => id);

/** What a caller may ask again after when everything is merely busy. */
const BUSY_RETRY_MS = 1000;

export const explain = (counts: Survey, about: { model: Model; now: number }): Emptiness => {
  const parts = (["busy", "cooling", "exhausted", "expired", "disabled", "tried", "unfit"] as const)
    .filter((name) => counts[name] > 0)
    .map(
      (name) => `${counts[name]} ${name === "unfit" ? "of a lower tier" : name === "tried" ? "already tried" : name}`,
    );
  const keys = about.model.upstream === "xai";
  const some = `${counts.total} ${keys ? "xAI keys" : "accounts"}: ${parts.join(", ")}`;
  const none = keys ? "no xAI key has been added" : "the pool is empty: add an account on the page /admin/token";
  const detail = parts.length > 0 ? some : none;
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
