// /v1/public/imagine: picture runs that go on until they are stopped, told over server-sent events. The same over a WebSocket
// is public-imagine-socket.ts. Invariant: a reader who leaves ends the run.
import { GatewayError } from "../../core/errors.ts";
import type { ImagineWish } from "../../core/playground.ts";
import type { PlaygroundTask } from "../../gateway/playground-tasks.ts";
import { pullStream, readFrom } from "../../lib/pull.ts";
import { imagineEventFrame, parseImagine } from "../../protocols/openai/playground-imagine.ts";
import { readObject } from "../body.ts";
import { baseUrl } from "../client-address.ts";
import type { Call, Route } from "../context.ts";
import { openRun, visitorOf } from "../playground-run.ts";
import { SSE_HEADERS, SSE_HEARTBEAT } from "../streaming.ts";
import { publicPaths, taskIdsOf } from "./public-paths.ts";

const wishOf = (call: Call, fields: Readonly<Record<string, unknown>>): ImagineWish =>
  parseImagine(fields, { adultAllowed: call.config.image.nsfw });

/** A client that repeats a start after a lost answer names it, and gets the same task. */
const onceOf = (call: Call): string | null => call.request.headers.get("idempotency-key");

const start = async (call: Call): Promise<Response> => {
  const wish = wishOf(call, await readObject(call));
  const bytes = wish.prompt.length * 2;
  const task = call.deps.playground.imagine.start({ visitor: visitorOf(call), wish, bytes, once: onceOf(call) });
  return Response.json({ task_id: task.id, aspect_ratio: task.wish.ratio });
};

const EVENTS = "/v1/public/imagine/sse";

const events = (call: Call): Response => {
  const { deps, config, url } = call;
  const id = url.searchParams.get("task_id");
  const task: PlaygroundTask<ImagineWish> | undefined = id === null ? undefined : deps.playground.imagine.find(id);
  const wish = task?.wish ?? wishOf(call, Object.fromEntries(url.searchParams));
  // Asking for the headers must not draw.
  if (call.request.method === "HEAD") return new Response(null, { headers: SSE_HEADERS });
  const run = openRun(call, {
    ...{ wish, route: EVENTS, visitor: visitorOf(call), baseUrl: baseUrl(call), signal: call.signal },
    ...(task ? { task } : {}),
  });
  const pieces = pullStream(async () => {
    const event = await readFrom(run.events);
    return event && imagineEventFrame(event);
  }, run.close);
  call.hold();
  return deps.streams.pipe({
    ...{ request: call.request, server: call.server, record: call.record, pieces, headers: SSE_HEADERS },
    heartbeat: { text: SSE_HEARTBEAT, ms: config.chat.heartbeat_seconds * 1000 },
    onEnd: call.close,
  });
};

const stop = async (call: Call): Promise<Response> => {
  const { task_ids: named } = await readObject(call);
  if (!Array.isArray(named)) {
    throw new GatewayError("invalid_value", "'task_ids' must be a list of ids.", { param: "task_ids" });
  }
  return Response.json({ status: "success", removed: call.deps.playground.imagine.remove(taskIdsOf(named)) });
};

const settings = ({ config }: Call): Response =>
  Response.json({
    final_min_bytes: config.image.final_min_bytes,
    medium_min_bytes: config.image.medium_min_bytes,
    nsfw: config.image.nsfw,
    max_runs: config.playground.max_runs,
  });

const common = { auth: "visitor", toggle: "enable_images" } as const;

export const publicImagineRoutes: readonly Route[] = [
  {
    ...common,
    ...publicPaths("/imagine/start"),
    method: "POST",
    summary: "Begins a picture run: answers with the id of a task to read.",
    handle: start,
  },
  {
    ...common,
    ...publicPaths("/imagine/sse"),
    method: "GET",
    queryCredential: true,
    generates: true,
    summary: "The pictures of a task (?task_id=), or of ?prompt=, as events until it is stopped.",
    handle: events,
  },
  {
    ...common,
    ...publicPaths("/imagine/stop"),
    method: "POST",
    summary: "Stops picture runs by the ids of their tasks.",
    handle: stop,
  },
  {
    ...publicPaths("/imagine/config"),
    method: "GET",
    auth: "public",
    toggle: "enable_images",
    summary: "What the page may offer: limits of its filter, adult content, runs at once.",
    handle: settings,
  },
];
