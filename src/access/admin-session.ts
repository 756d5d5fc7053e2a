// The operator's way in: one password (the operator's own, else one made at the first start) and sessions made with it.
// Knows no header and no route, and no API key: a key never opens the admin side. Invariant: stored are only hashes, and a
// session ends with the password that it was made with.
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { readablePassword } from "../lib/ids.ts";
import { isObject, numberAt, stringAt } from "../lib/json.ts";
import { createGate } from "../lib/lock.ts";
import type { Log } from "../lib/log.ts";
import type { Documents } from "../storage/port.ts";
import type { Principal } from "./api-keys.ts";
import { digestOf, newSecret } from "./digest.ts";
import type { AttemptLimiter } from "./limits.ts";

export interface AdminSettings {
  readonly app_key: string;
  readonly admin_username: string;
}

export interface AdminAccessDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly settings: () => AdminSettings;
  readonly limiter: AttemptLimiter;
  readonly log: Pick<Log, "warn">;
}

export interface LoginAttempt {
  readonly password: string;
  /** Checked only when `app.admin_username` is set and the caller names one. */
  readonly username: string | null;
  readonly address: string;
}

export interface AdminSession {
  readonly token: string;
  /** Unix milliseconds; moves on with every use. */
  readonly expiresAt: number;
}

export interface AdminAccess {
  /** Makes the first password when there is none; it is told here and never again. */
  open(): Promise<{ readonly firstPassword: string | null }>;
  login(attempt: LoginAttempt): Promise<AdminSession>;
  /** Takes a session token or the password itself. Throws `invalid_api_key` or `too_many_attempts`. */
  authenticate(credential: string, address: string): Promise<Principal>;
  logout(token: string): Promise<void>;
  /** Makes a new password and ends every session. Throws `conflict` while `app.app_key` decides. */
  resetPassword(): Promise<string>;
  /** One sentence when the operator's password is a known or short one. */
  weakness(): string | null;
}

export const SESSION_PREFIX = "adm_";
const SESSION_MS = 24 * 3_600_000;
/** The last use is written at most this often, so that reading a page costs no write. */
const TOUCH_MS = 600_000;

const SESSIONS = "admin-sessions";
const PASSWORD = { collection: "secrets", id: "admin-password" } as const;
const KNOWN_DEFAULTS = new Set(["grok2api", "admin", "password", "changeme", "123456", "12345678"]);
const SHORTEST = 8;
/** OWASP's lighter argon2id setting: 19 MiB, two passes. */
const ARGON = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;
const ADMIN: Principal = { kind: "admin", id: "admin", name: "admin" };

/** The password in force. `mark` names it without saying it. */
interface Password {
  readonly mark: string;
  matches(attempt: string): boolean | Promise<boolean>;
}

