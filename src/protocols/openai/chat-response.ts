// The response half of POST /v1/chat/completions: a stream of chunks, or one body, from the same fold of events.
// Everything that does not change inside a stream is written once; a text delta costs one JSON.stringify. Knows no route.
// Invariant: a failure never looks like an end: in a stream it is an error frame, without a stream it is thrown.
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, FinishReason, Usage } from "../../core/events.ts";
import { openAiErrorFrame } from "../errors.ts";
import { type ChatSink, type Citation, createChatFold, type ReasoningFormat } from "./chat-fold.ts";

export interface ChatAnswerOptions {
  readonly id: string;
  /** As the caller wrote it. */
  readonly model: string;
  /** Unix seconds. */
  readonly created: number;
  readonly reasoningFormat: ReasoningFormat;
  readonly showReasoning: boolean;
}

export interface ChatStreamOptions extends ChatAnswerOptions {
  readonly includeUsage: boolean;
  /** Which of several answers this is; absent for the only one, whose end is the end of the stream. */
  readonly choice?: number;
}

export interface ChatStreamEncoder {
  /** The text of all frames of a batch; empty when none of its events is visible. */
  push(batch: EventBatch): string;
  /** True once the end of the answer or an error frame was written. */
  readonly ended: boolean;
}

export type ChatFinishReason = "stop" | "length" | "tool_calls" | "content_filter";

const FINISH: Readonly<Record<FinishReason, ChatFinishReason>> = {
  stop: "stop",
  length: "length",
  "tool-calls": "tool_calls",
  "content-filter": "content_filter",
  other: "stop",
};

const DONE = "data: [DONE]\n\n";

const formatOf = (options: ChatAnswerOptions): ReasoningFormat =>
  options.showReasoning ? options.reasoningFormat : "hidden";

/** What every chunk of a stream begins with. */
const headOf = ({ id, model, created }: ChatStreamOptions): string => {
  const head = JSON.stringify({ id, object: "chat.completion.chunk", created, model, system_fingerprint: null });
  return `data: ${head.slice(0, -1)}`;
};

/** The last frames of a stream, after all its answers have finished. */
export const chatStreamEnd = (options: ChatStreamOptions, usage: Usage | null): string =>
  options.includeUsage && usage !== null
    ? `${headOf(options)},"choices":[],"usage":${JSON.stringify(chatUsage(usage))}}\n\n${DONE}`
    : DONE;

/** The last frames of a stream that fails. */
export const chatStreamFailure = (error: GatewayError): string => openAiErrorFrame(error) + DONE;

