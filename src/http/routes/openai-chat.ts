// POST /v1/chat/completions: one request in, one body or one stream out. Knows no provider.
// Invariant: an answer that fails before its first visible piece has a true HTTP status.
import type { EventBatch, GenerationStream } from "../../core/events.ts";
import { type GenerationRequest, showsReasoning } from "../../core/request.ts";
import { runChoices, type Choices } from "../../gateway/choices.ts";
import type { CallContext } from "../../gateway/port.ts";
import { hexId } from "../../lib/ids.ts";
import { unixSeconds } from "../../lib/clock.ts";
import { type ChatChoicesBody, createChoicesEncoder, mergeChatBodies } from "../../protocols/openai/chat-choices.ts";
import { parseChatRequest } from "../../protocols/openai/chat-request.ts";
import { type ChatAnswerOptions, collectChat, createChatStreamEncoder } from "../../protocols/openai/chat-response.ts";
import { explicitSession } from "../../protocols/openai/session-key.ts";
import { readJson } from "../body.ts";
import { baseUrl } from "../client-address.ts";
import type { Call, Route } from "../context.ts";
import { SSE_HEARTBEAT } from "../streaming.ts";

const MEGABYTE = 1024 * 1024;

/** `check` throws what a door of its own has against a request. */
export const chatCompletions = async (call: Call, check?: (request: GenerationRequest) => void): Promise<Response> => {
  const { config, deps, record } = call;
  const body = await readJson(call);
  const parsed = parseChatRequest(body, {
    maxAttachments: config.asset.max_attachments,
    maxAttachmentBytes: config.asset.max_attachments_mb * MEGABYTE,
  });
  check?.(parsed);
  const sessionKey = explicitSession(body, call.request.headers);
  const request = sessionKey === undefined ? parsed : { ...parsed, sessionKey };
  record.model = request.model;
  record.stream = request.stream;
  const id = hexId("chatcmpl-");
  const created = unixSeconds(deps.clock);
  const context: CallContext = {
    id,
    created,
    signal: call.signal,
    abort: call.abort,
    record,
    // Asked for only when there is a picture to link to.
    get baseUrl() {
      return baseUrl(call);
    },
  };
  const answer = {
    id,
    model: request.model,
    created,
    reasoningFormat: config.chat.reasoning_format,
    showReasoning: showsReasoning(request, config.app.thinking),
  };
  const options = { ...answer, includeUsage: request.includeUsage };
  const count = request.choices;
  if (count > 1) {
    const choices = await runChoices(deps.gateway, { request, context, count });
    if (!request.stream) return Response.json(await collectChoices(choices, answer));
    return stream(call, choices.merged, createChoicesEncoder(options, { count, partOf: choices.partOf }).push);
  }
  const run = await deps.gateway.chat(request, context);
  if (!request.stream) return Response.json(await collectChat(run.events, answer));
  return stream(call, run.events, createChatStreamEncoder(options).push);
};

const collectChoices = async (choices: Choices, answer: ChatAnswerOptions): Promise<ChatChoicesBody> => {
  try {
    return mergeChatBodies(await Promise.all(choices.answers.map((events) => collectChat(events, answer))));
  } finally {
    choices.close();
  }
};

const stream = (call: Call, events: GenerationStream, encode: (batch: EventBatch) => string): Response => {
  call.hold();
  return call.deps.streams.respond({
    request: call.request,
    server: call.server,
    events,
    encode,
    heartbeat: SSE_HEARTBEAT,
    record: call.record,
    abort: call.abort,
    onEnd: call.close,
  });
};

export const openaiChatRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/chat/completions",
    auth: "api",
    toggle: "enable_chat_completions",
    generates: true,
    summary: "Chat completion, streamed or whole (OpenAI's format).",
    handle: (call) => chatCompletions(call),
  },
];
