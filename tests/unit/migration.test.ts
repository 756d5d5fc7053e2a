import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAudit, type Audit } from "../../src/access/audit.ts";
import type { Pool } from "../../src/accounts/pool.ts";
import { createMigration, type Migration } from "../../src/admin/migration.ts";
import { reportLines, tookAnything } from "../../src/admin/migration-report.ts";
import type { Environment } from "../../src/config/environment.ts";
import { createLiveConfig, type LiveConfig } from "../../src/config/live.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createMediaStore, type MediaStore } from "../../src/media/store.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import type { Documents } from "../../src/storage/port.ts";
import { readForeignTable } from "../../src/storage/sqlite.ts";
import { rejection } from "../support/events.ts";
import { manualClock, newPool } from "./accounts-fixtures.ts";

const FIXTURES = join(import.meta.dir, "../fixtures/predecessors");
const PREDECESSORS = ["first", "first-with-keys", "rust", "python-accounts", "python-playground", "sqlite"] as const;
const by = { id: "admin", address: "local" };
const PNG = "\x89PNG\r\n\x1a\n";
const MP4 = "\0\0\0\x10ftypisom\0\0\0\0";

let place = "";
let own = "";
let documents: Documents;
let audit: Audit;
let pool: Pool;
let live: LiveConfig;
let media: MediaStore;
let migration: Migration;

const open = async (environment: Environment = {}, file = "") => {
  const clock = manualClock();
  documents = createMemoryDocuments();
  audit = createAudit({ documents, clock });
  pool = newPool({ documents, clock });
  if (file !== "") writeFileSync(join(own, "config.toml"), file);
  live = await createLiveConfig({ documents, path: join(own, "config.toml"), environment, log: silentLog });
  media = createMediaStore({
    directory: join(own, "tmp"),
    documents,
    clock,
    log: silentLog,
    limits: () => ({
      maxFileBytes: { image: 1e6, video: 1e6 },
      maxTotalBytes: 1e9,
      minFreeBytes: 0,
      autoClean: true,
    }),
  });
  migration = createMigration({
    ...{ ownFolder: own, pool, live, media, documents, audit, clock, log: silentLog },
    readTable: readForeignTable,
  });
};

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), "migration-"));
  own = join(place, "own");
  mkdirSync(own);
  await open();
});
afterEach(async () => {
  await pool.close();
  rmSync(place, { recursive: true });
});

const WINDOW =
  '{"remaining": 12, "total": 30, "window_seconds": 86400, "reset_at": 1785700000000, "synced_at": 1785600000000, "source": 1}';

/** As the program with the database made its table. */
const writeAccountsDb = (folder: string) => {
  const database = new Database(join(folder, "accounts.db"));
  database.run("PRAGMA journal_mode = WAL");
  database.run(`CREATE TABLE accounts (
    token TEXT NOT NULL PRIMARY KEY, pool TEXT NOT NULL DEFAULT 'basic', status TEXT NOT NULL DEFAULT 'active',
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, tags TEXT NOT NULL DEFAULT '[]',
    quota_auto TEXT NOT NULL DEFAULT '{}', quota_fast TEXT NOT NULL DEFAULT '{}', quota_expert TEXT NOT NULL DEFAULT '{}',
    quota_heavy TEXT NOT NULL DEFAULT '{}', usage_use_count INTEGER NOT NULL DEFAULT 0,
    usage_fail_count INTEGER NOT NULL DEFAULT 0, usage_sync_count INTEGER NOT NULL DEFAULT 0, last_use_at INTEGER,
    last_fail_at INTEGER, last_fail_reason TEXT, last_sync_at INTEGER, last_clear_at INTEGER, state_reason TEXT,
    deleted_at INTEGER, ext TEXT NOT NULL DEFAULT '{}', revision INTEGER NOT NULL DEFAULT 0)`);
  const insert = (fields: Record<string, string | number>) =>
    database.run(
      `INSERT INTO accounts (${Object.keys(fields).join(", ")}) VALUES (${Object.keys(fields)
        .map(() => "?")
        .join(", ")})`,
      Object.values(fields),
    );
  const dates = { created_at: 1785000000000, updated_at: 1785500000000 };
  insert({
    token: "sim-ok-sqlite-0001",
    ...dates,
    tags: '["nsfw", "home"]',
    quota_fast: WINDOW,
    usage_use_count: 41,
    last_use_at: 1785400000000,
    last_clear_at: 1785300000000,
  });
  insert({
    token: "sim-super-ok-sqlite-0002",
    pool: "super",
    status: "cooling",
    ...dates,
    ext: '{"cooldown_until": 4102444800000}',
  });
  insert({
    token: "sim-ok-sqlite-0003",
    pool: "basic",
    status: "disabled",
    ...dates,
    usage_fail_count: 2,
    last_fail_reason: "403",
  });
  insert({ token: "sim-ok-sqlite-deleted", ...dates, deleted_at: 1785450000000 });
  // Left open, so that the rows are still in the side file.
  return database;
};

