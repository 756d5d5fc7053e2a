// Several streams as one, with at most so many running at once; the next begins when one has ended. Knows nothing of what
// flows. Invariant: closing the merged stream closes every stream that has begun.
import { pullStream } from "./pull.ts";

type Stream<T> = AsyncGenerator<T, void, void>;

export interface MergeOptions {
  readonly atOnce: number;
  /** Asked before each start; false lets what runs end and starts nothing more. */
  readonly goOn: () => boolean;
}

export const mergeStreams = <T>(
  starts: readonly (() => Stream<T>)[],
  { atOnce, goOn }: MergeOptions,
): AsyncGenerator<T, void, void> => {
  const waiting = [...starts];
  const running = new Map<Stream<T>, Promise<{ from: Stream<T>; step: IteratorResult<T, void> }>>();
  const ask = (from: Stream<T>) => {
    const next = from.next().then((step) => ({ from, step }));
    // Whoever races sees the failure; a stream that is closed meanwhile has no one to tell.
    next.catch(() => {});
    running.set(from, next);
  };
  const pull = async (): Promise<T | null> => {
    for (;;) {
      while (running.size < atOnce && waiting.length > 0 && goOn()) {
        const start = waiting.shift();
        if (start) ask(start());
      }
      if (running.size === 0) return null;
      const { from, step } = await Promise.race(running.values());
      if (step.done) running.delete(from);
      else {
        ask(from);
        return step.value;
      }
    }
  };
  return pullStream(pull, () => {
    for (const stream of running.keys()) void stream.return();
  });
};
