// The request half of POST /v1/chat/completions: one checked GenerationRequest from a parsed JSON body.
// Whether the model exists and who serves it is not known here. Invariant: a known field is either served or refused with
// its own code and `param`, never ignored; unknown fields are ignored.
import { GatewayError } from "../../core/errors.ts";
import type { GenerationRequest, ReasoningEffort } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { type AttachmentLimits, parseMessages } from "./chat-messages.ts";
import {
  given,
  looseBoolean,
  numberWithin,
  objectValue,
  oneOf,
  type Place,
  positiveInteger,
  refuse,
  requiredText,
} from "./field.ts";
import { parseMediaConfig } from "./media-config.ts";
import { parseResponseFormat } from "./response-format.ts";
import { parseToolFields } from "./tools.ts";

/** A GenerationRequest and what only the encoder of this protocol needs to know. */
export interface ChatRequest extends GenerationRequest {
  /** `stream_options.include_usage`: send the usage chunk. */
  readonly includeUsage: boolean;
  /** `n`: how many answers are wanted. */
  readonly choices: number;
}

export const EFFORTS: readonly ReasoningEffort[] = ["none", "minimal", "low", "medium", "high", "xhigh"];
const MAX_STOPS = 4;

export const parseChatRequest = (body: unknown, limits: AttachmentLimits): ChatRequest => {
  if (!isObject(body)) throw new GatewayError("invalid_json", "The request body must be a JSON object.");
  const model = requiredText(body, "model");
  const messages = parseMessages(body, limits);
  const stream = looseBoolean(given(body, "stream"), { code: "invalid_stream", param: "stream" });
  const includeUsage = parseStreamOptions(body, stream);
  const temperature = numberWithin(given(body, "temperature"), {
    code: "invalid_temperature",
    param: "temperature",
    min: 0,
    max: 2,
  });
  const topP = numberWithin(given(body, "top_p"), { code: "invalid_top_p", param: "top_p", min: 0, max: 1 });
  const choices = parseCount(body);
  const stop = parseStop(given(body, "stop"));
  const maxTokens = parseMaxTokens(body);
  const reasoning = parseReasoning(body);
  const toolFields = parseToolFields(body);
  const responseFormat = parseResponseFormat(given(body, "response_format"), "response_format");
  const webSearch = parseWebSearch(body) ?? toolFields.webSearch;
  refuseUnavailable(body);
  return {
    model,
    messages,
    stream,
    includeUsage,
    choices,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(stop.length === 0 ? {} : { stop }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...reasoning,
    ...toolFields,
    ...(responseFormat === undefined || responseFormat.type === "text" ? {} : { responseFormat }),
    ...(webSearch === undefined ? {} : { webSearch }),
    ...parseMediaConfig(body, model),
  };
};

const parseStreamOptions = (body: JsonObject, stream: boolean): boolean => {
  const value = given(body, "stream_options");
  if (value === undefined) return false;
  const place: Place = { code: "invalid_value", param: "stream_options" };
  const options = objectValue(value, place);
  if (!stream) return refuse(place, "'stream_options' is only allowed together with 'stream': true.");
  return looseBoolean(given(options, "include_usage"), { ...place, param: "stream_options.include_usage" });
};

/** Answers to one request; each is a call of its own upstream. */
const MAX_CHOICES = 4;

const parseCount = (body: JsonObject): number => {
  const value = given(body, "n") ?? 1;
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_CHOICES) return value;
  return refuse({ code: "invalid_n", param: "n" }, `'n' must be a whole number from 1 to ${MAX_CHOICES}.`);
};

const parseStop = (value: unknown): readonly string[] => {
  if (value === undefined) return [];
  const place: Place = { code: "invalid_value", param: "stop" };
  if (typeof value === "string") return value === "" ? refuse(place, "'stop' must not be empty.") : [value];
  if (!Array.isArray(value)) return refuse(place, "'stop' must be a string or a list of strings.");
  if (value.length > MAX_STOPS) return refuse(place, `'stop' may hold at most ${MAX_STOPS} strings.`);
  return value.map((item: unknown, index) =>
    typeof item === "string" && item !== ""
      ? item
      : refuse({ ...place, param: `stop.${index}` }, "Every entry of 'stop' must be a non-empty string."),
  );
};

/** Both names mean the same; the newer one wins, and each is checked under its own name. */
const parseMaxTokens = (body: JsonObject): number | undefined => {
  const read = (param: string) => positiveInteger(given(body, param), { code: "invalid_value", param });
  const older = read("max_tokens");
  return read("max_completion_tokens") ?? older;
};

type Reasoning = Pick<GenerationRequest, "reasoningEffort" | "showReasoning">;

const parseReasoning = (body: JsonObject): Reasoning => {
  const thinking = parseThinking(given(body, "thinking"));
  const effort = given(body, "reasoning_effort");
  if (effort === undefined) return thinking === undefined ? {} : { showReasoning: thinking };
  const reasoningEffort = oneOf(effort, {
    code: "invalid_reasoning_effort",
    param: "reasoning_effort",
    allowed: EFFORTS,
  });
  return { reasoningEffort, showReasoning: reasoningEffort !== "none" };
};

/** The older switch: "enabled", "disabled", or an object whose `type` says so. */
export const parseThinking = (value: unknown): boolean | undefined => {
  if (value === undefined) return undefined;
  const nested = isObject(value);
  const place: Place = { code: "invalid_value", param: nested ? "thinking.type" : "thinking" };
  return oneOf(nested ? value["type"] : value, { ...place, allowed: ["enabled", "disabled"] }) === "enabled";
};

/** OpenAI's `web_search_options`, xAI's `search_parameters` and a plain switch; absent leaves it to the upstream. */
const parseWebSearch = (body: JsonObject): boolean | undefined => {
  const place = (param: string): Place => ({ code: "invalid_value", param });
  const parameters = given(body, "search_parameters");
  if (parameters !== undefined) {
    const { mode } = objectValue(parameters, place("search_parameters"));
    const allowed = ["auto", "on", "off"] as const;
    const wish = oneOf(mode ?? "auto", { ...place("search_parameters.mode"), allowed });
    if (wish !== "auto") return wish === "on";
  }
  const options = given(body, "web_search_options");
  if (options !== undefined) {
    objectValue(options, place("web_search_options"));
    return true;
  }
  const plain = given(body, "web_search");
  return typeof plain === "boolean" ? plain : undefined;
};

/** Things that the upstream never delivers: better a clear refusal than an answer that lacks them. */
const refuseUnavailable = (body: JsonObject): void => {
  const unavailable = (param: string) =>
    refuse({ code: "unsupported_parameter", param }, `'${param}' is not supported: the upstream does not offer it.`);
  if (looseBoolean(given(body, "logprobs"), { code: "invalid_value", param: "logprobs" })) unavailable("logprobs");
  if (given(body, "top_logprobs") !== undefined) unavailable("top_logprobs");
  if (given(body, "audio") !== undefined) unavailable("audio");
  const modalities = given(body, "modalities");
  if (modalities === undefined) return;
  if (!Array.isArray(modalities))
    refuse({ code: "invalid_value", param: "modalities" }, "'modalities' must be a list.");
  else if (modalities.includes("audio")) unavailable("modalities");
};
