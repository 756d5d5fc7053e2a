// Every row of the admin API about accounts, settings and storage through every path under which it is known: its shape,
// and that neither nobody nor an API key gets in.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { API_KEY, BASE, startAdmin, type AdminProgram, type Answer } from "./admin-tokens-program.ts";

const CANONICAL = [BASE, "/v1/admin", "/admin/api"];
const WITH_OLDEST = [...CANONICAL, "/api"];

let program: AdminProgram;
beforeAll(async () => {
  program = await startAdmin({ pools: { ssoBasic: ["sim-ok-1", "sim-ok-2"], ssoSuper: ["sim-super-ok-1"] } });
});
afterAll(() => program.stop());

interface Row {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly bases: readonly string[];
  readonly body?: unknown;
  readonly shape: object;
  /** Who may call it without a credential. */
  readonly isPublic?: boolean;
}

const ok = { status: "success" };
const both = { status: "success", success: true };
const ONE = { token: "sim-ok-1" };
const MANY = { tokens: ["sim-ok-1", "sim-super-ok-1"] };
const task = { ...ok, task_id: expect.stringMatching(/^[0-9a-f]{32}$/) };
const summary = (total: number, done = total) => ({ total, ok: done, fail: total - done });
const anyRow = { token: expect.any(String), status: expect.any(String), tags: expect.any(Array) };

