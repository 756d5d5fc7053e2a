// Anthropic's official client against the whole program with the simulated upstream behind it, and whole bodies of coding
// agents on the same way.
import Anthropic, { APIError } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { PROGRAM_KEY, type Program, startProgram } from "../support/program.ts";
import { rejection } from "../support/events.ts";

let program: Program;
let client: Anthropic;
beforeAll(async () => {
  program = await startProgram();
  client = clientFor({ apiKey: PROGRAM_KEY });
});
afterAll(() => program.stop());
beforeEach(() => program.simulator.reset());

const clientFor = (options: { apiKey?: string; authToken?: string; baseURL?: string }): Anthropic =>
  new Anthropic({ apiKey: null, authToken: null, baseURL: program.url, maxRetries: 0, ...options });

const ask = (text: string) => ({
  model: "grok-4",
  max_tokens: 1000,
  messages: [{ role: "user" as const, content: text }],
});
const WEATHER: Anthropic.Tool = {
  name: "get_weather",
  description: "The weather of a city.",
  input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
};
const textOf = (message: Anthropic.Message): string =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

describe("create", () => {
  test("one message", async () => {
    const message = await client.messages.create(ask("hello"));
    expect(textOf(message)).toStartWith("Hello from the simulated Grok 👋 你好！You said: “hello”");
    expect(message).toMatchObject({ type: "message", role: "assistant", model: "grok-4", stop_reason: "end_turn" });
    expect(message._request_id).toMatch(/^req_[0-9a-f]{32}$/);
    expect(message.usage.input_tokens).toBeGreaterThan(0);
    expect(program.asked()).toBe(1);
  });

  test("with a bearer token, and a base address that ends in /v1", async () => {
    const other = clientFor({ authToken: PROGRAM_KEY, baseURL: `${program.url}/v1` });
    expect((await other.messages.create(ask("hello"))).stop_reason).toBe("end_turn");
  });

  test("thinking, signed", async () => {
    const message = await client.messages.create({
      ...ask("sim:thinking"),
      max_tokens: 5000,
      thinking: { type: "enabled", budget_tokens: 1024 },
    });
    expect(message.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
    const [thinking] = message.content;
    expect(thinking?.type === "thinking" && thinking.thinking).toContain("思考中");
    expect(thinking?.type === "thinking" && thinking.signature).toMatch(/^g2a_/);
    expect((await client.messages.create(ask("sim:thinking"))).content.map(({ type }) => type)).toEqual(["text"]);
  });

  test("system texts reach the upstream", async () => {
    await client.messages.create({ ...ask("hello"), system: [{ type: "text", text: "Answer in verse." }] });
    expect(program.prompts()[0]).toContain("[system]\nAnswer in verse.");
  });

  test("stop sequences are named and cut off", async () => {
    const words = "sim:echo one two three four";
    const message = await client.messages.create({ ...ask(words), stop_sequences: ["four", " three"] });
    expect(textOf(message)).toEndWith("one two");
    expect(message).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: " three" });
  });

  test("max_tokens is honoured", async () => {
    const message = await client.messages.create({ ...ask("sim:long-500"), max_tokens: 20 });
    expect(message.stop_reason).toBe("max_tokens");
    expect(message.usage.output_tokens).toBe(20);
  });

  test("a drawn picture is a link in the text", async () => {
    const message = await client.messages.create(ask("sim:image"));
    expect(textOf(message)).toMatch(/!\[image\]\(http:\/\/127\.0\.0\.1:\d+\/v1\/files\/image\/[\w.-]+\)/);
  });
});

