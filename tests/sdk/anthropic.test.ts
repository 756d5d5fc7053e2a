// Anthropic's official client, told nothing but the address and the key, against the executable: messages whole and streamed,
// loops of calls, counting, models and the classes of errors.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { betaZodTool } from "@anthropic-ai/sdk/helpers/beta/zod";
import { z } from "zod";
import { rejection } from "../support/events.ts";
import { type Executable, KEY, startExecutable } from "./executable.ts";

let executable: Executable;
let client: Anthropic;
beforeAll(async () => {
  executable = await startExecutable();
  client = clientOf(executable);
});
afterAll(() => executable.stop());
beforeEach(() => executable.simulator.reset());

const clientOf = ({ url }: Executable, apiKey = KEY) => new Anthropic({ apiKey, baseURL: url });
const ask = (content: string) => ({
  model: "grok-4",
  max_tokens: 2000,
  messages: [{ role: "user" as const, content }],
});
const tools: Anthropic.Tool[] = ["get_weather", "get_time"].map((name) => ({
  name,
  description: `Does ${name}`,
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
}));
const thinking = { type: "enabled" as const, budget_tokens: 1024 };
const textOf = ({ content }: Anthropic.Message): string =>
  content.map((block) => (block.type === "text" ? block.text : "")).join("");
const callsOf = ({ content }: Anthropic.Message) => content.filter((block) => block.type === "tool_use");

describe("messages", () => {
  test.each(["hello", "sim:thinking", "sim:citation", "sim:toolcard", "sim:tool-two", "sim:tool-text", "sim:long-500"])(
    "whole and streamed are the same message at the same price: %s",
    async (words) => {
      const options = { ...ask(words), tools, thinking };
      const whole = await client.messages.create(options);
      const streamed = await client.messages.stream(options).finalMessage();
      const shape = ({ content, stop_reason: reason, usage }: Anthropic.Message) => ({
        reason,
        tokens: [usage.input_tokens, usage.output_tokens],
        // Ids and seals belong to one answer.
        content: content.map((block) => ({ ...block, id: "", signature: "" })),
      });
      expect(shape(streamed)).toEqual(shape(whole));
      expect(whole.content.length).toBeGreaterThan(0);
    },
  );

  test("events of the stream add up", async () => {
    let text = "";
    let thought = "";
    const stream = client.messages
      .stream({ ...ask("sim:thinking"), thinking })
      .on("text", (piece) => (text += piece))
      .on("thinking", (piece) => (thought += piece));
    const message = await stream.finalMessage();
    expect(textOf(message)).toBe(text);
    expect(message.content[0]).toMatchObject({ type: "thinking", thinking: thought });
    expect(text).not.toBe("");
    expect(thought).not.toBe("");
  });

  test("stop sequences and max_tokens", async () => {
    const stopped = await client.messages.create({ ...ask("sim:echo one two three"), stop_sequences: ["three"] });
    expect(stopped).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "three" });
    const cut = await client.messages.stream({ ...ask("sim:long-500"), max_tokens: 20 }).finalMessage();
    expect(cut).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 20 } });
  });

  test("counting tells the price beforehand and asks no upstream", async () => {
    const body = { model: "grok-4", system: "Be brief.", tools, messages: ask("hello").messages };
    const { input_tokens: counted } = await client.messages.countTokens(body);
    expect(executable.asked()).toBe(0);
    const message = await client.messages.create({ ...body, max_tokens: 100 });
    expect(message.usage.input_tokens).toBe(counted);
  });

  test("models", async () => {
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toContain("grok-4");
    expect(await client.models.retrieve("grok-4")).toMatchObject({ type: "model", id: "grok-4" });
  });
});

