// The reading of streamed responses: the same events for every way of cutting the bytes, exact usage and cost, and one honest
// end. The fixtures follow recorded answers (2026-08); their texts and ids are invented.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { GenerationEvent } from "../../src/core/events.ts";
import { createObjectSplitter } from "../../src/lib/ndjson.ts";
import { createResponseReader, type ReaderOptions } from "../../src/providers/xai-api/response-stream.ts";
import { tell } from "../support/events.ts";

const fixture = (name: string) => readFileSync(join(import.meta.dir, "../fixtures/xai-api", name));

const options: ReaderOptions = {
  id: "chatcmpl-1",
  model: "grok-4.6",
  created: 1,
  lastOnly: false,
  seal: (item) => (typeof item["encrypted_content"] === "string" ? `sealed:${item["encrypted_content"]}` : undefined),
};

const read = (pieces: Uint8Array[], over: Partial<ReaderOptions> = {}): GenerationEvent[] => {
  const splitter = createObjectSplitter();
  const reader = createResponseReader({ ...options, ...over });
  for (const piece of pieces) for (const object of splitter.push(piece)) reader.accept(object);
  for (const object of splitter.end().objects) reader.accept(object);
  reader.end();
  return reader.take();
};

/** Events as objects without a type of their own, read from a list. */
const readObjects = (events: readonly unknown[], over: Partial<ReaderOptions> = {}): GenerationEvent[] => {
  const reader = createResponseReader({ ...options, ...over });
  for (const event of events) reader.accept(event);
  reader.end();
  return reader.take();
};

const toolsOf = (events: readonly GenerationEvent[]) => {
  const calls = new Map<number, { name: string; callId: string; streamed: string; arguments: string }>();
  for (const event of events) {
    if (event.type === "tool-start") {
      calls.set(event.block, { name: event.name, callId: event.callId, streamed: "", arguments: "" });
    }
    const call = "block" in event ? calls.get(event.block) : undefined;
    if (call && event.type === "tool-delta") call.streamed += event.text;
    if (call && event.type === "tool-end") call.arguments = event.arguments;
  }
  return [...calls.values()];
};

const usageOf = (events: readonly GenerationEvent[]) => events.find((event) => event.type === "usage")?.usage;

describe("a recorded answer with reasoning and two X searches", () => {
  const events = read([fixture("x-search.sse")]);
  const told = tell(events);

  test("has its text, its reasoning in one block with the sealed form, and no trace of a call", () => {
    expect(told.text).toBe(
      'The bird said 🐦 "hello"[[1]](https://x.example/examplebird/status/1) and, later, 再见.\nNothing else.',
    );
    expect(told.reasoning).toBe("Looking for posts. 先查一下。\n\nTwo searches are enough. 🤔");
    expect(events.filter(({ type }) => type === "reasoning-start")).toHaveLength(1);
    expect(events.find((event) => event.type === "reasoning-end")).toMatchObject({
      sealed: "sealed:QmxvYk9mVGhlVGVhbQ==+/x",
    });
    expect(toolsOf(events)).toEqual([]);
    expect(told.finish).toBe("stop");
  });

  test("tells what was searched for, once begun and once ended", () => {
    expect(told.activities).toEqual([
      "x-search: from:examplebird",
      "x-search: from:examplebird",
      "x-search: 1900000000000000001",
      "x-search: 1900000000000000001",
    ]);
  });

  test("places a citation in our text although the upstream counts whole characters; 0/0 has no place", () => {
    expect(told.citations.map(({ url, title }) => [url, title])).toEqual([
      ["https://x.example/examplebird/status/1", ""],
      ["https://example.org/listed", "Listed only"],
    ]);
    const [cited, listed] = told.citations;
    expect(told.text.slice(...(cited?.range ?? [0, 0]))).toBe("[[1]](https://x.example/examplebird/status/1)");
    expect(listed?.range).toBeUndefined();
  });

  test("is billed as recorded, tool fees included", () => {
    expect(usageOf(events)).toEqual({
      inputTokens: 10_926,
      outputTokens: 702,
      reasoningTokens: 615,
      cachedTokens: 4736,
      estimated: false,
      costTicks: 289_600_000,
    });
  });
});

describe("function calls", () => {
  const events = read([fixture("tools.sse")]);
  test("come as calls, streamed and whole, after the sentence before them", () => {
    expect(tell(events)).toMatchObject({ text: "Let me look.", finish: "tool-calls" });
    const weather = '{"city":"Zürich","unit":"°C"}';
    expect(toolsOf(events)).toEqual([
      { name: "get_weather", callId: "call_1aa", streamed: weather, arguments: weather },
      { name: "now", callId: "call_2aa", streamed: "{}", arguments: "{}" },
    ]);
  });

  test("may come whole in one event, or only in the last one", () => {
    const item = { id: "fc_1", type: "function_call", call_id: "call_1", name: "now", arguments: "" };
    const completed = { type: "response.completed", response: { status: "completed", output: [item] } };
    const expected = [{ name: "now", callId: "call_1", streamed: "{}", arguments: "{}" }];
    expect(toolsOf(readObjects([completed]))).toEqual(expected);
    expect(toolsOf(readObjects([{ type: "response.output_item.done", output_index: 0, item }, completed]))).toEqual(
      expected,
    );
  });
});

