// The request half of the video endpoints: what a job is to make, from a form or a JSON object. Whether the model or the job that
// is carried on exists is not known here. Invariant: a field that changes the clip is served or refused, never ignored.
import { GatewayError } from "../../core/errors.ts";
import { CLIP_SIZES, type ClipRequest, PLAIN_RATIOS, SIZE_RATIOS } from "../../core/media-request.ts";
import type { Resolution } from "../../core/media-wishes.ts";
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

export interface ExtensionRequest extends Omit<VideosRequest, "request"> {
  readonly request: Omit<ClipRequest, "ratio" | "resolution"> & Partial<Pick<ClipRequest, "ratio" | "resolution">>;
  /** Id of the job that is carried on. */
  readonly job: string;
  readonly startSeconds?: number;
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
      stream: false,
      ...(ratio === null ? {} : { ratio }),
      ...(resolution === null ? {} : { resolution }),
    },
    size,
    quality: "standard",
    job: jobOf(body),
    ...(startSeconds === null ? {} : { startSeconds }),
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
  const ratio = first(fields, ["aspect_ratio", "ratio"]);
  const text = typeof size?.value === "string" ? size.value.trim().toLowerCase() : "";
  if (size && !PLAIN_RATIOS.includes(text) && !CLIP_SIZES.includes(text)) {
    const all = [...CLIP_SIZES, ...PLAIN_RATIOS].join(", ");
    return refuse({ code: "invalid_size", param: "size" }, `'size' must be one of: ${all}.`);
  }
  const bySize = size === null ? null : (SIZE_RATIOS[text] ?? text);
  return { size: size === null ? DEFAULT_SIZE : text, ratio: ratio ? clipRatio(ratio.value, ratio.param) : bySize };
};

const secondsOf = (fields: JsonObject): number | null => {
  const found = first(fields, ["seconds", "video_length", "length", "duration"]);
  return found && clipSeconds(found.value, found.param);
};

/** The quality is OpenAI's word for it, the others are the upstream's. */
const resolutionOf = (fields: JsonObject): Resolution | null => {
  const found = first(fields, ["resolution_name", "resolution", "quality"]);
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

const jobOf = ({ fields, files }: MediaBody): string => {
  if (files.some(({ field }) => field === "video")) {
    const message = "Only videos that were made here can be carried on; send the id of one.";
    throw new GatewayError("unsupported_parameter", message, { param: "video" });
  }
  const video = given(fields, "video");
  const id = isObject(video) ? video["id"] : (video ?? first(fields, ["video[id]", "video_id", "reference_id"])?.value);
  if (typeof id === "string" && id.trim() !== "") return id.trim();
  return refuse({ code: "missing_required_parameter", param: "video" }, "Missing required parameter: 'video'.");
};
