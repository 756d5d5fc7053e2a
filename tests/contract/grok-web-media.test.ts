// Pictures, edits and clips of the provider against the simulated upstream: what each scenario becomes, what is sent, how
// often, and that nothing withheld leaks.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { configSchema } from "../../src/config/schema.ts";
import type { GenerationEvent } from "../../src/core/events.ts";
import { findModel, type WebModel } from "../../src/core/models.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { sniffMedia } from "../../src/media/sniff.ts";
import { createGrokWeb } from "../../src/providers/grok-web/index.ts";
import type { ClipTask, MediaCall, PictureTask } from "../../src/providers/port.ts";
import { createUpstreamHttp } from "../../src/providers/upstream-http.ts";
import type { JournalEntry } from "../../src/simulator/journal.ts";
import { createSimulator } from "../../src/simulator/server.ts";
import { gather, tell } from "../support/events.ts";
import { pngBytes } from "../support/pictures.ts";

const quick = { tokenDelayMs: 0, mediaDelayMs: 0 };
const simulator = createSimulator(quick);
const older = createSimulator({ ...quick, mediaInputs: false });
const http = createUpstreamHttp({ clock: systemClock, longestIdleMs: () => 5000 });
afterAll(async () => {
  await http.close();
  await simulator.stop(true);
  await older.stop(true);
});
beforeEach(() => {
  simulator.reset();
  older.reset();
});

type Upstream = typeof simulator;

const provider = (image: object = {}, upstream: Upstream = simulator) => {
  const config = configSchema.parse({
    grok: { base_url: upstream.url, assets_url: upstream.url, accounts_url: upstream.url },
    chat: { transport: "rest" },
    image: { timeout: 2, stream_timeout: 2, ...image },
    video: { timeout: 2, stream_timeout: 2 },
  });
  return createGrokWeb({ http, config: () => config, clock: systemClock });
};

const model = (id: string) => {
  const found = findModel(id);
  if (!found) throw new Error(`no model ${id}`);
  return found;
};

const callAs = (id: string, over: Partial<MediaCall<WebModel>> & { token?: string } = {}): MediaCall<WebModel> => {
  const { token = "sim-super-1", ...rest } = over;
  return {
    credential: { accountId: "acc_test", token, tier: "super" },
    signal: new AbortController().signal,
    log: silentLog,
    learn: () => {},
    model: model(id),
    id: "img_1",
    created: 1,
    files: [],
    ...rest,
  };
};

const picture = (prompt: string, over: Partial<PictureTask> = {}): PictureTask => ({
  prompt,
  count: 1,
  ratio: "3:2",
  previews: 0,
  adult: false,
  ...over,
});

const draw = async (task: PictureTask, over: { image?: object; model?: string; token?: string } = {}) => {
  const call = callAs(over.model ?? "grok-imagine-image", over.token ? { token: over.token } : {});
  return gather(provider(over.image).images(task, call));
};

const imagesOf = (events: readonly GenerationEvent[]) => events.filter((event) => event.type === "image");
const bytesOf = (event: GenerationEvent & { type: "image" }) => Uint8Array.fromBase64(event.source.base64 ?? "");
const asked = (path: string, upstream: Upstream = simulator): JournalEntry[] =>
  upstream.requests().filter((entry) => entry.path.startsWith(path));
const NEW = "/rest/app-chat/conversations/new";
const SOCKET = "/ws/imagine/listen";

