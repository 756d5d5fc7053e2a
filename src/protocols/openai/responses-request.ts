// The request half of POST /v1/responses: one checked request from a parsed JSON body. What came before it (an earlier
// response, referred items) is put to it in responses-conversation.ts. Invariant: a known field is either served or refused
// with its own code and `param`, never ignored; unknown fields are ignored.
import { GatewayError } from "../../core/errors.ts";
import type { GenerationRequest, ResponseFormat } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { EFFORTS, parseThinking } from "./chat-request.ts";
import {
  given,
  looseBoolean,
  numberWithin,
  objectValue,
  oneOf,
  positiveInteger,
  refuse,
  requiredText,
} from "./field.ts";
import { parseMediaConfig } from "./media-config.ts";
import { parseResponseFormat } from "./response-format.ts";
import { parseDrawingTool } from "./responses-drawing-tool.ts";
import { type InputItem, parseInput } from "./responses-input.ts";
import type { ResponsesEcho } from "./responses-object.ts";
import { explicitSession } from "./session-key.ts";
import { parseToolFields } from "./tools.ts";

/** How long the answer is to be; `medium` asks for nothing special. */
export type Verbosity = "low" | "medium" | "high";

export interface ResponsesRequest {
  readonly echo: ResponsesEcho;
  readonly input: readonly InputItem[];
  /** Everything but the conversation. */
  readonly options: Omit<GenerationRequest, "messages">;
  readonly verbosity: Verbosity | null;
}

/** A compaction may be of a stored conversation alone. */
export interface ResponsesRules {
  readonly inputOptional: boolean;
}

/** `headers` are only looked at for the ids by which clients name their conversation. */
export const parseResponsesRequest = (
  body: unknown,
  headers: { get(name: string): string | null },
  { inputOptional }: ResponsesRules = { inputOptional: false },
): ResponsesRequest => {
  if (!isObject(body)) throw new GatewayError("invalid_json", "The request body must be a JSON object.");
  const model = requiredText(body, "model");
  const goesOn = given(body, "previous_response_id") !== undefined;
  const input = inputOptional && goesOn && given(body, "input") === undefined ? [] : parseInput(body);
  const stream = looseBoolean(given(body, "stream"), { code: "invalid_stream", param: "stream" });
  refuseUnavailable(body);
  const temperature = numberWithin(given(body, "temperature"), {
    code: "invalid_temperature",
    param: "temperature",
    min: 0,
    max: 2,
  });
  const topP = numberWithin(given(body, "top_p"), { code: "invalid_top_p", param: "top_p", min: 0, max: 1 });
  const maxTokens = wholeNumber(body, "max_output_tokens");
  const reasoning = parseReasoning(body);
  const text = parseText(given(body, "text"));
  const tools = parseToolFields(body, { drawing: true });
  const media = parseMediaConfig(body, model);
  const pictureWishes = { ...media.pictureWishes, ...parseDrawingTool(body["tools"]) };
  const cacheKey = textField(body, "prompt_cache_key");
  const sessionKey = explicitSession(body, headers);
  const wantsSealed = readInclude(given(body, "include")).includes(SEALED);
  return {
    input,
    verbosity: text.verbosity,
    options: {
      model,
      stream,
      ...(temperature === undefined ? {} : { temperature }),
      ...(topP === undefined ? {} : { topP }),
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...(text.format === undefined ? {} : { responseFormat: text.format }),
      ...(sessionKey === undefined ? {} : { sessionKey }),
      ...reasoning.options,
      ...(wantsSealed ? { wantsSealedReasoning: true } : {}),
      ...tools,
      ...media,
      ...(Object.keys(pictureWishes).length === 0 ? {} : { pictureWishes }),
    },
    echo: {
      model,
      instructions: textField(body, "instructions") ?? null,
      maxOutputTokens: maxTokens ?? null,
      maxToolCalls: wholeNumber(body, "max_tool_calls") ?? null,
      parallelToolCalls: optionalBoolean(body, "parallel_tool_calls") ?? true,
      previousResponseId: textField(body, "previous_response_id") ?? null,
      reasoning: reasoning.echo,
      store: optionalBoolean(body, "store") ?? true,
      temperature: temperature ?? null,
      text: text.echo,
      toolChoice: given(body, "tool_choice") ?? "auto",
      tools: Array.isArray(body["tools"]) ? body["tools"] : [],
      topP: topP ?? null,
      truncation: oneOf(given(body, "truncation") ?? "disabled", {
        code: "invalid_value",
        param: "truncation",
        allowed: ["auto", "disabled"],
      }),
      user: textField(body, "user") ?? null,
      metadata: parseMetadata(given(body, "metadata")),
      extra: repeated(body, cacheKey),
    },
  };
};

const textField = (body: JsonObject, param: string): string | undefined => {
  const value = given(body, param);
  if (value === undefined || typeof value === "string") return value;
  return refuse({ code: "invalid_value", param }, `'${param}' must be a string.`);
};

const wholeNumber = (body: JsonObject, param: string): number | undefined =>
  positiveInteger(given(body, param), { code: "invalid_value", param });

