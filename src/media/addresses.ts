// IP addresses as bytes: reading them, networks, and whether an address belongs to the open internet.
// Knows no name and no connection. Invariant: an IPv4 address inside an IPv6 one is judged as the IPv4 address.
import { isIP } from "node:net";

/** 4 or 16 bytes. */
export type Address = readonly number[];

export interface Network {
  readonly address: Address;
  readonly bits: number;
}

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

const readV4 = (text: string): number[] => text.split(".").map(Number);

const readV6 = (text: string): number[] => {
  const tail = /(?:^|:)(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  const plain = tail === undefined ? text : text.slice(0, -tail.length) + hexPair(readV4(tail));
  const [left = "", right] = plain.split("::");
  const head = left === "" ? [] : left.split(":");
  const end = right === undefined || right === "" ? [] : right.split(":");
  const gap = right === undefined ? 0 : 8 - head.length - end.length;
  const groups = [...head, ...Array.from({ length: gap }, () => "0"), ...end].map((group) =>
    Number.parseInt(group, 16),
  );
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
};

const hexPair = ([a = 0, b = 0, c = 0, d = 0]: readonly number[]): string =>
  `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;

/** Reads an address; brackets and a zone are left out; null for anything else. */
export const parseAddress = (text: string): Address | null => {
  const plain = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  const family = isIP(plain);
  if (family === 0) return null;
  if (family === 4) return readV4(plain);
  const bytes = readV6(plain);
  return MAPPED.every((byte, index) => bytes[index] === byte) ? bytes.slice(12) : bytes;
};

/** Reads `10.0.0.0/8`, `fc00::/7` or a single address; null for anything else. */
export const parseNetwork = (text: string): Network | null => {
  const [host = "", length, ...rest] = text.trim().split("/");
  const address = parseAddress(host);
  if (address === null || rest.length > 0) return null;
  const written = isIP(host) === 6 ? 128 : 32;
  const bits = length === undefined ? written : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  // A mapped network is written with 128 bits and kept with 32.
  const kept = bits - (written - address.length * 8);
  return bits < 0 || bits > written || kept < 0 ? null : { address, bits: kept };
};

export const inNetwork = (address: Address, network: Network): boolean => {
  if (address.length !== network.address.length) return false;
  for (let bit = 0; bit < network.bits; bit += 8) {
    const mask = bit + 8 <= network.bits ? 0xff : (0xff << (bit + 8 - network.bits)) & 0xff;
    if (((address[bit / 8] ?? 0) & mask) !== ((network.address[bit / 8] ?? 0) & mask)) return false;
  }
  return true;
};

const networks = (...texts: readonly string[]): readonly Network[] =>
  texts.map((text) => {
    const network = parseNetwork(text);
    if (network === null) throw new Error(`not a network: ${text}`);
    return network;
  });

/** Never a caller's business: this host and its own services, link-local with its metadata services, multicast, reserved. */
const FORBIDDEN = networks(
  "0.0.0.0/8",
  "127.0.0.0/8",
  "::1",
  "100.100.100.200", // metadata of a cloud, inside the carrier range
  "168.63.129.16", // metadata of a cloud, inside the public range
  "169.254.0.0/16",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
  "2001::/23", // tunnels and special purposes
  "2001:db8::/32",
  "2002::/16", // carries any IPv4 address
  "3fff::/20",
  "fd00:ec2::254", // metadata of a cloud, inside the private range
);

/** Networks of the operator; 198.18.0.0/15 is what proxies with made-up addresses answer for every name. */
const PRIVATE = networks("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16", "198.18.0.0/15", "fc00::/7");
const GLOBAL_V6 = networks("2000::/3");
const NAT64 = networks("64:ff9b::/96");

export type Reach = "public" | "private" | "forbidden";

export const reachOf = (address: Address): Reach => {
  const within = (list: readonly Network[]) => list.some((network) => inNetwork(address, network));
  if (within(NAT64)) return reachOf(address.slice(12));
  if (within(FORBIDDEN)) return "forbidden";
  if (within(PRIVATE)) return "private";
  return address.length === 4 || within(GLOBAL_V6) ? "public" : "forbidden";
};
