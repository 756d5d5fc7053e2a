import { beforeEach, describe, expect, test } from "bun:test";
import { createAudit } from "../../src/access/audit.ts";
import { createPool, type Pool } from "../../src/accounts/pool.ts";
import { createRefresher } from "../../src/accounts/refresh.ts";
import { tokenSettingsOf } from "../../src/accounts/settings.ts";
import { createAccountRefresh } from "../../src/admin/account-refresh.ts";
import { createTasks } from "../../src/admin/tasks.ts";
import { createAccountAdmin } from "../../src/admin/accounts.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { silentLog as log } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { createHarness, createManualClock, type Harness, json, parseConfig } from "./harness.ts";

const TOKENS = "/api/v1/admin/tokens";
const token = (name: string): string => `session-of-${name}`.padEnd(48, "x");
let pool: Pool;
let harness: Harness;

beforeEach(async () => {
  const clock = createManualClock();
  const settings = () => tokenSettingsOf(parseConfig({}));
  const documents = createMemoryDocuments();
  pool = createPool({ documents, clock, log, settings });
  const refresher = createRefresher({
    pool,
    log,
    settings,
    ask: async ({ credential }) => {
      if (credential.token === token("bad")) throw new GatewayError("account_auth", "refused");
      return { windows: {}, tier: null };
    },
  });
  const audit = createAudit({ documents, clock });
  const tasks = createTasks({ clock, log });
  harness = createHarness({
    ...{ clock, audit, tasks },
    accounts: createAccountAdmin({ pool, audit, clock, log, keyModels: () => [] }),
    accountRefresh: createAccountRefresh({ pool, refresher, tasks, concurrent: () => 5 }),
  });
  await pool.upsert([]);
});

