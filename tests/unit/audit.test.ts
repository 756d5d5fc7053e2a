import { describe, expect, test } from "bun:test";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createAudit, type Actor, type AuditEntry } from "../../src/access/audit.ts";
import { createSettingsAdmin } from "../../src/admin/settings.ts";
import { createLiveConfig } from "../../src/config/live.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import type { DocumentChange, Documents } from "../../src/storage/port.ts";
import { rejection } from "../support/events.ts";
import { item, manualClock, newPool, START, watchedDocuments } from "./accounts-fixtures.ts";

const by: Actor = { id: "admin", address: "192.0.2.7" };
const entry = (more: Partial<AuditEntry> = {}): AuditEntry => ({ by, action: "test.change", target: "thing", ...more });
const collectionsOf = (write: readonly DocumentChange[] | undefined) =>
  (write ?? []).map(({ collection }) => collection);

describe("a row", () => {
  test("says when, who, from where, what and how it was before and after", async () => {
    const documents = createMemoryDocuments();
    const audit = createAudit({ documents, clock: manualClock() });
    const change = { collection: "things", id: "t", body: 1 };
    const changes = audit.audited([change], entry({ before: { n: 1 }, after: { n: 2 } }));
    expect(changes[0]).toEqual(change);
    await documents.write(changes);
    const { items, total } = await audit.list({ page: 1, pageSize: 10 });
    expect(total).toBe(1);
    expect(items[0]).toMatchObject({
      time: START,
      actor: "admin",
      address: "192.0.2.7",
      action: "test.change",
      target: "thing",
      before: { n: 1 },
      after: { n: 2 },
    });
  });

  test("holds no secret and stays small, whatever it is given", () => {
    const audit = createAudit({ documents: createMemoryDocuments(), clock: manualClock() });
    const jwt = `eyJhbGciOiJIUzI1NiJ9.${"a".repeat(40)}.${"b".repeat(40)}`;
    const { body } = audit.row(
      entry({
        target: `account ${jwt}`,
        before: { app_key: "planted-password-0001", cookie: "sso=planted-cookie-0001", deep: [{ note: jwt }] },
        after: { ids: Array.from({ length: 500 }, (_, index) => `acc_${index}`), text: "x".repeat(10_000) },
      }),
    );
    const text = JSON.stringify(body);
    for (const planted of ["planted-password-0001", "planted-cookie-0001", "a".repeat(40)]) {
      expect(text).not.toContain(planted);
    }
    expect(text).toContain("and 450 more");
    expect(text).toContain("10000 characters");
    expect(text.length).toBeLessThan(3000);
  });
});

describe("the list", () => {
  const filled = async (count: number, kept?: number) => {
    const documents = createMemoryDocuments();
    const clock = manualClock();
    const audit = createAudit({ documents, clock, ...(kept === undefined ? {} : { kept }) });
    for (let index = 0; index < count; index++) {
      // Several rows a millisecond keep their order too.
      if (index % 3 === 0) await clock.advance(1);
      await documents.write([
        audit.row(entry({ action: index % 2 === 0 ? "a.even" : "b.odd", target: String(index) })),
      ]);
    }
    return { audit, documents };
  };
  const targets = (page: { items: readonly { target: string }[] }) => page.items.map(({ target }) => Number(target));

  test("is newest first, by pages and by action", async () => {
    const { audit } = await filled(25);
    expect(targets(await audit.list({ page: 1, pageSize: 10 }))).toEqual([24, 23, 22, 21, 20, 19, 18, 17, 16, 15]);
    expect(targets(await audit.list({ page: 3, pageSize: 10 }))).toEqual([4, 3, 2, 1, 0]);
    const odd = await audit.list({ page: 1, pageSize: 3, action: "b." });
    expect([targets(odd), odd.total]).toEqual([[23, 21, 19], 12]);
  });

  test("keeps the newest rows and drops the rest in small steps", async () => {
    const { audit, documents } = await filled(450, 10);
    const sizes: number[] = [];
    const write = documents.write;
    documents.write = (changes) => {
      sizes.push(changes.length);
      return write(changes);
    };
    expect(await audit.prune()).toBe(440);
    expect(sizes).toEqual([200, 200, 40]);
    expect(targets(await audit.list({ page: 1, pageSize: 20 }))).toEqual([
      449, 448, 447, 446, 445, 444, 443, 442, 441, 440,
    ]);
    expect(await audit.prune()).toBe(0);
  });
});

