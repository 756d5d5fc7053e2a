// The command line as a process from the sources: what it prints, what it leaves behind, how it fails and ends.
import { describe, expect, test } from "bun:test";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const LIMIT_MS = 20_000;
const isRoot = process.getuid?.() === 0;
const AS_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

interface Start {
  folder: Folder;
  env?: Record<string, string>;
  asNobody?: boolean;
}

const folderFor = () => {
  const path = mkdtempSync(join(tmpdir(), "grok2api-cli-test-"));
  return {
    path,
    write(name: string, text: string) {
      mkdirSync(dirname(join(path, name)), { recursive: true });
      writeFileSync(join(path, name), text);
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
};
type Folder = ReturnType<typeof folderFor>;

const start = (args: readonly string[], { folder, env = {}, asNobody = false }: Start) => {
  const child = Bun.spawn([...(asNobody ? AS_NOBODY : []), process.execPath, MAIN, ...args], {
    cwd: folder.path,
    env: {
      PATH: process.env.PATH ?? "",
      HOME: folder.path,
      TMPDIR: folder.path,
      // Else the runtime keeps a cache of its own in the home folder.
      BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0",
      SERVER_HOST: "127.0.0.1",
      SERVER_PORT: "0",
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: LIMIT_MS,
    killSignal: "SIGKILL",
  });
  const text = { out: "", err: "" };
  const collect = async (stream: ReadableStream<Uint8Array>, name: "out" | "err") => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) text[name] += decoder.decode(chunk, { stream: true });
  };
  const collected = Promise.all([collect(child.stdout, "out"), collect(child.stderr, "err")]);
  return {
    child,
    text,
    async ended() {
      await child.exited;
      await collected;
      return { code: child.signalCode === null ? child.exitCode : null, ...text };
    },
    async printed(pattern: RegExp): Promise<RegExpExecArray> {
      for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += 10) {
        const found = pattern.exec(text.out);
        if (found) return found;
        if (child.exitCode !== null) break;
        await Bun.sleep(10);
      }
      throw new Error(`never printed ${pattern}: ${text.out}${text.err}`);
    },
  };
};

const run = async (args: readonly string[], options: Start & { input?: string }) => {
  const started = start(args, options);
  await started.child.stdin.write(options.input ?? "");
  await started.child.stdin.end();
  return started.ended();
};

