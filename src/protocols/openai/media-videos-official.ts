// Clips in the shape of xAI's own API: what a call asks for, and what a poll tells. Pure; a job is the same whichever shape asked
// for it. Invariant: a field that changes the clip is served or refused by name; one that nobody knows is refused too.
import type { ClipRequest } from "../../core/media-request.ts";
import { given, refuse } from "./field.ts";
import { clipRatio, clipResolution, clipSeconds } from "./media-clips.ts";
import { formBoolean, type MediaBody, parseModel, parsePrompt, parseReferences } from "./media-fields.ts";
import { VIDEO_MODEL, type VideosRequest } from "./media-videos.ts";
import type { ShownVideo } from "./media-videos-response.ts";

const DEFAULT_SECONDS = 8;
const DEFAULT_RATIO = "16:9";
const DEFAULT_RESOLUTION = "480p";
const MOST_REFERENCES = 7;

const SERVED = [
  ...["model", "prompt", "duration", "seconds", "aspect_ratio", "resolution", "image", "reference_images"],
  "generate_audio",
];
const WITHOUT_EFFECT = ["user"];
/** What the official API has and this gateway has not. */
const LACKING = ["reference_audios", "storage_options", "output"];

export const parseOfficialVideo = (body: MediaBody): VideosRequest => {
  const { fields } = body;
  for (const name of Object.keys(fields)) checkName(name);
  const sound = { code: "invalid_value", param: "generate_audio" } as const;
  const silent = !formBoolean(given(fields, "generate_audio") ?? true, sound);
  const ratio = clipRatio(given(fields, "aspect_ratio") ?? DEFAULT_RATIO, "aspect_ratio");
  const lengthField = given(fields, "duration") === undefined ? "seconds" : "duration";
  const request: ClipRequest = {
    model: parseModel(fields, VIDEO_MODEL),
    prompt: parsePrompt(fields),
    ratio,
    seconds: clipSeconds(given(fields, lengthField) ?? DEFAULT_SECONDS, lengthField),
    resolution: clipResolution(given(fields, "resolution") ?? DEFAULT_RESOLUTION, "resolution"),
    preset: "custom",
    ...referencesOf(body),
    ...(silent ? { silent } : {}),
    stated: {
      ...(given(fields, "aspect_ratio") === undefined ? {} : { ratio: "aspect_ratio" }),
      ...{ seconds: lengthField, resolution: "resolution", sound: "generate_audio" },
    },
    stream: false,
  };
  return { request, size: ratio, quality: "standard" };
};

const checkName = (name: string): void => {
  const plain = name.replace(/\[.*$/, "");
  if (SERVED.includes(plain) || WITHOUT_EFFECT.includes(plain)) return;
  const why = LACKING.includes(plain) ? `'${plain}' is not supported here.` : `Unknown parameter: '${plain}'.`;
  refuse({ code: "unsupported_parameter", param: plain }, why);
};

const referencesOf = (body: MediaBody): Pick<ClipRequest, "references" | "guides"> => {
  const first = parseReferences(body, { fields: ["image"] });
  const others = parseReferences(body, { fields: ["reference_images"] });
  if (first.length > 0 && others.length > 0) {
    const message = "'image' and 'reference_images' cannot be sent together.";
    return refuse({ code: "invalid_value", param: "reference_images" }, message);
  }
  if (first.length > 1) refuse({ code: "invalid_image_count", param: "image" }, "'image' is one picture.");
  if (others.length > MOST_REFERENCES) {
    const message = `Too many reference images: ${others.length}. Maximum allowed is ${MOST_REFERENCES}.`;
    refuse({ code: "invalid_image_count", param: "reference_images" }, message);
  }
  return { references: [...first, ...others], ...(others.length > 0 ? { guides: true } : {}) };
};

export interface OfficialAnswer {
  readonly status: number;
  readonly body: object;
}

/** `link` is where the finished clip lies. */
export const officialVideo = (job: ShownVideo, link: string | null): OfficialAnswer => {
  const { model, progress } = job;
  const video = (url: string, isClean: boolean) => ({ url, duration: job.seconds, respect_moderation: isClean });
  const usage = job.costTicks === null ? {} : { usage: { cost_in_usd_ticks: job.costTicks } };
  if (job.error?.code === "content_policy_violation") {
    return { status: 200, body: { status: "done", model, progress: 100, video: video("", false), ...usage } };
  }
  if (job.status === "failed") {
    const message = job.error?.message ?? "The clip could not be made.";
    return { status: 200, body: { status: "failed", model, error: { code: "service_unavailable", message } } };
  }
  if (job.status === "completed") {
    return { status: 200, body: { status: "done", model, progress: 100, video: video(link ?? "", true), ...usage } };
  }
  return { status: 202, body: { status: "pending", model, progress: Math.min(99, progress) } };
};
