// Taking over the keys of an earlier program: its api_keys.json, chosen, dropped or pasted. Reads nothing of it itself.
// Invariant: the file goes to the gateway as it is, and what was not taken is told.
import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { messageOf, send } from "../../shared/api.ts";
import { count } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Modal } from "../../shared/modal.tsx";
import { toast } from "../../shared/toast.tsx";
import { say } from "./words.ts";

interface Imported {
  readonly added: number;
  readonly known: number;
  readonly problems: readonly string[];
}

export const ImportKeysDialog = ({ onClose }: { onClose: () => void }) => {
  const chooser = useRef<HTMLInputElement>(null);
  const text = useSignal("");
  const over = useSignal(false);
  const busy = useSignal(false);
  const problems = useSignal<readonly string[]>([]);
  const read = async (file: File | null | undefined) => {
    if (file) text.value = await file.text();
  };
  const run = async () => {
    busy.value = true;
    problems.value = [];
    try {
      const result = await send<Imported>("POST", "/keys/import", { text: text.value });
      toast(say("imported", { added: count(result.added), known: count(result.known) }));
      if (result.problems.length === 0) onClose();
      problems.value = result.problems;
    } catch (thrown) {
      problems.value = [messageOf(thrown)];
    } finally {
      busy.value = false;
    }
  };
  return (
    <Modal
      title={say("importTitle")}
      onClose={onClose}
      onSubmit={() => void run()}
      foot={
        <>
          <button type="button" class="button" onClick={onClose}>
            {say("cancel")}
          </button>
          <button type="submit" class="button primary" disabled={busy.value || text.value.trim() === ""}>
            {say("import")}
          </button>
        </>
      }
    >
      <p class="muted">{say("importText")}</p>
      <div
        class={`field drop ${over.value ? "over" : ""}`}
        onDragOver={(event) => {
          event.preventDefault();
          over.value = true;
        }}
        onDragLeave={() => (over.value = false)}
        onDrop={(event) => {
          event.preventDefault();
          over.value = false;
          void read(event.dataTransfer?.files[0]);
        }}
      >
        <input
          ref={chooser}
          type="file"
          class="sr-only"
          tabIndex={-1}
          aria-label={say("importFile")}
          accept=".json,application/json"
          onChange={(event) => void read(event.currentTarget.files?.[0])}
        />
        <button type="button" class="button" onClick={() => chooser.current?.click()}>
          <Icon name="upload" />
          {say("importFile")}
        </button>
        <label for="keys-text">{say("importPaste")}</label>
        <textarea
          id="keys-text"
          class="textarea mono"
          rows={7}
          spellcheck={false}
          value={text.value}
          onInput={(event) => (text.value = event.currentTarget.value)}
        />
      </div>
      {problems.value.length === 0 ? null : (
        <ul class="problems field-error" role="alert">
          {problems.value.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
    </Modal>
  );
};
