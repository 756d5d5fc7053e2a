// One conversation costs the same however it is asked for: chat, responses and messages, whole and streamed, with the official
// clients against the executable.
import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, expect, test } from "bun:test";
import OpenAI from "openai";
import { type Executable, KEY, startExecutable } from "./executable.ts";

let executable: Executable;
let openai: OpenAI;
let anthropic: Anthropic;
beforeAll(async () => {
  executable = await startExecutable();
  openai = new OpenAI({ apiKey: KEY, baseURL: `${executable.url}/v1` });
  anthropic = new Anthropic({ apiKey: KEY, baseURL: executable.url });
});
afterAll(() => executable.stop());

const model = "grok-4";
const system = "Be brief. 请简短回答。";
const name = "get_weather";
const description = "Weather of a city";
const schema = { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"] };

type Tokens = readonly [input: number | undefined, output: number | undefined];

/** Every way of asking, as input and output tokens. */
const prices = async (content: string): Promise<Record<string, Tokens>> => {
  const chat = {
    model,
    messages: [
      { role: "system" as const, content: system },
      { role: "user" as const, content },
    ],
    tools: [{ type: "function" as const, function: { name, description, parameters: schema } }],
  };
  const responses = {
    model,
    instructions: system,
    input: content,
    tools: [{ type: "function" as const, name, description, parameters: schema, strict: false }],
  };
  const messages = {
    model,
    max_tokens: 4000,
    system,
    messages: [{ role: "user" as const, content }],
    tools: [{ name, description, input_schema: schema }],
    thinking: { type: "enabled" as const, budget_tokens: 1024 },
  };
  const ofChat = ({ usage }: OpenAI.ChatCompletion): Tokens => [usage?.prompt_tokens, usage?.completion_tokens];
  const ofResponse = ({ usage }: OpenAI.Responses.Response): Tokens => [usage?.input_tokens, usage?.output_tokens];
  const ofMessage = ({ usage }: Anthropic.Message): Tokens => [usage.input_tokens, usage.output_tokens];
  const counted = { ...chat, stream_options: { include_usage: true } };
  return {
    chat: ofChat(await openai.chat.completions.create(chat)),
    "chat, streamed": ofChat(await openai.chat.completions.stream(counted).finalChatCompletion()),
    responses: ofResponse(await openai.responses.create(responses)),
    "responses, streamed": ofResponse(await openai.responses.stream(responses).finalResponse()),
    messages: ofMessage(await anthropic.messages.create(messages)),
    "messages, streamed": ofMessage(await anthropic.messages.stream(messages).finalMessage()),
  };
};

test.each([
  "hello",
  "sim:thinking",
  "sim:citation",
  "sim:toolcard",
  "sim:tool",
  "sim:tool-text sim:thinking",
  "sim:long-500",
])("%s", async (words) => {
  const all = await prices(words);
  const [input, output] = all["chat"] ?? [];
  expect(input).toBeGreaterThan(0);
  expect(output).toBeGreaterThan(0);
  expect(all).toEqual(Object.fromEntries(Object.keys(all).map((way) => [way, [input, output]])));
});

test("a drawn picture, too", async () => {
  const all = await prices("sim:image");
  expect(new Set(Object.values(all).map(String)).size).toBe(1);
});
