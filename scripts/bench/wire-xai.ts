// The official API as the HTTP/1.1 mock speaks it: POST /v1/responses as named server-sent events, and what a gateway asks at its
// start. Field order, ids and the events around the text as observed on api.x.ai (2025-11): reasoning without a readable word, one
// message, the bill. Invariant: sequence numbers count every event from 0, and every closing event repeats the whole text.
import type { UpstreamWire } from "./upstream-wire.ts";

export const XAI_MODEL = "grok-4.3";
/** Below the mock's address, where the other upstream's paths are. */
export const XAI_BASE = "/xai/v1";

const ID = "5a0c1e9e-7d3b-4c7e-9b1f-2f6a8d4e0b11";
const MESSAGE_ID = `msg_${ID}`;
const CREATED = 1_772_956_652;
/** Events before the first token. */
const OPENING_EVENTS = 6;
const PLACE = { content_index: 0, item_id: MESSAGE_ID, output_index: 1 };
const THOUGHT = { id: `rs_${ID}`, summary: [], type: "reasoning", status: "completed" };

function event(sequence: number, type: string, fields: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ sequence_number: sequence, type, ...fields })}\n\n`;
}

function response(status: string, output: readonly object[], usage: object | null): object {
  return {
    created_at: CREATED,
    id: ID,
    max_output_tokens: null,
    model: XAI_MODEL,
    object: "response",
    output,
    parallel_tool_calls: true,
    previous_response_id: null,
    reasoning: { effort: "low", summary: "auto" },
    temperature: null,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: null,
    usage,
    user: null,
    incomplete_details: null,
    status,
    store: false,
    metadata: {},
  };
}

function messageItem(status: string, content: readonly object[]): object {
  return { content, id: MESSAGE_ID, role: "assistant", type: "message", status };
}

function textPart(text: string): object {
  return { type: "output_text", text, logprobs: [], annotations: [] };
}

function usageOf(count: number): object {
  const [input, cached, reasoning] = [230, 64, 31];
  const output = count + reasoning;
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cached },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
    num_sources_used: 0,
    num_server_side_tools_used: 0,
    cost_in_usd_ticks: (input - cached) * 12_500 + cached * 2000 + output * 25_000,
  };
}

export const xaiWire: UpstreamWire = {
  name: "xai",
  contentType: "text/event-stream",
  opening() {
    const begun = { response: response("in_progress", [], null) };
    return [
      event(0, "response.created", begun),
      event(1, "response.in_progress", begun),
      event(2, "response.output_item.added", { item: { ...THOUGHT, status: "in_progress" }, output_index: 0 }),
      event(3, "response.output_item.done", { item: THOUGHT, output_index: 0 }),
      event(4, "response.output_item.added", { item: messageItem("in_progress", []), output_index: 1 }),
      event(5, "response.content_part.added", { ...PLACE, part: textPart("") }),
    ].join("");
  },
  token(index, text) {
    const { content_index, item_id, output_index } = PLACE;
    const fields = { content_index, delta: text, item_id, output_index, logprobs: [] };
    return event(OPENING_EVENTS + index, "response.output_text.delta", fields);
  },
  closing(count, message) {
    const item = messageItem("completed", [textPart(message)]);
    const next = OPENING_EVENTS + count;
    return [
      event(next, "response.output_text.done", { ...PLACE, text: message, logprobs: [] }),
      event(next + 1, "response.content_part.done", { ...PLACE, part: textPart(message) }),
      event(next + 2, "response.output_item.done", { item, output_index: 1 }),
      event(next + 3, "response.completed", { response: response("completed", [THOUGHT, item], usageOf(count)) }),
    ].join("");
  },
};

/** How often the text stands in the stream: as deltas and whole in each of the four closing events. */
export const XAI_TEXT_COPIES = 5;

const MODEL = {
  id: XAI_MODEL,
  aliases: [`${XAI_MODEL}-latest`],
  context_length: 1_000_000,
  created: 1_777_593_600,
  object: "model",
  owned_by: "xai",
  prompt_text_token_price: 12_500,
  cached_prompt_text_token_price: 2000,
  completion_text_token_price: 25_000,
};
const LANGUAGE_MODEL = {
  ...MODEL,
  fingerprint: "fp_5a0c1e9e7d",
  version: "1.0",
  input_modalities: ["text", "image"],
  output_modalities: ["text"],
  capabilities: { reasoning_effort: ["none", "low", "medium", "high"], default_reasoning_effort: "low" },
};
const KEY = {
  redacted_api_key: "xai-...0b11",
  user_id: ID,
  name: "bench",
  create_time: "2026-03-08T07:57:32.965278Z",
  team_id: ID,
  acls: ["api-key:model:*", "api-key:endpoint:*"],
  api_key_id: ID,
  team_blocked: false,
  api_key_blocked: false,
  api_key_disabled: false,
};
const PAGES: Readonly<Record<string, object>> = {
  "/api-key": KEY,
  "/models": { object: "list", data: [MODEL] },
  "/language-models": { models: [LANGUAGE_MODEL] },
  "/image-generation-models": { models: [] },
  "/video-generation-models": { models: [] },
};

/** What the API tells of a key and its models; null for any other path. */
export function xaiPage(path: string): string | null {
  const page = path.startsWith(XAI_BASE) ? PAGES[path.slice(XAI_BASE.length)] : undefined;
  return page ? JSON.stringify(page) : null;
}
