// Where the gateway lies as this browser reaches it: at the root of a name, or below a path that a proxy takes away.
// Knows no page. Invariant: every address of this gateway that a page asks or links to goes through `at`.

/** This very script lies in the folder `static` beside the pages. Empty, or a path without a slash at the end. */
const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");

/** An address of this gateway, such as `/v1/models`, as it stands in this browser. */
export const at = (path: string): string => ROOT + path;

/** The same as people type it into a client. */
export const publicAt = (path: string): string => location.origin + at(path);

/** The gateway's own name for the address that is shown: `/admin/token`. */
export const pathHere = (): string => below(location.pathname) ?? "/";

/** The gateway's own name for a path of this site; null for one that is not the gateway's. */
export const below = (pathname: string): string | null => {
  if (ROOT === "") return pathname;
  return pathname.startsWith(`${ROOT}/`) ? pathname.slice(ROOT.length) : null;
};

const FILES = "/v1/files/";

/** A stored file of this gateway under the address of this browser, whatever name the link has; null for anything else. */
export const ownFile = (link: string): string | null => {
  if (!URL.canParse(link, location.origin)) return null;
  const { pathname, search } = new URL(link, location.origin);
  const start = pathname.indexOf(FILES);
  return start < 0 ? null : at(pathname.slice(start)) + search;
};