describe("loops of calls", () => {
  test("ten turns by hand, thoughts and calls sent back as they came", async () => {
    const messages: Anthropic.MessageParam[] = [];
    for (let turn = 1; turn <= 10; turn++) {
      messages.push({ role: "user", content: `Turn ${turn}. sim:tool-two sim:thinking` });
      const options = { model: "grok-4", max_tokens: 2000, tools, thinking };
      const asked = await client.messages.stream({ ...options, messages }).finalMessage();
      expect(asked.stop_reason).toBe("tool_use");
      const calls = callsOf(asked);
      expect(calls.map(({ name, input }) => [name, input])).toEqual([
        ["get_weather", { city: "Paris" }],
        ["get_time", { city: "Rome" }],
      ]);
      messages.push({ role: "assistant", content: asked.content });
      messages.push({
        role: "user",
        content: calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: `result of turn ${turn}` })),
      });
      const answered = await client.messages.create({ ...options, messages });
      expect(answered.stop_reason).toBe("end_turn");
      expect(textOf(answered)).toBe(`The tool answered: result of turn ${turn}`);
      messages.push({ role: "assistant", content: answered.content });
    }
    expect(executable.asked()).toBe(20);
  });

  test.each([false, true])("the client's own runner (stream: %p)", async (stream) => {
    const given: unknown[] = [];
    const weather = betaZodTool({
      name: "get_weather",
      description: "Weather of a city",
      inputSchema: z.object({ city: z.string() }),
      run: (input) => {
        given.push(input);
        return "21 °C";
      },
    });
    const runner = client.beta.messages.toolRunner({ ...ask("sim:tool"), tools: [weather], stream });
    const last = await runner.runUntilDone();
    expect(last.content).toMatchObject([{ type: "text", text: "The tool answered: 21 °C" }]);
    expect(given).toEqual([{ city: "Paris" }]);
    expect(executable.asked()).toBe(2);
  });

  test("tool_choice by name", async () => {
    const message = await client.messages.create({
      ...ask("sim:tool"),
      tools,
      tool_choice: { type: "tool", name: "get_time" },
    });
    expect(callsOf(message).map(({ name }) => name)).toEqual(["get_time"]);
  });
});

describe("errors arrive as the client's classes", () => {
  test.each<[string, () => Promise<unknown>, keyof typeof Anthropic, object]>([
    [
      "a field at fault",
      () => client.messages.create({ ...ask("x"), max_tokens: 0 }),
      "BadRequestError",
      { status: 400, type: "invalid_request_error" },
    ],
    [
      "a wrong key",
      () => clientOf(executable, "sk-wrong").messages.create(ask("x")),
      "AuthenticationError",
      { status: 401, type: "authentication_error" },
    ],
    [
      "an unknown model",
      () => client.messages.create({ ...ask("x"), model: "claude-sonnet-9" }),
      "NotFoundError",
      { status: 404, type: "not_found_error" },
    ],
    [
      "content that was refused",
      () => client.messages.create(ask("sim:moderation")),
      "BadRequestError",
      { status: 400, type: "invalid_request_error" },
    ],
    [
      "the same before a stream has begun",
      () => client.messages.stream(ask("sim:moderation")).finalMessage(),
      "BadRequestError",
      { status: 400, type: "invalid_request_error" },
    ],
  ])("%s", async (_, run, name, expected) => {
    const thrown = await rejection(run());
    expect(thrown).toBeInstanceOf(Anthropic[name] as typeof APIError);
    expect(thrown).toMatchObject({ ...expected, requestID: expect.stringMatching(/^req_/) });
  });

  test("a stream that breaks is raised while it is read, and no message comes of it", async () => {
    let text = "";
    const stream = client.messages.stream(ask("sim:cut")).on("text", (piece) => (text += piece));
    const thrown = await rejection(stream.finalMessage());
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({ type: "api_error" });
    expect(text).not.toBe("");
  });

  // A pool that rests for an hour says so at once: this client would otherwise sleep through the hour.
  test("limits and an empty pool", async () => {
    for (const [accounts, name, type] of [
      [["sim-limited-1"], "RateLimitError", "rate_limit_error"],
      [[], "OverloadedError", "overloaded_error"],
    ] as const) {
      const other = await startExecutable({ accounts });
      try {
        const thrown = await rejection(clientOf(other).messages.create(ask("x")));
        expect(thrown).toBeInstanceOf(Anthropic[name]);
        expect(thrown).toMatchObject({ type });
      } finally {
        await other.stop();
      }
    }
  }, 30_000);
});
