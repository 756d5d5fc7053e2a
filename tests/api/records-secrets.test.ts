// Every secret there is goes through every route that generates, while the upstream, or the proxy on the way to it, repeats what
// it was sent in its complaints. Then the log, the log files, the journal's own tables, every report, the metrics and every
// answer are searched for what was planted, and for the words of the caller.
import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/keys.ts";
import { pngBytes } from "../support/pictures.ts";
import { startHttpProxy } from "../support/proxies.ts";
import { mergeSettings, type Settings, startTrial, type Trial } from "../support/trial.ts";

const SESSION = ["eyJhbGciOiJIUzI1NiJ9", btoa('{"session_id":"planted-in-records"}'), "plantedsignature00000000000000"]
  .join(".")
  .replaceAll("=", "");
const PLANTED = {
  session: SESSION,
  clearance: "plantedclearance.aaaabbbbccccdddd-1760000000-1.2.1.1-eeeeffff",
  proxyPassword: "plantedproxypassword0123456789",
  globalKey: "sk-plantedglobalkeyaaaabbbbcccc0001",
  clientKey: "sk-plantedclientkeyaaaabbbbcccc0002",
  unknownKey: "sk-plantedunknownkeyaaaabbbbcccc003",
  officialKey: "xai-plantedofficialkeyaaaabbbbccccddddeeee0004",
  appKey: "planted admin password of some length",
  metricsToken: "planted-metrics-token-aaaabbbbcccc",
  prompt: "planted words of a caller 4711 in a prompt",
};
const APP = { authorization: `Bearer ${PLANTED.appKey}`, "content-type": "application/json" };

/** Masks may show some characters at each end. */
const middle = (secret: string): string => secret.slice(9, -9);
const found = (text: string, but: readonly string[] = []): string[] =>
  Object.entries(PLANTED)
    .filter(([name, secret]) => {
      const part = middle(secret);
      return !but.includes(name) && (text.includes(part) || text.includes(encodeURIComponent(part)));
    })
    .map(([name]) => name);

const base: Settings = {
  app: { api_key: [PLANTED.globalKey], app_key: PLANTED.appKey },
  metrics: { token: PLANTED.metricsToken },
  log: { file_enabled: true },
  proxy: { cf_clearance: PLANTED.clearance },
  chat: { stream_timeout: 2, timeout: 2, commit_grace_seconds: 0.1 },
  // Whatever happens to an account, the next request finds it again.
  token: { cooldown_seconds: 0, exhausted_cooldown_seconds: 0, error_skip_requests: 0, fail_threshold: 100 },
};

const PICTURE = `data:image/png;base64,${pngBytes().toBase64()}`;
const said = (content: unknown) => [{ role: "user", content }];
const words = (more: string) => `${PLANTED.prompt} ${more}`;
const both = (path: string, body: object): [string, object][] =>
  [false, true].map((stream) => [path, { ...body, stream }]);

const bodies = (more: string): [string, object][] => [
  ...both("/v1/chat/completions", { model: "grok-4", messages: said(words(more)) }),
  ...both("/v1/chat/completions", { model: "grok-imagine-1.0", messages: said(words(more)) }),
  ...both("/v1/chat/completions", { model: "grok-imagine-1.0-video", messages: said(words(more)) }),
  ...both("/v1/responses", { model: "grok-4", input: words(more) }),
  ...both("/v1/messages", { model: "grok-4", max_tokens: 400, messages: said(words(more)) }),
  ...both("/v1/images/generations", { prompt: words(more) }),
  ...both("/v1/images/edits", { prompt: words(more), image: PICTURE }),
  ["/v1/videos", { prompt: words(more) }],
  // Written into the wrong place.
  ["/v1/chat/completions", { model: PLANTED.clientKey, messages: said("hi") }],
  ["/v1/responses", { model: SESSION, input: "hi" }],
  ["/v1/images/generations", { model: PLANTED.officialKey, prompt: "hi" }],
  ["/v1/messages", { model: `cf_clearance=${PLANTED.clearance}`, max_tokens: 4, messages: said("hi") }],
];

