// Every shape in which people bring accounts: nothing is lost, and what cannot be read is named without being quoted.
import { describe, expect, test } from "bun:test";
import { accountId } from "../../src/accounts/account.ts";
import { exportJson, exportText } from "../../src/accounts/export.ts";
import { parseImport, parseImportValue } from "../../src/accounts/import.ts";
import { createAccount } from "../../src/accounts/imported.ts";
import { readToken } from "../../src/accounts/tokens.ts";
import { aWindow, item, manualClock, newPool, START } from "./accounts-fixtures.ts";

const LONG = "eyJhbGciOiJIUzI1NiJ9.eyJzZXNzaW9uIjoiaW52ZW50ZWQifQ.c2lnbmF0dXJl-aW52ZW50ZWQ";
const tokens = (text: string, options = {}) => parseImport(text, options).accounts.map(({ token }) => token);

describe("one token", () => {
  const cases: [raw: string, token: string][] = [
    [LONG, LONG],
    [`sso=${LONG}`, LONG],
    [`  "${LONG}",  `, LONG],
    [`a=b; sso=${LONG}; sso-rw=other-value-1`, LONG],
    [`sso-rw=other-value-1; sso=${LONG}`, LONG],
    [`Cookie: sso=${LONG}; cf_clearance=abc.def-1`, LONG],
    [`sso=${LONG};`, LONG],
    [`\uFEFF${LONG}`, LONG],
    [`\u200B${LONG.slice(0, 9)}\u200D${LONG.slice(9)}\u2060`, LONG],
    [LONG.replace("-", "\u2014"), LONG],
    [LONG.replace("-", "\u2011"), LONG],
    [`\u00A0${LONG}\u3000`, LONG],
    [`\u201C${LONG}\u201D`, LONG],
    ["ｓｉｍ－ｏｋ", "sim-ok"],
    ["sim-ok", "sim-ok"],
  ];
  test.each(cases)("%j", (raw, token) => {
    expect(readToken(raw)).toEqual({ token });
  });

  const refused: [raw: string, reason: string][] = [
    ["", "is empty"],
    ["  \u200B ", "is empty"],
    [`sso-rw=${LONG}`, "is a cookie line without an sso cookie"],
    ["a=b; c=d", "is a cookie line without an sso cookie"],
    ["two words-1", "has spaces inside"],
    ["第一个账号-1", "has characters that a session cookie cannot have"],
    ["someone@example.com----secret----token", "has characters that a session cookie cannot have"],
    ["hello", "is too short to be a session cookie"],
  ];
  test.each(refused)("%j is refused", (raw, reason) => {
    expect(readToken(raw)).toEqual({ reason });
  });
});

describe("text", () => {
  test("one a line, whatever the line ends; blanks and comments are no rows", () => {
    const text = `sim-a\r\n\r\n# mine\nsso=sim-b\r// old\n{"token":"sim-c","tags":["x"]}\n`;
    expect(parseImport(text)).toMatchObject({
      accounts: [{ token: "sim-a" }, { token: "sim-b" }, { token: "sim-c", fields: { tags: ["x"] } }],
      problems: [],
    });
  });

  test("rubbish is named by its line and not quoted", () => {
    const secret = "very secret words";
    const { accounts, problems } = parseImport(`sim-a\n${secret}\n\nsim-a\nsso-rw=${LONG}`);
    expect(accounts).toHaveLength(1);
    expect(problems).toEqual([
      { line: 2, kind: "unreadable", reason: "has spaces inside" },
      { line: 4, kind: "repeated", reason: "is the same account as row 1; what it adds was kept" },
      { line: 5, kind: "unreadable", reason: "is a cookie line without an sso cookie" },
    ]);
    expect(JSON.stringify(problems)).not.toContain("secret");
    expect(JSON.stringify(problems)).not.toContain(LONG);
  });

  test("empty text is empty", () => {
    for (const text of ["", " \n\n", "\uFEFF", "# nothing"])
      expect(parseImport(text)).toEqual({ accounts: [], problems: [] });
  });

  test("the pool of rows that name none", () => {
    expect(parseImport("sim-a").accounts[0]?.pool).toBeNull();
    expect(parseImport("sim-a", { pool: "super" }).accounts[0]?.pool).toBe("ssoSuper");
    expect(parseImport("sim-a", { pool: "auto" }).accounts[0]?.pool).toBeNull();
    const named = parseImport('[{"token":"sim-a","pool":"heavy"},"sim-b"]', { pool: "super" }).accounts;
    expect(named.map(({ pool }) => pool)).toEqual(["ssoHeavy", "ssoSuper"]);
  });
});

