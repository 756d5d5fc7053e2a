// The error answers of the simulated xAI API, in the words of both eras.
// Knows keys and words, no stream. Invariant: a body here was observed on the real API, or is marked as inferred.
import { randomHex } from "../chance.ts";
import { cutResponse } from "../refusals.ts";
import type { Words } from "../scenarios.ts";
import type { XaiKey } from "./keys.ts";

export interface XaiRefusal {
  status: number;
  body: unknown;
  /** Status 502 is written by a proxy in between, not by the API. */
  html?: boolean;
  cut?: boolean;
}

/** What a call wants: reading, text, or media; tempers differ in what they touch. */
export type XaiArea = "read" | "text" | "media";

/** Codes of the first era by those of today. */
const OLD_CODES: Record<string, string> = {
  "invalid-argument": "Client specified an invalid argument",
  "permission-denied": "The caller does not have permission to execute the specified operation",
  "resource-exhausted": "Some resource has been exhausted",
  "not-found": "Some requested entity was not found",
  "unauthenticated:no-credentials": "The request does not have valid authentication credentials for the operation",
};

export function refuse(status: number, code: string, error: string): XaiRefusal {
  return { status, body: { code, error } };
}

export const badArgument = (error: string): XaiRefusal => refuse(400, "invalid-argument", error);
/** Bodies that do not fit the schema: no code. */
export const badShape = (reason: string): XaiRefusal => ({
  status: 422,
  body: { error: `Failed to deserialize the JSON body into the target type: ${reason}` },
});
export const notFound = (error: string): XaiRefusal => refuse(404, "not-found", error);
export const UNDECRYPTABLE = "Could not decrypt the provided encrypted_content. Ensure the value is unmodified.";
export const UNDECODABLE = "Could not decode the compaction blob. Ensure the value is unmodified.";
export const gone = (): XaiRefusal => ({
  status: 410,
  body: { error: "Live search is deprecated. Please switch to the Agent Tools API" },
});

export const noCredentials = (): XaiRefusal =>
  refuse(401, "unauthenticated:no-credentials", "No credentials were provided. [WKE=unauthenticated:no-credentials]");

export const wrongKey = (): XaiRefusal =>
  badArgument("Incorrect API key provided. You can obtain an API key from https://console.x.ai.");

const wrongKeyOld = (text: string): XaiRefusal =>
  badArgument(
    `Incorrect API key provided: ${text.slice(0, 2)}***${text.slice(-2)}. You can obtain an API key from https://console.x.ai.`,
  );

export const AT_CAPACITY = {
  code: "The service is currently unavailable",
  error:
    "Service temporarily unavailable. The model is at capacity and currently cannot serve this request. Please try again later.",
};
const FIRST_TOKEN = { code: AT_CAPACITY.code, error: "Timed out waiting for first token" };
const SAFETY = "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_CYBER";

export const modelMissing = (key: XaiKey, model: string): XaiRefusal =>
  notFound(
    `The model ${model} does not exist or your team ${key.team.id} does not have access to it. Please ensure you're using the correct API key. If you believe this is a mistake, please contact support.`,
  );

const noCredits = (key: XaiKey): XaiRefusal => {
  const sentence =
    `Your team ${key.team.id} has either used all available credits or reached its monthly spending limit. ` +
    "To continue making API requests, please purchase more credits or raise your spending limit.";
  return key.old ? refuse(429, "resource-exhausted", sentence) : refuse(403, "permission-denied", sentence);
};

const perSecond = (key: XaiKey, model: string): XaiRefusal =>
  refuse(
    429,
    "resource-exhausted",
    `Too many requests for team ${key.team.id} and model ${model}. Your team's rate limit is — Requests per Second (actual/limit): 2/2.`,
  );

/** The other shape: an object below `error`, and the time until the reset in the text. */
const perMinute = (key: XaiKey, model: string): XaiRefusal => ({
  status: 429,
  body: {
    error: {
      message: `Too many requests for team ${key.team.id} and model ${model}. Requests per Minute (actual/limit): 101/60. Resets in: 3m 4s`,
    },
  },
});

/** Texts of blocked teams, disabled keys and rights are inferred: only status and code family are known. */
const denied = (error: string): XaiRefusal => refuse(403, "permission-denied", error);