const REPORTS = [
  "/api/v1/admin/requests?limit=500",
  ...["model", "key", "account"].map((dimension) => `/api/v1/admin/reports/top?dimension=${dimension}&limit=100`),
  ...["/api/v1/admin/reports/totals", "/api/v1/admin/reports/series", "/api/v1/admin/journal"],
  ...["/api/v1/admin/request-stats", "/api/v1/admin/logs?limit=500", "/api/v1/admin/metrics"],
  ...["/api/v1/admin/logs/files", "/api/v1/admin/logs/tail?lines=5000"],
  ...["/api/v1/admin/keys", "/api/v1/admin/audit?page_size=100", "/metrics"],
];

const tablesOf = (folder: string): string => {
  using database = new Database(join(folder, "grok2api.db"), { readonly: true });
  const rows = ["requests", "rollups"].map((table) => database.query(`SELECT * FROM ${table}`).all());
  const documents = database.query("SELECT * FROM documents WHERE collection IN ('key_usage', 'audit', 'client_keys')");
  return JSON.stringify([rows, documents.all()]);
};

interface Heard {
  readonly text: string;
  readonly said: readonly string[];
}

/** Sends everything with the client's key, the operator's and an unknown one; the result is every answer. */
const sendAll = async (trial: Trial, more: string): Promise<Heard[]> => {
  const answers: Heard[] = [];
  const send = async (path: string, init: RequestInit) => {
    const answer = await fetch(`${trial.url}${path}`, init);
    const text = `${path.split("?")[0]} ${answer.status} ${await answer.text()} ${JSON.stringify([...answer.headers])}`;
    // A caller may hear again what it has written itself, such as the name of a model that there is not.
    answers.push({ text, said: typeof init.body === "string" ? found(init.body) : [] });
  };
  for (const key of [PLANTED.clientKey, PLANTED.globalKey, PLANTED.unknownKey]) {
    const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
    for (const [path, body] of bodies(more)) await send(path, { method: "POST", headers, body: JSON.stringify(body) });
  }
  await send(`/v1/models?api_key=${PLANTED.globalKey}`, {});
  await send("/v1/models", { headers: { "x-api-key": PLANTED.unknownKey } });
  return answers;
};

const expectNothing = async (trial: Trial, answers: readonly Heard[]) => {
  const { composed } = trial;
  await until(() => composed.server.running === 0 && composed.records.keyUsage.open === 0, 10_000);
  await composed.records.writer.flush();
  for (const { text, said } of answers) expect(found(text, said), text.slice(0, 800)).toEqual([]);
  for (const path of REPORTS) {
    const answer = await fetch(`${trial.url}${path}`, { headers: APP });
    const text = await answer.text();
    expect([path, answer.status, ...found(text)]).toEqual([path, 200]);
  }
  expect(trial.lines.length).toBeGreaterThan(40);
  for (const line of trial.lines) expect(found(JSON.stringify(line)), JSON.stringify(line).slice(0, 800)).toEqual([]);
  const folder = composed.config.server.data_dir;
  const tables = tablesOf(folder);
  expect(tables).toContain("/v1/images/edits");
  expect(found(tables)).toEqual([]);
  const logs = join(folder, "logs");
  const files = readdirSync(logs).map((name) => readFileSync(join(logs, name), "utf8"));
  expect(files.join("")).toContain("/v1/responses");
  expect(found(files.join(""))).toEqual([]);
  // The search finds what is there: by design, accounts hold sessions and keys, stored responses and jobs hold prompts.
  const raw = ["grok2api.db", "grok2api.db-wal"].map((name) => readFileSync(join(folder, name)).toString("latin1"));
  expect(found(raw.join(""))).toContain("session");
  expect(found(raw.join(""), ["session", "officialKey", "prompt"])).toEqual([]);
};

