// Short-lived secrets that open the speech socket from a browser, in the place of the key of whoever asked for them. Knows no
// socket. Invariants: they open nothing else, live in memory only, and are worth what the key behind them is worth when they are
// used: one that was switched off meanwhile opens nothing.
import type { Clock } from "../lib/clock.ts";
import { digestOf, newSecret } from "./digest.ts";

export interface SocketSecret {
  readonly value: string;
  readonly expiresMs: number;
}

/** What a secret stands for. */
export interface SocketGrant {
  /** The key of whoever asked; null where none was needed. */
  readonly credential: string | null;
  /** The one model it opens; null leaves the choice to whoever connects. */
  readonly model: string | null;
}

export interface SocketSecrets {
  issue(grant: SocketGrant, lifeMs: number): SocketSecret;
  /** Null for one that is unknown or over. */
  find(presented: string): SocketGrant | null;
}

export const SOCKET_SECRET_PREFIX = "ek_";
/** The oldest go first. */
const MOST = 10_000;

export const createSocketSecrets = (clock: Pick<Clock, "now">): SocketSecrets => {
  const grants = new Map<string, SocketGrant & { readonly expiresMs: number }>();
  return {
    issue(grant, lifeMs) {
      const now = clock.now();
      for (const [digest, { expiresMs }] of grants) if (expiresMs <= now || grants.size >= MOST) grants.delete(digest);
      const value = newSecret(SOCKET_SECRET_PREFIX);
      const expiresMs = now + lifeMs;
      grants.set(digestOf(value), { ...grant, expiresMs });
      return { value, expiresMs };
    },
    find(presented) {
      const found = presented.startsWith(SOCKET_SECRET_PREFIX) ? grants.get(digestOf(presented)) : undefined;
      return found && found.expiresMs > clock.now() ? found : null;
    },
  };
};
