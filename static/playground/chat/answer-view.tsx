// One answer: reasoning that folds, text, what went wrong and what to do about it, what can be done with it.
// Invariant: an answer that arrives draws itself alone; the turns around it are left as they are.
import { CopyButton } from "../../shared/copy-button.tsx";
import { count } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Markdown } from "../../shared/markdown/markdown.tsx";
import type { Turn } from "./conversation.ts";
import { nameOf } from "./models.ts";
import { ProblemView } from "./problem-view.tsx";
import { Reasoning } from "./reasoning.tsx";
import type { Run } from "./run.ts";
import { isArriving, retry } from "./store.ts";
import { RemoveTurn, Variants } from "./turn-tools.tsx";
import { say } from "./words.ts";

export interface AnswerViewProps {
  readonly turn: Turn;
  /** While it arrives. */
  readonly run: Run | null;
  readonly isLast: boolean;
}

export const AnswerView = ({ turn, run, isLast }: AnswerViewProps) => (
  <article class={`answer ${isLast ? "last" : ""}`} aria-label={nameOf(turn.model)}>
    <div class="answer-head muted small-text">
      <span class="answer-sign">
        <Icon name="dialog" size={13} />
      </span>
      {nameOf(turn.model)}
    </div>
    {run ? <Arriving run={run} /> : <Whole turn={turn} />}
  </article>
);

const Arriving = ({ run }: { run: Run }) => {
  const { text, reasoning, reasoningMs } = run.flow.value;
  return (
    <>
      {reasoning === "" ? null : (
        <Reasoning text={reasoning} since={text === "" ? run.startedMs : null} tookMs={reasoningMs} />
      )}
      {text === "" ? null : <Body text={text} isArriving />}
      {text === "" && reasoning === "" ? (
        <p class="waiting-dots" role="status" aria-label={say("waiting")}>
          <span />
          <span />
          <span />
        </p>
      ) : null}
    </>
  );
};

const Body = ({ text, isArriving: arrives = false }: { text: string; isArriving?: boolean }) => (
  <div class={arrives ? "answer-body arriving" : "answer-body"} data-gallery>
    <Markdown text={text} isArriving={arrives} />
  </div>
);

const REMARKS = { stopped: "stopped", cut: "cutOff", length: "tooLong" } as const;

const Whole = ({ turn }: { turn: Turn }) => {
  const { text, reasoning, reasoningMs, end, problem } = turn;
  const remark = end === "stopped" || end === "cut" || end === "length" ? say(REMARKS[end]) : null;
  return (
    <>
      {reasoning === "" ? null : <Reasoning text={reasoning} since={null} tookMs={reasoningMs} />}
      {text === "" ? null : <Body text={text} />}
      {text === "" && end === "done" ? <p class="muted">{say("emptyAnswer")}</p> : null}
      {remark === null ? null : <p class="answer-remark muted small-text">{remark}</p>}
      {problem === null ? null : <ProblemView problem={problem} onRetry={() => retry(turn)} />}
      <Tools turn={turn} />
    </>
  );
};

const Tools = ({ turn }: { turn: Turn }) => {
  const { text, tookMs, tokens, problem } = turn;
  const facts = [
    ...(tookMs === null || problem !== null ? [] : [say("took", { s: (tookMs / 1000).toFixed(1) })]),
    ...(tokens === null ? [] : [say("tokens", { n: count(tokens) })]),
  ];
  return (
    <div class="turn-tools">
      <Variants turn={turn} />
      {text === "" ? null : <CopyButton text={text} label={say("copy")} />}
      {problem === null ? (
        <button
          type="button"
          class="icon-button small"
          aria-label={say("retry")}
          title={say("retry")}
          disabled={isArriving()}
          onClick={() => retry(turn)}
        >
          <Icon name="refresh" size={15} />
        </button>
      ) : null}
      <RemoveTurn turn={turn} />
      <span class="turn-facts">{facts.join(" · ")}</span>
    </div>
  );
};
