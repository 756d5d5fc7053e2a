// The executable as a server: first start, a simulated stream through the embedded client, hostile folders, stopping.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import manifest from "../../package.json";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, type Folder, type Gateway, runBinary, startGateway } from "../support/binary.ts";

const passwordLine = /password[^\n]*?[:=]\s*"?([\w-]{12,})/i;

describe("a first start in an empty folder", () => {
  test("makes its data folder, prints an admin password once and accepts it", async () => {
    using folder = emptyFolder();
    const first = await startGateway({ folder });
    const health = await fetch(`${first.url}/health`);
    expect(await health.json()).toMatchObject({ status: "ok", version: manifest.version });
    expect(folder.exists("data")).toBe(true);

    const password = passwordLine.exec(first.output())?.[1] ?? "";
    expect(password).not.toBe("");
    expect(first.output().split(password)).toHaveLength(2);
    const login = (word: string) =>
      fetch(`${first.url}/api/v1/admin/login`, { method: "POST", body: JSON.stringify({ password: word }) });
    expect((await login(password)).status).toBe(200);
    expect((await login(`${password}x`)).status).toBe(401);
    expect(await first.stop()).toBe(0);

    await using second = await startGateway({ folder });
    expect(second.output()).not.toMatch(passwordLine);
    expect(await second.stop()).toBe(0);
  });

  test("serves the admin page from inside the executable", async () => {
    using folder = emptyFolder();
    await using gateway = await startGateway({ folder });
    const page = await fetch(`${gateway.url}/admin`);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-type")).toContain("text/html");
    const html = await page.text();
    const scripts = [...html.matchAll(/<script[^>]+src="([^"]+)"/g)].map(([, src = ""]) => new URL(src, page.url));
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) expect((await fetch(script)).status).toBe(200);
  });

  test("is healthy for its own healthcheck command", async () => {
    using folder = emptyFolder();
    await using gateway = await startGateway({ folder });
    const { port } = new URL(gateway.url);
    const run = await runBinary(["healthcheck"], { folder, env: { SERVER_HOST: "127.0.0.1", SERVER_PORT: port } });
    expect(run.exitCode).toBe(0);
  });
});

test("a hostile .env, bunfig.toml and package.json have no effect", async () => {
  using folder = emptyFolder();
  const trap = 'require("node:fs").writeFileSync("sprung", ""); process.env.LOG_LEVEL = "nonsense";';
  folder.write("trap.cjs", trap);
  folder.write(".env", "SERVER_HOST=256.256.256.256\nDATA_DIR=./elsewhere\nAPP_APP_KEY=planted\n");
  folder.write(".env.local", "SERVER_PORT=1\nDATA_DIR=./elsewhere\n");
  folder.write(".env.production", "DATA_DIR=./elsewhere\n");
  folder.write("bunfig.toml", 'preload = ["./trap.cjs"]\nlogLevel = "debug"\n[test]\npreload = ["./trap.cjs"]\n');
  folder.write("package.json", '{ "type": "commonjs", "imports": { "#a": "./trap.cjs" } }');
  folder.write(
    "tsconfig.json",
    '{ "compilerOptions": { "jsxImportSource": "trap", "paths": { "*": ["./trap.cjs"] } } }',
  );
  await using gateway = await startGateway({ folder });
  expect(folder.exists("sprung")).toBe(false);
  expect(folder.exists("elsewhere")).toBe(false);
  expect(folder.exists("data")).toBe(true);
  expect(await gateway.stop()).toBe(0);
});

describe("with a simulated upstream", () => {
  const key = "smoke-caller-key";
  const tokenDelayMs = 40;
  let simulator: Simulator;
  beforeAll(() => {
    simulator = createSimulator({ port: 0, tokenDelayMs });
  });
  afterAll(() => simulator.stop(true));

  function prepare(folder: Folder): void {
    const addresses = ["base_url", "assets_url", "accounts_url"].map((name) => `${name} = "${simulator.url}"`);
    folder.write("data/config.toml", [`[app]\napi_key = "${key}"`, "[grok]", ...addresses, ""].join("\n"));
    folder.write("data/token.json", JSON.stringify({ ssoBasic: ["sim-ok-smoke"] }));
  }

  const chat = (gateway: Gateway, content: string) =>
    fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "grok-chat-fast", stream: true, messages: [{ role: "user", content }] }),
    });

  test("streams an answer through the embedded client", async () => {
    using folder = emptyFolder();
    prepare(folder);
    await using gateway = await startGateway({ folder });
    const answer = await chat(gateway, "Say hello.");
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toContain('"object":"chat.completion.chunk"');
    expect(text.trimEnd().endsWith("data: [DONE]")).toBe(true);
    expect(simulator.requests().length).toBeGreaterThan(0);
    expect(await gateway.stop()).toBe(0);
  });

  test("lets a stream end before it stops, and takes no new call meanwhile", async () => {
    using folder = emptyFolder();
    prepare(folder);
    await using gateway = await startGateway({ folder });
    const answer = await chat(gateway, "Say something long.");
    const reader = (answer.body ?? new Blob().stream()).getReader();
    const decoder = new TextDecoder();
    let text = decoder.decode((await reader.read()).value, { stream: true });
    gateway.signal("SIGTERM");
    const late = await chat(gateway, "Too late.").then(
      (refused) => refused.status,
      () => "refused",
    );
    expect([503, "refused"]).toContain(late);
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += decoder.decode(part.value, { stream: true });
    }
    expect(text).toMatch(/data: \[DONE\]\s*$/);
    expect(await gateway.exited).toBe(0);
    expect(gateway.output()).not.toContain("sim-ok-smoke");
  });
});
