// What the page of the tokens shows: the query, the page of rows that answers it, the selection. Draws nothing.
// Invariant: the selection is of ids, so that it survives filters, pages and a reload; an old answer never replaces a newer.
import { batch, computed, signal } from "@preact/signals";
import type { TokenPage, TokenTotals } from "../../../src/admin/accounts.ts";
import type { AccountRow } from "../../../src/admin/token-info.ts";
import { get, messageOf, type Query } from "../../shared/api.ts";
import { keep, kept } from "../../shared/keeping.ts";
import { toast } from "../../shared/toast.tsx";

export type View = "all" | "active" | "cooling" | "exhausted" | "expired" | "disabled";
export type Kind = "any" | "web" | "xai";
export type Adult = "any" | "on" | "off";
export type Sort = "none" | "created" | "last_used" | "use_count" | "quota" | "quota-asc";

export interface Filters {
  readonly search: string;
  readonly kind: Kind;
  readonly view: View;
  readonly pool: string;
  readonly adult: Adult;
  readonly tag: string;
  readonly sort: Sort;
}

export type Page = TokenPage & { readonly totals: TokenTotals };

export const ADULT_TAG = "nsfw";
const NO_FILTERS: Filters = { search: "", kind: "any", view: "all", pool: "", adult: "any", tag: "", sort: "none" };
export const SIZES = [20, 50, 100, 200, 500] as const;
const SIZE = "grok2api.tokens.size";
const SELECTION = "grok2api.tokens.selection";
const MOST_AT_ONCE = 2000;

const keptSelection = (): ReadonlySet<string> => {
  const text = kept(SELECTION, "session");
  return new Set(text === null || text === "" ? [] : text.split(","));
};

export const filters = signal<Filters>(NO_FILTERS);
export const pageNumber = signal(1);
export const pageSize = signal(Number(kept(SIZE) ?? 50) || 50);
export const page = signal<Page | null>(null);
export const loading = signal(false);
export const problem = signal<string | null>(null);
export const selection = signal<ReadonlySet<string>>(keptSelection());
export const isFiltered = computed(() => {
  const { search, kind, view, pool, adult, tag } = filters.value;
  return search !== "" || kind !== "any" || view !== "all" || pool !== "" || adult !== "any" || tag !== "";
});

/** The filters as the API names them. */
export const queryOf = ({ search, kind, view, pool, adult, tag, sort }: Filters): Query => ({
  search,
  ...(view === "exhausted" ? { state: view } : view === "all" ? {} : { status: view }),
  pool,
  upstream: kind === "any" ? null : kind,
  tag: adult === "on" ? ADULT_TAG : tag,
  without_tag: adult === "off" ? ADULT_TAG : null,
  ...(sort === "none" ? {} : { sort: sort.replace("-asc", "") }),
  ...(sort === "quota-asc" ? { order: "asc" } : {}),
});

let latest = 0;
let shown = "";

export const load = async (): Promise<void> => {
  latest += 1;
  const mine = latest;
  loading.value = true;
  try {
    const query = { ...queryOf(filters.value), page: pageNumber.value, page_size: pageSize.value };
    const answer = await get<Page>("/tokens/list", query);
    if (mine !== latest) return;
    const text = JSON.stringify(answer);
    batch(() => {
      // What has not changed is not drawn again.
      if (text !== shown || page.value === null) page.value = answer;
      shown = text;
      pageNumber.value = answer.page;
      problem.value = null;
    });
  } catch (thrown) {
    if (mine === latest) problem.value = messageOf(thrown);
  } finally {
    if (mine === latest) loading.value = false;
  }
};

let typing: ReturnType<typeof setTimeout> | undefined;
const TYPING_MS = 200;

export const filterBy = (change: Partial<Filters>): void => {
  batch(() => {
    filters.value = { ...filters.value, ...change };
    pageNumber.value = 1;
  });
  clearTimeout(typing);
  if (change.search === undefined) void load();
  else typing = setTimeout(() => void load(), TYPING_MS);
};

export const clearFilters = (): void => filterBy({ ...NO_FILTERS, sort: filters.value.sort });

export const goTo = (number: number): void => {
  pageNumber.value = number;
  void load();
};

export const setSize = (size: number): void => {
  pageSize.value = size;
  keep(SIZE, String(size));
  goTo(1);
};

export const select = (ids: Iterable<string>): void => {
  selection.value = new Set(ids);
  keep(SELECTION, [...selection.value].join(","), "session");
};

export const toggle = (ids: readonly string[], on: boolean): void => {
  const next = new Set(selection.value);
  for (const id of ids) {
    if (on) next.add(id);
    else next.delete(id);
  }
  select(next);
};

/** Every account that the filters let through, over all pages; none when they cannot be read. */
export const idsMatching = async (): Promise<readonly string[]> => {
  try {
    const found: string[] = [];
    for (let number = 1, pages = 1; number <= pages; number++) {
      const part = await get<Page>("/tokens/list", {
        ...queryOf(filters.value),
        page: number,
        page_size: MOST_AT_ONCE,
      });
      found.push(...part.items.map(({ id }) => id));
      ({ pages } = part);
    }
    return found;
  } catch (thrown) {
    toast(messageOf(thrown), "error");
    return [];
  }
};

export const selectMatching = async (): Promise<void> => toggle(await idsMatching(), true);

export type Row = AccountRow;

/** A key of the official API, not a session of the site. */
export const isKey = ({ upstream }: Row): boolean => upstream === "xai";
