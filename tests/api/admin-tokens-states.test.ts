// What calls do to accounts and what an administrator can do about it, from outside: states, tests by capability, refreshes
// of all, copies and two editors at once. The upstream is the simulated one.
import { afterEach, describe, expect, test } from "bun:test";
import { accountId } from "../../src/accounts/account.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { BASE, startAdmin, type AdminProgram } from "./admin-tokens-program.ts";
import type { ProgramStart } from "../support/program.ts";

let program: AdminProgram;
afterEach(() => program.stop());
const open = async (start: ProgramStart) => {
  program = await startAdmin(start);
  return program;
};
const basic = (...tokens: string[]): ProgramStart => ({ pools: { ssoBasic: tokens } });

describe("the state of an account", () => {
  test("a refused session counts, and expires at the threshold; a person's word brings it back", async () => {
    await open({ ...basic("sim-dead-1"), env: { GROK2API_TOKEN_FAIL_THRESHOLD: "2" } });
    expect((await program.chat()).status).toBe(503);
    expect(program.account("sim-dead-1")).toMatchObject({ status: "active", fail_count: 1 });
    await program.chat();
    expect(program.account("sim-dead-1")).toMatchObject({ status: "expired", last_fail_code: "account_auth" });
    const asked = program.asked();
    expect((await program.chat()).status).toBe(503);
    expect(program.asked()).toBe(asked);
    const tried = await program.admin("POST", "/api/tokens/test", { token: "sim-dead-1" });
    expect(tried.body).toMatchObject({
      success: false,
      data: { valid: false, error_type: "expired", error_code: 401 },
    });
    await program.admin("POST", `${BASE}/tokens/disabled`, { token: "sim-dead-1", disabled: false });
    expect(program.account("sim-dead-1")).toMatchObject({ status: "active", fail_count: 0, last_fail_reason: null });
  });

  test("a 429 rests it, and clearing the rest makes it serve again", async () => {
    await open(basic("sim-limited-1"));
    const limited = await program.chat();
    expect(limited.status).toBe(429);
    expect(Number(limited.headers.get("retry-after"))).toBeGreaterThan(3000);
    expect(program.account("sim-limited-1")).toMatchObject({ status: "cooling", cooldown_reason: "rate_limited" });
    const { body: list } = await program.admin("GET", `${BASE}/tokens/list?status=cooling`);
    expect(list).toMatchObject({ total: 1, items: [{ cooldown_remaining: expect.any(Number) }] });
    const { body: old } = await program.admin("GET", "/api/tokens");
    expect(old.data[0]).toMatchObject({ status: "冷却中", limit_reason: "cooldown" });
    const again = await program.chat();
    expect({ status: again.status, asked: program.asked() }).toEqual({ status: 429, asked: 1 });
    for (const account of program.simulator.accounts()) account.kind = "ok";
    const cleared = await program.admin("POST", `${BASE}/tokens/clear-cooldown`, { all: true });
    expect(cleared.body).toMatchObject({ summary: { total: 1, ok: 1 } });
    expect((await program.chat()).status).toBe(200);
    const { body: rows } = await program.admin("GET", `${BASE}/audit?action=accounts.clear_cooldown`);
    expect(rows.items).toMatchObject([{ target: accountId("sim-limited-1") }]);
  });

  test("a used-up quota is found out by the request itself when nobody else is left, and told with its time", async () => {
    await open({ ...basic("sim-ok-1"), env: { GROK2API_TOKEN_ON_DEMAND_REFRESH_MIN_INTERVAL_SEC: "1" } });
    const id = accountId("sim-ok-1");
    const error = new GatewayError("account_quota", "The account's usage limit is reached.");
    program.composed.pool.signal(id, { type: "failed", error, mode: "fast" });
    expect((await program.chat()).status).toBe(429);
    await Bun.sleep(1100);
    // The site says that there is plenty left, so the same request is served.
    expect((await program.chat()).status).toBe(200);
  });

  test("a 403 that nobody knows cools at most one account a request, and its words reach the caller", async () => {
    await open(basic("sim-forbidden-1", "sim-forbidden-2", "sim-forbidden-3"));
    const answer = await program.chat();
    expect(answer.status).toBe(502);
    expect(answer.body.error).toMatchObject({ code: "account_refused" });
    expect(answer.body.error.message).toContain("Request denied by policy.");
    expect(program.asked()).toBe(1);
    const { body } = await program.admin("GET", `${BASE}/tokens/list`);
    expect(body.counts.status).toMatchObject({ active: 3, cooling: 0, expired: 0 });
    expect(body.items.filter(({ last_fail_code }: { last_fail_code: string }) => last_fail_code)).toHaveLength(1);
  });
});

