// The error envelopes of both downstream families, as HTTP answers and as frames inside a stream that has begun.
// Status, type and code come from the one error table; nothing here decides anything. Knows no route.
// Invariant: an internal fault never shows its message, and every key of an envelope is always present.
import type { AnthropicErrorType, ErrorCode, GatewayError, OpenAiErrorType } from "../core/errors.ts";

export interface OpenAiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: OpenAiErrorType;
    readonly param: string | null;
    readonly code: ErrorCode;
  };
}

export interface AnthropicErrorBody {
  readonly type: "error";
  readonly error: { readonly type: AnthropicErrorType; readonly message: string; readonly details?: object };
  readonly request_id: string;
}

/** An HTTP answer without a request: a route adds its own headers and sends it. */
export interface ErrorAnswer<Body> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

const HIDDEN = "The gateway hit an internal error.";

const publicMessage = (error: GatewayError): string => {
  if (error.code === "internal_error") return HIDDEN;
  return error.message.trim() === "" ? error.row.meaning : error.message;
};

const openAiBody = (error: GatewayError): OpenAiErrorBody => ({
  error: { message: publicMessage(error), type: error.row.type, param: error.param, code: error.code },
});

/** Anthropic's SDK sleeps as long as Retry-After says, an hour too, without a word; OpenAI's comes back at once (2026-11). */
const LONGEST_SILENT_WAIT_MS = 60_000;

/** Official SDKs repeat by themselves; where that cannot help (a stale write, a long rest) they are told not to. */
const shouldRetry = (error: GatewayError): boolean | undefined => {
  const { shouldRetry: known, retryAfterMs = 0 } = error.detail;
  return known ?? (error.row.status === 409 || retryAfterMs > LONGEST_SILENT_WAIT_MS ? false : undefined);
};

const errorHeaders = (error: GatewayError): Record<string, string> => {
  const headers: Record<string, string> = {};
  const { retryAfterMs } = error.detail;
  if (retryAfterMs !== undefined) headers["Retry-After"] = String(Math.max(0, Math.ceil(retryAfterMs / 1000)));
  const retry = shouldRetry(error);
  if (retry !== undefined) headers["x-should-retry"] = String(retry);
  return headers;
};

export const toOpenAiError = (error: GatewayError): ErrorAnswer<OpenAiErrorBody> => ({
  status: error.row.status,
  headers: errorHeaders(error),
  body: openAiBody(error),
});

/** By these the official client knows that it has to send the whole history, and does so (SDK 1.2, 2026-10). */
const anthropicDetails = (error: GatewayError): { readonly details?: object } =>
  error.code === "thread_unsupported"
    ? { details: { error_code: "thread_unsupported_request", unsupported: ["thread"] } }
    : {};

/** Anthropic calls "come back later" 529; its SDKs know the error by that number. */
export const toAnthropicError = (error: GatewayError, requestId: string): ErrorAnswer<AnthropicErrorBody> => ({
  status: error.row.status === 503 ? 529 : error.row.status,
  headers: errorHeaders(error),
  body: {
    type: "error",
    error: { type: error.row.anthropic, message: publicMessage(error), ...anthropicDetails(error) },
    request_id: requestId,
  },
});

/** One frame for a stream that has begun. Chat streams send bare data, image streams name their events. */
export const openAiErrorFrame = (error: GatewayError, framing: "data" | "named" = "data"): string =>
  `${framing === "named" ? "event: error\n" : ""}data: ${JSON.stringify(openAiBody(error))}\n\n`;

export const anthropicErrorFrame = (error: GatewayError): string =>
  `event: error\ndata: ${JSON.stringify({
    type: "error",
    error: { type: error.row.anthropic, message: publicMessage(error) },
  })}\n\n`;
