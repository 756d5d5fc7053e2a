// What was said, first to last. The view follows the answer only while the reader is at its end.
// Invariant: a long conversation is drawn from its end; while an answer arrives, only that answer is drawn again.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../../shared/icons.tsx";
import { AnswerView } from "./answer-view.tsx";
import { write } from "./composer.tsx";
import { lineOf } from "./conversation.ts";
import { QuestionView } from "./question-view.tsx";
import { current, runs } from "./store.ts";
import { say } from "./words.ts";

const NEAR_END = 80;
const SHOWN = 40;

export const Thread = () => {
  const box = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const lastTop = useRef(0);
  const isAway = useSignal(false);
  const most = useSignal(SHOWN);
  const line = lineOf(current.value);
  const hidden = Math.max(0, line.length - most.value);
  const toEnd = () => {
    follows.current = true;
    isAway.value = false;
    box.current?.scrollTo({ top: box.current.scrollHeight });
  };
  const { leaf } = current.value;
  useEffect(toEnd, [leaf]);
  useEffect(() => {
    if (!inner.current) return;
    const watcher = new ResizeObserver(() => {
      if (follows.current) box.current?.scrollTo({ top: box.current.scrollHeight });
    });
    watcher.observe(inner.current);
    return () => watcher.disconnect();
  }, []);
  const run = runs.value.get(current.value.id);
  return (
    <div class="thread-place">
      <div
        ref={box}
        class="thread"
        tabIndex={0}
        role="log"
        aria-label={say("title")}
        aria-busy={run !== undefined}
        onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
          // What grows below moves nothing; only a reader goes up.
          const isUp = scrollTop < lastTop.current;
          lastTop.current = scrollTop;
          const isNear = scrollHeight - scrollTop - clientHeight < NEAR_END;
          if (isNear || isUp) follows.current = isNear;
          isAway.value = !follows.current;
        }}
      >
        <div ref={inner} class="thread-inner">
          {line.length === 0 ? <Hello /> : null}
          {hidden > 0 ? (
            <button
              type="button"
              class="button small quiet earlier"
              onClick={() => {
                follows.current = false;
                most.value += SHOWN;
              }}
            >
              {say("earlier", { n: hidden })}
            </button>
          ) : null}
          {line
            .slice(hidden)
            .map((turn) =>
              turn.role === "user" ? (
                <QuestionView key={turn.id} turn={turn} />
              ) : (
                <AnswerView
                  key={turn.id}
                  turn={turn}
                  run={run?.turnId === turn.id ? run : null}
                  isLast={turn.id === leaf}
                />
              ),
            )}
        </div>
      </div>
      {isAway.value ? (
        <button
          type="button"
          class="round-button to-end"
          aria-label={say("toEnd")}
          title={say("toEnd")}
          onClick={toEnd}
        >
          <Icon name="down" size={20} />
        </button>
      ) : null}
    </div>
  );
};

const IDEAS = ["idea1", "idea2", "idea3", "idea4"] as const;

const Hello = () => (
  <div class="hello">
    <span class="hello-sign">
      <Icon name="dialog" size={28} />
    </span>
    <p class="hello-title">{say("hello")}</p>
    <p class="muted">{say("helloHint")}</p>
    <div class="ideas">
      {IDEAS.map((idea) => (
        <button key={idea} type="button" class="idea" onClick={() => write(say(idea))}>
          {say(idea)}
        </button>
      ))}
    </div>
  </div>
);
