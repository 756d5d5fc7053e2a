// What an administrator can do with accounts, without HTTP. Accounts are named by id or by token; rows that were not named
// are never touched. Invariant: bad input is a GatewayError that names its field, and nothing has been changed then.
import { accountId, type Account } from "../accounts/account.ts";
import { isObject } from "../lib/json.ts";
import { exportJson, exportText } from "../accounts/export.ts";
import { parseImport, parseImportValue, type ImportProblem, type ParsedImport } from "../accounts/import.ts";
import type { ListCounts, ListQuery } from "../accounts/listing.ts";
import type { Pool } from "../accounts/pool.ts";
import type { UpsertResult } from "../accounts/roster.ts";
import { canonicalPool } from "../accounts/pools.ts";
import type { SnapshotInfo } from "../accounts/snapshots.ts";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { checkedNote, checkedPool, checkedTags, checkedToken, invalid } from "./account-checks.ts";
import { createAccountRefs, type Refs } from "./account-refs.ts";
import { toAccountRow, toTokenInfo, type AccountRow, type TokenInfo } from "./token-info.ts";

export interface AccountAdminDeps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TokenPage {
  readonly items: readonly AccountRow[];
  readonly total: number;
  readonly page: number;
  readonly page_size: number;
  readonly pages: number;
  readonly counts: ListCounts;
}

export interface TokenTotals {
  readonly total: number;
  readonly active: number;
  readonly cooling: number;
  /** Expired or disabled. */
  readonly invalid: number;
  /** Known calls left over all active accounts. */
  readonly quota: number;
  /** Active accounts whose quota nobody knows. */
  readonly quota_unknown: number;
  readonly use_count: number;
  readonly consumed: number;
}

export interface ImportOutcome {
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly removed: number;
  /** Ids of accounts that are new. */
  readonly added_ids: readonly string[];
  readonly problems: readonly ImportProblem[];
}

export interface ChangeOutcome {
  readonly changed: readonly string[];
  /** What was named and is not there, masked where it was a token. */
  readonly missing: readonly string[];
}

export interface ReplaceOutcome extends ImportOutcome {
  /** Named in `restore` it brings everything back; null when nothing was there to lose. */
  readonly snapshot: string | null;
  /** Pools that the list did not name, so that nothing of theirs was removed. */
  readonly untouched_pools: readonly string[];
}

export interface AccountAdmin {
  /** Without secrets. */
  list(query?: ListQuery): TokenPage;
  /** Pool name → accounts: the shape of a token file. */
  byPool(): Record<string, TokenInfo[]>;
  totals(): TokenTotals;
  get(ref: string): TokenInfo;
  allTags(): string[];
  add(request: { tokens: Refs; pool?: string; tags?: readonly string[]; note?: string }): Promise<ImportOutcome>;
  /** Text or JSON of any known shape; only adds and fills gaps. */
  importText(text: string, options?: { pool?: string }): Promise<ImportOutcome>;
  /**
   * Whole pools as a client regrouped them: stated fields win, and what a named pool's list leaves out is removed; pools
   * that are not named keep what they have. Refused when a row cannot be read, when somebody else added or removed
   * accounts since `revision`, and without `confirm` when more than half of all accounts would go.
   */
  replacePools(value: unknown, options?: { confirm?: boolean; revision?: string }): Promise<ReplaceOutcome>;
  remove(refs: Refs, options?: { confirm?: boolean }): Promise<ChangeOutcome>;
  /** Another token, another pool, or both. */
  edit(ref: string, change: { token?: string; pool?: string }): Promise<TokenInfo>;
  setTags(refs: Refs, tags: readonly string[]): Promise<ChangeOutcome>;
  addTags(refs: Refs, tags: readonly string[]): Promise<ChangeOutcome>;
  setNote(ref: string, note: string): Promise<TokenInfo>;
  setPool(refs: Refs, pool: string): Promise<ChangeOutcome>;
  enable(refs: Refs): Promise<ChangeOutcome>;
  disable(refs: Refs): Promise<ChangeOutcome>;
  clearCooldown(refs: Refs): Promise<ChangeOutcome>;
  clearAllCooldowns(): Promise<ChangeOutcome>;
  exportText(query?: ListQuery | Refs): string;
  exportJson(query?: ListQuery | Refs): Record<string, Record<string, unknown>[]>;
  snapshots(): Promise<SnapshotInfo[]>;
  /** The newest when none is named. */
  restore(snapshotId?: string): Promise<ImportOutcome>;
  /** Changes whenever an account comes or goes; for `replacePools`. */
  revision(): string;
  status(): { readonly size: number; readonly revision: number };
  /** Takes over what other programs have written into the same store. */
  sync(): Promise<{ readonly changed: boolean; readonly revision: number }>;
}

