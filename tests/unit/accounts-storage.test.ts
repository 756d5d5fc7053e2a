// What of the pool is in storage when, what survives a crash, and that two writers lose nothing of each other.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import { accountId, parseAccount, type Account } from "../../src/accounts/account.ts";
import { ACCOUNTS } from "../../src/accounts/write-behind.ts";
import { silentLog, type Log } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import type { Documents } from "../../src/storage/port.ts";
import {
  HOUR,
  item,
  manualClock,
  model,
  newPool,
  none,
  settings,
  settle,
  START,
  watchedDocuments,
} from "./accounts-fixtures.ts";

const need = { model: model("grok-4"), exclude: none };
const limited = { kind: "failed", error: new GatewayError("upstream_rate_limited", "Slow down.") } as const;
const id = accountId("sim-a");

const stored = async (documents: Documents, account = id): Promise<Account | null> =>
  parseAccount((await documents.get(ACCOUNTS, account))?.body);

describe("writing behind", () => {
  const open = async () => {
    const documents = watchedDocuments();
    const clock = manualClock();
    const pool = newPool({ documents, clock });
    await pool.upsert([item("sim-a"), item("sim-b")]);
    documents.writes.length = 0;
    return { documents, clock, pool };
  };

  test("counters wait for the delay and go out together", async () => {
    const { documents, clock, pool } = await open();
    for (let count = 0; count < 20; count++) pool.acquire(need)?.report({ kind: "served" });
    await clock.advance(settings.save_delay_ms - 1);
    expect(documents.writes).toHaveLength(0);
    await clock.advance(1);
    expect(documents.writes).toHaveLength(1);
    const uses = (await documents.list(ACCOUNTS)).map(({ body }) => parseAccount(body)?.use_count ?? 0);
    expect(uses.reduce((sum, count) => sum + count, 0)).toBe(20);
  });

  test("a change of state is written in the next turn, several at once", async () => {
    const { documents, pool } = await open();
    pool.acquire(need)?.report(limited);
    pool.acquire(need)?.report(limited);
    await settle();
    expect(documents.writes).toHaveLength(1);
    expect(documents.writes[0]).toHaveLength(2);
  });

  test("flush leaves nothing behind", async () => {
    const { documents, pool } = await open();
    pool.acquire(need)?.report({ kind: "served" });
    await pool.flush();
    expect(documents.writes).toHaveLength(1);
    await pool.flush();
    expect(documents.writes).toHaveLength(1);
  });

  test("after a crash the states are there, and what was flushed", async () => {
    const { documents, clock, pool } = await open();
    pool.acquire(need)?.report({ kind: "served" });
    await pool.flush();
    pool.signal(id, { type: "failed", error: limited.error, mode: "fast" });
    await settle();
    const revived = newPool({ documents, clock });
    await revived.load();
    expect(revived.size).toBe(2);
    expect(revived.get(id)).toEqual(pool.get(id) as Account);
    expect(revived.get(id)).toMatchObject({ status: "cooling", cooldown_until: START + HOUR });
    expect(revived.inFlight(id)).toBe(0);
  });

  test("a store that fails is asked again, and nothing is lost", async () => {
    const documents = watchedDocuments();
    const clock = manualClock();
    const errors: string[] = [];
    const log: Log = { ...silentLog, error: (message) => errors.push(message) };
    let broken = false;
    const flaky: Documents = {
      ...documents,
      write: (changes) => (broken ? Promise.reject(new Error("disk full")) : documents.write(changes)),
    };
    const pool = newPool({ documents: flaky, clock, log });
    await pool.upsert([item("sim-a")]);
    broken = true;
    pool.acquire(need)?.report({ kind: "served" });
    pool.acquire(need)?.report(limited);
    await settle();
    expect(errors).toHaveLength(1);
    expect(await pool.flush().catch((thrown: unknown) => thrown)).toEqual(new Error("disk full"));
    broken = false;
    await clock.advance(5000);
    await settle();
    expect(await stored(documents)).toMatchObject({ status: "cooling", use_count: 1 });
  });

  test("a store without a readable account leaves it alone", async () => {
    const documents = createMemoryDocuments();
    await documents.write([{ collection: ACCOUNTS, id: "acc_broken", body: { note: "no token" } }]);
    const pool = newPool({ documents, clock: manualClock() });
    await pool.load();
    expect(pool.size).toBe(0);
    expect(await documents.get(ACCOUNTS, "acc_broken")).not.toBeNull();
  });
});