/** A copy of a predecessor's folder with pictures, clips and, where it had one, the database. */
const predecessor = (name: (typeof PREDECESSORS)[number], media_place = "tmp"): string => {
  const folder = join(place, name, "data");
  cpSync(join(FIXTURES, name), folder, { recursive: true });
  const [pictures, clips] =
    name === "sqlite" ? ["files/images", "files/videos"] : [`${media_place}/image`, `${media_place}/video`];
  for (const one of [pictures, clips]) mkdirSync(join(folder, one), { recursive: true });
  writeFileSync(join(folder, pictures, "users-1-generated-2-image.png"), `${PNG}${name}`, "latin1");
  writeFileSync(join(folder, clips, "users-1-generated-3-generated_video.mp4"), `${MP4}${name}`, "latin1");
  mkdirSync(join(folder, ".locks"));
  mkdirSync(join(folder, "logs"));
  return folder;
};

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((one) => one.isFile())
    .map((one) => `${one.parentPath}/${one.name} ${statSync(`${one.parentPath}/${one.name}`).mtimeMs}`)
    .toSorted();

const byToken = (token: string) => pool.all().find((one) => one.token === token);
/** Everything that a second run must leave as it is. */
const state = async () => ({
  accounts: pool.all().toSorted((one, other) => (one.id < other.id ? -1 : 1)),
  settings: (await documents.get("settings", "config"))?.body,
  aside: (await documents.list("imports")).map(({ id, body }) => ({ id, body })),
  media: filesOf(join(own, "tmp")),
});

describe.each(PREDECESSORS)("the folder %s", (name) => {
  test("is taken over, is left as it was, and changes nothing a second time", async () => {
    const folder = predecessor(name, name.startsWith("first") ? "temp" : "tmp");
    const database = name === "sqlite" ? writeAccountsDb(folder) : null;
    const before = filesOf(folder);
    const report = await migration.take(join(place, name), by);
    expect(tookAnything(report)).toBe(true);
    expect(report.accounts.added).toBeGreaterThan(0);
    expect(report.settings.taken.length).toBeGreaterThan(0);
    expect(report.media).toMatchObject({ files: 2, known: 0, left: [] });
    expect(report.left.map(({ reason }) => reason)).not.toContain("it is nothing that is known");
    expect(await media.find("image", "users-1-generated-2-image.png")).not.toBeNull();
    expect(await media.find("video", "users-1-generated-3-generated_video.mp4")).not.toBeNull();
    expect(filesOf(folder)).toEqual(before);

    const first = await state();
    const again = await migration.take(join(place, name), by);
    expect(again.accounts).toMatchObject({ added: 0, updated: 0, unchanged: report.accounts.added });
    expect(again.settings.taken).toEqual([]);
    expect(again.media).toMatchObject({ files: 0, known: 2 });
    expect(await state()).toEqual(first);
    database?.close();
  });

  test("tells no secret, neither in the report nor in the audit", async () => {
    const folder = predecessor(name);
    writeAccountsDb(folder).close();
    const report = await migration.take(folder, by);
    const told = JSON.stringify([report, reportLines(report), await audit.list({ page: 1, pageSize: 50 })]);
    const secret = /sim-(super-)?ok-|sk-|invented-|old and long password|playground-admin-pass/;
    expect(told.match(secret)?.[0]).toBeUndefined();
  });
});

