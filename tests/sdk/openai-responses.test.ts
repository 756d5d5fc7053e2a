// /v1/responses with OpenAI's own client, told nothing but the address and the key, against the executable: create, stream,
// keep, chain, compact, calls, and a conversation whose account dies between two turns.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import { zodTextFormat } from "openai/helpers/zod";
import type { FunctionTool, Response as OpenAiResponse, ResponseInputItem } from "openai/resources/responses/responses";
import { z } from "zod";
import { rejection } from "../support/events.ts";
import { type Executable, KEY, startExecutable } from "./executable.ts";

let executable: Executable;
let client: OpenAI;
beforeAll(async () => {
  executable = await startExecutable();
  client = new OpenAI({ apiKey: KEY, baseURL: `${executable.url}/v1` });
});
afterAll(() => executable.stop());
beforeEach(() => executable.simulator.reset());

const model = "grok-4";
const tools: FunctionTool[] = ["get_weather", "get_time"].map((name) => ({
  type: "function",
  name,
  strict: false,
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
}));
const callsOf = ({ output }: OpenAiResponse) => output.filter((item) => item.type === "function_call");

describe("create and stream", () => {
  test.each(["hello", "sim:thinking", "sim:citation", "sim:toolcard", "sim:tool-two", "sim:long-500", "sim:agents"])(
    "whole and streamed are the same answer at the same price: %s",
    async (input) => {
      const whole = await client.responses.create({ model, input, tools });
      const final = await client.responses.stream({ model, input, tools }).finalResponse();
      const shape = ({ output, status, usage, output_text: text }: OpenAiResponse) => ({
        status,
        text,
        usage,
        items: output.map((item) => ({ ...item, id: "", call_id: "", parsed_arguments: undefined })),
      });
      const withoutParsed = JSON.parse(
        JSON.stringify(shape(final), (key, value: unknown) => (key === "parsed" ? undefined : value)),
      ) as unknown;
      expect(withoutParsed).toEqual(JSON.parse(JSON.stringify(shape(whole))) as unknown);
    },
  );

  test("events in their order", async () => {
    const types: string[] = [];
    const events = await client.responses.create({ model, input: "sim:thinking", stream: true });
    let text = "";
    for await (const event of events) {
      if (types.at(-1) !== event.type) types.push(event.type);
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.completed") expect(event.response.output_text).toBe(text);
    }
    expect(types.slice(0, 2)).toEqual(["response.created", "response.in_progress"]);
    expect(types.at(-1)).toBe("response.completed");
    expect(text).not.toBe("");
  });

  test("an object by a schema made with zod", async () => {
    const schema = z.object({ city: z.string(), temperature: z.number(), ok: z.boolean() });
    const format = { model, input: "sim:json", text: { format: zodTextFormat(schema, "city") } };
    const expected = { city: "Paris", temperature: 21.5, ok: true };
    expect((await client.responses.parse(format)).output_parsed).toEqual(expected);
    expect((await client.responses.stream(format).finalResponse()).output_parsed).toEqual(expected);
  });

  test("a stream that breaks is a failed response, kept as such", async () => {
    const final = await client.responses.stream({ model, input: "sim:cut" }).finalResponse();
    expect(final).toMatchObject({ status: "failed", error: { code: "server_error" } });
    expect(await client.responses.retrieve(final.id)).toMatchObject({ status: "failed" });
  });

  test.each([false, true])("content that the upstream refuses is BadRequestError (stream: %p)", async (stream) => {
    const thrown = await rejection(client.responses.create({ model, input: "sim:moderation", stream }));
    expect(thrown).toBeInstanceOf(OpenAI.BadRequestError);
    expect(thrown).toMatchObject({ code: "content_policy_violation" });
  });
});

