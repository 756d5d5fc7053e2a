// Turns a failure into an HTTP answer in the dialect of the path that was asked. Decides no status and no retry rule.
// Invariant: every error is JSON in an SDK's envelope.
import type { GatewayError } from "../core/errors.ts";
import { toAnthropicError, toOpenAiError } from "../protocols/errors.ts";

export interface ErrorPlace {
  readonly path: string;
  readonly requestId: string;
}

export const speaksAnthropic = (path: string): boolean => path === "/v1/messages" || path.startsWith("/v1/messages/");

export const errorResponse = (error: GatewayError, place: ErrorPlace): Response => {
  // Nobody reads this one: the client has gone. The number is for the log.
  if (error.code === "client_closed") return new Response(null, { status: 499 });
  const answer = speaksAnthropic(place.path) ? toAnthropicError(error, place.requestId) : toOpenAiError(error);
  const response = Response.json(answer.body, { status: answer.status, headers: answer.headers });
  const { headers } = response;
  if (error.detail.retryAfterMs !== undefined)
    headers.set("retry-after-ms", String(Math.ceil(error.detail.retryAfterMs)));
  if (answer.status === 401) headers.set("www-authenticate", "Bearer");
  // The rest of a body that is too large would otherwise be waited for on the same connection.
  if (error.code === "shutting_down" || answer.status === 413) headers.set("connection", "close");
  return response;
};
