// The bill of an answer in OpenAI's meaning, from the keys of both surfaces; samples recorded 2026-02 and 2026-08.
import { describe, expect, test } from "bun:test";
import { readUsage } from "../../src/providers/xai-api/usage.ts";

const chat = (prompt: number, completion: number, rest: { total?: number; cached?: number; reasoning?: number }) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  ...(rest.total === undefined ? {} : { total_tokens: rest.total }),
  prompt_tokens_details: { cached_tokens: rest.cached ?? 0 },
  completion_tokens_details: { reasoning_tokens: rest.reasoning ?? 0 },
});

test("Chat Completions leave reasoning out: the recorded sample", () => {
  const usage = {
    ...chat(12, 1, { total: 241, cached: 2, reasoning: 228 }),
    num_sources_used: 0,
    cost_in_usd_ticks: 1_176_500,
  };
  expect(readUsage(usage)).toEqual({
    inputTokens: 12,
    outputTokens: 229,
    reasoningTokens: 228,
    cachedTokens: 2,
    estimated: false,
    costTicks: 1_176_500,
  });
});

describe("what is folded in", () => {
  test.each([
    ["nothing when the total is the sum", chat(100, 50, { total: 150, cached: 60, reasoning: 20 }), 100, 50],
    ["reasoning when the total says so", chat(100, 50, { total: 170, reasoning: 20 }), 100, 70],
    ["cached input when the total says so", chat(40, 50, { total: 150, cached: 60 }), 100, 50],
    ["both", chat(40, 50, { total: 170, cached: 60, reasoning: 20 }), 100, 70],
    ["reasoning that is more than all output, without a total", chat(100, 5, { reasoning: 20 }), 100, 25],
    ["cached input that is more than all input, without a total", chat(10, 5, { cached: 64 }), 74, 5],
    ["nothing without a total else", chat(100, 50, { cached: 60, reasoning: 20 }), 100, 50],
    ["nothing for a total that nothing explains", chat(100, 50, { total: 999, reasoning: 20 }), 100, 50],
  ])("%s", (_, usage, input, output) => {
    expect(readUsage(usage)).toMatchObject({ inputTokens: input, outputTokens: output });
  });
});

test("an answer without counts has no usage, one without a cost no cost", () => {
  expect(readUsage(undefined)).toBeNull();
  expect(readUsage({ cost_in_usd_ticks: 5 })).toBeNull();
  expect(readUsage({ input_tokens: 3, output_tokens: 4 })).toEqual({
    inputTokens: 3,
    outputTokens: 4,
    reasoningTokens: 0,
    cachedTokens: 0,
    estimated: false,
  });
});
