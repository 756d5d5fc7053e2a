// What keys of the official API have and sessions have not: a team, whose limits and credits all its keys share, and rests for
// single models. Pure. Invariant: what a failure says about a team is said to every key of the team.
import type { GatewayError } from "../core/errors.ts";
import { upstreamOf } from "../core/credential.ts";

export const KEY_POOL = "xai";

export const isApiKey = ({ token }: { readonly token: string }): boolean => upstreamOf(token) === "xai";

const MINUTE_MS = 60_000;
/** Credits come by a person's hand: asked again now and then, not all the time. */
const NO_CREDITS_MS = 60 * MINUTE_MS;
/** Access to a model changes rarely; the listing of models is asked again meanwhile. */
const DENIED_MS = 30 * MINUTE_MS;

/** Until when a key's team rests for a model, by the model's id, in Unix milliseconds. */
export interface ModelRests {
  readonly model_rests: Readonly<Record<string, number>>;
}

/** Until when the key's team rests for the model, in Unix milliseconds; 0 when it does not. */
export const modelRestsUntil = ({ model_rests }: ModelRests, about: { model: string; now: number }): number => {
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
  /** Longest rest that the upstream may name. */
  readonly longestMs: number;
}

/** What a failure means for the keys of a team: no calls at all until then, or none of one model. */
export type TeamRest = { readonly until: number; readonly model: string | null };

/** A refusal with 403 is about the rights of that one key, whoever else is in its team. */
export const isOwnTrouble = ({ row, detail }: GatewayError): boolean =>
  row.signal === "model-denied" && detail.upstream?.status === 403;

/** Null when the failure says nothing about the team. */
export const teamRestAfter = ({ error, model, now, cooldownMs, longestMs }: TeamNews): TeamRest | null => {
  const wanted = Math.min(error.detail.retryAfterMs ?? 0, longestMs);
  const told = (otherwise: number) => now + (wanted > 0 ? wanted : otherwise);
  switch (error.row.signal) {
    case "rate-limited":
      return model === null ? null : { model, until: told(cooldownMs) };
    case "model-denied":
      return model === null ? null : { model, until: now + DENIED_MS };
    case "no-credits":
      return { model: null, until: told(NO_CREDITS_MS) };
    default:
      return null;
  }
};

/** The rests with one more, without those that are over. Rests are never shortened. */
export const withModelRest = (
  { model_rests }: ModelRests,
  rest: { readonly model: string; readonly until: number; readonly now: number },
): ModelRests["model_rests"] => {
  if ((model_rests[rest.model] ?? 0) >= rest.until) return model_rests;
  const running = Object.entries(model_rests).filter(([, until]) => until > rest.now);
  return { ...Object.fromEntries(running), [rest.model]: rest.until };
};
