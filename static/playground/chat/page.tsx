// The page of the chat: what was said, the field to write in, the bar above them. Keys that work on it.
// Invariant: files that are dropped or pasted anywhere on the page come along with the next question.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../../shared/icons.tsx";
import { useShortcuts } from "../../shared/shortcuts.tsx";
import type { PageView } from "../page-view.ts";
import { ChatBar, TopBar } from "./bar.tsx";
import { Composer, focusComposer, takeFiles } from "./composer.tsx";
import { filesIn } from "./files.ts";
import { loadModels } from "./models.ts";
import { Conversations } from "./side.tsx";
import { begin, current, isArriving, settleModel, start, stop } from "./store.ts";
import { Thread } from "./thread.tsx";
import { say } from "./words.ts";

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes("Files") === true;

const ChatPage = () => {
  const isDropping = useSignal(false);
  useShortcuts(() => [
    { keys: "n", what: say("newChat"), run: begin },
    { keys: "m", what: say("focusMessage"), run: focusComposer },
    { keys: "Escape", what: say("stopKey"), run: () => stop(current.value.id) },
  ]);
  useEffect(() => {
    void start();
    void loadModels().then(settleModel);
    const paste = (event: ClipboardEvent) => {
      const files = filesIn(event.clipboardData);
      if (files.length === 0) return;
      event.preventDefault();
      void takeFiles(files);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== "Escape" || event.defaultPrevented || !isArriving()) return;
      if (document.querySelector("dialog[open], [popover]:popover-open") === null) stop(current.value.id);
    };
    document.addEventListener("paste", paste);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("paste", paste);
      document.removeEventListener("keydown", escape);
    };
  }, []);
  return (
    <div
      class="chat"
      onDragOver={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        isDropping.value = true;
      }}
      onDragLeave={(event) => {
        if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) {
          isDropping.value = false;
        }
      }}
      onDrop={(event) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        isDropping.value = false;
        void takeFiles(filesIn(event.dataTransfer));
      }}
    >
      <ChatBar />
      <Thread key={current.value.id} />
      <Composer />
      {isDropping.value ? (
        <div class="drop-here">
          <Icon name="attach" size={30} />
          {say("drop")}
        </div>
      ) : null}
    </div>
  );
};

export const view: PageView = { Page: ChatPage, Side: Conversations, Top: TopBar, fills: true };
