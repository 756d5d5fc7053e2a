// The store of responses: read at once, written later, limits, owners, restarts and a storage that fails; and the seal.
import { describe, expect, test } from "bun:test";
import { createResponseStore, type StoredResponse, type StoreLimits } from "../../src/gateway/response-store.ts";
import { createSeal } from "../../src/gateway/seal.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import type { Documents } from "../../src/storage/port.ts";
import { createManualClock } from "../api/harness.ts";

const HOUR = 3_600_000;

const setUp = async (limits: Partial<StoreLimits> = {}, documents: Documents = createMemoryDocuments()) => {
  const clock = createManualClock();
  const all = { maxAgeMs: 10 * HOUR, maxCount: 100, maxBytes: 1_000_000, ...limits };
  const store = createResponseStore({ documents, clock, log: silentLog, limits: () => all });
  await store.load();
  let made = 0;
  const put = (more: Partial<StoredResponse> = {}): string => {
    const id = `resp_${(++made).toString(16).padStart(28, "0")}ffff`;
    const content = { body: { id }, input: [], events: null, thread: null };
    store.put({ id, owner: "key", parent: null, createdMs: clock.now(), ...content, ...more });
    return id;
  };
  return { clock, store, put, documents };
};

describe("keeping", () => {
  test("is readable at once and after it was written", async () => {
    const { store, put, clock, documents } = await setUp();
    const thread = { accountId: "a", conversationId: "c", responseId: "r" };
    const id = put({ body: { text: "x" }, input: [{ id: "i" }], events: [{ type: "finish" }], thread });
    const before = await store.find(id, "key");
    expect(await documents.get("responses", id)).toBeNull();
    await clock.advance(1_000);
    expect(await documents.get("responses", id)).not.toBeNull();
    expect(await store.find(id, "key")).toEqual(before as StoredResponse);
    expect(before).toMatchObject({ body: { text: "x" }, input: [{ id: "i" }], events: [{ type: "finish" }], thread });
  });

  test("survives a restart, also one without a pause", async () => {
    const first = await setUp();
    const parent = first.put();
    const child = first.put({ parent });
    await first.store.close();
    const second = await setUp({}, first.documents);
    expect(second.store.size).toBe(2);
    expect(await second.store.find(child, "key")).toMatchObject({ id: child, parent, body: { id: child } });
    expect(await second.store.findByDigits(child.slice(5, 33), "key")).toMatchObject({ id: child });
  });

  test("nobody reads or removes another owner's", async () => {
    const { store, put } = await setUp();
    const id = put();
    expect(await store.find(id, "other")).toBeNull();
    expect(await store.findByDigits(id.slice(5, 33), "other")).toBeNull();
    expect(await store.remove(id, "other")).toBe(false);
    expect(await store.find(id, "key")).not.toBeNull();
  });

  test("what is removed is gone from storage too, written or not", async () => {
    for (const written of [true, false]) {
      const { store, put, clock, documents } = await setUp();
      const id = put();
      if (written) await clock.advance(1_000);
      expect(await store.remove(id, "key")).toBe(true);
      expect(await store.remove(id, "key")).toBe(false);
      expect(await store.find(id, "key")).toBeNull();
      await clock.advance(1_000);
      expect(await documents.list("responses")).toEqual([]);
      expect(await documents.list("response_bodies")).toEqual([]);
    }
  });
});

describe("limits", () => {
  test("age counts from the last use of a conversation", async () => {
    const { store, put, clock } = await setUp();
    const old = put();
    const parent = put();
    await clock.advance(9 * HOUR);
    const child = put({ parent });
    await clock.advance(2 * HOUR);
    store.trim();
    expect(await store.find(old, "key")).toBeNull();
    expect(await store.find(parent, "key")).not.toBeNull();
    await clock.advance(9 * HOUR);
    store.trim();
    expect(await store.find(parent, "key")).toBeNull();
    expect(await store.find(child, "key")).toBeNull();
    expect(store.size).toBe(0);
  });

  test("the count keeps the newest", async () => {
    const { store, put, clock } = await setUp({ maxCount: 20 });
    const ids: string[] = [];
    for (let at = 0; at < 25; at++) {
      ids.push(put());
      await clock.advance(1_000);
    }
    expect(store.size).toBeLessThanOrEqual(20);
    expect(await store.find(ids.at(-1) ?? "", "key")).not.toBeNull();
    expect(await store.find(ids[0] ?? "", "key")).toBeNull();
  });

  test("space counts what is stored, and a conversation loses its end first", async () => {
    const { store, put, clock } = await setUp({ maxBytes: 10_000 });
    const big = { body: { text: "x".repeat(4_000) } };
    const first = put(big);
    const second = put({ ...big, parent: first });
    const third = put({ ...big, parent: second });
    await clock.advance(1_000);
    expect(store.size).toBe(2);
    expect(await store.find(third, "key")).toBeNull();
    expect(await store.find(first, "key")).not.toBeNull();
  });

  test("a limit of 0 keeps nothing", async () => {
    const { store, put, clock } = await setUp({ maxCount: 0 });
    put();
    await clock.advance(1_000);
    expect(store.size).toBe(0);
  });
});

test("while storage fails everything stays readable, and is written once it works", async () => {
  const inner = createMemoryDocuments();
  let broken = true;
  const documents: Documents = {
    ...inner,
    write: (changes) => (broken ? Promise.reject(new Error("disk full")) : inner.write(changes)),
  };
  const { store, put, clock } = await setUp({}, documents);
  const id = put();
  await clock.advance(20_000);
  expect(await store.find(id, "key")).not.toBeNull();
  expect(await inner.list("responses")).toEqual([]);
  broken = false;
  await clock.advance(20_000);
  expect(await inner.list("responses")).toHaveLength(1);
});

describe("the seal", () => {
  test("opens for its owner, also after a restart", async () => {
    const documents = createMemoryDocuments();
    const sealed = await createSeal(documents).seal("it rained 雨", "key");
    expect(sealed).not.toContain("rained");
    expect(await createSeal(documents).open(sealed, "key")).toBe("it rained 雨");
  });

  test("two sealings of one text differ", async () => {
    const seal = createSeal(createMemoryDocuments());
    expect(await seal.seal("x", "key")).not.toBe(await seal.seal("x", "key"));
  });

  test("opens for nobody else and not when it was changed", async () => {
    const seal = createSeal(createMemoryDocuments());
    const sealed = await seal.seal("secret", "key");
    expect(await seal.open(sealed, "other")).toBeNull();
    for (const wrong of [
      sealed.slice(0, -4),
      `${sealed.slice(0, -3)}AAA`,
      "gAAAAA",
      "g2a_sealed_v1.",
      "g2a_sealed_v1.!",
    ]) {
      expect(await seal.open(wrong, "key")).toBeNull();
    }
    expect(await createSeal(createMemoryDocuments()).open(sealed, "key")).toBeNull();
  });

  test("two that start together agree on the key", async () => {
    const documents = createMemoryDocuments();
    const [one, other] = [createSeal(documents), createSeal(documents)];
    const [sealed] = await Promise.all([one.seal("x", "key"), other.seal("y", "key")]);
    expect(await other.open(sealed, "key")).toBe("x");
  });
});
