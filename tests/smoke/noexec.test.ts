// A machine whose folder of temporary files allows no execution, or no writing: the native part of the executable cannot be
// unpacked there. The program says at its start what to set, harms no account, and setting it works.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, type Folder, type Gateway, startGateway } from "../support/binary.ts";
import { mountLacks } from "../support/image.ts";
import { tokenFile, tomlOf, mergeSettings, upstreamAt } from "../support/trial.ts";

const KEY = "sk-noexec-test-0001";
const PASSWORD = "noexec-test-password";
let simulator: Simulator;
beforeAll(() => {
  simulator = createSimulator({ port: 0, tokenDelayMs: 0 });
});
afterAll(() => simulator.stop(true));

function prepare(folder: Folder): void {
  const settings = mergeSettings(upstreamAt(simulator.url), { app: { api_key: [KEY], app_key: PASSWORD } });
  folder.write("data/config.toml", tomlOf(settings));
  folder.write("data/token.json", tokenFile(["sim-heavy-ok-noexec"]));
  for (const name of ["locked", "open"]) mkdirSync(join(folder.path, name));
}

/** The folder `locked` is a tmpfs with these options, seen by this one process. */
const launcher = (folder: Folder, options: string): string[] => [
  ...["unshare", "--mount", "sh", "-ec", 'mount -t tmpfs -o "$1" tmpfs "$2"; shift 2; exec "$@"', "sh"],
  ...[options, join(folder.path, "locked")],
];

const chat = (gateway: Gateway): Promise<Response> =>
  fetch(`${gateway.url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ model: "grok-4-fast", messages: [{ role: "user", content: "Hello!" }] }),
  });

test.skipIf(mountLacks !== "").each([
  ["allows no execution", "noexec"],
  ["cannot be written", "ro"],
])(
  `a temporary folder that %s is named with what to set, and setting it works${mountLacks}`,
  async (_what, options) => {
    using folder = emptyFolder();
    prepare(folder);
    const at = (name: string): string => join(folder.path, name);
    {
      await using gateway = await startGateway({
        folder,
        launcher: launcher(folder, options),
        env: { TMPDIR: at("locked") },
      });
      const [line] = await gateway.waitForOutput(/^.*the upstream client cannot start.*$/m);
      expect(line).toMatch(/"level":"error".*TMPDIR is writable and allows execution/);
      const ready = await fetch(`${gateway.url}/readyz`);
      expect(ready.status).toBe(503);
      expect(await ready.json()).toMatchObject({
        ready: false,
        components: { client: expect.stringContaining("TMPDIR") },
      });
      const answer = await chat(gateway);
      expect(answer.status).toBeGreaterThanOrEqual(500);
      await answer.body?.cancel();
      const accounts = await fetch(`${gateway.url}/api/v1/admin/tokens`, {
        headers: { authorization: `Bearer ${PASSWORD}` },
      });
      expect(await accounts.json()).toMatchObject({ ssoSuper: [{ status: "active", fail_count: 0 }] });
      expect(await gateway.stop()).toBe(0);
    }
    await using gateway = await startGateway({
      folder,
      launcher: launcher(folder, options),
      env: { TMPDIR: at("open") },
    });
    const answer = await chat(gateway);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ choices: [{ finish_reason: "stop" }] });
    expect(gateway.output()).not.toContain("cannot start");
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200);
    expect(await gateway.stop()).toBe(0);
  },
  30_000,
);
