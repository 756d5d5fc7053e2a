// How late the event loop is: a timer that says how much later than planned it came. Knows nothing of ours.
// Invariant: costs one timer for the whole process, and none after `stop`.
import type { Clock } from "./clock.ts";

const EVERY_MS = 100;

/** The largest lag since it was last asked for, and every lag as it comes. */
export const watchLoopLag = (clock: Pick<Clock, "monotonic" | "every">, onLag: (ms: number) => void) => {
  let last = clock.monotonic();
  let largest = 0;
  const stop = clock.every(EVERY_MS, () => {
    const now = clock.monotonic();
    const lag = Math.max(0, now - last - EVERY_MS);
    last = now;
    largest = Math.max(largest, lag);
    onLag(lag);
  });
  return {
    stop,
    takeLargestMs(): number {
      const taken = largest;
      largest = 0;
      return taken;
    },
  };
};
