// Who may call the API: the operator's own keys and those handed out to clients. Knows no header and no route.
// Invariant: a key is found by its digest, so that a check costs one look-up and its timing says nothing about the keys.
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { ClientKey, ClientKeys } from "./client-keys.ts";
import { digestOf } from "./digest.ts";

export interface Principal {
  /** "open" stands for everybody while no key is set. */
  readonly kind: "anybody" | "open" | "key" | "admin";
  /** Safe to log. */
  readonly id: string;
  readonly name: string;
  /** The handed-out key with its limits; the operator's own keys have none. */
  readonly client?: ClientKey;
}

export interface ApiKeys {
  /** Null when the key is unknown; throws a KeyRefusal for one that may not be used. Without any key, everybody is let in. */
  check(presented: string | null): Principal | null;
  /** Whether this is one of the operator's own keys. */
  isGlobal(secret: string): boolean;
  readonly open: boolean;
}

/** The keys handed out to clients. */
export interface HandedOut {
  readonly keys: Pick<ClientKeys, "byDigest" | "size">;
  readonly clock: Pick<Clock, "now">;
}

const OPEN: Principal = { kind: "open", id: "open", name: "open API" };

/** `keys` answers with the same array as long as the settings are the same. */
export const createApiKeys = (keys: () => readonly string[], handedOut?: HandedOut): ApiKeys => {
  let known: readonly string[] | undefined;
  let byDigest = new Map<string, Principal>();
  const own = (): ReadonlyMap<string, Principal> => {
    const now = keys();
    if (now !== known) {
      byDigest = new Map(now.map((key, index) => principalOf(digestOf(key), index)));
      known = now;
    }
    return byDigest;
  };
  const isOpen = () => own().size === 0 && (handedOut?.keys.size ?? 0) === 0;
  return {
    check(presented) {
      if (isOpen()) return OPEN;
      if (presented === null) return null;
      const digest = digestOf(presented);
      const principal = own().get(digest);
      if (principal) return principal;
      const client = handedOut?.keys.byDigest(digest);
      return handedOut && client ? clientPrincipal(client, handedOut.clock.now()) : null;
    },
    isGlobal: (secret) => own().has(digestOf(secret)),
    get open() {
      return isOpen();
    },
  };
};

const principalOf = (digest: string, index: number): [string, Principal] => [
  digest,
  { kind: "key", id: `key_${digest.slice(0, 12)}`, name: `app.api_key ${index + 1}` },
];

/** A key that is known and may not be used: the operator sees whose requests were refused. */
export class KeyRefusal extends GatewayError {
  readonly key: string;

  constructor(code: "key_disabled" | "key_expired", message: string, key: string) {
    super(code, message);
    this.key = key;
  }
}

const clientPrincipal = (client: ClientKey, nowMs: number): Principal => {
  const { id, enabled, expiresMs } = client;
  if (!enabled) throw new KeyRefusal("key_disabled", "This API key has been switched off.", id);
  if (expiresMs !== null && expiresMs <= nowMs) {
    throw new KeyRefusal("key_expired", `This API key expired at ${new Date(expiresMs).toISOString()}.`, id);
  }
  return { kind: "key", id: client.id, name: client.name, client };
};
