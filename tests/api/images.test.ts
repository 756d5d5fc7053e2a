// Pictures through the whole program, mostly with OpenAI's own client: what the caller gets, how often the upstream is asked,
// and that a verdict on the content is the end.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import OpenAI, { APIError, toFile } from "openai";
import { sniffMedia } from "../../src/media/sniff.ts";
import { rejection } from "../support/events.ts";
import { pngBytes } from "../support/pictures.ts";
import { PROGRAM_KEY, startProgram, type Program } from "../support/program.ts";

let program: Program;
let client: OpenAI;
beforeAll(async () => {
  program = await startProgram({
    accounts: ["sim-super-1", "sim-super-2"],
    simulation: { mediaDelayMs: 0 },
    env: { GROK2API_IMAGE_FINAL_TIMEOUT: "0.5" },
  });
  client = new OpenAI({ apiKey: PROGRAM_KEY, baseURL: `${program.url}/v1`, maxRetries: 0 });
});
afterAll(() => program.stop());
afterEach(() => program.simulator.reset());

const asked = (path: string) => program.simulator.requests().filter((entry) => entry.path.startsWith(path));
const SOCKET = "/ws/imagine/listen";
const NEW = "/rest/app-chat/conversations/new";
/** What the socket was asked for, one entry a call. */
const wishes = (): Record<string, unknown>[] =>
  asked(SOCKET).map((entry) => {
    const [, ask] = entry.frames as { item: { content: { text: string; properties: Record<string, unknown> }[] } }[];
    return { text: ask?.item.content[0]?.text, ...ask?.item.content[0]?.properties };
  });
const counts = () => wishes().map((wish) => wish["num_generations"]);
const decoded = (base64: string | undefined) => Uint8Array.fromBase64(base64 ?? "");
const fetched = async (url: string | undefined) => new Uint8Array(await (await fetch(url ?? "")).arrayBuffer());
const failed = async (work: Promise<unknown>): Promise<APIError> => {
  const error = await rejection(work);
  if (error instanceof APIError) return error;
  throw error;
};

describe("drawing", () => {
  test("a link that opens without a key, and never the upstream's own", async () => {
    const answer = await client.images.generate({ prompt: "a red bicycle", model: "grok-imagine-1.0" });
    const url = answer.data?.[0]?.url ?? "";
    expect(url).toStartWith(`${program.url}/v1/files/image/`);
    expect(sniffMedia(await fetched(url))).toBe("image/jpeg");
    expect(answer).toMatchObject({ output_format: "jpeg", quality: "auto", size: "1024x1024", background: "opaque" });
    expect(answer.usage).toMatchObject({ input_tokens: 4, output_tokens: 0, total_tokens: 4 });
    expect(wishes()).toMatchObject([
      { text: "a red bicycle", aspect_ratio: "1:1", num_generations: 1, enable_nsfw: false },
    ]);
  });

  test.each(["b64_json", "base64"])("as %s, the same file as behind the link", async (format) => {
    const answer = await client.images.generate({ prompt: "a cat", ...({ response_format: format } as object) });
    expect(answer.data).toHaveLength(1);
    expect(answer.data?.[0]?.url).toBeUndefined();
    expect(sniffMedia(decoded(answer.data?.[0]?.b64_json))).toBe("image/jpeg");
  });

  test.each([
    [{ size: "1792x1024" }, "3:2"],
    [{ size: "1024x1792" }, "2:3"],
    [{ size: "1536x1024" }, "3:2"],
    [{ size: "1280x720" }, "16:9"],
    [{ size: "9:16" }, "9:16"],
    [{ size: "auto" }, "1:1"],
    [{ aspect_ratio: "19.5:9" }, "19.5:9"],
    [{ size: "1024x1024", aspect_ratio: "4:3" }, "4:3"],
    [{}, "1:1"],
  ])("%j is drawn as %s", async (fields, ratio) => {
    expect((await program.post("/v1/images/generations", { prompt: "a cat", ...fields })).status).toBe(200);
    expect(wishes()[0]?.["aspect_ratio"]).toBe(ratio);
  });

  test("ten pictures in one call", async () => {
    const answer = await client.images.generate({ prompt: "a cat", n: 10 });
    expect(new Set(answer.data?.map(({ url }) => url)).size).toBe(10);
    expect(counts()).toEqual([10]);
  });

  test("concurrency divides the pictures over calls", async () => {
    const answer = await program.post("/v1/images/generations", { prompt: "a cat", n: 5, concurrency: 3 });
    expect(((await answer.json()) as { data: unknown[] }).data).toHaveLength(5);
    expect(
      counts()
        .map(Number)
        .toSorted((a, b) => a - b),
    ).toEqual([1, 2, 2]);
  });

  test("what one call leaves out, the next is asked for", async () => {
    const answer = await client.images.generate({ prompt: "sim:few-pictures", n: 2 });
    expect(answer.data).toHaveLength(2);
    expect(counts()).toEqual([2, 1]);
  }, 15_000);

  test("another account draws when one is limited", async () => {
    const { accounts } = program.simulator;
    const [limited] = accounts().filter(({ name }) => name === "sim-super-1");
    if (!limited) throw new Error("no account");
    limited.kind = "limited";
    for (let count = 0; count < 3; count++) {
      expect((await client.images.generate({ prompt: "a cat" })).data).toHaveLength(1);
    }
    expect(asked(SOCKET).some(({ account }) => account !== "sim-super-1")).toBe(true);
  });

  test("fields that have no effect are accepted", async () => {
    const answer = await client.images.generate({
      prompt: "a cat",
      background: "transparent",
      output_format: "webp",
      output_compression: 50,
      moderation: "low",
      quality: "hd",
      ...older,
    });
    expect(answer).toMatchObject({ output_format: "jpeg", quality: "hd" });
  });
});

