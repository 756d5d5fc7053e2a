// The contract of a journal; every driver passes the same tests.
import { afterEach, describe, expect, test } from "bun:test";
import { Database } from "bun:sqlite";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryJournal } from "../../src/storage/memory-journal.ts";
import type { Clock } from "../../src/lib/clock.ts";
import type { Journal, JournalFilter, JournalPage, JournalRow } from "../../src/storage/port.ts";
import { migrations } from "../../src/storage/migrations.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const openSql = (clock?: Pick<Clock, "monotonic" | "sleep">): Journal => {
  const folder = mkdtempSync(join(tmpdir(), "journal-"));
  const store = openSqlite({ path: join(folder, "test.db"), ...(clock ? { clock } : {}) });
  closers.push(() => rmSync(folder, { recursive: true, force: true }), store.close);
  return store.journal;
};

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 7, 3);

const row = (more: Partial<JournalRow> = {}): JournalRow => ({
  id: "req_1",
  endMs: START,
  route: "/v1/chat/completions",
  key: "key_a",
  model: "grok-4",
  served: "grok-4",
  mode: "auto",
  account: "acc_1",
  stream: false,
  status: 200,
  outcome: "finished",
  code: null,
  attempts: [{ account: "acc_1", startMs: 0.5, ms: 200, code: null, reason: null }],
  firstByteMs: 100.5,
  totalMs: 200.5,
  tokensIn: 10,
  tokensOut: 20,
  tokensReasoning: 5,
  tokensEstimated: true,
  images: 0,
  videos: 0,
  costTicks: 5,
  ...more,
});

const append = (journal: Journal, rows: readonly JournalRow[], dayOffsetMs = 0) =>
  journal.append(rows, { dayOffsetMs });
const FOREVER = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
const KEEP_ALL = { beforeMs: 0, maxBytes: 1e12, hoursBeforeMs: 0, daysBeforeMs: 0 };

