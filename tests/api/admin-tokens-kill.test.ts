// A process that is killed in the middle of a bulk change: the next one finds the pool of before or of after, never a mix.
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPool } from "../../src/accounts/pool.ts";
import { tokenSettingsOf } from "../../src/accounts/settings.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { parseConfig } from "./harness.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const PASSWORD = "a long enough password";
const COUNT = 1500;
const ROUNDS = 6;

const tokens = (round: number) => Array.from({ length: COUNT }, (_, index) => `sim-ok-${round}-${index}`);

const start = async (folder: string) => {
  const child = Bun.spawn([process.execPath, MAIN, "serve"], {
    cwd: folder,
    env: {
      ...{ PATH: process.env.PATH ?? "", HOME: folder, TMPDIR: folder, BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
      ...{ DATA_DIR: join(folder, "data"), SERVER_HOST: "127.0.0.1", SERVER_PORT: "0", LOG_LEVEL: "warn" },
      ...{ GROK2API_APP_APP_KEY: PASSWORD, GROK2API_TOKEN_AUTO_REFRESH: "false" },
      ...{ GROK2API_GROK_BASE_URL: "http://127.0.0.1:9", GROK2API_GROK_HTTP_CLIENT: "fetch" },
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const address = Promise.withResolvers<string>();
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      output += decoder.decode(chunk, { stream: true });
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output.replaceAll("http://127.0.0.1:9 ", ""))?.[0];
      if (found !== undefined) address.resolve(found);
    }
    address.reject(new Error(`the program ended:\n${output}`));
  };
  address.promise.catch(() => {});
  void collect(child.stdout);
  void collect(child.stderr);
  return { child, url: await address.promise };
};

const replace = (url: string, round: number): Promise<Response> =>
  fetch(`${url}/api/v1/admin/tokens?confirm=true`, {
    method: "POST",
    headers: { authorization: `Bearer ${PASSWORD}`, "content-type": "application/json" },
    body: JSON.stringify({ ssoBasic: tokens(round) }),
  });

const stored = async (folder: string): Promise<string[]> => {
  const documents = openSqlite({ path: join(folder, "data", "grok2api.db") });
  const pool = createPool({
    documents,
    clock: systemClock,
    log: silentLog,
    settings: () => tokenSettingsOf(parseConfig({})),
  });
  await pool.load();
  const found = pool.all().map(({ token }) => token);
  await pool.close();
  await documents.close();
  return found.toSorted();
};

test(
  "kill -9 during a replacement of the whole pool",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "grok2api-kill-test-"));
    try {
      let before: string[] = [];
      const seen = { before: 0, after: 0 };
      let wholeMs = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const { child, url } = await start(folder);
        const begun = performance.now();
        const asked = replace(url, round).then(
          async (answer) => ({ status: answer.status, text: await answer.text() }),
          () => null,
        );
        // The first one is left to end, so that the others are killed somewhere on the way.
        if (round === 0) {
          expect(await asked).toMatchObject({ status: 200 });
          wholeMs = performance.now() - begun;
        } else await Bun.sleep((wholeMs * round) / ROUNDS);
        child.kill("SIGKILL");
        await child.exited;
        const told = await asked;
        const now = await stored(folder);
        const after = tokens(round).toSorted();
        const is = Bun.deepEquals(now, after) ? "after" : "before";
        if (is === "before") expect(now).toEqual(before);
        if (told?.status === 200) expect(is).toBe("after");
        seen[is]++;
        before = now;
      }
      console.log(`killed ${ROUNDS - 1} times within ${wholeMs.toFixed(0)} ms: ${JSON.stringify(seen)}`);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  { timeout: 60_000 },
);
