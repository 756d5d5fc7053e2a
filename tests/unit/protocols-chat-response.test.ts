import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import type { EventBatch, GenerationEvent } from "../../src/core/events.ts";
import {
  type ChatStreamOptions,
  collectChat,
  createChatStreamEncoder,
} from "../../src/protocols/openai/chat-response.ts";
import { SCRIPTS, type ScriptName } from "../golden/scripts.ts";
import { type ChatChunk, chatChunks as chunksOf } from "../support/stream-grammar.ts";

const BASE = { id: "chatcmpl-1", model: "grok-4", created: 1760000000 } as const;
const SHOWN: ChatStreamOptions = {
  ...BASE,
  includeUsage: true,
  reasoningFormat: "reasoning_content",
  showReasoning: true,
};
const NAMES = Object.keys(SCRIPTS) as ScriptName[];

const encode = (batches: readonly EventBatch[], options: ChatStreamOptions = SHOWN): string => {
  const encoder = createChatStreamEncoder(options);
  return batches.map((batch) => encoder.push(batch)).join("");
};
const collect = (script: ScriptName, options: ChatStreamOptions = SHOWN) =>
  collectChat(stream([SCRIPTS[script]]), options);

async function* stream(batches: readonly EventBatch[]): AsyncGenerator<EventBatch, void, void> {
  yield* batches;
}

describe("batches", () => {
  test.each(NAMES)("every split of %s gives the same bytes", (name) => {
    const events: readonly GenerationEvent[] = SCRIPTS[name];
    const whole = encode([events]);
    expect(encode(events.map((event) => [event]))).toBe(whole);
    for (let first = 0; first <= events.length; first++) {
      for (let second = first; second <= events.length; second++) {
        const batches = [events.slice(0, first), events.slice(first, second), events.slice(second)];
        expect(encode(batches)).toBe(whole);
      }
    }
  });

  test("nothing follows the end, and `ended` tells it", () => {
    for (const name of ["plain", "failed"] as const) {
      const encoder = createChatStreamEncoder(SHOWN);
      expect(encoder.ended).toBe(false);
      encoder.push(SCRIPTS[name]);
      expect(encoder.ended).toBe(true);
      expect(encoder.push([{ type: "text-delta", block: 9, text: "late" }])).toBe("");
    }
  });

  test("a batch without visible events is no text", () => {
    expect(createChatStreamEncoder(SHOWN).push([{ type: "progress", value: 0.5, note: "" }])).toBe("");
  });
});

describe("stream shape", () => {
  test.each(NAMES)("%s keeps id, created and model, and names the role once", (name) => {
    const chunks = chunksOf(encode([SCRIPTS[name]])).filter((chunk) => chunk.error === undefined);
    for (const { id, created, model } of chunks) expect({ id, created, model }).toEqual(BASE);
    expect(chunks.filter((chunk) => chunk.choices[0]?.delta.role !== undefined).length).toBe(chunks.length > 0 ? 1 : 0);
  });

  test("usage is last and alone, and absent everywhere when not asked for", () => {
    const asked = chunksOf(encode([SCRIPTS.thinking]));
    expect(asked.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 12, total_tokens: 21 } });
    expect(asked.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
    const unasked = encode([SCRIPTS.thinking], { ...SHOWN, includeUsage: false });
    expect(unasked).not.toContain("usage");
    expect(chunksOf(unasked).every((chunk) => chunk.choices.length === 1)).toBe(true);
  });

  test.each(["failed", "failed-inside", "failed-early"] as const)("%s never looks finished", (name) => {
    const chunks = chunksOf(encode([SCRIPTS[name]]));
    expect(chunks.at(-1)?.error?.code).toBeString();
    expect(chunks.filter((chunk) => chunk.error !== undefined).length).toBe(1);
    expect(chunks.some((chunk) => (chunk.choices?.[0]?.finish_reason ?? null) !== null)).toBe(false);
    expect(encode([SCRIPTS[name]])).not.toContain("secret.ts");
  });

  test.each([
    ["stop", "stop"],
    ["length", "length"],
    ["tool-calls", "tool_calls"],
    ["content-filter", "content_filter"],
    ["other", "stop"],
  ] as const)("finish reason %s is %s", async (reason, expected) => {
    const events: EventBatch = [...SCRIPTS.plain.slice(0, -1), { type: "finish", reason, raw: null }];
    expect(chunksOf(encode([events], { ...SHOWN, includeUsage: false })).at(-1)?.choices[0]?.finish_reason).toBe(
      expected,
    );
    expect((await collectChat(stream([events]), SHOWN)).choices[0].finish_reason).toBe(expected);
  });
});

