// The contract of a document store; every driver passes the same tests.
import { afterEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import type { DocumentChange, Documents } from "../../src/storage/port.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";

const folders: string[] = [];

function openTemporarySqlite(): Documents {
  const folder = mkdtempSync(join(tmpdir(), "documents-"));
  folders.push(folder);
  return openSqlite({ path: join(folder, "test.db") });
}

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const drivers: [string, () => Documents][] = [
  ["memory", createMemoryDocuments],
  ["sqlite", openTemporarySqlite],
];

const byId = (one: { id: string }, other: { id: string }): number => (one.id < other.id ? -1 : 1);

describe.each(drivers)("%s", (_, open) => {
  test("is empty at first", async () => {
    const documents = open();
    expect(await documents.list("accounts")).toEqual([]);
    expect(await documents.get("accounts", "a")).toBeNull();
    await documents.close();
  });

  test("keeps documents apart by collection and counts revisions of each", async () => {
    const documents = open();
    const first = await documents.write([
      { collection: "accounts", id: "a", body: { n: 1 } },
      { collection: "accounts", id: "b", body: [1, "two", null] },
      { collection: "jobs", id: "a", body: "text with 'quotes', 中文 and \u0000" },
    ]);
    expect(first).toEqual({ ok: true, revisions: [1, 1, 1] });
    const second = await documents.write([{ collection: "accounts", id: "a", body: { n: 2 } }]);
    expect(second).toEqual({ ok: true, revisions: [2] });
    expect((await documents.list("accounts")).toSorted(byId)).toEqual([
      { id: "a", revision: 2, body: { n: 2 } },
      { id: "b", revision: 1, body: [1, "two", null] },
    ]);
    expect(await documents.get("jobs", "a")).toEqual({
      id: "a",
      revision: 1,
      body: "text with 'quotes', 中文 and \u0000",
    });
    await documents.close();
  });

  test("writes over an expected revision only", async () => {
    const documents = open();
    const change = { collection: "c", id: "a" };
    expect(await documents.write([{ ...change, body: 1, expect: 0 }])).toEqual({ ok: true, revisions: [1] });
    expect(await documents.write([{ ...change, body: 2, expect: 0 }])).toEqual({ ok: false, conflicts: [change] });
    expect(await documents.write([{ ...change, body: 2, expect: 1 }])).toEqual({ ok: true, revisions: [2] });
    expect(await documents.write([{ ...change, body: 3, expect: 1 }])).toEqual({ ok: false, conflicts: [change] });
    expect(await documents.write([{ ...change, id: "b", body: 3, expect: 1 }])).toEqual({
      ok: false,
      conflicts: [{ ...change, id: "b" }],
    });
    expect(await documents.list("c")).toEqual([{ id: "a", revision: 2, body: 2 }]);
    await documents.close();
  });

  test("writes all or nothing and names every conflict", async () => {
    const documents = open();
    await documents.write([
      { collection: "c", id: "kept", body: "old" },
      { collection: "c", id: "removed", body: "old" },
    ]);
    const before = (await documents.list("c")).toSorted(byId);
    const changes: DocumentChange[] = [
      { collection: "c", id: "kept", body: "new" },
      { collection: "c", id: "new", body: "new" },
      { collection: "c", id: "stale", body: "new", expect: 4 },
      { collection: "c", id: "removed", remove: true },
      { collection: "c", id: "gone", remove: true, expect: 2 },
    ];
    expect(await documents.write(changes)).toEqual({
      ok: false,
      conflicts: [
        { collection: "c", id: "stale" },
        { collection: "c", id: "gone" },
      ],
    });
    expect((await documents.list("c")).toSorted(byId)).toEqual(before);
    await documents.close();
  });

  test("removes, with and without an expectation", async () => {
    const documents = open();
    const change = { collection: "c", id: "a" };
    expect(await documents.write([{ ...change, remove: true }])).toEqual({ ok: true, revisions: [0] });
    await documents.write([{ ...change, body: 1 }]);
    expect(await documents.write([{ ...change, remove: true, expect: 2 }])).toEqual({ ok: false, conflicts: [change] });
    expect(await documents.write([{ ...change, remove: true, expect: 1 }])).toEqual({ ok: true, revisions: [0] });
    expect(await documents.write([{ ...change, remove: true, expect: 0 }])).toEqual({ ok: true, revisions: [0] });
    expect(await documents.get("c", "a")).toBeNull();
    expect(await documents.write([{ ...change, body: 1, expect: 0 }])).toEqual({ ok: true, revisions: [1] });
    await documents.close();
  });

  test("lets later changes of a write see the earlier ones", async () => {
    const documents = open();
    const change = { collection: "c", id: "a" };
    const result = await documents.write([
      { ...change, body: 1, expect: 0 },
      { ...change, body: 2, expect: 1 },
      { ...change, remove: true, expect: 2 },
      { ...change, body: 3, expect: 0 },
    ]);
    expect(result).toEqual({ ok: true, revisions: [1, 2, 0, 1] });
    expect(await documents.get("c", "a")).toEqual({ id: "a", revision: 1, body: 3 });
    await documents.close();
  });

  test("hands out and takes in copies", async () => {
    const documents = open();
    const body = { tags: ["a"] };
    await documents.write([{ collection: "c", id: "a", body }]);
    body.tags.push("changed by the writer");
    const read = await documents.get("c", "a");
    expect(read?.body).toEqual({ tags: ["a"] });
    if (read !== null) read.body = "changed by the reader";
    expect((await documents.get("c", "a"))?.body).toEqual({ tags: ["a"] });
    await documents.close();
  });

  test("refuses a body that is not JSON and writes nothing beside it", async () => {
    const documents = open();
    const changes = [
      { collection: "c", id: "a", body: 1 },
      { collection: "c", id: "b", body: undefined },
    ];
    expect(documents.write(changes)).rejects.toThrow("c/b is not JSON");
    expect(documents.write([{ collection: "c", id: "c", body: 1n }])).rejects.toThrow();
    expect(await documents.list("c")).toEqual([]);
    expect(await documents.write([{ collection: "c", id: "a", body: 1 }])).toEqual({ ok: true, revisions: [1] });
    await documents.close();
  });

  test("takes an empty write", async () => {
    const documents = open();
    expect(await documents.write([])).toEqual({ ok: true, revisions: [] });
    await documents.close();
  });

  test("lets only one of two editors win", async () => {
    const documents = open();
    await documents.write([{ collection: "c", id: "a", body: "first" }]);
    const results = await Promise.all(
      ["one", "two"].map((body) => documents.write([{ collection: "c", id: "a", body, expect: 1 }])),
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(1);
    expect((await documents.get("c", "a"))?.revision).toBe(2);
    await documents.close();
  });

  test("refuses work after close and closes twice without harm", async () => {
    const documents = open();
    await documents.close();
    await documents.close();
    expect(documents.get("c", "a")).rejects.toThrow("closed");
    expect(documents.list("c")).rejects.toThrow("closed");
    expect(documents.write([{ collection: "c", id: "a", body: 1 }])).rejects.toThrow("closed");
  });

  test("holds 20000 documents", async () => {
    const documents = open();
    const changes = Array.from({ length: 20_000 }, (_one, index) => ({
      collection: "accounts",
      id: `account-${(index * 7919) % 20_000}`,
      body: { token: "x".repeat(200), status: "active", quota: index },
    }));
    const start = performance.now();
    expect((await documents.write(changes)).ok).toBe(true);
    expect(await documents.list("accounts")).toHaveLength(20_000);
    // A write that is not one transaction takes minutes; the bound leaves room for a slow machine.
    expect(performance.now() - start).toBeLessThan(5000);
    await documents.close();
  });
});
