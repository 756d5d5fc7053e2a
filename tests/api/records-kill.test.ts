// A program that is killed under load and started again, several times over one folder. What is promised, and held here: a
// request that was answered longer than one writing interval ago is in the journal and counted against its key; nothing is
// counted twice, totals agree with rows, counters never fall below what an earlier start has found, and the file is whole.
import { expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSimulator } from "../../src/simulator/server.ts";
import { ADMIN_ENV, ADMIN_PASSWORD, until } from "../support/keys.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
/** Journal and counters are written this often; the rest is for a machine that does other things as well. */
const INTERVAL_MS = 250;
const SLACK_MS = 500;
const ROUNDS = 3;
const CALLERS = 8;

const start = async (folder: string, upstream: string) => {
  const child = Bun.spawn([process.execPath, MAIN, "serve"], {
    cwd: folder,
    env: {
      ...{ PATH: process.env.PATH ?? "", HOME: folder, TMPDIR: folder, BUN_RUNTIME_TRANSPILER_CACHE_PATH: "0" },
      ...{ DATA_DIR: join(folder, "data"), SERVER_HOST: "127.0.0.1", SERVER_PORT: "0", LOG_LEVEL: "warn" },
      ...{ GROK2API_GROK_BASE_URL: upstream, GROK2API_GROK_ASSETS_URL: upstream, GROK2API_GROK_ACCOUNTS_URL: upstream },
      ...{ GROK2API_CHAT_TRANSPORT: "rest", GROK2API_GROK_HTTP_CLIENT: "fetch", GROK2API_TOKEN_MAX_INFLIGHT: "64" },
      ...{ GROK2API_TOKEN_AUTO_REFRESH: "false" },
      ...ADMIN_ENV,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  const address = Promise.withResolvers<string>();
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      output += decoder.decode(chunk, { stream: true });
      const found = /http:\/\/127\.0\.0\.1:\d+/.exec(output.replaceAll(upstream, ""))?.[0];
      if (found !== undefined) address.resolve(found);
    }
    address.reject(new Error(`the program ended:\n${output}`));
  };
  address.promise.catch(() => {});
  void collect(child.stdout);
  void collect(child.stderr);
  return { child, url: await address.promise };
};

const admin = async (url: string, path: string, body?: unknown): Promise<ReturnType<typeof JSON.parse>> => {
  const response = await fetch(`${url}/api/v1/admin${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${ADMIN_PASSWORD}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
};

/** Ids of all rows of the key. */
const rowsOf = async (url: string, key: string): Promise<string[]> => {
  const ids: string[] = [];
  let before = "";
  for (;;) {
    const { items, next } = await admin(url, `/requests?key=${key}&limit=500${before}`);
    for (const { id } of items) ids.push(id);
    if (next === null) return ids;
    before = `&before=${next}`;
  }
};

interface Sent {
  readonly id: string;
  /** When its answer had come to the end; null when it never did. */
  answeredMs: number | null;
}

/** Callers that ask again as soon as they have an answer, streamed and not, until the program is gone. */
const load = async (about: { url: string; secret: string; round: number; sent: Sent[] }): Promise<string[]> => {
  const { url, secret, round, sent } = about;
  const refusals: string[] = [];
  const caller = async (number: number) => {
    for (let turn = 0; ; turn++) {
      const one: Sent = { id: `kill-${round}-${number}-${turn}`, answeredMs: null };
      sent.push(one);
      try {
        const response = await fetch(`${url}/v1/chat/completions`, {
          method: "POST",
          headers: { authorization: `Bearer ${secret}`, "content-type": "application/json", "x-request-id": one.id },
          body: JSON.stringify({
            model: "grok-4",
            stream: turn % 2 === 0,
            messages: [{ role: "user", content: "Hi" }],
          }),
        });
        const text = await response.text();
        if (response.status !== 200) refusals.push(text);
        one.answeredMs = performance.now();
      } catch {
        return;
      }
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)));
  return refusals;
};

const integrity = (path: string): unknown => {
  using database = new Database(path, { readonly: true });
  return database.query("PRAGMA integrity_check").get();
};

test(
  "kill -9 under load loses no request that was answered an interval ago",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "grok2api-kill-records-"));
    const simulator = createSimulator({ tokenDelayMs: 2 });
    try {
      mkdirSync(join(folder, "data"));
      // So many that no quota is used up.
      const accounts = Array.from({ length: 300 }, (_, index) => `sim-super-${index}`);
      writeFileSync(join(folder, "data", "token.json"), JSON.stringify({ ssoSuper: accounts }));
      let running = await start(folder, simulator.url);
      const { data: key } = await admin(running.url, "/keys", { name: "load", chat_limit: 1_000_000 });
      const sent: Sent[] = [];
      /** Answered so long before their kill that they must be there for ever. */
      const safe: Sent[] = [];
      let countedBefore = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const first = sent.length;
        const loaded = load({ url: running.url, secret: key.key, round, sent });
        await until(() => sent.slice(first).filter(({ answeredMs }) => answeredMs !== null).length >= 200, 15_000);
        await Bun.sleep(INTERVAL_MS + SLACK_MS + round * 130);
        running.child.kill("SIGKILL");
        const killedMs = performance.now();
        await running.child.exited;
        expect(await loaded).toEqual([]);
        expect(integrity(join(folder, "data", "grok2api.db"))).toEqual({ integrity_check: "ok" });

        running = await start(folder, simulator.url);
        const safeMs = killedMs - INTERVAL_MS - SLACK_MS;
        safe.push(...sent.slice(first).filter(({ answeredMs }) => (answeredMs ?? killedMs) < safeMs));
        expect(safe.length).toBeGreaterThan(100 * (round + 1));
        const ids = await rowsOf(running.url, key.id);
        const kept = new Set(ids);
        expect(kept.size).toBe(ids.length);
        expect(safe.filter(({ id }) => !kept.has(id))).toEqual([]);
        const known = new Set(sent.map(({ id }) => id));
        expect(ids.filter((id) => !known.has(id))).toEqual([]);
        const totals = await admin(running.url, `/reports/series?dimension=key&value=${key.id}&span=hour`);
        const points = totals.data as { requests: number }[];
        expect(points.reduce((sum, { requests }) => sum + requests, 0)).toBe(ids.length);

        const counted = (await admin(running.url, `/keys/${key.id}`)).data.usage_today.chat_used as number;
        expect(counted).toBeGreaterThanOrEqual(safe.length);
        expect(counted).toBeGreaterThanOrEqual(countedBefore);
        expect(counted).toBeLessThanOrEqual(sent.length);
        countedBefore = counted;
        const answered = sent.filter(({ answeredMs }) => answeredMs !== null).length;
        console.log(`round ${round}: ${answered} answered, ${ids.length} rows, ${counted} counted`);
      }
      running.child.kill("SIGTERM");
      await running.child.exited;
    } finally {
      await simulator.stop(true);
      rmSync(folder, { recursive: true, force: true });
    }
  },
  { timeout: 90_000 },
);