const addClientKey = async (trial: Trial) => {
  const answer = await fetch(`${trial.url}/api/v1/admin/keys`, {
    method: "POST",
    headers: APP,
    body: JSON.stringify({ key: PLANTED.clientKey, name: "planted" }),
  });
  expect(answer.status).toBe(200);
};

test.each([
  [401, (said: string) => JSON.stringify({ error: { code: 16, message: said, details: [] } })],
  [403, (said: string) => JSON.stringify({ error: { code: 7, message: said, details: [] } })],
  [429, (said: string) => said],
  [500, (said: string) => JSON.stringify({ error: said })],
  [200, (said: string) => JSON.stringify({ error: { code: 13, message: said, details: [] } })],
] as const)(
  "an upstream that repeats what it was sent, with %i",
  async (status, bodyOf) => {
    const heard: string[] = [];
    using echo = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: async (request) => {
        const sent = JSON.stringify([...request.headers]);
        heard.push(sent);
        return new Response(bodyOf(`no: ${sent}`), { status, headers: { "content-type": "application/json" } });
      },
    });
    const site = `http://127.0.0.1:${echo.port}`;
    const settings = mergeSettings(base, {
      grok: { base_url: site, assets_url: site, accounts_url: site },
      xai: { base_url: `${site}/v1`, api_keys: [PLANTED.officialKey] },
    });
    await using trial = await startTrial({ transport: "rest", accounts: [SESSION], settings });
    await addClientKey(trial);
    const answers = await sendAll(trial, "");
    expect(heard.join("")).toContain(SESSION);
    expect(heard.join("")).toContain(PLANTED.clearance);
    await expectNothing(trial, answers);
  },
  60_000,
);

test("a proxy that refuses its password", async () => {
  const proxy = await startHttpProxy("user:another-password");
  const address = proxy.url("http").replace("://", `://user:${PLANTED.proxyPassword}@`);
  const settings = mergeSettings(base, { proxy: { base_proxy_url: address, asset_proxy_url: address } });
  await using trial = await startTrial({ transport: "rest", accounts: [SESSION], settings });
  await addClientKey(trial);
  await expectNothing(trial, await sendAll(trial, ""));
  proxy.close();
}, 60_000);

test.each([["sim:500"], ["sim:cut"], ["sim:thinking"]])(
  "answers and failures of a plain upstream: %s",
  async (word) => {
    const simulated = [{ name: "planted", token: SESSION, tier: "heavy" as const }];
    await using trial = await startTrial({ transport: "rest", accounts: [SESSION], simulated, settings: base });
    await addClientKey(trial);
    await expectNothing(trial, await sendAll(trial, word));
  },
  60_000,
);

test("a request with an unknown key is one line of the log and one number, names no key, and is in no journal", async () => {
  await using trial = await startTrial({ transport: "rest", accounts: [SESSION], settings: base });
  await addClientKey(trial);
  const scrape = async () => (await fetch(`${trial.url}/metrics`, { headers: APP })).text();
  const rows = async () =>
    ((await (await fetch(`${trial.url}/api/v1/admin/journal`, { headers: APP })).json()) as { rows: number }).rows;
  const before = await rows();
  const id = "unknown-key-of-a-test";
  const answer = await fetch(`${trial.url}/v1/responses`, {
    method: "POST",
    headers: { authorization: `Bearer ${PLANTED.unknownKey}`, "content-type": "application/json", "x-request-id": id },
    body: JSON.stringify({ model: "grok-4", input: "hi" }),
  });
  expect(answer.status).toBe(401);
  await answer.text();
  const lines = trial.lines.filter((line) => line["id"] === id);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    ...{ message: expect.any(String), path: "/v1/responses", status: 401, outcome: "failed", code: "invalid_api_key" },
  });
  expect(lines[0]).not.toHaveProperty("key");
  const text = await scrape();
  expect(text).toContain('grok2api_requests_total{route="/v1/responses",model="none",status="401"} 1\n');
  expect(text).toContain('grok2api_request_outcomes_total{outcome="failed",code="invalid_api_key"} 1\n');
  expect(await rows()).toBe(before);
});
