// Hides secrets in everything that is printed, dumped or sent to a page.
// Invariant: no more than eight characters of a secret ever appear, and those only of a long one.
import type { ConfigKey } from "./schema.ts";

export function maskText(secret: string): string {
  if (secret === "") return "";
  return secret.length < 16 ? "****" : `${secret.slice(0, 4)}…${secret.slice(-4)}`;
}

/** What is no address is hidden whole: proxies are often written as host:port:user:password. */
export function maskUrlPassword(url: string): string {
  if (url === "") return "";
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(url)?.[0];
  if (scheme === undefined || !URL.canParse(url)) return "****";
  const at = url.lastIndexOf("@");
  if (at === -1) return url;
  const login = url.slice(scheme.length, at);
  const colon = login.indexOf(":");
  return `${scheme}${colon === -1 ? "" : `${login.slice(0, colon)}:`}****${url.slice(at)}`;
}

/** The value as it may be shown; of the same shape, so that a form can send it back unchanged. */
export function maskValue(key: ConfigKey, value: unknown): unknown {
  if (key.meta.secret !== true) return value;
  const mask = key.meta.kind === "proxy-url" ? maskUrlPassword : maskText;
  if (typeof value === "string") return mask(value);
  if (Array.isArray(value)) return value.map((item) => (typeof item === "string" ? mask(item) : "****"));
  return value === null || value === undefined ? value : "****";
}
