// Short messages at the edge of the page. Knows no reason for one.
// Invariant: every message is told to screen readers, errors at once, and goes away by itself or by a click, but never while
// somebody points at the messages or is inside them.
import { signal } from "@preact/signals";
import { Icon } from "./icons.tsx";
import { speak } from "./language.ts";

type Tone = "ok" | "error" | "info";

interface Message {
  readonly id: number;
  readonly tone: Tone;
  readonly text: string;
}

const say = speak({ dismiss: ["Dismiss", "关闭"], region: ["Messages", "消息"] });
const messages = signal<readonly Message[]>([]);
const SHOWN_MS: Record<Tone, number> = { ok: 4000, info: 5000, error: 9000 };
const MOST = 4;
let last = 0;

const dismiss = (id: number): void => {
  messages.value = messages.value.filter((message) => message.id !== id);
};

let isHeld = false;
const AGAIN_MS = 1000;

const leave = (id: number): void => {
  if (isHeld) setTimeout(() => leave(id), AGAIN_MS);
  else dismiss(id);
};

export const toast = (text: string, tone: Tone = "ok"): void => {
  last += 1;
  const id = last;
  messages.value = [...messages.value, { id, tone, text }].slice(-MOST);
  setTimeout(() => leave(id), SHOWN_MS[tone]);
};

export const Toasts = () => (
  <div
    class="toasts"
    role="region"
    aria-label={say("region")}
    onPointerEnter={() => (isHeld = true)}
    onPointerLeave={() => (isHeld = false)}
    onFocusIn={() => (isHeld = true)}
    onFocusOut={() => (isHeld = false)}
  >
    <div aria-live="polite">{messages.value.filter(({ tone }) => tone !== "error").map(shown)}</div>
    <div aria-live="assertive">{messages.value.filter(({ tone }) => tone === "error").map(shown)}</div>
  </div>
);

const shown = ({ id, tone, text }: Message) => (
  <div key={id} class={`toast toast-${tone}`}>
    <Icon name={tone === "ok" ? "check" : tone === "error" ? "warning" : "info"} />
    <span>{text}</span>
    <button type="button" class="icon-button small" aria-label={say("dismiss")} onClick={() => dismiss(id)}>
      <Icon name="close" size={14} />
    </button>
  </div>
);
