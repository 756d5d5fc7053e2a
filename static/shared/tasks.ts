// One long job of the gateway as the page follows it: started, watched, stopped, found again after a reload.
// Knows no kind of job. Invariant: the job goes on in the gateway whatever happens to this page; only `stop` ends it.
import { computed, signal } from "@preact/signals";
import type { TaskEvent, TaskFailure } from "../../src/admin/tasks.ts";
import { ApiError, ask, post, session } from "./api.ts";
import { keep, kept } from "./keeping.ts";
import { eventsOf } from "./sse.ts";

export interface TaskRun {
  readonly id: string;
  readonly label: string;
  readonly status: "running" | "done" | "error" | "cancelled" | "lost";
  readonly total: number;
  readonly processed: number;
  readonly ok: number;
  readonly fail: number;
  readonly failures: readonly TaskFailure[];
  readonly warning: string | null;
  readonly stopping: boolean;
}

const KEY = "grok2api.task";

/** The job that runs or ran last. */
export const task = signal<TaskRun | null>(null);

/** Begins the same job again for what failed; null where this page did not begin it. */
export const retry = signal<((ids: readonly string[]) => void) | null>(null);

/** Changes twice a job, not with each of its steps. */
export const taskRuns = computed(() => task.value?.status === "running");

type Ended = (run: TaskRun, result: unknown) => void;

export interface Started {
  readonly task_id?: string;
  readonly total?: number;
  readonly message?: string;
}

const update = (id: string, change: Partial<TaskRun>): void => {
  if (task.value?.id === id) task.value = { ...task.value, ...change };
};

interface Followed {
  readonly id: string;
  readonly total: number;
  readonly label: string;
  readonly again?: (ids: readonly string[]) => void;
}

/** Follows a job to its end and resolves then. */
export const follow = async ({ id, total, label, again }: Followed, ended: Ended): Promise<void> => {
  keep(KEY, JSON.stringify({ id, total, label }), "session");
  retry.value = again ?? null;
  task.value = {
    ...{ id, label, total, status: "running", processed: 0, ok: 0, fail: 0 },
    ...{ failures: [], warning: null, stopping: false },
  };
  let result: unknown = null;
  try {
    for await (const data of eventsOf(await ask("GET", `/batch/${id}/stream`))) {
      const event = JSON.parse(data) as TaskEvent;
      take(event);
      if (event.type === "done") ({ result } = event);
    }
  } catch (thrown) {
    // Also when the page is left; it is looked for again unless the gateway does not know it any more.
    if (thrown instanceof ApiError && thrown.status === 404) keep(KEY, null, "session");
  }
  if (task.value?.id !== id) return;
  if (task.value.status === "running") update(id, { status: "lost" });
  else keep(KEY, null, "session");
  const { status, fail } = task.value;
  if (status === "done" && fail === 0) setTimeout(() => forget(id), SHOWN_MS);
  ended(task.value, result);
};

/** Ids of what failed, where the job tells them. */
export const failedIds = ({ failures }: TaskRun): string[] =>
  failures.flatMap(({ detail }) =>
    typeof detail === "object" && detail !== null && "id" in detail && typeof detail.id === "string" ? [detail.id] : [],
  );

const take = (event: TaskEvent): void => {
  const { total, processed, ok, fail, task_id: id } = event;
  update(id, { total, processed, ok, fail });
  if (event.type === "progress") {
    if (event.error === undefined) return;
    const { item, error, detail } = event;
    const failures = [...(task.value?.failures ?? []), { item, error, detail }];
    update(id, { failures });
    return;
  }
  // Whoever comes late, or reads slowly, has missed some.
  if (event.failures) update(id, { failures: event.failures });
  if (event.type === "snapshot") update(id, { warning: event.warning });
  else if (event.type === "error") update(id, { status: "error", warning: event.error });
  else if (event.type === "done") update(id, { status: "done", warning: event.warning });
  else update(id, { status: "cancelled" });
};

export const stopTask = async (): Promise<void> => {
  const { value } = task;
  if (value?.status !== "running") return;
  update(value.id, { stopping: true });
  await post(`/batch/${value.id}/cancel`);
};

/** Nothing is left to be read when all went well. */
const SHOWN_MS = 6000;
const forget = (id: string): void => {
  if (task.value?.id === id) task.value = null;
};

export const dismissTask = (): void => {
  if (task.value?.status !== "running") task.value = null;
};

/** A job that ran when the page was left. */
export const followAgain = (ended: Ended): void => {
  const text = kept(KEY, "session");
  if (text === null || session.value === null || task.value !== null) return;
  const { id, total, label } = JSON.parse(text) as { id: string; total: number; label: string };
  void follow({ id, total, label }, ended);
};
