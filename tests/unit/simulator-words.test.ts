import { describe, expect, test } from "bun:test";
import { Glob } from "bun";
import { KINDS, parseToken } from "../../src/simulator/accounts.ts";
import { tokensOf } from "../../src/simulator/answers.ts";
import { readPrompt } from "../../src/simulator/prompt.ts";
import { REFUSING_WORDS } from "../../src/simulator/refusals.ts";
import { SCENARIOS, readWords, unknownWords } from "../../src/simulator/scenarios.ts";
import { demoXaiKeys, parseXaiKey, XAI_KINDS } from "../../src/simulator/xai/keys.ts";
import type { XaiKind } from "../../src/simulator/xai/keys.ts";
import { XAI_REFUSING_WORDS } from "../../src/simulator/xai/refusals.ts";
import { readXaiWords, XAI_SCENARIOS } from "../../src/simulator/xai/words.ts";

describe("scenario words", () => {
  test("are read from the text, with their numbers and defaults", () => {
    const words = readWords("Hi sim:thinking, please sim:silence-0.5. And sim:long sim:softstop-pause-2 sim:500");
    expect(words.names).toEqual(["thinking", "silence", "long", "softstop-pause", "500"]);
    expect(words.number("silence")).toBe(0.5);
    expect(words.number("long")).toBe(1000);
    expect(words.number("softstop-pause")).toBe(2);
    expect(unknownWords(readWords("sim:thinkng sim:cut"))).toEqual(["thinkng"]);
  });

  test("the table and the code name the same words", async () => {
    const root = `${import.meta.dir}/../../src/simulator`;
    let source = "";
    for await (const file of new Glob("*.ts").scan(root)) source += await Bun.file(`${root}/${file}`).text();
    const obeyed = new Set([...source.matchAll(/[wW]ords\.has\("([^"]+)"\)/g)].map((match) => match[1] ?? ""));
    for (const list of source.matchAll(
      /\[((?:"[a-z-]+",?\s*)+)\]\.some\(\(name\) => words\.has\(name\)\)|CITING = \[([^\]]+)\]/g,
    )) {
      for (const name of (list[1] ?? list[2] ?? "").matchAll(/"([a-z-]+)"/g)) obeyed.add(name[1] ?? "");
    }
    for (const name of REFUSING_WORDS) obeyed.add(name);
    const table = SCENARIOS.map((row) => row.name);
    expect([...obeyed].filter((name) => !table.includes(name))).toEqual([]);
    expect(table.filter((name) => !obeyed.has(name))).toEqual([]);
    expect(new Set(table).size).toBe(table.length);
  });
});

describe("words and keys of the official API", () => {
  test("the table and the code name the same words", async () => {
    const root = `${import.meta.dir}/../../src/simulator/xai`;
    let source = "";
    for await (const file of new Glob("*.ts").scan(root)) {
      if (file !== "words.ts") source += await Bun.file(`${root}/${file}`).text();
    }
    const obeyed = [...source.matchAll(/\bhas\("([^"]+)"\)/g)].map((match) => match[1] ?? "");
    const table = XAI_SCENARIOS.map((row) => row.name);
    expect([...obeyed, ...XAI_REFUSING_WORDS].filter((name) => !table.includes(name))).toEqual([]);
    const written = (name: string) => source.includes(`"${name}"`) || XAI_REFUSING_WORDS.includes(name);
    expect(table.filter((name) => !written(name))).toEqual([]);
    expect(new Set(table).size).toBe(table.length);
    expect(readXaiWords("sim:polls-0 sim:capacity-200").names).toEqual(["polls", "capacity-200"]);
  });

  test("keys name their temper, era and team", () => {
    expect(parseXaiKey("xai-sim-ok-alpha-1")).toEqual({ kind: "ok", old: false, team: "alpha" });
    expect(parseXaiKey("xai-sim-no-credits-old-beta-7")).toEqual({ kind: "no-credits", old: true, team: "beta" });
    expect(parseXaiKey("xai-sim-rate-limited-rpm-x")).toEqual({ kind: "rate-limited-rpm", old: false, team: "x" });
    expect(parseXaiKey("xai-sim-capacity-200-x")).toEqual({ kind: "capacity-200", old: false, team: "x" });
    expect(parseXaiKey("xai-sim-gamma-1")).toEqual({ kind: "ok", old: false, team: "gamma" });
    expect(parseXaiKey("xai-sim-wrong")).toEqual({ kind: "wrong", old: false, team: "main" });
    expect(parseXaiKey("xai-other-1")).toBeUndefined();
    for (const kind of Object.keys(XAI_KINDS) as XaiKind[])
      expect(parseXaiKey(`xai-sim-${kind}-t-1`)).toEqual({ kind, old: false, team: "t" });
    expect(demoXaiKeys().map((key) => parseXaiKey(key)?.kind)).toEqual(["ok", "no-credits"]);
  });
});

describe("reading a flattened message", () => {
  const cases: [string, string, string][] = [
    ["bare", "What is 2+2?\n\nAnd 3+3?", "What is 2+2?\n\nAnd 3+3?"],
    [
      "prefixed, last user bare",
      "system: Be terse.\n\nuser: Hi\n\nassistant: Hello.\n\nWhat is 2+2?\n\nThanks",
      "What is 2+2?\n\nThanks",
    ],
    ["brackets with a colon", "[system]: Be terse.\n\n[user]: Hi\n\n[assistant]: Yo\n\n[user]: What?", "What?"],
    [
      "brackets on their own line",
      "[system]\nBe terse.\n\n[user]\nline 1\n\nline 2\n\n[assistant]\nok",
      "line 1\n\nline 2",
    ],
    ["a bracket word inside the text", "Please explain [user] tags", "Please explain [user] tags"],
  ];
  test.each(cases)("%s", (_name, message, lastUser) => {
    expect(readPrompt(message).lastUser).toBe(lastUser);
  });

  test("finds tool results and tool names", () => {
    const message =
      "[system]\nTools:\n\n## get_weather\nWeather.\n\n[user]\nWeather?\n\n[tool]\nTool result (call_1): 21 degrees";
    expect(readPrompt(message).toolResult).toBe("21 degrees");
    expect(readPrompt(message).toolNames).toEqual(["get_weather"]);
    expect(readPrompt("Tool: search_docs\nDescription: x\n\nTool: other").toolNames).toEqual(["search_docs", "other"]);
    expect(readPrompt("[user]\nHi").toolResult).toBeUndefined();
  });
});

test("tokens joined are the text", () => {
  for (const text of ["a  b\n\n\nc", "你好，世界！", `x${"y".repeat(100)} 👨‍👩‍👧 é`, " ", "", "\t".repeat(30)]) {
    expect(tokensOf(text).join("")).toBe(text);
  }
});

test("tokens name accounts", () => {
  expect(parseToken("sim-basic-1")).toEqual({ tier: "basic", kind: "ok" });
  expect(parseToken("sim-super-limited-usage-77")).toEqual({ tier: "super", kind: "limited-usage" });
  expect(parseToken("sim-dead-403")).toEqual({ tier: "basic", kind: "dead-403" });
  expect(parseToken("sim-dead-9")).toEqual({ tier: "basic", kind: "dead" });
  expect(parseToken("sim-unheard-of")).toBeUndefined();
  expect(parseToken("eyJhbGciOi")).toBeUndefined();
  for (const kind of Object.keys(KINDS))
    expect(parseToken(`sim-heavy-${kind}-x1`)?.kind).toBe(kind as keyof typeof KINDS);
});
