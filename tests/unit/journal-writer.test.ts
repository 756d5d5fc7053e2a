import { expect, test } from "bun:test";
import { createRecord } from "../../src/gateway/record.ts";
import { journalRow } from "../../src/gateway/record-row.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createJournalWriter } from "../../src/storage/journal-writer.ts";
import { createMemoryJournal } from "../../src/storage/memory-journal.ts";
import type { JournalRow } from "../../src/storage/port.ts";
import { createManualClock } from "../api/harness.ts";

const rowNamed = (id: string): JournalRow =>
  journalRow(createRecord({ id, startedMs: 0, method: "POST", path: "/v1/x" }), {
    route: "/v1/x",
    endMs: 1,
    closedMs: 5,
  });

const setUp = () => {
  const clock = createManualClock();
  const journal = createMemoryJournal();
  const batches: number[] = [];
  const state = { away: false };
  const writer = createJournalWriter({
    journal: {
      async append(rows, options) {
        if (state.away) throw new Error("away");
        batches.push(rows.length);
        await journal.append(rows, options);
      },
    },
    clock,
    log: silentLog,
    dayOffsetMs: () => 0,
  });
  const ids = async () => (await journal.search({}, { limit: 1e6 })).rows.map(({ id }) => id).toReversed();
  return { clock, writer, batches, ids, state };
};

test("rows are written together, after a moment", async () => {
  const { clock, writer, batches, ids } = setUp();
  for (const id of ["a", "b", "c"]) writer.add(rowNamed(id));
  await clock.advance(200);
  expect(batches).toEqual([]);
  await clock.advance(100);
  expect(batches).toEqual([3]);
  expect(await ids()).toEqual(["a", "b", "c"]);
});

test("many rows are not waited for, and come in batches", async () => {
  const { clock, writer, batches, ids } = setUp();
  for (let index = 0; index < 650; index++) writer.add(rowNamed(`r${index}`));
  await clock.advance(1);
  expect(batches).toEqual([200, 200, 200, 50]);
  expect(await ids()).toEqual(Array.from({ length: 650 }, (_, index) => `r${index}`));
});

test("rows wait while the store is away, in order, and the newest are kept when there are too many", async () => {
  const { clock, writer, ids, state } = setUp();
  state.away = true;
  for (let index = 0; index < 60_000; index++) {
    writer.add(rowNamed(`r${index}`));
    if (index % 10_000 === 0) await clock.advance(250);
  }
  await clock.advance(250);
  expect(writer.waiting).toBeLessThanOrEqual(50_000);
  expect(writer.dropped).toBe(60_000 - writer.waiting);
  const { waiting } = writer;
  state.away = false;
  await clock.advance(500);
  const kept = await ids();
  expect(kept).toHaveLength(waiting);
  expect([kept[0], kept.at(-1)]).toEqual([`r${60_000 - waiting}`, "r59999"]);
});

test("closing writes what is left, and stops the timer", async () => {
  const { clock, writer, ids } = setUp();
  writer.add(rowNamed("last"));
  await writer.close();
  expect(await ids()).toEqual(["last"]);
  expect(clock.tickers).toBe(0);
});
