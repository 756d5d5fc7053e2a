// An account in memory: its document, what storage knows of it, and its slot on the board of the selection.
// The index of all entries is the truth in the process. Invariant: `entries[slot].slot === slot`, and the board's numbers are
// rewritten with every change of an account.
import type { Account } from "./account.ts";
import { isApiKey } from "./api-keys.ts";
import { createBoard, freeSlot, takeSlot, writeSlot, type Board } from "./board.ts";

/** A change that can be applied again, to whatever somebody else has stored meanwhile. */
export type Change = (account: Account) => Account;

export interface Entry {
  readonly id: string;
  account: Account;
  /** Revision in storage; 0 when it is not there yet. */
  revision: number;
  /** Changes since the last write, in order. */
  pending: Change[];
  /** -1: taken out of the pool; leases may still hold the entry. */
  slot: number;
}

export interface EntryIndex {
  readonly board: Board;
  readonly entries: readonly Entry[];
  /** Those that are keys of the official API: few, however many the others are. */
  readonly keys: ReadonlySet<Entry>;
  find(id: string): Entry | undefined;
  at(slot: number): Entry | undefined;
  add(account: Account, revision: number): Entry;
  replace(entry: Entry, account: Account): void;
  remove(entry: Entry): void;
}

export const createEntryIndex = (): EntryIndex => {
  const board = createBoard();
  const entries: Entry[] = [];
  const byId = new Map<string, Entry>();
  const keys = new Set<Entry>();
  return {
    board,
    entries,
    keys,
    find: (id) => byId.get(id),
    at: (slot) => entries[slot],
    add(account, revision) {
      const entry: Entry = { id: account.id, account, revision, pending: [], slot: takeSlot(board, account) };
      entries.push(entry);
      byId.set(entry.id, entry);
      if (isApiKey(account)) keys.add(entry);
      return entry;
    },
    replace(entry, account) {
      entry.account = account;
      if (entry.slot >= 0) writeSlot(board, { slot: entry.slot, account });
    },
    remove(entry) {
      const { slot } = entry;
      if (slot < 0) return;
      freeSlot(board, slot);
      const last = entries.pop();
      if (last && last !== entry) {
        entries[slot] = last;
        last.slot = slot;
      }
      byId.delete(entry.id);
      keys.delete(entry);
      entry.slot = -1;
    },
  };
};
