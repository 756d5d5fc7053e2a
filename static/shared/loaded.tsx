// What is fetched for a page: loading, there, or failed with its reason; fetched again on demand. Knows no resource.
// Invariant: an answer that comes late never replaces a newer one, and what was there stays while it is fetched again.
import { type Signal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { messageOf } from "./api.ts";
import { speak } from "./language.ts";

const say = speak({ loading: ["Loading…", "加载中…"], again: ["Try again", "重试"] });

export interface Loaded<T> {
  readonly value: Signal<T | null>;
  readonly problem: Signal<string | null>;
  readonly busy: Signal<boolean>;
  readonly reload: () => Promise<void>;
}

export const useLoaded = <T,>(fetchIt: () => Promise<T>): Loaded<T> => {
  const value = useSignal<T | null>(null);
  const problem = useSignal<string | null>(null);
  const busy = useSignal(false);
  const latest = useRef(0);
  const fetching = useRef(fetchIt);
  fetching.current = fetchIt;
  const reload = useRef(async () => {
    latest.current += 1;
    const mine = latest.current;
    busy.value = true;
    try {
      const answer = await fetching.current();
      if (mine !== latest.current) return;
      value.value = answer;
      problem.value = null;
    } catch (thrown) {
      if (mine === latest.current) problem.value = messageOf(thrown);
    } finally {
      if (mine === latest.current) busy.value = false;
    }
  });
  return { value, problem, busy, reload: reload.current };
};

/** Grey lines in the place of what is being fetched, so that little moves when it comes. */
export const Skeleton = ({ lines = 6, panel = false }: { lines?: number; panel?: boolean }) => (
  <div class={panel ? "panel skeleton" : "skeleton"} aria-busy="true">
    <span class="sr-only">{say("loading")}</span>
    {Array.from({ length: lines }, (_, index) => (
      <span key={index} class="skeleton-line" aria-hidden="true" />
    ))}
  </div>
);

/** Stands where the content will be. */
export const Waiting = <T,>({ loaded, lines = 6 }: { loaded: Loaded<T>; lines?: number }) =>
  loaded.problem.value === null ? (
    <Skeleton lines={lines} />
  ) : (
    <div class="empty" role="alert">
      <span class="danger-text">{loaded.problem.value}</span>
      <button type="button" class="button small" onClick={() => void loaded.reload()}>
        {say("again")}
      </button>
    </div>
  );
