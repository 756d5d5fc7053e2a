// Clips asked for in the shape of xAI's own API: by the client that speaks it, by hand, and refused by name.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { createXai } from "@ai-sdk/xai";
import { experimental_generateVideo as generateVideo } from "ai";
import { sniffMedia } from "../../src/media/sniff.ts";
import { rejection } from "../support/events.ts";
import { pngBytes } from "../support/pictures.ts";
import { PROGRAM_KEY, type Program, startProgram } from "../support/program.ts";
import { within } from "../support/trial.ts";

let program: Program;
beforeAll(async () => {
  program = await startProgram({ simulation: { mediaDelayMs: 0 } });
});
afterAll(() => program.stop());
afterEach(() => program.simulator.reset());

const MODEL = "grok-imagine-video";
const headers = { authorization: `Bearer ${PROGRAM_KEY}` };
const get = (path: string) => fetch(`${program.url}${path}`, { headers });
const generate = (body: object) => program.post("/v1/videos/generations", { model: MODEL, ...body });
const wishes = () =>
  program.simulator
    .requests()
    .filter(({ path }) => path.startsWith("/rest/app-chat/conversations/new"))
    .map(({ body }) => JSON.stringify(body));

interface Polled {
  readonly status: string;
  readonly progress?: number;
  readonly video?: { readonly url: string; readonly duration: number; readonly respect_moderation: boolean };
  readonly error?: { readonly code: string; readonly message: string };
}
const begun = async (body: object): Promise<string> => {
  const answer = await generate(body);
  expect(answer.status).toBe(200);
  const { request_id: id, ...rest } = (await answer.json()) as { request_id: string };
  expect(rest).toEqual({});
  return id;
};
const ended = async (id: string): Promise<Polled> => {
  for (let count = 0; count < 300; count++) {
    const answer = await get(`/v1/videos/${id}`);
    const polled = (await answer.json()) as Polled;
    expect(answer.status).toBe(polled.status === "pending" ? 202 : 200);
    if (polled.status !== "pending") return polled;
    expect(polled.progress).toBeLessThan(100);
    await Bun.sleep(20);
  }
  throw new Error(`the job ${id} did not end`);
};

describe("xAI's provider of the AI SDK", () => {
  const model = () => createXai({ apiKey: PROGRAM_KEY, baseURL: `${program.url}/v1` }).video(MODEL);
  const providerOptions = { xai: { pollIntervalMs: 20 } };
  /** Its own download goes to public hosts alone. */
  const download = async ({ url }: { url: URL }) => {
    const file = await fetch(url);
    return { data: await file.bytes(), mediaType: file.headers.get("content-type") ?? undefined };
  };

  test("gets a clip from text, and the file opens", async () => {
    const { video } = await generateVideo({
      model: model(),
      prompt: "a walking cat",
      aspectRatio: "9:16",
      duration: 6,
      providerOptions,
      download,
    });
    expect(video.mediaType).toBe("video/mp4");
    expect(sniffMedia(video.uint8Array)).toBe("video/mp4");
    expect(wishes().at(-1)).toContain("9:16");
  });

  test("gets a clip from a picture", async () => {
    const { video } = await generateVideo({
      model: model(),
      prompt: { image: pngBytes(), text: "it moves" },
      providerOptions,
      download,
    });
    expect(sniffMedia(video.uint8Array)).toBe("video/mp4");
    expect(wishes().at(-1)).toContain("imageToVideo");
  });

  test("is told of a verdict on the content", async () => {
    const work = generateVideo({ model: model(), prompt: "sim:video-moderated", providerOptions, maxRetries: 0 });
    expect(String(await rejection(work))).toContain("content policy");
  });
});

describe("by hand", () => {
  test("a job is polled until it is done, in one shape", async () => {
    const polled = await ended(await begun({ prompt: "a cat" }));
    expect(polled).toMatchObject({ status: "done", progress: 100, video: { duration: 10, respect_moderation: true } });
    const file = await fetch(polled.video?.url ?? "");
    expect(sniffMedia(await file.bytes())).toBe("video/mp4");
    expect(wishes().at(-1)).toContain("16:9");
  });

  test("its file and its removal are those of every job", async () => {
    const id = await begun({ prompt: "a cat", seconds: 6 });
    expect((await ended(id)).video?.duration).toBe(6);
    const content = await get(`/v1/videos/${id}/content`);
    expect([content.status, sniffMedia(await content.bytes())]).toEqual([200, "video/mp4"]);
    await fetch(`${program.url}/v1/videos/${id}`, { method: "DELETE", headers });
    expect((await get(`/v1/videos/${id}`)).status).toBe(404);
  });

  test("a failure and a verdict are told as the official API tells them", async () => {
    const failed = await ended(await begun({ prompt: "sim:video-missing" }));
    expect(failed).toMatchObject({ status: "failed", error: { code: "service_unavailable" } });
    const withheld = await ended(await begun({ prompt: "sim:video-moderated" }));
    expect(withheld).toMatchObject({ status: "done", video: { url: "", respect_moderation: false } });
  });

  test("a job of the other shape keeps its own", async () => {
    const answer = await program.post("/v1/videos", { model: MODEL, prompt: "a cat" });
    const { id } = (await answer.json()) as { id: string };
    const seen = async () => (await (await get(`/v1/videos/${id}`)).json()) as { status: string };
    expect(await seen()).toMatchObject({ id, object: "video" });
    // Its call upstream must not fall into the next test.
    await within(5000, "the job to end", async () => (await seen()).status === "completed");
  });

  test.each<[object, string]>([
    [{}, "400 missing_prompt prompt"],
    [{ prompt: "a", model: "grok-none" }, "404 model_not_found model"],
    [{ prompt: "a", model: "grok-4" }, "400 model_not_supported model"],
    [{ prompt: "a", duration: 16 }, "400 invalid_video_length duration"],
    [{ prompt: "a", aspect_ratio: "4:3" }, "400 invalid_aspect_ratio aspect_ratio"],
    [{ prompt: "a", resolution: "1080p" }, "400 invalid_resolution resolution"],
    [{ prompt: "a", image: { file_id: "file_1" } }, "400 unsupported_parameter image.file_id"],
    [{ prompt: "a", generate_audio: false }, "400 unsupported_value generate_audio"],
    [{ prompt: "a", reference_audios: [{ voice_id: "v" }] }, "400 unsupported_parameter reference_audios"],
    [{ prompt: "a", output: { upload_url: "https://x" } }, "400 unsupported_parameter output"],
    [{ prompt: "a", colour: "red" }, "400 unsupported_parameter colour"],
    [
      { prompt: "a", reference_images: Array.from({ length: 8 }, () => ({ url: "https://pictures.example/a.png" })) },
      "400 invalid_image_count reference_images",
    ],
  ])("%j is refused by name", async (body, told) => {
    const answer = await generate(body);
    const { error } = (await answer.json()) as { error: { code: string; param: string } };
    expect(`${answer.status} ${error.code} ${error.param}`).toBe(told);
    expect(wishes()).toEqual([]);
  });
});
