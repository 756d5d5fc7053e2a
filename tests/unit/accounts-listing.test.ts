// Pages, filters and counts over many accounts, and what one word says about an account's state.
import { describe, expect, test } from "bun:test";
import { listAccounts, stateOf, type ListQuery } from "../../src/accounts/listing.ts";
import { anAccount, aWindow, START } from "./accounts-fixtures.ts";

const list = (accounts: Parameters<typeof listAccounts>[0], query: ListQuery = {}) =>
  listAccounts(accounts, { query, now: START });

describe("the state", () => {
  const cases: [name: string, fields: Record<string, unknown>, state: string][] = [
    ["nothing known", {}, "active"],
    ["unknown quota is not exhausted", { quota: -1, heavy_quota: -1 }, "active"],
    ["known and left", { windows: { fast: aWindow(1) } }, "active"],
    ["known and used up", { windows: { fast: aWindow(0) } }, "exhausted"],
    [
      "used up, but the window's time is over",
      { windows: { fast: aWindow(0, { reset_at: START, total: 30 }) } },
      "active",
    ],
    ["imported as used up", { quota: 0 }, "exhausted"],
    ["cooling", { status: "cooling", cooldown_until: START + 1 }, "exhausted"],
    ["super without heavy calls left", { tier: "super", heavy_quota: 0 }, "exhausted"],
    ["super that never had any", { tier: "super", windows: { heavy: aWindow(0, { total: 0 }) } }, "active"],
    ["basic without heavy calls", { heavy_quota: 0 }, "active"],
    ["expired", { status: "expired", windows: { fast: aWindow(0) } }, "invalid"],
    ["disabled", { status: "disabled" }, "invalid"],
  ];
  test.each(cases)("%s", (_name, fields, state) => {
    expect(stateOf(anAccount(fields), START)).toBe(state as "active");
  });
});

describe("a list", () => {
  const accounts = Array.from({ length: 120 }, (_, index) =>
    anAccount({
      token: `sim-${index}`,
      pool: index % 3 === 0 ? "ssoSuper" : "ssoBasic",
      status: index % 4 === 0 ? "disabled" : "active",
      tags: index % 2 === 0 ? ["even"] : [],
      note: index === 77 ? "The One" : "",
      use_count: index,
    }),
  );

  test("comes in pages; a page beyond the last is the last", () => {
    expect(list(accounts)).toMatchObject({ total: 120, page: 1, page_size: 50, pages: 3 });
    expect(list(accounts, { page: 3 }).items).toHaveLength(20);
    expect(list(accounts, { page: 99 })).toMatchObject({ page: 3 });
    expect(list(accounts, { page: -1, page_size: 0 })).toMatchObject({ page: 1, page_size: 1, pages: 120 });
    expect(list([])).toMatchObject({ items: [], total: 0, page: 1, pages: 1 });
  });

  test("is searched by note, tag, token, id and pool, whatever the case", () => {
    expect(list(accounts, { search: "the one" }).items.map(({ token }) => token)).toEqual(["sim-77"]);
    expect(list(accounts, { search: "SIM-77" }).total).toBe(1);
    expect(list(accounts, { search: accounts[5]?.id }).total).toBe(1);
    expect(list(accounts, { search: "even" }).total).toBe(60);
    expect(list(accounts, { search: "ssosuper" }).total).toBe(40);
    expect(list(accounts, { search: "nothing of the kind" }).total).toBe(0);
  });

  test("is filtered by kind, and counts both", () => {
    const mixed = [
      anAccount({ token: "sim-a" }),
      anAccount({ token: "xai-sim-ok-team-1", pool: "xai", team_id: "team-1" }),
      anAccount({ token: "xai-sim-ok-team-2", pool: "xai", status: "disabled" }),
    ];
    const page = list(mixed, { upstream: "xai", status: "active" });
    expect(page.items.map(({ token }) => token)).toEqual(["xai-sim-ok-team-1"]);
    expect(page.counts).toMatchObject({ upstreams: { web: 1, xai: 1 }, status: { active: 1, disabled: 1 } });
    expect(list(mixed, { search: "team-1", upstream: "xai" }).total).toBe(1);
  });

  test("is filtered by everything at once", () => {
    const { total, items } = list(accounts, { pool: "ssoSuper", status: "active", tag: "even", page_size: 500 });
    const expected = accounts.filter((_, index) => index % 3 === 0 && index % 4 !== 0 && index % 2 === 0);
    expect(total).toBe(expected.length);
    expect(items).toEqual(expected);
    expect(list(accounts, { without_tag: "even" }).total).toBe(60);
    expect(list(accounts, { state: "invalid" }).total).toBe(30);
  });

  test("counts beside a filter what a click on it would show", () => {
    const { counts } = list(accounts, { pool: "ssoSuper", status: "active" });
    expect(counts.total).toBe(120);
    for (const pool of ["ssoBasic", "ssoSuper"]) {
      expect(counts.pools[pool]).toBe(list(accounts, { pool, status: "active" }).total);
    }
    for (const status of ["active", "disabled", "cooling", "expired"] as const) {
      expect(counts.status[status]).toBe(list(accounts, { pool: "ssoSuper", status }).total);
    }
    expect(counts.tags.even).toBe(list(accounts, { pool: "ssoSuper", status: "active", tag: "even" }).total);
  });

  test("is sorted on demand, the highest first", () => {
    const uses = list(accounts, { sort: "use_count", page_size: 3 }).items.map(({ use_count }) => use_count);
    expect(uses).toEqual([119, 118, 117]);
    const least = list(accounts, { sort: "use_count", order: "asc", page_size: 3 }).items;
    expect(least.map(({ use_count }) => use_count)).toEqual([0, 1, 2]);
  });
});
