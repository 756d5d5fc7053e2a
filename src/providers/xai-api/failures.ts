// Reads what the official API's errors mean: one place turns a status and a body, or an error inside a stream, into a code
// with a blame. Statuses moved between eras and one status means many things, so the words decide first and their order matters.
// Facts of 2026-02…2026-10. Invariant: no key and no team's id stands in what leaves this file.
import { GatewayError, type ErrorCode, type ErrorDetail } from "../../core/errors.ts";
import { numberAt, objectAt, parseObject, stringAt, type JsonObject } from "../../lib/json.ts";
import { redact } from "../../lib/log.ts";

export interface XaiAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfter: string | null;
  /** Unix milliseconds, to read a Retry-After date. */
  readonly now: number;
}

/** An error as the API words it, whatever envelope it came in. */
interface Said {
  /** Null inside a stream. */
  readonly status: number | null;
  /** A gRPC sentence until about 2026-06, in kebab case since. */
  readonly code: string;
  readonly text: string;
  readonly param: string | undefined;
}

interface Rule {
  readonly code: ErrorCode;
  readonly when: (said: Said) => boolean;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** At most this much upstream text travels with an error. */
const TEXT_LIMIT = 400;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi;
/** A key that the API has masked in its own way still tells its ends. */
const MASKED_KEY = /\b(API key (?:provided: )?)[\w-]*[.*…]+[\w*.…]*[\w*…]/gi;
const SHOWN_KEY = /\bxai-[\w.*…-]+/gi;

const shortText = (text: string): string =>
  redact(text.replace(/\s+/g, " ").trim())
    .replace(MASKED_KEY, "$1[redacted]")
    .replace(SHOWN_KEY, "[redacted]")
    .replace(UUID, "[redacted]")
    .slice(0, TEXT_LIMIT);

const inText = (pattern: RegExp) => (said: Said) => pattern.test(said.text);
const status =
  (...wanted: number[]) =>
  (said: Said) =>
    said.status !== null && wanted.includes(said.status);
const both =
  (...all: Rule["when"][]) =>
  (said: Said) =>
    all.every((one) => one(said));
const either =
  (...all: Rule["when"][]) =>
  (said: Said) =>
    all.some((one) => one(said));
const isCode = (pattern: RegExp) => (said: Said) => pattern.test(said.code);

const denied = isCode(/^permission-denied|does not have permission to execute/i);
const exhausted = isCode(/^resource-exhausted|resource has been exhausted/i);
const unavailable = isCode(/^unavailable|currently unavailable/i);
const sentNothing = either(isCode(/no-credentials/i), inText(/no-credentials/i));
const invalid = isCode(/^invalid-argument|specified an invalid argument/i);

/** Refusals of what was sent repeat it: their words are partly the caller's own and accuse nobody else. */
const repeatsCaller = either(
  status(400, 422),
  both(status(200), invalid),
  (said) => said.status === null && invalid(said),
);
const ownWords = (pattern: RegExp) => (said: Said) => !repeatsCaller(said) && pattern.test(said.text);

/** The first that fits decides. */
const RULES: readonly Rule[] = [
  { code: "content_policy_violation", when: inText(/violates usage guidelines|safety_check_type_/i) },
  {
    code: "account_no_credits",
    when: either(
      ownWords(/used all available credits|monthly spending limit|run out of credits|insufficient credits/i),
      isCode(/free-usage-exhausted/i),
    ),
  },
  {
    code: "account_key_invalid",
    when: either(
      inText(/^\s*(?:incorrect|invalid) api key\b/i),
      ownWords(/incorrect api key|invalid api key/i),
      isCode(/bad-credentials|invalid-credentials/i),
    ),
  },
  {
    code: "account_blocked",
    when: either(isCode(/blocked-user/i), ownWords(/\b(?:user|team|api key)\b.{0,60}\bis (?:blocked|disabled)/i)),
  },
  {
    code: "upstream_unavailable",
    when: either(
      unavailable,
      ownWords(/temporarily unavailable|at capacity|timed out waiting for first token|overloaded/i),
    ),
  },
  { code: "upstream_rate_limited", when: either(ownWords(/too many requests|rate limit/i), status(429)) },
  { code: "upstream_rate_limited", when: exhausted },
  {
    code: "account_model_denied",
    when: either(inText(/^\s*model not found\b/i), ownWords(/model not found|\bmodel\b.{0,80}\bdoes not exist\b/i)),
  },
  { code: "egress_blocked", when: both(status(403, 503), inText(/^<|just a moment|challenge-platform/i)) },
  {
    code: "account_model_denied",
    when: both(
      either(status(403), denied),
      inText(/permission|access|\bacls?\b|not allowed|not authorized|\bmodel\b|\bendpoint\b/i),
    ),
  },
  { code: "account_refused", when: either(status(403), denied) },
  // A key is always sent, so that only its refusal is left; once may be a hitch of theirs.
  { code: "account_auth", when: both(status(401), (said) => !sentNothing(said)) },
  // Nothing but a fault of ours makes these: no key sent, a wrong method, no JSON, a parameter that is gone.
  { code: "internal_error", when: status(401, 405, 410, 415) },
  {
    code: "context_too_long",
    when: inText(/maximum (?:prompt|context) length|context (?:length|window)|prompt is too long/i),
  },
  { code: "request_too_large", when: status(413) },
  {
    code: "upstream_rejected",
    when: either(status(400, 404, 409, 422), invalid, isCode(/^not-found|entity was not found/i)),
  },
  { code: "upstream_timeout", when: status(408, 504, 522, 524) },
  { code: "upstream_unavailable", when: (said) => (said.status ?? 0) >= 500 },
];

const MESSAGES: Partial<Record<ErrorCode, string>> = {
  content_policy_violation: "The upstream withheld the answer on content grounds.",
  account_no_credits: "The xAI team of the gateway's key has used up its credits or its spending limit.",
  account_key_invalid: "The official API does not accept the key.",
  account_auth: "The official API did not accept the key.",
  account_blocked: "The official API says that the key or its team is blocked.",
  account_model_denied: "The xAI team of the gateway's key may not use the model.",
  upstream_unavailable: "The upstream is down or over capacity.",
  upstream_rate_limited: "The upstream is rate-limiting the team of the API key.",
  egress_blocked: "The upstream's edge refused the gateway's address.",
  internal_error: "The gateway hit an internal error.",
  context_too_long: "The conversation is longer than the model accepts.",
  request_too_large: "The request is larger than the upstream accepts.",
  upstream_timeout: "The upstream timed out by itself.",
};

/** What the caller is told; only where the fault may be the caller's, the upstream's own words are of use. */
const messageOf = (code: ErrorCode, { text, status: found }: Said): string => {
  const words = shortText(text);
  const number = found === null ? "" : ` (${found})`;
  if (code === "upstream_rejected") return `The upstream rejected the request${number}${words ? `: ${words}` : "."}`;
  if (code === "account_refused") return `The upstream refused the call${number}${words ? `: ${words}` : "."}`;
  if (code === "context_too_long" && words) return `${MESSAGES[code]} ${words}`;
  return MESSAGES[code] ?? `The upstream reported an error${words ? `: ${words}` : "."}`;
};

const toSnake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** How texts name the field that they blame. */
const BLAMED: readonly RegExp[] = [
  /\bparameter `?(\w+)/,
  /\bsupport `(\w+)`/,
  /\b(?:missing|unknown) field `(\w+)`/,
  /\bvalue for `([\w.]+)`/,
  /^argument not supported: (\w+)/i,
  /^(tool_choice)\b/,
];

const paramIn = (text: string): string | undefined => {
  const name = BLAMED.map((pattern) => pattern.exec(text)?.[1]).find((found) => found !== undefined);
  return name === undefined ? undefined : toSnake(name);
};

const UNIT_MS: Readonly<Record<string, number>> = { d: DAY_MS, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** `3m 4s` */
const durationMs = (text: string): number => {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)\s*(ms|[dhms])/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ""] ?? 0);
  }
  return Math.ceil(total);
};

/** Seconds or an HTTP date. */
const headerMs = (header: string | null, now: number): number | undefined => {
  if (!header) return undefined;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
};

/** The text's own reset time, then the header, then what the kind of the limit says. */
const retryAfter = ({ text, code }: Said, told: number | undefined): number | undefined => {
  const resets = /resets? in:?\s*((?:[\d.]+\s*(?:ms|[dhms])\s*)+)/i.exec(text)?.[1];
  if (resets) return durationMs(resets);
  if (told !== undefined) return told;
  if (/requests per second/i.test(text)) return 2000;
  if (/per minute/i.test(text)) return 60_000;
  return /free-usage-exhausted/i.test(code) ? DAY_MS : undefined;
};

const failure = (said: Said, told?: number): GatewayError => {
  const code = RULES.find(({ when }) => when(said))?.code ?? "upstream_error";
  const isCallers = code === "upstream_rejected" || code === "context_too_long";
  const param = isCallers ? (said.param ?? paramIn(said.text)) : undefined;
  const waitMs = retryAfter(said, told);
  const text = said.text.startsWith("<") ? "" : shortText(said.text);
  const detail: ErrorDetail = {
    upstream: {
      ...(said.status === null ? {} : { status: said.status }),
      ...(said.code ? { code: shortText(said.code) } : {}),
      ...(text ? { text } : {}),
    },
    ...(param === undefined ? {} : { param }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
  };
  return new GatewayError(code, messageOf(code, said), detail);
};

const codeAt = (value: JsonObject | undefined): string | undefined =>
  stringAt(value, "code") ?? numberAt(value, "code")?.toString();

/** Reads `{code, error}`, `{error}` and `{error: {message, type, param, code}}`. */
const readSaid = (root: JsonObject | undefined, about: { status: number | null; plain: string }): Said => {
  const inner = objectAt(root, "error");
  return {
    status: about.status,
    code: codeAt(inner) ?? codeAt(root) ?? stringAt(inner, "type") ?? "",
    text: stringAt(inner, "message") ?? stringAt(root, "error") ?? stringAt(root, "message") ?? about.plain,
    param: stringAt(inner, "param") ?? stringAt(root, "param"),
  };
};

/** Turns an answer that is none into the failure that it means; also one with status 200 whose body is an error. */
export const classifyAnswer = (answer: XaiAnswer): GatewayError => {
  const root = parseObject(answer.body);
  const said = readSaid(root, { status: answer.status, plain: root ? "" : answer.body.trim() });
  return failure(said, headerMs(answer.retryAfter, answer.now));
};

/** An error inside a stream or an object: `{type:"error", code, message}`, or the `error` of a failed response. */
export const classifyInBand = (error: JsonObject): GatewayError =>
  failure(readSaid(error, { status: null, plain: "" }));

/** True for the body of a 200 that is no answer at all. */
export const isErrorBody = (body: JsonObject): boolean =>
  body["object"] === undefined &&
  body["status"] === undefined &&
  (typeof body["error"] === "string" || objectAt(body, "error") !== undefined);

/** The upstream cannot read the sealed reasoning that was sent back: altered, or another team's. */
export const refusesSealed = (error: GatewayError): boolean =>
  error.code === "upstream_rejected" &&
  /could not (?:decrypt the provided encrypted_content|decode the compaction blob)/i.test(
    error.detail.upstream?.text ?? "",
  );