export const createAdminAccess = (deps: AdminAccessDeps): AdminAccess => {
  const { documents, clock, settings, limiter } = deps;
  // Each check of a hash takes 19 MiB; a crowd of guesses must not take all memory.
  const hashing = createGate(() => 2);
  let lastVerified = "";

  const password = async (): Promise<Password | null> => {
    const own = settings().app_key;
    if (own !== "") {
      const digest = digestOf(own);
      return { mark: digest.slice(0, 16), matches: (attempt) => digestOf(attempt) === digest };
    }
    const stored = await documents.get(PASSWORD.collection, PASSWORD.id);
    const hash = isObject(stored?.body) ? stringAt(stored.body, "hash") : undefined;
    if (hash === undefined) return null;
    const mark = digestOf(hash).slice(0, 16);
    return {
      mark,
      matches(attempt) {
        const proof = `${mark} ${digestOf(attempt)}`;
        return proof === lastVerified || verifyHash({ attempt, hash, proof });
      },
    };
  };
  const verifyHash = async (check: { attempt: string; hash: string; proof: string }): Promise<boolean> => {
    const leave = await hashing.enter();
    try {
      const right = await Bun.password.verify(check.attempt, check.hash);
      if (right) lastVerified = check.proof;
      return right;
    } finally {
      leave();
    }
  };
  const storePassword = async (expect: number | undefined): Promise<string | null> => {
    const made = readablePassword();
    const body = { hash: await Bun.password.hash(made, ARGON), made_at: clock.now() };
    const result = await documents.write([{ ...PASSWORD, body, ...(expect === undefined ? {} : { expect }) }]);
    return result.ok ? made : null;
  };

  /** Counts the attempt and answers with the password's mark, or throws. */
  const prove = async (attempt: LoginAttempt): Promise<string> => {
    const current = await password();
    if (!current) {
      throw new GatewayError(
        "invalid_api_key",
        "No admin password is set: restart the program to have one made, or run the command reset-admin-password.",
      );
    }
    const lockedMs = limiter.lockedMs(attempt.address);
    if (lockedMs > 0) {
      throw new GatewayError("too_many_attempts", "Too many failed logins from this address; try again later.", {
        retryAfterMs: lockedMs,
        shouldRetry: false,
      });
    }
    const delayMs = limiter.begin(attempt.address);
    // Awaited only when it is a promise: a client that sends the password with every request must not race itself.
    const verdict = current.matches(attempt.password);
    const right = typeof verdict === "boolean" ? verdict : await verdict;
    const name = settings().admin_username;
    if (!right || (name !== "" && attempt.username !== null && attempt.username !== name)) {
      deps.log.warn("a login to the admin side failed", { address: attempt.address });
      await clock.sleep(delayMs);
      throw new GatewayError("invalid_api_key", "The admin password is wrong.");
    }
    limiter.succeed(attempt.address);
    return current.mark;
  };

  const session = async (token: string): Promise<Principal> => {
    const id = digestOf(token);
    const stored = await documents.get(SESSIONS, id);
    const body = isObject(stored?.body) ? stored.body : undefined;
    const now = clock.now();
    const seenAt = numberAt(body, "seen_at") ?? 0;
    if (!body || now - seenAt >= SESSION_MS || stringAt(body, "mark") !== (await password())?.mark) {
      throw new GatewayError("invalid_api_key", "The session has ended; log in again.");
    }
    if (now - seenAt >= TOUCH_MS)
      await documents.write([{ collection: SESSIONS, id, body: { ...body, seen_at: now } }]);
    return ADMIN;
  };
  const dropSessions = async (ended: (seenAt: number) => boolean): Promise<void> => {
    const old = (await documents.list(SESSIONS)).filter(({ body }) =>
      ended(isObject(body) ? (numberAt(body, "seen_at") ?? 0) : 0),
    );
    if (old.length > 0) await documents.write(old.map(({ id }) => ({ collection: SESSIONS, id, remove: true })));
  };

  const weakness = (): string | null => {
    const own = settings().app_key;
    if (own === "") return null;
    if (KNOWN_DEFAULTS.has(own.toLowerCase())) return "app.app_key is a password that everybody knows; change it.";
    return own.length < SHORTEST ? `app.app_key is shorter than ${SHORTEST} characters; choose a longer one.` : null;
  };

  return {
    weakness,
    async open() {
      if (settings().app_key !== "") return { firstPassword: null };
      const stored = await documents.get(PASSWORD.collection, PASSWORD.id);
      // Two programs that start on one store at once: the first one's password stands.
      return { firstPassword: stored ? null : await storePassword(0) };
    },
    async login(attempt) {
      const mark = await prove(attempt);
      const now = clock.now();
      await dropSessions((seenAt) => now - seenAt >= SESSION_MS);
      const token = newSecret(SESSION_PREFIX);
      const body = { mark, created_at: now, seen_at: now };
      await documents.write([{ collection: SESSIONS, id: digestOf(token), body }]);
      return { token, expiresAt: now + SESSION_MS };
    },
    async authenticate(credential, address) {
      if (credential.startsWith(SESSION_PREFIX)) return session(credential);
      await prove({ password: credential, username: null, address });
      return ADMIN;
    },
    async logout(token) {
      if (!token.startsWith(SESSION_PREFIX)) return;
      await documents.write([{ collection: SESSIONS, id: digestOf(token), remove: true }]);
    },
    async resetPassword() {
      if (settings().app_key !== "") {
        throw new GatewayError("conflict", "app.app_key is set, so it is the admin password; change it there.");
      }
      const made = await storePassword(undefined);
      if (made === null) throw new GatewayError("conflict", "The admin password was changed by somebody else.");
      await dropSessions(() => true);
      return made;
    },
  };
};
