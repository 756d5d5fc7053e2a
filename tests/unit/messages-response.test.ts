import { describe, expect, test } from "bun:test";
import type { EventBatch, GenerationEvent } from "../../src/core/events.ts";
import {
  collectMessage,
  createMessagesStreamEncoder,
  type ContentBlock,
  type MessagesAnswerOptions,
} from "../../src/protocols/anthropic/messages-response.ts";
import { SCRIPTS, type ScriptName } from "../golden/scripts.ts";
import { rejection } from "../support/events.ts";
import { readMessagesStream } from "../support/stream-grammar.ts";

const OPTIONS: MessagesAnswerOptions = {
  id: "msg_1",
  model: "grok-4",
  inputTokens: 12,
  showThinking: true,
  stop: ["three"],
};
const NAMES = Object.keys(SCRIPTS) as ScriptName[];
const WHOLE = NAMES.filter((name) => !name.startsWith("failed"));
const FAILED = NAMES.filter((name) => name.startsWith("failed"));

const encode = (batches: readonly EventBatch[], options = OPTIONS): string => {
  const encoder = createMessagesStreamEncoder(options);
  return batches.map((batch) => encoder.push(batch)).join("");
};

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

  test.each(["plain", "failed"] as const)("nothing follows the end of %s, and `ended` tells it", (name) => {
    const encoder = createMessagesStreamEncoder(OPTIONS);
    expect(encoder.ended).toBe(false);
    encoder.push(SCRIPTS[name]);
    expect(encoder.ended).toBe(true);
    expect(encoder.push([{ type: "text-delta", block: 9, text: "late" }])).toBe("");
  });

  test("a batch without visible events is no text", () => {
    expect(createMessagesStreamEncoder(OPTIONS).push([{ type: "progress", value: 0.5, note: "" }])).toBe("");
  });

  test("a silence is a ping, but only a comment as long as the message has not begun", () => {
    const encoder = createMessagesStreamEncoder(OPTIONS);
    expect(encoder.heartbeat).toBe(": keepalive\n\n");
    encoder.push([SCRIPTS.plain[0]]);
    expect(encoder.heartbeat).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  });
});

describe("a stream and a single body", () => {
  test.each(WHOLE.flatMap((name) => [true, false].map((showThinking) => [name, showThinking] as const)))(
    "of %s say the same, thinking shown: %p",
    async (name, showThinking) => {
      const options = { ...OPTIONS, showThinking };
      const read = readMessagesStream(encode([SCRIPTS[name]], options));
      expect(read.body).toEqual(await collectMessage(stream([SCRIPTS[name]]), options));
    },
  );

  test("byte for byte", async () => {
    expect(JSON.stringify(await collectMessage(stream([SCRIPTS.thinking]), OPTIONS))).toBe(
      '{"id":"msg_1","type":"message","role":"assistant","model":"grok-4","content":[' +
        '{"type":"thinking","thinking":"Let me think.","signature":"g2a_31578e9bc7186c3f"},{"type":"text","text":"Hello!"}],' +
        '"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"output_tokens":9,' +
        '"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}',
    );
  });

  test.each(WHOLE)("every thinking block of %s is signed, and none appears unasked", async (name) => {
    const shown = await collectMessage(stream([SCRIPTS[name]]), OPTIONS);
    const thinking = shown.content.filter((block) => block.type === "thinking");
    for (const block of thinking) expect(block.signature).toMatch(/^g2a_[0-9a-f]{16}$/);
    const hidden = await collectMessage(stream([SCRIPTS[name]]), { ...OPTIONS, showThinking: false });
    expect(hidden.content.map((block) => block.type)).not.toContain("thinking");
  });

  test("other thoughts and other answers have other seals", async () => {
    const seals = async (id: string) => {
      const { content } = await collectMessage(stream([SCRIPTS.interleaved]), { ...OPTIONS, id });
      return content.flatMap((block) => (block.type === "thinking" ? [block.signature] : []));
    };
    const all = [...(await seals("msg_1")), ...(await seals("msg_2"))];
    expect(all.length).toBe(6);
    expect(new Set(all).size).toBe(6);
  });

  test("calls that were made at the same time come one after the other, and words after them wait", async () => {
    const { content, stop_reason } = await collectMessage(stream([SCRIPTS["tools-woven"]]), OPTIONS);
    const [thinking, ...rest] = content;
    expect(thinking?.type).toBe("thinking");
    expect(rest).toEqual([
      { type: "tool_use", id: "toolu_a1", name: "get_weather", input: { city: "Paris" } },
      { type: "tool_use", id: "toolu_b2", name: "get_weather", input: { city: "Rome" } },
      { type: "tool_use", id: "toolu_c3", name: "list_cities", input: {} },
      { type: "text", text: "Asked." },
    ] satisfies ContentBlock[]);
    expect(stop_reason).toBe("tool_use");
  });
});

describe("the end", () => {
  test.each([
    ["stop", null, "end_turn", null],
    ["stop", "three", "stop_sequence", "three"],
    ["stop", "STOP_OF_THE_UPSTREAM", "end_turn", null],
    ["length", null, "max_tokens", null],
    ["length", "three", "max_tokens", null],
    ["tool-calls", null, "tool_use", null],
    ["content-filter", "x", "refusal", null],
    ["other", null, "end_turn", null],
  ] as const)("%s with %p is %s", async (...[reason, raw, stop_reason, stop_sequence]) => {
    const events: EventBatch = [...SCRIPTS.plain.slice(0, -1), { type: "finish", reason, raw }];
    expect(await collectMessage(stream([events]), OPTIONS)).toMatchObject({ stop_reason, stop_sequence });
    expect(readMessagesStream(encode([events])).body).toMatchObject({ stop_reason, stop_sequence });
  });

  test.each(FAILED)("%s is one error event and never an end", (name) => {
    const text = encode([SCRIPTS[name]]);
    expect(readMessagesStream(text)).toMatchObject({ outcome: "failed", body: null });
    expect(text).not.toContain("secret.ts");
  });

  test.each(FAILED)("%s rejects without a stream", async (name) => {
    const error = SCRIPTS[name].at(-1);
    expect(error?.type).toBe("failure");
    expect(await rejection(collectMessage(stream([SCRIPTS[name]]), OPTIONS))).toBe(
      error?.type === "failure" ? error.error : null,
    );
  });

  test("an answer that just stops coming is no message", async () => {
    const thrown = await rejection(collectMessage(stream([SCRIPTS.plain.slice(0, 4)]), OPTIONS));
    expect(thrown).toMatchObject({ code: "upstream_cut" });
  });

  test("arguments that are no object are the upstream's fault", async () => {
    const events: EventBatch = [
      SCRIPTS.plain[0],
      { type: "tool-start", block: 0, callId: "call_1", name: "f" },
      { type: "tool-end", block: 0, arguments: "[1]" },
      { type: "finish", reason: "tool-calls", raw: null },
    ];
    expect(await rejection(collectMessage(stream([events]), OPTIONS))).toMatchObject({ code: "upstream_malformed" });
  });
});
