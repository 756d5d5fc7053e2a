// What an administrator sees of accounts, without HTTP, and the way to the verbs that change them. Accounts are named by id
// or by token. Invariant: a list that is paged holds no secret; a change names who made it.
import type { Actor, Audit } from "../access/audit.ts";
import type { Account } from "../accounts/account.ts";
import { isApiKey } from "../accounts/api-keys.ts";
import { exportJson, exportText } from "../accounts/export.ts";
import type { ListCounts, ListQuery } from "../accounts/listing.ts";
import type { Pool } from "../accounts/pool.ts";
import type { SnapshotInfo } from "../accounts/snapshots.ts";
import type { XaiModel } from "../core/models.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { createAccountChanges, type AccountChanges } from "./account-changes.ts";
import { createAccountRefs, type Refs } from "./account-refs.ts";
import { toAccountRow, toTokenInfo, type AccountRow, type TokenInfo } from "./token-info.ts";

export interface AccountAdminDeps {
  readonly pool: Pool;
  readonly audit: Pick<Audit, "row">;
  /** What a key of the official API may use; nothing while nobody knows. */
  readonly keyModels: (accountId: string) => readonly XaiModel[];
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
  /** Known calls left over all active sessions; keys are not counted in calls. */
  readonly quota: number;
  /** Active sessions whose quota nobody knows. */
  readonly quota_unknown: number;
  readonly use_count: number;
  readonly consumed: number;
  readonly api_keys: ApiKeyTotals;
}

export interface ApiKeyTotals {
  readonly total: number;
  readonly active: number;
  /** Their team's credits are used up. */
  readonly no_credits: number;
  /** Expired or disabled. */
  readonly invalid: number;
  /** Teams that are known so far. */
  readonly teams: number;
}

export interface AccountAdmin {
  /** The verbs, each written down as that person's doing. */
  by(actor: Actor): AccountChanges;
  /** Without secrets. */
  list(query?: ListQuery): TokenPage;
  /** Pool name → accounts: the shape of a token file. */
  byPool(): Record<string, TokenInfo[]>;
  totals(): TokenTotals;
  get(ref: string): TokenInfo;
  allTags(): string[];
  exportText(query?: ListQuery | Refs): string;
  exportJson(query?: ListQuery | Refs): Record<string, Record<string, unknown>[]>;
  snapshots(): Promise<SnapshotInfo[]>;
  /** Changes whenever an account comes or goes; for `replacePools`. */
  revision(): string;
  status(): { readonly size: number; readonly revision: number };
  /** Takes over what other programs have written into the same store. */
  sync(): Promise<{ readonly changed: boolean; readonly revision: number }>;
}

const isRefs = (query: ListQuery | Refs): query is Refs => Array.isArray(query);

export const createAccountAdmin = (deps: AccountAdminDeps): AccountAdmin => {
  const { pool, clock } = deps;
  const { account, resolve } = createAccountRefs(pool);
  const startedAt = clock.now();
  const revision = () => `${startedAt}-${pool.revision}`;
  const info = (found: Account): TokenInfo =>
    toTokenInfo(found, { now: clock.now(), inFlight: pool.inFlight(found.id), models: modelsOf(found) });
  const modelsOf = (found: Account): TokenInfo["models"] => {
    const models = isApiKey(found) ? deps.keyModels(found.id).map(({ id, kind }) => ({ id, kind })) : [];
    return models.length === 0 ? null : models;
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
    by: createAccountChanges({ ...deps, info, revision }),
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
    exportText: (query) => exportText(chosen(query)),
    exportJson: (query) => exportJson(chosen(query)),
    snapshots: () => pool.snapshots(),
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

const totalsOf = (infos: readonly TokenInfo[]): TokenTotals => {
  const active = infos.filter(({ status }) => status === "active");
  const sessions = active.filter(({ upstream }) => upstream === "web");
  const sum = (of: readonly TokenInfo[], value: (info: TokenInfo) => number) =>
    of.reduce((total, one) => total + value(one), 0);
  return {
    total: infos.length,
    active: active.length,
    cooling: infos.filter(({ status }) => status === "cooling").length,
    invalid: infos.filter(({ state }) => state === "invalid").length,
    quota: sum(sessions, ({ quota }) => Math.max(0, quota)),
    quota_unknown: sessions.filter(({ quota_known }) => !quota_known).length,
    use_count: sum(infos, ({ use_count }) => use_count),
    consumed: sum(infos, ({ consumed }) => consumed),
    api_keys: keyTotalsOf(infos.filter(({ upstream }) => upstream === "xai")),
  };
};

const keyTotalsOf = (keys: readonly TokenInfo[]): ApiKeyTotals => ({
  total: keys.length,
  active: keys.filter(({ status }) => status === "active").length,
  no_credits: keys.filter(({ status, cooldown_reason }) => status === "cooling" && cooldown_reason === "no_credits")
    .length,
  invalid: keys.filter(({ state }) => state === "invalid").length,
  teams: new Set(keys.flatMap(({ team_id }) => team_id ?? [])).size,
});
