// The administrator's verbs: what they change, what they refuse, and what they never lose.
import { describe, expect, test } from "bun:test";
import { GatewayError, type ErrorCode } from "../../src/core/errors.ts";
import { accountId } from "../../src/accounts/account.ts";
import { createAudit } from "../../src/access/audit.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { createRefresher } from "../../src/accounts/refresh.ts";
import { createAccountRefresh } from "../../src/admin/account-refresh.ts";
import { createAccountAdmin } from "../../src/admin/accounts.ts";
import { createTasks } from "../../src/admin/tasks.ts";
import { silentLog, type Log } from "../../src/lib/log.ts";
import { aWindow, HOUR, item, manualClock, model, newPool, none, settings, START } from "./accounts-fixtures.ts";

const LONG = "eyJhbGciOiJIUzI1NiJ9.eyJzZXNzaW9uIjoiaW52ZW50ZWQifQ.c2lnbmF0dXJl-aW52ZW50ZWQ";

const open = (log: Log = silentLog) => {
  const clock = manualClock();
  const documents = createMemoryDocuments();
  const pool = newPool({ clock, documents });
  const ask = async ({ credential }: { credential: { token: string } }) => {
    if (credential.token === "sim-dead") throw new GatewayError("account_auth", "The session is refused.");
    return { windows: { fast: { remaining: 20, total: 30, windowSeconds: 86_400, resetAt: null } }, tier: null };
  };
  const refresher = createRefresher({ pool, ask, log, settings: () => settings });
  const tasks = createTasks({ clock, log });
  const refresh = createAccountRefresh({ pool, refresher, tasks, concurrent: () => 3 });
  const audit = createAudit({ documents, clock });
  const accounts = createAccountAdmin({ pool, audit, clock, log, keyModels: () => [] });
  const admin = { ...accounts, ...accounts.by({ id: "admin", address: "127.0.0.1" }) };
  return { clock, pool, tasks, refresh, audit, admin };
};

const refusal = async (run: () => unknown): Promise<{ code: ErrorCode; param: string | null }> => {
  try {
    await run();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return { code: thrown.code, param: thrown.param };
    throw thrown;
  }
  throw new Error("nothing was refused");
};

describe("adding", () => {
  test("takes ids' worth of what people paste and tells what became of each", async () => {
    const { admin } = open();
    const first = await admin.add({
      tokens: ["sim-a", "sso=sim-b", "no token"],
      pool: "super",
      tags: [" x ", "x"],
      note: "n",
    });
    expect(first).toMatchObject({ added: 2, updated: 0, removed: 0, problems: [{ line: 3, kind: "unreadable" }] });
    expect(admin.get("sim-b")).toMatchObject({ pool: "ssoSuper", tier: "super", tags: ["x"], note: "n" });
    expect(await admin.add({ tokens: ["sim-a"] })).toMatchObject({ added: 0, unchanged: 1 });
  });

  test("refuses nothing at all and what is too long", async () => {
    const { admin } = open();
    expect(await refusal(() => admin.add({ tokens: [] }))).toEqual({ code: "invalid_value", param: "tokens" });
    expect(await refusal(() => admin.add({ tokens: ["sim-a"], note: "n".repeat(501) }))).toMatchObject({
      param: "note",
    });
    expect(await refusal(() => admin.add({ tokens: ["sim-a"], tags: ["t".repeat(51)] }))).toMatchObject({
      param: "tags",
    });
    expect(await refusal(() => admin.importText(" \n"))).toEqual({ code: "invalid_value", param: "text" });
  });

  test("imports only add, whatever is missing in them", async () => {
    const { admin } = open();
    await admin.importText("sim-a\nsim-b\nsim-c");
    await admin.setTags(["sim-a"], ["nsfw"]);
    expect(await admin.importText('{"ssoBasic":[{"token":"sim-a"}]}')).toMatchObject({
      added: 0,
      unchanged: 1,
      removed: 0,
    });
    expect(admin.list().total).toBe(3);
    expect(admin.get("sim-a").tags).toEqual(["nsfw"]);
  });
});

