// Stop texts: what is cut, which text is named as the reason, and that neither depends on how the answer was cut into pieces.
import { describe, expect, test } from "bun:test";
import type { GenerationEvent } from "../../src/core/events.ts";
import { createCut } from "../../src/core/transforms.ts";
import { tell } from "../support/events.ts";

const run = (pieces: readonly string[], stop: readonly string[], maxTokens?: number) => {
  const cut = createCut({ stop, maxTokens });
  const events: GenerationEvent[] = [
    { type: "start", id: "x", model: "grok-4", created: 1 },
    { type: "text-start", block: 0 },
    ...pieces.map((text): GenerationEvent => ({ type: "text-delta", block: 0, text })),
    { type: "text-end", block: 0 },
    { type: "finish", reason: "stop", raw: "upstream's own" },
  ];
  const out = events.flatMap((event) => cut?.push([event]) ?? []);
  const last = out.at(-1);
  return { text: tell(out).text, end: last?.type === "finish" ? [last.reason, last.raw] : last };
};

const splits = (text: string): string[][] => {
  const two = Array.from({ length: text.length + 1 }, (_, at) => [text.slice(0, at), text.slice(at)]);
  return [[text], [...text], ...two];
};

describe.each([
  ["one", { text: "before STOP after", stop: ["STOP"], kept: "before ", raw: "STOP" }],
  ["the first of two", { text: "a END b STOP", stop: ["STOP", "END"], kept: "a ", raw: "END" }],
  [
    "the one that is complete first, though another began earlier",
    { text: "xabcd", stop: ["abcd", "bc"], kept: "xa", raw: "bc" },
  ],
  ["of two that end together, the longer", { text: "xabc", stop: ["bc", "abc"], kept: "x", raw: "abc" }],
  ["at the very beginning", { text: "STOPno", stop: ["STOP"], kept: "", raw: "STOP" }],
  ["across lines", { text: "a\n\nHuman: b", stop: ["\n\nHuman:"], kept: "a", raw: "\n\nHuman:" }],
] as const)("%s", (_name, { text, stop, kept, raw }) => {
  test.each(splits(text).map((pieces) => [JSON.stringify(pieces), pieces] as const))("%s", (_pieces, pieces) => {
    expect(run(pieces, stop)).toEqual({ text: kept, end: ["stop", raw] });
  });
});

test("an end of the upstream's own keeps its reason", () => {
  expect(run(["no mark ST", "OF"], ["STOP"])).toEqual({ text: "no mark STOF", end: ["stop", "upstream's own"] });
});

test("a limit on length names no stop text", () => {
  expect(run(["一二三四五"], ["五"], 3)).toEqual({ text: "一二三", end: ["length", null] });
});