/** What the key's own condition answers before the request is looked at. */
export function refusalByKey(key: XaiKey, area: XaiArea): XaiRefusal | undefined {
  if (key.kind === "wrong") return key.old ? wrongKeyOld(key.text) : wrongKey();
  if (key.kind === "5xx") return badGateway();
  if (key.kind === "down") return { status: 502, body: "", cut: true };
  if (area === "read") return undefined;
  if (key.kind === "acl" || (key.kind === "acl-text" && area === "media"))
    return denied(`API key ${mask(key.text)} does not have permission to call this endpoint.`);
  if (key.kind === "blocked") return refuse(403, "unauthorized:blocked-user", "User is blocked");
  if (key.kind === "team-blocked") return denied(`Your team ${key.team.id} is blocked.`);
  if (key.kind === "disabled") return denied(`API key ${mask(key.text)} is disabled.`);
  return undefined;
}

/** Asked once per generation, once its model is known. */
export function refusalOfGeneration(key: XaiKey, model: string): XaiRefusal | undefined {
  key.generations += 1;
  const first = key.generations === 1;
  if (key.team.credits === "spent") return noCredits(key);
  switch (key.kind) {
    case "no-credits":
      return noCredits(key);
    case "rate-limited":
      return perSecond(key, model);
    case "rate-limited-rpm":
      return perMinute(key, model);
    case "rate-limited-once":
      return first ? perSecond(key, model) : undefined;
    case "capacity":
      return { status: 503, body: AT_CAPACITY };
    case "capacity-200":
      return { status: 200, body: AT_CAPACITY };
    case "capacity-once":
      return first ? { status: 503, body: AT_CAPACITY } : undefined;
    case "no-model":
      return modelMissing(key, model);
    case "safety":
      return denied(SAFETY);
    case "flaky":
      return first ? refuse(500, "internal", "Internal error") : undefined;
    default:
      return undefined;
  }
}

const BY_WORD: Record<string, (key: XaiKey, model: string) => XaiRefusal> = {
  moderation: () => denied(SAFETY),
  "no-credits": noCredits,
  "rate-limit": perSecond,
  "rate-limit-rpm": perMinute,
  overload: () => ({ status: 503, body: AT_CAPACITY }),
  "capacity-200": () => ({ status: 200, body: AT_CAPACITY }),
  "timeout-200": () => ({ status: 200, body: FIRST_TOKEN }),
  "blob-refused": () => badArgument(UNDECRYPTABLE),
  "400": () => badArgument("Invalid argument"),
  "401": () => noCredentials(),
  // Shape invented on purpose: a 403 that no rule recognises.
  "403": () => ({ status: 403, body: { reason: "policy", message: "Request denied by policy." } }),
  "404": (key, model) => modelMissing(key, model),
  "422": () => badShape("data did not match any variant of untagged enum ModelInput"),
  "500": () => refuse(500, "internal", "Internal error"),
  "502": () => badGateway(),
  "503": () => ({ status: 503, body: AT_CAPACITY }),
};

export const XAI_REFUSING_WORDS = Object.keys(BY_WORD);

export function refusalByXaiWord(words: Words, key: XaiKey, model: string): XaiRefusal | undefined {
  const name = XAI_REFUSING_WORDS.find((word) => words.has(word));
  return name === undefined ? undefined : BY_WORD[name]?.(key, model);
}

/** `key` decides the era of the code; without one it is today's. */
export function toXaiResponse(refusal: XaiRefusal, key?: XaiKey): Response {
  if (refusal.cut === true) return cutResponse();
  const body = key?.old === true ? inOldWords(refusal.body) : refusal.body;
  return new Response(refusal.html === true ? String(body) : JSON.stringify(body), {
    status: refusal.status,
    headers: {
      "content-type": refusal.html === true ? "text/html; charset=UTF-8" : "application/json",
      server: "cloudflare",
      "cf-ray": `${randomHex(16)}-SIM`,
      "x-request-id": randomHex(32),
    },
  });
}

function inOldWords(body: unknown): unknown {
  if (body === null || typeof body !== "object" || !("code" in body) || typeof body.code !== "string") return body;
  return { ...body, code: OLD_CODES[body.code] ?? body.code };
}

function badGateway(): XaiRefusal {
  const body = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>";
  return { status: 502, body, html: true };
}

export function mask(key: string): string {
  return `xai-...${key.slice(-4)}`;
}
