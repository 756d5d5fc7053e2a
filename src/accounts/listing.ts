// Filtering, searching, counting and paging a list of accounts. Pure, one pass. Invariant: the counts beside one filter
// respect all the other filters, so that a count is what a click on it would show.
import type { Account, AccountStatus } from "./account.ts";
import { upstreamOf } from "../core/credential.ts";
import type { Upstream } from "../core/models.ts";
import { chatSummary, heavySummary } from "./quota.ts";

/** What a person wants to know at a glance: can it work, is it used up, is it dead. */
export type AccountState = "active" | "exhausted" | "invalid";

export interface ListQuery {
  /** Matches note, tags, pool, user id, team, account id and token. */
  readonly search?: string;
  readonly status?: AccountStatus;
  readonly state?: AccountState;
  readonly pool?: string;
  /** Sessions of the site, or keys of the official API. */
  readonly upstream?: Upstream;
  readonly tag?: string;
  /** Accounts that lack this tag. */
  readonly without_tag?: string;
  readonly sort?: "created" | "last_used" | "use_count" | "quota";
  /** Descending unless said otherwise. */
  readonly order?: "asc" | "desc";
  /** From 1. */
  readonly page?: number;
  readonly page_size?: number;
}

export interface ListCounts {
  /** Accounts in the pool, whatever the filters. */
  readonly total: number;
  readonly status: Record<AccountStatus, number>;
  readonly state: Record<AccountState, number>;
  readonly pools: Record<string, number>;
  readonly upstreams: Record<Upstream, number>;
  readonly tags: Record<string, number>;
}

export interface ListPage {
  readonly items: readonly Account[];
  /** Accounts that match all filters. */
  readonly total: number;
  readonly page: number;
  readonly page_size: number;
  readonly pages: number;
  readonly counts: ListCounts;
}

const MAX_PAGE_SIZE = 2000;
const DEFAULT_PAGE_SIZE = 50;

/** Unknown quota is never taken for exhausted. */
export const stateOf = (account: Account, now: number): AccountState => {
  if (account.status === "expired" || account.status === "disabled") return "invalid";
  const { windows, quota, heavy_quota } = account;
  if (account.status === "cooling" || chatSummary({ windows, stored: quota }, now).remaining === 0) return "exhausted";
  // A super account without any heavy calls is one thing, one that has used them up another.
  const offersHeavy = account.tier === "super" && windows.heavy?.total !== 0;
  const heavy = heavySummary({ windows, stored: heavy_quota }, now).remaining;
  return offersHeavy && heavy === 0 ? "exhausted" : "active";
};

const matchesSearch = (account: Account, search: string): boolean =>
  search === "" ||
  [
    account.note,
    account.pool,
    account.id,
    account.token,
    account.user_id ?? "",
    account.team_id ?? "",
    ...account.tags,
  ].some((text) => text.toLowerCase().includes(search));

const add = <K extends string>(counts: Map<K, number>, key: K) => counts.set(key, (counts.get(key) ?? 0) + 1);

const sorters: Record<NonNullable<ListQuery["sort"]>, (account: Account, now: number) => number> = {
  created: (account) => account.created_at,
  last_used: (account) => account.last_used_at ?? 0,
  use_count: (account) => account.use_count,
  quota: (account, now) => chatSummary({ windows: account.windows, stored: account.quota }, now).remaining,
};

const sorted = (items: Account[], { query, now }: { query: ListQuery; now: number }): Account[] => {
  if (!query.sort) return items;
  const key = sorters[query.sort];
  const sign = query.order === "asc" ? 1 : -1;
  return items
    .map((account) => ({ account, rank: key(account, now) }))
    .toSorted((a, b) => sign * (a.rank - b.rank))
    .map(({ account }) => account);
};

export const listAccounts = (accounts: Iterable<Account>, asked: { query: ListQuery; now: number }): ListPage => {
  const { query, now } = asked;
  const search = query.search?.trim().toLowerCase() ?? "";
  const status = new Map<AccountStatus, number>();
  const state = new Map<AccountState, number>();
  const pools = new Map<string, number>();
  const upstreams = new Map<Upstream, number>();
  const tags = new Map<string, number>();
  const found: Account[] = [];
  let total = 0;
  for (const account of accounts) {
    total++;
    if (!matchesSearch(account, search)) continue;
    const itsState = stateOf(account, now);
    const itsUpstream = upstreamOf(account.token);
    const fits = {
      status: query.status === undefined || account.status === query.status,
      state: query.state === undefined || itsState === query.state,
      pool: query.pool === undefined || account.pool === query.pool,
      upstream: query.upstream === undefined || itsUpstream === query.upstream,
      tag:
        (query.tag === undefined || account.tags.includes(query.tag)) &&
        (query.without_tag === undefined || !account.tags.includes(query.without_tag)),
    };
    const misses = Object.values(fits).filter((fit) => !fit).length;
    if (misses > 1) continue;
    if (misses === 0) found.push(account);
    if (misses === 0 || !fits.status) add(status, account.status);
    if (misses === 0 || !fits.state) add(state, itsState);
    if (misses === 0 || !fits.pool) add(pools, account.pool);
    if (misses === 0 || !fits.upstream) add(upstreams, itsUpstream);
    if (misses === 0 || !fits.tag) for (const tag of account.tags) add(tags, tag);
  }
  const page_size = Math.min(MAX_PAGE_SIZE, Math.max(1, Math.floor(query.page_size ?? DEFAULT_PAGE_SIZE)));
  const pages = Math.max(1, Math.ceil(found.length / page_size));
  const page = Math.min(pages, Math.max(1, Math.floor(query.page ?? 1)));
  return {
    items: sorted(found, asked).slice((page - 1) * page_size, page * page_size),
    total: found.length,
    page,
    page_size,
    pages,
    counts: {
      total,
      status: { active: 0, cooling: 0, expired: 0, disabled: 0, ...Object.fromEntries(status) },
      state: { active: 0, exhausted: 0, invalid: 0, ...Object.fromEntries(state) },
      pools: Object.fromEntries(pools),
      upstreams: { web: 0, xai: 0, ...Object.fromEntries(upstreams) },
      tags: Object.fromEntries(tags),
    },
  };
};
