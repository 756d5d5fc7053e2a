// The response object of /v1/responses and the items in it: every key that OpenAI's schema requires, in one place, so that
// body, stream and stored copy cannot differ. Knows no event. Invariant: ids of items follow from the response's id, so
// that writing the same answer again gives the same bytes, and an item leads back to its response.
import type { GatewayError } from "../../core/errors.ts";
import type { Usage } from "../../core/events.ts";
import type { JsonObject } from "../../lib/json.ts";
import { toOpenAiError } from "../errors.ts";

export type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed";
export type ItemStatus = "in_progress" | "searching" | "generating" | "completed" | "incomplete" | "failed";

export interface UrlCitation {
  readonly type: "url_citation";
  readonly start_index: number;
  readonly end_index: number;
  readonly url: string;
  readonly title: string;
}

export interface SummaryText {
  readonly type: "summary_text";
  text: string;
}

export interface ReasoningItem {
  readonly id: string;
  readonly type: "reasoning";
  readonly summary: SummaryText[];
  /** The reasoning for its upstream, to be sent back with the conversation; only when the caller asked for it. */
  encrypted_content?: string;
  status: ItemStatus;
}

export interface OutputText {
  readonly type: "output_text";
  text: string;
  readonly annotations: UrlCitation[];
  readonly logprobs: readonly never[];
}

export interface MessageItem {
  readonly id: string;
  readonly type: "message";
  status: ItemStatus;
  readonly role: "assistant";
  readonly content: OutputText[];
}

export interface FunctionCallItem {
  readonly id: string;
  readonly type: "function_call";
  status: ItemStatus;
  readonly call_id: string;
  readonly name: string;
  arguments: string;
}

export type SearchAction =
  { readonly type: "search"; readonly query: string } | { readonly type: "open_page"; readonly url: string };

export interface WebSearchItem {
  readonly id: string;
  readonly type: "web_search_call";
  status: ItemStatus;
  readonly action: SearchAction;
}

export interface ImageGenerationItem {
  readonly id: string;
  readonly type: "image_generation_call";
  status: ItemStatus;
  /** Base64; null until the picture is there. */
  result: string | null;
}

export type OutputItem = ReasoningItem | MessageItem | FunctionCallItem | WebSearchItem | ImageGenerationItem;

/** What the response repeats of its request; JSON as it is sent. */
export interface ResponsesEcho {
  readonly instructions: string | null;
  readonly maxOutputTokens: number | null;
  readonly maxToolCalls: number | null;
  /** As the caller wrote it. */
  readonly model: string;
  readonly parallelToolCalls: boolean;
  readonly previousResponseId: string | null;
  readonly reasoning: { readonly effort: string | null; readonly summary: string | null };
  readonly store: boolean;
  readonly temperature: number | null;
  readonly text: JsonObject;
  readonly toolChoice: unknown;
  readonly tools: readonly unknown[];
  readonly topP: number | null;
  readonly truncation: string;
  readonly user: string | null;
  readonly metadata: JsonObject;
  /** Keys that are only repeated when they were sent. */
  readonly extra: JsonObject;
}

export interface ResponsesUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly cached_tokens: number; readonly cache_write_tokens: number };
  readonly output_tokens: number;
  readonly output_tokens_details: { readonly reasoning_tokens: number };
  readonly total_tokens: number;
  /** Only where the official API has charged for the answer. */
  readonly cost_in_usd_ticks?: number;
}

export interface ResponseError {
  readonly code: string;
  readonly message: string;
}

export interface ResponseObject {
  readonly id: string;
  readonly object: "response";
  readonly created_at: number;
  readonly completed_at: number | null;
  readonly status: ResponseStatus;
  readonly background: false;
  readonly error: ResponseError | null;
  readonly incomplete_details: { readonly reason: string } | null;
  readonly instructions: string | null;
  readonly max_output_tokens: number | null;
  readonly max_tool_calls: number | null;
  readonly model: string;
  readonly output: readonly OutputItem[];
  /** All text of the answer; the official clients make it themselves, others read it here. */
  readonly output_text: string;
  readonly parallel_tool_calls: boolean;
  readonly previous_response_id: string | null;
  readonly reasoning: ResponsesEcho["reasoning"];
  readonly service_tier: "default";
  readonly store: boolean;
  readonly temperature: number | null;
  readonly text: JsonObject;
  readonly tool_choice: unknown;
  readonly tools: readonly unknown[];
  readonly top_logprobs: 0;
  readonly top_p: number | null;
  readonly truncation: string;
  readonly usage: ResponsesUsage | null;
  readonly user: string | null;
  readonly metadata: JsonObject;
}

