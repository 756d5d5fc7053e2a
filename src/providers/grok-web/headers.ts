// What a browser on grok.com sends: header set, cookie line, client hints. Pure but for fresh ids.
// Header set observed 2026-02…2026-08; see the comments for what changed when.
import { chance, uuid } from "../../lib/ids.ts";
import type { Header } from "../upstream-port.ts";

export interface HeaderSettings {
  readonly userAgent: string;
  readonly dynamicStatsig: boolean;
  readonly statsigId: string;
  /** Cloudflare cookies as one line, without the session; may be empty. */
  readonly edgeCookies: string;
}

/** The session cookie twice (`sso-rw` has the same value), then the edge's cookies, then the user id (sockets, 2026-08). */
export const cookieLine = (token: string, edgeCookies: string, userId?: string): string =>
  [
    `sso=${token}`,
    `sso-rw=${token}`,
    ...(edgeCookies ? [edgeCookies] : []),
    ...(userId ? [`x-userid=${userId}`] : []),
  ].join("; ");

/** Header values must be latin-1: typographic dashes and quotes are replaced, the rest dropped. */
export const headerSafe = (value: string): string =>
  value
    .replace(/[\u2010-\u2015]/g, "-")
    .replace(/[\u2018\u2019]/g, "'")
    .replace(/[\u201C\u201D]/g, '"')
    // biome-ignore lint: control characters are what has to go
    .replace(/[^\t\x20-\x7E\xA0-\xFF]/g, "");

const letters = (count: number, alphabet: string): string =>
  Array.from({ length: count }, () => alphabet[Math.floor(chance() * alphabet.length)] ?? "a").join("");

const LOWER = "abcdefghijklmnopqrstuvwxyz";

/** The fallback value that the site's own script made when signing failed; refused for most calls since 2026-06. */
export const randomStatsig = (): string => {
  const text =
    chance() < 0.5
      ? `e:TypeError: Cannot read properties of null (reading 'children['${letters(5, `${LOWER}0123456789`)}']')`
      : `e:TypeError: Cannot read properties of undefined (reading '${letters(10, LOWER)}')`;
  return btoa(text);
};

/** Client hints of a Chromium user agent; none for Firefox and Safari. */
export const clientHints = (userAgent: string): Header[] => {
  const edge = /Edg\/(\d+)/.exec(userAgent);
  const version = edge?.[1] ?? /Chrom(?:e|ium)\/(\d+)/.exec(userAgent)?.[1];
  if (!version) return [];
  const brand = edge ? "Microsoft Edge" : "Google Chrome";
  const platform = /Windows/.test(userAgent) ? "Windows" : /Mac OS X/.test(userAgent) ? "macOS" : "Linux";
  return [
    ["Sec-Ch-Ua", `"${brand}";v="${version}", "Chromium";v="${version}", "Not(A:Brand";v="24"`],
    ["Sec-Ch-Ua-Mobile", /Mobile/.test(userAgent) ? "?1" : "?0"],
    ["Sec-Ch-Ua-Model", '""'],
    ["Sec-Ch-Ua-Platform", `"${platform}"`],
    ["Sec-Ch-Ua-Arch", platform === "macOS" ? "arm" : "x86"],
    ["Sec-Ch-Ua-Bitness", "64"],
  ];
};

const LANGUAGE: Header = ["Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8"];
const ENCODING: Header = ["Accept-Encoding", "gzip, deflate, br, zstd"];

export interface RestHeaders {
  readonly origin: string;
  readonly referer: string;
  readonly cookie: string;
  readonly contentType: string | null;
  /** Uploads to the v2 endpoint go without signature and request id (2026-08). */
  readonly signed: boolean;
}

export const restHeaders = (settings: HeaderSettings, rest: RestHeaders): Header[] => [
  ["Accept", "*/*"],
  ENCODING,
  LANGUAGE,
  ["Cache-Control", "no-cache"],
  ...(rest.contentType ? [["Content-Type", rest.contentType] as const] : []),
  ["Cookie", headerSafe(rest.cookie)],
  ["Origin", rest.origin],
  ["Pragma", "no-cache"],
  ["Priority", "u=1, i"],
  ["Referer", rest.referer],
  ...clientHints(settings.userAgent),
  ["Sec-Fetch-Dest", "empty"],
  ["Sec-Fetch-Mode", "cors"],
  ["Sec-Fetch-Site", new URL(rest.referer).host === new URL(rest.origin).host ? "same-origin" : "same-site"],
  ["User-Agent", headerSafe(settings.userAgent)],
  ...(rest.signed
    ? ([
        ["x-statsig-id", settings.dynamicStatsig ? randomStatsig() : settings.statsigId],
        ["x-xai-request-id", uuid()],
      ] as const)
    : []),
];

/** A download is a navigation to the file (observed 2026-02…08): no Origin, no signature. */
export const downloadHeaders = (settings: HeaderSettings, site: string, cookie: string): Header[] => [
  ["Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"],
  ENCODING,
  LANGUAGE,
  ["Cookie", headerSafe(cookie)],
  ["Priority", "u=0, i"],
  ["Referer", `${site}/`],
  ...clientHints(settings.userAgent),
  ["Sec-Fetch-Dest", "document"],
  ["Sec-Fetch-Mode", "navigate"],
  ["Sec-Fetch-Site", "same-site"],
  ["Sec-Fetch-User", "?1"],
  ["Upgrade-Insecure-Requests", "1"],
  ["User-Agent", headerSafe(settings.userAgent)],
];

/** A WebSocket upgrade: neither signature nor client hints (2026-08). */
export const socketHeaders = (settings: HeaderSettings, origin: string, cookie: string): Header[] => [
  ["Origin", origin],
  ["User-Agent", headerSafe(settings.userAgent)],
  LANGUAGE,
  ["Cache-Control", "no-cache"],
  ["Pragma", "no-cache"],
  ["Cookie", headerSafe(cookie)],
];