describe("a verdict on the content is the end", () => {
  test.each([["sim:blocked-pictures"], ["sim:moderation"]])("%s: one call, 400, nothing drawn", async (prompt) => {
    const error = await failed(client.images.generate({ prompt, n: 2 }));
    expect(error.status === 400 ? error.code : error.message).toBe("content_policy_violation");
    expect(asked(SOCKET)).toHaveLength(1);
    expect(asked(NEW)).toHaveLength(0);
  });

  test("what was not withheld is delivered, and nothing is drawn in its place", async () => {
    const answer = await client.images.generate({ prompt: "sim:blocked-picture", n: 3 });
    expect(answer.data).toHaveLength(2);
    expect(asked(SOCKET)).toHaveLength(1);
  });

  test("with concurrency nothing more is begun after the verdict", async () => {
    const body = { prompt: "sim:blocked-pictures", n: 10, concurrency: 1, model: "grok-imagine-image-lite" };
    const answer = await program.post("/v1/images/generations", { ...body, prompt: "sim:image-moderated" });
    expect(answer.status).toBe(400);
    expect(asked(NEW)).toHaveLength(1);
  });

  test("previews that are never finished: nobody else is asked, and the limit is named", async () => {
    const error = await failed(client.images.generate({ prompt: "sim:no-final" }));
    expect(error.status).toBe(504);
    expect(error.message).toContain("image.final_timeout (0.5 s)");
    expect(error.headers?.get("x-should-retry")).toBe("false");
    expect(asked(SOCKET)).toHaveLength(1);
  });
});

describe("streams", () => {
  test("previews and finished pictures, by their types", async () => {
    const stream = await client.images.generate({
      prompt: "a cat",
      n: 2,
      size: "1536x1024",
      stream: true,
      partial_images: 2,
    });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual([
      "image_generation.partial_image",
      "image_generation.completed",
      "image_generation.partial_image",
      "image_generation.completed",
    ]);
    for (const event of events) {
      expect(sniffMedia(decoded(event.b64_json))).toBe("image/jpeg");
      expect(event).toMatchObject({ size: "1536x1024", quality: "auto", output_format: "jpeg", background: "opaque" });
    }
    const [partial, completed] = events;
    if (completed?.type !== "image_generation.completed") throw new Error("no picture");
    expect(completed.usage.input_tokens).toBe(2);
    expect(Reflect.get(completed, "url")).toStartWith(`${program.url}/v1/files/image/`);
    expect(await fetched(String(Reflect.get(completed, "url")))).toEqual(decoded(completed.b64_json));
    expect(decoded(partial?.b64_json).length).toBeLessThan(decoded(completed.b64_json).length);
  });

  test("without partial_images only finished ones come, in named frames and without [DONE]", async () => {
    const answer = await program.post("/v1/images/generations", { prompt: "a cat", stream: true });
    const text = await answer.text();
    expect(text).toStartWith("event: image_generation.completed\ndata: {");
    expect(text).not.toContain("partial");
    expect(text).not.toContain("[DONE]");
  });

  test("a withheld picture shows no preview, and the failure has its status", async () => {
    const error = await failed(
      client.images.generate({ prompt: "sim:blocked-pictures", stream: true, partial_images: 3 }),
    );
    expect(error.status).toBe(400);
    expect(error.code).toBe("content_policy_violation");
  });

  test("beside a withheld picture only the other one's stages appear", async () => {
    const body = { prompt: "sim:blocked-picture", n: 2, stream: true, partial_images: 3 };
    const text = await (await program.post("/v1/images/generations", body)).text();
    expect([...text.matchAll(/^event: (.*)$/gm)].map(([, name]) => name)).toEqual([
      "image_generation.partial_image",
      "image_generation.completed",
    ]);
  });
});

