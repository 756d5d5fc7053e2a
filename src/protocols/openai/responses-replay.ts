// A streamed response written again: what is kept of its events, and the same bytes from them later. Knows no store.
// Invariant: from the kept events come exactly the frames that the caller was sent, sequence numbers included.
import { ERROR_TABLE, type ErrorCode, GatewayError } from "../../core/errors.ts";
import type { EventBatch, GenerationEvent } from "../../core/events.ts";
import { isObject, type JsonObject, numberAt, objectAt, objectsAt, stringAt } from "../../lib/json.ts";
import type { ResponsesEcho } from "./responses-object.ts";
import { createResponsesStreamEncoder } from "./responses-response.ts";

/** What of a batch leaves a trace in the frames; of pictures their links are kept, which hold the bytes where these were told. */
export const keptEvents = (batch: EventBatch): readonly JsonObject[] =>
  batch.flatMap((event): JsonObject[] => {
    switch (event.type) {
      case "progress":
      case "upstream":
        return [];
      case "image": {
        const { link, base64 } = event.source;
        const { partial } = event;
        // A preview has no link; without its bytes it left no trace.
        if (partial) return base64 === undefined ? [] : [{ type: "image", index: 0, partial, source: { base64 } }];
        return link === undefined ? [] : [{ type: "image", index: 0, partial, source: { link } }];
      }
      case "video": {
        const { link } = event.source;
        return link === undefined ? [] : [{ type: "video", source: { link } }];
      }
      case "failure": {
        const { code, message, detail } = event.error;
        const { param, retryAfterMs } = detail;
        return [{ type: "failure", code, message, detail: { param, retryAfterMs } }];
      }
      default:
        return [{ ...event }];
    }
  });

const isErrorCode = (code: string | undefined): code is ErrorCode => code !== undefined && code in ERROR_TABLE;

/** Kept by this file, so their shape is known; a code that a later version has dropped becomes the general one. */
const revive = (event: JsonObject): GenerationEvent => {
  if (event["type"] !== "failure") return event as unknown as GenerationEvent;
  const code = stringAt(event, "code");
  const detail = objectAt(event, "detail");
  const param = stringAt(detail, "param");
  const retryAfterMs = numberAt(detail, "retryAfterMs");
  const error = new GatewayError(isErrorCode(code) ? code : "upstream_error", stringAt(event, "message") ?? "", {
    ...(param === undefined ? {} : { param }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
  return { type: "failure", error };
};

const textOrNull = (body: JsonObject, key: string): string | null => stringAt(body, key) ?? null;
const numberOrNull = (body: JsonObject, key: string): number | null => numberAt(body, key) ?? null;

const EXTRA = ["prompt_cache_key", "safety_identifier"];

/** The request's part of a response object, read back from it. */
const echoOf = (body: JsonObject): ResponsesEcho => {
  const reasoning = objectAt(body, "reasoning") ?? {};
  return {
    instructions: textOrNull(body, "instructions"),
    maxOutputTokens: numberOrNull(body, "max_output_tokens"),
    maxToolCalls: numberOrNull(body, "max_tool_calls"),
    model: stringAt(body, "model") ?? "",
    parallelToolCalls: body["parallel_tool_calls"] !== false,
    previousResponseId: textOrNull(body, "previous_response_id"),
    reasoning: { effort: textOrNull(reasoning, "effort"), summary: textOrNull(reasoning, "summary") },
    store: body["store"] !== false,
    temperature: numberOrNull(body, "temperature"),
    text: objectAt(body, "text") ?? {},
    toolChoice: body["tool_choice"],
    tools: objectsAt(body, "tools"),
    topP: numberOrNull(body, "top_p"),
    truncation: stringAt(body, "truncation") ?? "disabled",
    user: textOrNull(body, "user"),
    metadata: isObject(body["metadata"]) ? body["metadata"] : {},
    extra: Object.fromEntries(EXTRA.filter((key) => key in body).map((key) => [key, body[key]])),
  };
};

export interface KeptStream {
  /** The response object at the end. */
  readonly body: JsonObject;
  readonly events: readonly JsonObject[];
}

/** All frames behind a sequence number; -1 for all of them. */
export const replayResponse = ({ body, events }: KeptStream, after: number): string => {
  const encoder = createResponsesStreamEncoder({
    id: stringAt(body, "id") ?? "",
    created: numberAt(body, "created_at") ?? 0,
    echo: echoOf(body),
    completedAt: () => numberAt(body, "completed_at") ?? 0,
    after,
  });
  return encoder.push(events.map(revive));
};
