// The gateway's face towards the HTTP side: use cases without a protocol. Implemented by generate.ts.
import type { GatewayError } from "../core/errors.ts";
import type { GenerationStream } from "../core/events.ts";
import type { GenerationRequest } from "../core/request.ts";
import type { RequestRecord } from "./record.ts";

export interface CallContext {
  /** Id that the answer carries, e.g. `chatcmpl-…`. */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** Aborts when the client leaves or the server's grace time is over. */
  readonly signal: AbortSignal;
  /** Ends the call with a reason of our own, such as a limit. */
  abort(reason: GatewayError): void;
  readonly record: RequestRecord;
  /** Public base URL of this request, without a trailing slash, for links to stored media. */
  readonly baseUrl: string;
}

export interface ChatRun {
  /**
   * Starts with `start`, obeys the grammar of core/events.ts, ends with `finish` or `failure`; never throws. Pictures
   * are already stored: their source has a `link`. Returning the generator early releases everything.
   */
  readonly events: GenerationStream;
}

export interface ChatGateway {
  /**
   * Resolves at the commit point: the first visible event has come, or (only for `request.stream`) the grace time is
   * over. Until then it fails over between accounts; when nothing helps it rejects with a GatewayError.
   */
  chat(request: GenerationRequest, context: CallContext): Promise<ChatRun>;
}
