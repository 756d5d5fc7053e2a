// The executable's commands in an empty folder: what they print, what they leave behind, how they fail.
import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import { emptyFolder, type Finished, freePort, runBinary, startBinary, startGateway } from "../support/binary.ts";

/** A message made for an operator: there is one, it is short, and it shows no stack and no crash report. */
function expectOneClearMessage(run: Finished, about: RegExp): void {
  expect(run.exitCode).not.toBeNull();
  expect(run.exitCode).not.toBe(0);
  expect(run.stderr).toMatch(about);
  expect(run.stderr).not.toMatch(/\n\s+at |Bun v\d|\$bunfs/);
  const complaints = run.stderr.split("\n").filter((line) => about.test(line));
  expect(complaints).toHaveLength(1);
}

test("version names the version and the parts that matter in a report", async () => {
  using folder = emptyFolder();
  const run = await runBinary(["version"], { folder });
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(run.stdout).toContain(manifest.version);
  expect(run.stdout).toContain(Bun.version);
  expect(folder.exists("data")).toBe(false);
});

test("an unknown command is named and refused", async () => {
  using folder = emptyFolder();
  expectOneClearMessage(await runBinary(["srve"], { folder }), /srve/);
});

test("check-config accepts an empty folder", async () => {
  using folder = emptyFolder();
  const run = await runBinary(["check-config"], { folder });
  expect(run.exitCode).toBe(0);
});

test("check-config names file and line of broken TOML", async () => {
  using folder = emptyFolder();
  folder.write("data/config.toml", '[app]\napi_key = "unfinished\n');
  expectOneClearMessage(await runBinary(["check-config"], { folder }), /config\.toml:2/);
});

test("check-config names a key with an impossible value", async () => {
  using folder = emptyFolder();
  folder.write("data/config.toml", '[server]\nport = "many"\n');
  const run = await runBinary(["check-config"], { folder });
  expect(run.exitCode).not.toBe(0);
  expect(run.output).toContain("server.port");
});

test("print-config shows every setting and no secret", async () => {
  using folder = emptyFolder();
  folder.write("data/config.toml", '[app]\napp_key = "planted-admin-word"\napi_key = "planted-caller-word"\n');
  const run = await runBinary(["print-config"], { folder, env: { SERVER_PORT: "4321" } });
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toContain("4321");
  expect(run.output).not.toContain("planted-");
});

test("healthcheck fails when nothing listens", async () => {
  using folder = emptyFolder();
  const run = await runBinary(["healthcheck"], { folder, env: { SERVER_PORT: String(freePort()) } });
  expect(run.exitCode).toBe(1);
});

test("simulate serves on a free port until it is stopped", async () => {
  using folder = emptyFolder();
  await using simulator = startBinary(["simulate", "--port", "0"], { folder });
  const [url] = await simulator.waitForOutput(/http:\/\/(127\.0\.0\.1|localhost):\d+/);
  const answer = await fetch(`${url}/api/auth/session`);
  expect(answer.status).toBeLessThan(500);
  await answer.body?.cancel();
  expect(await simulator.stop()).toBe(0);
});

test("serve refuses broken TOML with one message", async () => {
  using folder = emptyFolder();
  folder.write("data/config.toml", "[app\n");
  expectOneClearMessage(await runBinary(["serve"], { folder }), /config\.toml:1/);
});

test("serve says so when its port is taken", async () => {
  using folder = emptyFolder();
  using holder = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("taken") });
  const env = { SERVER_HOST: "127.0.0.1", SERVER_PORT: String(holder.port) };
  expectOneClearMessage(await runBinary(["serve"], { folder, env }), new RegExp(`\\b${holder.port}\\b`));
});

test("serve says so when the data folder cannot be made", async () => {
  using folder = emptyFolder();
  folder.write("blocker", "a file where a folder should be");
  const env = { SERVER_HOST: "127.0.0.1", SERVER_PORT: "0", DATA_DIR: join(folder.path, "blocker/data") };
  expectOneClearMessage(await runBinary(["serve"], { folder, env }), /cannot open.*blocker/);
});

// Root may write everywhere, so this refusal can only be seen as somebody else.
test.skipIf(process.getuid?.() === 0 && !Bun.which("setpriv"))(
  "serve says so when the data folder is not writable (needs another user than root, or setpriv)",
  async () => {
    using folder = emptyFolder();
    folder.write("data/keep", "");
    chmodSync(join(folder.path, "data"), 0o555);
    const run = await runBinary(["serve"], {
      folder,
      asNobody: process.getuid?.() === 0,
      env: { SERVER_HOST: "127.0.0.1", SERVER_PORT: "0" },
    });
    expectOneClearMessage(run, /cannot open/);
  },
);

test("import takes a file and standard input, and repeats nothing that is secret", async () => {
  using folder = emptyFolder();
  folder.write("accounts.txt", "sim-ok-import-1\nsim-ok-import-2\nplanted words that are no token\n");
  const input = "sso=sim-ok-import-3\nsim-ok-import-1\n";
  const run = await runBinary(["import", "accounts.txt", "-"], { folder, input });
  expect(run.exitCode).toBe(0);
  expect(run.stdout).toContain("accounts.txt: 2 added, 0 known already, 1 not taken");
  expect(run.stdout).toContain("-: 1 added, 1 known already, 0 not taken");
  expect(run.stdout).toContain("after a restart");
  expect(run.stderr).toContain("line 3");
  expect(run.output).not.toMatch(/sim-ok-import|planted/);
});

test("import of nothing usable fails", async () => {
  using folder = emptyFolder();
  const run = await runBinary(["import", "-"], { folder, input: "planted words that are no token\n" });
  expect(run.exitCode).toBe(1);
  expect(run.output).not.toContain("planted");
});

test("reset-admin-password opens a running gateway and locks the old one out", async () => {
  using folder = emptyFolder();
  await using gateway = await startGateway({ folder });
  const [, old = ""] = await gateway.waitForOutput(/Admin password: (\S+)/);
  const run = await runBinary(["reset-admin-password"], { folder });
  expect(run.exitCode).toBe(0);
  const made = /Admin password: (\S+)/.exec(run.stdout)?.[1] ?? "";
  const verify = async (word: string) =>
    (await fetch(`${gateway.url}/api/v1/admin/verify`, { headers: { authorization: `Bearer ${word}` } })).status;
  expect(await verify(made)).toBe(200);
  expect(await verify(old)).toBe(401);
});

test("demo prints a curl line that a shell runs as it is", async () => {
  using folder = emptyFolder();
  await using demo = startBinary(["demo"], { folder });
  const [line] = await demo.waitForOutput(/curl .*/);
  const curl = Bun.spawn(["sh", "-c", line], { stdout: "pipe", stderr: "ignore", timeout: 20_000 });
  const answer = await new Response(curl.stdout).text();
  expect(answer).toContain('"finish_reason":"stop"');
  expect(answer.trimEnd().endsWith("data: [DONE]")).toBe(true);
  expect(folder.exists("data")).toBe(false);
  expect(await demo.stop()).toBe(0);
});
