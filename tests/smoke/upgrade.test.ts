// Upgrades: the data folder of a version of each shape of the database, made by that version's own program
// (scripts/release-database.ts), opened by the present one. Everything must still be there for the operator and for callers,
// a copy of the former database must lie beside it, and the way back must be refused with words.
import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { migrations } from "../../src/storage/migrations.ts";
import { emptyFolder, type Folder, type Gateway, runBinary, startGateway } from "../support/binary.ts";
import { mergeSettings, tomlOf, upstreamAt } from "../support/trial.ts";

const fixtures = join(import.meta.dir, "../fixtures/databases");
type Json = ReturnType<typeof JSON.parse>;

const databaseIn = (folder: Folder): string => join(folder.path, "data/grok2api.db");

function versionOf(path: string): number {
  using database = new Database(path, { readonly: true });
  using pragma = database.query<{ user_version: number }, []>("PRAGMA user_version");
  return pragma.get()?.user_version ?? -1;
}

/** Names of all documents. */
function documentsOf(path: string): string[] {
  using database = new Database(path, { readonly: true });
  using rows = database.query<{ name: string }, []>(
    "SELECT collection || '/' || id AS name FROM documents ORDER BY collection, id",
  );
  return rows.all().map(({ name }) => name);
}

function pickEach(list: Json[], fields: readonly string[]): Json[] {
  return list.map((entry) => Object.fromEntries(fields.map((field) => [field, entry[field]])));
}

/** What time alone must not change. */
const accountFields = [
  ...["id", "token", "pool", "tier", "status", "tags", "note", "use_count", "fail_count", "created_at", "last_used_at"],
];
const keyFields = [
  ...["id", "display_key", "name", "note", "is_active", "status", "created_at", "expires_at", "models", "rpm"],
  ...["concurrency", "chat_limit", "image_limit", "daily_tokens", "last_used_at"],
];
const requestFields = [
  "seq",
  "id",
  "time",
  "ended",
  "route",
  "key",
  "key_name",
  "model",
  "served",
  "mode",
  "account",
].concat([
  "stream",
  "status",
  "outcome",
  "code",
  "attempts",
  "total_ms",
  "tokens_in",
  "tokens_out",
  "images",
  "videos",
]);

