// What one listener of a task still has to hear: a bounded queue between the task and a connection of unknown speed.
// Knows no task. Invariant: the last event always arrives; of progress only the newest is kept, because every progress
// event carries the whole counts.

interface Told {
  readonly type: string;
}

export interface TaskFeed<Event extends Told> {
  push(event: Event): void;
  /** Says goodbye to a listener that is still there. */
  end(): void;
  readonly events: AsyncIterableIterator<Event, undefined>;
}

const MAX_QUEUED = 200;

const isFinal = ({ type }: Told): boolean => type === "done" || type === "error" || type === "cancelled";

const OVER = { done: true, value: undefined } as const;

/** `left` is called once, when the listener will hear no more. */
export const createTaskFeed = <Event extends Told>(left: () => void): TaskFeed<Event> => {
  type Step = IteratorResult<Event, undefined>;
  const queue: Event[] = [];
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
  const give = (event: Event): Step => {
    if (isFinal(event)) end();
    return { done: false, value: event };
  };
  const makeRoom = () => {
    if (queue.length < MAX_QUEUED) return;
    const oldest = queue.findIndex(({ type }) => type === "progress");
    queue.splice(Math.max(0, oldest), 1);
  };

  const events: AsyncIterableIterator<Event, undefined> = {
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