describe("a wrong call", () => {
  test.each([
    [["srve"], /no command "srve"/],
    [["toString"], /no command "toString"/],
    [["version", "extra"], /extra/],
    [["serve", "--prot", "1"], /--prot/],
    [["simulate", "--port", "many"], /many/],
    [["import"], /at least one file/],
  ] as const)("%j is one line and exit code 2", async (args, about) => {
    using folder = folderFor();
    const { code, out, err } = await run(args, { folder });
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err.trim().split("\n")).toHaveLength(1);
    expect(err).toMatch(about);
    expect(err).toContain("grok2api help");
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

describe("commands that need no store", () => {
  test.each([
    [["version"], /^grok2api \d+\.\d+\.\d+.*Bun \d/],
    [["--version"], /^grok2api \d/],
    [["help"], /usage: grok2api/],
    [["--help"], /reset-admin-password/],
    [["simulate", "--help"], /usage: grok2api simulate \[--port N\]/],
    [["check-config"], /is valid/],
    [["print-config"], /server\.port\s+0\s+\(environment SERVER_PORT\)/],
  ] as const)("%j print and leave nothing behind", async (args, about) => {
    using folder = folderFor();
    const { code, out } = await run(args, { folder });
    expect(code).toBe(0);
    expect(out).toMatch(about);
    expect(readdirSync(folder.path)).toEqual([]);
  });

  test("print-config shows no secret", async () => {
    using folder = folderFor();
    folder.write("data/config.toml", '[app]\napp_key = "planted-admin-word-1"\napi_key = ["planted-caller-word-2"]\n');
    const { code, out, err } = await run(["print-config"], { folder });
    expect(code).toBe(0);
    expect(out).toContain("app.app_key");
    expect(out + err).not.toMatch(/planted-admin-word|planted-caller-word/);
  });

  test.each([
    ["broken TOML", '[app]\napi_key = "unfinished\n', /config\.toml:2/],
    ["an impossible value", '[server]\nport = "many"\n', /server\.port/],
  ])("check-config and serve name %s without a stack trace", async (_name, toml, about) => {
    for (const command of ["check-config", "serve"]) {
      using folder = folderFor();
      folder.write("data/config.toml", toml);
      // The variable would hide the file's value.
      const { code, err } = await run([command], { folder, env: { SERVER_PORT: "" } });
      expect(code).toBe(1);
      expect(err).toMatch(about);
      expect(err).not.toMatch(/\n\s+at /);
    }
  });

  test("healthcheck fails when nothing listens", async () => {
    using folder = folderFor();
    const { code, err } = await run(["healthcheck"], { folder, env: { SERVER_PORT: "1" } });
    expect(code).toBe(1);
    expect(err).toContain("127.0.0.1:1/health");
  });
});

describe("serve", () => {
  test("makes a password once, is healthy for healthcheck, and ends in order", async () => {
    using folder = folderFor();
    const first = start([], { folder });
    const [, url = ""] = await first.printed(/listens on (http:\S+)/);
    const [, password = ""] = await first.printed(/Admin password: (\S+)/);
    const { port } = new URL(url);
    const login = await fetch(`${url}/api/v1/admin/login`, {
      method: "POST",
      headers: { authorization: `Bearer ${password}` },
    });
    expect(login.status).toBe(200);
    const healthy = await run(["healthcheck"], { folder, env: { SERVER_PORT: port } });
    expect(healthy).toMatchObject({ code: 0, out: "healthy\n" });
    // No account yet: alive, but not ready.
    expect((await run(["healthcheck", "--ready"], { folder, env: { SERVER_PORT: port } })).code).toBe(1);
    first.child.kill("SIGTERM");
    const { code, out, err } = await first.ended();
    expect(code).toBe(0);
    expect((out + err).split(password)).toHaveLength(2);

    const second = start(["serve"], { folder });
    await second.printed(/listens on/);
    second.child.kill("SIGINT");
    const again = await second.ended();
    expect(again.code).toBe(0);
    expect(again.out).not.toContain("password");
  });

  test("says so when the port is taken", async () => {
    using folder = folderFor();
    using holder = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("taken") });
    const { code, err } = await run(["serve"], { folder, env: { SERVER_PORT: String(holder.port) } });
    expect(code).toBe(1);
    expect(err).toContain(`cannot listen on 127.0.0.1:${holder.port}: the port is taken`);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test("says so when the data folder cannot be made", async () => {
    using folder = folderFor();
    folder.write("blocker", "a file");
    const { code, err } = await run(["serve"], { folder, env: { DATA_DIR: join(folder.path, "blocker/data") } });
    expect(code).toBe(1);
    expect(err).toMatch(/cannot (open|read) .*blocker/);
    expect(err).not.toMatch(/\n\s+at /);
  });

  // Root may write everywhere, so this refusal can only be seen as somebody else.
  test.skipIf(isRoot && !Bun.which("setpriv"))("prints the chown line for a folder that is not its own", async () => {
    using folder = folderFor();
    folder.write("data/keep", "");
    chmodSync(folder.path, 0o755);
    chmodSync(join(folder.path, "data"), 0o555);
    const { code, err } = await run(["serve"], { folder, asNobody: isRoot });
    expect(code).toBe(1);
    expect(err).toContain("chown -R");
    expect(err).toMatch(/uid \d+/);
    expect(err).not.toMatch(/\n\s+at /);
  });

  test("ends at once by a second signal", async () => {
    using folder = folderFor();
    folder.write("data/config.toml", "[server]\ngrace_seconds = 600\n");
    const simulator = start(["simulate"], { folder });
    const [upstream] = await simulator.printed(/http:\S+/);
    folder.write("data/token.json", JSON.stringify({ ssoBasic: ["sim-ok-signals"] }));
    const names = ["BASE_URL", "ASSETS_URL", "ACCOUNTS_URL"].map(
      (name) => [`GROK2API_GROK_${name}`, upstream] as const,
    );
    const gateway = start(["serve"], { folder, env: Object.fromEntries(names) });
    const [, url = ""] = await gateway.printed(/listens on (http:\S+)/);
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        model: "grok-chat-fast",
        stream: true,
        messages: [{ role: "user", content: "sim:hang-mid go" }],
      }),
    });
    expect(answer.status).toBe(200);
    // Held until the end: a collected reader hangs up, and then there is nothing left to wait for.
    const reader = answer.body?.getReader();
    await reader?.read();
    gateway.child.kill("SIGTERM");
    await Bun.sleep(300);
    expect(gateway.child.exitCode).toBeNull();
    gateway.child.kill("SIGTERM");
    expect((await gateway.ended()).code).toBe(1);
    await reader?.cancel().catch(() => {});
    simulator.child.kill("SIGTERM");
    expect((await simulator.ended()).code).toBe(0);
  }, 30_000);
});

