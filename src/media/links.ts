// The addresses under which stored media is reached from outside: the public base of a request, file links, data URIs, and
// the rule for file names. Knows no store. Invariant: a link never carries an address that only this machine knows, and a
// stranger's forwarded headers are not believed.
import { GatewayError } from "../core/errors.ts";
import { inNetwork, parseAddress, parseNetwork } from "./addresses.ts";

export type MediaKind = "image" | "video";

const FILE_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/;

/** One path segment of harmless characters; a leading dot is for files in the making. */
export const isFileName = (name: string): boolean => FILE_NAME.test(name);

export const checkFileName = (name: string): void => {
  if (!isFileName(name))
    throw new GatewayError("invalid_file_name", "The file name is not allowed.", { param: "name" });
};

export interface RequestFacts {
  /** The Host header, with its port. */
  readonly host: string;
  readonly proto: "http" | "https";
  /** Address of the connection's other end; null when there is none. */
  readonly remoteAddress: string | null;
  readonly forwardedHost: string | null;
  readonly forwardedProto: string | null;
  /** Path below which a proxy serves us, such as `/grok`. */
  readonly forwardedPrefix: string | null;
}

export interface PublicBase {
  /** The operator's own address; empty when not set. */
  readonly appUrl: string;
  readonly request: RequestFacts;
  /** Addresses or networks whose forwarded headers count. */
  readonly trustedProxies: readonly string[];
}

const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const PREFIX = /^(?:\/[A-Za-z0-9._~-]+)+$/;

/** Base URL without a slash at the end: the setting, else what a trusted proxy says, else the Host header. */
export const publicBase = ({ appUrl, request, trustedProxies }: PublicBase): string => {
  const own = trimSlashes(appUrl.trim());
  if (own !== "") return own;
  const trusted = isTrusted(request.remoteAddress, trustedProxies);
  const host = trusted ? firstMatch(request.forwardedHost, HOST) : undefined;
  const proto = trusted ? firstMatch(request.forwardedProto, /^https?$/i)?.toLowerCase() : undefined;
  const prefix = trusted ? firstMatch(trimSlashes(request.forwardedPrefix ?? ""), PREFIX) : undefined;
  if (host === undefined && !HOST.test(request.host)) {
    throw new GatewayError("invalid_value", "The Host header is not a valid host.");
  }
  return `${proto ?? request.proto}://${host ?? request.host}${prefix ?? ""}`;
};

const trimSlashes = (text: string): string => text.replace(/\/+$/, "");

/** The client's side of a list that every proxy on the way has added to. */
const firstMatch = (header: string | null, allowed: RegExp): string | undefined => {
  const first = header?.split(",")[0]?.trim() ?? "";
  return allowed.test(first) ? first : undefined;
};

const isTrusted = (remote: string | null, proxies: readonly string[]): boolean => {
  const address = remote === null ? null : parseAddress(remote);
  if (address === null) return false;
  return proxies.some((proxy) => {
    const network = parseNetwork(proxy);
    return network !== null && inNetwork(address, network);
  });
};

/** What an address carries beside the file's name while addresses end. */
export interface MediaLinks {
  /** Empty, or a query with its question mark. */
  query(name: string): string;
  /** How long the address is good for yet; null without an end. Throws `invalid_link`. */
  secondsLeft(name: string, query: URLSearchParams): number | null;
}

export const mediaLink = (base: string, file: { readonly kind: MediaKind; readonly name: string }): string =>
  `${trimSlashes(base)}/v1/files/${file.kind}/${encodeURIComponent(file.name)}`;

export const dataLink = (mime: string, bytes: Uint8Array): string => `data:${mime};base64,${bytes.toBase64()}`;
