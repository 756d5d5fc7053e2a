import { afterEach, describe, expect, test } from "bun:test";
import { eventually, inside, stopSimulators } from "./simulator-client.ts";
import type { Json } from "./simulator-client.ts";
import { eventsOf, json, keyed, KEY, WEATHER, xai } from "./xai-client.ts";
import type { Xai } from "./xai-client.ts";

afterEach(stopSimulators);

const outputOf = (response: Json): Json[] => response["output"] as Json[];
const textOf = (item: Json | undefined): unknown => (item?.["content"] as Json[] | undefined)?.[0]?.["text"];

describe("models", () => {
  test("listings, aliases and what a small team sees", async () => {
    const { get } = xai();
    const all = (await json(await get("/models")))["data"] as Json[];
    expect(all.find(({ id }) => id === "grok-4.5")).toEqual({
      id: "grok-4.5",
      aliases: ["grok-4.5-latest", "grok-build-latest"],
      created: 1782691200,
      object: "model",
      owned_by: "xai",
      context_length: 500_000,
      prompt_text_token_price: 20_000,
      cached_prompt_text_token_price: 3_000,
      prompt_image_token_price: 20_000,
      completion_text_token_price: 60_000,
      prompt_text_token_price_long_context: 40_000,
      cached_prompt_text_token_price_long_context: 6_000,
      completion_text_token_price_long_context: 120_000,
      long_context_threshold: 200_000,
    });
    expect(await json(await get("/models/grok-latest"))).toMatchObject({ id: "grok-4.3" });
    expect((await get("/models/grok-99")).status).toBe(404);
    const language = (await json(await get("/language-models")))["models"] as Json[];
    expect(language.find(({ id }) => id === "grok-4.6")).toMatchObject({
      capabilities: { reasoning_effort: ["low", "medium", "high", "xhigh"], default_reasoning_effort: "high" },
    });
    expect(language.every((model) => !("context_length" in model))).toBe(true);
    expect(((await json(await get("/image-generation-models")))["models"] as Json[]).length).toBe(2);
    expect(((await json(await get("/video-generation-models")))["models"] as Json[]).length).toBe(3);
    const small = (await json(await get("/models", "xai-sim-small-beta-1")))["data"] as Json[];
    expect(small.map(({ id }) => id)).toEqual(["grok-4.3"]);
  });
});

