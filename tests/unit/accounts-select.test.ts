// Which account is chosen, and how long that takes on a large pool.
import { describe, expect, test } from "bun:test";
import { createBoard, freeSlot, takeSlot, type Board } from "../../src/accounts/board.ts";
import { planFor, selectSlot, windowOf } from "../../src/accounts/select.ts";
import type { Strategy } from "../../src/accounts/settings.ts";
import { anAccount, aWindow, model, START } from "./accounts-fixtures.ts";

interface Row {
  readonly token: string;
  readonly fields: Record<string, unknown>;
  readonly inFlight: number;
  readonly skipUntil: number;
}
const row = (token: string, fields: Record<string, unknown> = {}, live: Partial<Row> = {}): Row => ({
  token,
  fields,
  inFlight: 0,
  skipUntil: 0,
  ...live,
});
const used = { use_count: 1, last_used_at: START };

const boardOf = (rows: readonly Row[]): Board => {
  const board = createBoard();
  for (const { token, fields, inFlight, skipUntil } of rows) {
    const slot = takeSlot(board, anAccount({ token, ...fields }));
    board.inFlight[slot] = inFlight;
    board.skipUntil[slot] = skipUntil;
  }
  return board;
};

interface Asked {
  readonly id?: string;
  readonly chance?: number;
  readonly excluded?: readonly Row[];
  readonly turn?: number;
  readonly strategy?: Strategy;
}
const choose = (rows: readonly Row[], asked: Asked = {}): string | null => {
  const slot = selectSlot(boardOf(rows), {
    plan: planFor(model(asked.id ?? "grok-4")),
    now: START,
    turn: asked.turn ?? 1,
    maxInflight: 4,
    excluded: (asked.excluded ?? []).map((one) => rows.indexOf(one)),
    chance: () => asked.chance ?? 0,
    strategy: asked.strategy ?? "quota",
  });
  return rows[slot]?.token ?? null;
};

describe("nobody is chosen", () => {
  const cases: [name: string, fields: Record<string, unknown>, live: Partial<Row>][] = [
    ["while cooling", { status: "cooling", cooldown_until: START + 1 }, {}],
    ["when expired", { status: "expired" }, {}],
    ["when disabled", { status: "disabled" }, {}],
    ["when all places are taken", {}, { inFlight: 4 }],
    ["while passed over", {}, { skipUntil: 2 }],
    ["when the mode's window is empty", { windows: { fast: aWindow(0) } }, {}],
  ];
  test.each(cases)("%s", (_name, fields, live) => {
    expect(choose([row("one", fields, live)])).toBeNull();
    expect(choose([row("one", fields, live), row("two")])).toBe("two");
  });

  test("whom the request has tried", () => {
    const [one, two] = [row("one"), row("two")];
    expect(choose([one, two], { excluded: [one] })).toBe("two");
    expect(choose([one, two], { excluded: [one, two] })).toBeNull();
  });

  test("of a tier that cannot serve the model", () => {
    expect(choose([row("one")], { id: "grok-chat-heavy" })).toBeNull();
    expect(choose([row("one", { tier: "super" })], { id: "grok-chat-heavy" })).toBeNull();
    expect(choose([row("one", { tier: "heavy" })], { id: "grok-chat-heavy" })).toBe("one");
  });
});

describe("somebody is chosen again", () => {
  test("once the rest, the skipping or the window is over", () => {
    expect(choose([row("one", { status: "cooling", cooldown_until: START })])).toBe("one");
    expect(choose([row("one", {}, { skipUntil: 2 })], { turn: 2 })).toBe("one");
    expect(choose([row("one", { windows: { fast: aWindow(0, { reset_at: START }) } })])).toBe("one");
  });

  test("when another mode's window is empty", () => {
    const account = row("one", { tier: "super", windows: { auto: aWindow(0), expert: aWindow(3) } });
    expect(choose([account], { id: "grok-4" })).toBeNull();
    expect(choose([account], { id: "grok-4-expert" })).toBe("one");
  });
});

describe("the order", () => {
  const basic = row("basic", { ...used, windows: { fast: aWindow(1) } });
  const superb = row("super", { tier: "super", ...used, windows: { auto: aWindow(50), expert: aWindow(50) } });
  const heavy = row("heavy", { tier: "heavy", ...used, windows: { expert: aWindow(150) } });

  test("models for everybody go to basic accounts before super ones", () => {
    expect(choose([superb, basic], { id: "grok-4" })).toBe("basic");
    expect(choose([superb, { ...basic, inFlight: 4 }], { id: "grok-4" })).toBe("super");
  });

  test("models that live from a mode go to accounts that have it, the lowest first", () => {
    expect(choose([basic, heavy, superb], { id: "grok-4-expert" })).toBe("super");
    expect(choose([basic, heavy], { id: "grok-4-expert" })).toBe("heavy");
    expect(choose([basic], { id: "grok-4-expert" })).toBe("basic");
  });

  test("never used before most left before used but unknown; then fewest in flight", () => {
    const rows = [
      row("unknown", used),
      row("few", { ...used, windows: { fast: aWindow(3) } }),
      row("many", { ...used, windows: { fast: aWindow(9) } }),
      row("fresh", {}, { inFlight: 1 }),
      row("fresher"),
    ];
    const order: (string | null)[] = [];
    const left = [...rows];
    while (left.length > 0) {
      const token = choose(left);
      order.push(token);
      left.splice(
        left.findIndex((entry) => entry.token === token),
        1,
      );
    }
    expect(order).toEqual(["fresher", "fresh", "many", "few", "unknown"]);
  });

  test("calls in flight count as already spent", () => {
    const one = row("one", { ...used, windows: { fast: aWindow(10) } }, { inFlight: 2 });
    expect(choose([one, row("two", { ...used, windows: { fast: aWindow(9) } })])).toBe("two");
  });

  test("equals are drawn evenly", () => {
    const rows = [
      row("dull", { ...used, windows: { fast: aWindow(1) } }),
      ...["a", "b", "c", "d"].map((token) => row(token)),
    ];
    expect([0, 0.25, 0.5, 0.99].map((chance) => choose(rows, { chance }))).toEqual(["a", "b", "c", "d"]);
  });
});

