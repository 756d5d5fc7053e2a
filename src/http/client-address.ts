// Where a request comes from and under which address the caller reached us. Forwarded headers count only when the connection
// comes from a trusted proxy. Invariant: a caller that is not behind such a proxy cannot choose its own address.
import { BlockList, isIP } from "node:net";
import type { Config } from "../config/schema.ts";
import { publicBase } from "../media/links.ts";
import type { HttpServer } from "./context.ts";

export interface Arrival {
  readonly request: Request;
  readonly server: HttpServer | undefined;
  readonly config: Config;
}

const lists = new WeakMap<readonly string[], BlockList>();

/** Settings are read-only snapshots, so the list of a snapshot can be kept as long as the snapshot lives. */
const trustList = (ranges: readonly string[]): BlockList => {
  const known = lists.get(ranges);
  if (known) return known;
  const list = new BlockList();
  for (const range of ranges) {
    const [address = "", bits] = range.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  lists.set(ranges, list);
  return list;
};

const plain = (address: string): string =>
  address
    .trim()
    .replace(/^\[([^\]]*)\](?::\d+)?$/, "$1")
    .replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, "$1")
    .replace(/^::ffff:(?=\d+\.)/i, "");

/** Whether an address lies in one of the ranges. */
export const isListed = (address: string, ranges: readonly string[]): boolean => {
  const family = isIP(address);
  if (family === 0 || ranges.length === 0) return false;
  return trustList(ranges).check(address, family === 6 ? "ipv6" : "ipv4");
};

const isTrusted = (address: string, config: Config): boolean => isListed(address, config.server.trusted_proxies);

const peerOf = ({ request, server }: Arrival): string => plain(server?.requestIP(request)?.address ?? "");

/** The nearest address that is not one of our proxies; "unknown" without a connection. */
export const clientAddress = (arrival: Arrival): string => {
  const peer = peerOf(arrival);
  if (!isTrusted(peer, arrival.config)) return peer === "" ? "unknown" : peer;
  const hops = (arrival.request.headers.get("x-forwarded-for") ?? "").split(",").map(plain);
  const foreign = hops.toReversed().find((hop) => isIP(hop) !== 0 && !isTrusted(hop, arrival.config));
  return foreign ?? peer;
};

/** The address under which links work for the caller, without a slash at the end. */
export const baseUrl = ({ request, server, config, url }: Arrival & { readonly url: URL }): string => {
  const { headers } = request;
  return publicBase({
    appUrl: config.app.app_url,
    trustedProxies: config.server.trusted_proxies,
    request: {
      host: headers.get("host") ?? url.host,
      proto: url.protocol === "https:" ? "https" : "http",
      remoteAddress: server?.requestIP(request)?.address ?? null,
      forwardedHost: headers.get("x-forwarded-host"),
      forwardedProto: headers.get("x-forwarded-proto"),
      forwardedPrefix: headers.get("x-forwarded-prefix"),
    },
  });
};
