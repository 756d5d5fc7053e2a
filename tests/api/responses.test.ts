// /v1/responses over the whole program and the simulated upstream, with the official client: create, stream, keep, chain,
// go on upstream or tell anew, write again, count, compact; and the bodies that a coding agent sends.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import OpenAI from "openai";
import type { Response as OpenAiResponse } from "openai/resources/responses/responses";
import { sniffMedia } from "../../src/media/sniff.ts";
import { readResponsesStream } from "../support/responses-grammar.ts";
import { PROGRAM_KEY, type Program, startProgram } from "../support/program.ts";

const MODEL = "grok-4";
let program: Program;
let client: OpenAI;
beforeAll(async () => {
  program = await startProgram({ accounts: ["sim-super-1", "sim-super-2"] });
  client = new OpenAI({ apiKey: PROGRAM_KEY, baseURL: `${program.url}/v1`, maxRetries: 0 });
});
afterAll(() => program.stop());
beforeEach(() => program.simulator.reset());

const get = (path: string, method = "GET") =>
  fetch(`${program.url}${path}`, { method, headers: { authorization: `Bearer ${PROGRAM_KEY}` } });

const failure = async (work: Promise<unknown>): Promise<{ status: number; code: string; param: string | null }> => {
  try {
    await work;
  } catch (thrown) {
    return thrown as { status: number; code: string; param: string | null };
  }
  throw new Error("expected a refusal");
};

interface Frame {
  readonly type: string;
  readonly sequence_number: number;
  readonly item?: { readonly type: string; readonly call_id?: string; readonly arguments?: string };
  readonly response?: OpenAiResponse;
}
const framesOf = (text: string): Frame[] =>
  text
    .split("\n\n")
    .filter((frame) => frame.startsWith("event: "))
    .map((frame) => JSON.parse(frame.slice(frame.indexOf("\ndata: ") + 7)) as Frame);

describe("create", () => {
  test("without stream: one JSON body that says what was asked", async () => {
    const response = await client.responses.create({
      model: MODEL,
      input: "sim:echo Good morning",
      instructions: "Be kind.",
      max_output_tokens: 500,
      temperature: 0,
      metadata: { order: "7" },
    });
    expect(response).toMatchObject({
      object: "response",
      status: "completed",
      model: MODEL,
      instructions: "Be kind.",
      max_output_tokens: 500,
      temperature: 0,
      metadata: { order: "7" },
      store: true,
      error: null,
    });
    expect(response.id).toMatch(/^resp_[0-9a-f]{32}$/);
    expect(response.output_text).toContain("Good morning");
    expect(response.usage?.total_tokens).toBe(
      (response.usage?.input_tokens ?? 0) + (response.usage?.output_tokens ?? 0),
    );
    expect(program.prompts()[0]).toContain("[system]\nBe kind.");
  });

  test("the stream helper ends with what a look-up gives", async () => {
    const final = await client.responses.stream({ model: MODEL, input: "sim:thinking sim:echo hi" }).finalResponse();
    expect(final.status).toBe("completed");
    expect(final.output.map((item) => item.type)).toEqual(["reasoning", "message"]);
    const { output_text: _, ...found } = await client.responses.retrieve(final.id);
    expect(final as object).toMatchObject(found);
  });

  test("searches are items, citations are annotations of their own text", async () => {
    const final = await client.responses.stream({ model: MODEL, input: "sim:toolcard sim:citation" }).finalResponse();
    expect(final.output.map((item) => item.type)).toContain("web_search_call");
    const message = final.output.find((item) => item.type === "message");
    const [part] = message?.content ?? [];
    if (part?.type !== "output_text") throw new Error("no text");
    expect(part.annotations).toHaveLength(2);
    for (const annotation of part.annotations) {
      if (annotation.type !== "url_citation") throw new Error(annotation.type);
      expect(part.text.slice(annotation.start_index, annotation.end_index)).toContain(annotation.url);
    }
  });

  test("an answer that is cut is incomplete", async () => {
    const response = await client.responses.create({ model: MODEL, input: "sim:long-50", max_output_tokens: 5 });
    expect(response.status).toBe("incomplete");
    expect(response.incomplete_details).toEqual({ reason: "max_output_tokens" });
  });

  test("a failure midway is a failed response, never a clean end", async () => {
    const answer = await program.post("/v1/responses", { model: MODEL, input: "sim:error-mid", stream: true });
    expect(answer.status).toBe(200);
    const frames = framesOf(await answer.text());
    expect(frames.at(-1)?.type).toBe("response.failed");
    expect(frames.some(({ type }) => type === "response.completed")).toBe(false);
    const id = frames[0]?.response?.id ?? "";
    expect(await client.responses.retrieve(id)).toMatchObject({ status: "failed", error: { code: "server_error" } });
  });

  test("a failure before the first word is a status", async () => {
    for (const stream of [true, false]) {
      const answer = await program.post("/v1/responses", { model: MODEL, input: "sim:moderation", stream });
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ error: { code: "content_policy_violation" } });
    }
  });
});

