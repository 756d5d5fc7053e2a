// The encoder's bytes as the official client reads them: no server, the client's `fetch` returns the text.
import { describe, expect, test } from "bun:test";
import OpenAI, { APIError } from "openai";
import { GatewayError } from "../../src/core/errors.ts";
import type { EventBatch } from "../../src/core/events.ts";
import { toOpenAiError } from "../../src/protocols/errors.ts";
import { listModels, retrieveModel } from "../../src/protocols/openai/catalog.ts";
import { collectChat, createChatStreamEncoder } from "../../src/protocols/openai/chat-response.ts";
import { SCRIPTS, type ScriptName } from "../golden/scripts.ts";
import { aCatalogue } from "../support/catalogue.ts";

const OPTIONS = {
  id: "chatcmpl-1",
  model: "grok-4",
  created: 1760000000,
  reasoningFormat: "reasoning_content",
  showReasoning: true,
} as const;
const ASK = { model: "grok-4", messages: [{ role: "user" as const, content: "hi" }] };

const clientFor = (answer: () => Response) =>
  new OpenAI({ apiKey: "k", baseURL: "http://gateway.invalid/v1", maxRetries: 0, fetch: async () => answer() });

const streaming = (script: ScriptName, includeUsage = true) => {
  const text = createChatStreamEncoder({ ...OPTIONS, includeUsage }).push(SCRIPTS[script]);
  return clientFor(() => new Response(text, { headers: { "content-type": "text/event-stream; charset=utf-8" } }));
};

async function* stream(batch: EventBatch): AsyncGenerator<EventBatch, void, void> {
  yield batch;
}

describe("stream: true", () => {
  test("content, reasoning and usage", async () => {
    const chunks = [];
    const answer = await streaming("thinking").chat.completions.create({
      ...ASK,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of answer) chunks.push(chunk);
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Hello!");
    const reasoning = chunks.map((chunk) => Reflect.get(chunk.choices[0]?.delta ?? {}, "reasoning_content") ?? "");
    expect(reasoning.join("")).toBe("Let me think.");
    expect(chunks.at(-1)?.usage).toMatchObject({
      prompt_tokens: 12,
      completion_tokens: 9,
      total_tokens: 21,
      completion_tokens_details: { reasoning_tokens: 3 },
    });
  });

  test("without include_usage no chunk has an empty choice list", async () => {
    for await (const chunk of await streaming("thinking", false).chat.completions.create({ ...ASK, stream: true })) {
      expect(chunk.choices.length).toBe(1);
      expect("usage" in chunk).toBe(false);
    }
  });

  test.each(["failed", "failed-early"] as const)("%s is raised with code and message", async (script) => {
    let content = "";
    const reading = async () => {
      for await (const chunk of await streaming(script).chat.completions.create({ ...ASK, stream: true })) {
        content += chunk.choices[0]?.delta.content ?? "";
      }
    };
    const thrown = await reading().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject(
      script === "failed"
        ? { code: "upstream_cut", type: "server_error", message: "The upstream's answer ended early." }
        : { code: "no_available_account", type: "server_error" },
    );
    expect(content).toBe(script === "failed" ? "Half an ans" : "");
  });
});

describe("the .stream() helper", () => {
  const whole = (Object.keys(SCRIPTS) as ScriptName[]).filter((name) => !name.startsWith("failed"));
  test.each(whole)("%s ends as the single body says", async (script) => {
    const helper = streaming(script).chat.completions.stream({ ...ASK, stream_options: { include_usage: true } });
    const completion = await helper.finalChatCompletion();
    const body = await collectChat(stream(SCRIPTS[script]), OPTIONS);
    const [choice] = body.choices;
    expect(completion.choices[0]?.message.content ?? "").toBe(choice.message.content ?? "");
    expect(completion.choices[0]?.finish_reason).toBe(choice.finish_reason);
    expect(completion.choices[0]?.message.annotations ?? []).toEqual([...choice.message.annotations]);
    expect(completion.choices[0]?.message.tool_calls ?? []).toMatchObject(choice.message.tool_calls ?? []);
    expect(completion.usage ?? undefined).toEqual(body.usage);
  });

  test("a failure midway rejects", async () => {
    const helper = streaming("failed").chat.completions.stream(ASK);
    const thrown = await helper.finalChatCompletion().catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "upstream_cut" });
  });
});

describe("single answers", () => {
  test("a completion", async () => {
    const body = await collectChat(stream(SCRIPTS.search), OPTIONS);
    const completion = await clientFor(() => Response.json(body)).chat.completions.create(ASK);
    expect(completion.choices[0]?.message.content).toBe("Bun 1.4 [1] is out [2].");
    expect(completion.choices[0]?.message.annotations?.length).toBe(3);
    expect(completion.usage?.total_tokens).toBe(21);
  });

  test.each([
    ["model_not_found", "NotFoundError"],
    ["invalid_n", "BadRequestError"],
    ["invalid_api_key", "AuthenticationError"],
    ["permission_denied", "PermissionDeniedError"],
    ["conflict", "ConflictError"],
    ["account_quota", "RateLimitError"],
    ["no_available_account", "InternalServerError"],
  ] as const)("%s is a %s", async (code, name) => {
    const { status, headers, body } = toOpenAiError(new GatewayError(code, "why", { param: "model" }));
    const client = clientFor(() => Response.json(body, { status, headers }));
    const thrown = await client.chat.completions.create(ASK).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(OpenAI[name]);
    expect(thrown).toMatchObject({ code, param: "model", message: `${status} why` });
  });

  test("models", async () => {
    const list = await clientFor(() => Response.json(listModels(aCatalogue(), { kinds: ["chat"] }))).models.list();
    expect(list.data.map((model) => model.id)).toContain("grok-4");
    const one = await clientFor(() =>
      Response.json(retrieveModel(aCatalogue(), { name: "grok-4.20", kinds: ["chat"] })),
    ).models.retrieve("grok-4.20");
    expect(one.id).toBe("grok-4.20");
  });
});
