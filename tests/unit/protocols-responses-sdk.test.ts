// The bytes of responses as the official client reads them: no server, the client's `fetch` returns the text.
import { describe, expect, test } from "bun:test";
import OpenAI, { APIError } from "openai";
import type { EventBatch } from "../../src/core/events.ts";
import { collectResponse, createResponsesStreamEncoder } from "../../src/protocols/openai/responses-response.ts";
import { RESPONSES_HEAD } from "../golden/answers.ts";
import { SCRIPTS, type ScriptName } from "../golden/scripts.ts";

const OPTIONS = { ...RESPONSES_HEAD, completedAt: () => 1760000003 };
const ASK = { model: "grok-4", input: "hi" };
const NAMES = Object.keys(SCRIPTS) as ScriptName[];
const WHOLE = NAMES.filter((name) => !name.startsWith("failed"));

const clientFor = (answer: () => Response) =>
  new OpenAI({ apiKey: "k", baseURL: "http://gateway.invalid/v1", maxRetries: 0, fetch: async () => answer() });

const streaming = (script: ScriptName) => {
  const text = createResponsesStreamEncoder(OPTIONS).push(SCRIPTS[script]);
  return clientFor(() => new Response(text, { headers: { "content-type": "text/event-stream; charset=utf-8" } }));
};

async function* stream(batch: EventBatch): AsyncGenerator<EventBatch, void, void> {
  yield batch;
}
const bodyOf = async (script: ScriptName) => (await collectResponse(stream(SCRIPTS[script]), OPTIONS)).response;

describe("the .stream() helper", () => {
  test.each(WHOLE)("%s ends as the single body says", async (script) => {
    const final = await streaming(script).responses.stream(ASK).finalResponse();
    const body = await bodyOf(script);
    expect(final.status).toBe(body.status);
    expect(final.output_text).toBe(body.output_text);
    expect(final.output.map((item) => item.type)).toEqual(body.output.map((item) => item.type));
    expect(final.output as unknown).toMatchObject(JSON.parse(JSON.stringify(body.output)) as object[]);
  });

  test("its snapshots grow with the deltas", async () => {
    const helper = streaming("thinking").responses.stream(ASK);
    const snapshots: string[] = [];
    helper.on("response.output_text.delta", (event) => snapshots.push(event.snapshot));
    await helper.finalResponse();
    expect(snapshots).toEqual(["Hello", "Hello!"]);
  });

  test.each(["failed", "failed-call", "failed-search"] as const)("%s resolves as failed", async (script) => {
    const final = await streaming(script).responses.stream(ASK).finalResponse();
    expect(final).toMatchObject({
      status: "failed",
      error: { code: "server_error", message: "The upstream's answer ended early." },
    });
  });

  test("a failure before the beginning rejects with code and message", async () => {
    const thrown = await streaming("failed-early")
      .responses.stream(ASK)
      .finalResponse()
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(APIError);
    expect(String(thrown)).toContain("No account is free.");
  });
});

describe("create", () => {
  test.each(WHOLE)("%s streamed: the client knows every event", async (script) => {
    let text = "";
    let last = "";
    for await (const event of await streaming(script).responses.create({ ...ASK, stream: true })) {
      if (event.type === "response.output_text.delta") text += event.delta;
      last = event.type;
    }
    const body = await bodyOf(script);
    expect(text).toBe(body.output_text);
    expect(last).toBe(`response.${body.status}`);
  });

  test("a single body", async () => {
    const body = await bodyOf("tools");
    const response = await clientFor(() => Response.json(body)).responses.create(ASK);
    expect(response.output_text).toBe("Looking.");
    const calls = response.output.filter((item) => item.type === "function_call");
    expect(calls.map((call) => JSON.parse(call.arguments) as unknown)).toEqual([
      { city: "Paris" },
      { zone: "CET" },
      { a: 1 },
    ]);
  });
});
