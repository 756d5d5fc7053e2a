// Reads the frames in which edited pictures and clips come: the same stream of objects as a chat's, old and new shapes alike
// (2025-09…2026-09). Pure; what to ask is edits.ts's and clips.ts's. Invariant: nothing of a picture or clip is told before
// its finished frame has come unmoderated; `moderated` anywhere withholds it, even if an address follows.
import { GatewayError } from "../../core/errors.ts";
import type { GenerationEvent, MediaSource } from "../../core/events.ts";
import { arrayAt, isObject, numberAt, objectAt, stringAt, type JsonObject } from "../../lib/json.ts";
import { classifyFrame, classifyResponse } from "./failures.ts";

export interface MediaFrames {
  /** Takes one parsed object of the stream. */
  accept(root: unknown): void;
  /** The stream's end. */
  end(): void;
  fail(error: GatewayError): void;
  take(): GenerationEvent[];
  readonly over: boolean;
}

export interface MediaFramesOptions {
  readonly start: { readonly id: string; readonly model: string; readonly created: number };
  readonly assetsUrl: string;
  /** Which counter a refusal is about. */
  readonly window: string;
  /** The account's user id, where it is known. */
  readonly userId?: string;
}

/** What both kinds of answer have in common: errors, the end, and the addresses of files. */
const createOpenAnswer = (options: MediaFramesOptions) => {
  let out: GenerationEvent[] = [{ type: "start", ...options.start }];
  let over = false;
  let concluded = false;
  let userId = options.userId;
  const finish = (event: GenerationEvent) => {
    if (over) return;
    over = true;
    out.push(event);
  };
  return {
    get over() {
      return over;
    },
    emit: (event: GenerationEvent) => {
      if (!over) out.push(event);
    },
    finish,
    fail: (error: GatewayError) => finish({ type: "failure", error }),
    /** The end of a stream that told of nothing: broken off, or complete and empty. */
    failEmpty: (error: GatewayError) => {
      const cut = new GatewayError("upstream_cut", "The upstream's answer ended before it was complete.");
      finish({ type: "failure", error: concluded ? error : cut });
    },
    take: () => {
      const events = out;
      out = [];
      return events;
    },
    absolute: (url: string): string => {
      userId ??= /users\/([0-9a-f-]{36})\//.exec(url)?.[1];
      return /^https?:\/\//.test(url) ? url : `${options.assetsUrl}/${url.replace(/^\//, "")}`;
    },
    /** Where the site keeps what it has made; nothing as long as the owner is unknown. */
    generated: (id: string, file: string): string | undefined =>
      userId ? `${options.assetsUrl}/users/${userId}/generated/${id}/${file}` : undefined,
    /** The frame inside an object of the stream; undefined when the object was an error or nothing of interest. */
    frameOf: (root: unknown): JsonObject | undefined => {
      if (over || !isObject(root)) return undefined;
      const result = objectAt(root, "result");
      const frame = objectAt(result, "response") ?? result;
      const bare = result === undefined && stringAt(root, "message") !== undefined ? root : undefined;
      const error =
        classifyFrame(root["error"], options.window) ??
        classifyFrame(frame?.["error"], options.window) ??
        classifyFrame(bare, options.window) ??
        classifyResponse(objectAt(frame, "modelResponse") ?? {}, options.window);
      if (frame?.["isSoftStop"] === true || frame?.["modelResponse"] !== undefined) concluded = true;
      if (!error) return frame;
      finish({ type: "failure", error });
      return undefined;
    },
  };
};

const WITHHELD = "The upstream withheld the result on content grounds.";

