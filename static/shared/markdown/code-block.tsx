// One block of code: its language, a button that copies it, colours as soon as the colourist is there.
// Invariant: the text is shown at once and as it is; colours come after it and never hold it up.
import { useSignal } from "@preact/signals";
import type { ComponentChild } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { CopyButton } from "../copy-button.tsx";
import { speak } from "../language.ts";

const say = speak({ code: ["Code", "代码"], wrap: ["Wrap lines", "自动换行"], unwrap: ["Do not wrap", "不换行"] });

type Colourist = (text: string, language: string) => ComponentChild;

let colourist: Promise<Colourist> | null = null;
const loadColourist = async (): Promise<Colourist> => (await import("./colours.tsx")).colour;

/** Longer ones stay plain: colours would hold the page up. */
const MOST_COLOURED = 60_000;
/** While code arrives it is coloured at most this often. */
const EVERY_MS = 250;

export interface CodeBlockProps {
  readonly language: string;
  readonly text: string;
  readonly isArriving: boolean;
}

export const CodeBlock = ({ language, text, isArriving }: CodeBlockProps) => {
  const done = useSignal<{ text: string; nodes: ComponentChild } | null>(null);
  const wraps = useSignal(false);
  const newest = useRef(text);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);
  newest.current = text;
  useEffect(() => {
    if (timer.current !== null || language === "" || done.value?.text === text) return;
    const colour = async () => {
      timer.current = null;
      const { current } = newest;
      if (current.length > MOST_COLOURED) return;
      try {
        colourist ??= loadColourist();
        done.value = { text: current, nodes: (await colourist)(current, language) };
      } catch {
        colourist = null;
      }
    };
    timer.current = setTimeout(() => void colour(), isArriving ? EVERY_MS : 0);
  }, [text, language, isArriving]);
  useEffect(
    () => () => {
      if (timer.current !== null) clearTimeout(timer.current);
    },
    [],
  );
  const coloured = done.value !== null && text.startsWith(done.value.text) ? done.value : null;
  return (
    <div class="code-block">
      <div class="code-head">
        <span class="grow muted small-text">{language === "" ? say("code") : language}</span>
        <button
          type="button"
          class="button quiet small"
          aria-pressed={wraps.value}
          onClick={() => (wraps.value = !wraps.value)}
        >
          {wraps.value ? say("unwrap") : say("wrap")}
        </button>
        <CopyButton text={text} />
      </div>
      <pre class={wraps.value ? "code wraps" : "code"} tabIndex={0}>
        <code>
          {coloured?.nodes}
          {coloured ? text.slice(coloured.text.length) : text}
        </code>
      </pre>
    </div>
  );
};
