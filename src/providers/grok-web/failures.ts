// Reads what the site's refusals mean: one place turns a status and a body, or an error frame, into a code with a blame.
// The order of the tests matters (bodies overlap). Facts observed 2025-03…2026-09; the site documents none of them.
import { GatewayError, type ErrorCode } from "../../core/errors.ts";
import { isObject, numberAt, objectAt, objectsAt, parseObject, stringAt, type JsonObject } from "../../lib/json.ts";
import { redact } from "../../lib/log.ts";

export interface UpstreamAnswer {
  readonly status: number;
  readonly body: string;
  readonly contentType: string | null;
  readonly server: string | null;
  readonly retryAfter: string | null;
  /** Mode asked for, for the quota counter. */
  readonly mode?: string;
  /** Unix milliseconds, to read a Retry-After date. */
  readonly now: number;
}

const CHALLENGE = /just a moment|challenge-platform|__cf_chl|cf-chl-|_cf_chl_opt/i;
const BLOCKED = /blocked-user|user is blocked|account suspended|email-domain-rejected/i;
const SESSION_DEAD =
  /invalid-credentials|bad-credentials|failed to look up session id|session not found|token revoked|token expired/i;
const ANTI_BOT = /anti-bot|out of date/i;
const MODERATED = /content-moderated|content violates usage guidelines|safety_check_type_/i;
const REGION = /not available in your (?:region|country)/i;
const HEAVY_USAGE = /under heavy usage|heavy load|overloaded/i;
const USAGE_LIMIT = /usage limit|usage quota/i;
const RATE_LIMIT = /too many requests|rate limit/i;
const TOO_LONG = /context length|prompt (?:is )?too long|maximum context/i;

/** At most this much upstream text travels with an error. */
const TEXT_LIMIT = 300;

const shortText = (text: string): string => redact(text.replace(/\s+/g, " ").trim()).slice(0, TEXT_LIMIT);

/** Seconds or an HTTP date. */
const retryAfterMs = (header: string | null, now: number): number | undefined => {
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
};

/** The error object of a body: at the root or under `error`. */
const errorObject = (body: string): { message: string; code: string | undefined } => {
  const root = parseObject(body);
  const inner = objectAt(root, "error") ?? root;
  const code = numberAt(inner, "code") ?? stringAt(inner, "code");
  return { message: stringAt(inner, "message") ?? stringAt(root, "error") ?? "", code: code?.toString() };
};

const MESSAGES: Partial<Record<ErrorCode, string>> = {
  egress_blocked: "The upstream's edge refused the gateway's address or browser profile with a challenge page.",
  egress_rejected_signature: "The upstream's anti-bot check refused the request.",
  account_blocked: "The upstream says that the account is blocked.",
  account_auth: "The upstream no longer accepts the account's session.",
  account_quota: "The account's usage limit is reached.",
  upstream_rate_limited: "The upstream is rate-limiting the account.",
  upstream_unavailable: "The upstream is over capacity or down.",
  content_policy_violation: "The upstream refused the request on content grounds.",
  context_too_long: "The conversation is longer than the upstream accepts.",
};

const failure = (code: ErrorCode, answer: UpstreamAnswer, message?: string): GatewayError => {
  const said = errorObject(answer.body);
  const retryAfter = retryAfterMs(answer.retryAfter, answer.now);
  const isHtml = answer.body.trimStart().startsWith("<");
  const text = said.message || (isHtml ? "" : answer.body);
  return new GatewayError(code, message ?? MESSAGES[code] ?? "The upstream failed.", {
    upstream: {
      status: answer.status,
      ...(said.code ? { code: said.code } : {}),
      ...(text ? { text: shortText(text) } : {}),
    },
    ...(retryAfter === undefined ? {} : { retryAfterMs: retryAfter }),
    ...(answer.mode ? { mode: answer.mode } : {}),
  });
};

/** An answer from the site's edge instead of its API: HTML, nothing at all, or Cloudflare's own words. */
const isChallenge = ({ status, body, contentType, server }: UpstreamAnswer): boolean => {
  if (![401, 403, 429, 503].includes(status)) return false;
  if (CHALLENGE.test(body)) return true;
  const isJson = parseObject(body) !== undefined;
  if (isJson) return false;
  const isHtml = /html/i.test(contentType ?? "") || body.trimStart().startsWith("<");
  if (status === 403) return isHtml || body.trim() === "" || /cloudflare/i.test(server ?? "");
  return isHtml && /cloudflare/i.test(server ?? "");
};