test("a call draws from the counter of its kind", () => {
  const cases: [string, string][] = [
    ["grok-4-expert", "expert"],
    ["grok-imagine-image", "image"],
    ["grok-imagine-image-2.0", "image_pro"],
    ["grok-imagine-image-lite", "fast"],
    ["grok-imagine-image-edit", "image_edit"],
    ["grok-imagine-video", "video"],
  ];
  for (const [id, window] of cases) expect(windowOf(model(id), model(id).web.mode)).toBe(window as "fast");
});

describe("another strategy", () => {
  const rows = [
    row("much left", { use_count: 9, ...{ windows: { fast: aWindow(20) } } }),
    row("little used", { use_count: 2, windows: { fast: aWindow(1) } }),
    row("new", {}),
  ];
  test("least_used takes the fewest calls, running ones included", () => {
    expect(choose(rows, { strategy: "least_used" })).toBe("new");
    expect(choose(rows.slice(0, 2), { strategy: "least_used" })).toBe("little used");
    const busy = [row("two used", { use_count: 2 }, { inFlight: 3 }), row("four used", { use_count: 4 })];
    expect(choose(busy, { strategy: "least_used" })).toBe("four used");
  });
  test("random takes any that can serve, and no other", () => {
    const seen = [0, 0.4, 0.99].map((chance) => choose(rows, { strategy: "random", chance }));
    expect(seen).toEqual(["much left", "little used", "new"]);
    const resting = row("resting", { status: "cooling", cooldown_until: START + 1 });
    expect(choose([resting, row("one"), row("full", {}, { inFlight: 4 })], { strategy: "random" })).toBe("one");
  });
});

test("the board moves the last account into a gap and grows beyond its first size", () => {
  const board = boardOf(
    Array.from({ length: 100 }, (_, index) =>
      row(`t${index}`, { windows: { fast: aWindow(index) } }, { inFlight: index % 4 }),
    ),
  );
  freeSlot(board, 10);
  expect(board.size).toBe(99);
  expect([board.inFlight[3], board.remaining[0]?.[3]]).toEqual([3, 3]);
  expect([board.remaining[0]?.[10], board.inFlight[10]]).toEqual([99, 3]);
  expect([board.remaining[0]?.[98], board.inFlight[98]]).toEqual([98, 2]);
});

/** Prints what a selection costs; time is not asserted, since the machine is shared. */
test("5,000 accounts", () => {
  const pools: Record<string, Row[]> = {
    "never used": Array.from({ length: 5000 }, (_, index) => row(`t${index}`)),
    mixed: Array.from({ length: 5000 }, (_, index) =>
      row(`t${index}`, {
        tier: index % 5 === 0 ? "super" : "basic",
        status: index % 7 === 0 ? "cooling" : index % 11 === 0 ? "expired" : "active",
        cooldown_until: START + 1000,
        ...used,
        windows: { fast: aWindow((index * 7919) % 31), auto: aWindow(index % 50), expert: aWindow(index % 50) },
      }),
    ),
  };
  for (const [name, rows] of Object.entries(pools)) {
    const board = boardOf(rows);
    const trials: [Strategy, number[]][] = [
      ["quota", []],
      ["quota", [17, 4711]],
      ["least_used", []],
      ["random", []],
    ];
    for (const [strategy, excluded] of trials) {
      const once = () =>
        selectSlot(board, {
          plan: planFor(model("grok-4")),
          now: START,
          turn: 1,
          maxInflight: 4,
          excluded,
          chance: () => 0.5,
          strategy,
        });
      const runs = 1000;
      for (let run = 0; run < 300; run++) once();
      const begun = Bun.nanoseconds();
      for (let run = 0; run < runs; run++) once();
      const micros = (Bun.nanoseconds() - begun) / runs / 1000;
      console.log(
        `selection among 5,000 accounts (${strategy}, ${name}, ${excluded.length} excluded): ${micros.toFixed(1)} µs`,
      );
      expect(once()).toBeGreaterThanOrEqual(0);
    }
  }
});
