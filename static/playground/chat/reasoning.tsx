// The reasoning before an answer, folded away once it is over. Shows how long it takes or took.
// Invariant: it is open while it arrives and closes once, unless the reader has touched it.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../../shared/icons.tsx";
import { Markdown } from "../../shared/markdown/markdown.tsx";
import { say } from "./words.ts";

export interface ReasoningProps {
  readonly text: string;
  /** Since when it has been arriving; null once it is over. */
  readonly since: number | null;
  readonly tookMs: number | null;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

export const Reasoning = ({ text, since, tookMs }: ReasoningProps) => {
  const chosen = useSignal<boolean | null>(null);
  const isOpen = chosen.value ?? since !== null;
  return (
    <div class="thinking">
      <button
        type="button"
        class={isOpen ? "thinking-head open" : "thinking-head"}
        aria-expanded={isOpen}
        onClick={() => (chosen.value = !isOpen)}
      >
        <Icon name="bulb" size={16} />
        {since === null ? say("thought", { s: seconds(tookMs ?? 0) }) : <Since ms={since} />}
        <span class="thinking-arrow">
          <Icon name="right" size={14} />
        </span>
      </button>
      {isOpen ? (
        <div class="thinking-text">
          <Markdown text={text} isArriving={since !== null} />
        </div>
      ) : null}
    </div>
  );
};

const Since = ({ ms }: { ms: number }) => {
  const passedMs = useSignal(0);
  useEffect(() => {
    const look = () => (passedMs.value = Math.max(0, Date.now() - ms));
    look();
    const timer = setInterval(look, 100);
    return () => clearInterval(timer);
  }, []);
  return <span class="thinking-now">{say("thinking", { s: seconds(passedMs.value) })}</span>;
};