export const createEditFrames = (
  options: MediaFramesOptions & { readonly count: number; readonly previews: number },
): MediaFrames => {
  const answer = createOpenAnswer(options);
  const previews = new Map<string, MediaSource[]>();
  const told = new Set<string>();
  let withheld = 0;
  let pictures = 0;

  const tell = (url: string, id?: string) => {
    if (url === "" || url.startsWith("prompt:") || told.has(answer.absolute(url)) || pictures >= options.count) return;
    told.add(answer.absolute(url));
    const index = pictures++;
    for (const source of options.previews > 0 ? (previews.get(id ?? "") ?? []).slice(-options.previews) : []) {
      answer.emit({ type: "image", index, source, partial: true });
    }
    answer.emit({
      type: "image",
      index,
      source: { url: answer.absolute(url), ...(id ? { id } : {}) },
      partial: false,
    });
  };
  const streaming = (picture: JsonObject) => {
    const id = stringAt(picture, "imageId") ?? stringAt(picture, "assetId") ?? "";
    const url = stringAt(picture, "imageUrl") ?? stringAt(picture, "url") ?? "";
    const progress = numberAt(picture, "progress") ?? 0;
    if (picture["moderated"] === true || stringAt(picture, "rejectionReason")?.startsWith("MEDIA_REJECTION")) {
      withheld++;
      previews.delete(id);
    } else if (progress >= 100 || picture["isFinal"] === true) tell(url, id);
    else {
      if (url !== "") previews.set(id, [...(previews.get(id) ?? []), { url: answer.absolute(url) }]);
      answer.emit({ type: "progress", value: progress / 100, note: "image" });
    }
  };
  const whole = (response: JsonObject) => {
    if (pictures > 0 || withheld > 0) return;
    for (const url of arrayAt(response, "generatedImageUrls")) if (typeof url === "string") tell(url);
    const [attached] = arrayAt(response, "fileAttachments");
    if (pictures === 0 && typeof attached === "string") tell(answer.generated(attached, "image.jpg") ?? "", attached);
  };

  return {
    get over() {
      return answer.over;
    },
    take: answer.take,
    fail: answer.fail,
    accept(root) {
      const frame = answer.frameOf(root);
      if (!frame) return;
      const picture = objectAt(frame, "streamingImageGenerationResponse");
      if (picture) streaming(picture);
      const response = objectAt(frame, "modelResponse");
      if (response) whole(response);
    },
    end() {
      if (pictures > 0) {
        return answer.finish({ type: "finish", reason: withheld > 0 ? "content-filter" : "stop", raw: null });
      }
      if (withheld > 0) return answer.fail(new GatewayError("content_policy_violation", WITHHELD));
      const message = "The upstream ended its answer without a picture.";
      answer.failEmpty(new GatewayError("image_generation_incomplete", message));
    },
  };
};

export const createClipFrames = (options: MediaFramesOptions & { readonly resolution: string }): MediaFrames => {
  const answer = createOpenAnswer(options);
  let clipId: string | undefined;
  let ready: MediaSource | undefined;
  let thumbnail: MediaSource | undefined;
  let withheld = false;
  let resolution = options.resolution;

  const streaming = (clip: JsonObject) => {
    const id = stringAt(clip, "videoId") ?? stringAt(clip, "videoPostId");
    if (id && !clipId) answer.emit({ type: "upstream", clipId: id });
    clipId = id ?? clipId;
    resolution = stringAt(clip, "resolutionName") ?? resolution;
    if (clip["moderated"] === true || stringAt(clip, "rejectionReason")?.startsWith("MEDIA_REJECTION")) withheld = true;
    const progress = numberAt(clip, "progress") ?? 0;
    const url = stringAt(clip, "videoUrl") ?? "";
    if (progress < 100) return answer.emit({ type: "progress", value: progress / 100, note: "video" });
    // Other addresses than these are pages or playlists (2026-08).
    if (/\.mp4(?:$|\?)|\/content/.test(url)) ready = sourceOf(url);
    const preview = stringAt(clip, "thumbnailImageUrl");
    if (preview) thumbnail = { url: answer.absolute(preview) };
  };
  const sourceOf = (url: string): MediaSource => ({ url: answer.absolute(url), ...(clipId ? { id: clipId } : {}) });
  const whole = (response: JsonObject) => {
    const [attached] = arrayAt(response, "fileAttachments");
    if (ready || typeof attached !== "string") return;
    clipId ??= attached;
    const url = answer.generated(attached, "generated_video.mp4");
    if (url) ready = { url, id: attached };
  };

  return {
    get over() {
      return answer.over;
    },
    take: answer.take,
    fail: answer.fail,
    accept(root) {
      const frame = answer.frameOf(root);
      if (!frame) return;
      const clip = objectAt(frame, "streamingVideoGenerationResponse");
      if (clip) streaming(clip);
      const response = objectAt(frame, "modelResponse");
      if (response) whole(response);
    },
    end() {
      if (withheld) return answer.fail(new GatewayError("content_policy_violation", WITHHELD));
      if (!ready) {
        const message = "The upstream ended its answer without an address for the clip.";
        return answer.failEmpty(new GatewayError("video_generation_failed", message));
      }
      answer.emit({ type: "video", source: ready, ...(thumbnail ? { thumbnail } : {}), resolution });
      answer.finish({ type: "finish", reason: "stop", raw: null });
    },
  };
};