describe("a test by capability", () => {
  const tryOut = (token: string, capability: string, more: object = {}) =>
    program.admin("POST", `${BASE}/tokens/test`, { token, capability, ...more });

  test.each(["chat", "stream", "upload", "image"])("%s is green on a healthy account", async (capability) => {
    await open({ pools: { ssoSuper: ["sim-super-ok-1", "sim-super-ok-2"] } });
    const { body } = await tryOut("sim-super-ok-2", capability);
    expect(body).toMatchObject({ success: true, data: { ok: true, error: null, status: "active" } });
    expect(body.data.first_byte_ms).toBeLessThanOrEqual(body.data.latency_ms);
    if (capability === "image") expect(body.data.images).toBeGreaterThan(0);
    else expect(body.data.text).toBeString();
    const asked = new Set(program.simulator.requests().map(({ account }) => account));
    expect([...asked]).toEqual(["sim-super-ok-2"]);
    const uploads = program.simulator.requests().filter(({ path }) => path.includes("upload"));
    expect(uploads.length > 0).toBe(capability === "upload");
  });

  test("is red where only real calls fail, with the upstream's words and the last real failure", async () => {
    await open(basic("sim-limited-1", "sim-ok-1"));
    const quota = await program.admin("POST", `${BASE}/tokens/test`, { token: "sim-limited-1" });
    expect(quota.body).toMatchObject({ success: true, data: { valid: true } });
    const first = await tryOut("sim-limited-1", "chat");
    expect(first.body).toMatchObject({
      success: false,
      data: {
        ...{ ok: false, last_failure: null, status_before: "active", status: "cooling" },
        error: { code: "upstream_rate_limited", upstream_status: 429, upstream_text: "Too many requests" },
      },
    });
    const second = await tryOut("sim-limited-1", "chat");
    expect(second.body.data).toMatchObject({ last_failure: { code: "upstream_rate_limited" }, status: "cooling" });
    expect(program.account("sim-ok-1")).toMatchObject({ status: "active", use_count: 0, last_fail_at: null });
    const legacyRest = await program.admin("POST", "/api/tokens/test", { token: "sim-limited-1", token_type: "sso" });
    expect(legacyRest.body.data).toMatchObject({ valid: true });
  });

  test("tries an expired account too, and a green answer brings it back", async () => {
    await open(basic("sim-ok-1"));
    const error = new GatewayError("account_blocked", "Blocked.");
    program.composed.pool.signal(accountId("sim-ok-1"), { type: "failed", error, mode: "fast" });
    expect((await program.chat()).status).toBe(503);
    const { body } = await tryOut("sim-ok-1", "stream");
    expect(body.data).toMatchObject({ ok: true, status_before: "expired", status: "active" });
    expect((await program.chat()).status).toBe(200);
  });

  test("refuses what cannot be tried, by name", async () => {
    await open(basic("sim-ok-1"));
    expect((await tryOut("sim-none", "chat")).status).toBe(404);
    for (const [capability, model, param] of [
      ["telepathy", undefined, "capability"],
      ["chat", "grok-imagine-image", "model"],
      ["image", "grok-4-fast", "model"],
      ["chat", "grok-chat-heavy", "model"],
    ] as const) {
      const answer = await tryOut("sim-ok-1", capability, model === undefined ? {} : { model });
      expect(answer).toMatchObject({ status: 400, body: { error: { param } } });
    }
    expect(program.asked()).toBe(0);
  });
});