export const createChatStreamEncoder = (options: ChatStreamOptions): ChatStreamEncoder => {
  const { includeUsage, choice } = options;
  const before = `${headOf(options)},"choices":[{"index":${choice ?? 0},"delta":`;
  const afterReason = `}]${includeUsage ? ',"usage":null' : ""}}\n\n`;
  const after = `,"logprobs":null,"finish_reason":null${afterReason}`;
  const beforeContent = `${before}{"content":`;
  const beforeReasoning = `${before}{"reasoning_content":`;
  const afterField = `}${after}`;
  let out = "";

  const sink: ChatSink = {
    content(text) {
      out += beforeContent + JSON.stringify(text) + afterField;
    },
    reasoning(text) {
      out += beforeReasoning + JSON.stringify(text) + afterField;
    },
    start() {
      out += `${before}{"role":"assistant","content":"","refusal":null}${after}`;
    },
    toolStart(index, call) {
      out += `${before}${JSON.stringify({ tool_calls: [{ index, ...toolCall(call) }] })}${after}`;
    },
    toolArguments(index, text) {
      out += `${before}${JSON.stringify({ tool_calls: [{ index, function: { arguments: text } }] })}${after}`;
    },
    finish({ reason, usage, citations }) {
      if (citations.length > 0) out += `${before}${JSON.stringify({ annotations: citations.map(annotation) })}${after}`;
      out += `${before}{},"logprobs":null,"finish_reason":"${FINISH[reason]}"${afterReason}`;
      if (choice === undefined) out += chatStreamEnd(options, usage);
    },
    failure(error) {
      out += chatStreamFailure(error);
    },
  };
  const fold = createChatFold(formatOf(options), sink);
  return {
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

export interface ChatUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details: { readonly cached_tokens: number; readonly audio_tokens: number };
  readonly completion_tokens_details: {
    readonly reasoning_tokens: number;
    readonly audio_tokens: number;
    readonly accepted_prediction_tokens: number;
    readonly rejected_prediction_tokens: number;
  };
  /** Only where the official API has charged for the answer. */
  readonly cost_in_usd_ticks?: number;
}

export const chatUsage = (usage: Usage): ChatUsage => ({
  prompt_tokens: usage.inputTokens,
  completion_tokens: usage.outputTokens,
  total_tokens: usage.inputTokens + usage.outputTokens,
  prompt_tokens_details: { cached_tokens: usage.cachedTokens, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoningTokens,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
  ...(usage.costTicks === undefined ? {} : { cost_in_usd_ticks: usage.costTicks }),
});

export interface ChatAnnotation {
  readonly type: "url_citation";
  readonly url_citation: {
    readonly start_index: number;
    readonly end_index: number;
    readonly url: string;
    readonly title: string;
  };
}

const annotation = ({ url, title, start, end }: Citation): ChatAnnotation => ({
  type: "url_citation",
  url_citation: { start_index: start, end_index: end, url, title },
});

export interface ChatToolCall {
  readonly id: string;
  readonly type: "function";
  readonly function: { readonly name: string; readonly arguments: string };
}

const toolCall = (call: { readonly id: string; readonly name: string }): ChatToolCall => ({
  id: call.id,
  type: "function",
  function: { name: call.name, arguments: "" },
});

export interface ChatCompletionBody {
  readonly id: string;
  readonly object: "chat.completion";
  readonly created: number;
  readonly model: string;
  readonly system_fingerprint: null;
  readonly choices: readonly [
    {
      readonly index: 0;
      readonly message: {
        readonly role: "assistant";
        readonly content: string | null;
        readonly refusal: null;
        readonly annotations: readonly ChatAnnotation[];
        readonly reasoning_content?: string;
        readonly tool_calls?: readonly ChatToolCall[];
      };
      readonly logprobs: null;
      readonly finish_reason: ChatFinishReason;
    },
  ];
  /** Absent only when nobody counted. */
  readonly usage?: ChatUsage;
}

/** Folds a whole answer into the body of a request without `stream`; rejects with the answer's failure. */
export const collectChat = async (
  events: AsyncIterable<EventBatch>,
  options: ChatAnswerOptions,
): Promise<ChatCompletionBody> => {
  const collector = createChatCollector(options);
  for await (const batch of events) collector.push(batch);
  return collector.body();
};

const createChatCollector = (options: ChatAnswerOptions) => {
  let content = "";
  let reasoning = "";
  let body: ChatCompletionBody | undefined;
  const calls: { id: string; name: string; arguments: string }[] = [];

  const sink: ChatSink = {
    start() {},
    content(text) {
      content += text;
    },
    reasoning(text) {
      reasoning += text;
    },
    toolStart(index, { id, name }) {
      calls[index] = { id, name, arguments: "" };
    },
    toolArguments(index, text) {
      const call = calls[index];
      if (call !== undefined) call.arguments += text;
    },
    finish({ reason, usage, citations }) {
      const tools = calls.map((call): ChatToolCall => ({
        id: call.id,
        type: "function",
        function: { name: call.name, arguments: call.arguments },
      }));
      body = {
        id: options.id,
        object: "chat.completion",
        created: options.created,
        model: options.model,
        system_fingerprint: null,
        choices: [
          {
            index: 0,
            message: {
              role: "assistant",
              content: content === "" && tools.length > 0 ? null : content,
              refusal: null,
              annotations: citations.map(annotation),
              ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
              ...(tools.length === 0 ? {} : { tool_calls: tools }),
            },
            logprobs: null,
            finish_reason: FINISH[reason],
          },
        ],
        ...(usage === null ? {} : { usage: chatUsage(usage) }),
      };
    },
    failure(error) {
      throw error;
    },
  };
  const fold = createChatFold(formatOf(options), sink);
  return {
    push(batch: EventBatch): void {
      for (const event of batch) fold.accept(event);
    },
    body(): ChatCompletionBody {
      if (body !== undefined) return body;
      throw new GatewayError("upstream_cut", "The upstream's answer ended early.");
    },
  };
};