describe("pictures", () => {
  const tools = (more: object = {}): OpenAI.Responses.Tool[] => [{ type: "image_generation", ...more }];
  const pictureOf = ({ output }: OpenAiResponse) => output.find((item) => item.type === "image_generation_call");
  const mimeOf = (base64: string | null | undefined) => sniffMedia(Uint8Array.fromBase64(base64 ?? ""));

  test("a model that draws answers with a link in a text", async () => {
    const response = await client.responses.create({ model: "grok-imagine-1.0", input: "a cat" });
    // Progress is reasoning.
    expect(response.output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    const [, link = ""] = /^!\[image\]\((.+)\)$/.exec(response.output_text) ?? [];
    expect(link).toStartWith(`${program.url}/v1/files/image/`);
    expect(sniffMedia(new Uint8Array(await (await fetch(link)).arrayBuffer()))).toBe("image/jpeg");
  });

  test.each(["grok-imagine-1.0", MODEL])("with the hosted tool %s answers with the picture itself", async (model) => {
    const asked = {
      model,
      input: "sim:image a cat",
      tools: tools(),
      tool_choice: { type: "image_generation" },
    } as const;
    const response = await client.responses.create(asked);
    const item = pictureOf(response);
    expect(item).toMatchObject({ status: "completed" });
    expect(item?.id).toMatch(/^ig_[0-9a-f]{32}$/);
    expect(mimeOf(item?.result)).toBe("image/jpeg");
    expect(response.output_text).not.toContain("![image]");
    expect(response.tools).toEqual(tools());
  });

  test("the stream tells its stages, and a look-up tells the same again", async () => {
    const asked = { model: "grok-imagine-1.0", input: "a cat", tools: tools({ partial_images: 2 }), stream: true };
    const text = await (await program.post("/v1/responses", asked)).text();
    const { response, outcome, frames } = readResponsesStream(text);
    expect(outcome).toBe("complete");
    const stages = frames.filter(({ type }) => type.includes("image_generation_call"));
    expect(stages.map(({ type }) => type.slice("response.image_generation_call.".length))).toEqual([
      "in_progress",
      "generating",
      "partial_image",
      "completed",
    ]);
    const preview = stages.find(({ type }) => type.endsWith("partial_image"));
    expect(preview).toMatchObject({ partial_image_index: 0 });
    expect(mimeOf(String(Reflect.get(preview ?? {}, "partial_image_b64")))).toBe("image/jpeg");
    const replayed = await (await get(`/v1/responses/${response?.id}?stream=true`)).text();
    expect(replayed).toBe(text);
    const found = await client.responses.retrieve(response?.id ?? "");
    expect(pictureOf(found)).toEqual(response?.output.find(({ type }) => type === "image_generation_call") as never);
  });

  test("the official helper reads the stream, and the next turn takes the item back", async () => {
    const first = await client.responses
      .stream({ model: MODEL, input: "sim:image a cat", tools: tools() })
      .finalResponse();
    const item = pictureOf(first);
    expect(mimeOf(item?.result)).toBe("image/jpeg");
    const input = [
      { role: "user" as const, content: "a cat" },
      ...(item ? [item] : []),
      { role: "user" as const, content: "sim:echo and now?" },
    ];
    expect((await client.responses.create({ model: MODEL, input })).status).toBe("completed");
    const chained = { model: MODEL, previous_response_id: first.id, input: "sim:echo and then?" };
    expect((await client.responses.create(chained)).status).toBe("completed");
  });

  test("the size of the tool is drawn, wrong fields are refused by name", async () => {
    await client.responses.create({ model: "grok-imagine-1.0", input: "a cat", tools: tools({ size: "1024x1536" }) });
    expect(JSON.stringify(program.simulator.requests())).toContain('"aspect_ratio":"2:3"');
    const refused = (more: object) =>
      failure(client.responses.create({ model: MODEL, input: "a cat", tools: tools(more) }));
    expect(await refused({ size: "1x1" })).toMatchObject({ status: 400, code: "invalid_size", param: "tools.0.size" });
    expect(await refused({ partial_images: 4 })).toMatchObject({ status: 400, param: "tools.0.partial_images" });
  });

  test("a verdict on the content is a failure without a picture, previews included", async () => {
    const asked = { model: "grok-imagine-1.0", input: "sim:blocked-pictures", tools: tools({ partial_images: 2 }) };
    const answer = await program.post("/v1/responses", asked);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: "content_policy_violation" } });
    const streamed = await program.post("/v1/responses", { ...asked, stream: true });
    const text = await streamed.text();
    expect(readResponsesStream(text)).toMatchObject({ outcome: "failed", error: "invalid_prompt" });
    expect(text).not.toContain("image_generation_call");
  });
});