describe("replacing pools", () => {
  const filled = async () => {
    const { admin, pool, clock, refresh } = open();
    await admin.importText(Array.from({ length: 12 }, (_, index) => `sim-${index}`).join("\n"));
    await admin.setTags(["sim-0"], ["nsfw"]);
    await admin.setNote("sim-0", "mine");
    return { admin, pool, clock, refresh };
  };

  test("an answer sent back as it came changes nothing", async () => {
    const { admin, pool, refresh } = await filled();
    pool.acquire({ model: model("grok-4"), exclude: none })?.report({ kind: "served" });
    await refresh.now(["sim-3"]);
    await admin.disable(["sim-4"]);
    const before = pool.all();
    const echo: unknown = JSON.parse(JSON.stringify(admin.byPool()));
    const outcome = await admin.replacePools(echo);
    expect(outcome).toMatchObject({ added: 0, removed: 0, problems: [], snapshot: null, untouched_pools: [] });
    for (const account of before) {
      expect(pool.get(account.id)).toEqual({ ...account, token: account.token });
    }
  });

  test("keeps tags, note, counts and times of rows that name only a token", async () => {
    const { admin, pool } = await filled();
    const before = pool.get(accountId("sim-0"));
    await admin.replacePools({ ssoBasic: Array.from({ length: 12 }, (_, index) => `sim-${index}`) });
    expect(pool.get(accountId("sim-0"))).toEqual(before as NonNullable<typeof before>);
  });

  test("removes what a named pool omits, but not most of the pool by accident", async () => {
    const { admin } = await filled();
    const some = (count: number) => ({ ssoBasic: Array.from({ length: count }, (_, index) => `sim-${index}`) });
    for (const value of [some(2), some(5), { ssoBasic: [] }, { basic: [] }]) {
      expect(await refusal(() => admin.replacePools(value))).toEqual({ code: "invalid_value", param: "confirm" });
    }
    expect(admin.list().total).toBe(12);
    expect(await admin.replacePools(some(6))).toMatchObject({ removed: 6 });
    expect(await admin.replacePools(some(1), { confirm: true })).toMatchObject({ removed: 5 });
    expect(admin.list().total).toBe(1);
    expect(await admin.replacePools({ ssoBasic: [] })).toMatchObject({ removed: 1 });
  });

  test("leaves pools alone that the list does not name", async () => {
    const { admin } = await filled();
    for (const value of [{}, [], ["sim-1"], { ssoSuper: [] }, { ssoSuper: ["sim-s"] }]) {
      expect(await admin.replacePools(value)).toMatchObject({ removed: 0, untouched_pools: ["ssoBasic"] });
    }
    expect(admin.list().total).toBe(13);
  });

  test("one call takes it back, tags and notes included", async () => {
    const { admin, pool } = await filled();
    const before = pool.all().toSorted((a, b) => a.id.localeCompare(b.id));
    const outcome = await admin.replacePools({ ssoBasic: [{ token: "sim-1", note: "other" }] }, { confirm: true });
    expect(outcome).toMatchObject({ removed: 11, updated: 1 });
    expect((await admin.snapshots())[0]).toMatchObject({ id: outcome.snapshot, accounts: 12, reason: "replace" });
    expect(await admin.restore(outcome.snapshot ?? "")).toMatchObject({ added: 11, updated: 1 });
    expect(pool.all().toSorted((a, b) => a.id.localeCompare(b.id))).toEqual(before);
  });

  test("is refused when accounts came or went since the list was read", async () => {
    const { admin } = await filled();
    const revision = admin.revision();
    await admin.importText("sim-from-somebody-else");
    const list = { ssoBasic: Array.from({ length: 12 }, (_, index) => `sim-${index}`) };
    expect(await refusal(() => admin.replacePools(list, { revision }))).toMatchObject({ code: "conflict" });
    expect(admin.list().total).toBe(13);
    expect(await admin.replacePools(list, { revision: admin.revision() })).toMatchObject({ removed: 1 });
  });

  test("saves nothing when a row cannot be read", async () => {
    const { admin } = await filled();
    const value = { ssoBasic: ["sim-new", { note: "no token" }] };
    expect(await refusal(() => admin.replacePools(value, { confirm: true }))).toEqual({
      code: "invalid_value",
      param: "ssoBasic[1]",
    });
    expect(admin.list().total).toBe(12);
  });

  test("moves accounts between pools", async () => {
    const { admin } = await filled();
    await admin.replacePools({
      ssoSuper: ["sim-0"],
      ssoBasic: Array.from({ length: 11 }, (_, index) => `sim-${index + 1}`),
    });
    expect(admin.get("sim-0")).toMatchObject({ pool: "ssoSuper", tier: "super", tier_source: "manual", note: "mine" });
  });
});

