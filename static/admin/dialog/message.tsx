// One turn of the dialog: text, reasoning that folds, pictures, error, the raw data behind it.
// Invariant: the reasoning is open while it arrives and closes once, unless the reader has touched it.
import { useSignal } from "@preact/signals";
import { CopyButton } from "../../shared/copy-button.tsx";
import { Icon } from "../../shared/icons.tsx";
import { Markdown } from "../../shared/markdown/markdown.tsx";
import { Picture } from "../../shared/media.tsx";
import type { Message } from "./store.ts";
import { say } from "./words.ts";

export interface MessageViewProps {
  readonly message: Message;
  readonly isArriving: boolean;
  readonly onAgain: (() => void) | null;
}

/** Some settings put the reasoning into the text itself. */
const apart = ({ text, reasoning }: Message): { reasoning: string; text: string; isThinking: boolean } => {
  const [, inside, after] = /^\s*<think>([\s\S]*?)(?:<\/think>([\s\S]*))?$/.exec(text) ?? [];
  if (inside === undefined) return { reasoning, text, isThinking: text === "" };
  return { reasoning: reasoning + inside.trim(), text: (after ?? "").trimStart(), isThinking: after === undefined };
};

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

export const MessageView = ({ message, isArriving, onAgain }: MessageViewProps) => {
  const rawOpen = useSignal(false);
  if (message.role === "user") {
    return (
      <article class="bubble user" aria-label={say("you")}>
        {message.text}
      </article>
    );
  }
  const { reasoning, text, isThinking } = apart(message);
  const { tookMs, firstMs, raw } = message;
  return (
    <article class="bubble assistant" aria-label="Grok" data-gallery>
      {reasoning === "" ? null : <Reasoning text={reasoning} isNow={isArriving && isThinking} />}
      {text === "" ? null : <Markdown text={text} isArriving={isArriving} />}
      {message.pictures.length === 0 ? null : (
        <div class="pictures" data-gallery>
          {message.pictures.map((source, index) => (
            <Picture key={index} source={source} alt="" />
          ))}
        </div>
      )}
      {isArriving && text === "" && reasoning === "" ? <span class="dots" /> : null}
      {message.error === null ? null : (
        <p class="notice bad" role="alert">
          <Icon name="warning" />
          {message.error}
        </p>
      )}
      {isArriving ? null : (
        <div class="row wrap turn-foot muted small-text">
          {tookMs === null ? null : <span>{say("took", { s: seconds(tookMs) })}</span>}
          {firstMs === null ? null : <span>{say("first", { s: seconds(firstMs) })}</span>}
          <span class="grow" />
          {text === "" ? null : <CopyButton text={text} />}
          {onAgain === null ? null : (
            <button
              type="button"
              class="icon-button small"
              aria-label={say("retry")}
              title={say("retry")}
              onClick={onAgain}
            >
              <Icon name="refresh" size={15} />
            </button>
          )}
          <button
            type="button"
            class="button quiet small"
            aria-expanded={rawOpen.value}
            onClick={() => (rawOpen.value = !rawOpen.value)}
          >
            {say("raw")}
          </button>
        </div>
      )}
      {rawOpen.value ? (
        <div class="raw-parts">
          <RawPart title={say("rawRequest")} text={message.request} />
          <RawPart title={say("rawResponse")} text={raw.join("\n")} />
        </div>
      ) : null}
    </article>
  );
};

const RawPart = ({ title, text }: { title: string; text: string }) => (
  <section>
    <div class="row">
      <h3 class="grow">{title}</h3>
      <CopyButton text={text} />
    </div>
    <pre class="raw" tabIndex={0} aria-label={title}>
      {text}
    </pre>
  </section>
);

const Reasoning = ({ text, isNow }: { text: string; isNow: boolean }) => {
  const chosen = useSignal<boolean | null>(null);
  const isOpen = chosen.value ?? isNow;
  return (
    <div class="reasoning">
      <button
        type="button"
        class={`button quiet small turn-toggle turn ${isOpen ? "open" : ""}`}
        aria-expanded={isOpen}
        onClick={() => (chosen.value = !isOpen)}
      >
        <Icon name="right" size={15} />
        {isNow ? say("reasoningNow") : say("reasoning")}
      </button>
      {isOpen ? (
        <div class="reasoning-text">
          <Markdown text={text} />
        </div>
      ) : null}
    </div>
  );
};
