// `n`: several answers to one request, through the whole program. Each is a call upstream; the request is one.
import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import OpenAI from "openai";
import { rejection } from "../support/events.ts";
import { PROGRAM_KEY, startProgram, type Program } from "../support/program.ts";

let program: Program;
let client: OpenAI;
beforeAll(async () => {
  program = await startProgram({ accounts: ["sim-super-1", "sim-super-2"] });
  client = new OpenAI({ apiKey: PROGRAM_KEY, baseURL: `${program.url}/v1`, maxRetries: 0 });
});
afterAll(() => program.stop());
afterEach(() => program.simulator.reset());

const ask = (content: string, n: number) => ({ model: "grok-4", n, messages: [{ role: "user" as const, content }] });
const tools = [{ type: "function" as const, function: { name: "get_weather", parameters: { type: "object" } } }];

test("three answers in one body; the prompt is counted once", async () => {
  const one = await client.chat.completions.create(ask("sim:echo some words", 1));
  const three = await client.chat.completions.create(ask("sim:echo some words", 3));
  expect(three.choices.map(({ index, message }) => [index, message.content])).toEqual([
    [0, "sim:echo some words"],
    [1, "sim:echo some words"],
    [2, "sim:echo some words"],
  ]);
  const completion = 3 * (one.usage?.completion_tokens ?? 0);
  expect(three.usage).toMatchObject({
    prompt_tokens: one.usage?.prompt_tokens,
    completion_tokens: completion,
    total_tokens: (one.usage?.prompt_tokens ?? 0) + completion,
  });
  expect(program.asked()).toBe(4);
});

test("three answers in one stream: every chunk has its index, usage and the end come once", async () => {
  const body = { ...ask("sim:echo some words sim:thinking", 3), stream: true, stream_options: { include_usage: true } };
  const text = await (await program.post("/v1/chat/completions", body)).text();
  expect(text.match(/"role":"assistant"/g)).toHaveLength(3);
  expect(text.match(/"finish_reason":"stop"/g)).toHaveLength(3);
  expect(text.match(/"choices":\[\],"usage":\{/g)).toHaveLength(1);
  expect(text.match(/\[DONE\]/g)).toHaveLength(1);
  expect(text).toEndWith("data: [DONE]\n\n");
  const stream = client.chat.completions.stream(ask("sim:echo some words", 3));
  const { choices } = await stream.finalChatCompletion();
  expect(choices.map(({ index, message }) => [index, message.content])).toEqual([
    [0, "sim:echo some words"],
    [1, "sim:echo some words"],
    [2, "sim:echo some words"],
  ]);
});

test("calls of several answers do not mix", async () => {
  const stream = client.chat.completions.stream({ ...ask("sim:tool", 2), tools });
  const { choices } = await stream.finalChatCompletion();
  const ids = choices.map(({ message }) => message.tool_calls?.[0]?.id);
  expect(choices.map(({ finish_reason }) => finish_reason)).toEqual(["tool_calls", "tool_calls"]);
  expect(new Set(ids).size).toBe(2);
});

test.each([
  ["before anything is seen", "sim:moderation", 400],
  ["in the middle", "sim:cut", 502],
] as const)("a failure is that of the whole request: %s", async (_, words, status) => {
  const answer = await program.post("/v1/chat/completions", ask(words, 2));
  expect(answer.status).toBe(status);
  const streamed = await program.post("/v1/chat/completions", { ...ask(words, 2), stream: true });
  const text = await streamed.text();
  if (streamed.status === 200) {
    expect(text.match(/"error":/g)).toHaveLength(1);
    expect(text).toEndWith("data: [DONE]\n\n");
  } else expect(streamed.status).toBe(status);
});

test("the attempts of all answers are counted, also in the stream's header", async () => {
  const whole = await program.post("/v1/chat/completions", ask("sim:echo x", 3));
  expect(whole.headers.get("x-grok2api-attempts")).toBe("3");
  const streamed = await program.post("/v1/chat/completions", { ...ask("sim:echo x", 3), stream: true });
  expect(streamed.headers.get("x-grok2api-attempts")).toBe("3");
  await streamed.text();
});

test("a client that leaves ends all of them", async () => {
  const leaving = new AbortController();
  const answer = await fetch(`${program.url}/v1/chat/completions`, {
    method: "POST",
    signal: leaving.signal,
    headers: { authorization: `Bearer ${PROGRAM_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ ...ask("sim:long-2000 sim:slow", 3), stream: true }),
  });
  await answer.body?.getReader().read();
  expect(program.simulator.stats().open.total).toBe(3);
  leaving.abort();
  const end = performance.now() + 2000;
  while (program.simulator.stats().open.total > 0 && performance.now() < end) await Bun.sleep(10);
  expect(program.simulator.stats().open.total).toBe(0);
});

test("five are refused", async () => {
  const error = await rejection(client.chat.completions.create(ask("Hi", 5)));
  expect(error).toMatchObject({ status: 400, code: "invalid_n", param: "n" });
});
