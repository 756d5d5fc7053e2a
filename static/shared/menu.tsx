// A button with a list of actions, on the browser's own popover: Escape and a click elsewhere close it.
// Knows no action. Invariants: the list lies beside its button and never outside the window; a closed one costs no elements, for
// there may be hundreds.
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icons.tsx";

export interface Action {
  readonly label: string;
  readonly icon?: IconName;
  readonly run: () => void;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  readonly chosen?: boolean;
}

export interface MenuProps {
  readonly label: string;
  readonly actions: readonly (Action | "line")[];
  readonly buttonClass?: string;
  readonly children: ComponentChildren;
  readonly disabled?: boolean;
}

const GAP = 4;

const place = (button: HTMLElement, list: HTMLElement): void => {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = list;
  const left = Math.max(GAP, Math.min(at.right - width, innerWidth - width - GAP));
  const below = at.bottom + GAP;
  const top = below + height > innerHeight ? Math.max(GAP, at.top - height - GAP) : below;
  list.style.left = `${left}px`;
  list.style.top = `${top}px`;
};

export const Menu = ({ label, actions, buttonClass = "icon-button", children, disabled = false }: MenuProps) => {
  const id = useId();
  const isOpen = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const items = () => [...(list.current?.querySelectorAll<HTMLButtonElement>("button:not(:disabled)") ?? [])];
  const step = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const all = items();
    const at = all.findIndex((item) => item === document.activeElement);
    all.at((at + by + all.length) % all.length)?.focus();
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class={buttonClass}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        popovertarget={id}
        disabled={disabled}
      >
        {children}
      </button>
      <div
        ref={list}
        id={id}
        class="menu"
        role="menu"
        tabIndex={-1}
        aria-label={label}
        popover="auto"
        onKeyDown={step}
        onBeforeToggle={(event) => (isOpen.value = event.newState === "open")}
        onToggle={(event) => {
          if (event.newState !== "open" || !button.current || !list.current) return;
          place(button.current, list.current);
          items()[0]?.focus();
        }}
      >
        {(isOpen.value ? actions : []).map((action, index) =>
          action === "line" ? (
            <hr key={index} />
          ) : (
            <button
              key={action.label}
              type="button"
              role="menuitem"
              class={action.danger === true ? "danger" : ""}
              disabled={action.disabled === true}
              onClick={() => {
                list.current?.hidePopover();
                action.run();
              }}
            >
              {action.icon ? <Icon name={action.icon} /> : null}
              <span>{action.label}</span>
              {action.chosen === true ? <Icon name="check" /> : null}
            </button>
          ),
        )}
      </div>
    </>
  );
};
