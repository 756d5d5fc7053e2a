// The request half of POST /v1/messages and of its count_tokens: one checked GenerationRequest from a parsed JSON body.
// Whether the model exists and who serves it is not known here. Invariant: a known field is either served or refused with its
// place; unknown fields are ignored, because clients of this API send new beta fields with every version.
import { GatewayError } from "../../core/errors.ts";
import type { GenerationRequest, ReasoningEffort, ResponseFormat } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import type { AttachmentLimits } from "./attachments.ts";
import { parseConversation } from "./conversation.ts";
import { at, flag, fraction, given, list, object, oneOf, refuse, required, text, whole } from "./field.ts";
import { parseTools } from "./tools.ts";

const MAX_STOPS = 64;

export const parseMessagesRequest = (body: unknown, limits: AttachmentLimits): GenerationRequest => {
  const fields = bodyObject(body);
  const maxTokens = whole(required(fields["max_tokens"], "max_tokens"), { ...at("max_tokens"), min: 1 });
  const stop = parseStops(given(fields, "stop_sequences"));
  const temperature = fraction(given(fields, "temperature"), at("temperature", "invalid_temperature"));
  const topP = fraction(given(fields, "top_p"), at("top_p", "invalid_top_p"));
  // Checked like the rest, but the upstream has no such setting.
  const topK = given(fields, "top_k");
  if (topK !== undefined) whole(topK, { ...at("top_k"), min: 0 });
  return {
    ...parseCountRequest(fields, limits),
    stream: flag(given(fields, "stream"), at("stream", "invalid_stream")),
    maxTokens,
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(stop.length === 0 ? {} : { stop }),
    ...parseSession(given(fields, "metadata")),
  };
};

/** What of a request costs tokens before anything is generated: counting needs no `max_tokens`. */
export const parseCountRequest = (body: unknown, limits: AttachmentLimits): GenerationRequest => {
  const fields = bodyObject(body);
  // The one beta field that may not be ignored: the next request of such a conversation would come without its history.
  if (given(fields, "thread") !== undefined) {
    refuse(
      at("thread", "thread_unsupported"),
      "conversations are not held here; send the whole history without 'thread'",
    );
  }
  return {
    model: text(required(fields["model"], "model"), at("model")),
    messages: parseConversation(fields, limits),
    stream: false,
    ...parseTools(fields),
    ...parseThinking(fields),
    ...parseFormat(fields),
  };
};

const bodyObject = (body: unknown): JsonObject => {
  if (isObject(body)) return body;
  throw new GatewayError("invalid_json", "The request body must be a JSON object.");
};

const parseStops = (value: unknown): readonly string[] => {
  if (value === undefined) return [];
  const items = list(value, at("stop_sequences"));
  if (items.length > MAX_STOPS) refuse(at("stop_sequences"), `at most ${MAX_STOPS} are allowed`);
  return items.map((item, index) =>
    typeof item === "string" && item !== ""
      ? item
      : refuse(at(`stop_sequences.${index}`), "must be a string of at least one character"),
  );
};

const MAX_SESSION = 1024;

/** Coding agents put the session into the user's id, so the same id is the same conversation or at least the same caller. */
const parseSession = (metadata: unknown): Pick<GenerationRequest, "sessionKey"> => {
  if (metadata === undefined) return {};
  const user = given(object(metadata, at("metadata")), "user_id");
  if (user === undefined) return {};
  if (typeof user !== "string") return refuse(at("metadata.user_id"), "must be a string");
  const sessionKey = user.trim().slice(0, MAX_SESSION);
  return sessionKey === "" ? {} : { sessionKey };
};

type Reasoning = Pick<GenerationRequest, "reasoningEffort" | "showReasoning" | "wantsSealedReasoning">;

/** Thinking blocks appear only when they were asked for, whatever the operator's default is. */
const parseThinking = (body: JsonObject): Reasoning => {
  const effort = parseEffort(body);
  const value = given(body, "thinking");
  if (value === undefined)
    return { ...(effort === undefined ? {} : { reasoningEffort: effort }), showReasoning: false };
  const thinking = object(value, at("thinking"));
  const type = oneOf(thinking["type"], {
    ...at("thinking.type"),
    allowed: ["enabled", "adaptive", "between_tools", "disabled"],
  });
  if (type === "disabled") return { reasoningEffort: "none", showReasoning: false };
  const budget = given(thinking, "budget_tokens");
  const fromBudget =
    budget === undefined ? undefined : effortOf(whole(budget, { ...at("thinking.budget_tokens"), min: 1 }));
  const wanted = effort ?? fromBudget;
  return {
    ...(wanted === undefined ? {} : { reasoningEffort: wanted }),
    showReasoning: given(thinking, "display") !== "omitted",
    wantsSealedReasoning: true,
  };
};

const effortOf = (budgetTokens: number): ReasoningEffort => {
  if (budgetTokens <= 2_048) return "low";
  return budgetTokens <= 10_000 ? "medium" : "high";
};

const outputConfig = (body: JsonObject): JsonObject => {
  const value = given(body, "output_config");
  return value === undefined ? {} : object(value, at("output_config"));
};

const parseEffort = (body: JsonObject): ReasoningEffort | undefined => {
  const effort = given(outputConfig(body), "effort");
  if (effort === undefined) return undefined;
  const known = oneOf(effort, {
    ...at("output_config.effort", "invalid_reasoning_effort"),
    allowed: ["low", "medium", "high", "xhigh", "max"],
  });
  return known === "max" ? "xhigh" : known;
};

/** `output_format` is the older name of the same thing. */
const parseFormat = (body: JsonObject): { readonly responseFormat?: ResponseFormat } => {
  const nested = given(outputConfig(body), "format");
  const value = nested ?? given(body, "output_format");
  if (value === undefined) return {};
  const param = nested === undefined ? "output_format" : "output_config.format";
  const format = object(value, at(param));
  oneOf(format["type"], { ...at(`${param}.type`), allowed: ["json_schema"] });
  const schema = object(required(format["schema"], `${param}.schema`), at(`${param}.schema`));
  return { responseFormat: { type: "json_schema", name: "output", schema, strict: true } };
};
