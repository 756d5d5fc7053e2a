// Who may use the playground, by the operator's two settings, and whether it opens the API as well. Knows no header and no page.
// Invariant: neither an API key nor an admin credential opens the playground; its own key opens nothing else.
import { GatewayError } from "../core/errors.ts";
import type { Principal } from "./api-keys.ts";
import { digestOf } from "./digest.ts";
import type { AttemptLimiter } from "./limits.ts";

export interface PublicSettings {
  readonly public_enabled: boolean;
  readonly public_key: string;
  readonly public_bypass_api_key: boolean;
}

export interface PublicAccess {
  /** Throws what a visitor without the right key is told. */
  check(presented: string | null, address: string): Principal;
  /** Whether the pages are served at all. */
  readonly pages: boolean;
  /** Everybody who may call the API although no API key was shown; null where one is needed. */
  readonly bypass: Principal | null;
  /** Another text as soon as others may come in: what was let in before is to be asked anew. */
  readonly terms: string;
  /** One sentence for the start, when the API stands open because of the playground. */
  warning(): string | null;
}

export const VISITOR: Principal = { kind: "open", id: "playground", name: "playground" };

export const createPublicAccess = (deps: {
  readonly settings: () => PublicSettings;
  readonly limiter: AttemptLimiter;
}): PublicAccess => {
  const { settings, limiter } = deps;
  const bypasses = (): boolean => settings().public_enabled && settings().public_bypass_api_key;
  return {
    check(presented, address) {
      const { public_enabled: enabled, public_key: key } = settings();
      if (key === "") {
        if (enabled) return VISITOR;
        throw new GatewayError("invalid_api_key", "Public access is disabled");
      }
      if (presented === null) throw new GatewayError("missing_api_key", "Missing authentication token");
      const waitMs = limiter.lockedMs(address);
      if (waitMs > 0) {
        throw new GatewayError("too_many_attempts", "Too many wrong keys from this address.", { retryAfterMs: waitMs });
      }
      if (digestOf(presented) === digestOf(key)) {
        limiter.succeed(address);
        return VISITOR;
      }
      limiter.begin(address);
      throw new GatewayError("invalid_api_key", "Invalid authentication token");
    },
    get pages() {
      return settings().public_enabled;
    },
    get bypass() {
      return bypasses() ? VISITOR : null;
    },
    get terms() {
      const { public_enabled: enabled, public_key: key } = settings();
      return `${enabled} ${digestOf(key)}`;
    },
    warning: () =>
      bypasses()
        ? "app.public_enabled is on: the API under /v1 takes requests without a key; set app.public_bypass_api_key to false to keep asking for one"
        : null,
  };
};
