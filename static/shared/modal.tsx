// Dialogs over the page on the browser's own dialog element: focus stays inside and returns, Escape closes.
// Knows no content. Invariant: a question is answered exactly once; whatever closes it without a choice means no.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Icon } from "./icons.tsx";
import { speak } from "./language.ts";

const say = speak({ close: ["Close", "关闭"], cancel: ["Cancel", "取消"], ok: ["OK", "确定"] });

export interface ModalProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  /** Buttons at the bottom. */
  readonly foot?: ComponentChildren;
  readonly size?: "small" | "wide";
  readonly onSubmit?: () => void;
}

/** What is to be filled in, else what is to be pressed; before something dangerous that is the way back. */
const FIRST = [
  ".modal-body :is(input, textarea, select):enabled:not(.sr-only)",
  ".modal-foot .primary",
  ".modal-foot button",
];

const focusFirst = (dialog: HTMLDialogElement): void => {
  for (const kind of FIRST) {
    const found = dialog.querySelector<HTMLElement>(kind);
    if (found) return found.focus();
  }
};

export const Modal = ({ title, onClose, children, foot, size, onSubmit }: ModalProps) => {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  const pressed = useRef(false);
  useEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    if (dialog) focusFirst(dialog);
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={box}
      class={`modal ${size ?? ""}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        pressed.current = event.target === box.current;
      }}
      onClick={(event) => {
        if (pressed.current && event.target === box.current) onClose();
      }}
    >
      <form
        class="modal-box"
        onSubmit={(event) => {
          event.preventDefault();
          onSubmit?.();
        }}
      >
        <header class="modal-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="icon-button" aria-label={say("close")} onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        <div class="modal-body">{children}</div>
        {foot === undefined ? null : <footer class="modal-foot">{foot}</footer>}
      </form>
    </dialog>
  );
};

export interface Question {
  readonly title: string;
  readonly text: string;
  readonly action: string;
  readonly danger?: boolean;
}

interface Asked extends Question {
  readonly answer: (yes: boolean) => void;
}

const asked = signal<Asked | null>(null);

/** Asks before something that cannot be taken back. */
export const confirm = (question: Question): Promise<boolean> =>
  new Promise((resolve) => {
    asked.value?.answer(false);
    asked.value = {
      ...question,
      answer: (yes) => {
        asked.value = null;
        resolve(yes);
      },
    };
  });

export const ConfirmPlace = () => {
  const question = asked.value;
  if (!question) return null;
  const { title, text, action, danger = false, answer } = question;
  return (
    <Modal
      key={title + text}
      title={title}
      size="small"
      onClose={() => answer(false)}
      onSubmit={() => answer(true)}
      foot={
        <>
          <button type="button" class="button" onClick={() => answer(false)}>
            {say("cancel")}
          </button>
          <button type="submit" class={`button ${danger ? "danger" : "primary"}`}>
            {action}
          </button>
        </>
      }
    >
      <p class="prose">{text}</p>
    </Modal>
  );
};
