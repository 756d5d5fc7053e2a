// The verbs by which a person changes the pool: adding, editing, grouping, switching, removing, taking back.
// Each resolves once the change is in storage. Invariant: rows are changed one by one and only those that were named; a
// change of several existing rows is preceded by a snapshot.
import type { Clock } from "../lib/clock.ts";
import { accountId, transition, type Account, type Signal } from "./account.ts";
import type { Change, Entry } from "./entry.ts";
import { createAccount, inPool, mergeImported, type ImportedAccount } from "./imported.ts";
import type { TokenSettings } from "./settings.ts";
import type { SnapshotInfo, Snapshots } from "./snapshots.ts";

export interface UpsertResult {
  readonly added: readonly string[];
  readonly updated: readonly string[];
  readonly unchanged: readonly string[];
}

export interface ReplaceResult extends UpsertResult {
  readonly removed: readonly string[];
  /** Brings everything back; null when nothing was there to lose. */
  readonly snapshot: string | null;
}

export interface Roster {
  /**
   * Adds what is new and merges what is known; never removes. `replace`: stated fields win over stored ones (an edit),
   * otherwise they only fill gaps (an import).
   */
  upsert(items: readonly ImportedAccount[], options?: { readonly replace?: boolean }): Promise<UpsertResult>;
  /** A list as somebody regrouped it, in one write: stated fields win, and who is `leaving` goes. */
  replace(items: readonly ImportedAccount[], leaving: readonly string[]): Promise<ReplaceResult>;
  /** Ids that were there. */
  remove(ids: readonly string[]): Promise<string[]>;
  /** Another token for the same account: everything that is known moves along. Null when the id is unknown or the token taken. */
  replaceToken(id: string, token: string): Promise<string | null>;
  setTags(ids: readonly string[], tags: readonly string[]): Promise<string[]>;
  addTags(ids: readonly string[], tags: readonly string[]): Promise<string[]>;
  removeTags(ids: readonly string[], tags: readonly string[]): Promise<string[]>;
  setNote(id: string, note: string): Promise<string[]>;
  setPool(ids: readonly string[], pool: string): Promise<string[]>;
  enable(ids: readonly string[]): Promise<string[]>;
  disable(ids: readonly string[]): Promise<string[]>;
  /** Also forgets what is only in memory. */
  clearCooldown(ids: readonly string[]): Promise<string[]>;
  markAssetsCleared(id: string): Promise<string[]>;
  snapshots(): Promise<SnapshotInfo[]>;
  /** Brings the accounts of a snapshot back as they were then; accounts added since stay. Null: no such snapshot. */
  restore(snapshotId: string): Promise<UpsertResult | null>;
}

export interface RosterDeps {
  readonly clock: Clock;
  readonly settings: () => TokenSettings;
  readonly snapshots: Snapshots;
  readonly find: (id: string) => Entry | undefined;
  readonly accounts: () => readonly Account[];
  readonly change: (entry: Entry, change: Change) => void;
  readonly insert: (account: Account, replay: Change) => void;
  /** Forgets that the account is passed over. */
  readonly unskip: (entry: Entry) => void;
  readonly drop: (entries: readonly Entry[]) => void;
  /** Also serves whoever waits for an account. */
  readonly flush: () => Promise<void>;
}

