// The language of the pages: English or Chinese, chosen once and kept. Knows no word itself: every page brings its own table.
// Invariant: a word is written in both languages side by side, so that none can be forgotten.
import { signal } from "@preact/signals";
import { keep, kept } from "./keeping.ts";

export type Language = "en" | "zh";

const KEY = "grok2api.language";

const initial = (): Language => {
  const chosen = kept(KEY) ?? navigator.language;
  return chosen.toLowerCase().startsWith("zh") ? "zh" : "en";
};

export const language = signal<Language>(initial());

export const setLanguage = (next: Language): void => {
  keep(KEY, next);
  language.value = next;
  document.documentElement.lang = next === "zh" ? "zh-CN" : "en";
};

export type Words = Readonly<Record<string, readonly [en: string, zh: string]>>;
export type Values = Readonly<Record<string, string | number>>;

/** Reads a table of words; `{name}` in a text is filled in. */
export const speak =
  <W extends Words>(words: W) =>
  (word: keyof W & string, values: Values = {}): string => {
    const [en = word, zh = en] = words[word] ?? [];
    const text = language.value === "zh" ? zh : en;
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
  };

/** The text of the present language out of what the server gives in both. */
export const inLanguage = (text: Readonly<Record<Language, string>>): string => text[language.value];
