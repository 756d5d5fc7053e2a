// Secrets stay where they belong: every kind of secret is planted, everything that can go wrong is made to go wrong, and then
// every log line, answer, error and dump is searched for what was planted. The lists of accounts and of keys are the places
// that hold secrets by design; that they do shows that the search works.
import { describe, expect, test } from "bun:test";
import { printConfigCommand } from "../../src/cli/config-commands.ts";
import type { Io } from "../../src/cli/port.ts";
import { KINDS } from "../../src/simulator/accounts.ts";
import { ROUTES } from "../../src/http/routes.ts";
import { SCENARIOS } from "../../src/simulator/scenarios.ts";
import { startHttpProxy } from "../support/proxies.ts";
import { chatBody, mergeSettings, type Settings, startTrial, type Transport, type Trial } from "../support/trial.ts";

const jwtOf = (name: string): string =>
  ["eyJhbGciOiJIUzI1NiJ9", btoa(`{"session_id":"planted-session-of-${name}"}`), `plantedsignature${name}000000000`]
    .join(".")
    .replaceAll("=", "");

const PLANTED = {
  clearance: "plantedclearance.aaaabbbbccccdddd-1760000000-1.2.1.1-eeeeffff",
  proxyPassword: "plantedproxypassword0123456789",
  apiKey: "sk-plantedapikeyaaaabbbbcccc0001",
  appKey: "planted admin password of some length",
  prompt: "planted words of a caller 4711",
};

/** Masks may show up to eight characters at each end. */
const middle = (secret: string): string => secret.slice(8, -8);

const secrets = (tokens: readonly string[]): readonly string[] => {
  const { prompt: _, ...own } = PLANTED;
  return [...Object.values(own), ...tokens].map(middle);
};

const found = (text: string, tokens: readonly string[]): string[] =>
  secrets(tokens).filter((secret) => text.includes(secret) || text.includes(encodeURIComponent(secret)));

const base: Settings = {
  app: { api_key: [PLANTED.apiKey], app_key: PLANTED.appKey },
  proxy: { cf_clearance: PLANTED.clearance },
  chat: { stream_timeout: 0.5, timeout: 0.5, commit_grace_seconds: 0.1 },
  // Whatever happens to an account, the next request finds it again.
  token: { cooldown_seconds: 0, exhausted_cooldown_seconds: 0, error_skip_requests: 0, fail_threshold: 100 },
};

const headers = { authorization: `Bearer ${PLANTED.apiKey}`, "content-type": "application/json" };
const admin = { authorization: `Bearer ${PLANTED.appKey}`, "content-type": "application/json" };

const ask = async (trial: Trial, path: string, init: RequestInit = {}): Promise<string> => {
  const answer = await fetch(`${trial.url}${path}`, { headers, ...init });
  return `${JSON.stringify([...answer.headers])}\n${await answer.text()}`;
};

const chat = (trial: Trial, words: string, stream: boolean): Promise<string> => {
  const body = JSON.stringify(chatBody(`${PLANTED.prompt} ${words}`, { stream }));
  return ask(trial, "/v1/chat/completions", { method: "POST", body });
};

const expectNothing = (trial: Trial, answers: readonly string[], tokens: readonly string[]): void => {
  expect(trial.lines.length).toBeGreaterThan(0);
  const log = trial.lines.map((line) => JSON.stringify(line));
  for (const text of [...log, ...answers]) expect(found(text, tokens), text.slice(0, 600)).toEqual([]);
  for (const line of log) expect(line).not.toContain(PLANTED.prompt);
};

/** Lists of accounts: pages name an account by its token there. Everything else must not show one. */
const SHOWS_TOKENS =
  /^\/(?:(?:api\/)?v1\/admin|admin\/api|api)\/(?:tokens(?:\/(?:list|export|item\/:id))?|cache|assets)$/;

const ADMIN_READS = ROUTES.filter(({ auth, method }) => auth === "admin" && method === "GET");