describe("a refresh of all", () => {
  test("tells its progress, joins a second start, and stops between two accounts", async () => {
    const tokens = Array.from({ length: 40 }, (_, index) => `sim-ok-${index}`);
    await open({ ...basic(...tokens, "sim-dead-1"), env: { GROK2API_USAGE_CONCURRENT: "2" } });
    const { body: started } = await program.admin("POST", `${BASE}/tokens/refresh-all`, {});
    expect(started).toMatchObject({ total: 41, joined: false });
    const { body: joined } = await program.admin("POST", "/v1/admin/tokens/refresh-all", {});
    expect(joined).toMatchObject({ task_id: started.task_id, joined: true });
    const { body: old } = await program.admin("POST", "/api/tokens/refresh-all", {});
    expect(old).toMatchObject({ success: false, message: "刷新任务正在进行中", data: { running: true, total: 41 } });
    const events = program.follow(started.task_id);
    expect((await program.admin("POST", `${BASE}/batch/${started.task_id}/cancel`, {})).status).toBe(200);
    const all = await events;
    expect(all[0]).toMatchObject({ type: "snapshot", total: 41 });
    expect(all.at(-1)).toMatchObject({ type: "cancelled" });
    expect(all.at(-1).processed).toBeLessThan(41);
    const { body: stopped } = await program.admin("GET", "/api/tokens/refresh-progress");
    expect(stopped.data).toMatchObject({ running: false, total: 41 });

    const { body: again } = await program.admin("POST", `${BASE}/tokens/refresh-all`, {});
    const whole = await program.follow(again.task_id);
    expect(whole.at(-1)).toMatchObject({ type: "done", ok: 40, fail: 1, result: { summary: { ok: 40, fail: 1 } } });
    const failed = whole.filter(({ type, error }) => type === "progress" && error !== undefined);
    expect(failed).toMatchObject([{ detail: { code: "account_auth" } }]);
    expect(JSON.stringify(whole)).not.toContain("sim-");
    expect(program.account("sim-ok-7")).toMatchObject({ windows: { fast: { total: 30, source: "measured" } } });
  });
});

describe("the background", () => {
  test("asks new accounts what they are, soon after they came", async () => {
    await open({ ...basic("sim-ok-1"), env: { GROK2API_TOKEN_AUTO_REFRESH: "true" } });
    await program.admin("POST", `${BASE}/tokens/add`, { tokens: ["sim-heavy-ok-1", "sim-super-ok-1"] });
    const end = performance.now() + 5000;
    while (program.account("sim-heavy-ok-1").last_sync_at === null && performance.now() < end) await Bun.sleep(20);
    expect(program.account("sim-heavy-ok-1")).toMatchObject({ tier: "heavy", pool: "ssoHeavy" });
  });

  test("an account added to the pool auto is asked before the answer", async () => {
    await open(basic());
    const { body } = await program.admin("POST", "/admin/api/tokens/add", { tokens: ["sim-super-ok-1"], pool: "auto" });
    expect(body).toMatchObject({ count: 1, skipped: 0, synced: 1 });
    const { body: list } = await program.admin("GET", "/admin/api/tokens");
    expect(list.tokens).toMatchObject([{ pool: "super", quota: { auto: { remaining: 50, total: 50 } } }]);
  });
});