describe("stored responses", () => {
  const make = (more: object = {}) =>
    client.responses.create({ model: MODEL, input: "sim:echo one", ...more }) as Promise<OpenAiResponse>;

  test("retrieve, list the input, delete", async () => {
    const { id } = await make({
      input: [
        { role: "user", content: "first" },
        { role: "assistant", content: "second" },
        { role: "user", content: [{ type: "input_text", text: "sim:echo third" }] },
      ],
    });
    const items = await client.responses.inputItems.list(id, { order: "asc" });
    expect(items.data.map((item) => item.type)).toEqual(["message", "message", "message"]);
    expect(items.data[0]).toMatchObject({ role: "user", content: [{ type: "input_text", text: "first" }] });
    expect(items.data[1]).toMatchObject({ role: "assistant", content: [{ type: "output_text", text: "second" }] });
    const seen: unknown[] = [];
    for await (const item of client.responses.inputItems.list(id, { limit: 2 })) seen.push(item.id);
    expect(seen).toEqual(items.data.map((item) => item.id).toReversed());
    expect(await (await get(`/v1/responses/${id}`, "DELETE")).json()).toEqual({
      id,
      object: "response",
      deleted: true,
    });
    for (const work of [
      client.responses.retrieve(id),
      client.responses.inputItems.list(id),
      client.responses.delete(id),
    ]) {
      expect(await failure(work as Promise<unknown>)).toMatchObject({ status: 404, code: "response_not_found" });
    }
  });

  test("store: false is forgotten", async () => {
    const { id, ...rest } = await make({ store: false });
    expect(rest).toMatchObject({ store: false });
    expect(await failure(client.responses.retrieve(id))).toMatchObject({ status: 404, code: "response_not_found" });
    const next = client.responses.create({ model: MODEL, input: "and?", previous_response_id: id });
    expect(await failure(next)).toMatchObject({ status: 404, param: "previous_response_id" });
  });

  test("cancel refuses what does not run in the background", async () => {
    const { id } = await make();
    expect(await failure(client.responses.cancel(id))).toMatchObject({ status: 400, code: "unsupported_operation" });
    expect(await failure(client.responses.cancel("resp_none"))).toMatchObject({ status: 404 });
  });

  test("a stream is written again, whole or from a number on", async () => {
    const body = { model: MODEL, input: "sim:thinking sim:citation", stream: true };
    const text = await (await program.post("/v1/responses", body)).text();
    const frames = framesOf(text);
    const id = frames[0]?.response?.id ?? "";
    const again = await get(`/v1/responses/${id}?stream=true`);
    expect(again.headers.get("content-type")).toStartWith("text/event-stream");
    expect(await again.text()).toBe(text);
    const rest = framesOf(await (await get(`/v1/responses/${id}?stream=true&starting_after=3`)).text());
    expect(rest).toEqual(frames.slice(4));
    const helper = client.responses.stream({ response_id: id });
    expect((await helper.finalResponse()).output_text).toBe(frames.at(-1)?.response?.output_text ?? "-");
  });

  test.each([
    ["?stream=true", "stream", "unsupported_value"],
    ["?stream=maybe", "stream", "invalid_stream"],
    ["?stream=true&starting_after=x", "starting_after", "invalid_value"],
    ["/input_items?limit=0", "limit", "invalid_value"],
    ["/input_items?order=up", "order", "invalid_value"],
    ["/input_items?after=msg_x", "after", "invalid_value"],
  ])("%s is refused", async (query, param, code) => {
    const { id } = await make();
    const answer = await get(`/v1/responses/${id}${query}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param, code } });
  });

  test("the toggle and the key come first", async () => {
    const open = await fetch(`${program.url}/v1/responses/resp_1`);
    expect(open.status).toBe(401);
  });
});

describe("previous_response_id with temporary conversations", () => {
  test("tells the whole conversation anew and says so", async () => {
    const first = await client.responses.create({ model: MODEL, input: "My name is Kim. sim:echo" });
    const { data: second, response } = await client.responses
      .create({ model: MODEL, input: "Who am I? sim:prompt", previous_response_id: first.id })
      .withResponse();
    expect(response.headers.get("x-grok2api-continuation")).toBe("replayed");
    expect(second.previous_response_id).toBe(first.id);
    expect(program.simulator.requests().filter(({ path }) => path.endsWith("/responses"))).toHaveLength(0);
    expect(program.prompts()[1]).toContain("My name is Kim.");
    expect(program.prompts()[1]).toContain("[assistant]");
    const third = await client.responses.create({ model: MODEL, input: "And now?", previous_response_id: second.id });
    expect(program.prompts()[2]).toMatch(/My name is Kim\.[^]*Who am I\?[^]*And now\?/);
    await client.responses.delete(first.id);
    const broken = client.responses.create({ model: MODEL, input: "Still?", previous_response_id: third.id });
    expect(await failure(broken)).toMatchObject({ status: 404, code: "response_not_found" });
  });

  test("instructions are not inherited", async () => {
    const first = await client.responses.create({ model: MODEL, input: "hi", instructions: "Speak Latin." });
    await client.responses.create({ model: MODEL, input: "hi again", previous_response_id: first.id });
    expect(program.prompts()[1]).not.toContain("Latin");
  });

  test("a referred item is found, an unknown one is refused", async () => {
    const first = await client.responses.create({ model: MODEL, input: "sim:echo Remember the heron." });
    const item = first.output[0];
    await client.responses.create({
      model: MODEL,
      input: [
        { type: "item_reference", id: item?.id ?? "" },
        { role: "user", content: "What bird?" },
      ],
    });
    expect(program.prompts()[1]).toContain("heron");
    const unknown = client.responses.create({ model: MODEL, input: [{ type: "item_reference", id: "msg_unknown" }] });
    expect(await failure(unknown)).toMatchObject({ status: 400, code: "invalid_value", param: "input.0.id" });
  });
});

describe("counting and compacting", () => {
  test("input_tokens counts without asking the upstream", async () => {
    const count = await client.responses.inputTokens.count({
      model: MODEL,
      input: "four words of text",
      instructions: "x",
    });
    expect(count).toEqual({ object: "response.input_tokens", input_tokens: 14 });
    expect(program.asked()).toBe(0);
  });

  test("a stored conversation alone can be compacted", async () => {
    const first = await client.responses.create({ model: "grok-4", input: "remember the number seven" });
    const compacted = await client.responses.compact({ model: "grok-4", previous_response_id: first.id });
    expect(compacted.output.map((item) => item.type)).toContain("compaction");
    expect(program.prompts().at(-1)).toContain("remember the number seven");
    const nothing = await program.post("/v1/responses/compact", { model: "grok-4" });
    expect(nothing.status).toBe(400);
  });

  test("a compaction is sealed for its caller and can be gone on from", async () => {
    const compacted = await client.responses.compact({
      model: MODEL,
      input: [{ role: "user", content: "The code word is heron." }],
    });
    expect(compacted.object).toBe("response.compaction");
    expect(compacted.output.map((item) => item.type)).toEqual(["message", "compaction"]);
    const sealed = compacted.output.find((item) => item.type === "compaction");
    expect(program.prompts()[0]).toMatch(/heron[^]*Summarise the conversation/);
    expect(sealed?.encrypted_content).not.toContain("Hello");
    await client.responses.create({
      model: MODEL,
      input: [
        { type: "compaction", encrypted_content: sealed?.encrypted_content ?? "" },
        { role: "user", content: "What is the code word?" },
      ],
    });
    expect(program.prompts()[1]).toMatch(/Summary of the conversation so far:\nHello from[^]*What is the code word/);
  });
});

describe("a coding agent's bodies", () => {
  const fixture = async (name: string): Promise<object> =>
    (await Bun.file(`${import.meta.dir}/../fixtures/codex/${name}.json`).json()) as object;

  test("the first turn ends in one call with the agent's own tool", async () => {
    const answer = await program.post("/v1/responses", await fixture("first-turn"));
    expect(answer.status).toBe(200);
    const frames = framesOf(await answer.text());
    const call = frames.findLast(({ type }) => type === "response.output_item.done")?.item;
    expect(call).toMatchObject({ type: "function_call" });
    expect(call?.call_id).toMatch(/^call_/);
    expect(JSON.parse(call?.arguments ?? "")).toBeObject();
    expect(frames.at(-1)).toMatchObject({ type: "response.completed", response: { status: "completed" } });
    expect(frames.at(-1)?.response?.usage?.total_tokens).toBeGreaterThan(0);
    const types = frames.map(({ type }) => type.replace("response.", ""));
    expect(types.slice(0, 2)).toEqual(["created", "in_progress"]);
    expect(types.slice(-5)).toEqual([
      "output_item.added",
      "function_call_arguments.delta",
      "function_call_arguments.done",
      "output_item.done",
      "completed",
    ]);
  });

  test("the second turn's replayed items are cleaned, not refused", async () => {
    const answer = await program.post("/v1/responses", await fixture("second-turn"));
    expect(answer.status).toBe(200);
    expect(framesOf(await answer.text()).at(-1)?.type).toBe("response.completed");
    const prompt = program.prompts()[0] ?? "";
    expect(prompt).toContain("<tool_name>shell_command</tool_name>");
    expect(prompt).toContain("[tool result for call_6f1e]");
    expect(prompt).toContain("There are two files.");
    expect(prompt).not.toContain("gAAAAA");
    expect(prompt).toContain("cannot be read here");
  });

  test("its catalogue has what it needs to know, and is not sent twice", async () => {
    const answer = await get("/v1/models?client_version=0.99.0");
    const { models } = (await answer.json()) as { models: { slug: string; base_instructions: string }[] };
    expect(models.map(({ slug }) => slug)).toContain("grok-4");
    for (const model of models) expect(model.base_instructions.length).toBeGreaterThan(100);
    const etag = answer.headers.get("etag") ?? "";
    expect(etag).toMatch(/^"[\w-]+"$/);
    const again = await fetch(`${program.url}/v1/models?client_version=0.99.0`, {
      headers: { authorization: `Bearer ${PROGRAM_KEY}`, "if-none-match": etag },
    });
    expect(again.status).toBe(304);
    expect((await (await get("/v1/models")).json()) as object).toMatchObject({ object: "list" });
  });
});