describe.each(["rest", "socket"] as const)("over %s", (transport: Transport) => {
  test("whatever the upstream answers", async () => {
    const kinds = Object.keys(KINDS) as (keyof typeof KINDS)[];
    const simulated = kinds.map((kind) => ({ name: kind, token: jwtOf(kind), kind, tier: "heavy" as const }));
    const tokens = simulated.map(({ token }) => token);
    const words = SCENARIOS.filter(({ group }) => group !== "timing").map(({ name }) => `sim:${name}`);

    const answers: string[] = [];
    await using healthy = await startTrial({ transport, accounts: [jwtOf("ok")], simulated, settings: base });
    for (const word of [...words, "sim:hang", "sim:hang-mid", "sim:hang-headers"]) {
      answers.push(...(await Promise.all([chat(healthy, word, false), chat(healthy, word, true)])));
    }
    const [entry] = healthy.simulator.requests();
    expect(entry).toMatchObject({ account: "ok", cookies: expect.arrayContaining(["sso", "cf_clearance"]) });
    expectNothing(healthy, answers, tokens);

    for (const { token } of simulated) {
      await using trial = await startTrial({ transport, accounts: [token], simulated, settings: base });
      const heard = await Promise.all([chat(trial, "hello", false), chat(trial, "hello", true)]);
      expectNothing(trial, heard, tokens);
    }
  }, 120_000);

  // An upstream, or something on the way to it, that puts what it was sent into its complaints.
  test.each([
    ["a refusal", 403, (said: string) => JSON.stringify({ error: { code: 7, message: said, details: [] } })],
    ["a dead session", 401, (said: string) => JSON.stringify({ error: { code: 16, message: said, details: [] } })],
    ["a bad request", 400, (said: string) => JSON.stringify({ error: { code: 3, message: said, details: [] } })],
    ["a crash", 500, (said: string) => said],
    ["too many requests", 429, (said: string) => JSON.stringify({ error: { code: 8, message: said, details: [] } })],
    ["an error frame", 200, (said: string) => JSON.stringify({ error: { code: 13, message: said, details: [] } })],
  ] as const)("an upstream that repeats the cookies: %s", async (_name, status, body) => {
    const token = jwtOf("echo");
    let sent = "";
    using echo = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: (request) => {
        sent = request.headers.get("cookie") ?? "";
        return new Response(body(`no: ${sent}`), { status, headers: { "content-type": "application/json" } });
      },
    });
    const site = `http://127.0.0.1:${echo.port}`;
    const settings = mergeSettings(base, { grok: { base_url: site, assets_url: site, accounts_url: site } });
    await using trial = await startTrial({ transport, accounts: [token], settings });
    const answers = await Promise.all([chat(trial, "hello", false), chat(trial, "hello", true)]);
    expect(sent).toContain(token);
    expect(sent).toContain(PLANTED.clearance);
    expectNothing(trial, answers, [token]);
    expect(found(trial.account(token).last_fail_reason ?? "", [token])).toEqual([]);
  });

  test.each(["nobody listens", "the password is refused"])("a proxy with a password: %s", async (trouble) => {
    const proxy = await startHttpProxy("user:another-password");
    if (trouble === "nobody listens") proxy.close();
    const address = proxy.url("http").replace("://", `://user:${PLANTED.proxyPassword}@`);
    const settings = mergeSettings(base, { proxy: { base_proxy_url: address } });
    const token = jwtOf("ok");
    await using trial = await startTrial({ transport, accounts: [token], settings });
    const answers = await Promise.all([chat(trial, "hello", false), chat(trial, "hello", true)]);
    for (const answer of answers) expect(answer).toContain('"error"');
    expectNothing(trial, answers, [token]);
    proxy.close();
  });
});

test("the admin side and the outer door show masks only", async () => {
  const token = jwtOf("ok");
  const simulated = [{ name: "ok", token, tier: "heavy" as const }];
  const proxyUrl = `http://user:${PLANTED.proxyPassword}@127.0.0.1:9`;
  const settings = mergeSettings(base, { proxy: { asset_proxy_url: proxyUrl } });
  await using trial = await startTrial({ transport: "rest", accounts: [token], simulated, settings });
  await chat(trial, "hello", false);
  await chat(trial, "sim:401", false);

  const { id } = trial.account(token);
  const shown: string[] = [];
  let read = 0;
  for (const route of ADMIN_READS) {
    for (const path of [route.path, ...(route.aliases ?? [])]) {
      const answer = await ask(trial, path.replace(":id", id), { headers: admin });
      read++;
      if (SHOWS_TOKENS.test(path)) expect(found(answer, []), path).toEqual([]);
      else shown.push(`${path} ${answer}`);
    }
  }
  expect(read).toBeGreaterThan(20);
  // The search finds what is there.
  expect(found(await ask(trial, "/api/v1/admin/tokens", { headers: admin }), [token])).toEqual([middle(token)]);

  const post = (path: string, body: unknown, init: RequestInit = { headers: admin }) =>
    ask(trial, path, { method: "POST", body: JSON.stringify(body), ...init });
  const wrong = { headers: { authorization: `Bearer ${PLANTED.appKey}!` } };
  shown.push(
    await post("/api/v1/admin/config", { app: { api_key: { nested: PLANTED.apiKey } } }),
    await post("/api/v1/admin/config", { proxy: { base_proxy_url: `ftp://user:${PLANTED.proxyPassword}@x` } }),
    await post("/api/v1/admin/config", { proxy: { cf_clearance: 5 }, app: { app_key: [PLANTED.appKey] } }),
    await post("/api/v1/admin/config", { chat: { heartbeat_seconds: 20 } }),
    await post("/api/v1/admin/tokens/add", { tokens: [token], pool: 7 }),
    await post("/api/v1/admin/login", { password: `${PLANTED.appKey}!` }, {}),
    await post("/v1/chat/completions", chatBody("hello"), wrong),
    await post("/v1/chat/completions", { model: PLANTED.apiKey.length, messages: PLANTED.apiKey }, { headers }),
    await ask(trial, `/v1/models?api_key=${PLANTED.apiKey}`, { headers: {} }),
    await ask(trial, "/health", { headers: {} }),
    await ask(trial, "/readyz", { headers: {} }),
  );
  expectNothing(trial, shown, [token]);
});

test("print-config shows masks only", async () => {
  const lines: string[] = [];
  const env = {
    GROK2API_APP_API_KEY: PLANTED.apiKey,
    GROK2API_APP_APP_KEY: PLANTED.appKey,
    GROK2API_PROXY_CF_CLEARANCE: PLANTED.clearance,
    GROK2API_PROXY_CF_COOKIES: `cf_clearance=${PLANTED.clearance}; __cf_bm=x`,
    GROK2API_PROXY_BASE_PROXY_URL: `socks5://user:${PLANTED.proxyPassword}@127.0.0.1:9`,
    DATA_DIR: "/nonexistent",
  };
  const io = { env, out: (text: string) => lines.push(text), err: (text: string) => lines.push(text) } as unknown as Io;
  expect(await printConfigCommand(io)).toBe(0);
  const text = lines.join("\n");
  expect(text).toContain("proxy.cf_clearance");
  expect(text).toContain("socks5://user:****@127.0.0.1:9");
  expect(found(text, [])).toEqual([]);
});