/** A removal of more named accounts than this, and of more than half of the pool, wants a confirmation. */
const FREE_REMOVALS = 5;

const isRefs = (query: ListQuery | Refs): query is Refs => Array.isArray(query);

export const createAccountAdmin = (deps: AccountAdminDeps): AccountAdmin => {
  const { pool, clock, log } = deps;

  const { account, resolve } = createAccountRefs(pool);
  const startedAt = clock.now();
  const revision = () => `${startedAt}-${pool.revision}`;
  const info = (found: Account): TokenInfo =>
    toTokenInfo(found, { now: clock.now(), inFlight: pool.inFlight(found.id) });

  const changeAll = async (refs: Refs, change: (ids: string[]) => Promise<string[]>): Promise<ChangeOutcome> => {
    const { ids, missing } = resolve(refs);
    return { changed: ids.length > 0 ? await change(ids) : [], missing };
  };

  const guardRemoval = (count: number, allowed: { confirm: boolean; free: number }) => {
    if (allowed.confirm || count <= allowed.free || count * 2 <= pool.size) return;
    throw invalid("confirm", `This would remove ${count} of ${pool.size} accounts; say so with confirm: true.`);
  };

  const told = (
    how: string,
    result: UpsertResult & { removed?: readonly string[] },
    problems: readonly ImportProblem[] = [],
  ): ImportOutcome => {
    const counts = {
      added: result.added.length,
      updated: result.updated.length,
      unchanged: result.unchanged.length,
      removed: result.removed?.length ?? 0,
    };
    log.info("accounts were changed by an administrator", { how, ...counts, problems: problems.length });
    return { ...counts, added_ids: result.added, problems };
  };
  const put = async (parsed: ParsedImport, how: string): Promise<ImportOutcome> =>
    told(how, await pool.upsert(parsed.accounts), parsed.problems);

  const removeIds = async (ids: readonly string[]): Promise<string[]> => {
    const removed = await pool.remove(ids);
    log.info("accounts were removed by an administrator", { removed: removed.length, left: pool.size });
    return removed;
  };

  const chosen = (query: ListQuery | Refs = {}): readonly Account[] => {
    if (isRefs(query)) return resolve(query).ids.flatMap((id) => pool.get(id) ?? []);
    const found: Account[] = [];
    for (let page = 1, pages = 1; page <= pages; page++) {
      const part = pool.list({ ...query, page, page_size: 2000 });
      found.push(...part.items);
      pages = part.pages;
    }
    return found;
  };

  return {
    list: (query = {}) => {
      const page = pool.list(query);
      return { ...page, items: page.items.map((found) => toAccountRow(info(found))) };
    },
    byPool: () => {
      const pools: Record<string, TokenInfo[]> = {};
      for (const found of pool.all()) (pools[found.pool] ??= []).push(info(found));
      return pools;
    },
    totals: () => totalsOf(pool.all().map(info)),
    get: (ref) => info(account(ref)),
    allTags: () => [...new Set(pool.all().flatMap(({ tags }) => tags))].toSorted(),
    async add({ tokens, pool: poolName, tags = [], note }) {
      if (tokens.length === 0) throw invalid("tokens", "No tokens provided.");
      const rows = tokens.map((token) => ({
        token,
        tags: checkedTags(tags),
        ...(note === undefined ? {} : { note: checkedNote(note) }),
      }));
      const parsed = parseImportValue(rows, poolName === undefined ? {} : { pool: poolName });
      return put(parsed, "add");
    },
    async importText(text, options = {}) {
      const parsed = parseImport(text, options);
      if (parsed.accounts.length === 0 && parsed.problems.length === 0) {
        throw invalid("text", "There is no account in it.");
      }
      return put(parsed, "import");
    },
    async replacePools(value, { confirm = false, revision: seen } = {}) {
      if (seen !== undefined && seen !== revision()) {
        throw new GatewayError("conflict", "Accounts came or went since this list was read; read it again.");
      }
      const parsed = parseImportValue(value);
      refuseUnreadable(parsed);
      const kept = new Set(parsed.accounts.map(({ token }) => accountId(token)));
      const named = poolsNamed(value);
      const leaving = pool.all().filter((found) => named.has(found.pool) && !kept.has(found.id));
      guardRemoval(leaving.length, { confirm, free: 1 });
      const untouched = new Set(pool.all().flatMap((found) => (named.has(found.pool) ? [] : [found.pool])));
      const result = await pool.replace(
        parsed.accounts,
        leaving.map(({ id }) => id),
      );
      const outcome = told("replace", result, parsed.problems);
      return { ...outcome, snapshot: result.snapshot, untouched_pools: [...untouched] };
    },
    remove: (refs, { confirm = false } = {}) =>
      changeAll(refs, (ids) => {
        guardRemoval(ids.length, { confirm, free: FREE_REMOVALS });
        return removeIds(ids);
      }),
    async edit(ref, change) {
      let { id } = account(ref, "old_token");
      const poolName = change.pool === undefined ? undefined : checkedPool(change.pool);
      if (change.token !== undefined) {
        const token = checkedToken(change.token);
        if (accountId(token) !== id) {
          const moved = await pool.replaceToken(id, token);
          if (moved === null) throw new GatewayError("conflict", "Another account has this token.", { param: "token" });
          id = moved;
        }
      }
      if (poolName !== undefined && poolName !== account(id).pool) await pool.setPool([id], poolName);
      return info(account(id));
    },
    setTags: async (refs, tags) => {
      const clean = checkedTags(tags);
      return changeAll(refs, (ids) => pool.setTags(ids, clean));
    },
    addTags: async (refs, tags) => {
      const clean = checkedTags(tags);
      return changeAll(refs, (ids) => pool.addTags(ids, clean));
    },
    async setNote(ref, note) {
      const { id } = account(ref);
      await pool.setNote(id, checkedNote(note));
      return info(account(id));
    },
    setPool: async (refs, poolName) => {
      const name = checkedPool(poolName);
      return changeAll(refs, (ids) => pool.setPool(ids, name));
    },
    enable: (refs) => changeAll(refs, (ids) => pool.enable(ids)),
    disable: (refs) => changeAll(refs, (ids) => pool.disable(ids)),
    clearCooldown: (refs) => changeAll(refs, (ids) => pool.clearCooldown(ids)),
    clearAllCooldowns: async () => {
      const held = pool.all().filter(({ status, windows, quota }) => {
        const isEmpty = Object.values(windows).some(({ remaining }) => remaining === 0);
        return status === "cooling" || isEmpty || quota === 0;
      });
      return { changed: await pool.clearCooldown(held.map(({ id }) => id)), missing: [] };
    },
    exportText: (query) => exportText(chosen(query)),
    exportJson: (query) => exportJson(chosen(query)),
    snapshots: () => pool.snapshots(),
    async restore(snapshotId) {
      const id = snapshotId ?? (await pool.snapshots())[0]?.id;
      const result = id === undefined ? null : await pool.restore(id);
      if (!result) throw new GatewayError("not_found", "There is no such snapshot.", { param: "snapshot" });
      return told("restore", result);
    },
    revision,
    status: () => ({ size: pool.size, revision: pool.revision }),
    async sync() {
      let changed = false;
      const stop = pool.subscribe(() => {
        changed = true;
      });
      await pool.load().finally(stop);
      return { changed, revision: pool.revision };
    },
  };
};