export const createRoster = (deps: RosterDeps): Roster => {
  const { clock, settings, find } = deps;

  const snapshot = (reason: string) => deps.snapshots.take(deps.accounts(), { reason, now: clock.now() });
  const guard = async (touched: number, reason: string) => {
    if (touched > 1) await snapshot(reason);
  };
  const merged = (item: ImportedAccount, how: { now: number; replace: boolean }) => ({
    account: createAccount(item, how.now),
    change: (stored: Account) => mergeImported(stored, { item, ...how, settings: settings() }),
  });

  const changeAll = async (ids: readonly string[], change: Change): Promise<string[]> => {
    const entries = found(ids);
    for (const entry of entries) deps.change(entry, change);
    await deps.flush();
    return entries.map(({ id }) => id);
  };
  const found = (ids: readonly string[]): Entry[] => [...new Set(ids)].flatMap((id) => find(id) ?? []);

  const signalAll = (ids: readonly string[], signal: Signal): Promise<string[]> => {
    const now = clock.now();
    return changeAll(ids, (account) => transition(account, { signal, now, settings: settings() }));
  };

  const put = (accounts: readonly { account: Account; change: Change }[]): UpsertResult => {
    const result = { added: [] as string[], updated: [] as string[], unchanged: [] as string[] };
    for (const { account, change } of accounts) {
      const entry = find(account.id);
      if (!entry) {
        deps.insert(account, change);
        result.added.push(account.id);
        continue;
      }
      const before = entry.account;
      deps.change(entry, change);
      (entry.account === before ? result.unchanged : result.updated).push(account.id);
    }
    return result;
  };

  return {
    async upsert(items, { replace = false } = {}) {
      const now = clock.now();
      const known = items.filter((item) => find(accountId(item.token))).length;
      await guard(known, replace ? "edit" : "import");
      const result = put(items.map((item) => merged(item, { now, replace })));
      await deps.flush();
      return result;
    },
    async replace(items, leaving) {
      const news = items.map((item) => merged(item, { now: clock.now(), replace: true }));
      const edited = news.filter(({ account, change }) => {
        const stored = find(account.id)?.account;
        return stored !== undefined && change(stored) !== stored;
      });
      const loses = edited.length > 0 || found(leaving).length > 0;
      const taken = loses ? await snapshot("replace") : null;
      const result = put(news);
      const gone = found(leaving);
      deps.drop(gone);
      await deps.flush();
      return { ...result, removed: gone.map(({ id }) => id), snapshot: taken };
    },
    async remove(ids) {
      const wanted = found(ids);
      await guard(wanted.length, "remove");
      const entries = wanted.filter(({ slot }) => slot >= 0);
      deps.drop(entries);
      await deps.flush();
      return entries.map(({ id }) => id);
    },
    async replaceToken(id, token) {
      const entry = find(id);
      const newId = accountId(token);
      if (!entry || find(newId)) return null;
      const moved: Account = { ...entry.account, id: newId, token };
      const now = clock.now();
      const revived =
        moved.status === "expired"
          ? transition(moved, { signal: { type: "enable" }, now, settings: settings() })
          : moved;
      deps.drop([entry]);
      deps.insert({ ...revived, fail_count: 0 }, () => revived);
      await deps.flush();
      return newId;
    },
    setTags: (ids, tags) => changeAll(ids, (account) => ({ ...account, tags: [...new Set(tags)] })),
    addTags: (ids, tags) =>
      changeAll(ids, (account) =>
        tags.every((tag) => account.tags.includes(tag))
          ? account
          : { ...account, tags: [...new Set([...account.tags, ...tags])] },
      ),
    removeTags: (ids, tags) =>
      changeAll(ids, (account) =>
        tags.some((tag) => account.tags.includes(tag))
          ? { ...account, tags: account.tags.filter((tag) => !tags.includes(tag)) }
          : account,
      ),
    setNote: (id, note) => changeAll([id], (account) => ({ ...account, note })),
    setPool: (ids, pool) => changeAll(ids, (account) => ({ ...account, ...inPool(account, pool) })),
    enable: (ids) => signalAll(ids, { type: "enable" }),
    disable: (ids) => signalAll(ids, { type: "disable" }),
    clearCooldown: (ids) => {
      for (const entry of found(ids)) deps.unskip(entry);
      return signalAll(ids, { type: "clear_cooldown" });
    },
    markAssetsCleared: (id) => {
      const now = clock.now();
      return changeAll([id], (account) => ({ ...account, last_asset_clear_at: now }));
    },
    snapshots: () => deps.snapshots.list(),
    async restore(snapshotId) {
      const accounts = await deps.snapshots.read(snapshotId);
      if (!accounts) return null;
      await snapshot("restore");
      const result = put(
        accounts.map((account) => ({
          account,
          change: (stored) => (Bun.deepEquals(stored, account) ? stored : account),
        })),
      );
      await deps.flush();
      return result;
    },
  };
};
