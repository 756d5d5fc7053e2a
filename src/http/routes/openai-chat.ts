// POST /v1/chat/completions: one request in, one body or one stream out. Knows no provider.
// Invariant: an answer that fails before its first visible piece has a true HTTP status.
import { showsReasoning } from "../../core/request.ts";
import { hexId } from "../../lib/ids.ts";
import { unixSeconds } from "../../lib/clock.ts";
import { parseChatRequest } from "../../protocols/openai/chat-request.ts";
import { collectChat, createChatStreamEncoder } from "../../protocols/openai/chat-response.ts";
import { explicitSession } from "../../protocols/openai/session-key.ts";
import { readJson } from "../body.ts";
import { baseUrl } from "../client-address.ts";
import type { Call, Route } from "../context.ts";
import { SSE_HEARTBEAT } from "../streaming.ts";

const MEGABYTE = 1024 * 1024;

const chatCompletions = async (call: Call): Promise<Response> => {
  const { config, deps, record } = call;
  const body = await readJson(call);
  const parsed = parseChatRequest(body, {
    maxAttachments: config.asset.max_attachments,
    maxAttachmentBytes: config.asset.max_attachments_mb * MEGABYTE,
  });
  const sessionKey = explicitSession(body, call.request.headers);
  const request = sessionKey === undefined ? parsed : { ...parsed, sessionKey };
  record.model = request.model;
  record.stream = request.stream;
  const id = hexId("chatcmpl-");
  const created = unixSeconds(deps.clock);
  const run = await deps.gateway.chat(request, {
    id,
    created,
    signal: call.signal,
    abort: call.abort,
    record,
    // Asked for only when there is a picture to link to.
    get baseUrl() {
      return baseUrl(call);
    },
  });
  const answer = {
    id,
    model: request.model,
    created,
    reasoningFormat: config.chat.reasoning_format,
    showReasoning: showsReasoning(request, config.app.thinking),
  };
  if (!request.stream) return Response.json(await collectChat(run.events, answer));
  const encoder = createChatStreamEncoder({ ...answer, includeUsage: request.includeUsage });
  call.hold();
  return deps.streams.respond({
    request: call.request,
    server: call.server,
    events: run.events,
    encode: encoder.push,
    heartbeat: SSE_HEARTBEAT,
    record,
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
    handle: chatCompletions,
  },
];
