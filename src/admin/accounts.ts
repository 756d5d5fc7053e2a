// What an administrator can do with accounts, without HTTP. Accounts are named by id or by token; rows that were not named
// are never touched. Invariant: bad input is a GatewayError that names its field, and nothing has been changed then.
import { accountId, type Account } from "../accounts/account.ts";
import { exportJson, exportText } from "../accounts/export.ts";
import { parseImport, parseImportValue, type ImportProblem, type ParsedImport } from "../accounts/import.ts";
import type { ListCounts, ListQuery } from "../accounts/listing.ts";
import type { Pool } from "../accounts/pool.ts";
import { canonicalPool } from "../accounts/pools.ts";
import type { Refresher, RefreshOutcome, RefreshProgress } from "../accounts/refresh.ts";
import type { SnapshotInfo } from "../accounts/snapshots.ts";
import { readToken } from "../accounts/tokens.ts";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { mask, type Log } from "../lib/log.ts";
import { toTokenInfo, type TokenInfo } from "./token-info.ts";

export interface AccountAdminDeps {
  readonly pool: Pool;
  readonly refresh: Refresher;
  readonly clock: Clock;
  readonly log: Log;
}

export interface TokenPage {
  readonly items: readonly TokenInfo[];
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

export type Refs = readonly string[];

export interface RefreshRequest {
  /** Ids or tokens; leave out for all. */
  readonly refs?: Refs;
  readonly signal?: AbortSignal;
  readonly concurrency?: number;
  readonly onOutcome?: (outcome: TokenOutcome) => void;
}

export type TokenOutcome = RefreshOutcome & { readonly token: string };

export interface RefreshResult {
  readonly summary: { readonly total: number; readonly ok: number; readonly fail: number; readonly skipped: number };
  readonly results: readonly TokenOutcome[];
}

export interface AccountAdmin {
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
   * The whole list as a client regrouped it: stated fields win, what is missing is removed. Refused when a row cannot be
   * read, and without `confirm` when most accounts would go.
   */
  replaceAll(value: unknown, options?: { confirm?: boolean }): Promise<ImportOutcome>;
  remove(refs: Refs, options?: { confirm?: boolean }): Promise<ChangeOutcome>;
  /** Another token, another pool, or both. */
  edit(ref: string, change: { token?: string; pool?: string }): Promise<TokenInfo>;
  setTags(refs: Refs, tags: readonly string[]): Promise<ChangeOutcome>;
  setNote(ref: string, note: string): Promise<TokenInfo>;
  setPool(refs: Refs, pool: string): Promise<ChangeOutcome>;
  enable(refs: Refs): Promise<ChangeOutcome>;
  disable(refs: Refs): Promise<ChangeOutcome>;
  clearCooldown(refs: Refs): Promise<ChangeOutcome>;
  refresh(request: RefreshRequest): Promise<RefreshResult>;
  refreshProgress(): RefreshProgress;
  exportText(query?: ListQuery | Refs): string;
  exportJson(query?: ListQuery | Refs): Record<string, Record<string, unknown>[]>;
  snapshots(): Promise<SnapshotInfo[]>;
  restore(snapshotId: string): Promise<ImportOutcome>;
}

const MAX_TAGS = 50;
const MAX_TAG_LENGTH = 50;
const MAX_NOTE_LENGTH = 500;
const MAX_POOL_LENGTH = 50;
/** A removal of more accounts than this, and of more than half of the pool, wants a confirmation. */
const FREE_REMOVALS = 5;

const invalid = (param: string, message: string): GatewayError => new GatewayError("invalid_value", message, { param });

const checkedTags = (tags: readonly string[], param = "tags"): string[] => {
  const clean = [...new Set(tags.map((tag) => tag.trim()).filter((tag) => tag !== ""))];
  if (clean.length > MAX_TAGS) throw invalid(param, `At most ${MAX_TAGS} tags are allowed.`);
  if (clean.some((tag) => tag.length > MAX_TAG_LENGTH)) {
    throw invalid(param, `A tag has at most ${MAX_TAG_LENGTH} characters.`);
  }
  return clean;
};

const checkedNote = (note: string): string => {
  const clean = note.trim();
  if (clean.length > MAX_NOTE_LENGTH) throw invalid("note", `A note has at most ${MAX_NOTE_LENGTH} characters.`);
  return clean;
};

const checkedPool = (pool: string): string => {
  const name = canonicalPool(pool);
  if (name === null) throw invalid("pool", "A pool needs a name.");
  if (name.length > MAX_POOL_LENGTH) throw invalid("pool", `A pool's name has at most ${MAX_POOL_LENGTH} characters.`);
  return name;
};

const checkedToken = (token: string): string => {
  const reading = readToken(token);
  if ("reason" in reading) throw invalid("token", `The token ${reading.reason}.`);
  return reading.token;
};

const isRefs = (query: ListQuery | Refs): query is Refs => Array.isArray(query);

export const createAccountAdmin = (deps: AccountAdminDeps): AccountAdmin => {
  const { pool, refresh, clock, log } = deps;

  const idOf = (ref: string): string | undefined => {
    if (pool.get(ref)) return ref;
    const reading = readToken(ref);
    const id = "token" in reading ? accountId(reading.token) : undefined;
    return id !== undefined && pool.get(id) ? id : undefined;
  };
  const account = (ref: string, param = "token"): Account => {
    const found = pool.get(idOf(ref) ?? "");
    if (!found) throw new GatewayError("not_found", "There is no such account.", { param });
    return found;
  };
  const info = (found: Account): TokenInfo =>
    toTokenInfo(found, { now: clock.now(), inFlight: pool.inFlight(found.id) });

  const resolve = (refs: Refs): { ids: string[]; missing: string[] } => {
    if (refs.length === 0) throw invalid("tokens", "No tokens provided.");
    const ids = new Set<string>();
    const missing: string[] = [];
    for (const ref of refs) {
      const id = idOf(ref);
      if (id !== undefined) ids.add(id);
      else missing.push(nameOf(ref));
    }
    return { ids: [...ids], missing };
  };
  const changeAll = async (refs: Refs, change: (ids: string[]) => Promise<string[]>): Promise<ChangeOutcome> => {
    const { ids, missing } = resolve(refs);
    return { changed: ids.length > 0 ? await change(ids) : [], missing };
  };

  const guardRemoval = (count: number, confirm: boolean) => {
    if (confirm || count <= FREE_REMOVALS || count * 2 <= pool.size) return;
    throw invalid("confirm", `This would remove ${count} of ${pool.size} accounts; say so with confirm: true.`);
  };

  const put = async (parsed: ParsedImport, options: { replace: boolean; reason: string }): Promise<ImportOutcome> => {
    const result = await pool.upsert(parsed.accounts, { replace: options.replace });
    const outcome = {
      added: result.added.length,
      updated: result.updated.length,
      unchanged: result.unchanged.length,
      removed: 0,
    };
    log.info("accounts were changed by an administrator", {
      how: options.reason,
      ...outcome,
      problems: parsed.problems.length,
    });
    return { ...outcome, added_ids: result.added, problems: parsed.problems };
  };

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

  const withToken = (outcome: RefreshOutcome): TokenOutcome => ({
    ...outcome,
    token: pool.get(outcome.id)?.token ?? "",
  });

  return {
    list: (query = {}) => {
      const page = pool.list(query);
      return { ...page, items: page.items.map(info) };
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
      return put(parsed, { replace: false, reason: "add" });
    },
    async importText(text, options = {}) {
      const parsed = parseImport(text, options);
      if (parsed.accounts.length === 0 && parsed.problems.length === 0) {
        throw invalid("text", "There is no account in it.");
      }
      return put(parsed, { replace: false, reason: "import" });
    },
    async replaceAll(value, { confirm = false } = {}) {
      const parsed = parseImportValue(value);
      const broken = parsed.problems.filter(({ kind }) => kind === "unreadable");
      const [first] = broken;
      if (first) {
        const where = first.where ?? `row ${first.line}`;
        throw invalid(
          where,
          `${broken.length} rows cannot be read, the first because it ${first.reason}; nothing was saved.`,
        );
      }
      const kept = new Set(parsed.accounts.map(({ token }) => accountId(token)));
      const leaving = pool.all().filter(({ id }) => !kept.has(id));
      guardRemoval(leaving.length, confirm);
      const outcome = await put(parsed, { replace: true, reason: "replace" });
      const removed = leaving.length > 0 ? await removeIds(leaving.map(({ id }) => id)) : [];
      return { ...outcome, removed: removed.length };
    },
    remove: (refs, { confirm = false } = {}) =>
      changeAll(refs, (ids) => {
        guardRemoval(ids.length, confirm);
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
    async refresh({ refs, onOutcome, ...limits }) {
      const options = {
        by: "person" as const,
        ...limits,
        onOutcome: (outcome: RefreshOutcome) => onOutcome?.(withToken(outcome)),
      };
      const named = refs === undefined ? null : resolve(refs);
      const outcomes = await (named ? refresh.refresh(named.ids, options) : refresh.refreshAll(options));
      const missing = (named?.missing ?? []).map((name): TokenOutcome => ({
        id: "",
        token: name,
        outcome: "skipped",
        reason: "there is no such account",
      }));
      return resultOf([...outcomes.map(withToken), ...missing]);
    },
    refreshProgress: () => refresh.progress(),
    exportText: (query) => exportText(chosen(query)),
    exportJson: (query) => exportJson(chosen(query)),
    snapshots: () => pool.snapshots(),
    async restore(snapshotId) {
      const result = await pool.restore(snapshotId);
      if (!result) throw new GatewayError("not_found", "There is no such snapshot.", { param: "snapshot" });
      log.info("accounts were restored from a snapshot", { snapshot: snapshotId, added: result.added.length });
      const { added, updated, unchanged } = result;
      return {
        added: added.length,
        updated: updated.length,
        unchanged: unchanged.length,
        removed: 0,
        added_ids: added,
        problems: [],
      };
    },
  };
};

/** What names an account in an answer that may be logged. */
const nameOf = (ref: string): string => (/^acc_[0-9a-f]{16}$/.test(ref) ? ref : mask(ref));

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

const resultOf = (results: readonly TokenOutcome[]): RefreshResult => {
  const count = (outcome: RefreshOutcome["outcome"]) => results.filter((result) => result.outcome === outcome).length;
  const summary = { total: results.length, ok: count("done"), fail: count("failed"), skipped: count("skipped") };
  return { summary, results };
};
