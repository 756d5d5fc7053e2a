// The operator's verbs about keys handed out to clients. Knows no route.
// Invariants: a secret is told once, by the verb that made it; every change has its row in the audit, in one transaction.
import type { ApiKeys } from "../access/api-keys.ts";
import type { Actor, Audit } from "../access/audit.ts";
import {
  type ClientKey,
  type ClientKeys,
  type KeyFields,
  type NewKey,
  newClientKey,
  rotatedKey,
  UNLIMITED,
} from "../access/client-keys.ts";
import { BUCKETS, type KeyUsage } from "../access/usage.ts";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { isObject } from "../lib/json.ts";
import type { DocumentChange, Documents } from "../storage/port.ts";
import { parseJson, parseKeyFile, parseUsageFile } from "./key-import.ts";
import { type KeyStatus, type KeyView, viewOf } from "./key-view.ts";

export interface KeyQuery {
  /** Part of name, note or shown secret. */
  readonly search: string;
  readonly status: KeyStatus | "all";
  readonly page: number;
  readonly pageSize: number;
  readonly sort?: KeySort | undefined;
  /** Ascending unless said otherwise. */
  readonly descending?: boolean;
}

export const KEY_SORTS = ["name", "created", "last_used", "used_today", "spent_month"] as const;
export type KeySort = (typeof KEY_SORTS)[number];

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const RANKS: Record<Exclude<KeySort, "name">, (view: KeyView) => number> = {
  created: ({ created_at: at }) => at,
  last_used: ({ last_used_at: at }) => at ?? 0,
  used_today: ({ usage_today: used }) => sum(BUCKETS.map((bucket) => used[`${bucket}_used`] ?? 0)),
  spent_month: ({ usage_month: used }) => used.usd_spent,
};

/** Keys that are equal in it keep the order in which they were made. */
const sorted = (views: readonly KeyView[], { sort, descending = false }: KeyQuery): readonly KeyView[] => {
  if (sort === undefined) return views;
  const sign = descending ? -1 : 1;
  if (sort === "name") return views.toSorted((one, other) => sign * one.name.localeCompare(other.name));
  const rank = RANKS[sort];
  return views.toSorted((one, other) => sign * (rank(one) - rank(other)));
};

export interface KeyPage {
  readonly items: readonly KeyView[];
  readonly total: number;
  readonly counts: Readonly<Record<KeyStatus, number>>;
  readonly day: string;
  readonly global_key_set: boolean;
}

export interface MadeKey {
  readonly secret: string;
  readonly view: KeyView;
}

export interface KeysImported {
  readonly added: number;
  readonly known: number;
  readonly problems: readonly string[];
}

export interface NewKeys {
  readonly fields: Partial<KeyFields>;
  readonly count?: number;
  readonly secret?: string | undefined;
}

export interface KeyAdmin {
  list(query: KeyQuery): KeyPage;
  get(ref: string): KeyView;
  create(wanted: NewKeys, by: Actor): Promise<MadeKey[]>;
  update(refs: readonly string[], fields: Partial<KeyFields>, by: Actor): Promise<KeyView[]>;
  rotate(ref: string, by: Actor): Promise<MadeKey>;
  remove(refs: readonly string[], by: Actor): Promise<number>;
  importText(text: string, by: Actor): Promise<KeysImported>;
  /** Takes over the files of an earlier program that a migration has kept; their secrets do not stay. */
  takeKept(): Promise<KeysImported>;
}

export interface KeyAdminDeps {
  readonly keys: ClientKeys;
  readonly usage: KeyUsage;
  readonly apiKeys: Pick<ApiKeys, "isGlobal">;
  readonly globalKeySet: () => boolean;
  readonly documents: Documents;
  readonly audit: Pick<Audit, "row">;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "info" | "warn">;
}

export const MOST_AT_ONCE = 100;
const MOST_KEYS = 10_000;
const MIGRATION: Actor = { id: "migration", address: "-" };