describe("lists", () => {
  test("a replaced pool keeps what it names, wants a confirmation, and comes back by one call", async () => {
    const tokens = Array.from({ length: 10 }, (_, index) => `sim-ok-${index}`);
    await open({ pools: { ssoBasic: tokens, ssoSuper: ["sim-super-ok-1"] } });
    await program.admin("POST", `${BASE}/tokens/tags`, { token: "sim-ok-1", tags: ["kept"] });
    const most = await program.admin("POST", `${BASE}/tokens`, { ssoBasic: ["sim-ok-1"] });
    expect(most).toMatchObject({ status: 400, body: { error: { param: "confirm" } } });
    const gone = await program.admin("POST", "/admin/api/tokens", { basic: ["sim-ok-1", "sim-ok-new"], confirm: true });
    expect(gone.body).toMatchObject({ added: 1, removed: 9, untouched_pools: ["ssoSuper"] });
    expect(program.composed.pool.size).toBe(3);
    const back = await program.admin("POST", `${BASE}/tokens/restore`);
    expect(back.body).toMatchObject({ added: 9 });
    expect(program.composed.pool.size).toBe(12);
    expect(program.account("sim-ok-1").tags).toEqual(["kept"]);
  });

  test("two administrators at once: the second is told instead of overwriting", async () => {
    await open(basic("sim-ok-1", "sim-ok-2"));
    const [one, other] = await Promise.all([1, 2].map(() => program.admin("GET", `${BASE}/tokens`)));
    expect(one?.headers.get("etag")).toBe(other?.headers.get("etag") ?? "");
    await program.admin("POST", `${BASE}/tokens/add`, { tokens: ["sim-ok-3"] });
    const stale = { "if-match": other?.headers.get("etag") ?? "" };
    const late = await program.admin("POST", `${BASE}/tokens`, { ssoBasic: ["sim-ok-1", "sim-ok-2"] }, stale);
    expect(late).toMatchObject({ status: 409, body: { error: { code: "conflict" } } });
    expect(program.composed.pool.size).toBe(3);

    const { headers } = await program.admin("GET", `${BASE}/config`);
    const seen = { "if-match": headers.get("etag") ?? "" };
    const settings = (thinking: boolean) => ({ app: { thinking } });
    expect((await program.admin("POST", `${BASE}/config`, settings(false), seen)).status).toBe(200);
    expect((await program.admin("POST", `${BASE}/config`, settings(true), seen)).status).toBe(409);
    expect(program.composed.config.app.thinking).toBe(false);
  });

  test("an export holds what is filtered or named, and can be imported again", async () => {
    await open({
      pools: { ssoBasic: [{ token: "sim-ok-1", note: "mine", tags: ["x"] }], ssoSuper: ["sim-super-ok-1"] },
    });
    const text = await program.admin("GET", `${BASE}/tokens/export?pool=ssoSuper`);
    expect(text.text).toBe("sim-super-ok-1\n");
    expect(text.headers.get("content-disposition")).toMatch(/filename="tokens_export_\d{4}-\d\d-\d\d\.txt"/);
    expect(text.headers.get("cache-control")).toBe("no-store");
    const all = await program.admin("GET", `${BASE}/tokens/export?format=json`);
    await program.admin("DELETE", `${BASE}/tokens`, { tokens: ["sim-ok-1"] });
    expect((await program.admin("POST", `${BASE}/tokens/import`, all.body)).body).toMatchObject({
      added: 1,
      unchanged: 1,
    });
    expect(program.account("sim-ok-1")).toMatchObject({ note: "mine", tags: ["x"] });
    expect((await program.admin("GET", `${BASE}/tokens/export?format=xml`)).status).toBe(400);
  });

  test("settings under their oldest names go round, and masked secrets stay", async () => {
    await open({ ...basic("sim-ok-1"), env: { GROK2API_APP_APP_KEY: "a long enough password" } });
    const { body } = await program.admin("GET", "/api/settings");
    const global_config = { ...body.data.global, image_mode: "base64", image_cache_max_size_mb: 700 };
    const grok_config = { ...body.data.grok, filtered_tags: "one,two", cf_clearance: "edge-cookie-value-0001" };
    const saved = await program.admin("POST", "/api/settings", { global_config, grok_config });
    expect(saved).toMatchObject({ status: 200, body: { success: true } });
    const { app, cache, proxy } = program.composed.config;
    expect(app).toMatchObject({ image_format: "base64", filter_tags: ["one", "two"] });
    expect(cache.limit_mb).toBe(700 + body.data.global.video_cache_max_size_mb);
    expect(proxy.cf_clearance).toContain("edge-cookie-value-0001");
    const { body: shown } = await program.admin("GET", "/api/settings");
    expect(JSON.stringify(shown)).not.toContain("edge-cookie-value-0001");
    const again = await program.admin("POST", "/api/settings", {
      global_config: shown.data.global,
      grok_config: shown.data.grok,
    });
    expect(again.body).toMatchObject({ changed: [] });
    expect(program.composed.config.proxy.cf_clearance).toContain("edge-cookie-value-0001");
  });
});

test("5,000 accounts", async () => {
  const tokens = Array.from({ length: 5000 }, (_, index) => ({
    ...{ token: `sim-ok-${index}`, note: `account ${index}`, tags: index % 3 === 0 ? ["nsfw"] : [], quota: index % 80 },
  }));
  await open({ pools: { ssoBasic: tokens } });
  const timed = async (path: string, body?: unknown) => {
    await program.admin(body === undefined ? "GET" : "POST", path, body);
    const begun = performance.now();
    const answer = await program.admin(body === undefined ? "GET" : "POST", path, body);
    const ms = performance.now() - begun;
    console.log(`${path}: ${ms.toFixed(1)} ms, ${(answer.text.length / 1024).toFixed(0)} kB`);
    expect(answer.status).toBe(200);
    return ms;
  };
  for (const query of ["", "?search=account%204", "?tag=nsfw&status=active&sort=quota&page=20", "?page_size=200"]) {
    expect(await timed(`${BASE}/tokens/list${query}`)).toBeLessThan(100);
  }
  await timed(`${BASE}/tokens`);
  await timed("/admin/api/tokens");
  await timed(`${BASE}/tokens`, { ssoBasic: tokens });
});