describe("two writers", () => {
  const two = async () => {
    const documents = watchedDocuments();
    const clock = manualClock();
    const [mine, theirs] = [newPool({ documents, clock }), newPool({ documents, clock })];
    await mine.upsert([item("sim-a")]);
    await theirs.load();
    return { documents, clock, mine, theirs };
  };

  test("a stale revision is read again and the signals applied once more", async () => {
    const { documents, mine, theirs } = await two();
    await theirs.setNote(id, "theirs");
    theirs.acquire(need)?.report({ kind: "served" });
    await theirs.flush();
    mine.acquire(need)?.report({ kind: "served" });
    mine.acquire(need)?.report(limited);
    await mine.flush();
    const expected = {
      note: "theirs",
      use_count: 2,
      status: "cooling",
      last_fail_code: "upstream_rate_limited",
    } as const;
    expect(await stored(documents)).toMatchObject(expected);
    expect(mine.get(id)).toMatchObject(expected);
  });

  test("failures counted by both reach the threshold together", async () => {
    const { mine, theirs } = await two();
    const refused = { kind: "failed", error: new GatewayError("account_auth", "Who?") } as const;
    for (let count = 0; count < 3; count++) theirs.acquire(need)?.report(refused);
    await theirs.flush();
    for (let count = 0; count < 2; count++) mine.acquire(need)?.report(refused);
    await mine.flush();
    expect(mine.get(id)).toMatchObject({ status: "expired", fail_count: 5 });
  });

  test("an account that the other one deleted goes here too, with no trace in storage", async () => {
    const { documents, mine, theirs } = await two();
    await theirs.remove([id]);
    mine.acquire(need)?.report({ kind: "served" });
    await mine.flush();
    expect(mine.size).toBe(0);
    expect(await documents.list(ACCOUNTS)).toHaveLength(0);
  });

  test("the same account added by both is merged", async () => {
    const { documents, mine, theirs } = await two();
    await theirs.upsert([item("sim-b", { fields: { note: "theirs", tags: ["one"] } })]);
    await mine.upsert([item("sim-b", { fields: { tags: ["two"] } })]);
    expect(await stored(documents, accountId("sim-b"))).toMatchObject({ note: "theirs", tags: ["one", "two"] });
  });

  test("a later load takes over what was written, and keeps what is not written yet", async () => {
    const { mine, theirs } = await two();
    await theirs.upsert([item("sim-b")]);
    await theirs.setNote(id, "theirs");
    await mine.load();
    expect(mine.size).toBe(2);
    expect(mine.get(id)?.note).toBe("theirs");
    await theirs.remove([accountId("sim-b")]);
    await mine.load();
    expect(mine.size).toBe(1);
  });
});