const optionalBoolean = (body: JsonObject, param: string): boolean | undefined => {
  const value = given(body, param);
  return value === undefined ? undefined : looseBoolean(value, { code: "invalid_value", param });
};

/** Keys that OpenAI repeats only for callers that use them. */
const repeated = (body: JsonObject, cacheKey: string | undefined): JsonObject => {
  const safety = textField(body, "safety_identifier");
  return {
    ...(cacheKey === undefined ? {} : { prompt_cache_key: cacheKey }),
    ...(safety === undefined ? {} : { safety_identifier: safety }),
  };
};

/** Things that cannot be had here: better a clear refusal than an answer that lacks them. */
const refuseUnavailable = (body: JsonObject): void => {
  const unavailable = (param: string, why: string) =>
    refuse({ code: "unsupported_parameter", param }, `'${param}' is not supported: ${why}`);
  if (optionalBoolean(body, "background") === true) {
    unavailable("background", "an answer lives as long as its request; use 'stream' for long ones.");
  }
  if (given(body, "conversation") !== undefined) unavailable("conversation", "use 'previous_response_id'.");
  if (given(body, "prompt") !== undefined) unavailable("prompt", "there are no stored prompts; send 'input'.");
  const logprobs = given(body, "top_logprobs");
  if (logprobs !== undefined && logprobs !== 0) unavailable("top_logprobs", "the upstream does not offer it.");
};

const SUMMARIES = ["auto", "concise", "detailed"] as const;

const parseReasoning = (body: JsonObject) => {
  const value = given(body, "reasoning");
  const fields = value === undefined ? {} : objectValue(value, { code: "invalid_value", param: "reasoning" });
  const asked = given(fields, "effort");
  const effort =
    asked === undefined
      ? undefined
      : oneOf(asked, { code: "invalid_reasoning_effort", param: "reasoning.effort", allowed: EFFORTS });
  const named = given(fields, "summary") === undefined ? "generate_summary" : "summary";
  const wish = given(fields, named);
  const summary =
    wish === undefined
      ? undefined
      : oneOf(wish, { code: "invalid_value", param: `reasoning.${named}`, allowed: SUMMARIES });
  const thinking = parseThinking(given(body, "thinking"));
  const show = effort === undefined ? (summary === undefined ? thinking : true) : effort !== "none";
  const options: Pick<GenerationRequest, "reasoningEffort" | "showReasoning"> = {
    ...(effort === undefined ? {} : { reasoningEffort: effort }),
    ...(show === undefined ? {} : { showReasoning: show }),
  };
  return { options, echo: { effort: effort ?? null, summary: summary ?? null } };
};

const VERBOSITIES: readonly Verbosity[] = ["low", "medium", "high"];

interface TextFields {
  readonly format: ResponseFormat | undefined;
  readonly verbosity: Verbosity | null;
  readonly echo: JsonObject;
}

const parseText = (value: unknown): TextFields => {
  const fields = value === undefined ? {} : objectValue(value, { code: "invalid_value", param: "text" });
  const format = parseResponseFormat(given(fields, "format"), "text.format");
  const echo = given(fields, "format") ?? { type: "text" };
  const asked = given(fields, "verbosity");
  if (asked === undefined) return { format, verbosity: null, echo: { format: echo } };
  const verbosity = oneOf(asked, { code: "invalid_value", param: "text.verbosity", allowed: VERBOSITIES });
  return { format, verbosity, echo: { format: echo, verbosity } };
};

const MOST_ENTRIES = 16;

const parseMetadata = (value: unknown): JsonObject => {
  if (value === undefined) return {};
  const metadata = objectValue(value, { code: "invalid_value", param: "metadata" });
  if (Object.keys(metadata).length > MOST_ENTRIES) {
    refuse({ code: "invalid_value", param: "metadata" }, `'metadata' may have at most ${MOST_ENTRIES} entries.`);
  }
  for (const [key, item] of Object.entries(metadata)) {
    if (typeof item === "string") continue;
    refuse({ code: "invalid_value", param: `metadata.${key.slice(0, 64)}` }, "Values of 'metadata' must be strings.");
  }
  return metadata;
};

/** Extras of items: those of tools that are not here add nothing, and logprobs cannot be had. */
const SEALED = "reasoning.encrypted_content";
const INCLUDES: readonly string[] = [
  SEALED,
  "web_search_call.action.sources",
  "web_search_call.results",
  "file_search_call.results",
  "code_interpreter_call.outputs",
  "computer_call_output.output.image_url",
  "message.input_image.image_url",
];

const readInclude = (value: unknown): readonly unknown[] => {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return refuse({ code: "invalid_value", param: "include" }, "'include' must be a list.");
  value.forEach((item: unknown, index) => {
    const param = `include.${index}`;
    if (item === "message.output_text.logprobs") {
      return refuse({ code: "unsupported_parameter", param }, "The upstream gives no logprobs.");
    }
    oneOf(item, { code: "invalid_value", param, allowed: INCLUDES });
  });
  return value;
};