describe("accounts", () => {
  test("of the earliest shape keep tags, notes, counts and times", async () => {
    await migration.take(predecessor("first"), by);
    expect(byToken("sim-ok-first-basic-0001")).toMatchObject({
      pool: "ssoBasic",
      status: "active",
      quota: 57,
      heavy_quota: -1,
      fail_count: 1,
      created_at: 1761800000000,
      last_fail_at: 1761900000000,
      last_fail_reason: "429 too many requests",
      tags: ["work", "两"],
      note: "first basic",
    });
    expect(byToken("sim-ok-first-basic-0002")).toMatchObject({ status: "expired", fail_count: 3, quota: -1 });
    expect(byToken("sim-super-ok-first-0003")).toMatchObject({
      pool: "ssoSuper",
      tier: "super",
      heavy_quota: 18,
      tags: ["paid"],
    });
  });

  test("that rest go on resting", async () => {
    await migration.take(predecessor("first-with-keys"), by);
    expect(byToken("sim-ok-keys-basic-0001")).toMatchObject({
      status: "cooling",
      cooldown_until: 4102444800000,
      quota: 0,
    });
  });

  test("as objects and as bare texts are both read", async () => {
    await migration.take(predecessor("rust"), by);
    expect(byToken("sim-ok-rust-basic-0001")).toMatchObject({
      use_count: 17,
      quota: 63,
      created_at: 1770000000000,
      last_used_at: 1770100000000,
      last_sync_at: 1770090000000,
      last_asset_clear_at: 1770050000000,
      tags: ["nsfw"],
      note: "seventeen calls",
    });
    expect(byToken("sim-ok-rust-bare-0002")).toMatchObject({ pool: "ssoBasic", status: "active" });
    expect(byToken("sim-ok-rust-prefixed-0003")).toMatchObject({ status: "disabled", quota: 80 });
  });

  test("that stand there twice are one with all that is known; garbage is named and loses no row", async () => {
    const report = await migration.take(predecessor("python-accounts"), by);
    expect(report.accounts).toMatchObject({ added: 2 });
    expect(report.accounts.problems.length).toBe(3);
    expect(report.accounts.problems.join("\n")).toContain("token.json ssoBasic[2]: has no token");
    expect(byToken("sim-ok-accounts-0001")).toMatchObject({ use_count: 80, tags: ["again"] });
    expect(byToken("sim-super-ok-accounts-0002")).toMatchObject({ colour: "blue", use_count: 3, heavy_quota: 20 });
  });

  test("keep the names of an operator's own pools", async () => {
    await migration.take(predecessor("python-playground"), by);
    expect(byToken("sim-ok-playground-0004")).toMatchObject({ pool: "my own pool", quota: 10 });
    expect(byToken("sim-super-ok-playground-0003")).toMatchObject({ created_at: 1771500000000, use_count: 2 });
  });

  test("of a database are read from it and from its side file", async () => {
    const folder = predecessor("sqlite");
    const database = writeAccountsDb(folder);
    expect(existsSync(join(folder, "accounts.db-wal"))).toBe(true);
    const report = await migration.take(folder, by);
    database.close();
    expect(report.accounts).toMatchObject({ added: 3, problems: [] });
    expect(report.left).toContainEqual({ name: "accounts.db", reason: "1 of its accounts were deleted there" });
    expect(byToken("sim-ok-sqlite-0001")).toMatchObject({
      pool: "ssoBasic",
      tags: ["nsfw", "home"],
      use_count: 41,
      created_at: 1785000000000,
      last_used_at: 1785400000000,
      last_asset_clear_at: 1785300000000,
      windows: { fast: { remaining: 12, total: 30, source: "measured", reset_at: 1785700000000 } },
    });
    expect(byToken("sim-super-ok-sqlite-0002")).toMatchObject({
      pool: "ssoSuper",
      status: "cooling",
      cooldown_until: 4102444800000,
    });
    expect(byToken("sim-ok-sqlite-0003")).toMatchObject({ status: "disabled", fail_count: 2, last_fail_reason: "403" });
    expect(byToken("sim-ok-sqlite-deleted")).toBeUndefined();
  });

  test("that the operator has changed here since stay as they are", async () => {
    const folder = predecessor("rust");
    await migration.take(folder, by);
    const id = byToken("sim-ok-rust-basic-0001")?.id ?? "";
    await pool.disable([id]);
    await pool.setNote(id, "mine");
    await migration.take(folder, by);
    expect(pool.get(id)).toMatchObject({ status: "disabled", note: "mine", use_count: 17 });
  });

  test("leave their audit row in the same write", async () => {
    const writes: string[][] = [];
    const write = documents.write;
    documents.write = (changes) => {
      writes.push(changes.map(({ collection }) => collection));
      return write(changes);
    };
    await migration.take(predecessor("rust"), by);
    expect(writes.find((one) => one.includes("accounts"))).toEqual(["accounts", "accounts", "accounts", "audit"]);
  });
});

