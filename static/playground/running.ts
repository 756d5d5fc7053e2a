// Whether something goes on that would end with this document: pictures, clips, a voice session. Knows no page.
import { signal } from "@preact/signals";

export const running = signal(0);

/** Counts one more; the result takes it away again, once. */
export const beginWork = (): (() => void) => {
  running.value += 1;
  let isOver = false;
  return () => {
    if (isOver) return;
    isOver = true;
    running.value -= 1;
  };
};