describe("responses", () => {
  test("events in order, counted from 0, and the last one repeats what was streamed", async () => {
    const { respond } = xai();
    const tools = [{ type: "web_search" }, { type: "x_search" }, { type: "code_interpreter" }];
    const words = "sim:thinking sim:search sim:x-search sim:code";
    const { events, cut } = await eventsOf(await respond(`Hi ${words}`, { tools, stream: true }));
    const data = events.map((one) => JSON.parse(one.data) as Json);
    expect(cut).toBe(false);
    expect(data.map((one) => one["type"])).toEqual(events.map(({ event }) => event));
    expect(data.map((one) => one["sequence_number"])).toEqual(data.map((_, index) => index));
    const kinds = events.map(({ event }) => event).filter((event, index, all) => event !== all[index - 1]);
    expect(kinds).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.reasoning_summary_part.added",
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
      "response.reasoning_summary_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.web_search_call.in_progress",
      "response.web_search_call.searching",
      "response.web_search_call.completed",
      "response.output_item.done",
      "response.output_item.added",
      "response.custom_tool_call_input.delta",
      "response.custom_tool_call_input.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.code_interpreter_call.in_progress",
      "response.code_interpreter_call_code.delta",
      "response.code_interpreter_call_code.done",
      "response.code_interpreter_call.interpreting",
      "response.code_interpreter_call.completed",
      "response.output_item.done",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.annotation.added",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
    const finished = inside(data.at(-1), "response");
    const done = data.filter((one) => one["type"] === "response.output_item.done").map((one) => one["item"] as Json);
    expect(outputOf(finished)).toEqual(done);
    const streamed = data.filter((one) => one["type"] === "response.output_text.delta").map((one) => one["delta"]);
    expect(streamed.join("")).toBe(textOf(done.at(-1)) as string);
    expect(inside(finished, "usage")).toMatchObject({
      num_server_side_tools_used: 3,
      server_side_tool_usage_details: { web_search_calls: 1, x_search_calls: 1, x_posts_fetched: 3 },
    });
    const trace = done.find((item) => item["type"] === "custom_tool_call");
    expect(trace?.["call_id"]).toStartWith("xs_call");
  });

  test("recorded usage and cost come out as they were recorded, on both surfaces", async () => {
    const { respond, post } = xai();
    const search = await json(await respond("Hi sim:sample-x-search"));
    expect(search).toMatchObject({
      model: "grok-4.6",
      usage: {
        input_tokens: 10_926,
        input_tokens_details: { cached_tokens: 4_736 },
        output_tokens: 702,
        output_tokens_details: { reasoning_tokens: 615 },
        total_tokens: 11_628,
        num_server_side_tools_used: 2,
        cost_in_usd_ticks: 289_600_000,
        context_details: { input_tokens: 4_614, output_tokens: 107 },
      },
    });
    const messages = [{ role: "user", content: "Hi sim:sample-chat" }];
    const chat = await json(await post("/chat/completions", { model: "grok-4.3", messages }));
    expect(chat).toMatchObject({
      model: "grok-3-mini",
      system_fingerprint: "fp_2a885414fb",
      usage: {
        prompt_tokens: 12,
        completion_tokens: 1,
        total_tokens: 241,
        prompt_tokens_details: { text_tokens: 12, audio_tokens: 0, image_tokens: 0, cached_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 228 },
        cost_in_usd_ticks: 1_176_500,
      },
    });
    const folded = inside(await json(await respond("Hi sim:sample-chat")), "usage");
    expect(folded).toMatchObject({ input_tokens: 12, output_tokens: 229, total_tokens: 241 });
  });

  test("the bill follows prices, cache, length and service tier", async () => {
    const { respond } = xai();
    const usage = async (input: string, more: object = {}) =>
      inside(await json(await respond(input, { model: "grok-4.5", ...more })), "usage");
    const bill = (counts: Json, factor: number): number => {
      const cached = Number(inside(counts, "input_tokens_details")["cached_tokens"]);
      const fresh = Number(counts["input_tokens"]) - cached;
      return (fresh * 20_000 + cached * 3_000 + Number(counts["output_tokens"]) * 60_000) * factor;
    };
    const first = await usage("Hello", { prompt_cache_key: "one" });
    const again = await usage("Hello", { prompt_cache_key: "one" });
    const priority = await usage("Hello", { service_tier: "priority" });
    const long = await usage("x".repeat(800_000));
    expect(inside(first, "input_tokens_details")["cached_tokens"]).toBe(0);
    expect(inside(again, "input_tokens_details")["cached_tokens"]).toBeGreaterThan(1_000);
    expect(first["cost_in_usd_ticks"]).toBe(bill(first, 1));
    expect(again["cost_in_usd_ticks"]).toBe(bill(again, 1));
    expect(priority["cost_in_usd_ticks"]).toBe(bill(priority, 2));
    expect(long["cost_in_usd_ticks"]).toBe(bill(long, 2));
  });

  test("stored answers are continued, read, listed and deleted by their team only", async () => {
    const { respond, get, base } = xai();
    const first = await json(await respond("My name is Ada"));
    const id = String(first["id"]);
    const next = await json(await respond("And mine? sim:prompt", { previous_response_id: id }));
    const seen = String(textOf(outputOf(next).at(-1)));
    expect(seen).toContain("[user] My name is Ada\n[assistant] Hello from the simulated");
    expect(inside(inside(next, "usage"), "input_tokens_details")["cached_tokens"]).toBeNumber();
    const other = "xai-sim-ok-beta-1";
    expect((await respond("x", { previous_response_id: id }, other)).status).toBe(404);
    expect((await get(`/responses/${id}`, other)).status).toBe(404);
    expect(await json(await get(`/responses/${id}`))).toEqual(first);
    const items = await json(await get(`/responses/${id}/input_items?order=asc`));
    expect(items).toMatchObject({ object: "list", data: [{ content: "My name is Ada" }], has_more: false });
    const gone = await fetch(`${base}/responses/${id}`, { method: "DELETE", headers: keyed(KEY) });
    expect(await json(gone)).toEqual({ id, object: "response", deleted: true });
    expect((await get(`/responses/${id}`)).status).toBe(404);
    const unstored = await json(await respond("Hi", { store: false }));
    expect((await get(`/responses/${String(unstored["id"])}`)).status).toBe(404);
    const old = await json(await respond("Hi sim:old-usage"));
    const reread = inside(await json(await get(`/responses/${String(old["id"])}`)), "usage");
    expect(reread).toMatchObject({ completion_tokens_details: { reasoning_tokens: 64 } });
    expect(reread["total_tokens"]).toBe(inside(old, "usage")["total_tokens"] as number);
  });

  test("encrypted reasoning and compactions open for their own team, unaltered", async () => {
    const api = xai();
    const { respond, post } = api;
    const include = ["reasoning.encrypted_content"];
    const first = await json(await respond("Hi", { include, store: false }));
    const reasoning = outputOf(first)[0];
    const replay = (item: unknown, key = KEY) => respond([item, { role: "user", content: "On" }], {}, key);
    expect((await replay(reasoning)).status).toBe(200);
    await refusesBlob(await replay(reasoning, "xai-sim-ok-beta-1"), /Could not decrypt the provided encrypted_content/);
    const blob = String(reasoning?.["encrypted_content"]);
    const altered = { ...reasoning, encrypted_content: `${blob.slice(0, 20)}A${blob.slice(21)}x` };
    await refusesBlob(await replay(altered), /Could not decrypt/);
    const compacted = await json(await post("/responses/compact", { model: "grok-4.3", input: "A long story" }));
    expect(compacted).toMatchObject({ object: "response.compaction" });
    expect(String(compacted["id"])).toStartWith("cmp_");
    const [memory] = outputOf(compacted);
    expect((await replay(memory)).status).toBe(200);
    await refusesBlob(await replay(memory, "xai-sim-ok-beta-1"), /Could not decode the compaction blob/);
  });

  test("functions are called with arguments of their schema, and their output ends it", async () => {
    const { respond } = xai();
    const tools = [{ type: "function", name: "get_weather", parameters: WEATHER }];
    const ask = async (input: unknown, more: object = {}) =>
      outputOf(await json(await respond(input, { tools, ...more })));
    const two = (await ask("Weather? sim:tool-two")).filter((item) => item["type"] === "function_call");
    expect(two.map((item) => JSON.parse(String(item["arguments"])) as unknown)).toEqual([
      { city: "Paris", days: 21 },
      { city: "Rome", days: 21 },
    ]);
    expect(two[0]?.["name"]).toBe("get_weather");
    const one = await ask("Weather? sim:tool-two", { parallel_tool_calls: false });
    expect(one.filter((item) => item["type"] === "function_call").length).toBe(1);
    const none = await ask("Weather? sim:tool", { tool_choice: "none" });
    expect(none.at(-1)?.["type"]).toBe("message");
    const forced = await ask("Weather?", { tool_choice: { type: "function", name: "get_weather" } });
    expect(forced.at(-1)?.["type"]).toBe("function_call");
    const output = { type: "function_call_output", call_id: two[0]?.["call_id"], output: "21 degrees" };
    const ended = await ask([{ role: "user", content: "Weather? sim:tool" }, two[0], output]);
    expect(textOf(ended.at(-1))).toBe("The tool answered: 21 degrees");
  });

  test("structured output fits its schema, and can come twice", async () => {
    const { respond } = xai();
    const schema = {
      type: "object",
      properties: {
        city: { type: "string" },
        tags: { type: "array", items: { enum: ["a", "b"] } },
        ok: { $ref: "#/$defs/flag" },
      },
      $defs: { flag: { type: "boolean" } },
    };
    const text = { format: { type: "json_schema", name: "x", schema, strict: true } };
    const items = outputOf(await json(await respond("Hi sim:two-messages", { text })));
    const messages = items.filter((item) => item["type"] === "message");
    expect(messages.map((item) => JSON.parse(String(textOf(item))) as unknown)).toEqual([
      { city: "Paris", tags: ["a"], ok: true },
      { city: "Paris", tags: ["a"], ok: true },
    ]);
    expect(new Set(messages.map((item) => item["id"])).size).toBe(2);
  });

  test("limits count reasoning here, and cut the answer", async () => {
    const { respond } = xai();
    const limited = await json(await respond("Hi sim:long-500", { max_output_tokens: 164 }));
    expect(limited).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    expect(inside(limited, "usage")["output_tokens"]).toBe(164);
    const { events } = await eventsOf(await respond("Hi sim:long-500", { max_output_tokens: 164, stream: true }));
    expect(events.at(-1)?.event).toBe("response.incomplete");
    const thought = await json(await respond("Hi", { max_output_tokens: 10 }));
    expect(outputOf(thought).map((item) => item["type"])).toEqual(["reasoning"]);
  });

  const endings: [string, string, boolean][] = [
    ["error-first", "error", false],
    ["error-mid", "error", false],
    ["failed", "response.failed", false],
    ["done-event", "response.done", false],
    ["content-filter", "response.incomplete", false],
    ["no-terminal", "response.output_item.done", false],
    ["bytes", "response.completed", false],
    ["cut", "response.output_text.delta", true],
  ];
  test.each(endings)("a stream with %s ends with %s", async (word, last, expectCut) => {
    const { respond, sim } = xai();
    const { events, cut } = await eventsOf(await respond(`Hi sim:${word}`, { stream: true }));
    expect(events.at(-1)?.event).toBe(last);
    expect(cut).toBe(expectCut);
    expect(sim.stats().open.total).toBe(0);
  });
});

