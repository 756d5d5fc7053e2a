// Several streams as one: order of starts, how many at once, and that closing closes all of them.
import { expect, test } from "bun:test";
import { mergeStreams } from "../../src/lib/merge.ts";
import { rejection } from "../support/events.ts";

/** A stream that is moved on by hand and tells when it begins and ends. */
const stream = (name: string, log: string[], items: number) =>
  async function* () {
    log.push(`${name} begins`);
    try {
      for (let item = 1; item <= items; item++) {
        await Bun.sleep(1);
        yield `${name}${item}`;
      }
    } finally {
      log.push(`${name} ends`);
    }
  };
const gather = async (merged: AsyncIterable<string>) => {
  const items: string[] = [];
  for await (const item of merged) items.push(item);
  return items;
};
const always = () => true;

test("one after the other", async () => {
  const log: string[] = [];
  const starts = [stream("a", log, 2), stream("b", log, 1)];
  expect(await gather(mergeStreams(starts, { atOnce: 1, goOn: always }))).toEqual(["a1", "a2", "b1"]);
  expect(log).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("side by side, never more than allowed", async () => {
  const log: string[] = [];
  const starts = ["a", "b", "c"].map((name) => stream(name, log, 2));
  const items = await gather(mergeStreams(starts, { atOnce: 2, goOn: always }));
  expect(items.toSorted((a, b) => a.localeCompare(b))).toEqual(["a1", "a2", "b1", "b2", "c1", "c2"]);
  expect(log.slice(0, 2)).toEqual(["a begins", "b begins"]);
  expect(log.indexOf("c begins")).toBeGreaterThan(2);
});

test("nothing more begins once it is enough", async () => {
  const log: string[] = [];
  let enough = false;
  const items: string[] = [];
  const starts = [stream("a", log, 2), stream("b", log, 2)];
  for await (const item of mergeStreams(starts, { atOnce: 1, goOn: () => !enough })) {
    items.push(item);
    enough = true;
  }
  expect(items).toEqual(["a1", "a2"]);
  expect(log).not.toContain("b begins");
});

test("leaving early ends every stream that has begun", async () => {
  const log: string[] = [];
  const merged = mergeStreams([stream("a", log, 9), stream("b", log, 9)], { atOnce: 2, goOn: always });
  await merged.next();
  await merged.return();
  for (let wait = 0; wait < 50 && log.length < 4; wait++) await Bun.sleep(2);
  expect(log.toSorted((a, b) => a.localeCompare(b))).toEqual(["a begins", "a ends", "b begins", "b ends"]);
});

test("a stream that throws ends the whole", async () => {
  const broken = async function* (): AsyncGenerator<string, void, void> {
    yield "x1";
    throw new Error("broken");
  };
  expect(await rejection(gather(mergeStreams([broken], { atOnce: 1, goOn: always })))).toMatchObject({
    message: "broken",
  });
});
