// Long jobs over many items: started at once, watched by anybody who knows the id, cancelled between two items. Lives in
// memory only; knows neither HTTP nor what an item is. Invariant: every item counts exactly once, a task ends exactly once,
// and whoever attaches later hears the same end.
import { asGatewayError, GatewayError } from "../core/errors.ts";
import { unixSeconds, type Clock } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";
import { mapLimited } from "../lib/lock.ts";
import type { Log } from "../lib/log.ts";
import { createTaskFeed, type TaskFeed } from "./task-feed.ts";

export type TaskStatus = "running" | "done" | "error" | "cancelled";

export interface TaskCounts {
  readonly task_id: string;
  readonly total: number;
  readonly processed: number;
  readonly ok: number;
  readonly fail: number;
}

/** An item that failed, without its secret. */
export interface TaskFailure {
  readonly item: string;
  readonly error: string;
  readonly detail?: unknown;
}

/** Progress may be over before anybody listens, and some of it is dropped for slow listeners: what failed comes again. */
interface Failures {
  /** Left out where nothing failed; the first ones of many. */
  readonly failures?: readonly TaskFailure[];
}

export interface TaskSnapshot extends TaskCounts {
  readonly status: TaskStatus;
  readonly warning: string | null;
}

export type TaskEvent =
  | ({ readonly type: "snapshot" } & TaskSnapshot & Failures)
  /** `item` names the item without its secret. */
  | ({
      readonly type: "progress";
      readonly item: string;
      readonly detail?: unknown;
      readonly error?: string;
    } & TaskCounts)
  | ({ readonly type: "done"; readonly warning: string | null; readonly result: unknown } & TaskCounts & Failures)
  | ({ readonly type: "error"; readonly error: string } & TaskCounts & Failures)
  | ({ readonly type: "cancelled" } & TaskCounts & Failures);

export interface TaskInfo extends TaskSnapshot {
  readonly kind: string;
  /** Unix seconds. */
  readonly created_at: number;
}

export interface ItemOutcome {
  readonly ok: boolean;
  /** Shown with the progress; holds no secret. */
  readonly detail?: unknown;
  readonly error?: string;
}

export interface TaskPlan<T> {
  readonly kind: string;
  readonly items: readonly T[];
  /** Items worked on at the same time. */
  readonly concurrency: number;
  /** What names an item in events. */
  readonly mask: (item: T) => string;
  /** What it throws counts as a failed item. The signal aborts when the program stops, not on a cancel. */
  readonly run: (item: T, signal: AbortSignal) => Promise<ItemOutcome>;
  /** The `result` of the last event, made when all items are through. */
  readonly result: (summary: { total: number; ok: number; fail: number }) => unknown;
  readonly warning?: string | null;
}

