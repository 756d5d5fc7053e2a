// The executable's commands in an empty folder: what they print, what they leave behind, how they fail.
import { expect, test } from "bun:test";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import manifest from "../../package.json";
import { emptyFolder, type Finished, freePort, runBinary, startBinary } from "../support/binary.ts";

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
