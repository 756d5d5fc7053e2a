// Which page is shown: the path of the address bar, changed without loading the document again. Knows no page.
// Invariant: a link works with the keyboard, the middle button and the back button as any link does.
import { signal } from "@preact/signals";
import { at, below, pathHere } from "./place.ts";

/** A slash at the end is a common slip. */
const shown = (): string => pathHere().replace(/(?<=.)\/$/, "");

export const path = signal(shown());

/** Asked before the page is left; false stays. */
type Guard = () => boolean | Promise<boolean>;
let guard: Guard | null = null;

export const guardLeaving = (next: Guard | null): void => {
  guard = next;
};

/** `to` is the gateway's own path, such as `/admin/token`. */
export const navigate = (to: string, how: { replace?: boolean } = {}): void => {
  if (at(to) === location.pathname + location.search + location.hash) return;
  if (how.replace === true) history.replaceState(null, "", at(to));
  else history.pushState(null, "", at(to));
  path.value = shown();
  scrollTo(0, 0);
};

/** Goes there unless what was typed here is to be kept. */
export const leaveFor = async (to: string): Promise<void> => {
  if (guard === null || (await guard())) navigate(to);
};

addEventListener("popstate", () => {
  path.value = shown();
});

/** Told once at the start: which paths are pages of the document that is loaded. */
export const takeLinks = (isPage: (path: string) => boolean): void =>
  document.addEventListener("click", (event) => follow(event, isPage));

const follow = (event: MouseEvent, isPage: (path: string) => boolean): void => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
  const to = below(link.pathname);
  if (to === null || !isPage(to)) return;
  // A jump inside the page is the browser's.
  if (link.hash !== "" && link.pathname + link.search === location.pathname + location.search) return;
  event.preventDefault();
  void leaveFor(to + link.search + link.hash);
};
