// An answer that did not come: what went wrong, what to do, and a button that does it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ApiError, messageOf } from "../../shared/api.ts";
import { Icon } from "../../shared/icons.tsx";
import { adviceFor } from "./advice.ts";
import type { Problem } from "./conversation.ts";
import { begin, isArriving } from "./store.ts";
import { say } from "./words.ts";

export const ProblemView = ({ problem, onRetry }: { problem: Problem; onRetry: () => void }) => {
  const { text, remedy } = adviceFor(problem);
  const what = messageOf(new ApiError(problem.message, { ...problem, param: null }));
  return (
    <div class="problem" role="alert">
      <Icon name="warning" />
      <div class="problem-text">
        <strong>{what}</strong>
        <span>{text}</span>
        <span class="row wrap">
          <RetryButton waitMs={problem.retryAfterMs} onRetry={onRetry} />
          {remedy === "new" ? (
            <button type="button" class="button small" onClick={begin}>
              {say("startNew")}
            </button>
          ) : null}
          {remedy === "model" ? (
            <button
              type="button"
              class="button small"
              onClick={() =>
                [...document.querySelectorAll<HTMLSelectElement>(".model-choice")]
                  .find((one) => one.checkVisibility())
                  ?.focus()
              }
            >
              {say("chooseModel")}
            </button>
          ) : null}
          <code class="problem-code">{problem.code}</code>
        </span>
      </div>
    </div>
  );
};

/** Counts down to the moment that the gateway named, once, from when it is first seen. */
const LONGEST_WAIT_MS = 600_000;

const RetryButton = ({ waitMs, onRetry }: { waitMs: number | null; onRetry: () => void }) => {
  const left = useSignal(waitMs === null || waitMs > LONGEST_WAIT_MS ? 0 : Math.ceil(waitMs / 1000));
  useEffect(() => {
    if (left.value === 0) return;
    const timer = setInterval(() => {
      left.value -= 1;
      if (left.value <= 0) clearInterval(timer);
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <button type="button" class="button small" disabled={left.value > 0 || isArriving()} onClick={onRetry}>
      <Icon name="refresh" size={15} />
      {left.value > 0 ? say("retryIn", { s: left.value }) : say("retryNow")}
    </button>
  );
};
