// The request half of the video endpoints: what a job is to make, from a form or a JSON object. Whether the model or the job that
// is carried on exists is not known here. Invariant: a field that changes the clip is served or refused, never ignored.
import { GatewayError } from "../../core/errors.ts";
import { CLIP_SIZES, type ClipRequest, PLAIN_RATIOS, SIZE_RATIOS } from "../../core/media-request.ts";
import type { ClipFields, Resolution } from "../../core/media-wishes.ts";
import type { ReceivedFile } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { given, refuse } from "./field.ts";
import { clipPreset, clipRatio, clipResolution, clipSeconds } from "./media-clips.ts";
import { type MediaBody, parseModel, parsePrompt, parseReferences } from "./media-fields.ts";

export interface VideosRequest {
  readonly request: ClipRequest;
  /** As asked for; answers echo both. */
  readonly size: string;
  readonly quality: string;
}

/** The clip that a request is about: a job of ours, an address, or a file that came along. */
export type VideoRef =
  { readonly job: string } | { readonly url: string } | { readonly file: Pick<ReceivedFile, "content" | "keep"> };

export interface ExtensionRequest extends Omit<VideosRequest, "request"> {
  readonly request: Omit<ClipRequest, "ratio" | "resolution"> & Partial<Pick<ClipRequest, "ratio" | "resolution">>;
  readonly video: Exclude<VideoRef, { readonly file: unknown }>;
  readonly startSeconds?: number;
  /** The caller speaks as xAI's own API does, and is answered so. */
  readonly shape?: "official";
}

export interface EditRequest extends Pick<ExtensionRequest, "size" | "quality" | "shape"> {
  readonly request: Omit<ClipRequest, "ratio" | "resolution" | "seconds">;
  readonly video: VideoRef;
}

export const VIDEO_MODEL = "grok-imagine-1.0-video";
const DEFAULT_SECONDS = 6;
const DEFAULT_SIZE = "720x1280";
/** What a clip is filmed in for the size that nobody chose. */
const DEFAULT_RATIO = "9:16";
const REFERENCE_FIELDS = ["input_reference", "image_reference", "image"];

export const parseVideo = (body: MediaBody): VideosRequest => {
  const { fields } = body;
  const quality = given(fields, "quality") ?? "standard";
  const { size, ratio } = sizeOf(fields);
  return {
    request: {
      model: parseModel(fields, VIDEO_MODEL),
      prompt: parsePrompt(fields),
      ratio: ratio ?? DEFAULT_RATIO,
      seconds: secondsOf(fields) ?? DEFAULT_SECONDS,
      resolution: resolutionOf(fields) ?? "480p",
      preset: presetOf(fields),
      references: parseReferences(body, { fields: REFERENCE_FIELDS }),
      stated: statedIn(fields),
      stream: false,
    },
    size,
    quality: typeof quality === "string" ? quality : "standard",
  };
};

/** Also in the older shape: `reference_id`, `start_time`, `length`, `ratio`. */
export const parseExtension = (body: MediaBody): ExtensionRequest => {
  const { fields } = body;
  const { size, ratio } = sizeOf(fields);
  const resolution = resolutionOf(fields);
  const startSeconds = startOf(fields);
  return {
    request: {
      model: parseModel(fields, VIDEO_MODEL),
      prompt: parsePrompt(fields),
      seconds: secondsOf(fields) ?? DEFAULT_SECONDS,
      preset: presetOf(fields),
      references: [],
      stated: statedIn(fields),
      stream: false,
      ...(ratio === null ? {} : { ratio }),
      ...(resolution === null ? {} : { resolution }),
    },
    size,
    quality: "standard",
    ...clipIn(body),
    ...(startSeconds === null ? {} : { startSeconds }),
  };
};

/** Known before the rest is looked at. */
export const clipModel = ({ fields }: Pick<MediaBody, "fields">): string => parseModel(fields, VIDEO_MODEL);

/** What would change the shape of a clip has no place in an edit. */
const NOT_IN_EDITS = ["size", "aspect_ratio", "ratio", "resolution_name", "resolution", "quality"];

