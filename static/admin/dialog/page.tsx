// The page of the dialog: the turns, the field to write in, the options beside them.
// Invariant: the view follows the answer only while the reader is at its end.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { Icon } from "../../shared/icons.tsx";
import { MessageView } from "./message.tsx";
import { Options } from "./options.tsx";
import { again, arriving, ask, clear, loadModels, messages, model, stop } from "./store.ts";
import { say } from "./words.ts";

const NEAR_END = 120;

export const DialogPage = () => {
  const text = useSignal("");
  const end = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useEffect(() => {
    void loadModels();
    const watch = () => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
      follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END;
    };
    document.addEventListener("scroll", watch, { passive: true });
    return () => {
      document.removeEventListener("scroll", watch);
      stop();
    };
  }, []);
  const all = messages.value;
  useEffect(() => {
    if (follows.current && all.length > 0) end.current?.scrollIntoView({ block: "end" });
  }, [all]);
  const send = () => {
    const words = text.value;
    text.value = "";
    follows.current = true;
    void ask(words);
  };
  return (
    <div class="page dialog-page">
      <header class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
      </header>
      <Options />
      <div class="talk">
        <div class="turns" role="log" aria-live="polite" aria-busy={arriving.value} aria-label={say("title")}>
          {all.length === 0 ? (
            <p class="empty">
              <Icon name="dialog" size={34} />
              {say("empty")}
            </p>
          ) : (
            all.map((message, index) => (
              <MessageView
                key={message.id}
                message={message}
                isArriving={arriving.value && index === all.length - 1}
                onAgain={index === all.length - 1 ? () => void again() : null}
              />
            ))
          )}
          <div ref={end} class="turns-end" />
        </div>
        <form
          class="composer panel"
          onSubmit={(event) => {
            event.preventDefault();
            if (!arriving.value) send();
          }}
        >
          <textarea
            class="textarea"
            rows={2}
            aria-label={say("prompt")}
            placeholder={say("promptHint")}
            value={text.value}
            onInput={(event) => (text.value = event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
              event.preventDefault();
              if (!arriving.value) send();
            }}
          />
          <div class="row">
            <span class="grow muted small-text ellipsis">{model.value}</span>
            <button type="button" class="button small quiet" disabled={all.length === 0} onClick={clear}>
              {say("clear")}
            </button>
            {arriving.value ? (
              <button type="button" class="button small" onClick={stop}>
                <Icon name="stop" size={16} />
                {say("stop")}
              </button>
            ) : (
              <button type="submit" class="button small primary" disabled={text.value.trim() === ""}>
                <Icon name="send" size={16} />
                {say("send")}
              </button>
            )}
          </div>
        </form>
      </div>
    </div>
  );
};
