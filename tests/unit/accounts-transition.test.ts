// What a failure, a success, a measurement or a person's word does to one account.
import { describe, expect, test } from "bun:test";
import { ERROR_TABLE, GatewayError, type ErrorCode, type ErrorDetail } from "../../src/core/errors.ts";
import { accountId, parseAccount, transition, type Account, type Signal } from "../../src/accounts/account.ts";
import { anAccount, aWindow, HOUR, settings, START } from "./accounts-fixtures.ts";

const fail = (code: ErrorCode, detail: ErrorDetail = {}): Signal => ({
  type: "failed",
  error: new GatewayError(code, "It failed.", detail),
  mode: "fast",
});
const after = (account: Account, signal: Signal, now = START): Account =>
  transition(account, { signal, now, settings });

describe("rate limits", () => {
  const cases: [
    name: string,
    fields: Record<string, unknown>,
    detail: ErrorDetail,
    rest: [ms: number, reason: string],
  ][] = [
    ["unknown quota rests an hour", {}, {}, [HOUR, "rate_limited"]],
    ["quota left rests an hour", { windows: { fast: aWindow(3) } }, {}, [HOUR, "rate_limited"]],
    ["no quota left rests ten hours", { windows: { fast: aWindow(0) } }, {}, [10 * HOUR, "exhausted"]],
    ["an imported 0 counts while nothing better is known", { quota: 0 }, {}, [10 * HOUR, "exhausted"]],
    [
      "a window whose time is over is no longer empty",
      { windows: { fast: aWindow(0, { reset_at: START, total: 30 }) } },
      {},
      [HOUR, "rate_limited"],
    ],
    ["a longer Retry-After is honoured", {}, { retryAfterMs: 2 * HOUR }, [2 * HOUR, "rate_limited"]],
    ["a shorter Retry-After is not", {}, { retryAfterMs: 1000 }, [HOUR, "rate_limited"]],
    ["an absurd Retry-After is capped", {}, { retryAfterMs: 900 * HOUR }, [24 * HOUR, "rate_limited"]],
  ];
  test.each(cases)("%s", (_name, fields, detail, [restMs, reason]) => {
    const next = after(anAccount(fields), fail("upstream_rate_limited", detail));
    expect(next.status).toBe("cooling");
    expect(next.cooldown_until).toBe(START + restMs);
    expect(next.cooldown_reason).toBe(reason as "exhausted");
    expect(next.fail_count).toBe(0);
  });

  test("never lead to expiry, however many", () => {
    let account = anAccount();
    for (let count = 0; count < 20; count++) account = after(account, fail("upstream_rate_limited"), START + count);
    expect(account.status).toBe("cooling");
  });

  test("a later answer of an older call does not shorten a rest", () => {
    const long = after(anAccount(), fail("upstream_rate_limited", { retryAfterMs: 5 * HOUR }));
    expect(after(long, fail("upstream_rate_limited")).cooldown_until).toBe(START + 5 * HOUR);
  });
});

describe("an empty mode", () => {
  const quotaOf = (mode: string, retryAfterMs?: number) => fail("account_quota", { mode, retryAfterMs });

  test("closes that mode only while another is left", () => {
    const account = anAccount({ tier: "super", windows: { fast: aWindow(100), auto: aWindow(7) } });
    const next = after(account, quotaOf("auto"));
    expect(next.status).toBe("active");
    expect(next.windows.auto).toMatchObject({ remaining: 0, reset_at: START + 2 * HOUR, source: "measured" });
    expect(next.windows.fast?.remaining).toBe(100);
  });

  test("an unknown mode counts as left", () => {
    expect(after(anAccount({ tier: "super" }), quotaOf("auto")).status).toBe("active");
  });

  test("rests the account when it was the last one, until the first reset", () => {
    const next = after(anAccount({ tier: "basic" }), quotaOf("fast", 3 * HOUR));
    expect(next).toMatchObject({ status: "cooling", cooldown_until: START + 3 * HOUR, cooldown_reason: "exhausted" });
    const zero = aWindow(0, { reset_at: START + HOUR });
    const both = anAccount({ tier: "super", windows: { auto: zero, expert: aWindow(0) } });
    expect(after(both, quotaOf("fast")).cooldown_until).toBe(START + HOUR);
  });

  test("does not rest an account whose pictures are known to be left", () => {
    const account = anAccount({ tier: "basic", windows: { image_pro: aWindow(2) } });
    expect(after(account, quotaOf("fast")).status).toBe("active");
  });

  test("without any known time it opens again by itself", () => {
    const next = after(anAccount({ tier: "super" }), quotaOf("expert"));
    expect(next.windows.expert?.reset_at).toBe(START + settings.exhausted_cooldown_seconds * 1000);
  });
});