describe("stream", () => {
  test("the helper ends with the message that create gives", async () => {
    const options = {
      ...ask("sim:thinking"),
      max_tokens: 5000,
      thinking: { type: "enabled" as const, budget_tokens: 1024 },
    };
    const streamed = await client.messages.stream(options).finalMessage();
    const whole = await client.messages.create(options);
    const comparable = ({ content, stop_reason, stop_sequence, usage, model }: Anthropic.Message) => ({
      content: content.map((block) => (block.type === "thinking" ? { ...block, signature: "" } : block)),
      stop_reason,
      stop_sequence,
      usage: [usage.input_tokens, usage.output_tokens],
      model,
    });
    expect(comparable(streamed)).toEqual(comparable(whole));
  });

  test("raw events in their order, indexes without gaps", async () => {
    const types: string[] = [];
    const starts: number[] = [];
    const events = await client.messages.create({
      ...ask("sim:thinking"),
      stream: true,
      thinking: { type: "adaptive" },
    });
    for await (const event of events) {
      if (types.at(-1) !== event.type) types.push(event.type);
      if (event.type === "content_block_start") starts.push(event.index);
    }
    const block = ["content_block_start", "content_block_delta", "content_block_stop"];
    expect(types).toEqual(["message_start", ...block, ...block, "message_delta", "message_stop"]);
    expect(starts).toEqual([0, 1]);
  });

  test("text events add up, and a stop sequence comes through", async () => {
    let text = "";
    const stream = client.messages
      .stream({ ...ask("sim:echo one two three"), stop_sequences: ["three"] })
      .on("text", (piece) => (text += piece));
    const message = await stream.finalMessage();
    expect(textOf(message)).toBe(text);
    expect(message).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: "three" });
  });

  test("a failure midway rejects with its kind", async () => {
    const thrown = await rejection(client.messages.stream(ask("sim:error-mid")).finalMessage());
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({ type: "api_error" });
  });
});

describe("tools", () => {
  test("a loop: call, result, answer", async () => {
    const messages: Anthropic.MessageParam[] = [{ role: "user", content: "sim:tool-text How warm is it in Paris?" }];
    const options = { model: "grok-4", max_tokens: 1000, tools: [WEATHER] };
    const first = await client.messages.create({ ...options, messages });
    expect(first.stop_reason).toBe("tool_use");
    const call = first.content.at(-1);
    if (call?.type !== "tool_use") throw new Error("expected a call");
    expect(call).toMatchObject({ name: "get_weather", input: { city: "Paris" } });
    expect(call.id).toMatch(/^toolu_[0-9a-f]{32}$/);
    messages.push(
      { role: "assistant", content: first.content },
      { role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "21 degrees" }] },
    );
    const second = await client.messages.create({ ...options, messages });
    expect(second.stop_reason).toBe("end_turn");
    expect(textOf(second)).toContain("21 degrees");
    expect(program.prompts().at(-1)).toContain(call.id);
  });

  test("two calls in a stream, one block after the other", async () => {
    const message = await client.messages
      .stream({ ...ask("sim:tool-two"), tools: [WEATHER], tool_choice: { type: "any" } })
      .finalMessage();
    const calls = message.content.filter((block) => block.type === "tool_use");
    expect(calls.map(({ input }) => input)).toEqual([{ city: "Paris" }, { city: "Rome" }]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(2);
    expect(message.stop_reason).toBe("tool_use");
  });

  test("the client's own runner, which first asks for a conversation held by the server", async () => {
    const asked: unknown[] = [];
    const runner = client.beta.messages.toolRunner({
      ...ask("sim:tool How warm is it?"),
      tools: [
        {
          name: "get_weather",
          description: "The weather of a city.",
          input_schema: { type: "object", properties: { city: { type: "string" } } },
          parse: (input: unknown) => input,
          run: (input: unknown) => {
            asked.push(input);
            return "cold";
          },
        },
      ],
    });
    const last = await runner;
    expect(asked).toEqual([{ city: "Paris" }]);
    expect(last.content.at(-1)).toMatchObject({ type: "text", text: expect.stringContaining("cold") });
  });
});

test("countTokens agrees with the message and asks no upstream", async () => {
  const { max_tokens: _, ...counted } = { ...ask("How long is this?"), system: "Be brief.", tools: [WEATHER] };
  const { input_tokens } = await client.messages.countTokens(counted);
  expect(program.asked()).toBe(0);
  const message = await client.messages.create({ ...counted, max_tokens: 1000 });
  expect(message.usage.input_tokens).toBe(input_tokens);
});

test("the same conversation costs the same under both APIs", async () => {
  const message = await client.messages.create({ ...ask("sim:markdown"), system: "Be brief." });
  const chat = await program.post("/v1/chat/completions", {
    model: "grok-4",
    messages: [
      { role: "system", content: "Be brief." },
      { role: "user", content: "sim:markdown" },
    ],
  });
  expect(await chat.json()).toMatchObject({
    usage: { prompt_tokens: message.usage.input_tokens, completion_tokens: message.usage.output_tokens },
  });
});

