// What one listener of a task still has to hear: a bounded queue between the task and a connection of unknown speed.
// Knows no task. Invariant: the last event always arrives; of progress only the newest is kept, because every progress
// event carries the whole counts.
import type { TaskEvent } from "./tasks.ts";

export interface TaskFeed {
  push(event: TaskEvent): void;
  /** Says goodbye to a listener that is still there. */
  end(): void;
  readonly events: AsyncIterableIterator<TaskEvent, undefined>;
}

const MAX_QUEUED = 200;

export const isFinal = ({ type }: TaskEvent): boolean => type === "done" || type === "error" || type === "cancelled";

type Step = IteratorResult<TaskEvent, undefined>;
const OVER: Step = { done: true, value: undefined };

/** `left` is called once, when the listener will hear no more. */
export const createTaskFeed = (left: () => void): TaskFeed => {
  const queue: TaskEvent[] = [];
  const waiting: ((step: Step) => void)[] = [];
  let open = true;

  const close = () => {
    if (!open) return;
    open = false;
    left();
  };
  const end = () => {
    close();
    for (const resolve of waiting.splice(0)) resolve(OVER);
  };
  const give = (event: TaskEvent): Step => {
    if (isFinal(event)) end();
    return { done: false, value: event };
  };
  const makeRoom = () => {
    if (queue.length < MAX_QUEUED) return;
    const oldest = queue.findIndex(({ type }) => type === "progress");
    queue.splice(Math.max(0, oldest), 1);
  };

  const events: AsyncIterableIterator<TaskEvent, undefined> = {
    [Symbol.asyncIterator]: () => events,
    async next() {
      const event = queue.shift();
      if (event) return give(event);
      if (!open) return OVER;
      return new Promise<Step>((resolve) => {
        waiting.push(resolve);
      });
    },
    async return() {
      queue.length = 0;
      end();
      return OVER;
    },
  };
  return {
    events,
    end,
    push(event) {
      if (!open) return;
      const reader = waiting.shift();
      if (reader) return reader(give(event));
      makeRoom();
      queue.push(event);
    },
  };
};