/** Turns a non-2xx answer into the failure it means. */
export const classifyAnswer = (answer: UpstreamAnswer): GatewayError => {
  const { status, body } = answer;
  const { code } = errorObject(body);
  if (REGION.test(body)) {
    return failure("egress_blocked", answer, "The upstream does not serve the region of the gateway's address.");
  }
  if (isChallenge(answer)) return failure("egress_blocked", answer);
  if ([400, 401, 403].includes(status)) {
    if (BLOCKED.test(body)) return failure("account_blocked", answer);
    if (SESSION_DEAD.test(body) || code === "16" || status === 401) return failure("account_auth", answer);
  }
  if (status === 403) {
    if (ANTI_BOT.test(body)) return failure("egress_rejected_signature", answer);
  }
  if ([400, 403, 422].includes(status) && MODERATED.test(body)) return failure("content_policy_violation", answer);
  if (HEAVY_USAGE.test(body)) return failure("upstream_unavailable", answer);
  if (status === 429 || code === "8") {
    return failure(USAGE_LIMIT.test(body) ? "account_quota" : "upstream_rate_limited", answer);
  }
  if (status === 403) {
    const said = shortText(errorObject(body).message || body);
    return failure("account_refused", answer, `The upstream refused the call (403)${said ? `: ${said}` : "."}`);
  }
  if (TOO_LONG.test(body)) return failure("context_too_long", answer);
  if (status === 408 || status === 504 || status === 522 || status === 524) {
    return failure("upstream_timeout", answer, `The upstream timed out by itself (status ${status}).`);
  }
  if (status >= 500) return failure("upstream_unavailable", answer, `The upstream is down (status ${status}).`);
  const said = shortText(errorObject(body).message);
  return failure("upstream_error", answer, `The upstream answered ${status}${said ? `: ${said}` : "."}`);
};

/** Detail keys of an in-band StreamError (from the site's published schema, 2026-06) and what they mean here. */
const STREAM_ERRORS: Record<string, ErrorCode> = {
  globalRateLimit: "upstream_unavailable",
  modelNotAvailable: "upstream_error",
  systemKillSwitch: "upstream_unavailable",
  beyondContextLength: "context_too_long",
  userPromptTooLong: "context_too_long",
  attachmentModerated: "content_policy_violation",
  attachmentImageTooLarge: "file_too_large",
  attachmentFileTooLarge: "file_too_large",
  attachmentTooManyPages: "file_too_large",
  attachmentLoadFailed: "upstream_error",
  contentModerated: "content_policy_violation",
  usagePoolExhausted: "account_quota",
  usageLimitReached: "account_quota",
  concurrencyLimit: "upstream_rate_limited",
};

/** Tool trouble inside an answer that otherwise goes on. */
const HARMLESS = ["renderToolFailed", "renderToolRateLimited", "toolCallFailed", "renderPerMessageLimitExceeded"];

const snakeToCamel = (key: string): string => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** An error inside a 200 stream: an object or a text. Null when it does not end the answer. */
export const classifyFrame = (error: unknown, mode?: string): GatewayError | null => {
  if (typeof error === "string") return error === "" ? null : byMessage(error, undefined, mode);
  if (!isObject(error)) return null;
  const detail = Object.keys(error).map(snakeToCamel);
  if (detail.some((key) => HARMLESS.includes(key))) return null;
  const known = detail.find((key) => key in STREAM_ERRORS);
  const message = stringAt(error, "message") ?? "";
  if (known) return inBand(STREAM_ERRORS[known] ?? "upstream_error", { text: message, mode });
  return byMessage(message, (numberAt(error, "code") ?? stringAt(error, "code"))?.toString(), mode);
};

interface Said {
  readonly text: string;
  readonly mode?: string | undefined;
  readonly upstreamCode?: string | undefined;
}

const inBand = (code: ErrorCode, { text, mode, upstreamCode }: Said): GatewayError => {
  const said = shortText(text);
  return new GatewayError(code, MESSAGES[code] ?? `The upstream reported an error${said ? `: ${said}` : "."}`, {
    upstream: { ...(upstreamCode ? { code: upstreamCode } : {}), ...(said ? { text: said } : {}) },
    ...(mode ? { mode } : {}),
  });
};

/** A refusal that names no reason we know: its text goes to the caller, and nobody is asked again. */
const refusedInBand = (message: string): GatewayError => {
  const said = shortText(message);
  return new GatewayError("account_refused", `The upstream refused the call${said ? `: ${said}` : "."}`, {
    upstream: { code: "7", ...(said ? { text: said } : {}) },
  });
};

const byMessage = (message: string, code: string | undefined, mode?: string): GatewayError => {
  const say = (found: ErrorCode) => inBand(found, { text: message, mode, upstreamCode: code });
  if (BLOCKED.test(message)) return say("account_blocked");
  if (SESSION_DEAD.test(message) || code === "16") return say("account_auth");
  if (MODERATED.test(message)) return say("content_policy_violation");
  if (ANTI_BOT.test(message)) return say("egress_rejected_signature");
  if (HEAVY_USAGE.test(message)) return say("upstream_unavailable");
  if (USAGE_LIMIT.test(message)) return say("account_quota");
  if (RATE_LIMIT.test(message) || code === "8" || /rate_limit/.test(code ?? "")) return say("upstream_rate_limited");
  if (TOO_LONG.test(message)) return say("context_too_long");
  if (code === "7") return refusedInBand(message);
  return say("upstream_error");
};

/** Every error that a whole Response object of the site carries. */
export const classifyResponse = (response: JsonObject, mode?: string): GatewayError | null => {
  const own = classifyFrame(response["error"], mode);
  if (own) return own;
  for (const item of [...objectsAt(response, "streamErrors")]) {
    const found = classifyFrame(item, mode);
    if (found) return found;
  }
  return null;
};
