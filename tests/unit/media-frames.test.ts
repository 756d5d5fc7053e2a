// The frames of pictures, edits and clips, in the shapes observed between 2025-09 and 2026-09, with ids of our own: what they
// become, and that nothing withheld is ever told.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import type { GenerationEvent } from "../../src/core/events.ts";
import { createImagineReader } from "../../src/providers/grok-web/imagine-socket.ts";
import {
  createClipFrames,
  createEditFrames,
  type MediaFrames,
  type MediaFramesOptions,
} from "../../src/providers/grok-web/media-frames.ts";
import { tell } from "../support/events.ts";

const start = { id: "img_1", model: "grok-imagine-image", created: 1 };
const REQUEST = "11111111-aaaa-4aaa-8aaa-111111111111";
const SLOTS = ["22222222-aaaa-4aaa-8aaa-222222222222", "33333333-aaaa-4aaa-8aaa-333333333333"];

describe("the picture socket", () => {
  const reader = (count = 1, previews = 0) =>
    createImagineReader(
      { requestId: REQUEST, task: { prompt: "a stump", count, ratio: "2:3", previews, adult: false } },
      start,
    );
  const common = {
    request_id: REQUEST,
    order: 0,
    section_id: 0,
    is_alteration: false,
    side_by_side_index: null,
    confirmation: null,
    prompt: "a stump",
    full_prompt: "a stump",
    model_name: "imagine-x-1",
    width: 768,
    height: 1152,
  };
  const status = (slot = 0, more: object = {}) =>
    JSON.stringify({
      type: "json",
      current_status: "start_stage",
      percentage_complete: 0,
      job_id: SLOTS[slot],
      image_id: SLOTS[slot],
      ...common,
      moderated: null,
      r_rated: null,
      ...more,
    });
  const image = (slot = 0, more: object = {}) =>
    JSON.stringify({
      type: "image",
      blob: "/9j/4AAQ",
      job_id: SLOTS[slot],
      id: SLOTS[slot],
      grid_index: 0,
      url: `https://imagine-public.x.ai/imagine-public/images/${SLOTS[slot]}.jpg`,
      percentage_complete: 100,
      moderated: false,
      r_rated: false,
      ...common,
      ...more,
    });
  const completed = (slot = 0, moderated: boolean | null = false) =>
    status(slot, { current_status: "completed", percentage_complete: 100, moderated });
  const read = (count: number, frames: readonly string[], previews = 0) => {
    const one = reader(count, previews);
    for (const frame of frames) one.accept(frame);
    if (!one.over) one.end();
    return one.take();
  };
  const names = (events: readonly GenerationEvent[]) =>
    events.flatMap((event) => (event.type === "image" ? [`${event.index}${event.partial ? "p" : ""}`] : []));

  test("session, slot, picture, verdict", () => {
    const session = JSON.stringify({ type: "session", conversation_id: "44444444-aaaa-4aaa-8aaa-444444444444" });
    const events = read(1, [session, status(), image(), completed()]);
    expect(tell(events).finish).toBe("stop");
    expect(events.find((event) => event.type === "image")?.source).toEqual({
      url: `https://imagine-public.x.ai/imagine-public/images/${SLOTS[0]}.jpg`,
      base64: "/9j/4AAQ",
      id: SLOTS[0] as string,
    });
  });

  test("nothing is told before the verdict", () => {
    const one = reader(1, 3);
    for (const frame of [status(), image(0, { percentage_complete: 50 }), image()]) one.accept(frame);
    expect(names(one.take())).toEqual([]);
    expect(one.waiting).toBe("verdicts");
    one.accept(completed());
    expect(names(one.take())).toEqual(["0p", "0"]);
    expect(one.over).toBe(true);
  });

  test.each([
    ["by its slot's end", [status(), image(0, { percentage_complete: 50 }), image(), completed(0, true)]],
    [
      "by the picture itself",
      [status(), image(0, { percentage_complete: 50 }), image(0, { moderated: true }), completed()],
    ],
    ["by its preview", [status(), image(0, { percentage_complete: 50, moderated: true }), image(), completed()]],
    ["without a word after it", [status(), image(0, { percentage_complete: 50 }), image(0, { moderated: true })]],
  ])("a picture withheld %s leaves no trace", (_, frames) => {
    const events = read(1, frames, 3);
    expect(names(events)).toEqual([]);
    expect(tell(events).failure?.code).toBe("content_policy_violation");
  });

  test("the state names what is waited for", () => {
    const one = reader(2, 1);
    const states = [one.waiting];
    for (const frame of [
      status(0),
      status(1),
      image(0, { percentage_complete: 50 }),
      image(1, { percentage_complete: 50 }),
      image(0),
      image(1),
    ]) {
      one.accept(frame);
      states.push(one.waiting);
    }
    expect(states).toEqual(["start", "frames", "frames", "frames", "finals", "finals", "verdicts"]);
    one.settle();
    expect(names(one.take())).toEqual(["0p", "0", "1p", "1"]);
  });

  test("another request's frames are not ours", () => {
    const foreign = { request_id: "99999999-aaaa-4aaa-8aaa-999999999999" };
    const events = read(1, [status(0, foreign), image(0, foreign)]);
    expect(names(events)).toEqual([]);
    expect(tell(events).failure?.code).toBe("upstream_empty");
  });

  test("a picture that names its slot by its address alone", () => {
    const bare = { job_id: undefined, id: undefined };
    expect(names(read(1, [status(), image(0, bare), completed()]))).toEqual(["0"]);
  });

  test("frames that nobody knows, and no JSON at all, change nothing", () => {
    const events = read(1, ["nonsense", "[]", JSON.stringify({ type: "video" }), status(), image(), completed()]);
    expect(names(events)).toEqual(["0"]);
  });

  test.each([
    [{ err_code: "rate_limit_exceeded", err_msg: "Image rate limit exceeded" }, "upstream_rate_limited"],
    [{ err_code: "content_moderated", err_msg: "no" }, "content_policy_violation"],
    [{ err_code: "internal_error", err_message: "Content violates usage guidelines" }, "content_policy_violation"],
    [{ err_code: "internal_error", err_msg: "boom" }, "upstream_error"],
  ])("the error %j is %s", (error, code) => {
    const events = read(1, [JSON.stringify({ type: "error", request_id: REQUEST, ...error })]);
    expect(tell(events).failure?.code).toBe(code as never);
  });
});

