// Copies of the whole pool, made before anything that changes many accounts, so that a mistake can be taken back.
// Knows only documents. Invariant: the newest few are kept, and a copy is in storage before the change it guards begins.
import { isObject } from "../lib/json.ts";
import type { Documents } from "../storage/port.ts";
import { parseAccount, type Account } from "./account.ts";

const SNAPSHOTS = "accounts_snapshot";
const KEPT = 5;

export interface SnapshotInfo {
  readonly id: string;
  readonly created_at: number;
  /** What was about to happen. */
  readonly reason: string;
  readonly accounts: number;
}

export interface Snapshots {
  take(accounts: readonly Account[], about: { readonly reason: string; readonly now: number }): Promise<string>;
  /** Newest first. */
  list(): Promise<SnapshotInfo[]>;
  /** Null when there is no such snapshot. */
  read(id: string): Promise<Account[] | null>;
}

interface Held {
  readonly info: SnapshotInfo;
  readonly accounts: readonly unknown[];
}

const held = (id: string, body: unknown): Held => {
  const fields = isObject(body) ? body : {};
  const accounts = Array.isArray(fields.accounts) ? (fields.accounts as readonly unknown[]) : [];
  return {
    accounts,
    info: {
      id,
      created_at: typeof fields.created_at === "number" ? fields.created_at : 0,
      reason: typeof fields.reason === "string" ? fields.reason : "",
      accounts: accounts.length,
    },
  };
};

export const createSnapshots = (documents: Documents): Snapshots => {
  const list = async (): Promise<SnapshotInfo[]> => {
    const stored = await documents.list(SNAPSHOTS);
    return stored
      .map(({ id, body }) => held(id, body).info)
      .toSorted((a, b) => b.created_at - a.created_at || b.id.localeCompare(a.id));
  };

  return {
    list,
    async take(accounts, { reason, now }) {
      const earlier = await list();
      const sameTime = earlier.filter(({ created_at }) => created_at === now).length;
      const id = `snap_${now}_${sameTime}`;
      const outdated = earlier.slice(KEPT - 1);
      await documents.write([
        { collection: SNAPSHOTS, id, body: { created_at: now, reason, accounts } },
        ...outdated.map((old) => ({ collection: SNAPSHOTS, id: old.id, remove: true as const })),
      ]);
      return id;
    },
    async read(id) {
      const stored = await documents.get(SNAPSHOTS, id);
      return stored ? held(id, stored.body).accounts.flatMap((body) => parseAccount(body) ?? []) : null;
    },
  };
};
