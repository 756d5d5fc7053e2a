// The keys that the operator hands out: who may call, until when, which models and how much. Knows no route and no counter.
// Invariants: a secret is known only at the moment it is made, storage and memory hold its digest; the keys are served from
// memory, so that a store that is away locks nobody out.
import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import { hexId, randomBytes } from "../lib/ids.ts";
import type { DocumentChange, Documents } from "../storage/port.ts";
import { digestOf } from "./digest.ts";

const limit = z.number().int().catch(-1);
const amount = z.number().min(-1).catch(-1);

const storedKey = z.object({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** Enough of the secret to tell two keys apart. */
  shown: z.string(),
  name: z.string(),
  note: z.string().catch(""),
  enabled: z.boolean(),
  createdMs: z.number(),
  rotatedMs: z.number().nullable().catch(null),
  expiresMs: z.number().nullable().catch(null),
  /** Ids of the catalogue; null allows every model. */
  models: z.array(z.string()).nullable().catch(null),
  /** 0 is unlimited. */
  rpm: z.number().int().min(0).catch(0),
  concurrency: z.number().int().min(0).catch(0),
  /** Units a day; 0 means none and −1 unlimited, as for all that follow. */
  chat: limit,
  heavy: limit,
  image: limit,
  video: limit,
  dailyTokens: limit,
  monthlyTokens: limit,
  /** US dollars that the official API may cost. */
  dailyUsd: amount,
  monthlyUsd: amount,
});

export type ClientKey = z.infer<typeof storedKey> & { readonly id: string };
/** What may be stated of a key, and changed later. */
export type KeyFields = Omit<ClientKey, "id" | "digest" | "shown" | "createdMs" | "rotatedMs">;

export const UNLIMITED: Omit<KeyFields, "name"> = {
  note: "",
  enabled: true,
  expiresMs: null,
  models: null,
  rpm: 0,
  concurrency: 0,
  chat: -1,
  heavy: -1,
  image: -1,
  video: -1,
  dailyTokens: -1,
  monthlyTokens: -1,
  dailyUsd: -1,
  monthlyUsd: -1,
};

export type KeyChange = { readonly key: ClientKey } | { readonly removed: ClientKey };

export interface ClientKeys {
  /** Must succeed once before anything is served. */
  load(): Promise<void>;
  /** Oldest first. */
  all(): readonly ClientKey[];
  get(id: string): ClientKey | undefined;
  byDigest(digest: string): ClientKey | undefined;
  /** By id or by the whole secret. */
  find(ref: string): ClientKey | undefined;
  /** All or none, with what is to be written in the same transaction. Throws `conflict` when somebody else was faster. */
  write(changes: readonly KeyChange[], along?: readonly DocumentChange[]): Promise<void>;
  readonly size: number;
}

export const CLIENT_KEYS = "client_keys";

interface Held {
  readonly key: ClientKey;
  readonly revision: number;
}

export const createClientKeys = (documents: Documents): ClientKeys => {
  let byId = new Map<string, Held>();
  let byDigest = new Map<string, ClientKey>();
  let sorted: readonly ClientKey[] = [];

  const take = (next: Map<string, Held>) => {
    byId = next;
    byDigest = new Map([...next.values()].map(({ key }) => [key.digest, key]));
    sorted = [...next.values()]
      .map(({ key }) => key)
      .toSorted((one, other) => one.createdMs - other.createdMs || (one.id < other.id ? -1 : 1));
  };
  const load = async () => {
    const next = new Map<string, Held>();
    for (const { id, revision, body } of await documents.list(CLIENT_KEYS)) {
      const parsed = storedKey.safeParse(body);
      if (!parsed.success) throw new Error(`the stored API key ${id} cannot be read: ${parsed.error.message}`);
      next.set(id, { key: { ...parsed.data, id }, revision });
    }
    take(next);
  };
  return {
    load,
    all: () => sorted,
    get: (id) => byId.get(id)?.key,
    byDigest: (digest) => byDigest.get(digest),
    find: (ref) => byId.get(ref)?.key ?? byDigest.get(digestOf(ref)),
    async write(changes, along = []) {
      const documentsOf = changes.map((change) => documentChange(change, byId));
      const result = await documents.write([...documentsOf, ...along]);
      if (!result.ok) {
        await load();
        throw new GatewayError("conflict", "Somebody else changed the same key first; look again and repeat.");
      }
      const next = new Map(byId);
      changes.forEach((change, index) => {
        if ("removed" in change) next.delete(change.removed.id);
        else next.set(change.key.id, { key: change.key, revision: result.revisions[index] ?? 0 });
      });
      take(next);
    },
    get size() {
      return byId.size;
    },
  };
};

const documentChange = (change: KeyChange, held: ReadonlyMap<string, Held>): DocumentChange => {
  if ("removed" in change) return { collection: CLIENT_KEYS, id: change.removed.id, remove: true };
  const { id, ...body } = change.key;
  return { collection: CLIENT_KEYS, id, body, expect: held.get(id)?.revision ?? 0 };
};

export interface NewKey {
  readonly key: ClientKey;
  /** The only time that it is known. */
  readonly secret: string;
}

export const newClientKey = (fields: KeyFields, made: { readonly nowMs: number; readonly secret?: string }): NewKey => {
  const secret = made.secret ?? newKeySecret();
  const id = `key_${hexId("").slice(0, 16)}`;
  return {
    secret,
    key: { ...fields, id, digest: digestOf(secret), shown: shownPart(secret), createdMs: made.nowMs, rotatedMs: null },
  };
};

/** The same key with another secret; the old one is refused from now on. */
export const rotatedKey = (key: ClientKey, nowMs: number): NewKey => {
  const secret = newKeySecret();
  return { secret, key: { ...key, digest: digestOf(secret), shown: shownPart(secret), rotatedMs: nowMs } };
};

/** First six and last four characters of what is long enough to keep the rest to itself. */
const shownPart = (secret: string): string =>
  secret.length > 20 ? `${secret.slice(0, 6)}…${secret.slice(-4)}` : `${secret.slice(0, 3)}…`;

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SECRET_LENGTH = 48;

const newKeySecret = (): string => {
  let text = "";
  while (text.length < SECRET_LENGTH) {
    for (const byte of randomBytes(SECRET_LENGTH)) {
      // Bytes over the last whole multiple of 62 are dropped, else the first digits would come more often.
      if (byte < 248 && text.length < SECRET_LENGTH) text += DIGITS[byte % 62] ?? "";
    }
  }
  return `sk-${text}`;
};
