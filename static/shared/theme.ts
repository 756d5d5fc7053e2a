// Light, dark or as the system has it. Invariant: the choice stands on the document, where the styles look for it.
import { signal } from "@preact/signals";
import { keep, kept } from "./keeping.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "grok2api.theme";

export const theme = signal<Theme>(THEMES.find((one) => one === kept(KEY)) ?? "system");

export const setTheme = (next: Theme): void => {
  theme.value = next;
  keep(KEY, next === "system" ? null : next);
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
};