describe.each([
  ["memory", createMemoryJournal],
  ["sqlite", openSql],
] as [string, () => Journal][])("%s", (_, open) => {
  test("is empty at first", async () => {
    const journal = open();
    expect(await journal.search({}, { limit: 5 })).toEqual({ rows: [], next: null });
    expect(await journal.series({ span: "hour", dimension: "all", value: "", ...FOREVER })).toEqual([]);
    expect(await journal.top({ span: "day", dimension: "key", by: "requests", limit: 3, ...FOREVER })).toEqual([]);
    expect((await journal.size()).rows).toBe(0);
    expect(await journal.prune(KEEP_ALL)).toEqual({ rows: 0, rollups: 0 });
  });

  test("gives rows back as they were, newest first, page by page", async () => {
    const journal = open();
    const full = row({
      id: "req_9",
      stream: true,
      code: "upstream_cut",
      outcome: "upstream-cut",
      images: 2,
      videos: 1,
    });
    const bare = row({
      id: "req_0",
      model: null,
      served: null,
      mode: null,
      account: null,
      attempts: [],
      firstByteMs: null,
    });
    await append(journal, [bare, row(), full]);
    const first = await journal.search({}, { limit: 2 });
    const seq = expect.any(Number) as unknown as number;
    const kept = (one: JournalRow) => ({ ...one, seq });
    expect(first.rows).toEqual([full, row()].map(kept));
    const second = await journal.search({}, { limit: 2, before: first.next ?? 0 });
    expect(second.rows).toEqual([bare].map(kept));
    expect(second.next).toBeNull();
  });

  test("keeps the order of ending also when the clock goes back", async () => {
    const journal = open();
    await append(journal, [row({ id: "a", endMs: START + 5 })]);
    await append(journal, [row({ id: "b", endMs: START }), row({ id: "c", endMs: START })]);
    const { rows } = await journal.search({}, { limit: 9 });
    expect(rows.map(({ id }) => id)).toEqual(["c", "b", "a"]);
    expect(new Set(rows.map(({ seq }) => seq)).size).toBe(3);
  });

  test.each<[string, JournalFilter, string]>([
    ["id", { id: "x" }, "x"],
    ["route", { route: "/v1/messages" }, "x"],
    ["key", { key: "key_x" }, "x"],
    ["model as asked", { model: "alias" }, "x"],
    ["model as served", { model: "grok-3" }, "x"],
    ["account", { account: "acc_x" }, "x"],
    ["outcome", { outcome: "failed" }, "x"],
    ["code", { code: "upstream_error" }, "x"],
    ["stream", { stream: true }, "x"],
    ["status", { status: 502 }, "x"],
    ["class of status", { status: 5 }, "x"],
    ["time from", { fromMs: START + 1 }, "x"],
    ["time to", { toMs: START + 1 }, "y"],
    ["slowness", { slowerThanMs: 1000 }, "x"],
    ["attempts", { retried: true }, "x"],
    ["one attempt", { retried: false }, "y"],
    ["text in any capitalisation", { text: "ACC_X" }, "x"],
    ["text with a wildcard's letters", { text: "acc%x" }, ""],
    ["several at once", { key: "key_x", stream: false }, ""],
    ["none", {}, "xy"],
  ])("finds by %s", async (_name, filter, ids) => {
    const journal = open();
    const attempt = { account: "acc_x", startMs: 0, ms: 1, code: "upstream_error", reason: "503" };
    await append(journal, [
      row({ id: "y" }),
      row({
        ...{ id: "x", endMs: START + 10, route: "/v1/messages", key: "key_x", model: "alias", served: "grok-3" },
        ...{ account: "acc_x", outcome: "failed", code: "upstream_error", stream: true, status: 502, totalMs: 2000 },
        attempts: [attempt, attempt],
      }),
    ]);
    const { rows } = await journal.search(filter, { limit: 9 });
    expect(rows.map(({ id }) => id).join("")).toBe(ids);
  });

  test("adds up by hour and day, in total and for each model, key and account", async () => {
    const journal = open();
    await append(journal, [
      row(),
      row({ endMs: START + HOUR, key: "key_b", outcome: "failed", status: 502, account: null }),
    ]);
    await append(journal, [
      row({ endMs: START + DAY, outcome: "client-closed", firstByteMs: null, images: 3 }),
      row({ endMs: START + DAY, served: null, model: "nonsense", outcome: "failed", status: 404 }),
    ]);
    const hours = await journal.series({ span: "hour", dimension: "all", value: "", ...FOREVER });
    expect(hours.map(({ startMs, requests }) => [startMs - START, requests])).toEqual([
      [0, 1],
      [HOUR, 1],
      [DAY, 2],
    ]);
    const days = await journal.series({ span: "day", dimension: "all", value: "", ...FOREVER });
    expect(days).toEqual([
      {
        ...{ startMs: START, requests: 2, served: 1, failed: 1, closed: 0, tokensIn: 20, tokensOut: 40 },
        ...{ tokensReasoning: 10, images: 0, videos: 0, costTicks: 10, firstBytes: 2, firstByteMs: 201, totalMs: 401 },
      },
      {
        ...{ startMs: START + DAY, requests: 2, served: 0, failed: 1, closed: 1, tokensIn: 20, tokensOut: 40 },
        ...{
          tokensReasoning: 10,
          images: 3,
          videos: 0,
          costTicks: 10,
          firstBytes: 1,
          firstByteMs: 100.5,
          totalMs: 401,
        },
      },
    ]);
    const top = async (dimension: "model" | "key" | "account") =>
      (await journal.top({ span: "day", dimension, by: "requests", limit: 9, ...FOREVER })).map(
        ({ value, requests }) => [value, requests],
      );
    expect(await top("model")).toEqual([
      ["grok-4", 3],
      ["unknown", 1],
    ]);
    expect(await top("key")).toEqual([
      ["key_a", 3],
      ["key_b", 1],
    ]);
    expect(await top("account")).toEqual([["acc_1", 3]]);
    const one = await journal.series({ span: "day", dimension: "key", value: "key_b", ...FOREVER });
    expect(one.map(({ startMs, failed }) => [startMs, failed])).toEqual([[START, 1]]);
    const range = { fromMs: START + DAY, toMs: START + 2 * DAY };
    expect((await journal.top({ span: "day", dimension: "key", by: "images", limit: 1, ...range }))[0]).toMatchObject({
      ...{ value: "key_a", images: 3, requests: 2 },
    });
  });

  test("begins the day where the operator does", async () => {
    const journal = open();
    const offset = 8 * HOUR;
    await append(journal, [row({ endMs: START + 15 * HOUR }), row({ endMs: START + 17 * HOUR })], offset);
    const days = await journal.series({ span: "day", dimension: "all", value: "", ...FOREVER });
    expect(days.map(({ startMs }) => startMs - START)).toEqual([-8 * HOUR, 16 * HOUR]);
  });

  test("forgets what is old or too much, and keeps what it added up to", async () => {
    const journal = open();
    await append(
      journal,
      Array.from({ length: 1500 }, (_unused, index) => row({ id: `req_${index}`, endMs: START + index * 1000 })),
    );
    expect(await journal.prune({ ...KEEP_ALL, beforeMs: START + 500_000 })).toEqual({ rows: 500, rollups: 0 });
    expect((await journal.search({}, { limit: 2000 })).rows).toHaveLength(1000);
    const { rows, bytes } = await journal.size();
    expect(rows).toBe(1000);
    const { rows: gone } = await journal.prune({ ...KEEP_ALL, maxBytes: bytes / 2 });
    expect(gone).toBeWithin(490, 511);
    const left = (await journal.search({}, { limit: 2000 })).rows;
    expect(left[0]?.id).toBe("req_1499");
    expect(left).toHaveLength(1000 - gone);
    expect((await journal.series({ span: "day", dimension: "all", value: "", ...FOREVER }))[0]?.requests).toBe(1500);
    const hours = await journal.prune({ ...KEEP_ALL, hoursBeforeMs: START + DAY });
    expect(hours).toEqual({ rows: 0, rollups: 4 });
    expect(await journal.series({ span: "hour", dimension: "all", value: "", ...FOREVER })).toEqual([]);
    expect(await journal.clear()).toBe(1000 - gone);
    expect((await journal.series({ span: "day", dimension: "all", value: "", ...FOREVER }))[0]?.requests).toBe(1500);
  });
});

