// OpenAI's official client, told nothing but the address and the key, against the executable that lies alone in an empty folder.
// What the client makes of an answer is what is checked; which upstream frames it was made of is not known here.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI, { APIError } from "openai";
import type { ChatCompletionChunk } from "openai/resources/chat/completions";
import { createSimulator } from "../../src/simulator/server.ts";
import { binaryPath, emptyFolder, type Folder, type Gateway, startGateway } from "../support/binary.ts";
import { rejection } from "../support/events.ts";
import { pngBytes } from "../support/pictures.ts";

const KEY = "sk-sdk-test-000000001";
const simulator = createSimulator({ tokenDelayMs: 0 });
const folders: Folder[] = [];
const gateways: Gateway[] = [];

/** The executable and its accounts: nothing else is in the folder. */
const start = async (tokens: readonly string[], env: Record<string, string> = {}): Promise<OpenAI> => {
  const folder = emptyFolder();
  folders.push(folder);
  const program = join(folder.path, "grok2api");
  copyFileSync(binaryPath(), program);
  folder.write("data/token.json", JSON.stringify({ ssoSuper: tokens }));
  const gateway = await startGateway({
    folder,
    program,
    env: {
      GROK2API_APP_API_KEY: KEY,
      GROK2API_GROK_BASE_URL: simulator.url,
      GROK2API_GROK_ASSETS_URL: simulator.url,
      GROK2API_GROK_ACCOUNTS_URL: simulator.url,
      ...env,
    },
  });
  gateways.push(gateway);
  return new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: KEY });
};

let client: OpenAI;
beforeAll(async () => {
  client = await start(["sim-super-ok-sdk-1", "sim-super-ok-sdk-2"]);
});
beforeEach(() => simulator.reset());
afterAll(async () => {
  for (const gateway of gateways) await gateway.stop();
  for (const folder of folders) folder[Symbol.dispose]();
  await simulator.stop(true);
});

const ask = (content: string) => ({ model: "grok-4", messages: [{ role: "user" as const, content }] });

const collect = async (stream: AsyncIterable<ChatCompletionChunk>): Promise<ChatCompletionChunk[]> => {
  const chunks: ChatCompletionChunk[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
};
const textOf = (chunks: readonly ChatCompletionChunk[]): string =>
  chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");

describe("answers", () => {
  test("a whole completion", async () => {
    const completion = await client.chat.completions.create(ask("Say sim:echo please"));
    expect(completion).toMatchObject({ object: "chat.completion", model: "grok-4" });
    expect(completion.id).toStartWith("chatcmpl-");
    expect(Math.abs(completion.created - Date.now() / 1000)).toBeLessThan(60);
    const [choice] = completion.choices;
    expect(choice).toMatchObject({ index: 0, finish_reason: "stop", message: { role: "assistant", refusal: null } });
    expect(choice?.message.content).toBe("Say sim:echo please");
    const usage = completion.usage!;
    expect(usage.prompt_tokens).toBeGreaterThan(0);
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
  });

  test("a stream comes in pieces of one answer", async () => {
    const chunks = await collect(await client.chat.completions.create({ ...ask("sim:long-300"), stream: true }));
    expect(chunks.length).toBeGreaterThan(1);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(["stop"]);
    expect(textOf(chunks).trim().split(/\s+/)).toHaveLength(300);
    // Nobody asked for usage, so that every chunk has its choice.
    expect(chunks.every(({ choices, usage }) => choices.length === 1 && usage === undefined)).toBe(true);
  });

  test.each(["hello", "sim:thinking", "sim:search", "sim:citation", "sim:markdown", "sim:long-500"])(
    "streamed and whole are the same answer at the same price: %s",
    async (words) => {
      const whole = await client.chat.completions.create(ask(words));
      const chunks = await collect(
        await client.chat.completions.create({ ...ask(words), stream: true, stream_options: { include_usage: true } }),
      );
      expect(textOf(chunks)).toBe(whole.choices[0]?.message.content ?? "");
      const last = chunks.at(-1)!;
      expect(last.choices).toEqual([]);
      expect(last.usage!).toEqual(whole.usage!);
      expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true);
    },
  );

  test("the .stream() helper puts the same message together", async () => {
    const helper = client.chat.completions.stream({ ...ask("sim:thinking"), stream_options: { include_usage: true } });
    let heard = "";
    helper.on("content", (delta) => (heard += delta));
    const completion = await helper.finalChatCompletion();
    const whole = await client.chat.completions.create(ask("sim:thinking"));
    expect(completion.choices[0]?.message.content).toBe(whole.choices[0]?.message.content ?? "");
    expect(heard).toBe(completion.choices[0]?.message.content ?? "");
    expect(completion.choices[0]?.finish_reason).toBe("stop");
    expect(completion.usage!).toEqual(whole.usage!);
    expect(whole.usage?.completion_tokens_details?.reasoning_tokens).toBeGreaterThan(0);
  });

  test("leaving a stream early is no error, and frees the upstream", async () => {
    const stream = await client.chat.completions.create({ ...ask("sim:long-5000 sim:slow-10"), stream: true });
    for await (const chunk of stream) if (textOf([chunk]).includes("word3")) break;
    const deadline = performance.now() + 2000;
    while (simulator.stats().open.total > 0 && performance.now() < deadline) await Bun.sleep(10);
    expect(simulator.stats().open.total).toBe(0);
  });
});