describe("removing", () => {
  test("goes by id or token, tells what was not there, and masks it", async () => {
    const { admin } = open();
    await admin.importText(`sim-a\nsim-b\n${LONG}`);
    const outcome = await admin.remove(["sim-a", accountId("sim-b"), LONG.slice(1)]);
    expect(outcome.changed.toSorted()).toEqual([accountId("sim-a"), accountId("sim-b")].toSorted());
    expect(outcome.missing).toHaveLength(1);
    expect(outcome.missing[0]).not.toContain(LONG.slice(5, 15));
    expect(await refusal(() => admin.remove([]))).toEqual({ code: "invalid_value", param: "tokens" });
  });

  test("most of the pool wants a confirmation, and can be taken back", async () => {
    const { admin } = open();
    const names = Array.from({ length: 20 }, (_, index) => `sim-${index}`);
    await admin.importText(names.join("\n"));
    expect(await refusal(() => admin.remove(names))).toMatchObject({ param: "confirm" });
    expect((await admin.remove(names, { confirm: true })).changed).toHaveLength(20);
    const [snapshot] = await admin.snapshots();
    expect(await admin.restore(snapshot?.id ?? "")).toMatchObject({ added: 20 });
    expect(await refusal(() => admin.restore("snap_x"))).toEqual({ code: "not_found", param: "snapshot" });
  });
});

describe("editing", () => {
  test("another token and pool for the same account", async () => {
    const { admin } = open();
    await admin.importText('[{"token":"sim-a","note":"n","use_count":4},"sim-b"]');
    const edited = await admin.edit("sim-a", { token: "sso=sim-new", pool: "heavy" });
    expect(edited).toMatchObject({ token: "sim-new", pool: "ssoHeavy", tier: "heavy", note: "n", use_count: 4 });
    expect(await refusal(() => admin.edit("sim-a", { pool: "basic" }))).toEqual({
      code: "not_found",
      param: "old_token",
    });
    expect(await refusal(() => admin.edit("sim-new", { token: "sim-b" }))).toEqual({
      code: "conflict",
      param: "token",
    });
    expect(await refusal(() => admin.edit("sim-new", { token: "a b" }))).toEqual({
      code: "invalid_value",
      param: "token",
    });
    expect(await refusal(() => admin.edit("sim-new", { pool: " " }))).toEqual({ code: "invalid_value", param: "pool" });
  });

  test("tags, note, pool, switching and clearing", async () => {
    const { admin, pool, clock } = open();
    await admin.importText("sim-a\nsim-b");
    expect((await admin.setTags(["sim-a", "sim-b"], ["z", "a", "z"])).changed).toHaveLength(2);
    expect(admin.allTags()).toEqual(["a", "z"]);
    expect((await admin.setNote("sim-a", " hello ")).note).toBe("hello");
    await admin.setPool(["sim-a"], "friends");
    expect(admin.get("sim-a")).toMatchObject({ pool: "friends", tier: "basic" });
    await admin.disable(["sim-a"]);
    expect(admin.get("sim-a")).toMatchObject({ status: "disabled", state: "invalid" });
    await admin.enable(["sim-a"]);
    const limited = new GatewayError("upstream_rate_limited", "Slow.");
    pool.signal(accountId("sim-a"), { type: "failed", error: limited, mode: "fast" });
    await clock.advance(1500);
    expect(admin.get("sim-a")).toMatchObject({
      status: "cooling",
      cooldown_remaining: HOUR / 1000 - 1,
      state: "exhausted",
    });
    await admin.clearCooldown(["sim-a"]);
    expect(admin.get("sim-a")).toMatchObject({ status: "active", cooldown_until: null, cooldown_remaining: 0 });
    expect(await refusal(() => admin.setNote("sim-zzz", "x"))).toEqual({ code: "not_found", param: "token" });
    expect(await admin.enable(["sim-zzz"])).toMatchObject({ changed: [], missing: ["****"] });
  });
});

