// The part of the configuration (section `token`) that decides about accounts; names as in the configuration file.
// Passed as a function everywhere, so that a changed setting counts from the next decision on.
import type { Config } from "../config/schema.ts";

export type Strategy = "quota" | "least_used" | "random";

export interface TokenSettings {
  /** Which of the accounts that can serve is taken. */
  readonly strategy: Strategy;
  /** Consecutive refused sessions after which an account is expired. */
  readonly fail_threshold: number;
  readonly save_delay_ms: number;
  readonly max_inflight: number;
  /** The same for a key of the official API. */
  readonly max_inflight_per_key: number;
  /** Selections that pass an account over after an error. */
  readonly error_skip_requests: number;
  /** Rest after a 429 when quota is left or unknown. */
  readonly cooldown_seconds: number;
  /** Rest after a 429 when no quota is left. */
  readonly exhausted_cooldown_seconds: number;
  readonly max_retry_after_seconds: number;
  readonly refresh_interval_hours: number;
  readonly super_refresh_interval_hours: number;
  readonly refresh_concurrency: number;
  readonly auto_refresh: boolean;
  readonly on_demand_refresh_enabled: boolean;
  readonly on_demand_refresh_min_interval_sec: number;
  readonly on_demand_refresh_max_tokens: number;
}

export const tokenSettingsOf = ({ token, xai }: Pick<Config, "token" | "xai">): TokenSettings => ({
  ...token,
  max_inflight_per_key: xai.max_inflight,
});