describe("over the picture socket", () => {
  test("as many pictures come as were asked for, in one call", async () => {
    const events = await draw(picture("a red bicycle", { count: 3 }));
    expect(tell(events).finish).toBe("stop");
    const images = imagesOf(events);
    expect(images.map(({ index, partial }) => [index, partial])).toEqual([
      [0, false],
      [1, false],
      [2, false],
    ]);
    for (const image of images) expect(sniffMedia(bytesOf(image))).toBe("image/jpeg");
    expect(asked(SOCKET)).toHaveLength(1);
  });

  test("the frames are those that the browser sends", async () => {
    await draw(picture("a red bicycle", { count: 2, adult: false }), { model: "grok-imagine-image-2.0" });
    const [reset, ask] = (asked(SOCKET)[0]?.frames ?? []) as { type: string; timestamp: number; item: object }[];
    expect(reset).toMatchObject({ type: "conversation.item.create", item: { content: [{ type: "reset" }] } });
    expect(ask).toMatchObject({
      type: "conversation.item.create",
      item: {
        type: "message",
        content: [
          {
            text: "a red bicycle",
            type: "input_text",
            properties: {
              section_count: 0,
              is_kids_mode: false,
              enable_nsfw: false,
              skip_upsampler: false,
              enable_side_by_side: true,
              is_initial: false,
              aspect_ratio: "3:2",
              enable_pro: true,
              num_generations: 2,
              enable_watermark: false,
            },
          },
        ],
      },
    });
  });

  test("previews are real pictures and come with their finished one", async () => {
    const events = await draw(picture("a red bicycle", { count: 2, previews: 2 }));
    const images = imagesOf(events);
    expect(images.map(({ index, partial }) => `${index}${partial ? "p" : ""}`)).toEqual(["0p", "0", "1p", "1"]);
    for (const image of images) expect(sniffMedia(bytesOf(image))).toBe("image/jpeg");
    const [preview, final] = images;
    if (!preview || !final) throw new Error("no picture");
    expect(bytesOf(preview).length).toBeLessThan(bytesOf(final).length);
  });

  test("a withheld picture leaves no trace, not even its preview, and the others are delivered", async () => {
    const events = await draw(picture("sim:blocked-picture", { count: 2, previews: 3 }));
    expect(imagesOf(events).map(({ index, partial }) => `${index}${partial ? "p" : ""}`)).toEqual(["0p", "0"]);
    expect(tell(events).finish).toBe("content-filter");
    expect(asked(SOCKET)).toHaveLength(1);
  });

  test("when everything is withheld the verdict is all there is", async () => {
    const events = await draw(picture("sim:blocked-pictures", { count: 2, previews: 3 }));
    expect(imagesOf(events)).toEqual([]);
    expect(tell(events).failure?.code).toBe("content_policy_violation");
    expect(asked(SOCKET)).toHaveLength(1);
    expect(asked(NEW)).toHaveLength(0);
  });

  test("a finished picture whose slot is never closed is delivered by its own mark", async () => {
    const events = await draw(picture("sim:no-verdict", { count: 2 }));
    expect(imagesOf(events)).toHaveLength(2);
    expect(tell(events).finish).toBe("stop");
  }, 10_000);

  test("an upstream that opens fewer slots ends with what there is", async () => {
    const events = await draw(picture("sim:few-pictures", { count: 3 }));
    expect(imagesOf(events)).toHaveLength(1);
    expect(tell(events).finish).toBe("stop");
  }, 10_000);

  test("previews without finished pictures: the limit is named, nobody else is asked, nothing leaks", async () => {
    const events = await draw(picture("sim:no-final", { previews: 1 }), { image: { final_timeout: 0.3 } });
    const { failure } = tell(events);
    expect(failure?.code).toBe("upstream_timeout");
    expect(failure?.message).toContain("image.final_timeout (0.3 s)");
    expect(failure?.detail.shouldRetry).toBe(false);
    expect(imagesOf(events)).toEqual([]);
  });

  test("an upstream that never begins: the limit is named", async () => {
    const events = await draw(picture("sim:hang"), { image: { timeout: 0.3 } });
    expect(tell(events).failure?.message).toContain("image.timeout (0.3 s)");
  });

  test("a broken socket is a cut", async () => {
    const events = await draw(picture("sim:cut"));
    expect(["upstream_cut", "upstream_error"]).toContain(tell(events).failure?.code ?? "");
    expect(imagesOf(events)).toEqual([]);
  });

  test.each([
    ["sim-super-limited", "upstream_rate_limited"],
    ["sim-super-empty-pool", "upstream_rate_limited"],
    ["sim-super-dead", "account_auth"],
  ])("%s is %s", async (token, code) => {
    expect(tell(await draw(picture("a bicycle"), { token })).failure?.code).toBe(code as never);
  });

  test("leaving closes the socket", async () => {
    const leaving = new AbortController();
    const stream = provider().images(picture("sim:no-final"), callAs("grok-imagine-image", { signal: leaving.signal }));
    await stream.next();
    expect(simulator.stats().open.sockets).toBe(1);
    leaving.abort();
    await gather(stream);
    for (let wait = 0; wait < 50 && simulator.stats().open.sockets > 0; wait++) await Bun.sleep(10);
    expect(simulator.stats().open.sockets).toBe(0);
  });
});