export const parseVideoEdit = (body: MediaBody): EditRequest => {
  const { fields, files } = body;
  const surplus = first(fields, [...NOT_IN_EDITS, ...SECONDS_FIELDS]);
  if (surplus) {
    const message = `An edited clip keeps its shape and length; leave '${surplus.param}' out.`;
    refuse({ code: "unsupported_parameter", param: surplus.param }, message);
  }
  const sent = files.find(({ field }) => field === "video");
  return {
    request: {
      model: parseModel(fields, VIDEO_MODEL),
      prompt: parsePrompt(fields),
      preset: "custom",
      references: [],
      stream: false,
    },
    ...{ size: DEFAULT_SIZE, quality: "standard" },
    ...(sent ? { video: { file: sent.file } } : clipIn(body)),
  };
};

/** The first of these fields that is there. */
const first = (fields: JsonObject, names: readonly string[]): { value: unknown; param: string } | null => {
  const param = names.find((name) => given(fields, name) !== undefined && given(fields, name) !== "");
  return param === undefined ? null : { value: given(fields, param), param };
};

/** An explicit ratio wins over the size. */
const sizeOf = (fields: JsonObject): { size: string; ratio: string | null } => {
  const size = first(fields, ["size"]);
  const ratio = first(fields, RATIO_FIELDS);
  const text = typeof size?.value === "string" ? size.value.trim().toLowerCase() : "";
  if (size && !PLAIN_RATIOS.includes(text) && !CLIP_SIZES.includes(text)) {
    const all = [...CLIP_SIZES, ...PLAIN_RATIOS].join(", ");
    return refuse({ code: "invalid_size", param: "size" }, `'size' must be one of: ${all}.`);
  }
  const bySize = size === null ? null : (SIZE_RATIOS[text] ?? text);
  return { size: size === null ? DEFAULT_SIZE : text, ratio: ratio ? clipRatio(ratio.value, ratio.param) : bySize };
};

const RATIO_FIELDS = ["aspect_ratio", "ratio"];
const SECONDS_FIELDS = ["seconds", "video_length", "length", "duration"];
const RESOLUTION_FIELDS = ["resolution_name", "resolution", "quality"];

const statedIn = (fields: JsonObject): ClipFields => {
  const ratio = first(fields, [...RATIO_FIELDS, "size"])?.param;
  const seconds = first(fields, SECONDS_FIELDS)?.param;
  const resolution = first(fields, RESOLUTION_FIELDS)?.param;
  return {
    ...(ratio === undefined ? {} : { ratio }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(resolution === undefined ? {} : { resolution }),
  };
};

const secondsOf = (fields: JsonObject): number | null => {
  const found = first(fields, SECONDS_FIELDS);
  return found && clipSeconds(found.value, found.param);
};

/** The quality is OpenAI's word for it, the others are the upstream's. */
const resolutionOf = (fields: JsonObject): Resolution | null => {
  const found = first(fields, RESOLUTION_FIELDS);
  return found && clipResolution(found.value, found.param);
};

const presetOf = (fields: JsonObject) => {
  const found = first(fields, ["preset"]);
  return found ? clipPreset(found.value, found.param) : "custom";
};

const startOf = (fields: JsonObject): number | null => {
  const found = first(fields, ["start_time"]);
  if (!found) return null;
  const number = typeof found.value === "string" ? Number(found.value) : found.value;
  if (typeof number === "number" && Number.isFinite(number) && number >= 0 && number <= 3600) return number;
  return refuse({ code: "invalid_value", param: "start_time" }, "'start_time' must be a number of seconds.");
};

const clipIn = ({ fields, files }: MediaBody): Pick<ExtensionRequest, "video" | "shape"> => {
  if (files.some(({ field }) => field === "video")) {
    const message = "Only videos that were made here can be carried on; send the id of one.";
    throw new GatewayError("unsupported_parameter", message, { param: "video" });
  }
  const video = given(fields, "video");
  // An address instead of an id is how xAI's own API names a clip.
  const url = isObject(video) ? given(video, "url") : undefined;
  if (typeof url === "string" && /^https?:\/\//i.test(url)) return { video: { url }, shape: "official" };
  if (url !== undefined) {
    return refuse({ code: "invalid_media", param: "video.url" }, "'video.url' must be an http(s) address.");
  }
  if (isObject(video) && given(video, "file_id") !== undefined) {
    const message = "Clips cannot be referred to by the id of a file; send the id of a job or an address.";
    return refuse({ code: "unsupported_parameter", param: "video.file_id" }, message);
  }
  const id = isObject(video) ? video["id"] : (video ?? first(fields, ["video[id]", "video_id", "reference_id"])?.value);
  if (typeof id === "string" && id.trim() !== "") return { video: { job: id.trim() } };
  return refuse({ code: "missing_required_parameter", param: "video" }, "Missing required parameter: 'video'.");
};
