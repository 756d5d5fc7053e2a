// The present moment for what counts down, and repeated work for what is shown live.
// Invariant: nothing is asked of the gateway while nobody looks at the page.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);

/** At once, then again and again while the page is visible, and when it becomes visible again. */
export const useEvery = (ms: number, run: () => void): void => {
  useEffect(() => {
    run();
    const again = () => {
      if (!document.hidden) run();
    };
    const timer = setInterval(again, ms);
    document.addEventListener("visibilitychange", again);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", again);
    };
  }, []);
};
