// The frames and bodies of responses: golden streams, splits, stream against body, and writing a stream again.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import type { EventBatch, GenerationEvent } from "../../src/core/events.ts";
import type { JsonObject } from "../../src/lib/json.ts";
import type { ResponseObject } from "../../src/protocols/openai/responses-object.ts";
import { responseError } from "../../src/protocols/openai/responses-object.ts";
import { keptEvents, replayResponse } from "../../src/protocols/openai/responses-replay.ts";
import { collectResponse, createResponsesStreamEncoder } from "../../src/protocols/openai/responses-response.ts";
import { ECHO, RESPONSES_HEAD } from "../golden/answers.ts";
import { SCRIPTS, type ScriptName } from "../golden/scripts.ts";
import type { ResponseFrame } from "../support/responses-grammar.ts";
import { namedFrames } from "../support/stream-grammar.ts";

const OPTIONS = { ...RESPONSES_HEAD, completedAt: () => 1760000003 };
const NAMES = Object.keys(SCRIPTS) as ScriptName[];
const WHOLE = NAMES.filter((name) => !name.startsWith("failed"));
const BROKEN = NAMES.filter((name) => name.startsWith("failed") && name !== "failed-early");

const encode = (batches: readonly EventBatch[]): string => {
  const encoder = createResponsesStreamEncoder(OPTIONS);
  return batches.map((batch) => encoder.push(batch)).join("");
};

async function* stream(batches: readonly EventBatch[]): AsyncGenerator<EventBatch, void, void> {
  yield* batches;
}
const collect = async (name: ScriptName): Promise<ResponseObject> =>
  (await collectResponse(stream([SCRIPTS[name]]), OPTIONS)).response;

const framesOf = (text: string): ResponseFrame[] => namedFrames<ResponseFrame>(text);

describe("batches", () => {
  test.each(NAMES)("every split of %s gives the same bytes", (name) => {
    const events: readonly GenerationEvent[] = SCRIPTS[name];
    const whole = encode([events]);
    expect(encode(events.map((event) => [event]))).toBe(whole);
    for (let first = 0; first <= events.length; first++) {
      for (let second = first; second <= events.length; second++) {
        expect(encode([events.slice(0, first), events.slice(first, second), events.slice(second)])).toBe(whole);
      }
    }
  });

  test("nothing follows the end", () => {
    const encoder = createResponsesStreamEncoder(OPTIONS);
    encoder.push(SCRIPTS.plain);
    expect(encoder.ended).toBe(true);
    expect(encoder.push([{ type: "text-delta", block: 9, text: "late" }])).toBe("");
  });
});

describe("every stream", () => {
  test.each(WHOLE)("%s ends with the body that a request without stream gets", async (name) => {
    const last = framesOf(encode([SCRIPTS[name]])).at(-1);
    expect(last?.response).toEqual(JSON.parse(JSON.stringify(await collect(name))));
    const done = framesOf(encode([SCRIPTS[name]])).filter((frame) => frame.type === "response.output_item.done");
    const inOrder = done.toSorted((one, other) => (one.output_index ?? 0) - (other.output_index ?? 0));
    expect(inOrder.map((frame) => frame.item)).toEqual((last?.response?.output ?? []) as never);
  });

  test.each(BROKEN)("%s fails and never looks finished", (name) => {
    const frames = framesOf(encode([SCRIPTS[name]]));
    expect(frames.at(-1)?.type).toBe("response.failed");
    expect(frames.at(-1)?.response).toMatchObject({ status: "failed", completed_at: null });
    expect(frames.some((frame) => /completed$|incomplete$/.test(frame.type.replace("web_search_call", "")))).toBe(
      false,
    );
    expect(frames.at(-1)?.response?.output.at(-1)?.status).toBe("incomplete");
    expect(encode([SCRIPTS[name]])).not.toContain("secret.ts");
  });

  test("a failure before the beginning is an error frame", () => {
    const [only, ...more] = framesOf(encode([SCRIPTS["failed-early"]]));
    expect(more).toEqual([]);
    expect(only).toEqual({
      type: "error",
      sequence_number: 0,
      code: "no_available_account",
      message: "No account is free.",
      param: null,
    } as never);
  });

  test.each([
    ["stop", "response.completed", null],
    ["tool-calls", "response.completed", null],
    ["other", "response.completed", null],
    ["length", "response.incomplete", "max_output_tokens"],
    ["content-filter", "response.incomplete", "content_filter"],
  ] as const)("finish reason %s is %s", (reason, type, why) => {
    const events: EventBatch = [...SCRIPTS.plain.slice(0, -1), { type: "finish", reason, raw: null }];
    const last = framesOf(encode([events])).at(-1);
    expect(last?.type).toBe(type);
    expect(last?.response?.incomplete_details ?? null).toEqual(why === null ? null : { reason: why });
    expect(last?.response?.output[0]?.status).toBe(why === null ? "completed" : "incomplete");
  });
});

