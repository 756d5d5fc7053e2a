// The executable as a server: first start, a simulated stream through the embedded client, hostile folders, stopping.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { eventually, emptyFolder, type Folder, type Gateway, runBinary, startGateway } from "../support/binary.ts";

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

  test("answers JSON where it has no page", async () => {
    using folder = emptyFolder();
    await using gateway = await startGateway({ folder });
    for (const path of ["/nowhere", "/v1/nowhere"]) {
      const answer = await fetch(`${gateway.url}${path}`);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ error: { code: "route_not_found" } });
    }
  });

  test("is healthy for its own healthcheck command", async () => {
    using folder = emptyFolder();
    await using gateway = await startGateway({ folder });
    const { port } = new URL(gateway.url);
    const env = { SERVER_HOST: "127.0.0.1", SERVER_PORT: port };
    expect((await runBinary(["healthcheck"], { folder, env })).exitCode).toBe(0);
    // Alive, but without an account it can serve nobody.
    expect((await runBinary(["healthcheck", "--ready"], { folder, env })).exitCode).toBe(1);
    expect(await gateway.stop()).toBe(0);
    expect((await runBinary(["healthcheck"], { folder, env })).exitCode).toBe(1);
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
    const answer = await chat(gateway, "sim:long-60 sim:slow-50 Say something long.");
    const reader = (answer.body ?? new Blob().stream()).getReader();
    const decoder = new TextDecoder();
    let text = decoder.decode((await reader.read()).value, { stream: true });
    gateway.signal("SIGTERM");
    // A signal takes a moment to arrive; the stream goes on for seconds.
    await eventually("a new call is refused", async () => {
      const late = await chat(gateway, "Too late.").then(
        async (refused) => {
          await refused.body?.cancel();
          return refused.status;
        },
        () => "refused",
      );
      return late === 503 || late === "refused" ? late : undefined;
    });
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += decoder.decode(part.value, { stream: true });
    }
    expect(text).toMatch(/data: \[DONE\]\s*$/);
    expect(await gateway.exited).toBe(0);
    expect(gateway.output()).not.toContain("sim-ok-smoke");
  });

  test("ends a stream that outlives the grace time with an error inside it", async () => {
    using folder = emptyFolder();
    prepare(folder);
    await using gateway = await startGateway({ folder, env: { GROK2API_SERVER_GRACE_SECONDS: "1" } });
    const answer = await chat(gateway, "sim:hang-mid for ever");
    const reader = (answer.body ?? new Blob().stream()).getReader();
    const decoder = new TextDecoder();
    let text = decoder.decode((await reader.read()).value, { stream: true });
    gateway.signal("SIGTERM");
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      text += decoder.decode(part.value, { stream: true });
    }
    expect(text).toContain('"code":"shutting_down"');
    expect(text).not.toContain('"finish_reason":"stop"');
    expect(text).toMatch(/data: \[DONE\]\s*$/);
    expect(await gateway.exited).toBe(0);
    expect(simulator.stats().open.total).toBe(0);
  });

  test("takes the good lines of a broken token.json and names the bad ones by number", async () => {
    using folder = emptyFolder();
    prepare(folder);
    const lines = [
      "# accounts",
      "sim-ok-garbage-1",
      "planted secret word that is no token",
      "sso=sim-ok-garbage-2; cf_clearance=planted-clearance",
      '{"token": "planted-half',
      "\u0000\u0001\u0002planted-binary",
    ];
    const text = `${lines.join("\n")}\n`;
    folder.write("data/token.json", text);
    await using gateway = await startGateway({ folder });
    const answer = await chat(gateway, "Say hello.");
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain("[DONE]");
    expect(await gateway.stop()).toBe(0);
    const complaints = gateway
      .output()
      .split("\n")
      .filter((line) => line.includes("token.json") && line.includes("line "));
    expect(complaints.map((line) => Number(/line (\d+)/.exec(line)?.[1])).toSorted((a, b) => a - b)).toEqual([3, 5, 6]);
    expect(gateway.output()).not.toMatch(/planted|sim-ok-garbage/);
    expect(gateway.output()).toContain('"added":2');
    expect(readFileSync(join(folder.path, "data/token.json"), "utf8")).toBe(text);
  });
});
