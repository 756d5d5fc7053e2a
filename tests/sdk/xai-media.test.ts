// Pictures and clips of the compiled executable with nothing but a key of the official API in its pool: OpenAI's own client, and
// xAI's provider of the AI SDK pointed at the gateway as if it were the official API.
import { createXai } from "@ai-sdk/xai";
import { experimental_generateVideo as generateVideo, generateImage } from "ai";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import OpenAI, { toFile } from "openai";
import { eventually } from "../support/binary.ts";
import { rejection } from "../support/events.ts";
import { drawnPng } from "../support/pictures.ts";
import { type Executable, KEY, startExecutable } from "./executable.ts";

const CENT = 100_000_000;
let executable: Executable;
let openai: OpenAI;
beforeAll(async () => {
  executable = await startExecutable({
    accounts: [],
    keys: ["xai-sim-ok-alpha-1"],
    env: { GROK2API_XAI_POLL_INTERVAL: "0.05" },
  });
  openai = new OpenAI({ apiKey: KEY, baseURL: `${executable.url}/v1`, maxRetries: 0 });
});
afterAll(() => executable.stop());
afterEach(() => executable.simulator.reset());

const isJpeg = (bytes: Uint8Array) => bytes[0] === 0xff && bytes[1] === 0xd8;
const isMp4 = (bytes: Uint8Array) => Buffer.from(bytes.subarray(4, 8)).toString() === "ftyp";
const upstreamCalls = () =>
  executable.simulator
    .requests()
    .filter(({ method, path }) => method === "POST" && path.startsWith("/xai/v1/"))
    .map(({ path, body }) => ({ path: path.slice("/xai/v1".length), body: body as Record<string, unknown> }));

/** The client marks its video calls as deprecated, because OpenAI ends its own; they work as before. */
interface Videos {
  create(body: object): Promise<{ id: string }>;
  edit(body: object): Promise<{ id: string }>;
  extend(body: object): Promise<{ id: string }>;
  retrieve(id: string): Promise<{ status: string; seconds: string }>;
  downloadContent(id: string): Promise<Response>;
  delete(id: string): Promise<object>;
}
const videos = () => Reflect.get(openai, "videos") as unknown as Videos;
const completed = (id: string) =>
  eventually("the clip is complete", async () => {
    const job = await videos().retrieve(id);
    return job.status === "completed" ? job : undefined;
  });

describe("openai", () => {
  test("pictures by link, as bytes and as a stream", async () => {
    const { data } = await openai.images.generate({ prompt: "a red bicycle", n: 2 });
    expect(data).toHaveLength(2);
    for (const { url } of data ?? []) expect(isJpeg(await (await fetch(url ?? "")).bytes())).toBe(true);
    const bytes: object = { response_format: "b64_json" };
    const inline = await openai.images.generate({ prompt: "a red bicycle", size: "1536x1024", ...bytes });
    expect(isJpeg(Uint8Array.fromBase64(inline.data?.[0]?.b64_json ?? ""))).toBe(true);
    const types: string[] = [];
    for await (const event of await openai.images.generate({ prompt: "a cat", stream: true })) types.push(event.type);
    expect(types).toEqual(["image_generation.completed"]);
    expect(upstreamCalls().map(({ path }) => path)).toEqual(Array.from({ length: 3 }, () => "/images/generations"));
  });

  test("changes to one picture and to several", async () => {
    const file = () => toFile(drawnPng(), "a.png");
    expect((await openai.images.edit({ image: await file(), prompt: "a hat" })).data).toHaveLength(1);
    expect((await openai.images.edit({ image: [await file(), await file()], prompt: "join" })).data).toHaveLength(1);
    expect(upstreamCalls().map(({ path }) => path)).toEqual(["/images/edits", "/images/edits"]);
  });

  test("a refusal on content grounds has its class", async () => {
    const error = await rejection(openai.images.generate({ prompt: "sim:image-moderated" }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ code: "content_policy_violation" });
  });

  test("a clip as a job: made, fetched, carried on, changed, removed", async () => {
    const wish = { prompt: "a river", seconds: "4", input_reference: await toFile(drawnPng(), "a.png") };
    const { id } = await videos().create(wish);
    expect((await completed(id)).seconds).toBe("4");
    expect(isMp4(await (await videos().downloadContent(id)).bytes())).toBe(true);
    const next = await videos().extend({ prompt: "it goes on", seconds: "4", video: { id } });
    await completed(next.id);
    const changed = await videos().edit({ prompt: "at night", video: { id } });
    await completed(changed.id);
    expect(upstreamCalls().map(({ path }) => path)).toEqual([
      "/videos/generations",
      "/videos/extensions",
      "/videos/edits",
    ]);
    expect(await videos().delete(id)).toMatchObject({ id, deleted: true });
  });

  test("a conversation and a response that draw", async () => {
    const model = "grok-imagine-image";
    const said = await openai.chat.completions.create({ model, messages: [{ role: "user", content: "a cat" }] });
    expect(said.choices[0]?.message.content).toContain("/v1/files/image/");
    expect((await openai.responses.create({ model, input: "a cat" })).output_text).toContain("/v1/files/image/");
  });
});

