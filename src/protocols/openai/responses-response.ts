// The response half of POST /v1/responses: a stream of named frames, or one body, from the same fold of events.
// What does not change within an item is written once; a text delta costs one JSON.stringify. Knows no route.
// Invariants: sequence numbers count from 0 without gaps; a failure never looks like an end.
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, FinishReason } from "../../core/events.ts";
import { isObject } from "../../lib/json.ts";
import { toOpenAiError } from "../errors.ts";
import type { ResponseEnd, ResponsesSink } from "./responses-desk.ts";
import { createResponsesFold, type ResponsesFoldOptions, type UpstreamIds } from "./responses-fold.ts";
import {
  IN_PROGRESS,
  type OutputItem,
  responseError,
  type ResponseHead,
  type ResponseObject,
  responseObject,
} from "./responses-object.ts";

export interface ResponsesOptions extends ResponseHead {
  /** Unix seconds of the end; asked once, when the answer has ended. */
  readonly completedAt: () => number;
}

export interface ResponsesStreamOptions extends ResponsesOptions {
  /** Frames up to this sequence number are left out. */
  readonly after?: number;
}

export interface ResponsesStreamEncoder {
  /** The text of all frames of a batch; empty when none of its events is visible. */
  push(batch: EventBatch): string;
  /** The final object once the answer has ended, also badly; null before, and when it ended before it began. */
  readonly response: ResponseObject | null;
  readonly upstream: UpstreamIds;
  readonly ended: boolean;
}

/** `undefined`: a whole answer. */
const INCOMPLETE: Readonly<Record<FinishReason, string | undefined>> = {
  stop: undefined,
  length: "max_output_tokens",
  "tool-calls": undefined,
  "content-filter": "content_filter",
  other: undefined,
};

/** Whoever lists the tool reads pictures as its calls; others read text. */
const foldOptions = ({ id, echo }: ResponsesOptions): ResponsesFoldOptions => ({
  responseId: id,
  pictureItems: echo.tools.some((tool) => isObject(tool) && tool["type"] === "image_generation"),
});

const finished = (options: ResponsesOptions, end: ResponseEnd, output: readonly OutputItem[]): ResponseObject => {
  const incomplete = INCOMPLETE[end.reason] ?? null;
  return responseObject(options, {
    ...IN_PROGRESS,
    status: incomplete === null ? "completed" : "incomplete",
    completedAt: incomplete === null ? options.completedAt() : null,
    output,
    incomplete,
    usage: end.usage,
  });
};

export const createResponsesStreamEncoder = (options: ResponsesStreamOptions): ResponsesStreamEncoder => {
  const after = options.after ?? -1;
  let sequence = 0;
  let out = "";
  let started = false;
  let response: ResponseObject | null = null;
  let deltaItem = "";
  let deltaHead = "";
  let deltaTail = "";

  const frame = (type: string, fields: object) => {
    const number = sequence++;
    if (number <= after) return;
    out += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: number, ...fields })}\n\n`;
  };
  const sink: ResponsesSink = {
    start() {
      started = true;
      const snapshot = responseObject(options, IN_PROGRESS);
      frame("response.created", { response: snapshot });
      frame("response.in_progress", { response: snapshot });
    },
    frame,
    textDelta(place, text) {
      if (place.itemId !== deltaItem) {
        deltaItem = place.itemId;
        deltaHead = 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":';
        deltaTail = `,"item_id":"${place.itemId}","output_index":${place.outputIndex},"content_index":0,"delta":`;
      }
      const number = sequence++;
      if (number > after) out += `${deltaHead}${number}${deltaTail}${JSON.stringify(text)},"logprobs":[]}\n\n`;
    },
    finish(end) {
      response = finished(options, end, fold.output);
      frame(`response.${response.status}`, { response });
    },
    failure(error) {
      if (!started) {
        const { code, message, param } = toOpenAiError(error).body.error;
        return frame("error", { code, message, param });
      }
      response = responseObject(options, {
        ...IN_PROGRESS,
        status: "failed",
        output: fold.output,
        error: responseError(error),
      });
      frame("response.failed", { response });
    },
  };
  const fold = createResponsesFold(foldOptions(options), sink);
  return {
    get response() {
      return response;
    },
    get upstream() {
      return fold.upstream;
    },
    get ended() {
      return fold.ended;
    },
    push(batch) {
      out = "";
      for (const event of batch) fold.accept(event);
      return out;
    },
  };
};

export interface CollectedResponse {
  readonly response: ResponseObject;
  readonly upstream: UpstreamIds;
}

/** Folds a whole answer into the body of a request without `stream`; rejects with the answer's failure. */
export const collectResponse = async (
  events: AsyncIterable<EventBatch>,
  options: ResponsesOptions,
): Promise<CollectedResponse> => {
  let end: ResponseEnd | undefined;
  const fold = createResponsesFold(foldOptions(options), {
    start() {},
    frame() {},
    textDelta() {},
    finish(found) {
      end = found;
    },
    failure(error) {
      throw error;
    },
  });
  for await (const batch of events) for (const event of batch) fold.accept(event);
  if (end === undefined) throw new GatewayError("upstream_cut", "The upstream's answer ended early.");
  return { response: finished(options, end, fold.output), upstream: fold.upstream };
};
