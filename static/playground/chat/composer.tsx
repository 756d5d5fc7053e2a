// The field to write in, what is attached, the buttons to send and to stop. What is written waits per conversation.
// Invariant: nothing typed or attached is lost when it could not be sent, or when another conversation is looked at.
import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { bytes } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Menu } from "../../shared/menu.tsx";
import { type Draft, letGo, take } from "./files.ts";
import { ask, current, runs, stop } from "./store.ts";
import { say } from "./words.ts";

const text = signal("");
const drafts = signal<readonly Draft[]>([]);

/** What was begun in conversations that are not shown. */
const begun = new Map<string, { text: string; drafts: readonly Draft[] }>();

const FIELD = "chat-message";

export const focusComposer = (): void => document.getElementById(FIELD)?.focus();

export const takeFiles = async (files: readonly File[]): Promise<void> => {
  drafts.value = [...drafts.value, ...(await take(files, drafts.value))];
  focusComposer();
};

export const write = (words: string): void => {
  text.value = words;
  focusComposer();
};

const submit = async (): Promise<void> => {
  const [words, files] = [text.value, drafts.value];
  text.value = "";
  drafts.value = [];
  if (await ask(words, files)) {
    for (const draft of files) letGo(draft);
    return;
  }
  text.value = words;
  drafts.value = files;
};

const hasCamera = matchMedia("(pointer: coarse)").matches;
const narrow = matchMedia("(max-width: 767px)");

/** Where keys are drawn on the screen, Enter starts a line as it does elsewhere there; with Ctrl it sends everywhere. */
const sends = (event: KeyboardEvent): boolean => {
  if (event.key !== "Enter" || event.isComposing || event.shiftKey) return false;
  return event.ctrlKey || event.metaKey || !(hasCamera && narrow.matches);
};

export const Composer = () => {
  const { id } = current.value;
  const isArriving = runs.value.has(id);
  const canSend = !isArriving && (text.value.trim() !== "" || drafts.value.length > 0);
  // Before anybody can type into it.
  useLayoutEffect(() => {
    const mine = begun.get(id);
    text.value = mine?.text ?? "";
    drafts.value = mine?.drafts ?? [];
    // Not out of the hands of somebody who types elsewhere, such as a new name.
    if (!narrow.matches && document.activeElement?.matches("input, textarea") !== true) focusComposer();
    return () => begun.set(id, { text: text.value, drafts: drafts.value });
  }, [id]);
  return (
    <form
      class="chat-composer"
      onSubmit={(event) => {
        event.preventDefault();
        if (canSend) void submit();
      }}
    >
      <div class="chat-field">
        <Drafts />
        <textarea
          id={FIELD}
          rows={1}
          aria-label={say("message")}
          placeholder={say("placeholder")}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
          onKeyDown={(event) => {
            if (!sends(event)) return;
            event.preventDefault();
            if (canSend) void submit();
          }}
        />
        <div class="row">
          <Attach />
          <span class="grow muted small-text chat-keys">{say("keysHint")}</span>
          {isArriving ? (
            <button
              type="button"
              class="round-button"
              aria-label={say("stop")}
              title={say("stop")}
              onClick={() => stop(id)}
            >
              <Icon name="stop" />
            </button>
          ) : (
            <button type="submit" class="round-button" aria-label={say("send")} title={say("send")} disabled={!canSend}>
              <Icon name="up" size={20} />
            </button>
          )}
        </div>
      </div>
    </form>
  );
};

const Attach = () => {
  const any = useRef<HTMLInputElement>(null);
  const pictures = useRef<HTMLInputElement>(null);
  const camera = useRef<HTMLInputElement>(null);
  const taken = (input: HTMLInputElement) => {
    void takeFiles([...(input.files ?? [])]);
    input.value = "";
  };
  const common = { type: "file", hidden: true, onChange: taken } as const;
  return (
    <>
      <Menu
        label={say("attach")}
        actions={[
          { label: say("attachPicture"), icon: "image", run: () => pictures.current?.click() },
          { label: say("attachFile"), icon: "file", run: () => any.current?.click() },
          ...(hasCamera ? [{ label: say("camera"), icon: "camera" as const, run: () => camera.current?.click() }] : []),
        ]}
      >
        <Icon name="attach" />
      </Menu>
      <Picker {...common} input={any} />
      <Picker {...common} input={pictures} accept="image/*" />
      <Picker {...common} input={camera} accept="image/*" capture="environment" />
    </>
  );
};

interface PickerProps {
  readonly input: { current: HTMLInputElement | null };
  readonly accept?: string;
  readonly capture?: "environment";
  readonly onChange: (input: HTMLInputElement) => void;
}

const Picker = ({ input, accept, capture, onChange }: PickerProps) => (
  <input
    ref={input}
    type="file"
    hidden
    multiple={capture === undefined}
    accept={accept}
    capture={capture}
    onChange={(event) => onChange(event.currentTarget)}
  />
);

const Drafts = () =>
  drafts.value.length === 0 ? null : (
    <ul class="drafts">
      {drafts.value.map((draft) => (
        <li key={draft.id} class="draft">
          {draft.preview === null ? <Icon name="file" size={20} /> : <img src={draft.preview} alt="" />}
          <span class="draft-name">
            <span class="ellipsis">{draft.name}</span>
            <span class="muted">{bytes(draft.bytes)}</span>
          </span>
          <button
            type="button"
            class="icon-button small"
            aria-label={say("removeFile", { name: draft.name })}
            onClick={() => {
              drafts.value = drafts.value.filter(({ id }) => id !== draft.id);
              letGo(draft);
            }}
          >
            <Icon name="close" size={14} />
          </button>
        </li>
      ))}
    </ul>
  );