export const createKeyAdmin = (deps: KeyAdminDeps): KeyAdmin => {
  const { keys, usage, clock, audit } = deps;
  const view = (key: ClientKey): KeyView => viewOf(key, { usage, nowMs: clock.now() });

  const find = (ref: string): ClientKey => {
    const key = keys.find(ref);
    if (key) return key;
    throw new GatewayError("not_found", "Key not found", { param: "key" });
  };
  const findAll = (refs: readonly string[]): ClientKey[] => {
    if (refs.length === 0) throw new GatewayError("missing_required_parameter", "Missing key", { param: "key" });
    return [...new Set(refs.map(find))];
  };
  const row = (about: {
    by: Actor;
    action: string;
    touched: readonly ClientKey[];
    after?: unknown;
  }): DocumentChange => {
    const { by, action, touched, after } = about;
    const target = touched.map(({ id, name }) => `${id} ${name}`).join(", ");
    return audit.row({ by, action, target, ...(after === undefined ? {} : { after }) });
  };
  const checkFree = (secret: string) => {
    if (keys.find(secret) || deps.apiKeys.isGlobal(secret)) {
      throw new GatewayError("invalid_value", "Key already exists", { param: "key" });
    }
  };
  const checkRoom = (more: number) => {
    if (keys.size + more <= MOST_KEYS) return;
    throw new GatewayError("invalid_value", `There may be ${MOST_KEYS} keys; remove some first.`);
  };
  const made = ({ key, secret }: NewKey): MadeKey => ({ secret, view: view(key) });

  /** Only adds: a key that is known keeps what is said of it here. */
  const importKeys = async (value: unknown, about: { by: Actor; along?: DocumentChange[] }): Promise<KeysImported> => {
    const { keys: found, problems } = parseKeyFile(value);
    const fresh = found.filter(({ secret }) => !keys.find(secret) && !deps.apiKeys.isGlobal(secret));
    checkRoom(fresh.length);
    const made = fresh.map(({ secret, createdMs, fields }) =>
      newClientKey(fields, { nowMs: createdMs ?? clock.now(), secret }),
    );
    const touched = made.map(({ key }) => key);
    const after = { added: fresh.length };
    const rows = fresh.length === 0 ? [] : [row({ by: about.by, action: "keys.import", touched, after })];
    await keys.write(
      touched.map((key) => ({ key })),
      [...rows, ...(about.along ?? [])],
    );
    return { added: fresh.length, known: found.length - fresh.length, problems };
  };
  const adoptUsage = (value: unknown) => {
    for (const { secret, day, counted } of parseUsageFile(value)) {
      const key = keys.find(secret);
      if (key) usage.adopt(key.id, { day, ...counted });
    }
  };

  return {
    list(query) {
      const { search, status, page, pageSize } = query;
      const wanted = search.toLowerCase();
      const views = keys.all().map(view);
      const counts = { active: 0, disabled: 0, expired: 0, exhausted: 0 };
      for (const one of views) counts[one.status]++;
      const fits = views.filter(
        (one) =>
          (status === "all" || one.status === status) &&
          `${one.name}\n${one.note}\n${one.display_key}\n${one.id}`.toLowerCase().includes(wanted),
      );
      return {
        items: sorted(fits, query).slice((page - 1) * pageSize, page * pageSize),
        total: fits.length,
        counts,
        day: usage.day,
        global_key_set: deps.globalKeySet(),
      };
    },
    get: (ref) => view(find(ref)),
    async create({ fields, count = 1, secret }, by) {
      if (secret !== undefined) {
        if (count > 1)
          throw new GatewayError("invalid_value", "Only one key can have a chosen secret.", { param: "key" });
        checkFree(secret);
      }
      checkRoom(count);
      const nowMs = clock.now();
      const fresh = Array.from({ length: count }, (_, index) => {
        const one = newClientKey(
          { ...UNLIMITED, name: "", ...fields },
          { nowMs, ...(secret === undefined ? {} : { secret }) },
        );
        const given = one.key.name === "" ? `key-${one.key.id.slice(-4)}` : one.key.name;
        const name = count === 1 || fields.name === undefined ? given : `${fields.name}-${index + 1}`;
        return { ...one, key: { ...one.key, name } };
      });
      const touched = fresh.map(({ key }) => key);
      const { digest: _, shown: _shown, ...after } = touched[0] ?? { digest: "", shown: "" };
      await keys.write(
        touched.map((key) => ({ key })),
        [row({ by, action: "keys.create", touched, after })],
      );
      return fresh.map(made);
    },
    async update(refs, fields, by) {
      const changed = findAll(refs).map((key) => ({
        ...key,
        ...fields,
        ...(fields.name === "" ? { name: key.name } : {}),
      }));
      await keys.write(
        changed.map((key) => ({ key })),
        [row({ by, action: "keys.update", touched: changed, after: fields })],
      );
      return changed.map(view);
    },
    async rotate(ref, by) {
      const next = rotatedKey(find(ref), clock.now());
      await keys.write([{ key: next.key }], [row({ by, action: "keys.rotate", touched: [next.key] })]);
      return made(next);
    },
    async remove(refs, by) {
      const gone = findAll(refs);
      await keys.write(
        gone.map((removed) => ({ removed })),
        [row({ by, action: "keys.remove", touched: gone })],
      );
      for (const { id } of gone) usage.forget(id);
      if (keys.size === 0 && !deps.globalKeySet()) {
        deps.log.warn("the last API key was removed: the API is open to everybody who reaches it");
      }
      return gone.length;
    },
    async importText(text, by) {
      const value = parseJson(text);
      if (value === undefined) throw new GatewayError("invalid_json", "The file is not JSON.");
      const result = await importKeys(value, { by });
      if (result.added + result.known > 0) return result;
      throw new GatewayError("invalid_value", result.problems[0] ?? "The file holds no key.");
    },
    async takeKept() {
      const kept = (await deps.documents.list(IMPORTS)).flatMap(keptFile);
      const total = { added: 0, known: 0, problems: [] as string[] };
      // Keys first: their usage is found by them.
      for (const file of kept.filter(({ name }) => name === KEY_FILE)) {
        const along = [withoutText(file)];
        const { added, known, problems } = await importKeys(parseJson(file.text), { by: MIGRATION, along });
        total.added += added;
        total.known += known;
        total.problems.push(...problems.map((problem) => `${KEY_FILE}: ${problem}`));
      }
      for (const file of kept.filter(({ name }) => name === USAGE_FILE)) {
        adoptUsage(parseJson(file.text));
        await deps.documents.write([withoutText(file)]);
      }
      if (kept.length > 0) deps.log.info("API keys of an earlier program were taken over", { ...total });
      return total;
    },
  };
};

const IMPORTS = "imports";
const KEY_FILE = "api_keys.json";
const USAGE_FILE = "api_key_usage.json";

interface KeptFile {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const keptFile = ({ id, body }: { id: string; body: unknown }): KeptFile[] => {
  if (!isObject(body)) return [];
  const { name, text } = body;
  if (typeof name !== "string" || typeof text !== "string") return [];
  return name === KEY_FILE || name === USAGE_FILE ? [{ id, name, text, body }] : [];
};

/** The document stays, so that the same file is not kept again; the secrets in it go. */
const withoutText = ({ id, body }: KeptFile): DocumentChange => {
  const { text: _, ...rest } = body;
  return { collection: IMPORTS, id, body: rest };
};
