// /v1/public/video: a clip begun as a task and told once, as the chunks of a chat answer, while it is filmed.
// Invariants: a task is filmed once and forgotten at its end; a reader who leaves, or a stop, ends the filming.
import { asGatewayError, GatewayError } from "../../core/errors.ts";
import type { EventBatch, GenerationStream } from "../../core/events.ts";
import type { GenerationRequest } from "../../core/request.ts";
import type { CallContext } from "../../gateway/port.ts";
import { pullStream, readFrom } from "../../lib/pull.ts";
import { createChatStreamEncoder } from "../../protocols/openai/chat-response.ts";
import { parseVideoStart } from "../../protocols/openai/playground-video.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { callContext } from "../media-call.ts";
import { visitorOf } from "../playground-run.ts";
import { SSE_HEADERS, SSE_HEARTBEAT } from "../streaming.ts";
import { publicPaths, taskIdsOf } from "./public-paths.ts";

/** What a wish keeps in memory until it is filmed: above all the pictures that came along. */
const sizeOf = ({ messages }: GenerationRequest): number => {
  let bytes = 0;
  for (const part of messages.flatMap(({ content }) => content)) {
    if (part.type === "text") bytes += part.text.length * 2;
    else bytes += part.source.kind === "data" ? part.source.data.length : part.source.url.length * 2;
  }
  return bytes;
};

const start = async (call: Call): Promise<Response> => {
  const { request, ratio } = parseVideoStart(await readObject(call), { adultAllowed: call.config.image.nsfw });
  call.deps.checkClip(request);
  const task = call.deps.playground.video.start({
    ...{ visitor: visitorOf(call), wish: request, bytes: sizeOf(request) },
    once: call.request.headers.get("idempotency-key"),
  });
  return Response.json({ task_id: task.id, aspect_ratio: task.wish.clipWishes?.ratio ?? ratio });
};

/**
 * The answer as a stream from the first moment, begun before there is anything to tell: a page that listens for events sees no
 * HTTP status, and would not even know that it is connected.
 */
const told = (call: Call, { request, context }: { request: GenerationRequest; context: CallContext }) => {
  let begun = false;
  let events: GenerationStream | null = null;
  const pull = async (): Promise<EventBatch | null> => {
    if (!begun) {
      begun = true;
      return [{ type: "start", id: context.id, model: request.model, created: context.created }];
    }
    try {
      events ??= (await call.deps.gateway.chat(request, context)).events;
      const batch = await readFrom(events);
      return batch?.filter(({ type }) => type !== "start") ?? null;
    } catch (thrown) {
      return [{ type: "failure", error: asGatewayError(thrown) }];
    }
  };
  return pullStream(pull, () => void events?.return());
};

const events = (call: Call): Response => {
  const { deps, config, record } = call;
  const book = deps.playground.video;
  const task = book.find(call.url.searchParams.get("task_id") ?? "");
  if (call.request.method === "HEAD") return new Response(null, { headers: SSE_HEADERS });
  if (book.runs(task)) throw new GatewayError("conflict", "The clip of this task is being told already.");
  const stopped = new GatewayError("client_closed", "The run was stopped.");
  const context = callContext(call, "chatcmpl-");
  const leave = book.enter({ visitor: task.visitor, task, stop: () => call.abort(stopped) });
  const request = task.wish;
  record.model = request.model;
  record.stream = true;
  const showReasoning = request.showReasoning ?? true;
  const answer = { id: context.id, model: request.model, created: context.created, includeUsage: false };
  const reasoningFormat = config.chat.reasoning_format;
  call.hold();
  return deps.streams.respond({
    ...{ request: call.request, server: call.server, record, abort: call.abort },
    events: told(call, { request, context }),
    encode: createChatStreamEncoder({ ...answer, reasoningFormat, showReasoning }).push,
    heartbeat: SSE_HEARTBEAT,
    onEnd() {
      leave();
      book.remove([task.id]);
      call.close();
    },
  });
};

const stop = async (call: Call): Promise<Response> => {
  const { task_ids: named } = await readObject(call);
  if (!Array.isArray(named)) {
    throw new GatewayError("invalid_value", "'task_ids' must be a list of ids.", { param: "task_ids" });
  }
  return Response.json({ status: "success", removed: call.deps.playground.video.remove(taskIdsOf(named)) });
};

const common = { auth: "visitor", toggle: "enable_videos" } as const;

export const publicVideoRoutes: readonly Route[] = [
  {
    ...common,
    ...publicPaths("/video/start"),
    method: "POST",
    summary: "Begins a clip: answers with the id of a task to read.",
    handle: start,
  },
  {
    ...common,
    ...publicPaths("/video/sse"),
    method: "GET",
    queryCredential: true,
    generates: true,
    summary: "The clip of a task (?task_id=) as a streamed chat answer; once.",
    handle: events,
  },
  {
    ...common,
    ...publicPaths("/video/stop"),
    method: "POST",
    summary: "Stops clips by the ids of their tasks.",
    handle: stop,
  },
];