describe("citation markup", () => {
  const told = tell(read([fixture("markup.sse")]));
  test("leaves no trace, and later places move with what was taken out", () => {
    expect(told.text).toBe("Bun is fast, small. Done [[1]](https://example.com/a)");
    expect(told.citations[0]).toEqual({ url: "https://example.com/b", title: "B", range: undefined });
    expect(told.text.slice(...(told.citations[1]?.range ?? [0, 0]))).toBe("[[1]](https://example.com/a)");
    expect(told.activities).toEqual(["web-search: bun runtime", "web-search: bun runtime"]);
  });

  test("that never ends is text", () => {
    const long = `a\ue200${"b".repeat(1500)}`;
    for (const size of [1, 7, 400, 5000]) {
      const deltas = [];
      for (let at = 0; at < long.length; at += size) {
        deltas.push({ type: "response.output_text.delta", output_index: 0, delta: long.slice(at, at + size) });
      }
      const events = readObjects([...deltas, { type: "response.completed", response: {} }]);
      expect(tell(events).text, `pieces of ${size}`).toBe(`a${"b".repeat(1500)}`);
    }
  });
});

describe("an answer told twice", () => {
  const json = '{"city":"Paris","ok":true}';
  test("counts once where JSON was asked for", () => {
    expect(tell(read([fixture("two-messages.sse")], { lastOnly: true })).text).toBe(json);
  });
  test("in the same words counts once", () => {
    expect(tell(read([fixture("two-messages.sse")])).text).toBe(json);
  });

  const message = (output_index: number, text: string) => [
    { type: "response.output_item.added", output_index, item: { type: "message", content: [] } },
    ...[...text].map((delta) => ({ type: "response.output_text.delta", output_index, delta })),
    {
      type: "response.output_item.done",
      output_index,
      item: { type: "message", content: [{ type: "output_text", text }] },
    },
  ];
  const end = { type: "response.completed", response: { status: "completed" } };
  test("in other words is two paragraphs; of JSON the last one", () => {
    const both = [...message(0, "One."), ...message(1, "One or two."), end];
    expect(tell(readObjects(both)).text).toBe("One.\n\nOne or two.");
    expect(tell(readObjects(both, { lastOnly: true })).text).toBe("One or two.");
  });
  test("whose second message has no word stays the first", () => {
    const both = [...message(0, '{"a":1}'), ...message(1, ""), end];
    expect(tell(readObjects(both, { lastOnly: true })).text).toBe('{"a":1}');
  });
});

/** One event a text, so that the way of cutting does not show. */
const joined = (events: readonly GenerationEvent[]): GenerationEvent[] => {
  const out: GenerationEvent[] = [];
  for (const event of events) {
    const last = out.at(-1);
    if (
      last &&
      (last.type === "text-delta" || last.type === "reasoning-delta" || last.type === "tool-delta") &&
      event.type === last.type
    ) {
      out[out.length - 1] = { ...last, text: last.text + event.text };
    } else out.push(event);
  }
  return out;
};

describe.each(["x-search.sse", "tools.sse", "markup.sse", "two-messages.sse"])("%s", (name) => {
  const bytes = fixture(name);
  const whole = joined(read([bytes]));
  test("cut once at every byte gives the same events", () => {
    for (let at = 0; at <= bytes.length; at++) {
      expect(joined(read([bytes.subarray(0, at), bytes.subarray(at)])), `cut at ${at}`).toEqual(whole);
    }
  });
  test("in pieces of 1 to 16 bytes gives the same events", () => {
    for (let size = 1; size <= 16; size++) {
      const pieces = [];
      for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
      expect(joined(read(pieces)), `pieces of ${size}`).toEqual(whole);
    }
  });
  test("broken off before its last event is cut, never finished", () => {
    const last = bytes.lastIndexOf("event: response.completed");
    for (let at = 0; at < last; at += 61) {
      const told = tell(read([bytes.subarray(0, at)]));
      expect(told.failure?.code, `ended at ${at}`).toBe("upstream_cut");
    }
  });
});

const says = (text: string) => ({ type: "response.output_text.delta", output_index: 0, delta: text });

