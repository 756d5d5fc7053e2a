// One question as it was asked, with its files; edited in place.
// Invariant: an edit sends a new wording beside the old one, which can be gone back to.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { CopyButton } from "../../shared/copy-button.tsx";
import { bytes } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Picture } from "../../shared/media.tsx";
import type { Attachment, Turn } from "./conversation.ts";
import { edit } from "./store.ts";
import { RemoveTurn, Variants } from "./turn-tools.tsx";
import { openVault } from "./vault.ts";
import { say } from "./words.ts";

export const QuestionView = ({ turn }: { turn: Turn }) => {
  const isEditing = useSignal(false);
  if (isEditing.value) return <Editor turn={turn} onDone={() => (isEditing.value = false)} />;
  return (
    <article class="question" aria-label={say("you")}>
      {turn.attachments.length === 0 ? null : (
        <div class="question-files" data-gallery>
          {turn.attachments.map((attachment) => (
            <AttachmentView key={attachment.id} attachment={attachment} />
          ))}
        </div>
      )}
      {turn.text === "" ? null : <p class="question-text">{turn.text}</p>}
      <div class="turn-tools">
        <Variants turn={turn} />
        <CopyButton text={turn.text} label={say("copy")} />
        <button
          type="button"
          class="icon-button small"
          aria-label={say("edit")}
          title={say("edit")}
          onClick={() => (isEditing.value = true)}
        >
          <Icon name="edit" size={15} />
        </button>
        <RemoveTurn turn={turn} />
      </div>
    </article>
  );
};

const Editor = ({ turn, onDone }: { turn: Turn; onDone: () => void }) => {
  const text = useSignal(turn.text);
  const submit = () => {
    if (text.value.trim() === "") return;
    edit(turn, text.value);
    onDone();
  };
  return (
    <form
      class="question-editor"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <textarea
        class="textarea"
        aria-label={say("message")}
        value={text.value}
        ref={(field) => {
          if (field && document.activeElement !== field) field.focus();
        }}
        onInput={(event) => (text.value = event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
            event.preventDefault();
            submit();
          } else if (event.key === "Escape") {
            event.preventDefault();
            onDone();
          }
        }}
      />
      <div class="row">
        <span class="grow muted small-text">{say("editHint")}</span>
        <button type="button" class="button small" onClick={onDone}>
          {say("cancel")}
        </button>
        <button type="submit" class="button small primary" disabled={text.value.trim() === ""}>
          {say("resend")}
        </button>
      </div>
    </form>
  );
};

const AttachmentView = ({ attachment: { id, name, mime, bytes: size } }: { attachment: Attachment }) => {
  const address = useSignal<string | null>(null);
  const isGone = useSignal(false);
  useEffect(() => {
    let made: string | null = null;
    let isLeft = false;
    const load = async () => {
      const blob = await (await openVault()).file(id);
      if (isLeft) return;
      if (blob) made = URL.createObjectURL(blob);
      address.value = made;
      isGone.value = blob === null;
    };
    void load();
    return () => {
      isLeft = true;
      if (made !== null) URL.revokeObjectURL(made);
    };
  }, [id]);
  if (mime.startsWith("image/") && address.value !== null) return <Picture source={address.value} alt={name} />;
  return (
    <span class="draft" title={isGone.value ? say("goneFile") : name}>
      <Icon name={isGone.value ? "warning" : "file"} size={20} />
      <span class="draft-name">
        <span class="ellipsis">{name}</span>
        <span class="muted">{isGone.value ? say("goneFile") : bytes(size)}</span>
      </span>
    </span>
  );
};
