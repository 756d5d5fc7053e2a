// What visitors of the playground have begun: how long it lives, how much there may be, who may have how many.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import { createPlaygroundTasks } from "../../src/gateway/playground-tasks.ts";
import { createManualClock } from "../api/harness.ts";

const made = (maxRuns = 2) => {
  const clock = createManualClock();
  const tasks = createPlaygroundTasks<string>({ clock, maxRuns: () => maxRuns });
  const start = (wish: string, more: { visitor?: string; bytes?: number; once?: string | null } = {}) =>
    tasks.start({ visitor: "a", bytes: 10, once: null, ...more, wish });
  return { clock, tasks, start };
};

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof GatewayError) return thrown.code;
    throw thrown;
  }
  return "nothing";
};

const nothing = () => {};

describe("a task", () => {
  test("lives ten minutes, counted from its last run", async () => {
    const { clock, tasks, start } = made();
    const task = start("one");
    await clock.advance(599_000);
    expect(tasks.find(task.id)).toBe(task);
    const leave = tasks.enter({ visitor: "a", task, stop: nothing });
    await clock.advance(3_600_000);
    expect(tasks.has(task.id)).toBe(true);
    leave();
    await clock.advance(599_000);
    expect(tasks.has(task.id)).toBe(true);
    await clock.advance(1_000);
    expect(codeOf(() => tasks.find(task.id))).toBe("task_not_found");
  });

  test("is the same for the same name of the same visitor", () => {
    const { start } = made();
    const task = start("one", { once: "x" });
    expect(start("one", { once: "x" })).toBe(task);
    expect(start("one", { once: "x", visitor: "b" })).not.toBe(task);
    expect(start("one")).not.toBe(start("one"));
  });

  test("that is removed ends what runs under it, and counts once", () => {
    const { tasks, start } = made();
    const task = start("one");
    let stopped = 0;
    tasks.enter({ visitor: "a", task, stop: () => stopped++ });
    expect(tasks.remove([task.id, task.id, "unknown"])).toBe(1);
    expect(stopped).toBe(1);
    expect(tasks.remove([task.id])).toBe(0);
  });

  test("of a visitor with too many that wait goes first", () => {
    const { tasks, start } = made();
    const first = start("first");
    const rest = Array.from({ length: 20 }, (_, index) => start(`more ${index}`));
    expect(tasks.has(first.id)).toBe(false);
    expect(rest.every(({ id }) => tasks.has(id))).toBe(true);
  });

  test("is refused when all of them together are too large", () => {
    const { start } = made();
    for (const visitor of ["a", "b", "c"]) start("large", { visitor, bytes: 80 * 1024 * 1024 });
    expect(codeOf(() => start("one too many", { visitor: "d", bytes: 80 * 1024 * 1024 }))).toBe("server_overloaded");
    expect(codeOf(() => start("small", { visitor: "d" }))).toBe("nothing");
  });
});

describe("one visitor's large tasks", () => {
  const MIB = 1024 * 1024;

  test("push out their own, not everybody else's", () => {
    const { tasks, start } = made();
    const mine = Array.from({ length: 8 }, (_, index) => start(`large ${index}`, { bytes: 40 * MIB }));
    expect(codeOf(() => start("of another", { visitor: "b", bytes: 40 * MIB }))).toBe("nothing");
    expect(mine.filter(({ id }) => tasks.has(id)).map(({ wish }) => wish)).toEqual(["large 7"]);
  });

  test("leave one that runs alone", () => {
    const { tasks, start } = made();
    const task = start("runs", { bytes: 60 * MIB });
    tasks.enter({ visitor: "a", task, stop: nothing });
    start("waits", { bytes: 60 * MIB });
    expect(tasks.has(task.id)).toBe(true);
  });
});

describe("a run", () => {
  test("takes one of the visitor's places and gives it back once", () => {
    const { tasks, start } = made();
    const enter = (visitor = "a") => tasks.enter({ visitor, stop: nothing });
    const [first] = [enter(), enter()];
    expect(codeOf(() => enter())).toBe("concurrency_limit_exceeded");
    expect(codeOf(() => start("one"))).toBe("concurrency_limit_exceeded");
    expect(codeOf(() => enter("b"))).toBe("nothing");
    first();
    first();
    enter();
    expect(codeOf(() => enter())).toBe("concurrency_limit_exceeded");
  });

  test("of a task takes over from the one before, in its place", () => {
    const { tasks, start } = made(1);
    const task = start("one");
    let stopped = 0;
    const before = tasks.enter({ visitor: "a", task, stop: () => stopped++ });
    const after = tasks.enter({ visitor: "a", task, stop: nothing });
    expect(stopped).toBe(1);
    before();
    expect(tasks.runs(task)).toBe(true);
    expect(codeOf(() => tasks.enter({ visitor: "a", stop: nothing }))).toBe("concurrency_limit_exceeded");
    after();
    expect(tasks.runs(task)).toBe(false);
    expect(codeOf(() => tasks.enter({ visitor: "a", stop: nothing }))).toBe("nothing");
  });
});