const USER = "55555555-aaaa-4aaa-8aaa-555555555555";
const ASSET = "66666666-aaaa-4aaa-8aaa-666666666666";
const options: MediaFramesOptions = { start, assetsUrl: "https://assets.example", window: "image_edit" };
const nested = (frame: object) => ({ result: { response: { ...frame, isThinking: false, isSoftStop: false } } });
const stop = nested({ token: "done" });
const ending = { result: { response: { token: "I edited the image.", isSoftStop: true } } };
const whole = (more: object) => nested({ modelResponse: { responseId: "r", message: "", streamErrors: [], ...more } });
const readAll = (frames: MediaFrames, objects: readonly unknown[]) => {
  for (const object of objects) frames.accept(object);
  frames.end();
  return frames.take();
};

describe("edits", () => {
  const edit = (objects: readonly unknown[], more: object = {}) =>
    readAll(createEditFrames({ ...options, count: 1, previews: 0, ...more }), objects);
  const stage = (progress: number, more: object = {}) =>
    nested({
      streamingImageGenerationResponse: {
        imageId: ASSET,
        imageUrl: `users/${USER}/generated/${ASSET}${progress < 100 ? "-part-0" : ""}/image.jpg`,
        seq: 0,
        progress,
        moderated: false,
        imageIndex: 0,
        imageModel: "imagine-image-edit",
        ...more,
      },
    });
  const FINAL = `https://assets.example/users/${USER}/generated/${ASSET}/image.jpg`;

  test.each([
    ["the streamed frames", [stage(50), stage(100), ending, whole({})]],
    ["the older mark of a finished one", [stage(90, { isFinal: true, imageUrl: FINAL }), ending]],
    ["the finished answer", [ending, whole({ generatedImageUrls: ["prompt://rewritten", FINAL] })]],
    ["the attached asset", [stage(50), ending, whole({ generatedImageUrls: [], fileAttachments: [ASSET] })]],
    ["flat frames", [{ result: { streamingImageGenerationResponse: { imageUrl: FINAL, progress: 100 } } }]],
  ])("the result is found in %s", (_, objects) => {
    const told = tell(edit(objects));
    expect(told.failure).toBeNull();
    expect(told.images).toEqual([FINAL]);
  });

  test("previews come with the finished picture only", () => {
    const events = edit([stage(50), stage(75), stage(100), ending], { previews: 1 });
    expect(events.filter(({ type }) => type === "image")).toMatchObject([
      { index: 0, partial: true },
      { index: 0, partial: false, source: { url: FINAL } },
    ]);
  });

  test.each([
    [
      "moderated at the end",
      [stage(50), stage(100, { moderated: true }), ending, whole({ generatedImageUrls: [FINAL] })],
    ],
    ["rejected with a reason", [stage(100, { rejectionReason: "MEDIA_REJECTION_REASON_IP" }), ending]],
  ])("%s is withheld, previews and addresses included", (_, objects) => {
    const events = edit(objects, { previews: 3 });
    expect(events.some(({ type }) => type === "image")).toBe(false);
    expect(tell(events).failure?.code).toBe("content_policy_violation");
  });

  test.each([
    ["a complete answer without a picture", [ending, whole({})], "image_generation_incomplete"],
    ["a broken one", [stage(50)], "upstream_cut"],
    ["an error in the stream", [{ error: { code: 8, message: "Too many requests" } }], "upstream_rate_limited"],
    [
      "a verdict in the stream",
      [nested({ error: { contentModerated: {}, message: "no" } })],
      "content_policy_violation",
    ],
    ["an error in the answer", [whole({ streamErrors: [{ usagePoolExhausted: {}, message: "no" }] })], "account_quota"],
  ])("%s", (_, objects, code) => {
    expect(tell(edit(objects)).failure?.code).toBe(code as never);
  });
});

