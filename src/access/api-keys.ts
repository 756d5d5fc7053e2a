// Who may call the API: the operator's keys. Knows no header and no route.
// Invariant: a key is found by its digest, so that a check costs one look-up and its timing says nothing about the keys.
import { digestOf } from "./digest.ts";

export interface Principal {
  /** "open" stands for everybody while no key is set. */
  readonly kind: "anybody" | "open" | "key" | "admin";
  /** Safe to log. */
  readonly id: string;
  readonly name: string;
}

export interface ApiKeys {
  /** Null when the key is unknown; without any key set, everybody is let in. */
  check(presented: string | null): Principal | null;
  readonly open: boolean;
}

const OPEN: Principal = { kind: "open", id: "open", name: "open API" };

/** `keys` answers with the same array as long as the settings are the same. */
export const createApiKeys = (keys: () => readonly string[]): ApiKeys => {
  let known: readonly string[] | undefined;
  let byDigest = new Map<string, Principal>();
  const current = (): ReadonlyMap<string, Principal> => {
    const now = keys();
    if (now !== known) {
      byDigest = new Map(now.map((key, index) => principalOf(digestOf(key), index)));
      known = now;
    }
    return byDigest;
  };
  return {
    check(presented) {
      const principals = current();
      if (principals.size === 0) return OPEN;
      return presented === null ? null : (principals.get(digestOf(presented)) ?? null);
    },
    get open() {
      return current().size === 0;
    },
  };
};

const principalOf = (digest: string, index: number): [string, Principal] => [
  digest,
  { kind: "key", id: `key_${digest.slice(0, 12)}`, name: `app.api_key ${index + 1}` },
];