describe("settings", () => {
  test("of the earliest file are translated, and the password that everybody knows is not", async () => {
    const report = await migration.take(predecessor("first"), by);
    expect(live.current().app).toMatchObject({
      app_url: "https://first.example",
      api_key: ["sk-first-client-key"],
      thinking: false,
      image_format: "base64",
      filter_tags: ["xaiartifact", "xai:tool_usage_card"],
      x_statsig_id: "ZTpUeXBlRXJyb3I6IGludmVudGVk",
      app_key: "",
    });
    expect(live.current().proxy).toMatchObject({
      base_proxy_url: "socks5h://127.0.0.1:1080",
      cf_clearance: "invented-clearance-first",
    });
    expect(live.current().cache.limit_mb).toBe(1000);
    expect(report.settings.kept.find(({ name }) => name === "app.app_key")?.reason).toContain("shipped with");
    expect(report.settings.notes.join("\n")).toContain("grok.proxy_url is now called proxy.base_proxy_url");
    expect(report.settings.notes.join("\n")).toContain("proxy_pool_url is ignored");
  });

  test("of an operator's own password are taken, with a word about it", async () => {
    const report = await migration.take(predecessor("first-with-keys"), by);
    expect(live.current().app.app_key).toBe("an old and long password");
    expect(report.settings.notes.join("\n")).toContain("the old admin password is in force");
  });

  test("that are not allowed are refused by name, the others are taken", async () => {
    const report = await migration.take(predecessor("rust"), by);
    expect(report.settings.refused.map(({ name }) => name)).toEqual(["token.fail_threshold"]);
    expect(live.current().downstream).toMatchObject({ enable_responses: false, enable_images_nsfw: false });
    expect(live.current().token.refresh_interval_hours).toBe(6);
    expect(live.current().proxy.base_proxy_url).toBe("http://user:invented-proxy-secret@proxy.example:3128");
  });

  test("of two files are one, and the newer file wins", async () => {
    await migration.take(predecessor("python-accounts"), by);
    expect(live.current().app).toMatchObject({
      app_url: "https://accounts.example",
      temporary: true,
      api_key: ["sk-accounts-one", "sk-accounts-two"],
    });
    expect(live.current().cache.enable_auto_clean).toBe(false);
  });

  test("of the nested tree are translated", async () => {
    await migration.take(predecessor("sqlite"), by);
    expect(live.current()).toMatchObject({
      app: { disable_memory: false, custom_instruction: "Answer briefly." },
      proxy: { base_proxy_url: "http://egress.example:8080", cf_cookies: "cf_clearance=invented-clearance-sqlite" },
      token: { refresh_interval_hours: 24, max_inflight: 8 },
    });
  });

  test("that are made here in any way stay, each with the reason", async () => {
    await pool.close();
    await open({ GROK2API_APP_APP_URL: "https://here.example" }, "[token]\nrefresh_interval_hours = 3\n");
    await live.patch({
      downstream: { enable_responses: true },
      proxy: { max_retry: 1 },
      app: { dynamic_statsig: true, temporary: true },
    });
    await live.patch({ proxy: { base_proxy_url: "http://mine.example:1" } });
    const report = await migration.take(predecessor("rust"), by);
    expect(live.current().app.app_url).toBe("https://here.example");
    expect(live.current().token.refresh_interval_hours).toBe(3);
    expect(live.current().proxy.base_proxy_url).toBe("http://mine.example:1");
    const reasons = Object.fromEntries(report.settings.kept.map(({ name, reason }) => [name, reason]));
    expect(reasons).toMatchObject({
      "app.app_url": "is set by this installation's environment",
      "token.refresh_interval_hours": "is set in this installation's own file",
      "proxy.base_proxy_url": "was set on this installation's admin page",
    });
  });
});

describe("the rest of a folder", () => {
  test("client keys are kept whole for later, once", async () => {
    const folder = predecessor("python-accounts");
    const report = await migration.take(folder, by);
    await migration.take(folder, by);
    expect(report.aside).toEqual(["api_keys.json", "api_key_usage.json"]);
    const kept = (await documents.list("imports")).map(({ body }) => body as { name: string; text: string });
    expect(kept.map(({ name }) => name).toSorted()).toEqual(["api_key_usage.json", "api_keys.json"]);
    const keys = kept.find(({ name }) => name === "api_keys.json");
    expect(keys?.text).toBe(readFileSync(join(folder, "api_keys.json"), "utf8"));
  });

  test("statistics and logs are left, and so is what nobody knows", async () => {
    const folder = predecessor("first-with-keys");
    writeFileSync(join(folder, "holiday.txt"), "x");
    const left = (await migration.take(folder, by)).left.map(({ name }) => name);
    expect(left).toEqual(["holiday.txt", "logs", "logs.json", "stats.json"]);
  });

  test("media of the older places come too, and nothing that is no picture", async () => {
    const folder = predecessor("first", "temp");
    mkdirSync(join(folder, "tmp/image"), { recursive: true });
    writeFileSync(join(folder, "tmp/image/newer.png"), `${PNG}newer`, "latin1");
    writeFileSync(join(folder, "temp/image/page.png"), "<script>");
    writeFileSync(join(folder, "temp/image/users-1-generated-2-image.jpg"), "");
    const { media: taken } = await migration.take(folder, by);
    expect(taken).toMatchObject({ files: 3 });
    expect(taken.left.map(({ name }) => name).toSorted()).toEqual([
      "temp/image/page.png",
      "temp/image/users-1-generated-2-image.jpg",
    ]);
    expect(existsSync(join(folder, "temp/image/users-1-generated-2-image.png"))).toBe(true);
  });
});