describe("refreshing", () => {
  test("tells of every account what became of it", async () => {
    const { admin, refresh } = open();
    await admin.importText("sim-a\nsim-dead");
    const { summary, results } = await refresh.now(["sim-a", "sim-dead", "sim-zzz"]);
    expect(summary).toEqual({ total: 3, ok: 1, fail: 1, skipped: 1 });
    expect(results.map(({ token, outcome }) => [token, outcome])).toEqual([
      ["sim-a", "done"],
      ["sim-dead", "failed"],
      ["****", "skipped"],
    ]);
    expect(admin.get("sim-a")).toMatchObject({
      quota: 20,
      quota_known: true,
      quota_source: "measured",
      last_sync_at: START,
    });
    expect(admin.get("sim-dead")).toMatchObject({ fail_count: 1, last_fail_code: "account_auth" });
    expect(await refusal(() => refresh.now([]))).toEqual({ code: "invalid_value", param: "tokens" });
  });

  test("of all is one task that a second call joins, and its progress is told", async () => {
    const { admin, refresh, tasks } = open();
    expect(await refusal(() => refresh.startAll())).toMatchObject({ code: "invalid_value" });
    await admin.importText("sim-a\nsim-dead\nsim-b");
    expect(refresh.progress()).toEqual({ running: false, total: 0, current: 0, success: 0, failed: 0 });
    const first = refresh.startAll();
    expect(refresh.startAll()).toMatchObject({ joined: true, task: { task_id: first.task.task_id } });
    expect(refresh.progress()).toMatchObject({ running: true, total: 3 });
    const events = await Array.fromAsync(tasks.attach(first.task.task_id) ?? []);
    const last = events.at(-1);
    expect(last).toMatchObject({ type: "done", ok: 2, fail: 1, result: { summary: { total: 3, ok: 2, fail: 1 } } });
    expect(JSON.stringify(events)).not.toContain("sim-");
    expect(refresh.progress()).toEqual({ running: false, total: 3, current: 3, success: 2, failed: 1 });
    expect(refresh.startAll().joined).toBe(false);
  });
});

describe("what is shown", () => {
  test("unknown is -1 and not known, counted down is estimated, time alone measures nothing", async () => {
    const { admin, clock, pool } = open();
    await pool.upsert([
      item("sim-a"),
      item("sim-b", { pool: "ssoSuper", fields: { windows: { fast: aWindow(100), auto: aWindow(0, { total: 50 }) } } }),
      item("sim-c", { fields: { quota: 7, heavy_quota: 3 } }),
    ]);
    expect(admin.get("sim-a")).toMatchObject({
      ...{ quota: -1, quota_known: false, quota_source: "unknown", heavy_quota: -1, heavy_quota_known: false },
      ...{ token_type: "sso", windows: {} },
    });
    expect(admin.get("sim-b")).toMatchObject({ quota: 100, quota_source: "measured", token_type: "ssoSuper" });
    expect(admin.get("sim-c")).toMatchObject({
      quota: 7,
      quota_source: "estimated",
      heavy_quota: 3,
      heavy_quota_known: true,
    });
    await clock.advance(2 * HOUR);
    expect(admin.get("sim-b")).toMatchObject({
      ...{ quota: 50, quota_source: "estimated" },
      windows: { fast: { remaining: -1, source: "estimated" }, auto: { remaining: 50, source: "estimated" } },
    });
  });

  test("totals for the cards, and the running calls", async () => {
    const { admin, pool } = open();
    await pool.upsert([
      item("sim-a", { fields: { quota: 30, use_count: 2 } }),
      item("sim-b"),
      item("sim-c", { status: "expired" }),
    ]);
    pool.acquire({ model: model("grok-4"), exclude: none, only: accountId("sim-a") });
    expect(admin.totals()).toEqual({
      ...{ total: 3, active: 2, cooling: 0, invalid: 1, quota: 30, quota_unknown: 1, use_count: 2, consumed: 0 },
      api_keys: { total: 0, active: 0, no_credits: 0, invalid: 0, teams: 0 },
    });
    expect(admin.get("sim-a").in_flight).toBe(1);
  });

  test("totals tell keys of the official API apart: no calls left, no unknown quota", async () => {
    const { admin, pool } = open();
    const resting = { cooldown_reason: "no_credits", cooldown_until: START + HOUR, team_id: "team-2" };
    await pool.upsert([
      item("sim-a"),
      item("xai-sim-ok-team-1", { fields: { team_id: "team-1" } }),
      item("xai-sim-ok-team-2", { fields: { team_id: "team-1" }, status: "disabled" }),
      item("xai-sim-spent-team-1", { status: "cooling", fields: resting }),
    ]);
    expect(admin.totals()).toMatchObject({ total: 4, quota: 0, quota_unknown: 1 });
    expect(admin.totals().api_keys).toEqual({ total: 3, active: 1, no_credits: 1, invalid: 1, teams: 2 });
  });

  test("export of what is filtered or named", async () => {
    const { admin } = open();
    await admin.importText('{"ssoBasic":["sim-a","sim-b"],"ssoSuper":["sim-c"]}');
    expect(admin.exportText()).toBe("sim-a\nsim-b\nsim-c\n");
    expect(admin.exportText({ pool: "ssoSuper" })).toBe("sim-c\n");
    expect(Object.keys(admin.exportJson(["sim-c", "sim-a"]))).toEqual(["ssoSuper", "ssoBasic"]);
  });

  test("secrets that came with an import are not shown, and no token is logged", async () => {
    const lines: string[] = [];
    const note = (message: string, fields?: object) => lines.push(message + JSON.stringify(fields ?? {}));
    const log: Log = {
      ...silentLog,
      info: note,
      warn: note,
      error: note,
      at: (_level, message, fields) => note(message, fields),
    };
    const { admin, refresh } = open(log);
    await admin.importText(JSON.stringify([{ token: LONG, cloudflare_cookies: "cf_clearance=secret-1" }, "sim-dead"]));
    await refresh.now([LONG, "sim-dead"]);
    expect(JSON.stringify(admin.list())).not.toContain(LONG);
    await admin.remove([LONG]);
    expect(JSON.stringify(admin.list())).not.toContain("secret-1");
    expect(lines.length).toBeGreaterThan(2);
    expect(lines.join("\n")).not.toMatch(/eyJ|secret-1|sim-dead/);
  });
});

