// Runs before the first paint: the chosen theme and language stand on the document already when the styles apply.
// Knows the names under which theme.ts and language.ts keep their choices. Invariant: never throws, also without storage.
const kept = (name: string): string | null => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
};
const theme = kept("grok2api.theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
const language = kept("grok2api.language") ?? navigator.language;
document.documentElement.lang = language.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
// The address of the page changes without a new document, and the sign of the tab must not be looked for from there.
const sign = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
if (sign) sign.setAttribute("href", sign.href);
