import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createAudit, type Audit } from "../../src/access/audit.ts";
import type { Pool } from "../../src/accounts/pool.ts";
import { createAssetAdmin } from "../../src/admin/assets.ts";
import { createTasks, type TaskEvent } from "../../src/admin/tasks.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { silentLog } from "../../src/lib/log.ts";
import type { RemoteAsset, RemoteAssets } from "../../src/providers/port.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { item, manualClock, newPool, START } from "../unit/accounts-fixtures.ts";
import { createHarness, json, type Harness } from "./harness.ts";

const BASE = "/api/v1/admin";
const [ONE, TWO, BROKEN] = ["sim-ok-assets-account-number-1", "sim-ok-assets-account-number-2", "sim-broken-assets-1"];

const clock = manualClock();
let site: Map<string, RemoteAsset[]>;
let pool: Pool;
let audit: Audit;
let harness: Harness;

const file = (id: string): RemoteAsset => ({
  id,
  name: `${id}.png`,
  mime: "image/png",
  bytes: 7,
  createdAt: "2026-08-23T19:56:19.599Z",
  key: `users/u/${id}/content`,
});

const assets: RemoteAssets = {
  async list({ credential }) {
    if (credential.token === BROKEN) throw new GatewayError("account_auth", "The session is over.");
    return site.get(credential.token) ?? [];
  },
  async remove(id, { credential }) {
    if (id === "stuck") throw new GatewayError("upstream_error", "It stays.");
    const before = site.get(credential.token) ?? [];
    site.set(
      credential.token,
      before.filter((one) => one.id !== id),
    );
    return before.some((one) => one.id === id);
  },
};

beforeEach(async () => {
  site = new Map([
    [ONE, [file("a"), file("b"), file("c")]],
    [TWO, []],
  ]);
  const documents = createMemoryDocuments();
  audit = createAudit({ documents, clock });
  pool = newPool({ documents, clock });
  await pool.upsert([item(ONE), item(TWO, { pool: "ssoSuper" }), item(BROKEN)]);
  const tasks = createTasks({ clock, log: silentLog });
  const settings = () => ({ list_concurrent: 2, delete_concurrent: 2 });
  harness = createHarness({
    audit,
    tasks,
    mediaAdmin: {
      use: async () => ({ image: { count: 1, bytes: 1048576 }, video: { count: 0, bytes: 0 }, limitBytes: null }),
    } as never,
    assetAdmin: createAssetAdmin({ pool, assets, tasks, audit, settings, log: silentLog }),
  });
});
afterEach(() => pool.close());

interface Overview {
  online: Record<string, unknown>;
  online_accounts: Record<string, unknown>[];
  online_scope: string;
  online_details: Record<string, unknown>[];
  warning?: string;
}
const get = async (path: string) => (await harness.admin(`${BASE}${path}`)).json() as Promise<Overview>;
const post = (path: string, body: unknown) => harness.admin(`${BASE}${path}`, json(body));
const rowsOf = async () => (await audit.list({ page: 1, pageSize: 10 })).items;
const clearedAt = (token: string) => pool.all().find((one) => one.token === token)?.last_asset_clear_at;

const ended = async (response: Response): Promise<Extract<TaskEvent, { type: "done" }>> => {
  const { task_id, status, total } = (await response.json()) as { task_id: string; status: string; total: number };
  expect([status, typeof total]).toEqual(["success", "number"]);
  for await (const event of harness.deps.tasks.attach(task_id) ?? []) if (event.type === "done") return event;
  throw new Error("the task did not end well");
};

describe("the overview", () => {
  test("asks nobody by itself", async () => {
    const found = await get("/cache");
    expect(found).toMatchObject({
      local_image: { count: 1, size_mb: 1, limited: false },
      online: { count: 0, status: "not_loaded", token: null, last_asset_clear_at: null },
      online_scope: "none",
      online_details: [],
    });
    expect(found.online_accounts.length).toBe(3);
    expect(found.online_accounts[0]).toEqual({
      token: ONE,
      token_masked: "sim-ok-a...account-number-1",
      pool: "ssoBasic",
      status: "active",
      last_asset_clear_at: null,
    });
  });

  test("of one account", async () => {
    expect(await get(`/cache?token=${ONE}`)).toMatchObject({
      online: { count: 3, status: "ok", token: ONE, token_masked: "sim-ok-a...account-number-1" },
      online_scope: "single",
      online_details: [{ token: ONE, count: 3, status: "ok" }],
    });
  });

  test("of some and of all counts those that answered and says what was wrong with the others", async () => {
    expect(await get(`/cache?tokens=${ONE},${BROKEN}`)).toMatchObject({
      online: { count: 3, status: "ok" },
      online_scope: "selected",
      online_details: [{ status: "ok" }, { count: 0, status: "error: The session is over." }],
    });
    expect((await get("/cache?scope=all")).online_details.length).toBe(3);
    expect((await get(`/cache?token=${BROKEN}`)).online.status).toBe("error: The session is over.");
    expect(pool.all().find(({ token }) => token === BROKEN)?.fail_count).toBe(3);
  });

  test("without an account says so; an unknown one is a 404", async () => {
    expect((await harness.admin(`${BASE}/cache?token=sim-ok-unknown-1`)).status).toBe(404);
    await pool.remove(pool.all().map(({ id }) => id));
    expect((await get("/cache")).online.status).toBe("no_token");
  });

  test("as a task is the same in its end", async () => {
    const event = await ended(await post("/cache/online/load/async", { scope: "all" }));
    expect(event).toMatchObject({ total: 3, ok: 2, fail: 1 });
    expect(event.result).toMatchObject({ local_image: { count: 1 }, online: { count: 3 }, online_scope: "all" });
    const some = await ended(await post("/cache/online/load/async", { tokens: [TWO] }));
    expect(some.result).toMatchObject({ online_scope: "selected", online_details: [{ token: TWO, count: 0 }] });
    expect((await post("/cache/online/load/async", {})).status).toBe(400);
  });
});