describe("kept responses", () => {
  test("retrieve, also as a stream from any place, list the input, delete", async () => {
    const made = await client.responses.stream({ model, input: "sim:thinking", metadata: { a: "b" } }).finalResponse();
    const { output_text: text, ...found } = await client.responses.retrieve(made.id);
    expect(made as object).toMatchObject(found);
    expect(text).toBe(made.output_text);
    const all = [];
    for await (const event of await client.responses.retrieve(made.id, { stream: true })) all.push(event);
    const rest = [];
    const from = await client.responses.retrieve(made.id, { stream: true, starting_after: 4 });
    for await (const event of from) rest.push(event);
    expect(all.at(-1)?.type).toBe("response.completed");
    expect(rest).toEqual(all.slice(5));
    const input = await client.responses.inputItems.list(made.id);
    expect(input.data).toMatchObject([{ type: "message", role: "user", content: [{ text: "sim:thinking" }] }]);
    await client.responses.delete(made.id);
    expect(await rejection(client.responses.retrieve(made.id))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(executable.asked()).toBe(1);
  });

  test("count, compact, and go on from the summary", async () => {
    const input: ResponseInputItem[] = [
      { role: "user", content: "My name is Kim." },
      { role: "assistant", content: "Hello Kim." },
    ];
    const counted = await client.responses.inputTokens.count({ model, input });
    expect(counted.input_tokens).toBeGreaterThan(0);
    const compacted = await client.responses.compact({ model, input });
    expect(compacted).toMatchObject({ object: "response.compaction" });
    const sealed = compacted.output.find((item) => item.type === "compaction");
    expect(sealed?.encrypted_content).toBeString();
    const next = await client.responses.create({
      model,
      input: [...(compacted.output as ResponseInputItem[]), { role: "user", content: "Who am I?" }],
    });
    expect(next.status).toBe("completed");
    expect(executable.heard()[1]).toContain("Kim");
  });
});

describe("calls", () => {
  test("ten turns by hand with the whole history, streamed", async () => {
    const input: ResponseInputItem[] = [];
    for (let turn = 1; turn <= 10; turn++) {
      input.push({ role: "user", content: `Turn ${turn}. sim:tool-two sim:thinking` });
      const asked = await client.responses.stream({ model, input, tools, store: false }).finalResponse();
      const calls = callsOf(asked);
      expect(calls.map(({ name }) => name)).toEqual(["get_weather", "get_time"]);
      input.push(...(asked.output as ResponseInputItem[]));
      for (const { call_id } of calls) {
        input.push({ type: "function_call_output", call_id, output: `result of turn ${turn}` });
      }
      const answered = await client.responses.stream({ model, input, tools, store: false }).finalResponse();
      expect(answered.output_text).toBe(`The tool answered: result of turn ${turn}`);
      input.push(...(answered.output as ResponseInputItem[]));
    }
    expect(executable.asked()).toBe(20);
  });

  test("ten turns by previous_response_id", async () => {
    let previous: string | undefined;
    for (let turn = 1; turn <= 10; turn++) {
      const go = previous === undefined ? {} : { previous_response_id: previous };
      const asked = await client.responses.create({ model, tools, input: `Turn ${turn}. sim:tool`, ...go });
      const [call] = callsOf(asked);
      const answered = await client.responses.create({
        model,
        tools,
        previous_response_id: asked.id,
        input: [{ type: "function_call_output", call_id: call?.call_id ?? "", output: `result of turn ${turn}` }],
      });
      expect(answered.output_text).toBe(`The tool answered: result of turn ${turn}`);
      previous = answered.id;
    }
    expect(executable.asked()).toBe(20);
  });
});

describe.each(["socket", "rest"])("an account that dies between two turns, over %s", (transport) => {
  let pair: Executable;
  let other: OpenAI;
  beforeAll(async () => {
    pair = await startExecutable({
      accounts: ["sim-super-1", "sim-super-2"],
      env: { GROK2API_APP_TEMPORARY: "false", GROK2API_CHAT_TRANSPORT: transport },
    });
    other = new OpenAI({ apiKey: KEY, baseURL: `${pair.url}/v1` });
  });
  afterAll(() => pair.stop());

  test("the next turn is told everything and answered by another, and so is the one after", async () => {
    const first = await other.responses.create({ model, input: "My name is Kim.", tools });
    const holder = pair.simulator.accounts().find(({ conversations }) => conversations.size > 0);
    if (!holder) throw new Error("no account holds the conversation");
    holder.kind = "dead";
    const { data: second, response } = await other.responses
      .create({ model, input: "Who am I?", previous_response_id: first.id, tools })
      .withResponse();
    expect(second.status).toBe("completed");
    expect(second.output_text).toContain("Who am I?");
    expect(response.headers.get("x-grok2api-continuation")).toBe("replayed");
    expect(pair.heard().at(-1)).toContain("My name is Kim.");
    const streamed = await other.responses
      .stream({ model, input: "Are you sure?", previous_response_id: second.id, tools })
      .finalResponse();
    expect(streamed.status).toBe("completed");
    expect(streamed.previous_response_id).toBe(second.id);
    // Three answers, and the one question that the dead account refused.
    expect(pair.asked()).toBe(4);
  });
});
