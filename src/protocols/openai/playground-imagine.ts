// The wire format of the playground's picture runs: how one is asked for (JSON, query or socket frame), and the frames that
// tell it, which are the same over server-sent events and a WebSocket. Knows no transport.
// Invariant: a picture frame holds the bytes and our own link, never an address of the upstream.
import type { ErrorCode, GatewayError } from "../../core/errors.ts";
import { SIZE_RATIOS } from "../../core/media-request.ts";
import type { ImagineEvent, ImagineWish } from "../../core/playground.ts";
import { type JsonObject, parseObject, stringAt } from "../../lib/json.ts";
import { toOpenAiError } from "../errors.ts";
import { given, oneOf, refuse } from "./field.ts";
import { formBoolean, parseRatio, wholeNumber } from "./media-fields.ts";

const DEFAULT_RATIO = "2:3";
const MAX_PROMPT = 32_000;
const MOST = 1_000;

/** `adultAllowed`: whether the operator lets visitors ask for adult content. */
export const parseImagine = (fields: JsonObject, { adultAllowed }: { adultAllowed: boolean }): ImagineWish => {
  const count = given(fields, "count") ?? given(fields, "n");
  const ratio = ratioOf(fields);
  return {
    prompt: promptOf(fields),
    ratio,
    adult: parseAdult(given(fields, "nsfw"), adultAllowed),
    quality: parseQuality(given(fields, "quality")),
    batches: formBoolean(given(fields, "batches"), { code: "invalid_value", param: "batches" }),
    count:
      count === undefined || count === ""
        ? null
        : wholeNumber(count, { code: "invalid_n", param: "count", min: 1, max: MOST, fallback: 1 }),
  };
};

const promptOf = (fields: JsonObject): string => {
  const value = given(fields, "prompt");
  const param = "prompt";
  if (value !== undefined && typeof value !== "string") {
    return refuse({ code: "invalid_value", param }, "'prompt' must be a string.");
  }
  if (value === undefined || value.trim() === "")
    return refuse({ code: "empty_prompt", param }, "Prompt cannot be empty");
  if (value.length <= MAX_PROMPT) return value;
  return refuse({ code: "invalid_value", param }, `'prompt' may have ${MAX_PROMPT} characters.`);
};

/** A size may stand for its ratio, also under the ratio's name. */
const ratioOf = (fields: JsonObject): string => {
  const wanted = given(fields, "aspect_ratio");
  const bySize = typeof wanted === "string" ? SIZE_RATIOS[wanted.trim().toLowerCase()] : undefined;
  return bySize ?? parseRatio(fields, { fallback: DEFAULT_RATIO }).ratio ?? DEFAULT_RATIO;
};

const parseAdult = (value: unknown, allowed: boolean): boolean | null => {
  if (value === undefined || value === "") return null;
  const adult = formBoolean(value, { code: "invalid_value", param: "nsfw" });
  return adult && !allowed ? refuseAdult("nsfw") : adult;
};

export const refuseAdult = (param: string): never =>
  refuse({ code: "permission_denied", param }, "Adult content is switched off on this server (image.nsfw).");

const parseQuality = (value: unknown): boolean => {
  if (value === undefined || value === "") return false;
  const allowed = ["speed", "quality"] as const;
  return oneOf(value, { code: "invalid_value", param: "quality", allowed }) === "quality";
};

/** What a client says over the socket. */
export type ImagineCommand =
  { readonly type: "start"; readonly fields: JsonObject } | { readonly type: "stop" } | { readonly type: "ping" };

/** Null with the reason for a frame that says nothing. */
export const readCommand = (text: string): ImagineCommand | { readonly type: "refused"; readonly frame: string } => {
  const frame = parseObject(text);
  if (!frame) return refused("invalid_payload", "A frame must be a JSON object.");
  const type = stringAt(frame, "type");
  if (type === "start") return { type, fields: frame };
  if (type === "stop" || type === "ping") return { type };
  return refused("invalid_action", "The frame's 'type' must be start, stop or ping.");
};

const refused = (code: string, message: string) =>
  ({ type: "refused", frame: JSON.stringify({ type: "error", message, code }) }) as const;

export const PONG = JSON.stringify({ type: "pong" });

/** Names under which pages have known these failures for long; others keep their own. */
const OLD_NAMES: Partial<Record<ErrorCode, string>> = {
  no_available_account: "rate_limit_exceeded",
  upstream_rate_limited: "rate_limit_exceeded",
  account_quota: "rate_limit_exceeded",
  upstream_empty: "empty_image",
  image_generation_incomplete: "empty_image",
  model_not_found: "model_not_supported",
};

/** A failure during a run. */
const runCode = (error: GatewayError): string => {
  const old = OLD_NAMES[error.code];
  if (old !== undefined) return old;
  return error.row.blame === "request" || error.row.blame === "gateway" ? error.code : "internal_error";
};

const errorObject = (error: GatewayError, code: string): JsonObject => {
  const { message, param } = toOpenAiError(error).body.error;
  return { type: "error", message, code, ...(param === null ? {} : { param }) };
};

/** A frame for a command that was refused, before anything ran. */
export const refusedFrame = (error: GatewayError): string =>
  JSON.stringify(errorObject(error, error.code === "empty_prompt" ? "invalid_prompt" : error.code));

/** One frame as JSON. */
export const imagineFrame = (event: ImagineEvent): string => {
  switch (event.type) {
    case "running":
      return JSON.stringify({
        ...{ type: "status", status: "running", prompt: event.wish.prompt },
        ...{ aspect_ratio: event.wish.ratio, run_id: event.runId },
      });
    case "picture":
      return JSON.stringify({
        ...{ type: "image", b64_json: event.base64, url: event.link, sequence: event.sequence },
        ...{ created_at: event.createdMs, elapsed_ms: event.elapsedMs, aspect_ratio: event.ratio },
        run_id: event.runId,
      });
    case "batch-begun":
      return JSON.stringify({ type: "batch", status: "drawing", count: event.count, run_id: event.runId });
    case "batch-over": {
      const { withheld, missing } = event;
      return JSON.stringify({ type: "batch", status: "done", withheld, missing, run_id: event.runId });
    }
    case "failed":
      return JSON.stringify({ ...errorObject(event.error, runCode(event.error)), run_id: event.runId });
    case "ended":
      return JSON.stringify({
        ...{ type: "status", status: event.how, run_id: event.runId },
        ...(event.reason ? { reason: event.reason } : {}),
      });
  }
};

/** The same frame in a stream of events. */
export const imagineEventFrame = (event: ImagineEvent): string => `data: ${imagineFrame(event)}\n\n`;