const ROWS: readonly Row[] = [
  { method: "GET", path: "/verify", bases: CANONICAL, shape: ok },
  { method: "GET", path: "/config", bases: CANONICAL, shape: { token: { strategy: "quota" }, nsfw: { retries: 3 } } },
  { method: "POST", path: "/config", bases: CANONICAL, body: { app: { thinking: true } }, shape: ok },
  { method: "PUT", path: "/config", bases: CANONICAL, body: { grok: { show_thinking: true } }, shape: ok },
  { method: "GET", path: "/storage", bases: CANONICAL, shape: { type: "local" } },
  { method: "GET", path: "/storage/mode", bases: ["/api"], shape: { success: true, data: { mode: "FILE" } } },
  {
    ...{ method: "GET", path: "/settings", bases: ["/api"] },
    shape: { success: true, data: { global: { image_mode: "url" }, grok: { show_thinking: true, temporary: true } } },
  },
  {
    ...{ method: "POST", path: "/settings", bases: ["/api"], body: { grok_config: { show_thinking: true } } },
    shape: { success: true, message: expect.any(String) },
  },
  {
    ...{ method: "GET", path: "/tokens", bases: CANONICAL.slice(0, 2) },
    shape: {
      ssoBasic: [
        {
          ...{ token: "sim-ok-1", status: "active", quota: expect.any(Number), quota_known: expect.any(Boolean) },
          ...{ heavy_quota: -1, heavy_quota_known: false, token_type: "sso", note: "", fail_count: 0, use_count: 0 },
          ...{ tags: [], created_at: expect.any(Number), last_asset_clear_at: null, consumed: 0 },
        },
        anyRow,
      ],
      ssoSuper: [{ token: "sim-super-ok-1", token_type: "ssoSuper" }],
    },
  },
  {
    ...{ method: "GET", path: "/tokens", bases: ["/admin/api"] },
    shape: {
      tokens: [
        { token: "sim-ok-1", pool: "basic", status: "active", quota: {}, use_count: 0, last_used_at: null, tags: [] },
        { pool: "basic" },
        { token: "sim-super-ok-1", pool: "super" },
      ],
    },
  },
  {
    ...{ method: "GET", path: "/tokens", bases: ["/api"] },
    shape: {
      ...{ success: true, total: 3 },
      data: [
        {
          ...{ token: "sim-ok-1", token_type: "sso", remaining_queries: -1, heavy_remaining_queries: -1 },
          ...{ status: "未使用", tags: [], note: "", cooldown_until: null, cooldown_remaining: 0, limit_reason: "" },
          ...{ created_time: expect.any(Number), last_failure_time: null, last_failure_reason: null },
        },
        {},
        { token_type: "ssoSuper" },
      ],
    },
  },
  {
    ...{ method: "GET", path: "/tokens/list?pool=ssoBasic&page_size=1&sort=created&order=asc", bases: CANONICAL },
    shape: { total: 2, page: 1, pages: 2, page_size: 1, counts: { pools: { ssoBasic: 2 } }, totals: { total: 3 } },
  },
  {
    ...{ method: "POST", path: "/tokens", bases: WITH_OLDEST, body: { ssoBasic: ["sim-ok-1", "sim-ok-2"] } },
    shape: { ...both, count: 2, removed: 0, untouched_pools: ["ssoSuper"] },
  },
  {
    ...{ method: "POST", path: "/tokens/add", bases: CANONICAL, body: { tokens: ["sim-ok-1"], pool: "auto" } },
    shape: { ...ok, count: 0, skipped: 1, synced: 0 },
  },
  {
    ...{ method: "POST", path: "/tokens/add", bases: ["/api"], body: { tokens: ["sim-ok-1"], token_type: "sso" } },
    shape: { success: true, count: 0, message: expect.any(String) },
  },
  { method: "POST", path: "/tokens/import", bases: CANONICAL, body: { text: "sim-ok-2" }, shape: { ...ok, added: 0 } },
  { method: "DELETE", path: "/tokens", bases: CANONICAL, body: ["sim-none"], shape: { ...ok, deleted: 0 } },
  {
    ...{ method: "POST", path: "/tokens/delete", bases: ["/api"], body: { tokens: ["sim-none"], token_type: "sso" } },
    shape: { success: true, count: 0 },
  },
  {
    ...{ method: "PUT", path: "/tokens/edit", bases: CANONICAL, body: { old_token: "sim-ok-1", pool: "basic" } },
    shape: { ...ok, item: { pool: "ssoBasic", token_masked: "****" } },
  },
  {
    ...{ method: "PUT", path: "/tokens/pool", bases: CANONICAL, body: { pool: "basic", tokens: ["sim-ok-1"] } },
    shape: { ...ok, pool: "basic", count: 1 },
  },
  { method: "POST", path: "/tokens/disabled", bases: CANONICAL, body: { ...ONE, disabled: false }, shape: ok },
  {
    ...{ method: "POST", path: "/tokens/disabled/batch", bases: CANONICAL, body: { ...MANY, disabled: false } },
    shape: { ...ok, summary: summary(2) },
  },
  {
    ...{ method: "POST", path: "/tokens/tags", bases: WITH_OLDEST, body: { ...ONE, token_type: "sso", tags: [] } },
    shape: { ...both, tags: [], message: expect.any(String) },
  },
  {
    ...{ method: "POST", path: "/tokens/note", bases: WITH_OLDEST, body: { ...ONE, token_type: "sso", note: "" } },
    shape: { ...both, note: "" },
  },
  { method: "GET", path: "/tokens/tags/all", bases: WITH_OLDEST, shape: { ...both, data: [] } },
  {
    ...{ method: "POST", path: "/tokens/clear-cooldown", bases: CANONICAL, body: MANY },
    shape: { ...ok, summary: summary(2) },
  },
  { method: "GET", path: "/tokens/export?format=json", bases: CANONICAL, shape: { ssoBasic: [anyRow, anyRow] } },
  {
    ...{ method: "POST", path: "/tokens/export", bases: CANONICAL, body: { ...ONE, format: "json" } },
    shape: { ssoBasic: [{ token: "sim-ok-1" }] },
  },
  { method: "GET", path: "/tokens/snapshots", bases: CANONICAL, shape: { ...ok, snapshots: expect.any(Array) } },
  { method: "GET", path: "/status", bases: CANONICAL, shape: { ...ok, size: 3, selection_strategy: "quota" } },
  {
    method: "POST",
    path: "/sync",
    bases: CANONICAL,
    body: {},
    shape: { changed: false, revision: expect.any(Number) },
  },
  {
    method: "GET",
    path: "/stats",
    bases: ["/api"],
    shape: { success: true, data: { total: 3, normal: { total: 2 } } },
  },
  {
    ...{ method: "POST", path: "/tokens/refresh", bases: WITH_OLDEST, body: MANY },
    shape: { ...both, summary: { ok: 2 }, results: { "sim-ok-1": true, "sim-super-ok-1": true } },
  },
  { method: "POST", path: "/tokens/refresh/async", bases: WITH_OLDEST, body: ONE, shape: { ...task, total: 1 } },
  { method: "POST", path: "/batch/refresh", bases: CANONICAL, body: ONE, shape: { ...ok, summary: { ok: 1 } } },
  { method: "POST", path: "/batch/refresh?async=true", bases: CANONICAL, body: ONE, shape: { ...task, total: 1 } },
  { method: "POST", path: "/tokens/refresh-all", bases: CANONICAL, body: {}, shape: { ...task, total: 3 } },
  {
    ...{ method: "POST", path: "/tokens/refresh-all", bases: ["/api"], body: {} },
    shape: { success: expect.any(Boolean), message: expect.any(String), data: { running: true, total: 3 } },
  },
  {
    ...{ method: "GET", path: "/tokens/refresh-progress", bases: WITH_OLDEST },
    shape: { ...both, data: { total: 3, running: expect.any(Boolean), current: expect.any(Number), failed: 0 } },
  },
  {
    ...{ method: "POST", path: "/tokens/test", bases: WITH_OLDEST, body: { ...ONE, token_type: "sso" } },
    shape: { ...both, data: { valid: true, remaining_queries: expect.any(Number), limit: 50 } },
  },
  {
    ...{ method: "POST", path: "/tokens/test", bases: CANONICAL, body: { ...ONE, capability: "chat" } },
    shape: { ...both, data: { ok: true, capability: "chat", error: null, latency_ms: expect.any(Number) } },
  },
  {
    ...{ method: "POST", path: "/tokens/settings", bases: CANONICAL, body: { ...ONE, accept_terms: true } },
    shape: { ...ok, summary: summary(1), results: expect.any(Object) },
  },
  {
    ...{ method: "POST", path: "/tokens/settings/async", bases: CANONICAL, body: { ...ONE, accept_terms: true } },
    shape: { ...task, total: 1 },
  },
  {
    ...{ method: "POST", path: "/tokens/nsfw/enable", bases: CANONICAL, body: ONE },
    shape: { ...ok, summary: summary(1, 0), warning: expect.stringContaining("birth_date") },
  },
  { method: "POST", path: "/tokens/nsfw/enable/async", bases: CANONICAL, body: ONE, shape: { ...task, total: 1 } },
  {
    ...{ method: "POST", path: "/tokens/nsfw/refresh", bases: CANONICAL, body: ONE },
    shape: {
      ...{ ...ok, summary: { total: 1, success: 0, failed: 1, invalidated: 0 } },
      failed: [{ ok: false, step: "nsfw", attempts: 1, error: expect.any(String), invalidated: false }],
    },
  },
  {
    ...{ method: "POST", path: "/batch/nsfw?enabled=false", bases: CANONICAL, body: ONE },
    shape: { ...ok, summary: summary(1, 0) },
  },
  { method: "POST", path: "/batch/nsfw?async=true", bases: CANONICAL, body: ONE, shape: { ...task, total: 1 } },
  {
    ...{ method: "POST", path: "/login", bases: CANONICAL, body: { password: "a long enough password" } },
    ...{ shape: { ...both, token: expect.any(String), api_key: expect.any(String) }, isPublic: true },
  },
  {
    ...{
      method: "POST",
      path: "/login",
      bases: ["/api"],
      body: { username: "admin", password: "a long enough password" },
    },
    ...{ shape: { success: true, token: expect.any(String), message: expect.any(String) }, isPublic: true },
  },
  { method: "POST", path: "/logout", bases: WITH_OLDEST, body: {}, shape: { success: true } },
];

