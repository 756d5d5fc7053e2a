// The official packages against the simulated xAI API alone: what they read must be what a real key would give them.
import { createXai } from "@ai-sdk/xai";
import {
  experimental_generateVideo,
  generateImage,
  generateText,
  Output,
  stepCountIs,
  streamText,
  tool,
  type ToolSet,
} from "ai";
import { afterEach, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { z } from "zod";
import { stopSimulators } from "./simulator-client.ts";
import { KEY, WEATHER, xai } from "./xai-client.ts";

afterEach(stopSimulators);

function client(): OpenAI {
  return new OpenAI({ baseURL: xai().base, apiKey: KEY, maxRetries: 0 });
}

describe("openai", () => {
  test("streams a response with its reasoning summary and its usage", async () => {
    const stream = await client().responses.create({
      model: "grok-4.5",
      input: "Hello sim:thinking",
      stream: true,
    });
    let text = "";
    let summary = "";
    let total = 0;
    for await (const event of stream) {
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.reasoning_summary_text.delta") summary += event.delta;
      if (event.type === "response.completed") total = event.response.usage?.total_tokens ?? 0;
    }
    expect(text).toContain("You said: “Hello sim:thinking”");
    expect(summary).toContain("思考中");
    expect(total).toBeGreaterThan(1_300);
  });

  test("calls a function over Responses and over chat", async () => {
    const openai = client();
    const response = await openai.responses.create({
      model: "grok-4.3",
      input: "Weather? sim:tool",
      tools: [{ type: "function", name: "get_weather", parameters: WEATHER, strict: true }],
    });
    const call = response.output.find((item) => item.type === "function_call");
    expect(call).toMatchObject({ name: "get_weather", arguments: '{"city":"Paris","days":21}' });
    const chat = openai.chat.completions.stream({
      model: "grok-4.3",
      messages: [{ role: "user", content: "Weather? sim:tool" }],
      tools: [{ type: "function", function: { name: "get_weather", parameters: WEATHER } }],
    });
    const finished = await chat.finalChatCompletion();
    expect(finished.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: { tool_calls: [{ function: { arguments: '{"city":"Paris","days":21}' } }] },
    });
  });

  test("reads models, pictures and errors", async () => {
    const openai = client();
    const ids: string[] = [];
    for await (const model of openai.models.list()) ids.push(model.id);
    expect(ids).toContain("grok-imagine-image-2.0");
    const made = await openai.images.generate({ model: "grok-imagine-image", prompt: "A cat" });
    expect((await fetch(made.data?.[0]?.url ?? "")).status).toBe(200);
    const wrong = new OpenAI({ baseURL: openai.baseURL, apiKey: "xai-sim-wrong-beta-1", maxRetries: 0 });
    const error: unknown = await wrong.models.retrieve("grok-4.3").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
  });
});

describe("@ai-sdk/xai", () => {
  const City = z.object({ city: z.string(), temperature: z.number() });

  for (const way of ["chat", "responses"] as const) {
    test(`${way}: text, usage and structured output`, async () => {
      const provider = createXai({ baseURL: xai().base, apiKey: KEY });
      const streamed = streamText({ model: provider[way]("grok-4.3"), prompt: "Hello sim:thinking" });
      let text = "";
      for await (const delta of streamed.textStream) text += delta;
      expect(text).toContain("You said: “Hello sim:thinking”");
      expect((await streamed.usage).outputTokenDetails.reasoningTokens).toBe(64);
      expect(await streamed.finishReason).toBe("stop");
      const output = Output.object({ schema: City });
      const made = await generateText({ model: provider[way]("grok-4.3"), prompt: "Where?", output });
      expect(made.output).toEqual({ city: "Paris", temperature: 21.5 });
    });

    test(`${way}: a tool is called and its result is told`, async () => {
      const provider = createXai({ baseURL: xai().base, apiKey: KEY });
      const asked: unknown[] = [];
      const made = await generateText({
        model: provider[way]("grok-4.3"),
        prompt: "Weather? sim:tool",
        stopWhen: stepCountIs(3),
        tools: {
          get_weather: tool({
            inputSchema: z.object({ city: z.string() }),
            execute: (input) => {
              asked.push(input);
              return "21 degrees";
            },
          }),
        },
      });
      expect(asked).toEqual([{ city: "Paris" }]);
      expect(made.text).toContain("21 degrees");
    });
  }

  test("server tools, sources and errors with status 200", async () => {
    const provider = createXai({ baseURL: xai().base, apiKey: KEY });
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
    const failing = streamText({
      model: provider.chat("grok-4.3"),
      prompt: "Hi sim:timeout-200",
      maxRetries: 0,
      onError: () => {},
    });
    const seen: unknown[] = [];
    for await (const part of failing.fullStream) if (part.type === "error") seen.push(part.error);
    expect(String(seen[0])).toContain("Timed out waiting for first token");
  });

  test("pictures and clips", async () => {
    const { base, sim } = xai();
    const provider = createXai({ baseURL: base, apiKey: KEY });
    const { image } = await generateImage({ model: provider.image("grok-imagine-image"), prompt: "A cat", n: 1 });
    expect(image.mediaType).toBe("image/jpeg");
    const model = provider.video("grok-imagine-video");
    const providerOptions = { xai: { pollIntervalMs: 5 } };
    // Its own download refuses loopback addresses.
    const download = async ({ url }: { url: URL }) => {
      const clip = await fetch(url);
      return { data: await clip.bytes(), mediaType: clip.headers.get("content-type") ?? undefined };
    };
    const wish = { prompt: "Waves", duration: 2, providerOptions, download };
    const { video } = await experimental_generateVideo({ model, ...wish });
    expect(Buffer.from(video.uint8Array.subarray(4, 8)).toString()).toBe("ftyp");
    const polls = sim.xai.counts().find(({ route }) => route === "GET /xai/v1/videos/:id");
    expect(polls?.statuses).toEqual({ 200: 1, 202: 2 });
  });
});