describe("a poor folder", () => {
  const poor = (files: Record<string, string | Uint8Array>): string => {
    const folder = join(place, "poor");
    mkdirSync(folder);
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return folder;
  };

  test.each([
    ["an empty list", { "token.json": '{"ssoBasic": []}' }],
    ["an empty file", { "token.json": "" }],
    ["a cut list", { "token.json": '{"ssoBasic": ["sim-ok-cut-0001", "sim-ok-' }],
    ["a broken file of settings", { "config.toml": "[app\napp_key = " }],
    ["a database that is none", { "accounts.db": "not a database at all, but long enough to be looked at".repeat(20) }],
    ["an empty database", { "accounts.db": "" }],
    ["broken client keys", { "api_keys.json": "{" }],
  ] as const)("with %s loses nothing that is here", async (_what, files) => {
    await migration.take(predecessor("rust"), by);
    const before = await state();
    const report = await migration.take(poor(files), by);
    const after = await state();
    expect([after.accounts, after.settings, after.media]).toEqual([before.accounts, before.settings, before.media]);
    expect(report.accounts.added).toBe(0);
    const said =
      report.accounts.problems.length + report.left.length + report.settings.refused.length + report.aside.length;
    const nothingToSay = "token.json" in files && !files["token.json"].includes("cut");
    expect(said > 0).toBe(!nothingToSay);
  });

  test("that is none is refused with a word about what was looked for", async () => {
    const empty = join(place, "nothing");
    mkdirSync(empty);
    expect(String(await rejection(migration.take(empty, by)))).toContain("holds no data");
    expect(String(await rejection(migration.take(join(place, "missing"), by)))).toContain("is no folder");
  });
});

describe("this program's own folder", () => {
  const settle = () => {
    for (const kind of ["temp/image", "temp/video"]) mkdirSync(join(own, kind), { recursive: true });
    writeFileSync(join(own, "temp/image/users-1-image.png"), `${PNG}a`, "latin1");
    writeFileSync(join(own, "temp/image/page.png"), "<script>");
    writeAccountsDb(own).close();
    writeFileSync(join(own, "token.json"), '{"ssoBasic": ["sim-ok-own-token-0001"]}');
  };

  test("has its media moved and its database read once at the start; later starts find nothing new", async () => {
    settle();
    const report = await migration.takeOwn(by);
    expect(report?.accounts.added).toBe(3);
    expect(report?.media).toMatchObject({ files: 1, left: [{ name: "temp/image/page.png" }] });
    expect(readdirSync(join(own, "temp/image"))).toEqual(["page.png"]);
    expect(await media.find("image", "users-1-image.png")).not.toBeNull();
    await pool.remove(pool.all().map(({ id }) => id));
    expect(await migration.takeOwn(by)).toBeNull();
    expect(pool.size).toBe(0);
    writeFileSync(join(own, "temp/video/new.mp4"), `${MP4}new`, "latin1");
    expect((await migration.takeOwn(by))?.media.files).toBe(1);
  });

  test("that is fresh is not looked at again and again", async () => {
    expect(await migration.takeOwn(by)).toBeNull();
    expect(await documents.list("imports")).toEqual([]);
  });

  test("named by hand moves media and leaves the settings file alone, which is read anyway", async () => {
    settle();
    writeFileSync(join(own, "config.toml"), "[app]\napp_url = 'https://own.example'\n");
    const report = await migration.take(own, by);
    expect(report.settings.taken).toEqual([]);
    expect(report.accounts.added).toBe(4);
    expect(existsSync(join(own, "temp/image/users-1-image.png"))).toBe(false);
  });
});