describe("keys from the settings", () => {
  const KEY = "xai-sim-ok-settings-1";
  const withKeys = async () => {
    const opened = open();
    await opened.pool.upsert([item(KEY, { fields: { from_config: true } }), item("xai-sim-ok-own-1"), item("sim-a")]);
    return opened;
  };
  const tokensOf = ({ pool }: ReturnType<typeof open>) =>
    pool
      .all()
      .map(({ token }) => token)
      .toSorted();

  test("are not removed alone, and stay where others go", async () => {
    const opened = await withKeys();
    const { admin } = opened;
    expect(await refusal(() => admin.remove([KEY]))).toEqual({ code: "invalid_value", param: "tokens" });
    expect(tokensOf(opened)).toHaveLength(3);
    const outcome = await admin.remove([KEY, "xai-sim-ok-own-1"]);
    expect(outcome).toEqual({ changed: [accountId("xai-sim-ok-own-1")], missing: [], kept: [accountId(KEY)] });
    expect(tokensOf(opened)).toEqual(["sim-a", KEY]);
  });

  test("stay when their pool is replaced by a list without them", async () => {
    const opened = await withKeys();
    const { removed } = await opened.admin.replacePools({ xai: ["xai-sim-ok-new-1"] }, { confirm: true });
    expect(removed).toBe(1);
    expect(tokensOf(opened)).toEqual(["sim-a", "xai-sim-ok-new-1", KEY]);
  });

  test("keep their text, but are noted, tagged and switched off like any other", async () => {
    const opened = await withKeys();
    const { admin } = opened;
    expect(await refusal(() => admin.edit(KEY, { token: "xai-sim-ok-other-1" }))).toEqual({
      ...{ code: "invalid_value", param: "token" },
    });
    await admin.setNote(KEY, "of the office");
    await admin.disable([KEY]);
    expect(admin.get(KEY)).toMatchObject({ note: "of the office", status: "disabled", from_config: true });
  });

  test("and no key takes a session's place, nor the other way round", async () => {
    const { admin } = await withKeys();
    for (const [old, token] of [
      ["sim-a", "xai-sim-ok-other-1"],
      ["xai-sim-ok-own-1", "sim-b"],
    ] as const) {
      expect(await refusal(() => admin.edit(old, { token }))).toEqual({ code: "invalid_value", param: "token" });
    }
  });
});