describe("JSON", () => {
  const parse = (value: unknown) => parseImport(JSON.stringify(value));

  test("pools of texts and objects", () => {
    const { accounts, problems } = parse({
      ssoBasic: ["sim-a", { token: "sso=sim-b", status: "disabled", note: "n", tags: ["t"], invented: 1 }],
      ssoSuper: [{ token: "sim-c", quota: 140, use_count: 3 }],
      friends: ["sim-d"],
    });
    expect(problems).toEqual([]);
    expect(accounts).toEqual([
      item("sim-a", { pool: "ssoBasic" }),
      item("sim-b", { pool: "ssoBasic", status: "disabled", fields: { note: "n", tags: ["t"], invented: 1 } }),
      item("sim-c", { pool: "ssoSuper", fields: { quota: 140, use_count: 3 } }),
      item("sim-d", { pool: "friends" }),
    ]);
  });

  test("the oldest: a map from token to what is known", () => {
    const known = {
      createdTime: 1_700_000_000_000,
      remainingQueries: 12,
      heavyremainingQueries: -1,
      status: "active",
      failedCount: 2,
      lastFailureTime: 1_700_000_100_000,
      lastFailureReason: "HTTP 500",
      cooldownUntil: 1_900_000_000_000,
      tags: ["t"],
      note: "n",
    };
    const { accounts } = parse({ ssoNormal: { "sim-a": known }, sso: { "sim-b": {} }, ssoSuper: { "sso=sim-c": {} } });
    expect(accounts.map(({ token, pool }) => [token, pool])).toEqual([
      ["sim-a", "ssoBasic"],
      ["sim-b", "ssoBasic"],
      ["sim-c", "ssoSuper"],
    ]);
    expect(accounts[0]).toMatchObject({
      status: "active",
      fields: {
        ...{ created_at: 1_700_000_000_000, quota: 12, heavy_quota: -1, fail_count: 2, tags: ["t"], note: "n" },
        ...{ last_fail_at: 1_700_000_100_000, last_fail_reason: "HTTP 500", cooldown_until: 1_900_000_000_000 },
      },
    });
  });

  test("pools by tier, with windows by mode", () => {
    const quota = {
      fast: { remaining: 3, total: 30, window_seconds: 86_400, reset_at: START, synced_at: START, source: 1 },
    };
    const { accounts } = parse({
      basic: [{ token: "sim-a", tags: ["t"] }],
      super: [{ token: "sim-b", quota, last_use_at: START }],
    });
    expect(accounts.map(({ pool }) => pool)).toEqual(["ssoBasic", "ssoSuper"]);
    expect(accounts[1]?.fields).toMatchObject({
      last_used_at: START,
      windows: { fast: { remaining: 3, total: 30, source: "measured" } },
    });
  });

  const webExport = {
    provider: "grok_web",
    accounts: [
      { name: "first", sso_token: "sim-a", tier: "super", cloudflare_cookies: "cf_clearance=x" },
      { name: "second", sso_token: "sim-b", tier: "auto" },
    ],
  };
  const asExported = [
    { token: "sim-a", pool: null, tier: "super", fields: { note: "first", cloudflare_cookies: "cf_clearance=x" } },
    { token: "sim-b", pool: null, tier: null, fields: { note: "second" } },
  ] as const;

  test("an export with accounts of a provider, with a byte order mark", () => {
    const { accounts } = parseImport(`\uFEFF${JSON.stringify(webExport, null, 2)}`);
    expect(accounts).toMatchObject(asExported);
    expect(createAccount(accounts[0] ?? item("?"), START)).toMatchObject({ pool: "ssoSuper", tier: "super" });
  });

  test("the same as one object a line", () => {
    const lines = webExport.accounts.map((account) => JSON.stringify(account)).join("\n");
    expect(parseImport(`\uFEFF${lines}\n`).accounts).toMatchObject(asExported);
  });

  test("a plain list, an object alone, and the answers of admin routes", () => {
    expect(tokens('["sim-a", "sso=sim-b"]')).toEqual(["sim-a", "sim-b"]);
    expect(tokens('{"token":"sim-a"}')).toEqual(["sim-a"]);
    const flat = parse({ tokens: [{ token: "sim-a", pool: "super", quota_known: true }], status: "success" }).accounts;
    expect(flat).toEqual([item("sim-a", { pool: "ssoSuper" })]);
    const grouped = parse({ tokens: { ssoSuper: ["sim-a"] }, consumed_mode_enabled: false }).accounts;
    expect(grouped).toEqual([item("sim-a", { pool: "ssoSuper" })]);
  });

  test("seconds, dates, texts and lists as text become what they mean", () => {
    const row = {
      token: "sim-a",
      created_time: 1_700_000_000,
      last_used_at: "2026-08-01T00:00:00Z",
      quota: "7",
      tags: '["x","y"]',
    };
    expect(parse([row]).accounts[0]?.fields).toEqual({
      created_at: 1_700_000_000_000,
      last_used_at: START,
      quota: 7,
      tags: ["x", "y"],
    });
  });

  test("every row is an account or a problem", () => {
    const rows = [
      "sim-a",
      "",
      null,
      7,
      {},
      { token: "" },
      { token: 5 },
      { note: "x" },
      ["sim-z"],
      "sim-a",
      { token: "sim-b" },
    ];
    const { accounts, problems } = parse({ ssoBasic: rows, ssoSuper: "sim-c", ssoHeavy: [] });
    expect(accounts.map(({ token }) => token)).toEqual(["sim-a", "sim-b"]);
    expect(accounts.length + problems.length).toBe(rows.length + 1);
    expect(problems.map(({ where }) => where)).toContain("ssoBasic[4]");
    expect(problems.at(-1)).toMatchObject({ where: "ssoSuper", kind: "unreadable" });
  });

  test("a doubled row adds what the first left open", () => {
    const { accounts, problems } = parse({
      ssoBasic: [{ token: "sim-a", tags: ["one"] }],
      ssoSuper: [{ token: "sso=sim-a", note: "late", tags: ["two"] }],
    });
    expect(accounts).toEqual([item("sim-a", { pool: "ssoBasic", fields: { note: "late", tags: ["one", "two"] } })]);
    expect(problems).toHaveLength(1);
  });

  test("an empty start file is empty; a cut one is a problem that quotes nothing", () => {
    expect(parse({ ssoBasic: [] })).toEqual({ accounts: [], problems: [] });
    expect(parse({})).toEqual({ accounts: [], problems: [] });
    const whole = JSON.stringify({ ssoBasic: [LONG] }, null, 2);
    for (let cut = 1; cut < whole.length; cut++) {
      const { accounts, problems } = parseImport(whole.slice(0, cut));
      expect(accounts).toEqual([]);
      expect(problems).toHaveLength(1);
      expect(JSON.stringify(problems)).not.toContain(LONG.slice(0, 8));
    }
  });

  test("an unknown status is active, the word invalid is expired, and a rest without an end is none", () => {
    const account = (fields: object) =>
      createAccount(parseImportValue([{ token: "sim-a", ...fields }]).accounts[0] ?? item("?"), START);
    expect(account({ status: "sleepy" }).status).toBe("active");
    expect(account({ status: "invalid" }).status).toBe("expired");
    expect(account({ status: "cooling" }).status).toBe("active");
    expect(account({ status: "cooling", cooldown_until: START + 5 })).toMatchObject({
      status: "cooling",
      cooldown_until: START + 5,
    });
  });
});

