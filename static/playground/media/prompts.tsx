// Prompts of earlier, kept in this browser, newest first; chosen again from a menu. Knows no page.
import { signal, type Signal } from "@preact/signals";
import { Icon } from "../../shared/icons.tsx";
import { keep, kept } from "../../shared/keeping.ts";
import { speak } from "../../shared/language.ts";
import { Menu } from "../../shared/menu.tsx";

const say = speak({
  earlier: ["Earlier prompts", "历史提示词"],
  forget: ["Forget them all", "全部清除"],
});

export interface PromptBook {
  readonly list: Signal<readonly string[]>;
  add(prompt: string): void;
  forget(): void;
}

const MOST = 30;
const SHOWN = 12;
const LONGEST_LABEL = 70;

const read = (name: string): readonly string[] => {
  try {
    const value: unknown = JSON.parse(kept(name) ?? "[]");
    return Array.isArray(value) ? value.filter((one): one is string => typeof one === "string") : [];
  } catch {
    return [];
  }
};

export const createPromptBook = (name: string): PromptBook => {
  const list = signal(read(name));
  const set = (next: readonly string[]) => {
    list.value = next;
    keep(name, next.length === 0 ? null : JSON.stringify(next));
  };
  return {
    list,
    add: (prompt) => set([prompt, ...list.value.filter((one) => one !== prompt)].slice(0, MOST)),
    forget: () => set([]),
  };
};

const short = (prompt: string): string => {
  const letters = [...prompt.replace(/\s+/g, " ").trim()];
  return letters.length > LONGEST_LABEL ? `${letters.slice(0, LONGEST_LABEL).join("")}…` : letters.join("");
};

export const EarlierPrompts = ({ book, onChoose }: { book: PromptBook; onChoose: (prompt: string) => void }) => (
  <Menu
    label={say("earlier")}
    disabled={book.list.value.length === 0}
    actions={[
      ...book.list.value.slice(0, SHOWN).map((prompt) => ({ label: short(prompt), run: () => onChoose(prompt) })),
      "line",
      { label: say("forget"), icon: "trash", run: book.forget },
    ]}
  >
    <Icon name="clock" />
  </Menu>
);
