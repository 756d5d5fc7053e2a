// One conversation in the list: shown by a click, renamed in place, with its actions.
import { useSignal } from "@preact/signals";
import { Icon } from "../../shared/icons.tsx";
import { Menu } from "../../shared/menu.tsx";
import { closeDrawer } from "../drawer.ts";
import type { Head } from "./conversation.ts";
import { rename, runs, show, unread } from "./store.ts";
import { exportJson, exportMarkdown, removeOne } from "./verbs.ts";
import { say } from "./words.ts";

const LONGEST_NAME = 80;

export const ConversationRow = ({ head, isCurrent }: { head: Head; isCurrent: boolean }) => {
  const isNaming = useSignal(false);
  const { id } = head;
  const title = head.title === "" ? say("untitled") : head.title;
  if (isNaming.value) return <NameField head={head} onDone={() => (isNaming.value = false)} />;
  return (
    <li class={`conversation ${isCurrent ? "current" : ""}`}>
      <button
        type="button"
        class="conversation-open"
        title={title}
        aria-current={isCurrent ? "true" : undefined}
        onClick={() => {
          void show(id);
          closeDrawer();
        }}
        onDblClick={() => (isNaming.value = true)}
      >
        <span class="ellipsis">{title}</span>
        <State id={id} />
      </button>
      <Menu
        label={say("moreOf", { title })}
        buttonClass="icon-button small"
        actions={[
          { label: say("rename"), icon: "edit", run: () => (isNaming.value = true) },
          { label: say("asMarkdown"), icon: "download", run: () => void exportMarkdown(id) },
          { label: say("asJson"), icon: "download", run: () => void exportJson(id) },
          "line",
          { label: say("remove"), icon: "trash", danger: true, run: () => void removeOne(head) },
        ]}
      >
        <Icon name="more" size={16} />
      </Menu>
    </li>
  );
};

const State = ({ id }: { id: string }) => {
  if (runs.value.has(id)) return <span class="spinner" role="img" aria-label={say("arriving")} />;
  return unread.value.has(id) ? <span class="unread" role="img" aria-label={say("unread")} /> : null;
};

const NameField = ({ head, onDone }: { head: Head; onDone: () => void }) => (
  <li class="conversation">
    <input
      class="input"
      aria-label={say("name")}
      maxLength={LONGEST_NAME}
      value={head.title}
      ref={(input) => {
        if (input && document.activeElement !== input) {
          input.focus();
          input.select();
        }
      }}
      onKeyDown={(event) => {
        if (event.isComposing) return;
        if (event.key === "Enter") event.currentTarget.blur();
        if (event.key !== "Escape") return;
        event.preventDefault();
        event.stopPropagation();
        event.currentTarget.value = head.title;
        event.currentTarget.blur();
      }}
      onBlur={(event) => {
        void rename(head.id, event.currentTarget.value);
        onDone();
      }}
    />
  </li>
);