export interface ResponseHead {
  /** `resp_` and 32 hex digits. */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  readonly echo: ResponsesEcho;
}

export interface ResponseState {
  readonly status: ResponseStatus;
  readonly output: readonly OutputItem[];
  readonly completedAt: number | null;
  readonly error: ResponseError | null;
  readonly incomplete: string | null;
  readonly usage: Usage | null;
}

export const IN_PROGRESS: ResponseState = {
  status: "in_progress",
  output: [],
  completedAt: null,
  error: null,
  incomplete: null,
  usage: null,
};

export const outputText = (output: readonly OutputItem[]): string =>
  output
    .flatMap((item) => (item.type === "message" ? item.content : []))
    .map((part) => part.text)
    .join("");

export const responseObject = ({ id, created, echo }: ResponseHead, state: ResponseState): ResponseObject => ({
  id,
  object: "response",
  created_at: created,
  completed_at: state.completedAt,
  status: state.status,
  background: false,
  error: state.error,
  incomplete_details: state.incomplete === null ? null : { reason: state.incomplete },
  instructions: echo.instructions,
  max_output_tokens: echo.maxOutputTokens,
  max_tool_calls: echo.maxToolCalls,
  model: echo.model,
  output: state.output,
  output_text: outputText(state.output),
  parallel_tool_calls: echo.parallelToolCalls,
  previous_response_id: echo.previousResponseId,
  reasoning: echo.reasoning,
  service_tier: "default",
  store: echo.store,
  temperature: echo.temperature,
  text: echo.text,
  tool_choice: echo.toolChoice,
  tools: echo.tools,
  top_logprobs: 0,
  top_p: echo.topP,
  truncation: echo.truncation,
  usage: state.usage === null ? null : responsesUsage(state.usage),
  user: echo.user,
  metadata: echo.metadata,
  ...echo.extra,
});

export const responsesUsage = (usage: Usage): ResponsesUsage => ({
  input_tokens: usage.inputTokens,
  input_tokens_details: { cached_tokens: usage.cachedTokens, cache_write_tokens: 0 },
  output_tokens: usage.outputTokens,
  output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
  total_tokens: usage.inputTokens + usage.outputTokens,
  ...(usage.costTicks === undefined ? {} : { cost_in_usd_ticks: usage.costTicks }),
});

/** The words for `response.error`: OpenAI's own list is short, and clients act on these few. */
export const responseError = (error: GatewayError): ResponseError => {
  const { message } = toOpenAiError(error).body.error;
  if (error.code === "context_too_long") return { code: "context_length_exceeded", message };
  if (error.code === "content_policy_violation") return { code: "invalid_prompt", message };
  if (error.row.status === 429) return { code: "rate_limit_exceeded", message: withWait(message, error) };
  return { code: "server_error", message };
};

/** A frame has no Retry-After; coding agents read the time from the message. */
const withWait = (message: string, error: GatewayError): string => {
  const { retryAfterMs } = error.detail;
  if (retryAfterMs === undefined) return message;
  return `${message} Please try again in ${Math.max(1, Math.ceil(retryAfterMs / 1000))}s.`;
};

const PREFIX = {
  reasoning: "rs_",
  message: "msg_",
  function_call: "fc_",
  web_search_call: "ws_",
  image_generation_call: "ig_",
  compaction: "cmp_",
};

/** 32 hex digits behind the prefix: the response's first 28 and the item's number. */
const numbered = (prefix: string, responseId: string, index: number): string =>
  `${prefix}${responseId.slice("resp_".length, "resp_".length + 28)}${index.toString(16).padStart(4, "0")}`;

export const outputItemId = (type: keyof typeof PREFIX, responseId: string, index: number): string =>
  numbered(PREFIX[type], responseId, index);

/** Items of the input count from the upper half, so that no id stands for two items of one response. */
const FIRST_INPUT = 0x8000;

export const inputItemId = (type: string, responseId: string, index: number): string =>
  numbered(PREFIX[type as keyof typeof PREFIX] ?? "item_", responseId, FIRST_INPUT + index);