const send = async (path: string, body: unknown, method = "POST") => {
  const response = await harness.admin(path, { ...json(body), method });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const get = async (path: string) => (await (await harness.admin(path)).json()) as Record<string, unknown>;
const names = () =>
  pool
    .all()
    .map((account) => account.token)
    .toSorted();

describe("accounts", () => {
  test.each([
    ["a list", { tokens: [token("a"), token("b")] }],
    ["a list with pool and tags", { tokens: [token("a"), token("b")], pool: "ssoSuper", tags: ["mine"], note: "n" }],
    ["pool auto of older pages", { tokens: [token("a"), token("b")], pool: "auto" }],
  ])("are added from %s", async (_name, body) => {
    const { status, body: answer } = await send(`${TOKENS}/add`, body);
    expect(status).toBe(200);
    expect(answer).toMatchObject({ status: "success", added: 2, count: 2, skipped: 0 });
    expect(names()).toEqual([token("a"), token("b")]);
    const again = await send("/admin/api/tokens/add", { token: token("a") });
    expect(again.body).toMatchObject({ added: 0, skipped: 1 });
  });

  test("are listed by pool, flat, and page by page", async () => {
    await send(`${TOKENS}/add`, { tokens: [token("a"), token("b")] });
    await send(`${TOKENS}/add`, { tokens: [token("c")], pool: "ssoSuper" });
    for (const path of [TOKENS, "/v1/admin/tokens"]) {
      const pools = (await get(path)) as Record<string, { token: string; token_type: string; quota: number }[]>;
      expect(pools["ssoBasic"]).toHaveLength(2);
      expect(pools["ssoSuper"]).toMatchObject([{ token: token("c"), token_type: "ssoSuper", status: "active" }]);
    }
    expect((await get("/admin/api/tokens"))["tokens"]).toHaveLength(3);
    expect(await get(`${TOKENS}/list?pool=ssoBasic&page=2&page_size=1`)).toMatchObject({ total: 2, page: 2, pages: 2 });
    expect(await get(`${TOKENS}/list?search=of-c`)).toMatchObject({ total: 1 });
    expect(await get(`${TOKENS}/list?status=sleepy`)).toMatchObject({
      error: { code: "invalid_value", param: "status" },
    });
    expect(await get(`${TOKENS}/list?page=0`)).toMatchObject({ error: { param: "page" } });
  });

  test("are imported from a file as it is, or from JSON around it", async () => {
    const raw = await harness.admin(`${TOKENS}/import`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: `${token("a")}\nsso=${token("b")}; Path=/\n`,
    });
    expect(await raw.json()).toMatchObject({ added: 2 });
    expect((await send(`${TOKENS}/import`, { ssoBasic: [token("c")] })).body).toMatchObject({ added: 1 });
    expect((await send(`${TOKENS}/import`, { text: token("d"), pool: "ssoSuper" })).body).toMatchObject({ added: 1 });
    expect(pool.all().find((account) => account.token === token("d"))?.pool).toBe("ssoSuper");
    expect((await send(`${TOKENS}/import`, {})).status).toBe(400);
  });

  test("are replaced as a whole, with what was stored kept, and only on purpose", async () => {
    await send(`${TOKENS}/add`, { tokens: [token("a"), token("b")], tags: ["kept"], note: "kept" });
    const { body } = await send(TOKENS, { ssoBasic: [{ token: token("a"), quota: 7 }, token("c")] });
    expect(body).toMatchObject({ status: "success", added: 1, removed: 1 });
    expect(names()).toEqual([token("a"), token("c")]);
    expect(pool.all().find((account) => account.token === token("a"))).toMatchObject({ tags: ["kept"], note: "kept" });
    await send(`${TOKENS}/add`, { tokens: Array.from({ length: 10 }, (_, index) => token(`many-${index}`)) });
    const refused = await send(TOKENS, { ssoBasic: [token("a")] });
    expect(refused).toMatchObject({ status: 400, body: { error: { code: "invalid_value", param: "confirm" } } });
    expect(pool.size).toBe(12);
    expect((await send(TOKENS, { ssoBasic: [token("a")], confirm: true })).body).toMatchObject({ removed: 11 });
    expect((await send(TOKENS, { ssoBasic: "nonsense" })).status).toBe(400);
    expect(names()).toEqual([token("a")]);
  });

  test.each([
    ["a list", [token("a"), token("none")]],
    ["an object", { tokens: [token("a"), token("none")] }],
  ])("are removed by %s", async (_name, body) => {
    await send(`${TOKENS}/add`, { tokens: [token("a"), token("b")] });
    const { body: answer } = await send(TOKENS, body, "DELETE");
    expect(answer).toMatchObject({ status: "success", deleted: 1 });
    expect(JSON.stringify(answer)).not.toContain(token("none"));
    expect(names()).toEqual([token("b")]);
  });

  test("are refreshed with one verdict each", async () => {
    await send(`${TOKENS}/add`, { tokens: [token("a"), token("bad")] });
    const { body } = await send(`${TOKENS}/refresh`, { tokens: [token("a"), token("bad")] });
    expect(body).toMatchObject({
      status: "success",
      summary: { total: 2, ok: 1, fail: 1 },
      results: { [token("a")]: true, [token("bad")]: false },
    });
    expect(body["details"]).toMatchObject([{ outcome: "done" }, { outcome: "failed", code: "account_auth" }]);
  });

  test.each([
    ["POST", `${TOKENS}/refresh`, {}, "tokens"],
    ["POST", `${TOKENS}/add`, { tokens: [1] }, "tokens"],
    ["POST", `${TOKENS}/add`, { tokens: [token("a")], tags: "x" }, "tags"],
    ["DELETE", TOKENS, { tokens: "x" }, "tokens"],
    ["DELETE", TOKENS, [], "tokens"],
  ] as const)("%s %s refuses %j by name", async (method, path, ...[body, param]) => {
    const { status, body: answer } = await send(path, body, method);
    expect(status).toBe(400);
    expect(answer).toMatchObject({ error: { code: "invalid_value", param } });
    expect(pool.size).toBe(0);
  });
});