describe("how an answer ends", () => {
  const ending = (type: string, response: object) => tell(readObjects([says("Hello"), { type, response }]));
  test.each([
    ["response.completed", { status: "completed" }, "stop"],
    ["response.done", { status: "completed" }, "stop"],
    ["response.completed", {}, "stop"],
    ["response.incomplete", { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, "length"],
    ["response.done", { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }, "length"],
    [
      "response.incomplete",
      { status: "incomplete", incomplete_details: { reason: "content_filter" } },
      "content-filter",
    ],
    ["response.incomplete", { incomplete_details: { reason: "moon" } }, "other"],
  ])("%s %o → %s", (type, response, finish) => {
    expect(ending(type, response)).toMatchObject({ finish, failure: null, text: "Hello" });
  });

  test("without a word it is a failure, unless a limit was used up", () => {
    const end = (response: object) => tell(readObjects([{ type: "response.completed", response }]));
    expect(end({ status: "completed", output: [] }).failure?.code).toBe("upstream_empty");
    expect(end({ status: "incomplete", incomplete_details: { reason: "content_filter" } }).failure?.code).toBe(
      "content_policy_violation",
    );
    expect(end({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }).finish).toBe("length");
  });

  test("an error event and a failed response are failures with the code that their words mean", () => {
    const capacity = "Service temporarily unavailable. The model is at capacity.";
    const error = (event: object) => tell(readObjects([says("Hi"), event])).failure?.code;
    expect(error({ type: "error", code: "internal_error", message: "Internal error", param: null })).toBe(
      "upstream_error",
    );
    expect(error({ type: "error", code: "unavailable", message: capacity })).toBe("upstream_unavailable");
    expect(error({ code: "The service is currently unavailable", error: capacity })).toBe("upstream_unavailable");
    const response = {
      status: "failed",
      error: { code: "resource-exhausted", message: "Too many requests" },
      output: [],
    };
    expect(error({ type: "response.failed", response })).toBe("upstream_rate_limited");
    expect(error({ type: "response.done", response })).toBe("upstream_rate_limited");
  });

  test("what the failed answer cost is still told", () => {
    const usage = { input_tokens: 5, output_tokens: 1, total_tokens: 6, cost_in_usd_ticks: 70_000 };
    const events = readObjects([{ type: "response.failed", response: { status: "failed", usage } }]);
    expect(usageOf(events)?.costTicks).toBe(70_000);
  });
});

describe("oddities", () => {
  test("unknown events and fields are passed over", () => {
    const events = [{ type: "response.weather.changed", sky: 1 }, null, 7, "x", { a: 1 }, says("Hi")];
    expect(tell(readObjects([...events, { type: "response.completed", response: { odd: {} } }])).text).toBe("Hi");
  });

  test("an event that is told twice counts once", () => {
    const one = (sequence_number: number, delta: string) => ({ ...says(delta), sequence_number });
    const events = [one(1, "a"), one(1, "a"), one(2, "a"), { type: "response.completed", response: {} }];
    expect(tell(readObjects(events)).text).toBe("aa");
  });

  test("of raw and short reasoning one is told; what was not streamed comes from the item", () => {
    const raw = { type: "response.reasoning_text.delta", output_index: 0, delta: "raw" };
    const short = { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "short" };
    const item = { id: "rs_1", type: "reasoning", summary: [{ type: "summary_text", text: "whole" }] };
    const done = (output_index: number) => ({ type: "response.output_item.done", output_index, item });
    const end = { type: "response.completed", response: {} };
    const say = { ...says("Hi"), output_index: 5 };
    expect(tell(readObjects([raw, short, done(0), say, end])).reasoning).toBe("raw");
    expect(tell(readObjects([done(0), say, end])).reasoning).toBe("whole");
  });

  test("reasoning that is only sealed is a block without a word", () => {
    const item = { id: "rs_1", type: "reasoning", summary: [], encrypted_content: "QQ==" };
    const events = readObjects([
      { type: "response.output_item.done", output_index: 0, item },
      { ...says("Hi"), output_index: 1 },
      { type: "response.completed", response: {} },
    ]);
    expect(tell(events)).toMatchObject({ text: "Hi", reasoning: "", finish: "stop" });
    expect(events.filter((event) => event.type === "reasoning-end")).toEqual([
      { type: "reasoning-end", block: 1, sealed: "sealed:QQ==" },
    ]);
  });

  test("a drawn picture is a picture, with or without a data URI's head", () => {
    const item = {
      id: "ig_1",
      type: "image_generation_call",
      prompt: "a cat",
      result: "data:image/png;base64,iVBORw0K",
    };
    const events = readObjects([
      { type: "response.output_item.done", output_index: 0, item },
      { type: "response.completed", response: {} },
    ]);
    expect(events.find((event) => event.type === "image")?.source).toEqual({ base64: "iVBORw0K", mime: "image/png" });
    expect(tell(events)).toMatchObject({ finish: "stop", activities: ["other: a cat", "other: a cat"] });
  });

  test("a server's call in the shape of a function call is not the caller's", () => {
    const item = { type: "function_call", call_id: "xs_call_9", name: "x_user_search", arguments: '{"query":"bird"}' };
    const events = readObjects([
      { type: "response.output_item.done", output_index: 0, item },
      { ...says("Hi"), output_index: 1 },
      { type: "response.completed", response: {} },
    ]);
    expect(toolsOf(events)).toEqual([]);
    expect(tell(events)).toMatchObject({ finish: "stop", activities: ["x-search: bird", "x-search: bird"] });
  });
});