export interface Tasks {
  /** Throws `server_overloaded` when too many run. */
  start<T>(plan: TaskPlan<T>): TaskInfo;
  get(id: string): TaskInfo | null;
  /** The present state, then what happens, then the end. Null: no such task, or forgotten. */
  attach(id: string): AsyncIterableIterator<TaskEvent, undefined> | null;
  /** What runs is finished, the rest is left. False: no such task. */
  cancel(id: string): boolean;
  /** Ends all tasks; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

export interface TasksDeps {
  readonly clock: Pick<Clock, "now" | "every">;
  readonly log: Log;
}

const LIFE_AFTER_END_MS = 300_000;
const SWEEP_MS = 15_000;
const MAX_REMEMBERED = 100;
const MAX_RUNNING = 16;
const MAX_LISTENERS = 32;
const MAX_FAILURES = 2000;

interface Task {
  readonly id: string;
  readonly kind: string;
  readonly total: number;
  readonly createdAt: number;
  readonly warning: string | null;
  readonly stop: AbortController;
  readonly listeners: Set<TaskFeed<TaskEvent>>;
  readonly failures: TaskFailure[];
  ok: number;
  fail: number;
  cancelled: boolean;
  status: TaskStatus;
  last: TaskEvent | null;
  endedMs: number;
  work: Promise<void>;
}

const countsOf = ({ id, total, ok, fail }: Task): TaskCounts => ({
  task_id: id,
  total,
  processed: ok + fail,
  ok,
  fail,
});
const failuresOf = ({ failures }: Task): Failures => (failures.length > 0 ? { failures } : {});
const snapshotOf = (task: Task): TaskSnapshot => ({ ...countsOf(task), status: task.status, warning: task.warning });
const infoOf = (task: Task): TaskInfo => ({ ...snapshotOf(task), kind: task.kind, created_at: task.createdAt });

export const createTasks = ({ clock, log }: TasksDeps): Tasks => {
  const tasks = new Map<string, Task>();
  let stopSweeping: (() => void) | null = null;

  const sweep = () => {
    for (const task of tasks.values()) {
      if (task.status !== "running" && clock.now() - task.endedMs >= LIFE_AFTER_END_MS) tasks.delete(task.id);
    }
    if (tasks.size > 0) return;
    stopSweeping?.();
    stopSweeping = null;
  };
  const remembered = (id: string): Task | undefined => {
    sweep();
    return tasks.get(id);
  };
  const makeRoom = () => {
    sweep();
    const running = [...tasks.values()].filter(({ status }) => status === "running");
    if (running.length >= MAX_RUNNING) {
      throw new GatewayError("server_overloaded", `${running.length} batch tasks are running; wait for one to end.`, {
        retryAfterMs: 5_000,
      });
    }
    // The map is in order of start, and only ended tasks are in the way.
    for (const task of tasks.values()) {
      if (tasks.size < MAX_REMEMBERED) return;
      if (task.status !== "running") tasks.delete(task.id);
    }
  };

  const tell = (task: Task, event: TaskEvent) => {
    for (const listener of [...task.listeners]) listener.push(event);
  };
  const end = (task: Task, status: Exclude<TaskStatus, "running">, event: TaskEvent) => {
    task.status = status;
    task.endedMs = clock.now();
    task.last = event;
    tell(task, event);
    const { kind, id, total, ok, fail } = task;
    log.info("a batch task ended", { task: id, kind, status, total, ok, fail });
  };

  const runItem = async <T>(task: Task, plan: TaskPlan<T>, item: T): Promise<void> => {
    const outcome = await plan.run(item, task.stop.signal).catch((thrown: unknown): ItemOutcome => {
      const error = asGatewayError(thrown);
      if (error.code === "internal_error")
        log.error("an item of a batch task failed", { task: task.id, error: thrown });
      return { ok: false, error: error.message };
    });
    if (outcome.ok) task.ok++;
    else task.fail++;
    const { detail, error } = outcome;
    const about = { item: plan.mask(item), ...(detail === undefined ? {} : { detail }) };
    if (!outcome.ok && task.failures.length < MAX_FAILURES) task.failures.push({ ...about, error: error ?? "" });
    tell(task, { type: "progress", ...countsOf(task), ...about, ...(error === undefined ? {} : { error }) });
  };
  const work = async <T>(task: Task, plan: TaskPlan<T>): Promise<void> => {
    try {
      await mapLimited(plan.items, Math.max(1, plan.concurrency), async (item) => {
        if (!task.cancelled) await runItem(task, plan, item);
      });
      const { total, ok, fail } = task;
      if (ok + fail < total)
        return end(task, "cancelled", { type: "cancelled", ...countsOf(task), ...failuresOf(task) });
      const result = await plan.result({ total, ok, fail });
      end(task, "done", { type: "done", ...countsOf(task), warning: task.warning, result, ...failuresOf(task) });
    } catch (thrown) {
      log.error("a batch task failed", { task: task.id, kind: task.kind, error: thrown });
      const { message } = asGatewayError(thrown);
      end(task, "error", { type: "error", ...countsOf(task), error: message, ...failuresOf(task) });
    }
  };

  return {
    start(plan) {
      makeRoom();
      const task: Task = {
        id: hexId(""),
        kind: plan.kind,
        total: plan.items.length,
        createdAt: unixSeconds(clock),
        warning: plan.warning ?? null,
        stop: new AbortController(),
        listeners: new Set(),
        failures: [],
        ok: 0,
        fail: 0,
        cancelled: false,
        status: "running",
        last: null,
        endedMs: 0,
        work: Promise.resolve(),
      };
      tasks.set(task.id, task);
      stopSweeping ??= clock.every(SWEEP_MS, sweep);
      // Begins after the answer with the id is on its way.
      task.work = Promise.resolve().then(() => work(task, plan));
      return infoOf(task);
    },
    get(id) {
      const task = remembered(id);
      return task ? infoOf(task) : null;
    },
    attach(id) {
      const task = remembered(id);
      if (!task) return null;
      const feed: TaskFeed<TaskEvent> = createTaskFeed(() => task.listeners.delete(feed));
      if (task.listeners.size >= MAX_LISTENERS) [...task.listeners][0]?.end();
      feed.push({ type: "snapshot", ...snapshotOf(task), ...(task.last ? {} : failuresOf(task)) });
      if (task.last) feed.push(task.last);
      else task.listeners.add(feed);
      return feed.events;
    },
    cancel(id) {
      const task = remembered(id);
      if (task) task.cancelled = true;
      return task !== undefined;
    },
    async stop() {
      const running = [...tasks.values()];
      for (const task of running) {
        task.cancelled = true;
        task.stop.abort(new GatewayError("shutting_down", "The gateway is stopping."));
      }
      await Promise.all(running.map((task) => task.work));
      stopSweeping?.();
      stopSweeping = null;
    },
  };
};