describe("clearing", () => {
  test("of one account removes its files, dates it and leaves a row in the same write", async () => {
    const response = await post("/cache/online/clear", { token: ONE });
    expect(await response.json()).toEqual({ status: "success", result: { total: 3, success: 3, failed: 0 } });
    expect(site.get(ONE)).toEqual([]);
    expect(clearedAt(ONE)).toBe(START);
    const [row] = await rowsOf();
    expect(row).toMatchObject({ action: "assets.clear", actor: "admin", after: { total: 3, success: 3, failed: 0 } });
    expect(JSON.stringify(row)).not.toContain(ONE);
  });

  test("without a name takes the first usable account of the basic pool, and says when there is none", async () => {
    expect(await (await post("/cache/online/clear", {})).json()).toMatchObject({ result: { total: 3 } });
    await pool.disable(pool.all().map(({ id }) => id));
    const response = await post("/cache/online/clear", {});
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("No available token to perform cleanup");
  });

  test("of an empty account is skipped, of a partly stuck one counts what stays", async () => {
    expect(await (await post("/cache/online/clear", { token: TWO })).json()).toEqual({
      status: "success",
      result: { total: 0, success: 0, failed: 0, skipped: true },
    });
    site.set(TWO, [file("x"), file("stuck")]);
    expect(await (await post("/cache/online/clear", { token: TWO })).json()).toMatchObject({
      result: { total: 2, success: 1, failed: 1 },
    });
    site.set(TWO, [file("stuck")]);
    expect((await post("/cache/online/clear", { token: TWO })).status).toBe(502);
  });

  test("of several goes on when one fails", async () => {
    const response = await post("/cache/online/clear", { tokens: [BROKEN, ONE] });
    expect(await response.json()).toEqual({
      status: "success",
      results: {
        [BROKEN]: { status: "error", error: "The session is over." },
        [ONE]: { status: "success", result: { total: 3, success: 3, failed: 0 } },
      },
    });
    expect(clearedAt(BROKEN)).toBeNull();
  });

  test("as a task tells each account masked and the results by token", async () => {
    const event = await ended(await post("/cache/online/clear/async", { tokens: [ONE, TWO, BROKEN] }));
    expect(event).toMatchObject({ total: 3, ok: 2, fail: 1 });
    expect(event.result).toMatchObject({
      status: "success",
      summary: { total: 3, ok: 2, fail: 1 },
      results: { [ONE]: { status: "success" }, [BROKEN]: { status: "error" } },
    });
    expect((await post("/cache/online/clear/async", {})).status).toBe(400);
  });

  test("as a batch: empty means all, at once or as a task", async () => {
    const at = (query: string) => harness.admin(`/admin/api/batch/cache-clear${query}`, json({ tokens: [] }));
    const response = await at("?concurrency=1");
    expect(await response.json()).toMatchObject({
      summary: { total: 3, ok: 2, fail: 1 },
      results: { "sim-ok-a...number-1": { status: "success" } },
    });
    expect((await ended(await at("?async=true"))).total).toBe(3);
  });
});

describe("single files", () => {
  test("are listed by account", async () => {
    const found = (await (await harness.admin("/admin/api/assets")).json()) as { tokens: object[] };
    expect(found).toMatchObject({ total_assets: 3 });
    expect(found.tokens[0]).toMatchObject({ token: ONE, masked: "sim-ok-a...number-1", count: 3, error: null });
    expect((found.tokens[0] as { assets: object[] }).assets[0]).toEqual({
      id: "a",
      name: "a.png",
      file_path: "users/u/a/content",
      content_type: "image/png",
      size: 7,
      created_at: "2026-08-23T19:56:19.599Z",
    });
    expect(found.tokens[2]).toMatchObject({ count: 0, error: "The session is over." });
  });

  test("are removed one by one or all of an account", async () => {
    expect(await (await post("/assets/delete-item", { token: ONE, asset_id: "b" })).json()).toEqual({
      status: "success",
      deleted: true,
    });
    expect(await (await post("/assets/delete-item", { token: ONE, asset_id: "b" })).json()).toMatchObject({
      deleted: false,
    });
    expect((await rowsOf()).map(({ action }) => action)).toEqual(["assets.delete"]);
    expect(await (await post("/assets/clear-token", { token: ONE })).json()).toEqual({ status: "success", deleted: 2 });
    expect((await post("/assets/clear-token", {})).status).toBe(400);
    expect((await post("/assets/delete-item", { token: "sim-ok-unknown-1", asset_id: "b" })).status).toBe(404);
  });
});
