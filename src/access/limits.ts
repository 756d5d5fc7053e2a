// Slows down and then locks out addresses that guess a password. Knows no password and no route.
// Invariant: an attempt counts as failed before it is checked, so that attempts at the same time cannot pass the count.
import type { Clock } from "../lib/clock.ts";

export interface AttemptLimiter {
  /** Milliseconds until the address may try again; 0 when it may. */
  lockedMs(address: string): number;
  /** Counts an attempt; the result is how long its answer is to be delayed when it fails. */
  begin(address: string): number;
  /** The attempt was right: forgets what was counted. */
  succeed(address: string): void;
}

const FREE_FAILURES = 5;
const FIRST_LOCK_MS = 30_000;
const LONGEST_LOCK_MS = 3_600_000;
/** Failures this old are forgotten. */
const MEMORY_MS = 86_400_000;
const MAX_ADDRESSES = 10_000;
const DELAY_STEP_MS = 200;

interface Entry {
  failures: number;
  lockedUntil: number;
  lastMs: number;
}

export const createAttemptLimiter = (clock: Pick<Clock, "now">): AttemptLimiter => {
  const entries = new Map<string, Entry>();

  const find = (address: string): Entry | undefined => {
    const entry = entries.get(addressGroup(address));
    return entry && clock.now() - entry.lastMs < MEMORY_MS ? entry : undefined;
  };
  const remember = (address: string, entry: Entry) => {
    const group = addressGroup(address);
    entries.delete(group);
    entries.set(group, entry);
    // The map keeps the order of last use: the first key is the one that was quiet for longest.
    for (const oldest of entries.keys()) {
      if (entries.size <= MAX_ADDRESSES) break;
      entries.delete(oldest);
    }
  };
  return {
    lockedMs(address) {
      return Math.max(0, (find(address)?.lockedUntil ?? 0) - clock.now());
    },
    begin(address) {
      const now = clock.now();
      const failures = (find(address)?.failures ?? 0) + 1;
      const over = failures - FREE_FAILURES;
      const lockMs = over < 0 ? 0 : Math.min(LONGEST_LOCK_MS, FIRST_LOCK_MS * 2 ** Math.min(over, 20));
      remember(address, { failures, lockedUntil: now + lockMs, lastMs: now });
      return failures * DELAY_STEP_MS;
    },
    succeed(address) {
      entries.delete(addressGroup(address));
    },
  };
};

/** One home or server owns a whole /64 of IPv6, so such a block counts as one address. */
export const addressGroup = (address: string): string => {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("::");
  const front = head === "" ? [] : head.split(":");
  const back = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - front.length - back.length) }, () => "0");
  const groups = [...front, ...zeros, ...back].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${groups.join(":")}::/64`;
};
