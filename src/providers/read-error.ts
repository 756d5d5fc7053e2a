// What a thing means that was thrown while an answer was read: an abort with or without a reason, a frame beyond every size, or
// what it says itself. Pure.
import { asGatewayError, GatewayError } from "../core/errors.ts";
import { FrameTooLarge } from "../lib/ndjson.ts";

/** Whoever aborted may have said why: a limit, a shutdown. Without a word it was the client. */
export const readError = (thrown: unknown, signal: AbortSignal): GatewayError => {
  if (signal.aborted) {
    const reason: unknown = signal.reason;
    return reason instanceof GatewayError ? reason : new GatewayError("client_closed", "The request was cancelled.");
  }
  if (thrown instanceof FrameTooLarge) {
    return new GatewayError("upstream_malformed", "The upstream sent a frame that is larger than any it should send.");
  }
  return asGatewayError(thrown);
};