test("rows and roll-ups outlive the process, and new rows go on after the old ones", async () => {
  const folder = mkdtempSync(join(tmpdir(), "journal-"));
  const path = join(folder, "test.db");
  const first = openSqlite({ path });
  await append(first.journal, [row({ id: "old", endMs: START + 1000 })]);
  await first.close();
  const second = openSqlite({ path });
  await append(second.journal, [row({ id: "new", endMs: START })]);
  const { rows } = await second.journal.search({}, { limit: 9 });
  expect(rows.map(({ id }) => id)).toEqual(["new", "old"]);
  await second.close();
  rmSync(folder, { recursive: true, force: true });
});

test("a search through many rows lets other work go on", async () => {
  const journal = openSql();
  for (let batch = 0; batch < 20; batch++) {
    await append(
      journal,
      Array.from({ length: 1_000 }, (_, index) => row({ id: `r${index}`, endMs: START + batch * 1_000 + index })),
    );
  }
  let turns = 0;
  const count = () => {
    turns++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  expect((await journal.search({ code: "none_such" }, { limit: 5 })).rows).toEqual([]);
  clearImmediate(next);
  expect(turns).toBeGreaterThanOrEqual(4);
});

test("a file from before the journal gives its freed pages back as well", async () => {
  const folder = mkdtempSync(join(tmpdir(), "journal-"));
  const path = join(folder, "test.db");
  // As such files were made: without a way to free pages a few at a time.
  const older = new Database(path, { create: true });
  older.run(migrations[0] ?? "");
  older.run("PRAGMA application_id = 1194475856");
  older.run("PRAGMA user_version = 1");
  older.run("INSERT INTO documents VALUES ('c', 'a', 1, '1')");
  older.close();
  const store = openSqlite({ path });
  const rows = Array.from({ length: 5_000 }, (_, index) => row({ id: `r${index}`, endMs: START + index }));
  await append(store.journal, rows);
  await store.journal.clear();
  expect((await store.get("c", "a"))?.body).toBe(1);
  await store.close();
  expect(statSync(path).size).toBeLessThan(200_000);
  rmSync(folder, { recursive: true, force: true });
});

const thousands = async (
  journal: Journal,
  count: number,
  more: (index: number) => Partial<JournalRow> = () => ({}),
) => {
  for (let first = 0; first < count; first += 1_000) {
    await append(
      journal,
      Array.from({ length: 1_000 }, (_, offset) => {
        const index = first + offset;
        return row({ id: `r${index}`, endMs: START + index * 1_000, ...more(index) });
      }),
    );
  }
};

describe("a search that takes long", () => {
  // Every look at the clock finds it two minutes later.
  const slowClock = () => {
    let now = 0;
    return { monotonic: () => (now += 120_000), sleep: async () => {} };
  };

  test("comes back with what it has, and its parts together find everything once", async () => {
    const journal = openSql(slowClock());
    await thousands(journal, 20_000, (index) => (index % 3_000 === 5 ? { code: "rare" } : {}));
    const found: string[] = [];
    let before: number | null = Number.MAX_SAFE_INTEGER;
    let parts = 0;
    while (before !== null) {
      const page: JournalPage = await journal.search({ code: "rare" }, { before, limit: 50 });
      found.push(...page.rows.map(({ id }) => id));
      before = page.next;
      parts++;
    }
    expect(found).toEqual(["r18005", "r15005", "r12005", "r9005", "r6005", "r3005", "r5"]);
    expect(parts).toBeGreaterThanOrEqual(5);
  });

  test("for an id needs no walk, however old the request is and however often the id was used", async () => {
    const journal = openSql(slowClock());
    await thousands(journal, 20_000, (index) => (index % 4_000 === 7 ? { id: "mine" } : {}));
    const first = await journal.search({ id: "mine" }, { limit: 3 });
    expect(first.rows.map(({ endMs }) => (endMs - START) / 1_000)).toEqual([16_007, 12_007, 8_007]);
    const second = await journal.search({ id: "mine" }, { before: first.next ?? 0, limit: 3 });
    expect(second.rows.map(({ endMs }) => (endMs - START) / 1_000)).toEqual([4_007, 7]);
    expect(second.next).toBeNull();
    expect((await journal.search({ id: "nobody's" }, { limit: 3 })).rows).toEqual([]);
  });
});

describe("a clean-up", () => {
  test("rests many times longer than it works", async () => {
    let rested = 0;
    const journal = openSql({
      monotonic: () => performance.now(),
      sleep: async (ms) => {
        rested += ms;
      },
    });
    await thousands(journal, 10_000);
    const began = performance.now();
    const { rows } = await journal.prune({ ...KEEP_ALL, beforeMs: START + 8_000_000 });
    const worked = performance.now() - began;
    expect(rows).toBe(8_000);
    expect(rested).toBeGreaterThan(worked * 8);
  });

  test("that is cut short by the end of the program ends without an error and is done another time", async () => {
    const folder = mkdtempSync(join(tmpdir(), "journal-"));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "test.db");
    let steps = 0;
    const close = () => store.close();
    const sleep = async () => {
      if (++steps === 10) await close();
    };
    const store = openSqlite({ path, clock: { monotonic: () => 0, sleep } });
    await thousands(store.journal, 3_000);
    const cut = await store.journal.prune({ ...KEEP_ALL, beforeMs: START + 2_000_000 });
    expect(cut.rows).toBeWithin(1, 2_000);
    const again = openSqlite({ path });
    closers.push(again.close);
    const rest = await again.journal.prune({ ...KEEP_ALL, beforeMs: START + 2_000_000 });
    expect(cut.rows + rest.rows).toBe(2_000);
    expect((await again.journal.size()).rows).toBe(1_000);
  });
});
