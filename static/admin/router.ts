// Which page is shown: the path of the address bar, changed without loading the document again. Knows no page.
// Invariant: a link works with the keyboard, the middle button and the back button as any link does.
import { signal } from "@preact/signals";

const PREFIX = "/admin";

export const path = signal(location.pathname);

/** Asked before the page is left; false stays. */
type Guard = () => boolean | Promise<boolean>;
let guard: Guard | null = null;

export const guardLeaving = (next: Guard | null): void => {
  guard = next;
};

export const navigate = (to: string, how: { replace?: boolean } = {}): void => {
  if (to === location.pathname + location.search) return;
  if (how.replace === true) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  path.value = location.pathname;
  scrollTo(0, 0);
};

const leaveFor = async (to: string): Promise<void> => {
  if (guard === null || (await guard())) navigate(to);
};

addEventListener("popstate", () => {
  path.value = location.pathname;
});

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  if (!link || link.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (link.pathname !== PREFIX && !link.pathname.startsWith(`${PREFIX}/`)) return;
  event.preventDefault();
  void leaveFor(link.pathname + link.search);
});