describe.each([
  ["first", 1],
  ["second", 2],
])("from the %s shape of the database", (name, version) => {
  let simulator: Simulator;
  let folder: Folder;
  let gateway: Gateway;
  let known: Json;
  let before: string[];

  const get = async (path: string, credential: string = known.admin_password): Promise<Json> => {
    const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${credential}` } });
    expect(answer.status).toBe(200);
    return answer.json();
  };

  beforeAll(async () => {
    simulator = createSimulator({ port: 0, tokenDelayMs: 0, mediaDelayMs: 0 });
    folder = emptyFolder();
    known = JSON.parse(readFileSync(join(fixtures, `${name}.json`), "utf8"));
    mkdirSync(join(folder.path, "data"));
    const unpack = Bun.spawnSync(["tar", "-xzf", join(fixtures, `${name}.tar.gz`), "-C", join(folder.path, "data")]);
    expect(unpack.exitCode).toBe(0);
    expect(versionOf(databaseIn(folder))).toBe(version);
    before = documentsOf(databaseIn(folder));
    const settings = mergeSettings(upstreamAt(simulator.url), {
      app: { app_key: known.admin_password, api_key: [known.configured_key] },
      // The fixture grows older than what is kept by default.
      journal: { retention_days: 3650, hourly_days: 3650, daily_days: 36_500 },
      responses: { retention_hours: 87_600 },
    });
    folder.write("data/config.toml", tomlOf(settings));
    gateway = await startGateway({ folder });
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await simulator.stop(true);
    folder[Symbol.dispose]();
  });

  test("a whole copy is made before, readable for the owner alone", () => {
    const copy = `${databaseIn(folder)}.v${version}.bak`;
    expect(versionOf(copy)).toBe(version);
    expect(documentsOf(copy)).toEqual(before);
    expect(statSync(copy).mode & 0o077).toBe(0);
    expect(versionOf(databaseIn(folder))).toBe(migrations.length);
  });

  test("no document is lost", () => {
    expect(before.length).toBeGreaterThan(15);
    expect(documentsOf(databaseIn(folder))).toEqual(expect.arrayContaining(before));
  });

  test("accounts keep pool, state, tags, note and counts", async () => {
    const now = await get("/api/v1/admin/tokens");
    for (const pool of ["ssoBasic", "ssoSuper"]) {
      expect(pickEach(now[pool], accountFields)).toEqual(pickEach(known.accounts[pool], accountFields));
    }
    const [first, , third] = now.ssoBasic;
    expect(first.note).toBe("bought in spring, 续费");
    expect(third.status).toBe("disabled");
  });

  test("settings that the admin stored", async () => {
    expect(await get("/api/v1/admin/config")).toMatchObject(known.settings);
  });

  test("client keys keep name, limits and secret", async () => {
    const { data } = await get("/api/v1/admin/keys");
    expect(pickEach(data, keyFields)).toEqual(pickEach(known.keys.data, keyFields));
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${known.client_key}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "grok-4-fast", messages: [{ role: "user", content: "Hello!" }] }),
    });
    expect(answer.status).toBe(200);
    await answer.text();
    const refused = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: "Bearer sk-another" } });
    expect(refused.status).toBe(401);
  });

  test("stored files, a finished clip and a stored response", async () => {
    const files = await get("/api/v1/admin/cache/list");
    const fields = ["name", "size_bytes", "view_url"];
    const byName = (list: Json[]) => pickEach(list, fields).toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(byName(files.items)).toEqual(byName(known.files.items));
    const picture = await fetch(`${gateway.url}${known.picture}`);
    expect(`${picture.status} ${picture.headers.get("content-type")}`).toBe("200 image/jpeg");
    const { id } = known.video_job;
    expect(await get(`/v1/videos/${id}`, known.client_key)).toMatchObject(known.video_job);
    const clip = await fetch(`${gateway.url}/v1/videos/${id}/content`, {
      headers: { authorization: `Bearer ${known.client_key}` },
    });
    expect(`${clip.status} ${clip.headers.get("content-type")}`).toBe("200 video/mp4");
    expect((await clip.arrayBuffer()).byteLength).toBeGreaterThan(50_000);
    expect(await get(`/v1/responses/${known.response}`, known.configured_key)).toMatchObject({
      id: known.response,
      status: "completed",
    });
  });

  test("the audit", async () => {
    const { items } = await get("/api/v1/admin/audit");
    expect(known.audit.items.length).toBe(8);
    expect(items).toEqual(expect.arrayContaining(known.audit.items));
  });

  // The first shape had none.
  if (version < 2) return;
  test("the journal and what it adds up to", async () => {
    const { items } = await get("/api/v1/admin/requests?limit=200");
    const kept = new Map<string, Json>(items.map((item: Json) => [item.id, item]));
    expect(known.requests.items.length).toBeGreaterThan(5);
    for (const [index, wanted] of pickEach(known.requests.items, requestFields).entries()) {
      expect(pickEach([kept.get(known.requests.items[index].id)], requestFields)).toEqual([wanted]);
    }
    const [newest, last] = [items[0], items.at(-1)];
    const to = Date.parse(newest.ended) + 1;
    const from = Date.parse(last.time) - 3_600_000;
    const top = await get(`/api/v1/admin/reports/top?from=${from}&to=${to}&dimension=model&by=requests`);
    for (const { name: model, requests, images, tokens_out } of known.totals.data) {
      const found = top.data.find((row: Json) => row.name === model);
      expect(found?.requests).toBeGreaterThanOrEqual(requests);
      expect(found?.images).toBe(images);
      expect(found?.tokens_out).toBeGreaterThanOrEqual(tokens_out);
    }
  });
});

test("backward is refused with the way out, and the newer database stays as it is", async () => {
  using own = emptyFolder();
  await using gateway = await startGateway({ folder: own });
  expect(await gateway.stop()).toBe(0);
  {
    using newer = new Database(databaseIn(own));
    newer.run(`PRAGMA user_version = ${migrations.length + 1}`);
    newer.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }
  const before = Bun.hash(readFileSync(databaseIn(own)));
  const run = await runBinary(["serve"], { folder: own, env: { SERVER_HOST: "127.0.0.1", SERVER_PORT: "0" } });
  expect(run.exitCode).toBe(1);
  expect(run.output).toMatch(/written by a newer version[\s\S]*restore the backup copy/);
  expect(Bun.hash(readFileSync(databaseIn(own)))).toBe(before);
  expect(existsSync(`${databaseIn(own)}.v${migrations.length + 1}.bak`)).toBe(false);
});
