// Pictures and clips of the compiled executable, with OpenAI's own client and nothing of it configured but the address and the
// key; and a job that a killed process leaves behind.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import OpenAI, { toFile } from "openai";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, eventually, type Folder, type Gateway, startGateway } from "../support/binary.ts";
import { rejection } from "../support/events.ts";
import { pngBytes } from "../support/pictures.ts";

const key = "sdk-media-key";
let simulator: Simulator;
let folder: Folder;
let gateway: Gateway;
let client: OpenAI;
const clientOf = ({ url }: Gateway) => new OpenAI({ apiKey: key, baseURL: `${url}/v1` });

beforeAll(async () => {
  simulator = createSimulator({ port: 0, tokenDelayMs: 0, mediaDelayMs: 0 });
  folder = emptyFolder();
  const addresses = ["base_url", "assets_url", "accounts_url"].map((name) => `${name} = "${simulator.url}"`);
  folder.write("data/config.toml", [`[app]\napi_key = "${key}"`, "[grok]", ...addresses, ""].join("\n"));
  folder.write("data/token.json", JSON.stringify({ ssoSuper: ["sim-super-1"] }));
  gateway = await startGateway({ folder });
  client = clientOf(gateway);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await simulator.stop(true);
  folder[Symbol.dispose]();
});

const isJpeg = (bytes: Uint8Array) => bytes[0] === 0xff && bytes[1] === 0xd8;

/** The client marks its video calls as deprecated, because OpenAI ends its own; they work as before. */
interface Videos {
  create(body: object): Promise<{ id: string }>;
  retrieve(id: string): Promise<{ status: string; progress: number; error: { message: string } | null }>;
  downloadContent(id: string, query?: object): Promise<Response>;
  delete(id: string): Promise<object>;
}
const videosOf = (one: OpenAI) => Reflect.get(one, "videos") as unknown as Videos;

/** Deprecated for OpenAI's own models, still sent by most clients. */
const asBytes: object = { response_format: "b64_json" };

describe("pictures", () => {
  test("drawn, by a link that opens", async () => {
    const { data } = await client.images.generate({ prompt: "a red bicycle", n: 2 });
    for (const { url } of data ?? []) {
      expect(isJpeg(new Uint8Array(await (await fetch(url ?? "")).arrayBuffer()))).toBe(true);
    }
    expect(data).toHaveLength(2);
  });

  test("drawn as bytes, one without a word about how many", async () => {
    const { data, usage } = await client.images.generate({ prompt: "a red bicycle", ...asBytes });
    expect(data?.map(({ b64_json: base64 }) => isJpeg(Uint8Array.fromBase64(base64 ?? "")))).toEqual([true]);
    expect(usage?.total_tokens).toBeGreaterThan(0);
    expect((await client.images.generate({ prompt: "a red bicycle" })).data).toHaveLength(1);
  });

  test("drawn as a stream, previews first", async () => {
    const types = [];
    for await (const event of await client.images.generate({ prompt: "a cat", stream: true, partial_images: 1 })) {
      expect(isJpeg(Uint8Array.fromBase64(event.b64_json))).toBe(true);
      types.push(event.type);
    }
    expect(types).toEqual(["image_generation.partial_image", "image_generation.completed"]);
  });

  test("changed, from one file and from several", async () => {
    const file = () => toFile(pngBytes(), "a.png");
    expect((await client.images.edit({ image: await file(), prompt: "a hat" })).data).toHaveLength(1);
    expect((await client.images.edit({ image: [await file(), await file()], prompt: "join" })).data).toHaveLength(1);
  });

  test("changed as a stream, from a file that is itself a stream", async () => {
    const image = await toFile(new Blob([pngBytes()]).stream(), "a.png");
    const types = [];
    for await (const event of await client.images.edit({ image, prompt: "a hat", stream: true, partial_images: 1 })) {
      expect(isJpeg(Uint8Array.fromBase64(event.b64_json))).toBe(true);
      types.push(event.type);
    }
    expect(types).toEqual(["image_edit.partial_image", "image_edit.completed"]);
  });
});

test("a clip as a job, its file and still, and its end", async () => {
  const videos = videosOf(client);
  const reference = await toFile(pngBytes(), "a.png");
  const wish = { model: "grok-imagine-1.0-video", prompt: "a river", input_reference: reference };
  const { id } = await videos.create(wish);
  await eventually("the clip is complete", async () =>
    (await videos.retrieve(id)).status === "completed" ? true : undefined,
  );
  const file = await videos.downloadContent(id);
  expect(file.headers.get("content-type")).toBe("video/mp4");
  expect((await file.arrayBuffer()).byteLength).toBeGreaterThan(1000);
  const still = await videos.downloadContent(id, { variant: "thumbnail" });
  expect(isJpeg(new Uint8Array(await still.arrayBuffer()))).toBe(true);
  expect(await videos.delete(id)).toMatchObject({ id, deleted: true });
  expect(String(await rejection(videos.retrieve(id)))).toContain("404");
});

test("a job that a killed process leaves behind ends with the reason, and finished ones stay", async () => {
  using own = emptyFolder();
  const addresses = ["base_url", "assets_url", "accounts_url"].map((name) => `${name} = "${simulator.url}"`);
  const video = "[video]\nresume_timeout = 0";
  own.write("data/config.toml", [`[app]\napi_key = "${key}"`, "[grok]", ...addresses, video, ""].join("\n"));
  own.write("data/token.json", JSON.stringify({ ssoSuper: ["sim-super-1"] }));
  const first = await startGateway({ folder: own });
  const before = videosOf(clientOf(first));
  const model = "grok-imagine-1.0-video";
  const done = await before.create({ model, prompt: "a river" });
  await eventually("it is complete", async () =>
    (await before.retrieve(done.id)).status === "completed" ? true : undefined,
  );
  const hanging = await before.create({ model, prompt: "sim:hang-mid" });
  await eventually("it is half-way", async () =>
    (await before.retrieve(hanging.id)).progress === 33 ? true : undefined,
  );
  first.signal("SIGKILL");
  await first.exited;

  await using second = await startGateway({ folder: own });
  const after = videosOf(clientOf(second));
  const lost = await eventually("it has ended", async () => {
    const job = await after.retrieve(hanging.id);
    return job.status === "failed" ? job : undefined;
  });
  expect(lost.error?.message).toContain("restarted while the job ran");
  expect((await after.downloadContent(done.id)).status).toBe(200);
}, 30_000);