describe("refused sessions", () => {
  test("expire the account at the threshold, not before", () => {
    let account = anAccount();
    for (let count = 1; count <= settings.fail_threshold; count++) {
      expect(account.status).toBe("active");
      account = after(account, fail("account_auth", { upstream: { status: 401, code: "invalid-credentials" } }));
      expect(account.fail_count).toBe(count);
    }
    expect(account).toMatchObject({ status: "expired", last_fail_code: "account_auth" });
    expect(account.last_fail_reason).toContain("401 invalid-credentials");
  });

  test("must be in a row: a success in between starts anew and clears the marks", () => {
    const four = Array.from({ length: 4 }).reduce<Account>(
      (account) => after(account, fail("account_auth")),
      anAccount(),
    );
    const served = after(four, { type: "served", mode: "fast", units: 1 });
    expect(served).toMatchObject({ fail_count: 0, last_fail_at: null, last_fail_reason: null, last_fail_code: null });
  });

  test("a blocked account is expired at once, with the reason", () => {
    const next = after(anAccount(), fail("account_blocked", { upstream: { status: 403, text: "User is blocked" } }));
    expect(next.status).toBe("expired");
    expect(next.last_fail_reason).toContain("User is blocked");
  });

  test("an unknown 403 never counts to expiry", () => {
    let account = anAccount();
    for (let count = 0; count < 50; count++) account = after(account, fail("account_refused"));
    expect(account).toMatchObject({ status: "active", fail_count: 0, cooldown_until: null });
  });

  test("the kept reason holds no secret", () => {
    const secret = "eyJhbGciOiJIUzI1NiJ9.eyJzZXNzaW9uIjoiaW52ZW50ZWQifQ.c2lnbmF0dXJl";
    const next = after(anAccount(), fail("account_auth", { upstream: { text: `bad cookie sso=${secret}` } }));
    expect(next.last_fail_reason).not.toContain(secret);
  });
});

test("a failure that is not the account's leaves it untouched, the same object", () => {
  const account = anAccount({ fail_count: 3 });
  const codes = Object.keys(ERROR_TABLE) as ErrorCode[];
  const harmless = codes.filter((code) => ERROR_TABLE[code].signal === "none");
  expect(harmless.length).toBeGreaterThan(40);
  for (const code of harmless) expect(after(account, fail(code))).toBe(account);
});

test("only codes that blame the account carry a signal", () => {
  for (const row of Object.values(ERROR_TABLE)) if (row.signal !== "none") expect(row.blame).toBe("account");
});

describe("success", () => {
  test("deducts from a known window and calls the number estimated", () => {
    const next = after(anAccount({ windows: { fast: aWindow(3) }, quota: 10 }), {
      type: "served",
      mode: "fast",
      units: 4,
    });
    expect(next.windows.fast).toMatchObject({ remaining: 0, source: "estimated" });
    expect(next).toMatchObject({ use_count: 1, consumed: 4, quota: 6, last_used_at: START });
  });

  test("an unknown window stays unknown", () => {
    expect(after(anAccount(), { type: "served", mode: "fast", units: 1 }).windows).toEqual({});
  });

  test("after the reset it counts down from the full window", () => {
    const old = aWindow(0, { total: 30, reset_at: START - 1 });
    const next = after(anAccount({ windows: { fast: old } }), { type: "served", mode: "fast", units: 1 });
    expect(next.windows.fast).toMatchObject({ remaining: 29, reset_at: START + 7200_000, source: "estimated" });
  });

  test("a client's hang-up counts as use and changes nothing else", () => {
    const next = after(anAccount({ fail_count: 2 }), { type: "client_closed" });
    expect(next).toMatchObject({ status: "active", fail_count: 2, use_count: 1, last_used_at: START });
  });
});