describe("@ai-sdk/xai", () => {
  const provider = () => createXai({ apiKey: KEY, baseURL: `${executable.url}/v1` });
  const polling = { pollIntervalMs: 20 };
  /** Its own download goes to public hosts alone. */
  const download = async ({ url }: { url: URL }) => {
    const file = await fetch(url);
    return { data: await file.bytes(), mediaType: file.headers.get("content-type") ?? undefined };
  };

  test("pictures, with their ratio, resolution and quality, at their price", async () => {
    const { images, responses } = await generateImage({
      model: provider().image("grok-imagine-image-2.0"),
      prompt: "a cat",
      n: 2,
      aspectRatio: "16:9",
      providerOptions: { xai: { resolution: "2k", quality: "medium" } },
    });
    expect(images.map(({ uint8Array }) => isJpeg(uint8Array))).toEqual([true, true]);
    expect(responses[0]?.headers?.["x-grok2api-cost-in-usd-ticks"]).toBe(String(2 * 8 * CENT));
    expect(upstreamCalls()).toMatchObject([
      { body: { n: 2, aspect_ratio: "16:9", resolution: "2k", quality: "medium" } },
    ]);
  });

  test("a changed picture", async () => {
    const { image } = await generateImage({
      model: provider().image("grok-imagine-image"),
      prompt: { text: "a hat", images: [drawnPng()] },
    });
    expect(isJpeg(image.uint8Array)).toBe(true);
    expect(upstreamCalls().map(({ path }) => path)).toEqual(["/images/edits"]);
  });

  test("a clip from text in 1080p, at its price", async () => {
    const { video, providerMetadata } = await generateVideo({
      model: provider().video("grok-imagine-video-1.5"),
      prompt: "a walking cat",
      aspectRatio: "4:3",
      duration: 3,
      providerOptions: { xai: { ...polling, resolution: "1080p" } },
      download,
    });
    expect(isMp4(video.uint8Array)).toBe(true);
    expect(upstreamCalls()).toMatchObject([{ body: { duration: 3, resolution: "1080p", aspect_ratio: "4:3" } }]);
    expect(JSON.stringify(providerMetadata)).toContain(String(3 * 25 * CENT));
  });

  test("a clip from a picture, from references, and one that is changed and carried on", async () => {
    const model = provider().video("grok-imagine-video");
    const png = drawnPng();
    const url = `data:image/png;base64,${png.toBase64()}`;
    const made = await generateVideo({
      model,
      prompt: { image: png, text: "it moves" },
      providerOptions: { xai: polling },
      download,
    });
    const xai = { ...polling, mode: "reference-to-video", referenceImageUrls: [url] };
    await generateVideo({ model, prompt: "it moves", providerOptions: { xai }, download });
    const { videoUrl } = (made.responses[0]?.providerMetadata?.["xai"] ?? made.providerMetadata["xai"]) as {
      videoUrl: string;
    };
    for (const mode of ["edit-video", "extend-video"]) {
      const about = { xai: { ...polling, mode, videoUrl } };
      const { video } = await generateVideo({ model, prompt: "at night", providerOptions: about, download });
      expect(isMp4(video.uint8Array)).toBe(true);
    }
    const [first, second, edit, extension] = upstreamCalls();
    expect(Object.keys(first?.body ?? {})).toContain("image");
    expect(Object.keys(second?.body ?? {})).toContain("reference_images");
    expect([edit?.path, extension?.path]).toEqual(["/videos/edits", "/videos/extensions"]);
  });

  test("a verdict and a refusal by name are told", async () => {
    const model = provider().video("grok-imagine-video");
    const options = { model, maxRetries: 0, download };
    const withheld = generateVideo({ ...options, prompt: "sim:video-moderated", providerOptions: { xai: polling } });
    expect(String(await rejection(withheld))).toContain("content policy");
    const large = { xai: { ...polling, resolution: "1080p" } };
    const refused = generateVideo({ ...options, prompt: "a cat", providerOptions: large });
    expect(String(await rejection(refused))).toContain("480p or 720p");
  });
});