describe("verbs on the store", () => {
  test("import takes files and standard input, and says what was not taken", async () => {
    using folder = folderFor();
    folder.write("one.txt", "sim-ok-import-1\nsim-ok-import-2\n");
    const first = await run(["import", "one.txt", "-"], { folder, input: "sso=sim-ok-import-3\nsim-ok-import-1\n" });
    expect(first.out).toContain("one.txt: 2 added, 0 known already, 0 not taken");
    expect(first.out).toContain("-: 1 added, 1 known already, 0 not taken");
    expect(first.code).toBe(0);
    expect(first.out + first.err).not.toContain("sim-ok-import");
    // A tool makes no password: the first start of the gateway does, and shows it.
    const gateway = start(["serve"], { folder });
    await gateway.printed(/Admin password: \S+/);
    await gateway.printed(/listens on/);
    gateway.child.kill("SIGTERM");
    expect((await gateway.ended()).code).toBe(0);
  });

  test("import takes the data folder of an older program over, and the next start serves with it", async () => {
    using folder = folderFor();
    const old = join(folder.path, "old/data");
    cpSync(join(import.meta.dir, "../fixtures/predecessors/python-playground"), old, { recursive: true });
    mkdirSync(join(old, "tmp/image"), { recursive: true });
    writeFileSync(join(old, "tmp/image/users-1-generated-2-image.png"), "\x89PNG\r\n\x1a\nold", "latin1");
    const first = await run(["import", "old"], { folder });
    expect(first.out).toContain("accounts: 4 added");
    expect(first.out).toContain("pictures and clips: 1 taken");
    expect(first.out).toContain("app.app_key");
    expect(first.out + first.err).not.toMatch(/sim-ok|playground-admin-pass|invented/);
    expect(first.code).toBe(0);
    const gateway = start(["serve"], { folder });
    const [, url = ""] = await gateway.printed(/listens on (\S+)/);
    expect((await fetch(`${url}/v1/files/image/users-1-generated-2-image.png`)).status).toBe(200);
    const headers = { authorization: "Bearer playground-admin-pass" };
    const listed = await (await fetch(`${url}/api/v1/admin/audit?action=migration`, { headers })).json();
    expect(listed).toMatchObject({ total: 1, items: [{ actor: "command-line", action: "migration.take" }] });
    gateway.child.kill("SIGTERM");
    const ended = await gateway.ended();
    expect(ended.out).not.toContain("Admin password:");
    expect(ended.code).toBe(0);
  });

  test("import of a folder without any data says what was looked for", async () => {
    using folder = folderFor();
    folder.write("empty/readme.txt", "x");
    const { code, err } = await run(["import", "empty"], { folder });
    expect(code).toBe(1);
    expect(err).toContain("holds no data of a program that is known");
  });

  test("import of a missing file changes nothing", async () => {
    using folder = folderFor();
    folder.write("one.txt", "sim-ok-import-1\n");
    const { code, err } = await run(["import", "one.txt", "none.txt"], { folder });
    expect(code).toBe(1);
    expect(err).toContain("cannot read none.txt");
    expect(existsSync(join(folder.path, "data"))).toBe(false);
  });

  test("reset-admin-password acts on a running gateway", async () => {
    using folder = folderFor();
    const gateway = start(["serve"], { folder });
    const [, old = ""] = await gateway.printed(/Admin password: (\S+)/);
    const [, url = ""] = await gateway.printed(/listens on (http:\S+)/);
    const { code, out } = await run(["reset-admin-password"], { folder });
    expect(code).toBe(0);
    const made = /Admin password: (\S+)/.exec(out)?.[1] ?? "";
    const verify = (word: string) =>
      fetch(`${url}/api/v1/admin/verify`, { headers: { authorization: `Bearer ${word}` } }).then(
        ({ status }) => status,
      );
    expect(await verify(made)).toBe(200);
    expect(await verify(old)).toBe(401);
    gateway.child.kill("SIGTERM");
    expect((await gateway.ended()).code).toBe(0);
  });

  test("reset-admin-password refuses while the operator's own is set", async () => {
    using folder = folderFor();
    folder.write("data/config.toml", '[app]\napp_key = "the operator chose this"\n');
    const { code, out, err } = await run(["reset-admin-password"], { folder });
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err).toContain("app.app_key is set");
  });
});

test("demo prints a curl line that works, and takes its data with it", async () => {
  using folder = folderFor();
  const demo = start(["demo"], { folder });
  const [line] = await demo.printed(/curl .*/);
  await demo.printed(/Admin password:\s+\S{20}/);
  const curl = Bun.spawn(["sh", "-c", `${line} -sS`], { stdout: "pipe", stderr: "pipe", timeout: LIMIT_MS });
  const answer = await new Response(curl.stdout).text();
  expect(answer).toContain('"finish_reason":"stop"');
  expect(answer.trimEnd().endsWith("data: [DONE]")).toBe(true);
  expect(readdirSync(folder.path)).toHaveLength(1);
  demo.child.kill("SIGINT");
  const { code, err } = await demo.ended();
  expect(code).toBe(0);
  expect(err).toBe("");
  expect(readdirSync(folder.path)).toEqual([]);
}, 30_000);
