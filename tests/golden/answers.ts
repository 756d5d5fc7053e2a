// How each protocol writes an answer for a test: the encoders with fixed ids and times, streamed and whole, and an answer that
// fails whole as the HTTP error that a caller would get. Knows no script. Invariant: a protocol is one row of PROTOCOLS, so that
// what is tested of one is tested of all.
import { asGatewayError } from "../../src/core/errors.ts";
import type { EventBatch } from "../../src/core/events.ts";
import { collectMessage, createMessagesStreamEncoder } from "../../src/protocols/anthropic/messages-response.ts";
import { toAnthropicError, toOpenAiError } from "../../src/protocols/errors.ts";
import {
  type ChatStreamOptions,
  collectChat,
  createChatStreamEncoder,
} from "../../src/protocols/openai/chat-response.ts";
import type { ResponsesEcho } from "../../src/protocols/openai/responses-object.ts";
import { collectResponse, createResponsesStreamEncoder } from "../../src/protocols/openai/responses-response.ts";
import { readResponsesStream } from "../support/responses-grammar.ts";
import { type ReadAnswer, readChatStream, readMessagesStream } from "../support/stream-grammar.ts";

/** What every response repeats of its request; kept small, because three frames of each stream repeat it. */
export const ECHO: ResponsesEcho = {
  model: "grok-4",
  instructions: null,
  maxOutputTokens: null,
  maxToolCalls: null,
  parallelToolCalls: true,
  previousResponseId: null,
  reasoning: { effort: null, summary: null },
  store: true,
  temperature: null,
  text: { format: { type: "text" } },
  toolChoice: "auto",
  tools: [],
  topP: null,
  truncation: "disabled",
  user: null,
  metadata: {},
  extra: {},
};

export const RESPONSES_HEAD = { id: "resp_00112233445566778899aabbccddeeff", created: 1760000000, echo: ECHO } as const;

export interface Presentation {
  readonly reasoningFormat: ChatStreamOptions["reasoningFormat"];
  readonly showReasoning: boolean;
  readonly includeUsage: boolean;
}

export const SHOWN: Presentation = { reasoningFormat: "reasoning_content", showReasoning: true, includeUsage: true };

export interface WrittenProtocol {
  readonly name: "chat" | "responses" | "messages";
  stream(events: EventBatch, how?: Presentation): string;
  /** Body and status of a request without a stream; every fault that is not the gateway's own error is thrown. */
  whole(events: EventBatch, how?: Presentation): Promise<{ readonly status: number; readonly body: object }>;
  /** Throws when the stream breaks the protocol's grammar. */
  read(text: string): ReadAnswer;
}

async function* once(events: EventBatch): AsyncGenerator<EventBatch, void, void> {
  yield events;
}

const answered = async (
  body: Promise<object>,
  toError: (thrown: ReturnType<typeof asGatewayError>) => { readonly status: number; readonly body: object },
) => {
  try {
    return { status: 200, body: await body };
  } catch (thrown) {
    const { status, body: envelope } = toError(asGatewayError(thrown));
    return { status, body: envelope };
  }
};

const chatOptions = (how: Presentation) => ({ id: "chatcmpl-1", model: "grok-4", created: 1760000000, ...how });
const responsesOptions = { ...RESPONSES_HEAD, completedAt: () => 1760000003 };
const messagesOptions = ({ showReasoning }: Presentation) => ({
  id: "msg_1",
  model: "grok-4",
  inputTokens: 12,
  showThinking: showReasoning,
  stop: ["three"],
});

export const PROTOCOLS: readonly WrittenProtocol[] = [
  {
    name: "chat",
    stream: (events, how = SHOWN) => createChatStreamEncoder(chatOptions(how)).push(events),
    whole: (events, how = SHOWN) => answered(collectChat(once(events), chatOptions(how)), toOpenAiError),
    read: readChatStream,
  },
  {
    name: "responses",
    stream: (events) => createResponsesStreamEncoder(responsesOptions).push(events),
    whole: (events) =>
      answered(
        collectResponse(once(events), responsesOptions).then(({ response }) => response),
        toOpenAiError,
      ),
    read: readResponsesStream,
  },
  {
    name: "messages",
    stream: (events, how = SHOWN) => createMessagesStreamEncoder(messagesOptions(how)).push(events),
    whole: (events, how = SHOWN) =>
      answered(collectMessage(once(events), messagesOptions(how)), (error) => toAnthropicError(error, "req_1")),
    read: readMessagesStream,
  },
];