describe("single body", () => {
  test("has every key, in order", async () => {
    expect(Object.keys(await collect("thinking")).join(" ")).toBe(
      "id object created_at completed_at status background error incomplete_details instructions max_output_tokens " +
        "max_tool_calls model output output_text parallel_tool_calls previous_response_id reasoning service_tier store " +
        "temperature text tool_choice tools top_logprobs top_p truncation usage user metadata",
    );
  });

  test("carries usage with its details", async () => {
    expect((await collect("thinking")).usage).toEqual({
      input_tokens: 12,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: 9,
      output_tokens_details: { reasoning_tokens: 3 },
      total_tokens: 21,
    });
    expect((await collect("unusual")).usage).toBeNull();
  });

  test("an answer without text still has a message, one of calls has none", async () => {
    const silent = await collect("silent");
    expect(silent.output.map((item) => item.type)).toEqual(["message"]);
    expect(silent.output_text).toBe("");
    expect((await collect("tools-only")).output.map((item) => item.type)).toEqual(["function_call"]);
  });

  test.each(["search", "pictures", "interleaved"] as const)(
    "annotations of %s point into their own text",
    async (name) => {
      for (const item of (await collect(name)).output) {
        if (item.type !== "message") continue;
        for (const { text, annotations } of item.content) {
          for (const { start_index: from, end_index: to } of annotations) {
            expect(from).toBeGreaterThanOrEqual(0);
            expect(to).toBeLessThanOrEqual(text.length);
            expect(text.slice(from, to)).toMatch(/^(\[\d\])?$/);
          }
        }
      }
      expect(JSON.stringify(await collect("search")).match(/url_citation/g)).toHaveLength(3);
    },
  );

  test.each(["failed", "failed-early"] as const)("%s rejects with the failure itself", async (name) => {
    const last: GenerationEvent | undefined = SCRIPTS[name].at(-1);
    const thrown = await collect(name).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(GatewayError);
    expect(last).toMatchObject({ error: thrown });
  });

  test("a stream that stops without an end is a failure", async () => {
    const thrown = await collectResponse(stream([SCRIPTS.plain.slice(0, -1)]), OPTIONS).catch(
      (error: unknown) => error,
    );
    expect(thrown).toMatchObject({ code: "upstream_cut" });
  });
});

describe("the words of a failed response", () => {
  test.each([
    ["context_too_long", "Too long.", {}, "context_length_exceeded", "Too long."],
    ["content_policy_violation", "No.", {}, "invalid_prompt", "No."],
    ["account_quota", "Used up.", { retryAfterMs: 1500 }, "rate_limit_exceeded", "Used up. Please try again in 2s."],
    ["upstream_rate_limited", "Slow.", {}, "rate_limit_exceeded", "Slow."],
    ["upstream_cut", "Cut.", {}, "server_error", "Cut."],
    ["internal_error", "secret.ts line 3", {}, "server_error", "The gateway hit an internal error."],
  ] as const)("%s", (code, message, detail, ...expected) => {
    expect(responseError(new GatewayError(code, message, detail))).toEqual({
      code: expected[0],
      message: expected[1],
    });
  });
});

describe("writing a stream again", () => {
  const keep = (name: ScriptName) => {
    const encoder = createResponsesStreamEncoder(OPTIONS);
    const text = encoder.push(SCRIPTS[name]);
    // As storage gives it back.
    const body = JSON.parse(JSON.stringify(encoder.response)) as JsonObject;
    const events = JSON.parse(JSON.stringify(keptEvents(SCRIPTS[name]))) as JsonObject[];
    return { text, kept: { body, events } };
  };

  test.each(NAMES.filter((name) => name !== "failed-early"))("%s comes out byte for byte", (name) => {
    const { text, kept } = keep(name);
    expect(replayResponse(kept, -1)).toBe(text);
  });

  test("behind a sequence number only the rest is written", () => {
    const { text, kept } = keep("search");
    const frames = framesOf(text);
    for (const after of [0, 5, frames.length - 2]) {
      expect(framesOf(replayResponse(kept, after))).toEqual(frames.slice(after + 1));
    }
    expect(replayResponse(kept, frames.length)).toBe("");
  });

  test("repeats what the request had asked for", () => {
    const echo = {
      ...ECHO,
      instructions: "Be brief.",
      maxOutputTokens: 7,
      temperature: 0,
      tools: [{ type: "web_search" }],
      metadata: { a: "b" },
      store: false,
      extra: { prompt_cache_key: "k" },
    };
    const encoder = createResponsesStreamEncoder({ ...OPTIONS, echo });
    const text = encoder.push(SCRIPTS.plain);
    const body = JSON.parse(JSON.stringify(encoder.response)) as JsonObject;
    expect(replayResponse({ body, events: [...keptEvents(SCRIPTS.plain)] }, -1)).toBe(text);
  });

  test("keeps no upstream address", () => {
    expect(JSON.stringify(keptEvents(SCRIPTS.pictures))).not.toContain("assets.example");
  });
});
