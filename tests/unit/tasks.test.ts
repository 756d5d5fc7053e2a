import { describe, expect, test } from "bun:test";
import { createTasks, type ItemOutcome, type TaskEvent, type TaskPlan } from "../../src/admin/tasks.ts";
import { GatewayError } from "../../src/core/errors.ts";
import { createLog } from "../../src/lib/log.ts";
import { createManualClock, settled } from "../api/harness.ts";

const clock = createManualClock();
const lines: string[] = [];
const log = createLog({ level: () => "info", format: "json", now: clock.now, write: (line) => lines.push(line) });
const newTasks = () => createTasks({ clock, log });

const plan = (more: Partial<TaskPlan<string>> = {}): TaskPlan<string> => ({
  kind: "test",
  items: ["a", "b", "c"],
  concurrency: 2,
  mask: (item) => `item ${item}`,
  run: async () => ({ ok: true }),
  result: (summary) => ({ summary }),
  ...more,
});

const collect = async (events: AsyncIterable<TaskEvent> | null): Promise<TaskEvent[]> => {
  const all: TaskEvent[] = [];
  for await (const event of events ?? []) all.push(event);
  return all;
};

/** Items that end when the test says so. */
const byHand = () => {
  const started: string[] = [];
  const enders = new Map<string, (outcome: ItemOutcome) => void>();
  const run = (item: string) =>
    new Promise<ItemOutcome>((resolve) => {
      started.push(item);
      enders.set(item, resolve);
    });
  return { run, started, end: (item: string, ok = true) => enders.get(item)?.({ ok }) };
};

describe("a task", () => {
  test("tells its start, each item and its end, with counts that add up", async () => {
    const tasks = newTasks();
    const run = async (item: string): Promise<ItemOutcome> => {
      if (item === "b") throw new GatewayError("upstream_timeout", "It took too long.");
      return { ok: item !== "c", detail: { seen: item } };
    };
    const { task_id, total, status } = tasks.start(plan({ run, concurrency: 1, warning: "careful" }));
    expect([total, status]).toEqual([3, "running"]);
    const counts = (processed: number, ok: number, fail: number) => ({ task_id, total: 3, processed, ok, fail });
    const failures = [
      { item: "item b", error: "It took too long." },
      { item: "item c", error: "", detail: { seen: "c" } },
    ];
    const result = { summary: { total: 3, ok: 1, fail: 2 } };
    expect(await collect(tasks.attach(task_id))).toEqual([
      { type: "snapshot", ...counts(0, 0, 0), status: "running", warning: "careful" },
      { type: "progress", ...counts(1, 1, 0), item: "item a", detail: { seen: "a" } },
      { type: "progress", ...counts(2, 1, 1), item: "item b", error: "It took too long." },
      { type: "progress", ...counts(3, 1, 2), item: "item c", detail: { seen: "c" } },
      { type: "done", ...counts(3, 1, 2), warning: "careful", result, failures },
    ]);
    // Whoever comes when it is over hears of the same failures.
    expect((await collect(tasks.attach(task_id))).at(-1)).toMatchObject({ type: "done", failures });
  });

  test("tells somebody who comes in the middle what has failed so far", async () => {
    const tasks = newTasks();
    const hand = byHand();
    const { task_id } = tasks.start(plan({ run: hand.run, concurrency: 3 }));
    await settled();
    hand.end("a", false);
    await settled();
    const late = collect(tasks.attach(task_id));
    for (const item of ["b", "c"]) hand.end(item);
    expect((await late)[0]).toMatchObject({ type: "snapshot", processed: 1, failures: [{ item: "item a" }] });
  });

  test("never runs more items at once than it may", async () => {
    const tasks = newTasks();
    const hand = byHand();
    const { task_id } = tasks.start(plan({ items: ["a", "b", "c", "d"], run: hand.run }));
    await settled();
    expect(hand.started).toEqual(["a", "b"]);
    hand.end("b");
    await settled();
    expect(hand.started).toEqual(["a", "b", "c"]);
    for (const item of ["a", "c"]) hand.end(item);
    await settled();
    hand.end("d");
    await settled();
    expect(tasks.get(task_id)).toMatchObject({ status: "done", processed: 4, ok: 4, kind: "test" });
  });

  test("that is cancelled finishes what runs, leaves the rest, and says so to everybody", async () => {
    const tasks = newTasks();
    const hand = byHand();
    const { task_id } = tasks.start(plan({ items: ["a", "b", "c", "d"], run: hand.run }));
    const early = collect(tasks.attach(task_id));
    await settled();
    expect(tasks.cancel(task_id)).toBe(true);
    hand.end("a");
    hand.end("b", false);
    const failures = [{ item: "item b", error: "" }];
    const last = { type: "cancelled", task_id, total: 4, processed: 2, ok: 1, fail: 1, failures };
    expect((await early).at(-1)).toEqual(last as TaskEvent);
    expect(hand.started).toEqual(["a", "b"]);
    expect(await collect(tasks.attach(task_id))).toEqual([
      { type: "snapshot", task_id, total: 4, processed: 2, ok: 1, fail: 1, status: "cancelled", warning: null },
      last as TaskEvent,
    ]);
  });

  test("without items is done at once", async () => {
    const tasks = newTasks();
    const { task_id } = tasks.start(plan({ items: [] }));
    expect((await collect(tasks.attach(task_id))).map(({ type }) => type)).toEqual(["snapshot", "done"]);
  });

  test("whose result cannot be made ends as an error and hides why", async () => {
    const tasks = newTasks();
    const result = () => {
      throw new Error("inside");
    };
    const { task_id } = tasks.start(plan({ result }));
    const last = (await collect(tasks.attach(task_id))).at(-1);
    expect(last).toMatchObject({ type: "error", processed: 3, error: "The gateway hit an internal error." });
    expect(tasks.get(task_id)?.status).toBe("error");
  });

  test("is forgotten 300 seconds after its end, not after its start", async () => {
    const tasks = newTasks();
    const hand = byHand();
    const { task_id } = tasks.start(plan({ items: ["a"], run: hand.run }));
    await clock.advance(1_000_000);
    expect(tasks.get(task_id)?.status).toBe("running");
    hand.end("a");
    await settled();
    await clock.advance(299_000);
    expect(tasks.get(task_id)?.status).toBe("done");
    await clock.advance(1_000);
    expect(tasks.get(task_id)).toBeNull();
    expect(tasks.attach(task_id)).toBeNull();
    expect(tasks.cancel(task_id)).toBe(false);
  });
});