describe("inside a chat", () => {
  test.each([
    ["the model is the chat's own", { model: "grok-imagine-image-lite" }],
    ["the operator says so", { image: { method: "legacy" } }],
    ["the socket is refused", { token: "sim-super-nosocket-404" }],
  ])("when %s", async (_, how) => {
    const events = await draw(picture("a red bicycle", { count: 2 }), how);
    const told = tell(events);
    expect(told.failure).toBeNull();
    expect(told.text).toBe("");
    expect(told.images).toHaveLength(2);
    expect(asked(NEW)[0]?.body).toMatchObject({ message: "Drawing: a red bicycle" });
    expect(asked(NEW)).toHaveLength(1);
  });

  test.each([
    ["sim:image-moderated", "content_policy_violation"],
    ["sim:moderation", "content_policy_violation"],
    ["sim:moderation-inband", "content_policy_violation"],
    ["sim:image-missing", "image_generation_incomplete"],
  ])("%s is %s, after one call", async (words, code) => {
    const events = await draw(picture(words), { model: "grok-imagine-image-lite" });
    expect(tell(events).failure?.code).toBe(code as never);
    expect(asked(NEW)).toHaveLength(1);
  });
});

const file = { name: "cat.png", mime: "image/png", content: new Blob([pngBytes()]) };

describe.each([
  ["the newest call", simulator],
  ["the older call", older],
] as const)("edits by %s", (name, upstream) => {
  const edit = async (prompt: string, over: Partial<PictureTask> = {}) => {
    const call = callAs("grok-imagine-image-edit", { files: [file, { ...file, name: "hat.png" }] });
    return gather(provider({}, upstream).edit(picture(prompt, over), call));
  };
  const calls = () => asked(NEW, upstream).filter((entry) => entry.status === 200);

  test("every picture is uploaded, and the result belongs to the account", async () => {
    const events = await edit("add a hat");
    const told = tell(events);
    expect(told.failure).toBeNull();
    expect(told.images).toHaveLength(1);
    expect(told.images[0]).toMatch(/\/users\/[0-9a-f-]{36}\/generated\/[0-9a-f-]{36}\/image\.jpg$/);
    const uploads = asked("/http/upload-file-v2/direct", upstream);
    expect(uploads.map((entry) => entry.body)).toMatchObject([
      { parts: { file_source: "IMAGINE_SELF_UPLOAD_FILE_SOURCE" } },
      { parts: { file_source: "IMAGINE_SELF_UPLOAD_FILE_SOURCE" } },
    ]);
    const [body] = calls().map(
      (entry) => entry.body as { mediaGenInput?: { imageToImage: { inputAssets: string[] } } },
    );
    if (name === "the newest call") {
      expect(body?.mediaGenInput?.imageToImage).toMatchObject({ prompt: "add a hat", aspectRatio: "3:2" });
      expect(body?.mediaGenInput?.imageToImage.inputAssets).toHaveLength(2);
    } else {
      expect(asked("/rest/media/post/create", upstream)).toHaveLength(1);
      expect(body?.mediaGenInput).toBeUndefined();
    }
  });

  test("previews are told with the finished picture", async () => {
    const images = imagesOf(await edit("add a hat", { previews: 2 }));
    expect(images.map(({ index, partial }) => `${index}${partial ? "p" : ""}`)).toEqual(["0p", "0"]);
    expect(images[0]?.source.url).toContain("-part-0/");
  });

  test("a withheld edit leaves no trace", async () => {
    const events = await edit("sim:image-moderated", { previews: 2 });
    expect(imagesOf(events)).toEqual([]);
    expect(tell(events).failure?.code).toBe("content_policy_violation");
    expect(calls()).toHaveLength(1);
  });

  test("an edit that never finishes is incomplete, a broken one is a cut", async () => {
    expect(tell(await edit("sim:image-missing")).failure?.code).toBe("image_generation_incomplete");
    expect(tell(await edit("sim:cut")).failure?.row.blame).toBe("upstream");
  });
});

const clip = (prompt: string, over: Partial<ClipTask> = {}): ClipTask => ({
  prompt,
  ratio: "16:9",
  seconds: 6,
  resolution: "480p",
  preset: "custom",
  ...over,
});
const videoOf = (events: readonly GenerationEvent[]) => events.find((event) => event.type === "video");

