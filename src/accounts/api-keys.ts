// What keys of the official API have and sessions have not: a team, whose limits and credits all its keys share, and rests for
// single models. Pure. Invariant: what a failure says about a team is said to every key of the team.
import type { GatewayError } from "../core/errors.ts";
import { upstreamOf } from "../core/credential.ts";
import type { Account } from "./account.ts";

export const KEY_POOL = "xai";

export const isApiKey = ({ token }: Pick<Account, "token">): boolean => upstreamOf(token) === "xai";

const MINUTE_MS = 60_000;
/** Credits come by a person's hand: asked again now and then, not all the time. */
const NO_CREDITS_MS = 60 * MINUTE_MS;
/** Access to a model changes rarely; the listing of models is asked again meanwhile. */
const DENIED_MS = 30 * MINUTE_MS;

/** Until when the key's team rests for the model, in Unix milliseconds; 0 when it does not. */
export const modelRestsUntil = ({ model_rests }: Account, about: { model: string; now: number }): number => {
  const until = model_rests[about.model] ?? 0;
  return until > about.now ? until : 0;
};

export interface TeamNews {
  readonly error: GatewayError;
  /** Id of the model that was asked for; null for a question about the key itself. */
  readonly model: string | null;
  readonly now: number;
  /** Rest of a rate-limited model when the upstream names no time. */
  readonly cooldownMs: number;
}

const withModelRest = (account: Account, rest: { model: string | null; until: number; now: number }): Account => {
  if (rest.model === null || (account.model_rests[rest.model] ?? 0) >= rest.until) return account;
  const running = Object.entries(account.model_rests).filter(([, until]) => until > rest.now);
  return { ...account, model_rests: { ...Object.fromEntries(running), [rest.model]: rest.until } };
};

/** A refusal with 403 is about the rights of that one key, whoever else is in its team. */
export const isOwnTrouble = ({ row, detail }: GatewayError): boolean =>
  row.signal === "model-denied" && detail.upstream?.status === 403;

/** The key after a failure that concerns its whole team; the same object when it concerns no team. */
export const afterTeamNews = (account: Account, { error, model, now, cooldownMs }: TeamNews): Account => {
  const wanted = error.detail.retryAfterMs ?? 0;
  switch (error.row.signal) {
    case "rate-limited":
      return withModelRest(account, { model, now, until: now + (wanted > 0 ? wanted : cooldownMs) });
    case "model-denied":
      return withModelRest(account, { model, now, until: now + DENIED_MS });
    case "no-credits": {
      if (account.status === "disabled" || account.status === "expired") return account;
      const until = Math.max(now + (wanted > 0 ? wanted : NO_CREDITS_MS), account.cooldown_until ?? 0);
      return { ...account, status: "cooling", cooldown_until: until, cooldown_reason: "no_credits" };
    }
    default:
      return account;
  }
};
