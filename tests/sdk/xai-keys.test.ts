// The official packages, told nothing but the address and the key, against the executable with keys of the official API alone:
// text, tools, structured output and reasoning have to come out as from the vendors themselves.
import Anthropic from "@anthropic-ai/sdk";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createXai } from "@ai-sdk/xai";
import { generateText, type LanguageModel, Output, stepCountIs, streamText, tool, type ToolSet } from "ai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { emptyFolder, startGateway } from "../support/binary.ts";
import { within } from "../support/trial.ts";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";

const KEY = "sk-sdk-keys-000000001";
const MODEL = "grok-4.3";
const City = z.object({ city: z.string(), temperature: z.number() });

let simulator: Simulator;
let url: string;
let stop: () => Promise<void>;

beforeAll(async () => {
  simulator = createSimulator({ tokenDelayMs: 0 });
  const folder = emptyFolder();
  const gateway = await startGateway({
    folder,
    env: {
      GROK2API_APP_API_KEY: KEY,
      GROK2API_XAI_API_KEYS: "xai-sim-ok-alpha-1",
      GROK2API_XAI_BASE_URL: `${simulator.url}/xai/v1`,
    },
  });
  ({ url } = gateway);
  stop = async () => {
    await gateway.stop();
    await simulator.stop(true);
    folder[Symbol.dispose]();
  };
  await within(10_000, "the models of the key", async () => {
    const answer = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${KEY}` } });
    return (await answer.text()).includes(MODEL);
  });
});
afterAll(() => stop());
beforeEach(() => simulator.reset());

/** Bodies of the conversations that the upstream was asked for. */
const heard = () =>
  simulator
    .requests()
    .filter(({ path }) => path === "/xai/v1/responses")
    .map(({ body }) => body as Record<string, unknown>);

describe("openai, chat", () => {
  const openai = () => new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 });

  test("whole and streamed are the same answer at the same price", async () => {
    const messages = [{ role: "user" as const, content: "hello sim:thinking" }];
    const whole = await openai().chat.completions.create({ model: MODEL, messages });
    const stream = openai().chat.completions.stream({
      model: MODEL,
      messages,
      stream_options: { include_usage: true },
    });
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content ?? "");
    expect(whole.choices[0]?.message.content).toContain("hello sim:thinking");
    expect(streamed.usage).toEqual(whole.usage);
    expect((whole.usage as unknown as { cost_in_usd_ticks: number }).cost_in_usd_ticks).toBeGreaterThan(0);
  });

  test("the recorded bills come out exact", async () => {
    const bill = async (content: string) => {
      const { usage } = await openai().chat.completions.create({ model: MODEL, messages: [{ role: "user", content }] });
      return usage as unknown as Record<string, unknown>;
    };
    expect(await bill("sim:sample-x-search")).toMatchObject({
      prompt_tokens: 10_926,
      completion_tokens: 702,
      total_tokens: 11_628,
      prompt_tokens_details: { cached_tokens: 4736 },
      completion_tokens_details: { reasoning_tokens: 615 },
      cost_in_usd_ticks: 289_600_000,
    });
  });

  test("calls a function, takes its result, and parses structured output", async () => {
    const given: unknown[] = [];
    const runner = openai().chat.completions.runTools({
      model: MODEL,
      messages: [{ role: "user", content: "Weather? sim:tool" }],
      tools: [
        {
          type: "function",
          function: {
            name: "get_weather",
            description: "Weather of a city",
            parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
            function: (args: string): string => {
              given.push(JSON.parse(args));
              return "21 degrees";
            },
          },
        },
      ],
    });
    expect(await runner.finalContent()).toContain("21 degrees");
    expect(given).toEqual([{ city: "Paris" }]);
    const parsed = await openai().chat.completions.parse({
      model: MODEL,
      messages: [{ role: "user", content: "Where?" }],
      response_format: zodResponseFormat(City, "city"),
    });
    expect(parsed.choices[0]?.message.parsed).toEqual({ city: "Paris", temperature: 21.5 });
    expect(heard().at(-1)).toMatchObject({ text: { format: { type: "json_schema", name: "city" } } });
  });

  test("a stop text cuts here, because the upstream refuses the parameter", async () => {
    const { choices } = await openai().chat.completions.create({
      model: MODEL,
      messages: [{ role: "user", content: "sim:echo one two three four" }],
      stop: ["three"],
    });
    expect(choices[0]?.message.content).toBe("sim:echo one two ");
    expect(heard()[0]).not.toHaveProperty("stop");
  });
});

describe("openai, responses", () => {
  const openai = () => new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 });

  test("a stored conversation goes on, and structured output is parsed", async () => {
    const first = await openai().responses.create({ model: MODEL, input: "sim:echo first" });
    const second = await openai().responses.create({
      model: MODEL,
      input: "sim:prompt second",
      previous_response_id: first.id,
    });
    expect(second.output_text).toContain("first");
    const parsed = await openai().responses.parse({
      model: MODEL,
      input: "Where?",
      text: { format: zodTextFormat(City, "city") },
    });
    expect(parsed.output_parsed).toEqual({ city: "Paris", temperature: 21.5 });
  });

  test("encrypted reasoning is told when it is asked for, and goes back to its team", async () => {
    const asked = { model: "grok-4.5", store: false, include: ["reasoning.encrypted_content" as const] };
    const first = await openai().responses.create({ ...asked, input: "sim:thinking one" });
    const sealed = first.output.find((item) => item.type === "reasoning")?.encrypted_content ?? "";
    expect(sealed).toStartWith("xai1.");
    const silent = await openai().responses.create({ model: "grok-4.5", input: "sim:thinking one" });
    expect(JSON.stringify(silent.output)).not.toContain("encrypted_content");
    simulator.reset();
    await openai().responses.create({
      ...asked,
      input: [
        { role: "user", content: "sim:thinking one" },
        ...(first.output as OpenAI.Responses.ResponseInputItem[]),
        { role: "user", content: "two" },
      ],
    });
    const input = heard()[0]?.["input"] as { type?: string; encrypted_content?: string }[];
    const sent = input.filter(({ type }) => type === "reasoning");
    expect(sent).toHaveLength(1);
    // The wrapping was ours; the upstream gets what it gave.
    expect(sealed).toEndWith(sent[0]?.encrypted_content ?? "?");
  });

  test("server tools run upstream and are told as theirs", async () => {
    const response = await openai().responses.create({
      model: "grok-4.6",
      input: "News? sim:search",
      tools: [{ type: "web_search", filters: { allowed_domains: ["example.com"] } }],
    });
    expect(response.output.map(({ type }) => type)).toContain("web_search_call");
    expect(heard()[0]).toMatchObject({
      tools: [{ type: "web_search", filters: { allowed_domains: ["example.com"] } }],
    });
  });
});

describe("anthropic", () => {
  const anthropic = () => new Anthropic({ baseURL: url, apiKey: KEY, maxRetries: 0 });
  const ask = (content: string) => ({ model: MODEL, max_tokens: 2000, messages: [{ role: "user" as const, content }] });
  const thinking = { type: "enabled" as const, budget_tokens: 1024 };

  test("whole and streamed are the same message, thinking included", async () => {
    const whole = await anthropic().messages.create({ ...ask("hello sim:thinking"), thinking });
    const streamed = await anthropic()
      .messages.stream({ ...ask("hello sim:thinking"), thinking })
      .finalMessage();
    const shape = ({ content, stop_reason: reason, usage }: Anthropic.Message) => ({
      reason,
      tokens: [usage.input_tokens, usage.output_tokens],
      content: content.map((block) => ({ ...block, signature: "" })),
    });
    expect(shape(streamed)).toEqual(shape(whole));
    expect(whole.content.map(({ type }) => type)).toEqual(["thinking", "text"]);
  });

  test("a call goes round, with the signature of the thinking before it", async () => {
    const tools: Anthropic.Tool[] = [
      { name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } } } },
    ];
    const first = await anthropic().messages.create({ ...ask("Weather? sim:tool sim:thinking"), tools, thinking });
    const call = first.content.find((block) => block.type === "tool_use");
    expect(call).toMatchObject({ name: "get_weather", input: { city: "Paris" } });
    simulator.reset();
    const second = await anthropic().messages.create({
      ...ask(""),
      tools,
      thinking,
      messages: [
        { role: "user", content: "Weather? sim:tool sim:thinking" },
        { role: "assistant", content: first.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: call?.id ?? "", content: "21 degrees" }] },
      ],
    });
    expect(JSON.stringify(second.content)).toContain("21 degrees");
    const input = heard()[0]?.["input"] as { type?: string }[];
    expect(input.map(({ type }) => type ?? "message")).toEqual([
      "message",
      "reasoning",
      "function_call",
      "function_call_output",
    ]);
  });
});

describe.each([
  [
    "@ai-sdk/openai-compatible",
    () => createOpenAICompatible({ name: "grok", baseURL: `${url}/v1`, apiKey: KEY })(MODEL),
  ],
  ["@ai-sdk/xai, chat", () => createXai({ baseURL: `${url}/v1`, apiKey: KEY }).chat(MODEL)],
  ["@ai-sdk/xai, responses", () => createXai({ baseURL: `${url}/v1`, apiKey: KEY }).responses(MODEL)],
] as [string, () => LanguageModel][])("%s", (_name, model) => {
  globalThis.AI_SDK_LOG_WARNINGS = false;

  test("text, usage and structured output", async () => {
    const streamed = streamText({ model: model(), prompt: "Hello sim:thinking" });
    let text = "";
    for await (const delta of streamed.textStream) text += delta;
    expect(text).toContain("Hello sim:thinking");
    expect(await streamed.finishReason).toBe("stop");
    const whole = await generateText({ model: model(), prompt: "Hello sim:thinking" });
    expect(whole.text).toBe(text);
    const made = await generateText({
      model: model(),
      prompt: "Where? As JSON.",
      output: Output.object({ schema: City }),
    });
    expect(made.output).toEqual({ city: "Paris", temperature: 21.5 });
  });

  test("a tool is called and its result is told", async () => {
    const given: unknown[] = [];
    const made = await generateText({
      model: model(),
      prompt: "Weather? sim:tool",
      stopWhen: stepCountIs(3),
      tools: {
        get_weather: tool({
          inputSchema: z.object({ city: z.string() }),
          execute: (input) => {
            given.push(input);
            return "21 degrees";
          },
        }),
      },
    });
    expect(given).toEqual([{ city: "Paris" }]);
    expect(made.text).toContain("21 degrees");
  });
});

test("@ai-sdk/xai: searches of the upstream, with their sources", async () => {
  const provider = createXai({ baseURL: `${url}/v1`, apiKey: KEY });
  // The provider brings its own copy of the type.
  const tools = { web_search: provider.tools.webSearch(), x_search: provider.tools.xSearch() } as unknown as ToolSet;
  const searched = await generateText({
    model: provider.responses("grok-4.6"),
    prompt: "News? sim:search sim:x-search",
    tools,
  });
  expect(searched.sources.map((source) => ("url" in source ? source.url : ""))).toContain(
    "https://example.com/articles/bun-runtime",
  );
});