describe("people's changes", () => {
  const open = async () => {
    const documents = createMemoryDocuments();
    const clock = manualClock();
    const pool = newPool({ documents, clock });
    const fields = { note: "kept", tags: ["nsfw"], use_count: 7, created_at: 5, last_used_at: 9, invented: true };
    await pool.upsert([item("sim-a", { fields }), item("sim-b"), item("sim-c")]);
    return { documents, clock, pool };
  };

  test("an import merges: tags, note, counts, times and unknown fields stay", async () => {
    const { pool } = await open();
    const before = pool.get(id);
    expect(await pool.upsert([item("sim-a")])).toEqual({ added: [], updated: [], unchanged: [id] });
    await pool.upsert([
      item("sim-a", { pool: "ssoSuper", fields: { note: "new", tags: ["more"], use_count: 2, created_at: 99 } }),
    ]);
    expect(pool.get(id)).toEqual({ ...(before as Account), tags: ["nsfw", "more"] });
  });

  test("an edit replaces what is stated and keeps the rest", async () => {
    const { pool } = await open();
    await pool.upsert([item("sim-a", { pool: "ssoSuper", fields: { note: "", tags: ["more"], use_count: 2 } })], {
      replace: true,
    });
    expect(pool.get(id)).toMatchObject({
      ...{ note: "", tags: ["more"], use_count: 7, created_at: 5, last_used_at: 9, invented: true },
      ...{ pool: "ssoSuper", tier: "super", tier_source: "manual" },
    });
  });

  test("an import without a row does not remove it", async () => {
    const { pool } = await open();
    await pool.upsert([]);
    await pool.upsert([item("sim-d")], { replace: true });
    expect(pool.size).toBe(4);
  });

  test("importing again revives what had expired, unless the list says otherwise", async () => {
    const { pool } = await open();
    const blocked = new GatewayError("account_blocked", "Blocked.");
    pool.signal(id, { type: "failed", error: blocked, mode: "fast" });
    await pool.upsert([item("sim-a", { status: "expired" })]);
    expect(pool.get(id)?.status).toBe("expired");
    await pool.upsert([item("sim-a")]);
    expect(pool.get(id)).toMatchObject({ status: "active", last_fail_code: null });
    await pool.disable([id]);
    await pool.upsert([item("sim-a")]);
    expect(pool.get(id)?.status).toBe("disabled");
  });

  test("a snapshot comes before a change of several rows, and brings them back", async () => {
    const { documents, clock, pool } = await open();
    expect(await pool.snapshots()).toEqual([]);
    await pool.remove([id]);
    expect(await pool.snapshots()).toEqual([]);
    await pool.upsert([item("sim-a", { fields: { note: "kept" } })]);
    const before = pool.all().toSorted((a, b) => a.id.localeCompare(b.id));
    await pool.remove(pool.all().map((account) => account.id));
    expect(pool.size).toBe(0);
    expect(await documents.list(ACCOUNTS)).toEqual([]);
    await pool.upsert([item("sim-later")]);
    const [snapshot] = await pool.snapshots();
    expect(snapshot).toMatchObject({ reason: "remove", accounts: 3, created_at: START });
    expect((await pool.restore(snapshot?.id ?? ""))?.added).toHaveLength(3);
    const reloaded = newPool({ documents, clock });
    await reloaded.load();
    const now = reloaded.all().toSorted((a, b) => a.id.localeCompare(b.id));
    expect(now.filter(({ token }) => token !== "sim-later")).toEqual(before);
    expect(now).toHaveLength(4);
    expect(await pool.restore("snap_unknown")).toBeNull();
  });

  test("only the newest snapshots are kept", async () => {
    const { clock, pool } = await open();
    for (let count = 0; count < 8; count++) {
      await clock.advance(1000);
      await pool.upsert([item("sim-b"), item("sim-c")], { replace: true });
    }
    const times = (await pool.snapshots()).map(({ created_at }) => created_at);
    expect(times).toEqual([8, 7, 6, 5, 4].map((count) => START + count * 1000));
  });

  test("another token keeps everything else", async () => {
    const { documents, pool } = await open();
    const moved = await pool.replaceToken(id, "sim-renewed");
    expect(moved).toBe(accountId("sim-renewed"));
    expect(pool.get(id)).toBeUndefined();
    expect(await stored(documents, moved ?? "")).toMatchObject({ note: "kept", use_count: 7, token: "sim-renewed" });
    expect(await documents.get(ACCOUNTS, id)).toBeNull();
    expect(await pool.replaceToken(moved ?? "", "sim-b")).toBeNull();
  });

  test("removed and added again in one breath is there", async () => {
    const { documents, pool } = await open();
    await Promise.all([pool.remove([id]), pool.upsert([item("sim-a")])]);
    expect(pool.get(id)?.note).toBe("");
    expect(await stored(documents)).toMatchObject({ token: "sim-a", note: "" });
  });
});