describe("clips", () => {
  const film = (objects: readonly unknown[], more: object = {}) =>
    readAll(createClipFrames({ ...options, window: "video", resolution: "480p", ...more }), objects);
  const stage = (progress: number, more: object = {}) =>
    nested({
      streamingVideoGenerationResponse: {
        videoId: ASSET,
        progress,
        audioUrls: [],
        videoPrompt: "",
        imageReference: "",
        audioTranscripts: [],
        moderated: false,
        mode: "normal",
        videoPostId: ASSET,
        height: 352,
        width: 832,
        resolutionName: "480p",
        ...more,
      },
    });
  const files = {
    assetId: ASSET,
    videoUrl: `users/${USER}/generated/${ASSET}/generated_video.mp4`,
    thumbnailImageUrl: `users/${USER}/generated/${ASSET}/preview_image.jpg`,
    rRated: false,
  };
  const CLIP = `https://assets.example/users/${USER}/generated/${ASSET}/generated_video.mp4`;
  const clipOf = (events: readonly GenerationEvent[]) => events.find((event) => event.type === "video");

  test("progress, id, file and still", () => {
    const events = film([stage(1), stop, stage(50), stage(100, files), ending, whole({ fileAttachments: [ASSET] })]);
    expect(tell(events).finish).toBe("stop");
    expect(events.filter(({ type }) => type === "upstream")).toEqual([{ type: "upstream", clipId: ASSET }]);
    expect(clipOf(events)).toEqual({
      type: "video",
      source: { url: CLIP, id: ASSET },
      thumbnail: { url: CLIP.replace("generated_video.mp4", "preview_image.jpg") },
      resolution: "480p",
    });
  });

  test("the frames of 2025, with spacers and without a post", () => {
    const older = { videoPostId: undefined, resolutionName: undefined, modelName: "imagine_w_1" };
    const spacer = nested({ token: "" });
    const events = film([
      stage(1, older),
      spacer,
      stage(66, older),
      spacer,
      stage(100, { ...older, ...files }),
      ending,
    ]);
    expect(clipOf(events)?.source.url).toBe(CLIP);
    expect(clipOf(events)?.resolution).toBe("480p");
  });

  test("without an address the attached asset is the clip, where its owner is known", () => {
    const objects = [stage(100), ending, whole({ fileAttachments: [ASSET] })];
    expect(clipOf(film(objects, { userId: USER }))?.source.url).toBe(CLIP);
    expect(tell(film(objects)).failure?.code).toBe("video_generation_failed");
  });

  test.each([
    ["at the end", [stage(100, { ...files, moderated: true }), ending]],
    ["early, although an address follows", [stage(5, { moderated: true }), stage(100, files), ending, whole({})]],
    ["with a reason", [stage(50, { rejectionReason: "MEDIA_REJECTION_REASON_SAFETY" }), stage(100, files), ending]],
  ])("moderated %s: no clip, no still", (_, objects) => {
    const events = film(objects);
    expect(clipOf(events)).toBeUndefined();
    expect(JSON.stringify(events)).not.toContain("preview_image");
    expect(tell(events).failure?.code).toBe("content_policy_violation");
  });

  test("a page is no clip", () => {
    const events = film([stage(100, { videoUrl: "https://grok.com/imagine/post/1" }), ending]);
    expect(tell(events).failure?.code).toBe("video_generation_failed");
  });

  test("a broken stream is a cut, and a limit keeps its name", () => {
    expect(tell(film([stage(50)])).failure?.code).toBe("upstream_cut");
    const frames = createClipFrames({ ...options, resolution: "480p" });
    frames.fail(new GatewayError("upstream_timeout", "The limit video.stream_timeout (90 s) fired."));
    frames.end();
    expect(tell(frames.take()).failure?.message).toContain("video.stream_timeout");
  });
});