test("models", async () => {
  const ids: string[] = [];
  for await (const model of client.models.list()) ids.push(model.id);
  expect(ids).toContain("grok-4");
  expect(await client.models.retrieve("grok-4.20")).toMatchObject({ type: "model", id: "grok-4.20" });
});

describe("errors", () => {
  test.each<[string, () => Promise<unknown>, string, object]>([
    [
      "a field at fault",
      () => client.messages.create({ ...ask("x"), max_tokens: 0 }),
      "BadRequestError",
      { type: "invalid_request_error", apiMessage: "max_tokens: must be a whole number of at least 1" },
    ],
    [
      "a wrong key",
      () => clientFor({ apiKey: "wrong" }).messages.create(ask("x")),
      "AuthenticationError",
      { type: "authentication_error" },
    ],
    [
      "an unknown model",
      () => client.messages.create({ ...ask("x"), model: "claude-sonnet-9" }),
      "NotFoundError",
      { type: "not_found_error" },
    ],
    [
      "an endpoint that is not served",
      () => client.messages.batches.list(),
      "NotFoundError",
      { type: "not_found_error" },
    ],
    [
      "content that was refused",
      () => client.messages.create(ask("sim:moderation")),
      "BadRequestError",
      { type: "invalid_request_error" },
    ],
    [
      "an upstream that fails",
      () => client.messages.create(ask("sim:500")),
      "InternalServerError",
      { type: "api_error" },
    ],
  ])("%s", async (_name, run, name, expected) => {
    const thrown = await rejection(run());
    expect(thrown).toBeInstanceOf(Reflect.get(Anthropic, name) as typeof APIError);
    expect(thrown).toMatchObject({ ...expected, requestID: expect.stringMatching(/^req_/) });
  });

  test("an upstream that limits its only account", async () => {
    const limited = await startProgram();
    try {
      const other = clientFor({ apiKey: PROGRAM_KEY, baseURL: limited.url });
      const thrown = await rejection(other.messages.create(ask("sim:rate-limit")));
      expect(thrown).toBeInstanceOf(Anthropic.RateLimitError);
      expect(thrown).toMatchObject({ type: "rate_limit_error" });
    } finally {
      await limited.stop();
    }
  });

  test("no account at all is overload", async () => {
    const empty = await startProgram({ accounts: [] });
    try {
      const thrown = await rejection(clientFor({ apiKey: PROGRAM_KEY, baseURL: empty.url }).messages.create(ask("x")));
      expect(thrown).toBeInstanceOf(Anthropic.OverloadedError);
      expect(thrown).toMatchObject({ status: 529, type: "overloaded_error" });
    } finally {
      await empty.stop();
    }
  });
});

describe("bodies of coding agents", () => {
  const fixtures = ["first", "loop", "quota", "search", "interrupted"].map((name) => `claude-code-${name}`);
  test.each([...fixtures, "cline", "cline-native"])("%s is answered", async (name) => {
    const body = (await Bun.file(`${import.meta.dir}/../fixtures/anthropic/${name}.json`).json()) as {
      stream?: boolean;
    };
    const response = await program.post("/v1/messages?beta=true", body);
    const text = await response.text();
    expect({ status: response.status, text }).toMatchObject({ status: 200 });
    if (body.stream) expect(text).toEndWith('event: message_stop\ndata: {"type":"message_stop"}\n\n');
    else expect(JSON.parse(text)).toMatchObject({ type: "message" });
    for (const prompt of program.prompts()) expect(prompt).not.toContain("billing-header");
  });

  test("the schema of a title is told to the model", async () => {
    const body: unknown = await Bun.file(`${import.meta.dir}/../fixtures/anthropic/claude-code-title.json`).json();
    await program.post("/v1/messages", body);
    expect(program.prompts()[0]).toContain('"required":["title"]');
  });

  test("a tool's picture is uploaded with the turn that brings it", async () => {
    const body: unknown = await Bun.file(`${import.meta.dir}/../fixtures/anthropic/claude-code-loop.json`).json();
    const { messages, ...rest } = body as { messages: object[] };
    const response = await program.post("/v1/messages", { ...rest, stream: false, messages: messages.slice(0, 4) });
    expect(await response.text()).toContain("I received 1 attachment");
    expect(program.prompts()[0]).toContain("Tool execution failed: Exit code 1");
  });
});
