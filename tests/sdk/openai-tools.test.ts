// Tools and JSON answers with OpenAI's own client, told nothing but the address and the key, against the executable.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { zodFunction, zodResponseFormat } from "openai/helpers/zod";
import type { ChatCompletionMessageParam, ChatCompletionTool } from "openai/resources/chat/completions";
import { z } from "zod";
import { type Executable, KEY, startExecutable } from "./executable.ts";

let executable: Executable;
let client: OpenAI;
beforeAll(async () => {
  executable = await startExecutable();
  client = new OpenAI({ apiKey: KEY, baseURL: `${executable.url}/v1` });
});
afterAll(() => executable.stop());
beforeEach(() => executable.simulator.reset());

const MODEL = "grok-4";
const ask = (content: string) => ({ model: MODEL, messages: [{ role: "user" as const, content }] });
const declare = (name: string): ChatCompletionTool => ({
  type: "function",
  function: { name, parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
});
const tools = [declare("get_weather"), declare("get_time")];

describe("calls", () => {
  test("whole and streamed are the same calls at the same price", async () => {
    const whole = await client.chat.completions.create({ ...ask("sim:tool-two"), tools });
    const streamed = await client.chat.completions
      .stream({ ...ask("sim:tool-two"), tools, stream_options: { include_usage: true } })
      .finalChatCompletion();
    for (const { choices } of [whole, streamed]) {
      expect(choices[0]?.finish_reason).toBe("tool_calls");
      expect(choices[0]?.message.tool_calls).toMatchObject([
        { type: "function", function: { name: "get_weather", arguments: '{"city":"Paris"}' } },
        { type: "function", function: { name: "get_time", arguments: '{"city":"Rome"}' } },
      ]);
    }
    expect(streamed.usage!).toEqual(whole.usage!);
    expect(executable.asked()).toBe(2);
  });

  test("events of the stream: each call begins once and is finished with its arguments", async () => {
    const done: unknown[] = [];
    const stream = client.chat.completions
      .stream({ ...ask("sim:tool-text"), tools })
      .on("tool_calls.function.arguments.done", ({ name, arguments: json }) => done.push([name, json]));
    expect(await stream.finalContent()).toBe("Let me look that up.");
    expect(done).toEqual([["get_weather", '{"city":"Paris"}']]);
    const calls = (await stream.finalMessage()).tool_calls ?? [];
    expect(calls.map(({ id }) => id)).toEqual([expect.stringMatching(/^call_/)]);
  });

  test("tool_choice: none, required, one by name", async () => {
    const none = await client.chat.completions.create({ ...ask("sim:tool"), tools, tool_choice: "none" });
    expect(none.choices[0]?.message.tool_calls).toBeUndefined();
    const required = await client.chat.completions.create({ ...ask("sim:tool-late"), tools, tool_choice: "required" });
    expect(required.choices[0]?.message.tool_calls).toHaveLength(1);
    const forced = await client.chat.completions.create({
      ...ask("sim:tool"),
      tools,
      tool_choice: { type: "function", function: { name: "get_time" } },
    });
    expect(forced.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: "get_time" } }]);
  });

  test("a description made with zod, parsed by the client", async () => {
    const parsed = await client.chat.completions.parse({
      ...ask("sim:tool"),
      tools: [zodFunction({ name: "get_weather", parameters: z.object({ city: z.string() }) })],
    });
    expect(parsed.choices[0]?.message.tool_calls).toMatchObject([
      { function: { name: "get_weather", parsed_arguments: { city: "Paris" } } },
    ]);
  });
});

describe("loops", () => {
  test("ten turns by hand, every call answered by its id", async () => {
    const messages: ChatCompletionMessageParam[] = [{ role: "system", content: "Be brief." }];
    for (let turn = 1; turn <= 10; turn++) {
      messages.push({ role: "user", content: `Turn ${turn}. sim:tool-two` });
      const asked = await client.chat.completions.create({ model: MODEL, messages, tools });
      const [choice] = asked.choices;
      expect(choice?.finish_reason).toBe("tool_calls");
      messages.push(choice!.message);
      for (const call of choice?.message.tool_calls ?? []) {
        messages.push({ role: "tool", tool_call_id: call.id, content: `result of turn ${turn}` });
      }
      const answered = await client.chat.completions.create({ model: MODEL, messages, tools });
      expect(answered.choices[0]).toMatchObject({
        finish_reason: "stop",
        message: { content: `The tool answered: result of turn ${turn}` },
      });
      messages.push(answered.choices[0]!.message);
    }
    const ids = messages.flatMap((one) => (one.role === "assistant" ? (one.tool_calls ?? []) : [])).map(({ id }) => id);
    expect(new Set(ids).size).toBe(20);
    expect(executable.asked()).toBe(20);
  });

  test.each([false, true])("the client's own loop (stream: %p)", async (stream) => {
    const given: unknown[] = [];
    const weather = {
      type: "function" as const,
      function: {
        name: "get_weather",
        description: "Weather of a city",
        parameters: { type: "object" as const, properties: { city: { type: "string" } } },
        parse: (text: string) => JSON.parse(text) as { city: string },
        function: (args: { city: string }) => {
          given.push(args);
          return "21 °C";
        },
      },
    };
    const options = { ...ask("sim:tool"), tools: [weather] };
    const runner = stream
      ? client.chat.completions.runTools({ ...options, stream: true })
      : client.chat.completions.runTools(options);
    expect(await runner.finalContent()).toBe("The tool answered: 21 °C");
    expect(given).toEqual([{ city: "Paris" }]);
    expect(runner.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
    expect(executable.asked()).toBe(2);
  });
});

describe("JSON answers", () => {
  const City = z.object({ city: z.string(), temperature: z.number(), ok: z.boolean() });

  test("by a schema, parsed by the client, also streamed", async () => {
    const format = { ...ask("sim:json"), response_format: zodResponseFormat(City, "city") };
    const expected = { city: "Paris", temperature: 21.5, ok: true };
    const parsed = await client.chat.completions.parse(format);
    expect(parsed.choices[0]?.message.parsed).toEqual(expected);
    const streamed = await client.chat.completions.stream(format).finalChatCompletion();
    expect(streamed.choices[0]?.message.parsed).toEqual(expected);
  });

  test("any object: prose and fences are taken off, and what is broken is asked for again", async () => {
    const whole = await client.chat.completions.create({
      ...ask("sim:json-late"),
      response_format: { type: "json_object" },
    });
    expect(JSON.parse(whole.choices[0]?.message.content ?? "")).toEqual({ city: "Paris" });
    expect(executable.asked()).toBe(2);
  });
});