describe("coming back", () => {
  const cooling = anAccount({ status: "cooling", cooldown_until: START + HOUR, cooldown_reason: "rate_limited" });

  test("by time, not before", () => {
    expect(after(cooling, { type: "timer" }, START + HOUR - 1)).toBe(cooling);
    expect(after(cooling, { type: "timer" }, START + HOUR)).toMatchObject({ status: "active", cooldown_until: null });
  });

  const report = (remaining: number): Signal => ({
    type: "quota",
    by: "schedule",
    report: {
      windows: { fast: { remaining, total: 30, windowSeconds: 86_400, resetAt: START + 9 * HOUR } },
      tier: null,
    },
  });

  test("by a measurement with quota left; one without keeps it resting until the reset", () => {
    expect(after(cooling, report(5))).toMatchObject({ status: "active", cooldown_reason: null, last_sync_at: START });
    expect(after(cooling, report(0))).toMatchObject({ status: "cooling", cooldown_until: START + HOUR });
    expect(after(anAccount(), report(0))).toMatchObject({ status: "cooling", cooldown_until: START + 9 * HOUR });
  });

  test("an expired account only comes back through a person", () => {
    const expired = anAccount({ status: "expired", fail_count: 5 });
    expect(after(expired, report(5)).status).toBe("expired");
    expect(after(expired, { type: "timer" }).status).toBe("expired");
    expect(after(expired, { type: "served", mode: "fast", units: 1 }).status).toBe("expired");
    expect(after(expired, { ...report(5), by: "person" } as Signal)).toMatchObject({ status: "active", fail_count: 0 });
    expect(after(expired, { type: "enable" })).toMatchObject({ status: "active", fail_count: 0 });
  });

  test("what a person switched off stays off", () => {
    const off = after(cooling, { type: "disable" });
    expect(off).toMatchObject({ status: "disabled", cooldown_until: null });
    const signals = [report(5), fail("account_blocked"), fail("upstream_rate_limited"), { type: "timer" } as const];
    for (const signal of signals) expect(after(off, signal).status).toBe("disabled");
    expect(after(off, { type: "enable" }).status).toBe("active");
  });

  test("clearing a cooldown also forgets empty windows", () => {
    const empty = anAccount({ ...cooling, windows: { fast: aWindow(0), auto: aWindow(4) }, quota: 0 });
    const next = after(empty, { type: "clear_cooldown" });
    expect(next).toMatchObject({ status: "active", cooldown_until: null, quota: -1 });
    expect(Object.keys(next.windows)).toEqual(["auto"]);
  });
});

describe("the tier", () => {
  const sized = (windows: Record<string, number>): Signal => ({
    type: "quota",
    by: "schedule",
    report: {
      tier: null,
      windows: Object.fromEntries(
        Object.entries(windows).map(([kind, total]) => [
          kind,
          { remaining: 1, total, windowSeconds: null, resetAt: null },
        ]),
      ),
    },
  });
  const cases: [Record<string, number>, string, string][] = [
    [{ fast: 30 }, "basic", "ssoBasic"],
    [{ auto: 20, fast: 30 }, "basic", "ssoBasic"],
    [{ auto: 7 }, "basic", "ssoBasic"],
    [{ auto: 50, fast: 140, expert: 50 }, "super", "ssoSuper"],
    [{ auto: 150, fast: 400, heavy: 20 }, "heavy", "ssoHeavy"],
    [{ heavy: 20 }, "heavy", "ssoHeavy"],
    [{ auto: 50, fast: 30 }, "basic", "ssoBasic"],
    [{ auto: 51 }, "basic", "ssoBasic"],
  ];
  test.each(cases)("%j is %s", (windows, tier, pool) => {
    expect(after(anAccount(), sized(windows))).toMatchObject({ tier: tier as "basic", pool });
  });

  test("a person's choice and a pool of one's own are kept", () => {
    const manual = anAccount({ pool: "ssoBasic", tier_source: "manual" });
    expect(after(manual, sized({ auto: 50 }))).toMatchObject({ tier: "basic", pool: "ssoBasic" });
    const grouped = anAccount({ pool: "friends" });
    expect(after(grouped, sized({ auto: 50 }))).toMatchObject({ tier: "super", pool: "friends" });
  });
});

describe("the document", () => {
  test("keeps fields that nobody here knows, also through transitions", () => {
    const account = anAccount({ invented_later: { a: 1 }, windows: { fast: aWindow(2), grok_9: aWindow(1) } });
    const next = after(account, { type: "served", mode: "fast", units: 1 });
    expect(next).toHaveProperty("invented_later", { a: 1 });
    expect(next.windows).toHaveProperty("grok_9");
  });

  test("a broken field costs its default, not the account", () => {
    const account = parseAccount({
      token: "sim-ok",
      status: "sleepy",
      tags: "none",
      quota: "many",
      windows: { fast: 3 },
    });
    expect(account).toMatchObject({ status: "active", tags: [], quota: -1, windows: {} });
    expect(parseAccount({ note: "no token" })).toBeNull();
  });

  test("the id says nothing of the token and never changes", () => {
    expect(accountId("sim-ok")).toMatch(/^acc_[0-9a-f]{16}$/);
    expect(accountId("sim-ok")).toBe(accountId("sim-ok"));
    expect(accountId("sim-ok")).not.toBe(accountId("sim-ok2"));
  });
});
