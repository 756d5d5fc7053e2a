// What a call needs to act as an account: lent by the accounts room, used by providers, kept by neither protocol nor log.
import type { Tier } from "./models.ts";

/** One account's secret and what earlier calls learned about it. */
export interface Credential {
  /** Stable id of the account; safe to log. */
  readonly accountId: string;
  /** The session cookie's value. Never logged. */
  readonly token: string;
  readonly tier: Tier;
  /** The upstream's user id, once known. */
  readonly userId?: string;
}
