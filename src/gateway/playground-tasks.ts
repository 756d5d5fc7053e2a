// What visitors of the playground have begun: wishes that wait under an id nobody can guess, and how much each visitor has
// going at once. Knows no wish's meaning. Invariants: a task lives ten minutes unless it runs; what waits is bounded in number
// and size; stopping a task ends what runs under it.
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";

export interface PlaygroundTask<Wish> {
  readonly id: string;
  /** Who began it; runs count for them, whoever reads along. */
  readonly visitor: string;
  readonly wish: Wish;
  /** Pictures told so far, over all runs. */
  told: number;
  /** Monotonic milliseconds of its first run; null while nobody has read it. */
  begunMs: number | null;
}

export interface TaskStart<Wish> {
  readonly visitor: string;
  readonly wish: Wish;
  /** About what the wish takes in memory. */
  readonly bytes: number;
  /** The same key of the same visitor gives the same task again. */
  readonly once: string | null;
}

export interface PlaygroundTasks<Wish> {
  /** Throws `concurrency_limit_exceeded` or `server_overloaded`. */
  start(start: TaskStart<Wish>): PlaygroundTask<Wish>;
  /** Throws `task_not_found`. */
  find(id: string): PlaygroundTask<Wish>;
  has(id: string): boolean;
  /** Whether something runs under the task. */
  runs(task: PlaygroundTask<Wish>): boolean;
  /**
   * Takes a place for a run, under a task or without one; a run that the task has already is stopped. Throws
   * `concurrency_limit_exceeded`. The result gives the place back.
   */
  enter(run: { visitor: string; task?: PlaygroundTask<Wish>; stop: () => void }): () => void;
  /** How many of them there were; what runs under them ends. */
  remove(ids: readonly string[]): number;
}

interface Held<Wish> {
  readonly task: PlaygroundTask<Wish>;
  readonly bytes: number;
  readonly once: string | null;
  touchedMs: number;
  run: { readonly stop: () => void; readonly leave: () => void } | null;
}

const LIFE_MS = 600_000;
const MOST_PER_VISITOR = 20;
const MOST = 2_000;
const MOST_BYTES = 256 * 1024 * 1024;
/** Above it a visitor's own tasks make room, so that nobody fills the book for everybody. */
const MOST_BYTES_PER_VISITOR = 64 * 1024 * 1024;
const RETRY_MS = 2_000;

export const createPlaygroundTasks = <Wish>(deps: {
  readonly clock: Pick<Clock, "monotonic">;
  readonly maxRuns: () => number;
}): PlaygroundTasks<Wish> => {
  const { clock, maxRuns } = deps;
  const held = new Map<string, Held<Wish>>();
  const running = new Map<string, number>();

  const sweep = () => {
    const now = clock.monotonic();
    for (const [id, one] of held) if (one.run === null && now - one.touchedMs >= LIFE_MS) held.delete(id);
  };
  const live = (id: string): Held<Wish> | undefined => {
    sweep();
    return held.get(id);
  };
  const checkRuns = (visitor: string) => {
    if ((running.get(visitor) ?? 0) < maxRuns()) return;
    const message = `At most ${maxRuns()} runs of a visitor go on at once (playground.max_runs); stop one first.`;
    throw new GatewayError("concurrency_limit_exceeded", message, { retryAfterMs: RETRY_MS });
  };
  const makeRoom = (visitor: string, bytes: number) => {
    const waiting = [...held.values()].filter((one) => one.run === null && one.task.visitor === visitor);
    let own = waiting.reduce((sum, one) => sum + one.bytes, bytes);
    let left = waiting.length;
    for (const one of waiting) {
      if (left < MOST_PER_VISITOR && own <= MOST_BYTES_PER_VISITOR) break;
      held.delete(one.task.id);
      own -= one.bytes;
      left--;
    }
    let total = bytes;
    for (const one of held.values()) total += one.bytes;
    if (held.size < MOST && total <= MOST_BYTES) return;
    throw new GatewayError("server_overloaded", "Too many tasks of the playground wait to be read.", {
      retryAfterMs: RETRY_MS,
    });
  };

  return {
    start({ visitor, wish, bytes, once }) {
      sweep();
      const same = [...held.values()].find((one) => once !== null && one.once === once && one.task.visitor === visitor);
      if (same) return same.task;
      checkRuns(visitor);
      makeRoom(visitor, bytes);
      const task: PlaygroundTask<Wish> = { id: hexId(""), visitor, wish, told: 0, begunMs: null };
      held.set(task.id, { task, bytes, once, touchedMs: clock.monotonic(), run: null });
      return task;
    },
    find(id) {
      const found = live(id);
      if (found) return found.task;
      throw new GatewayError("task_not_found", "Task not found");
    },
    has: (id) => live(id) !== undefined,
    runs: (task) => (held.get(task.id)?.run ?? null) !== null,
    enter({ visitor, task, stop }) {
      const one = task ? held.get(task.id) : undefined;
      one?.run?.stop();
      one?.run?.leave();
      checkRuns(visitor);
      running.set(visitor, (running.get(visitor) ?? 0) + 1);
      let entered = true;
      const leave = () => {
        if (!entered) return;
        entered = false;
        const left = (running.get(visitor) ?? 1) - 1;
        if (left > 0) running.set(visitor, left);
        else running.delete(visitor);
        if (one?.run?.leave !== leave) return;
        one.run = null;
        one.touchedMs = clock.monotonic();
      };
      if (one) one.run = { stop, leave };
      return leave;
    },
    remove(ids) {
      let removed = 0;
      for (const id of new Set(ids)) {
        const one = live(id);
        if (!one) continue;
        held.delete(id);
        one.run?.stop();
        removed++;
      }
      return removed;
    },
  };
};
