// What a call needs to act as an account: lent by the accounts room, used by providers, kept by neither protocol nor log.
import type { Tier, Upstream } from "./models.ts";

/** One account's secret and what earlier calls learned about it. */
export interface Credential {
  /** Stable id of the account; safe to log. */
  readonly accountId: string;
  /** The session cookie's value, or the key of the official API. Never logged. */
  readonly token: string;
  readonly tier: Tier;
  /** The upstream's user id, once known. */
  readonly userId?: string;
  /** The team of a key, once known: limits and credits are the team's. */
  readonly teamId?: string;
}

/** Keys of the official API can be told from sessions by how they begin (docs.x.ai, read 2026-11). */
export const upstreamOf = (token: string): Upstream => (token.startsWith("xai-") ? "xai" : "web");