describe("many tasks", () => {
  test("more than a hundred ended ones are not remembered", async () => {
    const tasks = newTasks();
    const ids: string[] = [];
    for (let index = 0; index < 130; index++) {
      ids.push(tasks.start(plan({ items: [] })).task_id);
      await settled();
    }
    expect(ids.filter((id) => tasks.get(id) !== null)).toEqual(ids.slice(-100));
  });

  test("more than a handful at once are refused", async () => {
    const tasks = newTasks();
    const hand = byHand();
    for (let index = 0; index < 16; index++) tasks.start(plan({ items: ["a"], run: hand.run }));
    expect(() => tasks.start(plan())).toThrow("16 batch tasks are running");
  });
});

describe("a listener", () => {
  test("that is slow keeps the newest progress and never misses the end", async () => {
    const tasks = newTasks();
    const items = Array.from({ length: 1000 }, (_, index) => String(index));
    const { task_id } = tasks.start(plan({ items }));
    const events = tasks.attach(task_id);
    await settled();
    const heard = await collect(events);
    expect(heard.length).toBe(200);
    expect(heard[0]?.type).toBe("snapshot");
    expect(heard.at(-2)).toMatchObject({ type: "progress", processed: 1000 });
    expect(heard.at(-1)?.type).toBe("done");
  });

  test("that leaves while it waits is let go at once and hears nothing more", async () => {
    const tasks = newTasks();
    const hand = byHand();
    const events = tasks.attach(tasks.start(plan({ run: hand.run })).task_id);
    expect((await events?.next())?.value).toMatchObject({ type: "snapshot" });
    const waiting = events?.next();
    await events?.return?.();
    expect(await waiting).toEqual({ done: true, value: undefined });
    hand.end("a");
    await settled();
    expect(await events?.next()).toEqual({ done: true, value: undefined });
  });
});

test("a stop aborts what runs, ends every task and waits for them", async () => {
  const tasks = newTasks();
  const run = (_: string, signal: AbortSignal) =>
    new Promise<ItemOutcome>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  const { task_id } = tasks.start(plan({ run }));
  const heard = collect(tasks.attach(task_id));
  await settled();
  await tasks.stop();
  expect((await heard).at(-1)).toMatchObject({ type: "cancelled", processed: 2, fail: 2 });
});
