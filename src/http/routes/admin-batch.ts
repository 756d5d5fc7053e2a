// Batch tasks as pages watch them: one stream of unnamed events, and a way to stop. Starts no task itself.
// Invariant: the first event is always the snapshot with its type, the last one always tells how the task ended.
import type { TaskEvent } from "../../admin/tasks.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Call, Route } from "../context.ts";
import { SSE_HEADERS } from "../streaming.ts";
import { adminPaths } from "./admin-paths.ts";

const PING = { text: ": ping\n\n", ms: 15_000 };

const unknown = (): GatewayError => new GatewayError("task_not_found", "Task not found");

const watch = (call: Call): Response => {
  const events = call.deps.tasks.attach(call.params["id"] ?? "");
  if (!events) throw unknown();
  call.hold();
  return call.deps.streams.pipe({
    request: call.request,
    server: call.server,
    pieces: written(events),
    headers: SSE_HEADERS,
    heartbeat: PING,
    record: call.record,
    onEnd: () => call.close(),
  });
};

/** Not a generator: one that is waiting could not be told to stop. */
const written = (events: AsyncIterator<TaskEvent, undefined>): AsyncIterator<string, undefined> => ({
  async next() {
    const step = await events.next();
    return step.done ? step : { done: false, value: `data: ${JSON.stringify(step.value)}\n\n` };
  },
  async return() {
    await events.return?.();
    return { done: true, value: undefined };
  },
});

const cancel = (call: Call): Response => {
  if (!call.deps.tasks.cancel(call.params["id"] ?? "")) throw unknown();
  return Response.json({ status: "success" });
};

export const adminBatchRoutes: readonly Route[] = [
  {
    method: "GET",
    ...adminPaths("/batch/:id/stream"),
    auth: "admin",
    queryCredential: true,
    quiet: true,
    summary: "Watch a batch task: snapshot, progress, then done, error or cancelled.",
    handle: watch,
  },
  {
    method: "POST",
    ...adminPaths("/batch/:id/cancel"),
    auth: "admin",
    summary: "Stop a batch task before its next item.",
    handle: cancel,
  },
];
