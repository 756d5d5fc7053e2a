// The response half of POST /v1/messages: a stream of named events, or one body, from the same fold of events.
// A text delta costs one JSON.stringify. Knows no route. Invariants: nothing stands before `message_start` and nothing after
// `message_stop`; a failure never looks like an end: in a stream it is an error event, without a stream it is thrown.
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, FinishReason } from "../../core/events.ts";
import { parseObject } from "../../lib/json.ts";
import { anthropicErrorFrame } from "../errors.ts";
import { type AnswerEnd, type AnswerSink, type BlockStart, createAnswerFold } from "./answer-fold.ts";

export interface MessagesAnswerOptions {
  readonly id: string;
  /** As the caller wrote it. */
  readonly model: string;
  /** Counted before anything is generated; the stream begins with it. */
  readonly inputTokens: number;
  readonly showThinking: boolean;
  /** The stop sequences of the request: a match is named in the answer. */
  readonly stop: readonly string[];
}

export interface MessagesStreamEncoder {
  /** The text of all frames of a batch; empty when none of its events is visible. */
  push(batch: EventBatch): string;
  /** What may be written in a silence: a ping, or only a comment as long as the message has not begun. */
  readonly heartbeat: string;
  /** True once the end of the answer or an error event was written. */
  readonly ended: boolean;
}

export type StopReason = "end_turn" | "max_tokens" | "stop_sequence" | "tool_use" | "refusal";

export interface MessagesUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
}

export type ContentBlock =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: object };

export interface MessageBody {
  readonly id: string;
  readonly type: "message";
  readonly role: "assistant";
  readonly model: string;
  readonly content: readonly ContentBlock[];
  readonly stop_reason: StopReason | null;
  readonly stop_sequence: string | null;
  readonly usage: MessagesUsage;
}

const REASON: Readonly<Record<FinishReason, StopReason>> = {
  stop: "end_turn",
  length: "max_tokens",
  "tool-calls": "tool_use",
  "content-filter": "refusal",
  other: "end_turn",
};

type Stop = Pick<MessageBody, "stop_reason" | "stop_sequence">;

const stopOf = ({ reason, raw }: AnswerEnd, stop: readonly string[]): Stop =>
  reason === "stop" && raw !== null && stop.includes(raw)
    ? { stop_reason: "stop_sequence", stop_sequence: raw }
    : { stop_reason: REASON[reason], stop_sequence: null };

const usageOf = (inputTokens: number, outputTokens: number): MessagesUsage => ({
  input_tokens: inputTokens,
  output_tokens: outputTokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
});

const frame = (type: string, fields: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;

const PING = frame("ping", {});
const COMMENT = ": keepalive\n\n";

/** A block as it stands before its first delta. */
const emptyBlock = (block: BlockStart): ContentBlock => {
  switch (block.type) {
    case "thinking":
      return { type: "thinking", thinking: "", signature: "" };
    case "text":
      return { type: "text", text: "" };
    case "tool_use":
      return { type: "tool_use", id: block.id, name: block.name, input: {} };
    default:
      return block satisfies never;
  }
};

export const createMessagesStreamEncoder = (options: MessagesAnswerOptions): MessagesStreamEncoder => {
  const { id, model, inputTokens, showThinking } = options;
  let out = "";
  const delta = (index: number, fields: object) => {
    out += frame("content_block_delta", { index, delta: fields });
  };

  const sink: AnswerSink = {
    start() {
      // One token is what a message that has just begun is said to have; the true number comes with `message_delta`.
      const message = emptyMessage({ id, model, usage: usageOf(inputTokens, 1) });
      out += frame("message_start", { message }) + PING;
    },
    blockStart(index, block) {
      out += frame("content_block_start", { index, content_block: emptyBlock(block) });
    },
    text(index, text) {
      out += `event: content_block_delta\ndata: {"type":"content_block_delta","index":${index},"delta":{"type":"text_delta","text":${JSON.stringify(text)}}}\n\n`;
    },
    thinking: (index, thinking) => delta(index, { type: "thinking_delta", thinking }),
    signature: (index, signature) => delta(index, { type: "signature_delta", signature }),
    toolInput: (index, json) => delta(index, { type: "input_json_delta", partial_json: json }),
    blockStop(index) {
      out += frame("content_block_stop", { index });
    },
    finish(end) {
      const usage = { output_tokens: end.usage?.outputTokens ?? 0 };
      out += frame("message_delta", { delta: stopOf(end, options.stop), usage }) + frame("message_stop", {});
    },
    failure(error) {
      out += anthropicErrorFrame(error);
    },
  };
  const fold = createAnswerFold({ id, showThinking }, sink);
  return {
    get heartbeat() {
      return fold.started ? PING : COMMENT;
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

const emptyMessage = (about: Pick<MessageBody, "id" | "model" | "usage">): MessageBody => ({
  id: about.id,
  type: "message",
  role: "assistant",
  model: about.model,
  content: [],
  stop_reason: null,
  stop_sequence: null,
  usage: about.usage,
});

/** Folds a whole answer into the body of a request without `stream`; rejects with the answer's failure. */
export const collectMessage = async (
  events: AsyncIterable<EventBatch>,
  options: MessagesAnswerOptions,
): Promise<MessageBody> => {
  const collector = createCollector(options);
  for await (const batch of events) collector.push(batch);
  return collector.body();
};

interface OpenBlock {
  readonly start: BlockStart;
  text: string;
  signature: string;
}

const closedBlock = ({ start, text, signature }: OpenBlock): ContentBlock => {
  switch (start.type) {
    case "thinking":
      return { type: "thinking", thinking: text, signature };
    case "text":
      return { type: "text", text };
    case "tool_use":
      return { type: "tool_use", id: start.id, name: start.name, input: inputOf(text) };
    default:
      return start satisfies never;
  }
};

/** Arguments are a JSON object by the time they come here; an empty text is the call without any. */
const inputOf = (json: string): object => {
  const input = parseObject(json === "" ? "{}" : json);
  if (input !== undefined) return input;
  throw new GatewayError("upstream_malformed", "The arguments of a tool call are not a JSON object.");
};

const createCollector = (options: MessagesAnswerOptions) => {
  const blocks: OpenBlock[] = [];
  let body: MessageBody | undefined;
  const add = (index: number, text: string) => {
    const block = blocks[index];
    if (block !== undefined) block.text += text;
  };

  const sink: AnswerSink = {
    start() {},
    blockStart(index, start) {
      blocks[index] = { start, text: "", signature: "" };
    },
    text: add,
    thinking: add,
    toolInput: add,
    signature(index, signature) {
      const block = blocks[index];
      if (block !== undefined) block.signature = signature;
    },
    blockStop() {},
    finish(end) {
      const usage = usageOf(end.usage?.inputTokens ?? options.inputTokens, end.usage?.outputTokens ?? 0);
      body = {
        ...emptyMessage({ id: options.id, model: options.model, usage }),
        content: blocks.map(closedBlock),
        ...stopOf(end, options.stop),
      };
    },
    failure(error) {
      throw error;
    },
  };
  const fold = createAnswerFold(options, sink);
  return {
    push(batch: EventBatch): void {
      for (const event of batch) fold.accept(event);
    },
    body(): MessageBody {
      if (body !== undefined) return body;
      throw new GatewayError("upstream_cut", "The upstream's answer ended early.");
    },
  };
};
