// The one error class of the program and the one table that decides what a failure means.
// Everything about a failure (status, wire names, blame, retry, account signal, log level) is derived from its code here;
// no other file invents a status or a retry rule. Knows no protocol's envelope and no upstream's wording.

/** Who is at fault. Only blame "account" ever touches an account's state. */
export type Blame = "request" | "account" | "egress" | "upstream" | "gateway";

/** What an attempt loop may do with a failure that happened before the first visible output. */
export type RetryRule = "never" | "other-account" | "other-egress" | "once";

/** What a failure says about the account that served the call. */
export type AccountSignal =
  "none" | "error" | "rate-limited" | "exhausted" | "suspect" | "dead" | "no-credits" | "model-denied";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** The `type` vocabulary of OpenAI's error envelope. */
export type OpenAiErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "rate_limit_error"
  | "insufficient_quota"
  | "server_error";

/** The `type` vocabulary of Anthropic's error envelope (docs.anthropic.com, read 2026-10). */
export type AnthropicErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "rate_limit_error"
  | "api_error"
  | "timeout_error"
  | "overloaded_error";

export interface ErrorRow {
  readonly blame: Blame;
  readonly status: number;
  readonly type: OpenAiErrorType;
  readonly anthropic: AnthropicErrorType;
  readonly retry: RetryRule;
  readonly signal: AccountSignal;
  readonly log: LogLevel;
  /** One sentence for the documentation. */
  readonly meaning: string;
}

const bad = (meaning: string, status = 400): ErrorRow => ({
  blame: "request",
  status,
  type: "invalid_request_error",
  anthropic: "invalid_request_error",
  retry: "never",
  signal: "none",
  log: "info",
  meaning,
});

const refused = (meaning: string): ErrorRow => ({
  ...bad(meaning, 401),
  type: "authentication_error",
  anthropic: "authentication_error",
});

const missing = (meaning: string): ErrorRow => ({
  ...bad(meaning, 404),
  type: "not_found_error",
  anthropic: "not_found_error",
});

const limited = (meaning: string): ErrorRow => ({
  ...bad(meaning, 429),
  type: "rate_limit_error",
  anthropic: "rate_limit_error",
});

const upstream = (meaning: string, status = 502): ErrorRow => ({
  blame: "upstream",
  status,
  type: "server_error",
  anthropic: status === 504 ? "timeout_error" : "api_error",
  retry: "once",
  signal: "none",
  log: "warn",
  meaning,
});

const account = (row: Pick<ErrorRow, "signal" | "meaning"> & Partial<ErrorRow>): ErrorRow => ({
  blame: "account",
  status: 503,
  type: "server_error",
  anthropic: "overloaded_error",
  retry: "other-account",
  log: "warn",
  ...row,
});

const gateway = (meaning: string, status: number, log: LogLevel = "warn"): ErrorRow => ({
  blame: "gateway",
  status,
  type: "server_error",
  anthropic: status === 503 ? "overloaded_error" : "api_error",
  retry: "never",
  signal: "none",
  log,
  meaning,
});