test("an answer that is cut before its first event, or that never comes, streamed or not", async () => {
  const { base, respond, sim } = xai();
  for (const more of [{ stream: true }, {}]) {
    const cut: unknown = await respond("Hi sim:cut-first", more).catch((error: unknown) => error);
    expect(cut).toMatchObject({ code: "ECONNRESET" });
    const leave = new AbortController();
    const body = JSON.stringify({ model: "grok-4.3", input: "Hi sim:hang-headers", ...more });
    const never = fetch(`${base}/responses`, { method: "POST", headers: keyed(KEY), body, signal: leave.signal });
    setTimeout(() => leave.abort(), 20);
    expect(await never.catch((error: Error) => error.name)).toBe("AbortError");
    expect(await eventually(() => sim.stats().open.total === 0)).toBe(true);
  }
});

describe("chat completions", () => {
  test("reasoning is left out of completion tokens, and usage has a chunk of its own", async () => {
    const api = xai();
    const chunks = await chunksOf(api, "Hi sim:thinking");
    expect(thoughtsOf(chunks).join("")).toContain("思考中");
    const last = chunks.at(-1);
    expect(last?.["choices"]).toEqual([]);
    const usage = inside(last, "usage");
    expect(usage["total_tokens"]).toBe(Number(usage["prompt_tokens"]) + Number(usage["completion_tokens"]) + 64);
    const doubled = thoughtsOf(await chunksOf(api, "Hi sim:thinking-repeat"));
    expect(doubled.filter((_, index) => index % 2 === 0)).toEqual(doubled.filter((_, index) => index % 2 === 1));
    expect(doubled.length).toBeGreaterThan(10);
  });

  test("a tool call is whole in one chunk; its finish reason can be empty", async () => {
    const api = xai();
    const tools = [{ type: "function", function: { name: "get_weather", parameters: WEATHER } }];
    const chunks = await chunksOf(api, "Weather? sim:finish-empty", { tools });
    const calls = chunks.flatMap((chunk) =>
      (chunk["choices"] as Json[]).flatMap((one) => inside(one, "delta")["tool_calls"] ?? []),
    );
    expect(calls).toMatchObject([
      { index: 0, function: { name: "get_weather", arguments: '{"city":"Paris","days":21}' } },
    ]);
    const reasons = chunks.flatMap((chunk) => (chunk["choices"] as Json[]).map((one) => one["finish_reason"]));
    expect(reasons.at(-1)).toBe("");
  });

  test("deferred answers are pending once and read once", async () => {
    const { get, post } = xai();
    const messages = [{ role: "user", content: "Hi" }];
    const asked = await json(await post("/chat/completions", { model: "grok-4.3", messages, deferred: true }));
    const path = `/chat/deferred-completion/${String(asked["request_id"])}`;
    const pending = await get(path);
    expect([pending.status, await pending.text()]).toEqual([202, ""]);
    expect(await json(await get(path))).toMatchObject({ object: "chat.completion" });
    expect((await get(path)).status).toBe(404);
  });
});

async function chunksOf({ post }: Xai, content: string, more: object = {}): Promise<Json[]> {
  const body = { model: "grok-4.3", messages: [{ role: "user", content }], stream: true, ...more };
  const { events } = await eventsOf(await post("/chat/completions", body));
  expect(events.at(-1)?.data).toBe("[DONE]");
  return events.slice(0, -1).map(({ data }) => JSON.parse(data) as Json);
}

async function refusesBlob(response: Response, pattern: RegExp): Promise<void> {
  expect(response.status).toBe(400);
  expect(await response.text()).toMatch(pattern);
}

function thoughtsOf(chunks: Json[]): string[] {
  return chunks
    .flatMap((chunk) => (chunk["choices"] as Json[]).map((choice) => inside(choice, "delta")["reasoning_content"]))
    .filter((thought) => typeof thought === "string");
}
