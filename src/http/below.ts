// The path below which this gateway is reached when a proxy leaves it on: what app.app_url ends in. Knows no route.
// Invariants: a path that does not begin with it stays as it is, so that a proxy that takes it away needs no other setting; an
// address that ends in one of our own places, as copied from a client or a browser, takes nothing away.

let known = { appUrl: "", prefix: "" };

const OWN_PLACE = /^\/(?:v1|admin|login|chat|imagine|video|voice)(?:\/|$)/;

const prefixOf = (appUrl: string): string => {
  if (appUrl === known.appUrl) return known.prefix;
  const { pathname } = new URL(appUrl);
  known = { appUrl, prefix: OWN_PLACE.test(pathname) ? "" : pathname.replace(/\/+$/, "") };
  return known.prefix;
};

/** The path as the routes know it. */
export const withoutPrefix = (path: string, appUrl: string): string => {
  if (appUrl === "") return path;
  const prefix = prefixOf(appUrl);
  if (prefix === "" || !path.startsWith(prefix)) return path;
  const rest = path.slice(prefix.length);
  return rest === "" ? "/" : rest.startsWith("/") ? rest : path;
};