describe.each([
  ["the newest call", simulator],
  ["the older call", older],
] as const)("clips by %s", (name, upstream) => {
  const film = async (task: ClipTask, files: MediaCall["files"] = []) =>
    gather(provider({}, upstream).video(task, callAs("grok-imagine-video", { files })));
  const calls = () => asked(NEW, upstream).filter((entry) => entry.status === 200);

  test("a clip from text: progress, then file and still", async () => {
    const events = await film(clip("an asteroid"));
    expect(tell(events).finish).toBe("stop");
    const progress = events.flatMap((event) => (event.type === "progress" ? [event.value] : []));
    expect(progress).toEqual([0.01, 0.05, 0.16, 0.33, 0.5, 0.66, 0.94, 0.95]);
    const video = videoOf(events);
    expect(video?.source.url).toMatch(/\/generated\/[0-9a-f-]{36}\/generated_video\.mp4$/);
    expect(video?.thumbnail?.url).toMatch(/preview_image\.jpg$/);
    expect(video?.resolution).toBe("480p");
    expect(events.find((event) => event.type === "upstream")?.clipId).toBe(video?.source.id);
    const [body] = calls().map((entry) => entry.body);
    if (name === "the newest call") {
      expect(body).toEqual({
        modelName: "imagine-video-gen",
        message: "an asteroid --mode=custom",
        enableImageStreaming: true,
        enableSideBySide: true,
        sendFinalMetadata: true,
        responseMetadata: { experiments: [], modelConfigOverride: { modelMap: {} } },
        mediaGenInput: {
          textToVideo: { prompt: "an asteroid", aspectRatio: "16:9", duration: 6, resolutionName: "480p" },
        },
        kind: "CONVERSATION_KIND_IMAGINE",
      });
    } else {
      expect(body).toMatchObject({
        message: "an asteroid --mode=custom",
        toolOverrides: { videoGen: true },
        responseMetadata: {
          modelConfigOverride: { modelMap: { videoGenModelConfig: { videoLength: 6, resolutionName: "480p" } } },
        },
      });
    }
  });

  test("a clip from a picture", async () => {
    const events = await film(clip("it moves", { preset: "fun" }), [file]);
    expect(tell(events).failure).toBeNull();
    const [body] = calls().map((entry) => JSON.stringify(entry.body));
    expect(body).toContain("--mode=extremely-crazy");
    if (name === "the newest call") expect(body).toContain('"imageToVideo":{"prompt":"it moves"');
  });

  test.each([
    ["sim:video-moderated", "content_policy_violation"],
    ["sim:video-missing", "video_generation_failed"],
    ["sim:moderation-inband", "content_policy_violation"],
  ])("%s is %s, after one call and without a clip", async (words, code) => {
    const events = await film(clip(words));
    expect(videoOf(events)).toBeUndefined();
    expect(tell(events).failure?.code).toBe(code as never);
    expect(calls()).toHaveLength(1);
  });

  test("silence in the middle: the limit is named", async () => {
    const events = await film(clip("sim:hang-mid"));
    expect(tell(events).failure?.message).toContain("video.stream_timeout (2 s)");
  }, 10_000);
});

test("a refusal on content grounds is not tried in the older shape", async () => {
  const events = await gather(provider().video(clip("sim:moderation"), callAs("grok-imagine-video")));
  expect(tell(events).failure?.code).toBe("content_policy_violation");
  expect(asked(NEW)).toHaveLength(1);
});

test("a clip is found again by its id, and enlarged", async () => {
  const grok = provider();
  const call = callAs("grok-imagine-video");
  const video = videoOf(await gather(grok.video(clip("a river"), call)));
  const id = video?.source.id ?? "";
  expect((await grok.findClip(id, call))?.source.url).toBe(video?.source.url as string);
  expect(await grok.findClip("11111111-1111-4111-8111-111111111111", call)).toBeNull();
  const larger = await grok.upscale(id, call);
  expect(larger.url).toContain(id);
});

test("carrying a clip on names the clip and where it ends", async () => {
  const extension = { accountId: "acc_test", clipId: "clip-2", firstClipId: "clip-1", startSeconds: 6.041667 };
  const events = await gather(provider().video(clip("and then", { extension }), callAs("grok-imagine-video")));
  expect(tell(events).failure).toBeNull();
  expect(asked(NEW)[0]?.body).toMatchObject({
    responseMetadata: {
      modelConfigOverride: {
        modelMap: {
          videoGenModelConfig: {
            isVideoExtension: true,
            extendPostId: "clip-2",
            parentPostId: "clip-1",
            originalPostId: "clip-1",
            videoExtensionStartTime: 6.041667,
          },
        },
      },
    },
  });
});