/** Every element counts: a list of another length is another shape. */
const fits = (answer: Answer, shape: object) => expect(answer.body).toMatchObject(shape);

describe.each(ROWS.flatMap((row) => row.bases.map((base) => [row.method, `${base}${row.path}`, row] as const)))(
  "%s %s",
  (method, path, row) => {
    test("answers in its shape", async () => {
      const answer = await program.admin(method, path, row.body);
      expect({ status: answer.status, text: answer.text.slice(0, 300) }).toMatchObject({ status: 200 });
      fits(answer, row.shape);
    });
  },
);

/** A refused credential is answered slowly, so that all are tried at once. */
test("no path lets in nobody or an API key", async () => {
  const paths = ROWS.filter(({ isPublic }) => !isPublic).flatMap(({ method, path, bases }) =>
    bases.map((base) => [method, `${base}${path}`] as const),
  );
  const tried = await Promise.all(
    paths.map(async ([method, path]) => ({
      path: `${method} ${path}`,
      nobody: await program.as(null, method, path),
      key: await program.as(API_KEY, method, path),
    })),
  );
  expect(tried).toEqual(tried.map(({ path }) => ({ path, nobody: 401, key: 401 })));
  expect(tried.length).toBeGreaterThan(120);
});

test("a restore of nothing is told, and every snapshot can be named", async () => {
  for (const base of CANONICAL) {
    const answer = await program.admin("POST", `${base}/tokens/restore`, { snapshot: "snap_0_0" });
    expect(answer).toMatchObject({ status: 404, body: { error: { param: "snapshot" } } });
  }
});

test("one account by id holds its session, the list does not", async () => {
  const { body } = await program.admin("GET", `${BASE}/tokens/list`);
  expect(body.items).toHaveLength(3);
  expect(JSON.stringify(body)).not.toContain("sim-");
  const { body: one } = await program.admin("GET", `${BASE}/tokens/item/${body.items[0].id}`);
  expect(one.item).toMatchObject({ id: body.items[0].id, token: expect.stringContaining("sim-") });
});

test.each([
  ["/api/tokens/add", { tokens: ["sim-x-1"], token_type: "other" }, 400, "INVALID_TYPE"],
  ["/api/login", { password: "wrong" }, 401, "LOGIN_ERROR"],
])("%s refuses %j where old and new clients look", async (path, ...[body, status, code]) => {
  const answer = await program.admin("POST", path, body);
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({
    ...{ success: false, message: expect.any(String), detail: { error: expect.any(String), code } },
    error: { message: expect.any(String), type: expect.any(String) },
  });
});
