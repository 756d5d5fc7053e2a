// A picture run as a connection sees it: takes the visitor's place, writes a record for every batch, and lets go of everything
// when the connection does. Knows no transport. Invariant: once closed, a run asks nothing more of the upstream and its place
// is free.
import { addressGroup } from "../access/limits.ts";
import { GatewayError } from "../core/errors.ts";
import type { ImagineEvent, ImagineWish } from "../core/playground.ts";
import type { PlaygroundTask } from "../gateway/playground-tasks.ts";
import { createRecord, type RequestRecord } from "../gateway/record.ts";
import { hexId } from "../lib/ids.ts";
import { clientAddress } from "./client-address.ts";
import type { Call } from "./context.ts";
import { logRequest } from "./request-log.ts";
import { outcomeOf } from "./streaming.ts";

export interface RunStart {
  readonly wish: ImagineWish;
  readonly task?: PlaygroundTask<ImagineWish>;
  /** Whose place the run takes; a task's is that of whoever began it. */
  readonly visitor: string;
  readonly baseUrl: string;
  /** The address pattern that rows of the journal name. */
  readonly route: string;
  /** Ends the run as well. */
  readonly signal?: AbortSignal;
}

export interface OpenRun {
  readonly events: AsyncGenerator<ImagineEvent, void, void>;
  /** Ends the work; the events still tell the end. */
  stop(): void;
  /** Nobody reads any more. */
  close(): void;
}

/** Visitors are told apart by where they come from: the key is the same for all of them. */
export const visitorOf = (call: Call): string => addressGroup(clientAddress(call));

const gone = (): GatewayError => new GatewayError("client_closed", "The run was stopped.");

export const openRun = (call: Call, start: RunStart): OpenRun => {
  const { deps } = call;
  const { task, wish } = start;
  const book = deps.playground.imagine;
  const controller = new AbortController();
  const stop = () => controller.abort(gone());
  const limitMs = timeLeft(call, task);
  const leave = book.enter({ visitor: task?.visitor ?? start.visitor, stop, ...(task ? { task } : {}) });
  if (task) task.begunMs ??= deps.clock.monotonic();
  let told = 0;
  const run = {
    ...{ wish, limitMs, baseUrl: start.baseUrl },
    signal: start.signal ? AbortSignal.any([controller.signal, start.signal]) : controller.signal,
    number: () => (task ? ++task.told : ++told),
    openRecord: () => openRecord(call),
    closeRecord: (record: RequestRecord) => closeRecord(call, { record, route: start.route }),
  };
  async function* watched(): AsyncGenerator<ImagineEvent, void, void> {
    try {
      yield* deps.imagine(run);
    } finally {
      leave();
    }
  }
  const events = watched();
  return {
    events,
    stop,
    close() {
      stop();
      leave();
      void events.return();
    },
  };
};

/** Of the time that a task may run, over all its connections. */
const timeLeft = (call: Call, task: PlaygroundTask<ImagineWish> | undefined): number => {
  const { clock, playground } = call.deps;
  const allMs = call.deps.config().playground.run_seconds * 1000;
  if (!task || task.begunMs === null) return allMs;
  const leftMs = task.begunMs + allMs - clock.monotonic();
  if (leftMs > 0) return leftMs;
  playground.imagine.remove([task.id]);
  throw new GatewayError("task_not_found", "The task has run as long as it may (playground.run_seconds).");
};

const openRecord = ({ deps, request, record, principal }: Call): RequestRecord => {
  const own = createRecord({
    id: hexId("req_"),
    startedMs: deps.clock.monotonic(),
    method: request.method,
    path: record.path,
  });
  own.key = principal.id;
  own.stream = true;
  return own;
};

const closeRecord = ({ deps }: Call, { record, route }: { record: RequestRecord; route: string }): void => {
  record.outcome ??= record.error ? outcomeOf(record.error) : "finished";
  logRequest(deps, { record, route, quiet: false });
  deps.recorded?.(record, { route, auth: "visitor" });
};