test("a caller that leaves closes the picture socket", async () => {
  const leaving = new AbortController();
  const work = fetch(`${program.url}/v1/images/generations`, {
    method: "POST",
    headers: { authorization: `Bearer ${PROGRAM_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ prompt: "sim:hang" }),
    signal: leaving.signal,
  });
  const sockets = () => program.simulator.stats().open.sockets;
  // Its own socket, at work: one of an earlier test may still be closing.
  const isDrawing = () => asked(SOCKET).some(({ frames }) => frames.length > 0) && sockets() === 1;
  for (let wait = 0; wait < 100 && !isDrawing(); wait++) await Bun.sleep(10);
  expect(isDrawing()).toBe(true);
  leaving.abort();
  await rejection(work);
  for (let wait = 0; wait < 100 && sockets() > 0; wait++) await Bun.sleep(10);
  expect(sockets()).toBe(0);
});

describe("what cannot be served is refused by name", () => {
  test.each([
    [{}, 400, "missing_prompt", "prompt"],
    [{ prompt: " " }, 400, "empty_prompt", "prompt"],
    [{ prompt: 5 }, 400, "invalid_value", "prompt"],
    [{ prompt: "x".repeat(32_001) }, 400, "invalid_value", "prompt"],
    [{ prompt: "a", n: 0 }, 400, "invalid_n", "n"],
    [{ prompt: "a", n: 11 }, 400, "invalid_n", "n"],
    [{ prompt: "a", n: 1.5 }, 400, "invalid_n", "n"],
    [{ prompt: "a", n: 3, stream: true }, 400, "invalid_stream_n", "stream"],
    [{ prompt: "a", stream: "maybe" }, 400, "invalid_stream", "stream"],
    [{ prompt: "a", partial_images: 4, stream: true }, 400, "invalid_value", "partial_images"],
    [{ prompt: "a", size: "1000x1000" }, 400, "invalid_size", "size"],
    [{ prompt: "a", aspect_ratio: "7:5" }, 400, "invalid_aspect_ratio", "aspect_ratio"],
    [{ prompt: "a", response_format: "png" }, 400, "invalid_response_format", "response_format"],
    [{ prompt: "a", concurrency: 4 }, 400, "invalid_concurrency", "concurrency"],
    [{ prompt: "a", quality: "best" }, 400, "invalid_value", "quality"],
    [{ prompt: "a", model: "dall-e-3" }, 404, "model_not_found", "model"],
    [{ prompt: "a", model: "grok-4" }, 400, "model_not_supported", "model"],
    [{ prompt: "a", model: "grok-imagine-1.0-edit" }, 400, "model_not_supported", "model"],
    [{ prompt: "a", image: "https://example.com/a.png" }, 400, "unsupported_parameter", "image"],
  ])("%j", async (body, status, code, param) => {
    const answer = await program.post("/v1/images/generations", body);
    const { error } = (await answer.json()) as { error: object };
    expect({ status: answer.status, ...error }).toMatchObject({ status, code, param });
    expect(asked(SOCKET)).toHaveLength(0);
  });
});

/** Deprecated for OpenAI's own models, still sent by most clients. */
const older: object = { style: "vivid", user: "u" };
const asBytes: object = { response_format: "b64_json" } as const;
const cat = () => toFile(pngBytes(), "cat.png");

describe("edits", () => {
  test("one file", async () => {
    const answer = await client.images.edit({
      image: await cat(),
      prompt: "add a hat",
      model: "grok-imagine-1.0-edit",
    });
    expect(sniffMedia(await fetched(answer.data?.[0]?.url))).toBe("image/jpeg");
    expect(answer.usage?.input_tokens_details).toEqual({ image_tokens: 765, text_tokens: 3 });
    expect(asked("/http/upload-file-v2/direct")).toHaveLength(1);
  });

  test.each(["image", "image[]", "image[0] image[1]"])("files in parts named %s", async (names) => {
    const form = new FormData();
    form.append("prompt", "join them");
    const fields = names.split(" ");
    for (const index of [0, 1]) form.append(fields[index] ?? names, new File([pngBytes()], `${index}.png`));
    const headers = { authorization: `Bearer ${PROGRAM_KEY}` };
    const answer = await fetch(`${program.url}/v1/images/edits`, { method: "POST", headers, body: form });
    expect(answer.status).toBe(200);
    expect(asked("/http/upload-file-v2/direct")).toHaveLength(2);
  });

  test("several files, several results, an own ratio and the bytes", async () => {
    const answer = await client.images.edit({
      image: [await cat(), await toFile(pngBytes(), "hat.bin")],
      prompt: "join them",
      n: 2,
      size: "1024x1536",
      ...asBytes,
    });
    expect(answer.data).toHaveLength(2);
    for (const { b64_json: base64 } of answer.data ?? []) expect(sniffMedia(decoded(base64))).toBe("image/jpeg");
    expect(asked(NEW)).toHaveLength(2);
    expect(JSON.stringify(asked(NEW)[0]?.body)).toContain('"aspectRatio":"2:3"');
  });

  test("a stream has the events of edits", async () => {
    const stream = await client.images.edit({
      image: await cat(),
      prompt: "add a hat",
      stream: true,
      partial_images: 1,
    });
    const events = [];
    for await (const event of stream) events.push(event);
    expect(events.map(({ type }) => type)).toEqual(["image_edit.partial_image", "image_edit.completed"]);
    for (const event of events) expect(sniffMedia(decoded(event.b64_json))).toBe("image/jpeg");
  });

  const dataUri = `data:image/png;base64,${pngBytes().toBase64()}`;
  test.each([
    ["image.url", { image: { url: dataUri } }],
    ["images[].image_url", { images: [{ image_url: dataUri }, { url: dataUri }] }],
    ["image_url.url", { images: [{ image_url: { url: dataUri } }] }],
    ["a bare string", { image: dataUri }],
  ])("JSON with %s", async (_, fields) => {
    const answer = await program.post("/v1/images/edits", { prompt: "add a hat", ...fields });
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { data: unknown[] }).data).toHaveLength(1);
  });

  const form = (fields: Record<string, string | Blob | (string | Blob)[]>) => {
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      for (const one of Array.isArray(value) ? value : [value]) body.append(name, one);
    }
    return fetch(`${program.url}/v1/images/edits`, {
      method: "POST",
      headers: { authorization: `Bearer ${PROGRAM_KEY}` },
      body,
    });
  };
  const blob = () => new Blob([pngBytes()]);

  test.each([
    ["image", { image: blob() }, 1],
    ["image[]", { "image[]": [blob(), blob()] }, 2],
    ["image[0]", { "image[0]": blob(), "image[1]": blob() }, 2],
    ["image twice", { image: [blob(), blob(), blob()] }, 3],
    // More than the newest call of the site takes: they go with the older one.
    ["sixteen pictures", { "image[]": Array.from({ length: 16 }, blob) }, 16],
  ])("a form with %s", async (_, files, count) => {
    const answer = await form({ prompt: "add a hat", n: "1", stream: "false", ...files });
    expect(answer.status).toBe(200);
    expect(asked("/http/upload-file-v2/direct")).toHaveLength(count);
  });

  test("a mask has no effect, and the answer says so", async () => {
    const answer = await form({ prompt: "add a hat", image: blob(), mask: blob() });
    expect(answer.headers.get("x-grok-warning")).toBe("mask-ignored");
  });

  test("a withheld edit is the end: one call, 400", async () => {
    const answer = await form({ prompt: "sim:image-moderated", image: blob(), n: "3" });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: { code: string } }).error.code).toBe("content_policy_violation");
    expect(asked(NEW)).toHaveLength(1);
  });

  test.each([
    ["no picture", { prompt: "a" }, 400, "missing_image"],
    ["no prompt", { image: blob() }, 400, "missing_prompt"],
    ["an empty file", { prompt: "a", image: new Blob([]) }, 400, "empty_file"],
    ["a text", { prompt: "a", image: new Blob(["hello"]) }, 400, "invalid_image_type"],
    ["seventeen pictures", { prompt: "a", "image[]": Array.from({ length: 17 }, blob) }, 400, "invalid_image_count"],
    ["n as a word", { prompt: "a", image: blob(), n: "two" }, 400, "invalid_n"],
    ["adult content", { prompt: "a", image: blob(), nsfw: "true" }, 400, "adult_with_picture"],
    ["a chat model", { prompt: "a", image: blob(), model: "grok-4" }, 400, "model_not_supported"],
  ])("%s is refused", async (_, fields, status, code) => {
    const answer = await form(fields);
    expect({ status: answer.status, ...((await answer.json()) as { error: object }).error }).toMatchObject({
      status,
      code,
    });
    expect(asked(NEW)).toHaveLength(0);
  });
});