const refuseUnreadable = ({ problems }: ParsedImport): void => {
  const broken = problems.filter(({ kind }) => kind === "unreadable");
  const [first] = broken;
  if (!first) return;
  const text = `${broken.length} rows cannot be read, the first because it ${first.reason}; nothing was saved.`;
  throw invalid(first.where ?? `row ${first.line}`, text);
};

/** A list without pools names none, so that nothing is removed by it. */
const poolsNamed = (value: unknown): ReadonlySet<string> => {
  if (!isObject(value)) return new Set();
  const inner = value.accounts ?? value.tokens;
  const pools = isObject(inner) ? inner : Array.isArray(inner) ? {} : value;
  return new Set(Object.keys(pools).flatMap((name) => canonicalPool(name) ?? []));
};

const totalsOf = (infos: readonly TokenInfo[]): TokenTotals => {
  const active = infos.filter(({ status }) => status === "active");
  const sum = (of: readonly TokenInfo[], value: (info: TokenInfo) => number) =>
    of.reduce((total, one) => total + value(one), 0);
  return {
    total: infos.length,
    active: active.length,
    cooling: infos.filter(({ status }) => status === "cooling").length,
    invalid: infos.filter(({ state }) => state === "invalid").length,
    quota: sum(active, ({ quota }) => Math.max(0, quota)),
    quota_unknown: active.filter(({ quota_known }) => !quota_known).length,
    use_count: sum(infos, ({ use_count }) => use_count),
    consumed: sum(infos, ({ consumed }) => consumed),
  };
};