/** One row a code. The code is what callers see in `error.code`. */
export const ERROR_TABLE = {
  // The caller's request
  invalid_json: bad("The body is not a JSON object."),
  invalid_value: bad("A field has a value that is not allowed."),
  missing_required_parameter: bad("A required field is missing."),
  unsupported_parameter: bad("The field is known but cannot be served here."),
  upstream_rejected: bad("The upstream cannot read the request; its own words are in the message."),
  thread_unsupported: bad(
    "The request belongs to a conversation held by the server; only whole histories are accepted.",
  ),
  unsupported_value: bad("The value is known but cannot be served by this model."),
  empty_messages: bad("The message list is empty."),
  empty_content: bad("A message has no content."),
  invalid_role: bad("A message has an unknown role."),
  invalid_block: bad("A content part is not an object."),
  empty_block: bad("A content part is empty."),
  missing_type: bad("A content part has no type."),
  empty_type: bad("A content part has a blank type."),
  invalid_type: bad("A content part has an unknown type, or one that its role may not use."),
  empty_text: bad("A text part is blank."),
  missing_url: bad("An image part has no URL."),
  invalid_media: bad("Media data is neither an http(s) URL nor a data URI."),
  missing_audio: bad("An audio part has no data."),
  missing_file: bad("A file part has no data."),
  unreachable_media: bad("A linked picture or file could not be fetched from its address."),
  too_many_attachments: bad("More attachments than the gateway accepts."),
  invalid_stream: bad("`stream` is not a boolean."),
  invalid_temperature: bad("`temperature` is outside 0–2."),
  invalid_top_p: bad("`top_p` is outside 0–1."),
  invalid_n: bad("`n` is outside the allowed range."),
  invalid_reasoning_effort: bad("`reasoning_effort` is not a known level."),
  missing_prompt: bad("A picture or clip was asked for without a prompt."),
  empty_prompt: bad("The prompt is blank, or the last user message has no text."),
  missing_image: bad("An edit was asked for without a picture."),
  invalid_image_count: bad("More pictures than an edit or a clip takes."),
  invalid_image_type: bad("An uploaded picture is not a PNG, JPEG or WebP."),
  empty_file: bad("An uploaded file has no bytes."),
  invalid_size: bad("`size` is neither a known size nor a known ratio."),
  invalid_aspect_ratio: bad("`aspect_ratio` is not one that the model draws."),
  invalid_response_format: bad("`response_format` is not a known way to return pictures."),
  invalid_stream_n: bad("Pictures are streamed one or two at a time."),
  invalid_concurrency: bad("`concurrency` is outside 1–3."),
  invalid_video_length: bad("The clip's length is outside what the model makes."),
  invalid_resolution: bad("The clip's resolution is not a known one."),
  invalid_preset: bad("The clip's preset is not a known one."),
  model_not_supported: bad("The model exists but cannot do what this endpoint asks for."),
  unsupported_operation: bad("The object exists, but neither it nor the upstream has such an operation."),
  adult_with_picture: bad("Adult content is drawn from text alone; the request carries an uploaded or linked picture."),
  invalid_tools: bad("The tool list is malformed or uses an unsupported tool type."),
  invalid_tool_choice: bad("`tool_choice` names no declared tool."),
  context_too_long: bad("The conversation is longer than the model accepts."),
  content_policy_violation: bad("The upstream withheld the answer on content grounds. Final: never retried elsewhere."),
  missing_api_key: refused("No API key was sent."),
  invalid_api_key: refused("The API key or admin credential is wrong."),
  key_disabled: refused("The operator switched this API key off."),
  key_expired: refused("The API key is past its date."),
  model_not_allowed: {
    ...bad("The API key may not use this model.", 403),
    type: "permission_error",
    anthropic: "permission_error",
  },
  rate_limit_exceeded: limited("The API key has sent as many requests as it may in a minute."),
  concurrency_limit_exceeded: limited("The API key has as many requests running as it may."),
  daily_quota_exceeded: limited("The API key has used up what it may ask for today."),
  insufficient_quota: {
    ...limited("The API key has used up its tokens for today or for this month."),
    type: "insufficient_quota",
  },
  permission_denied: {
    ...bad("The credential may not do this.", 403),
    type: "permission_error",
    anthropic: "permission_error",
  },
  model_not_found: missing("No such model, or it is not visible to this key."),
  file_not_found: missing("No such file."),
  invalid_link: {
    ...bad("The link to a file is not signed as cache.link_seconds wants, or has expired.", 403),
    log: "debug",
  },
  not_found: missing("No such object."),
  response_not_found: missing("No such stored response, or it belongs to another key."),
  account_not_found: missing("No such account in the pool."),
  task_not_found: missing("No such batch task, or it ended long ago."),
  video_not_found: missing("No such video job, or it belongs to another key."),
  video_not_ready: { ...bad("The video job has no file yet, or never will.", 409), log: "debug" },
  endpoint_disabled: missing("The operator switched this endpoint off."),
  route_not_found: missing("No such route."),
  method_not_allowed: bad("The route exists, but not with this method.", 405),
  conflict: bad("Somebody else changed the same thing first.", 409),
  request_too_large: { ...bad("The request body is too large.", 413), anthropic: "request_too_large" },
  file_too_large: { ...bad("An attachment is too large.", 413), anthropic: "request_too_large" },
  missing_file_name: bad("No file was named."),
  missing_file_names: bad("No files were named."),
  invalid_file_name: bad("The file name has characters that are not allowed."),
  unsupported_media_type: bad("The content type is not accepted here.", 415),
  range_not_satisfiable: bad("The requested byte range lies outside the file.", 416),
  too_many_attempts: limited("Too many failed logins from this address."),
  client_closed: { ...bad("The client went away. Only logged.", 499), log: "debug" },

  // The account that served the call
  upstream_rate_limited: account({
    signal: "rate-limited",
    status: 429,
    type: "rate_limit_error",
    anthropic: "rate_limit_error",
    meaning: "The upstream rate-limited the account.",
  }),
  account_quota: account({
    signal: "exhausted",
    status: 429,
    type: "rate_limit_error",
    anthropic: "rate_limit_error",
    meaning: "The account's quota for this mode is used up.",
  }),
  account_auth: account({ signal: "suspect", meaning: "The upstream no longer accepts the account's session." }),
  account_blocked: account({ signal: "dead", meaning: "The upstream says that the account is blocked." }),
  account_refused: account({
    signal: "error",
    status: 502,
    anthropic: "api_error",
    retry: "never",
    meaning: "The upstream refused the call (403) without a known reason.",
  }),
  account_key_invalid: account({ signal: "dead", meaning: "The official API does not accept the key." }),
  account_no_credits: account({
    signal: "no-credits",
    meaning: "The team of the key has used up its credits or its spending limit. Every key of the team rests.",
  }),
  account_model_denied: account({
    signal: "model-denied",
    status: 404,
    type: "not_found_error",
    anthropic: "not_found_error",
    meaning: "The team of the key may not use the model. It is not asked for the model for a while.",
  }),

  // The way out
  egress_blocked: {
    ...upstream("The upstream's edge answered with a challenge page or refused the address; no account is at fault."),
    blame: "egress",
    retry: "other-egress",
  },
  egress_rejected_signature: {
    ...upstream("The upstream's anti-bot check refused the request's signature; no account is at fault."),
    blame: "egress",
    retry: "other-egress",
  },
  egress_unreachable: {
    ...upstream("The proxy or the network on the way to the upstream failed."),
    blame: "egress",
    retry: "once",
  },

  // The upstream itself
  upstream_error: upstream("The upstream failed or sent an error inside its answer."),
  upstream_unavailable: upstream("The upstream is down or over capacity.", 503),
  upstream_timeout: upstream("The upstream was silent for longer than a limit; the message names the setting.", 504),
  upstream_malformed: upstream("The upstream's answer could not be understood."),
  upstream_empty: upstream("The upstream ended its answer without any content."),
  upstream_cut: upstream("The upstream's answer ended early."),
  image_generation_incomplete: {
    ...upstream("The upstream ended its answer without the pictures that were asked for."),
    retry: "never",
  },
  video_generation_failed: { ...upstream("The upstream ended its answer without a clip."), retry: "never" },

  // The gateway
  no_token: gateway("No account could be had for a voice session.", 503),
  voice_error: gateway("A voice session could not be begun; details are only in the gateway's log.", 500, "error"),
  no_available_account: gateway("No account of the pool can serve this model now.", 503),
  server_overloaded: gateway("The gateway is at its limit of concurrent requests.", 503),
  storage_full: gateway("The disk of the data folder is too full to keep another file.", 507, "error"),
  shutting_down: gateway("The gateway is stopping.", 503, "info"),
  internal_error: gateway("A fault in the gateway; details are only in its log.", 500, "error"),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;

/** Facts that travel with a failure. None of them may hold a credential. */
export interface ErrorDetail {
  /** The request field at fault, as a path such as `messages.0.content`. */
  readonly param?: string;
  /** How long to wait before asking again, in milliseconds. */
  readonly retryAfterMs?: number;
  /** False tells SDKs that repeating the request cannot help. */
  readonly shouldRetry?: boolean;
  /** What the upstream said: HTTP status, machine code, short redacted text. */
  readonly upstream?: { readonly status?: number; readonly code?: string; readonly text?: string };
  /** The capability or mode whose counter is empty, e.g. "fast". */
  readonly mode?: string;
  /** The underlying error; for the log only. */
  readonly cause?: unknown;
}

/** The only error class. Thrown before work begins; carried as data in a `failure` event afterwards. */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail;

  constructor(code: ErrorCode, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = "GatewayError";
    this.code = code;
    this.detail = detail;
  }

  get row(): ErrorRow {
    return ERROR_TABLE[this.code];
  }

  get param(): string | null {
    return this.detail.param ?? null;
  }
}

/** Turns anything that was thrown into a GatewayError; an unknown error hides its message from callers. */
export const asGatewayError = (thrown: unknown): GatewayError =>
  thrown instanceof GatewayError
    ? thrown
    : new GatewayError("internal_error", "The gateway hit an internal error.", { cause: thrown });
