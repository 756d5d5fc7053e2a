// The curl lines of the documents, run by a shell as they stand there, against the executable and a simulated upstream; and
// no endpoint without a line. Only the address, the key, and what stands in angle brackets are put in.
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { listRoutes } from "../../src/http/route-table.ts";
import { ROUTES } from "../../src/http/routes.ts";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, type Folder, type Gateway, startGateway } from "../support/binary.ts";
import { pngBytes } from "../support/pictures.ts";
import { mergeSettings, tomlOf, upstreamAt } from "../support/trial.ts";

const checkout = join(import.meta.dir, "../..");
const PASSWORD = "examples-admin-password";
const PLAYGROUND_KEY = "the-playground-key";

/** Blocks of shell that a reader copies as a whole, without the lines that are no call. */
function blocksOf(name: string): string[] {
  const text = readFileSync(join(checkout, name), "utf8");
  const blocks = [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  return blocks
    .filter((block) => /\bcurl\b|^[A-Z]+='?/m.test(block) && !block.includes("claude"))
    .map((block) => block.replace(/^(\.\/grok2api|cp|GROK2API_|docker|sha256sum|chmod).*\n/gm, ""))
    .filter((block) => block.trim() !== "");
}

/** `-N` marks a stream; an endless one is left after a while, as its reader would. */
const prelude = `set -eu
curl() {
  code=0
  case " $* " in *imagine/sse*) limit=3 ;; *) limit=20 ;; esac
  command curl -sS --fail-with-body --max-time $limit "$@" || code=$?
  if [ $limit -eq 3 ] && [ $code -eq 28 ]; then code=0; fi
  echo "$*" >>calls
  return $code
}
`;

describe("the examples of the documents", () => {
  let folder: Folder;
  let simulator: Simulator;
  let gateway: Gateway;

  beforeEach(async () => {
    folder = emptyFolder();
    simulator = createSimulator({ port: 0, tokenDelayMs: 0, mediaDelayMs: 0 });
    const settings = mergeSettings(upstreamAt(simulator.url), {
      app: { api_key: ["sk-choose-your-own"], app_key: PASSWORD, public_key: PLAYGROUND_KEY },
      xai: { api_keys: ["xai-sim-ok-examples-1"], base_url: `${simulator.url}/xai/v1` },
    });
    folder.write("data/config.toml", tomlOf(settings));
    const accounts = { ssoSuper: [{ token: "sim-super-ok-example", tags: ["nsfw"] }], ssoBasic: ["sim-ok-example"] };
    folder.write("data/token.json", JSON.stringify(accounts));
    writeFileSync(join(folder.path, "fox.png"), pngBytes());
    gateway = await startGateway({ folder });
  });
  afterEach(async () => {
    await gateway[Symbol.asyncDispose]();
    await simulator.stop(true);
    folder[Symbol.dispose]();
  });

  const run = async (name: string): Promise<string[]> => {
    folder.write("calls", "");
    const script = blocksOf(name)
      .join("\n")
      .replaceAll("http://127.0.0.1:8000", gateway.url)
      .replaceAll("<sso cookie>", "sim-ok-added");
    const child = Bun.spawn(["sh", "-c", prelude + script], {
      cwd: folder.path,
      env: { PATH: process.env.PATH ?? "", HOME: folder.path, ADMIN_PASSWORD: PASSWORD },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const [said, complaints] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    const calls = readFileSync(join(folder.path, "calls"), "utf8").trim().split("\n");
    if ((await child.exited) !== 0) throw new Error(`${calls.at(-1)}\n${said.slice(-600)}\n${complaints}`);
    return calls;
  };

  test.each([
    ["README.md", 8],
    ["README.zh-CN.md", 8],
    ["docs/examples.md", 40],
  ])(
    "%s",
    async (name, least) => {
      expect((await run(name)).length).toBeGreaterThanOrEqual(least);
    },
    60_000,
  );
});

test("every endpoint for callers has an example", () => {
  const text = readFileSync(join(checkout, "docs/examples.md"), "utf8");
  const refusing = ["/v1/videos/edits", "/v1/videos/:id/remix", "/v1/responses/:id/cancel", "/v1/audio/translations"];
  const sockets = ROUTES.filter(({ socket }) => socket).map(({ path }) => path);
  const without = listRoutes(ROUTES)
    .filter(({ auth, path, alias }) => auth === "api" && !alias && ![...refusing, ...sockets].includes(path))
    .map(({ method, path }) => ({ method, path, shown: path.replace(/:id(\{.*\})?/, "(\\$$[RV]|grok-4|eve)") }))
    .filter(({ method, shown }) => {
      const address = new RegExp(`curl ${method === "DELETE" ? "-X DELETE " : "(-N )?"}"?\\$U${shown}["?\\s]`);
      return !address.test(text);
    });
  expect(without).toEqual([]);
});
