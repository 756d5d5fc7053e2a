// Keys that act without a button: registered by whoever is shown, listed on `?`. Knows no page.
// Invariant: a plain key does nothing while somebody types, chooses or answers a dialog.
import { signal } from "@preact/signals";
import { Fragment } from "preact";
import { useEffect } from "preact/hooks";
import { language, speak } from "./language.ts";
import { Modal } from "./modal.tsx";

const say = speak({
  title: ["Keyboard shortcuts", "键盘快捷键"],
  everywhere: ["Everywhere", "通用"],
  here: ["On this page", "本页"],
  list: ["This list", "显示此列表"],
  search: ["Search", "搜索"],
  close: ["Close a dialog, a menu or the drawer", "关闭对话框、菜单或侧栏"],
  submit: ["Confirm a dialog or send a form", "确认对话框或提交表单"],
  submitText: ["The same from a field of several lines", "在多行输入框中提交"],
  arrows: ["Move in a menu", "在菜单中移动"],
  go: ["Go to {page}", "前往 {page}"],
});

export interface Shortcut {
  /** One key such as `n`, two in a row such as `g 1`, or `Ctrl+S`. */
  readonly keys: string;
  readonly what: string;
  readonly run: () => void;
}

interface Group {
  readonly place: "everywhere" | "here";
  readonly shortcuts: readonly Shortcut[];
}

const groups = signal<readonly Group[]>([]);
const isListed = signal(false);

export const showShortcuts = (): void => void (isListed.value = true);

/** While the caller is shown. */
export const useShortcuts = (make: () => readonly Shortcut[], place: Group["place"] = "here"): void => {
  useEffect(() => {
    const own = { place, shortcuts: make() };
    groups.value = [...groups.value, own];
    return () => void (groups.value = groups.value.filter((group) => group !== own));
  }, [language.value]);
};

/** One for each page, in the order in which they are listed. */
export const goShortcut = (page: { name: string; number: number; run: () => void }): Shortcut => ({
  keys: `g ${page.number}`,
  what: say("go", { page: page.name }),
  run: page.run,
});

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches('textarea, select, input:not([type="checkbox"], [type="radio"])'));

const isOver = (): boolean => document.querySelector("dialog[open], [popover]:popover-open") !== null;

const find = (keys: string): Shortcut | undefined =>
  groups.value.flatMap(({ shortcuts }) => shortcuts).findLast((one) => one.keys === keys);

let first: { readonly key: string; readonly at: number } | null = null;
const SECOND_KEY_MS = 1200;

const plainKey = (event: KeyboardEvent): Shortcut | undefined => {
  const { key } = event;
  const before = first !== null && event.timeStamp - first.at < SECOND_KEY_MS ? first.key : null;
  first = { key, at: event.timeStamp };
  return (before === null ? undefined : find(`${before} ${key}`)) ?? find(key);
};

const focusSearch = (): boolean => {
  const field = document.querySelector<HTMLInputElement>('main input[type="search"]');
  field?.focus();
  field?.select();
  return field !== null;
};

const submitFrom = (target: EventTarget | null): boolean => {
  const isField = target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
  const form = isField ? target.form : null;
  form?.requestSubmit();
  return form !== null;
};

/** Whether the key was one of ours. */
const act = (event: KeyboardEvent): boolean => {
  if (event.ctrlKey || event.metaKey) {
    if (event.key === "Enter") return submitFrom(event.target);
    const found = find(`Ctrl+${event.key.toUpperCase()}`);
    found?.run();
    return found !== undefined;
  }
  if (event.altKey || isTyping(event.target) || isOver()) return false;
  if (event.key === "?") {
    showShortcuts();
    return true;
  }
  if (event.key === "/") return focusSearch();
  const found = plainKey(event);
  found?.run();
  return found !== undefined;
};

document.addEventListener("keydown", (event) => {
  if (!event.defaultPrevented && !event.isComposing && !event.repeat && act(event)) event.preventDefault();
});

const Keys = ({ keys }: { keys: string }) => (
  <span class="keys">
    {keys.split(/[ +]/).map((key, index) => (
      <Fragment key={index}>
        <kbd>{key}</kbd>
      </Fragment>
    ))}
  </span>
);

const List = ({ title, rows }: { title: string; rows: readonly Pick<Shortcut, "keys" | "what">[] }) => (
  <section>
    <h3>{title}</h3>
    <dl class="shortcuts">
      {rows.map(({ keys, what }) => (
        <div key={keys + what}>
          <dt>{what}</dt>
          <dd>
            <Keys keys={keys} />
          </dd>
        </div>
      ))}
    </dl>
  </section>
);

export const ShortcutList = () => {
  if (!isListed.value) return null;
  const close = () => (isListed.value = false);
  const at = (place: Group["place"]) =>
    groups.value.filter((group) => group.place === place).flatMap(({ shortcuts }) => shortcuts);
  const here = at("here");
  const general = [
    { keys: "?", what: say("list") },
    { keys: "/", what: say("search") },
    { keys: "Esc", what: say("close") },
    { keys: "Enter", what: say("submit") },
    { keys: "Ctrl+Enter", what: say("submitText") },
    { keys: "↑ ↓", what: say("arrows") },
  ];
  return (
    <Modal title={say("title")} onClose={close} onSubmit={close}>
      {here.length === 0 ? null : <List title={say("here")} rows={here} />}
      <List title={say("everywhere")} rows={[...general, ...at("everywhere")]} />
    </Modal>
  );
};