describe("pictures in messages", () => {
  const withPicture = (url: string) => ({
    model: "grok-4",
    messages: [
      {
        role: "user" as const,
        content: [
          { type: "text" as const, text: "What is this?" },
          { type: "image_url" as const, image_url: { url } },
        ],
      },
    ],
  });

  test("a data URI is sent on", async () => {
    const url = `data:image/png;base64,${pngBytes().toBase64()}`;
    const completion = await client.chat.completions.create(withPicture(url));
    expect(completion.choices[0]?.message.content).toContain("I received 1 attachment");
    const uploads = simulator.requests().filter(({ path }) => path.includes("upload-file"));
    expect(uploads).toHaveLength(1);
  });

  // Loopback stays closed even when private networks are opened: the gateway itself and its neighbours live there.
  test.each(["false", "true"])("a link to this machine is refused (allow_private_urls = %s)", async (allow) => {
    const opened = await start(["sim-super-ok-sdk-3"], { GROK2API_ASSET_ALLOW_PRIVATE_URLS: allow });
    let hits = 0;
    using neighbour = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: () => {
        hits++;
        return new Response(pngBytes(), { headers: { "content-type": "image/png" } });
      },
    });
    for (const host of ["127.0.0.1", "localhost"]) {
      const link = `http://${host}:${neighbour.port}/picture.png`;
      const thrown = await rejection(opened.chat.completions.create(withPicture(link)));
      expect(thrown).toBeInstanceOf(OpenAI.BadRequestError);
      const { message, param } = thrown as APIError;
      expect(param).toContain("messages.0.content.1");
      expect(message).toContain(`The host '${host}' has no public address.`);
    }
    expect(hits).toBe(0);
    expect(simulator.requests()).toEqual([]);
  });
});

describe("models", () => {
  test("the list and one of it by name and by alias", async () => {
    const models = await client.models.list();
    const ids = models.data.map(({ id }) => id);
    expect(ids).toContain("grok-4");
    expect(new Set(ids).size).toBe(ids.length);
    const one = await client.models.retrieve("grok-4");
    expect(one).toMatchObject({ id: "grok-4", object: "model" });
    const alias = await client.models.retrieve("grok-4.20");
    expect(alias).toMatchObject({ id: "grok-4.20", object: "model" });
  });

  test.each(["no-such-model", "some/model", "..%2f..%2fadmin"])("an unknown id is NotFoundError: %s", async (id) => {
    const thrown = await rejection(client.models.retrieve(id));
    expect(thrown).toBeInstanceOf(OpenAI.NotFoundError);
    expect(thrown).toMatchObject({ code: "model_not_found" });
  });

  test("an alias answers under the name that was asked for", async () => {
    const completion = await client.chat.completions.create({ ...ask("sim:echo"), model: "grok-4.20" });
    expect(completion.model).toBe("grok-4.20");
  });
});

describe("errors arrive as the client's classes", () => {
  test("a wrong key", async () => {
    const stranger = new OpenAI({ baseURL: client.baseURL, apiKey: "sk-wrong" });
    const thrown = await rejection(stranger.chat.completions.create(ask("hello")));
    expect(thrown).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(thrown).toMatchObject({ status: 401, code: "invalid_api_key", type: "authentication_error" });
  });

  test("an unknown model", async () => {
    const thrown = await rejection(client.chat.completions.create({ ...ask("hello"), model: "gpt-5" }));
    expect(thrown).toBeInstanceOf(OpenAI.NotFoundError);
    expect(thrown).toMatchObject({ status: 404, code: "model_not_found", param: "model" });
  });

  test("an empty message list, and a value out of range", async () => {
    const empty = await rejection(client.chat.completions.create({ model: "grok-4", messages: [] }));
    expect(empty).toBeInstanceOf(OpenAI.BadRequestError);
    expect(empty).toMatchObject({ status: 400, param: "messages" });
    const hot = await rejection(client.chat.completions.create({ ...ask("hello"), temperature: 7 }));
    expect(hot).toBeInstanceOf(OpenAI.BadRequestError);
    expect(hot).toMatchObject({ status: 400, param: "temperature" });
  });

  test.each([false, true])("content that the upstream refuses is final (stream: %p)", async (stream) => {
    const thrown = await rejection(client.chat.completions.create({ ...ask("sim:moderation"), stream }));
    expect(thrown).toBeInstanceOf(OpenAI.BadRequestError);
    expect(thrown).toMatchObject({ status: 400, code: "content_policy_violation" });
    expect(simulator.requests().filter(({ path }) => path.startsWith("/ws/mgw"))).toHaveLength(1);
  });

  test("a stream that breaks is raised while it is read", async () => {
    const stream = await client.chat.completions.create({ ...ask("sim:cut"), stream: true });
    const chunks: ChatCompletionChunk[] = [];
    const reading = async () => {
      for await (const chunk of stream) chunks.push(chunk);
    };
    const thrown = await rejection(reading());
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({ code: "upstream_cut" });
    expect(textOf(chunks)).not.toBe("");
    expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual([]);
  });

  test("a pool that rests is RateLimitError, after the client's own repeats", async () => {
    const limited = await start(["sim-limited-sdk-1"]);
    const thrown = await rejection(limited.chat.completions.create(ask("hello")));
    expect(thrown).toBeInstanceOf(OpenAI.RateLimitError);
    expect(thrown).toMatchObject({ status: 429, code: "upstream_rate_limited" });
    expect(Number((thrown as APIError).headers?.get("retry-after"))).toBeGreaterThan(0);
    // The account was asked once; the client's repeats found it resting.
    expect(simulator.requests().filter(({ path }) => path.startsWith("/ws/mgw"))).toHaveLength(1);
  }, 30_000);

  test("an empty pool is InternalServerError with the reason", async () => {
    const empty = await start([]);
    const thrown = await rejection(empty.chat.completions.create(ask("hello")));
    expect(thrown).toBeInstanceOf(OpenAI.InternalServerError);
    expect(thrown).toMatchObject({ status: 503, code: "no_available_account" });
  }, 30_000);
});