describe("single body", () => {
  test("byte for byte", async () => {
    expect(JSON.stringify(await collect("thinking"))).toBe(
      '{"id":"chatcmpl-1","object":"chat.completion","created":1760000000,"model":"grok-4","system_fingerprint":null,' +
        '"choices":[{"index":0,"message":{"role":"assistant","content":"Hello!","refusal":null,"annotations":[],' +
        '"reasoning_content":"Let me think."},"logprobs":null,"finish_reason":"stop"}],' +
        '"usage":{"prompt_tokens":12,"completion_tokens":9,"total_tokens":21,' +
        '"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":0},' +
        '"completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":0,' +
        '"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}',
    );
  });

  test.each([
    ["hidden", true],
    ["reasoning_content", false],
    ["think_tags", false],
  ] as const)("no reasoning with %s, shown %p", async (reasoningFormat, showReasoning) => {
    for (const script of ["thinking", "search", "interleaved"] as const) {
      const text = JSON.stringify(await collect(script, { ...SHOWN, reasoningFormat, showReasoning }));
      expect(text).not.toMatch(/reasoning_content|<think>|Let me|Searching|first|third/);
    }
  });

  test("think tags stand around reasoning, also when it is interleaved", async () => {
    const body = await collect("interleaved", { ...SHOWN, reasoningFormat: "think_tags" });
    expect(body.choices[0].message.content).toBe(
      "<think>\nfirst\n</think>\nHalf\n<think>\nsecond\n</think>\n![image](https://gw.example/v1/files/image/a.jpg)\n" +
        "<think>\nthird\n</think>\n and half.",
    );
    expect(body.choices[0].message.reasoning_content).toBeUndefined();
  });

  test("tool calls", async () => {
    const { message, finish_reason } = (await collect("tools")).choices[0];
    expect(finish_reason).toBe("tool_calls");
    expect(message.content).toBe("Looking.");
    expect(message.tool_calls).toEqual([
      { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
      { id: "call_2", type: "function", function: { name: "get_time", arguments: '{"zone":"CET"}' } },
      { id: "call_3", type: "function", function: { name: "get_rest", arguments: '{"a":1}' } },
    ]);
    expect((await collect("tools-only")).choices[0].message.content).toBeNull();
  });

  test("without a usage event nothing is invented", async () => {
    expect("usage" in (await collect("unusual"))).toBe(false);
  });

  test.each(["failed", "failed-early"] as const)("%s rejects with the failure itself", async (name) => {
    const last: GenerationEvent | undefined = SCRIPTS[name].at(-1);
    const thrown = await collect(name).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(GatewayError);
    expect(last).toMatchObject({ error: thrown });
  });

  test("a stream that stops without an end is a failure", async () => {
    const thrown = await collectChat(stream([SCRIPTS.plain.slice(0, -1)]), SHOWN).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "upstream_cut" });
  });
});

describe("citations", () => {
  const cited: [script: ScriptName, format: ChatStreamOptions["reasoningFormat"]][] = [
    ["search", "reasoning_content"],
    ["search", "think_tags"],
    ["search", "hidden"],
    ["pictures", "reasoning_content"],
  ];
  test.each(cited)("%s with %s point at their marks in the final content", async (script, reasoningFormat) => {
    const { message } = (await collect(script, { ...SHOWN, reasoningFormat })).choices[0];
    const marks = message.annotations.map(({ url_citation: at }) =>
      message.content?.slice(at.start_index, at.end_index),
    );
    expect(marks).toEqual(script === "search" ? ["[1]", "[2]", ""] : ["[1]"]);
  });
});

describe("stream and single body agree", () => {
  const formats = ["reasoning_content", "think_tags", "hidden"] as const;
  const whole = NAMES.filter((name) => !name.startsWith("failed"));
  test.each(formats.flatMap((format) => whole.map((name) => [name, format] as const)))(
    "%s, %s",
    async (name, reasoningFormat) => {
      const options = { ...SHOWN, reasoningFormat };
      const choices = chunksOf(encode([SCRIPTS[name]], options)).flatMap((chunk) => chunk.choices);
      const { message, finish_reason } = (await collect(name, options)).choices[0];
      const join = (read: (delta: ChatChunk["choices"][number]["delta"]) => string | undefined) =>
        choices.map((choice) => read(choice.delta) ?? "").join("");
      expect(join((delta) => delta.content)).toBe(message.content ?? "");
      expect(join((delta) => delta.reasoning_content)).toBe(message.reasoning_content ?? "");
      expect(choices.flatMap((choice) => choice.delta.annotations ?? [])).toEqual([...message.annotations]);
      const calls = choices.flatMap((choice) => choice.delta.tool_calls ?? []);
      const streamed = (message.tool_calls ?? []).map((_, index) =>
        calls
          .filter((call) => call.index === index)
          .map((call) => call.function.arguments)
          .join(""),
      );
      expect(streamed).toEqual((message.tool_calls ?? []).map((call) => call.function.arguments));
      expect(choices.at(-1)?.finish_reason).toBe(finish_reason);
    },
  );
});