describe("a change of settings", () => {
  const open = async (documents: Documents) => {
    const live = await createLiveConfig({
      documents,
      path: join(mkdtempSync(join(tmpdir(), "audit-test-")), "config.toml"),
      environment: {},
      log: silentLog,
    });
    const audit = createAudit({ documents, clock: manualClock() });
    return {
      audit,
      settings: createSettingsAdmin({ live, audit, storageType: "local", passwordWeakness: () => null }),
    };
  };

  test("and its row are one write; secrets are masked in it", async () => {
    const documents = watchedDocuments();
    const { audit, settings } = await open(documents);
    await settings.change({ app: { thinking: false, api_key: ["planted-key-000000001"] } }, { by });
    expect(documents.writes.map(collectionsOf)).toEqual([["settings", "audit"]]);
    const { items } = await audit.list({ page: 1, pageSize: 10 });
    expect(items[0]).toMatchObject({
      action: "settings.change",
      before: { "app.thinking": true },
      after: { "app.thinking": false },
    });
    expect(items[0]?.target.split(", ").toSorted()).toEqual(["app.api_key", "app.thinking"]);
    expect(JSON.stringify(items)).not.toContain("planted-key-000000001");
  });

  test("that is refused, or changes nothing, leaves no row", async () => {
    const documents = watchedDocuments();
    const { settings } = await open(documents);
    await rejection(settings.change({ server: { max_streams: "many" } }, { by }));
    await settings.change({ app: { thinking: true } }, { by });
    expect(documents.writes).toEqual([]);
  });
});

describe("a change of accounts", () => {
  const row = (target: string) =>
    createAudit({ documents: createMemoryDocuments(), clock: manualClock() }).row(entry({ target }));

  test("and its row are one write", async () => {
    const documents = watchedDocuments();
    const pool = newPool({ documents, clock: manualClock() });
    const { added } = await pool.recording([row("add")]).upsert([item("sim-ok-audit-1"), item("sim-ok-audit-2")]);
    expect(collectionsOf(documents.writes[0])).toEqual(["accounts", "accounts", "audit"]);
    await pool.recording([row("remove")]).remove(added);
    const removal = documents.writes.find((write) =>
      write.some((change) => "remove" in change && change.collection === "accounts"),
    );
    expect(collectionsOf(removal)).toEqual(["accounts", "accounts", "audit"]);
    await pool.close();
    expect((await documents.list("audit")).length).toBe(2);
  });

  test("stays one write while another one is on its way", async () => {
    const documents = watchedDocuments();
    const pool = newPool({ documents, clock: manualClock() });
    const { added } = await pool.upsert([item("sim-ok-audit-1"), item("sim-ok-audit-2")]);
    documents.writes.length = 0;
    const [first = "", second = ""] = added;
    const slow = pool.setNote(first, "one");
    const recorded = pool.recording([row("note")]).setNote(second, "two");
    await Promise.all([slow, recorded]);
    const withRow = documents.writes.find((write) => write.some(({ collection }) => collection === "audit"));
    expect(withRow?.some(({ id }) => id === second)).toBe(true);
    await pool.close();
  });

  test("that cannot be written keeps its row for the next try", async () => {
    const documents = watchedDocuments();
    const { write } = documents;
    let broken = true;
    documents.write = async (changes) => {
      if (broken) throw new Error("disk full");
      return write(changes);
    };
    const pool = newPool({ documents, clock: manualClock() });
    expect(String(await rejection(pool.recording([row("add")]).upsert([item("sim-ok-audit-1")])))).toContain(
      "disk full",
    );
    broken = false;
    await pool.flush();
    expect(collectionsOf(documents.writes[0])).toEqual(["accounts", "audit"]);
    await pool.close();
  });
});
