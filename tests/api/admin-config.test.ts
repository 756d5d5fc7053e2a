import { beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAudit } from "../../src/access/audit.ts";
import { createApiKeys } from "../../src/access/api-keys.ts";
import { createSettingsAdmin } from "../../src/admin/settings.ts";
import { createLiveConfig, type LiveConfig } from "../../src/config/live.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { APP_KEY, createHarness, type Harness, json } from "./harness.ts";

const CONFIG = "/api/v1/admin/config";
let live: LiveConfig;
let harness: Harness;

beforeEach(async () => {
  const documents = createMemoryDocuments();
  const audit = createAudit({ documents, clock: systemClock });
  live = await createLiveConfig({
    documents,
    path: join(mkdtempSync(join(tmpdir(), "config-test-")), "config.toml"),
    environment: { GROK2API_APP_APP_KEY: APP_KEY, SERVER_PORT: "4321" },
    log: silentLog,
  });
  harness = createHarness({
    config: live.current,
    apiKeys: createApiKeys(() => live.current().app.api_key),
    audit,
    settings: createSettingsAdmin({ live, audit, storageType: "local", passwordWeakness: () => "weak" }),
  });
  harness.config = live.current();
});

const read = async (path: string) =>
  (await (await harness.admin(path)).json()) as Record<string, Record<string, unknown>>;

describe("settings", () => {
  test.each([CONFIG, "/v1/admin/config", "/admin/api/config"])("are read at %s with secrets masked", async (path) => {
    const tree = await read(path);
    expect(tree["server"]).toMatchObject({ port: 4321 });
    expect(tree["app"]?.["app_key"]).not.toBe(APP_KEY);
    expect(JSON.stringify(tree)).not.toContain(APP_KEY);
  });

  test.each(["POST", "PUT"])("are changed by %s at once, and a masked secret changes nothing", async (method) => {
    const tree = await read(CONFIG);
    const patch = { ...tree, app: { ...tree["app"], thinking: false } };
    const response = await harness.admin(CONFIG, { ...json(patch), method });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ status: "success", changed: ["app.thinking"], restart: [] });
    expect(live.current().app.thinking).toBe(false);
    expect(live.current().app.app_key).toBe(APP_KEY);
  });

  test("of an older program are taken under their new names", async () => {
    const response = await harness.admin(CONFIG, json({ grok: { thinking: false } }));
    expect(response.status).toBe(200);
    expect(((await response.json()) as { notes: string[] }).notes.join()).toContain("app.thinking");
    expect(live.current().app.thinking).toBe(false);
  });

  test.each([
    [{ server: { max_streams: "many" } }, 400, "invalid_value", "server.max_streams"],
    [{ server: { port: 1 } }, 400, "invalid_value", "server.port"],
  ] as const)("refuse %j whole", async (patch, ...[status, code, param]) => {
    const response = await harness.admin(CONFIG, json({ ...patch, app: { thinking: false } }));
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code, param } });
    expect(live.current().app.thinking).toBe(true);
  });

  test("notice another editor", async () => {
    const { revision } = (await (await harness.admin(`${CONFIG}/form`)).json()) as { revision: number };
    const change = (thinking: boolean) => harness.admin(`${CONFIG}?revision=${revision}`, json({ app: { thinking } }));
    expect((await change(false)).status).toBe(200);
    const late = await change(true);
    expect(late.status).toBe(409);
    expect(late.headers.get("x-should-retry")).toBe("false");
    expect(await late.json()).toMatchObject({ error: { code: "conflict" } });
    expect((await harness.admin(`${CONFIG}?revision=x`, json({}))).status).toBe(400);
  });

  test("have a form with help, origin and a warning", async () => {
    const form = (await (await harness.admin(`${CONFIG}/form`)).json()) as {
      warning: string;
      sections: { fields: { path: string; origin: string; locked: boolean; help: { en: string } }[] }[];
    };
    expect(form.warning).toBe("weak");
    const port = form.sections.flatMap(({ fields }) => fields).find(({ path }) => path === "server.port");
    expect(port).toMatchObject({ origin: "environment", locked: true });
    expect(port?.help.en).not.toBe("");
  });

  test("act on the next request: a toggle, a key", async () => {
    await harness.admin(CONFIG, json({ downstream: { enable_models: false } }));
    expect((await harness.request("/v1/models")).status).toBe(404);
    await harness.admin(CONFIG, json({ downstream: { enable_models: true }, app: { api_key: ["a-new-caller-key"] } }));
    expect((await harness.request("/v1/models")).status).toBe(401);
    const headers = { authorization: "Bearer a-new-caller-key" };
    expect((await harness.request("/v1/models", { headers })).status).toBe(200);
  });

  test("say what kind of store there is", async () => {
    expect(await (await harness.admin("/admin/api/storage")).json()).toEqual({ type: "local" });
  });
});
