// The AI SDK with its two providers for this API, told nothing but the address and the key, against the executable: its three
// ways of asking (Responses, chat, and chat for servers that are not OpenAI's) must make the same of an answer.
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  generateText,
  type LanguageModel,
  type ModelMessage,
  Output,
  stepCountIs,
  streamText,
  tool,
} from "ai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { z } from "zod";
import { rejection } from "../support/events.ts";
import { type Executable, KEY, startExecutable } from "./executable.ts";

let executable: Executable;
beforeAll(async () => {
  executable = await startExecutable();
});
afterAll(() => executable.stop());
beforeEach(() => executable.simulator.reset());

interface Way {
  readonly name: string;
  model(apiKey?: string, id?: string): LanguageModel;
  /** What the provider, left as it is, passes on: not every one reads reasoning or asks for a stream's usage. */
  readonly reads: { readonly reasoning: boolean; readonly streamUsage: boolean };
}

const address = () => `${executable.url}/v1`;
const WAYS: readonly Way[] = [
  {
    name: "openai, responses",
    model: (apiKey = KEY, id = "grok-4") => createOpenAI({ baseURL: address(), apiKey })(id),
    reads: { reasoning: true, streamUsage: true },
  },
  {
    name: "openai, chat",
    model: (apiKey = KEY, id = "grok-4") => createOpenAI({ baseURL: address(), apiKey }).chat(id),
    reads: { reasoning: false, streamUsage: true },
  },
  {
    name: "openai-compatible",
    model: (apiKey = KEY, id = "grok-4") => createOpenAICompatible({ name: "grok", baseURL: address(), apiKey })(id),
    reads: { reasoning: true, streamUsage: false },
  },
];

// One provider warns in every run that it leaves the schema to the prompt; what it makes of the answer is what is tested.
globalThis.AI_SDK_LOG_WARNINGS = false;

const City = z.object({ city: z.string(), temperature: z.number(), ok: z.boolean() });
const PARIS = { city: "Paris", temperature: 21.5, ok: true };

const weatherTool = () => {
  const given: unknown[] = [];
  const tools = {
    get_weather: tool({
      description: "Weather of a city",
      inputSchema: z.object({ city: z.string() }),
      execute: (input) => {
        given.push(input);
        return "21 °C";
      },
    }),
  };
  return { given, tools };
};

describe.each(WAYS)("$name", ({ model, reads }) => {
  test.each(["hello", "sim:thinking", "sim:citation", "sim:long-500"])(
    "whole and streamed are the same answer at the same price: %s",
    async (prompt) => {
      const whole = await generateText({ model: model(), prompt });
      const stream = streamText({ model: model(), prompt });
      let text = "";
      for await (const piece of stream.textStream) text += piece;
      expect(text).toBe(whole.text);
      expect(await stream.finishReason).toBe("stop");
      expect(whole.finishReason).toBe("stop");
      expect(await stream.reasoningText).toBe(whole.reasoningText);
      if (prompt === "sim:thinking") expect(whole.reasoningText?.includes("思考中") ?? false).toBe(reads.reasoning);
      const { inputTokens, outputTokens, totalTokens } = whole.usage;
      const streamed = reads.streamUsage ? { inputTokens, outputTokens, totalTokens } : { totalTokens: undefined };
      expect(await stream.usage).toMatchObject(streamed);
      expect(inputTokens).toBeGreaterThan(0);
      expect(outputTokens).toBeGreaterThan(0);
      expect(whole.warnings ?? []).toEqual([]);
    },
  );

  test("a loop of calls, whole", async () => {
    const { given, tools } = weatherTool();
    const result = await generateText({ model: model(), tools, prompt: "sim:tool", stopWhen: stepCountIs(5) });
    expect(result.text).toBe("The tool answered: 21 °C");
    expect(result.steps.map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "stop"]);
    expect(given).toEqual([{ city: "Paris" }]);
    expect(executable.asked()).toBe(2);
  });

  test("a loop of calls, streamed, with a sentence before the call", async () => {
    const { given, tools } = weatherTool();
    const kinds: string[] = [];
    const result = streamText({ model: model(), tools, prompt: "sim:tool-text", stopWhen: stepCountIs(5) });
    for await (const { type } of result.fullStream) if (kinds.at(-1) !== type) kinds.push(type);
    expect(kinds).toContain("tool-input-delta");
    expect(kinds.filter((kind) => kind === "tool-call" || kind === "tool-result")).toEqual([
      "tool-call",
      "tool-result",
    ]);
    expect(kinds).not.toContain("error");
    expect(kinds.at(-1)).toBe("finish");
    expect((await result.steps).map(({ text }) => text)).toEqual(["Let me look that up.", "The tool answered: 21 °C"]);
    expect(given).toEqual([{ city: "Paris" }]);
  });

  test("ten turns with calls, the history as the SDK keeps it", async () => {
    const { given, tools } = weatherTool();
    const messages: ModelMessage[] = [];
    for (let turn = 1; turn <= 10; turn++) {
      messages.push({ role: "user", content: `Turn ${turn}. sim:tool` });
      const result = await generateText({ model: model(), tools, messages, stopWhen: stepCountIs(3) });
      expect(result.text).toBe("The tool answered: 21 °C");
      messages.push(...result.response.messages);
    }
    expect(given).toHaveLength(10);
    expect(executable.asked()).toBe(20);
  });

  test("objects by a schema, whole and streamed", async () => {
    const options = { model: model(), output: Output.object({ schema: City }), prompt: "sim:json" };
    expect((await generateText(options)).output).toEqual(PARIS);
    const stream = streamText(options);
    for await (const part of stream.partialOutputStream) expect(PARIS).toMatchObject(part);
    expect(await stream.output).toEqual(PARIS);
  });

  test("errors carry status and words", async () => {
    const wrongKey = await rejection(generateText({ model: model("sk-wrong"), prompt: "hello" }));
    expect(APICallError.isInstance(wrongKey) && wrongKey.statusCode).toBe(401);
    const unknown = await rejection(generateText({ model: model(KEY, "no-such-model"), prompt: "hello" }));
    expect(APICallError.isInstance(unknown) && unknown.statusCode).toBe(404);
    expect(String(unknown)).toContain("no-such-model");
  });

  test("a stream that breaks is an error part, never a finished answer", async () => {
    const parts: string[] = [];
    const finishes: unknown[] = [];
    const result = streamText({ model: model(), prompt: "sim:cut", onError: () => {} });
    for await (const part of result.fullStream) {
      parts.push(part.type);
      if (part.type === "finish") finishes.push(part.finishReason);
    }
    expect(parts).toContain("error");
    expect(finishes).not.toContain("stop");
  });
});