test("what is exported comes back as it was", async () => {
  const clock = manualClock();
  const pool = newPool({ clock });
  const fields = {
    ...{
      note: "n",
      tags: ["t"],
      use_count: 3,
      fail_count: 1,
      created_at: 5,
      last_used_at: 1.7e12,
      tier_source: "manual",
    },
    ...{
      last_fail_at: 1.7e12,
      last_fail_reason: "r",
      last_fail_code: "account_auth",
      last_sync_at: 1.7e12,
      consumed: 9,
    },
    ...{ windows: { fast: aWindow(3), auto: aWindow(0, { source: "estimated" }) }, user_id: "user-1", invented: [1] },
    ...{
      quota: 4,
      heavy_quota: 2,
      last_asset_clear_at: 1.7e12,
      cooldown_reason: "rate_limited",
      cooldown_until: 1.9e12,
    },
  };
  await pool.upsert([
    item("sim-a", { pool: "ssoSuper", status: "cooling", fields: { ...fields, created_at: 1.6e12 } }),
    item("sim-b", { pool: "friends", tier: "heavy", status: "disabled" }),
    item("sim-c"),
  ]);
  const copy = newPool({ clock });
  await copy.upsert(parseImport(JSON.stringify(exportJson(pool.all()))).accounts);
  for (const account of pool.all()) expect(copy.get(account.id)).toEqual(account);
  expect(copy.size).toBe(3);
  expect(exportText(pool.all())).toBe("sim-a\nsim-b\nsim-c\n");
  expect(pool.get(accountId("sim-a"))).toHaveProperty("invented", [1]);
});

test("100 rows a line or in any JSON shape are 100 accounts in a pool", async () => {
  const names = Array.from({ length: 100 }, (_, index) => `sim-${index}`);
  const map = Object.fromEntries(names.map((name) => [name, { note: name }]));
  const shapes = [
    names.join("\n"),
    names.map((name) => `a=b; sso=${name}; sso-rw=${name}`).join("\r\n"),
    JSON.stringify(names),
    JSON.stringify({ ssoBasic: names }),
    JSON.stringify({ ssoNormal: map }),
    JSON.stringify({ basic: names.map((token) => ({ token })) }),
    JSON.stringify({ provider: "grok_web", accounts: names.map((token) => ({ sso_token: token })) }),
    names.map((token) => JSON.stringify({ sso_token: token })).join("\n"),
  ];
  for (const shape of shapes) {
    const pool = newPool({ clock: manualClock() });
    const parsed = parseImport(shape);
    expect(parsed.problems).toEqual([]);
    expect((await pool.upsert(parsed.accounts)).added).toHaveLength(100);
  }
});

test("a key from the settings that is brought elsewhere is one of its own there", () => {
  const written = { xai: [{ token: "xai-sim-ok-copied-1", from_config: true, models: ["grok-4.3"], upstream: "xai" }] };
  const { accounts } = parseImport(JSON.stringify(written));
  expect(accounts.map(({ token, fields }) => [token, fields])).toEqual([["xai-sim-ok-copied-1", {}]]);
});
