// The video jobs: generations, edits, extensions, and the poll that tells how far one is.
// Knows no picture call. Invariant: a job is known to its own team alone, and its result never changes.
import { randomUuid } from "../chance.ts";
import { fieldsOf, textOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import type { Words } from "../scenarios.ts";
import { padVideo, stillVideo } from "../video-file.ts";
import { answered, generationHeaders, refusedGeneration } from "./call.ts";
import type { XaiCall } from "./call.ts";
import { checkSource } from "./images.ts";
import { findModel, VIDEO_MODELS } from "./models.ts";
import type { VideoModel } from "./models.ts";
import { publish } from "./public-files.ts";
import { badArgument, badShape, modelMissing, notFound } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";
import { readXaiWords } from "./words.ts";

const RATIOS = "1:1 16:9 9:16 4:3 3:4 3:2 2:3".split(" ");
const RESOLUTIONS = ["480p", "720p", "1080p"];
const BASE = "grok-imagine-video";
const SECOND_OF_INPUT_TICKS = 100_000_000;
/** What an input clip is taken to last: nothing is fetched. */
const INPUT_SECONDS = 5;

interface Wish {
  model: VideoModel;
  prompt: string;
  seconds: number;
  resolution: string;
  /** Ticks for what was handed in. */
  inputTicks: number;
}

export function generateVideo(call: XaiCall): Response | XaiRefusal {
  return start(call, (body, model) => {
    const references = listOf(body["reference_images"]);
    const image = body["image"];
    const seconds = Number(body["duration"] ?? body["seconds"] ?? 8);
    const resolution = textOf(body["resolution"]) || "480p";
    const fault =
      checkGeneration(body, { model, seconds, resolution, references: references.length }) ??
      [...references, ...(image === undefined ? [] : [fieldsOf(image)])]
        .map((source) => checkSource(call, source))
        .find((found) => found !== undefined);
    if (fault !== undefined) return fault;
    const inputs = references.length + (image === undefined ? 0 : 1);
    return { model, prompt: textOf(body["prompt"]), seconds, resolution, inputTicks: inputs * model.inputPrice };
  });
}

export function editVideo(call: XaiCall): Response | XaiRefusal {
  return start(call, (body, model) => {
    const extra = ["duration", "aspect_ratio", "resolution"].find((name) => body[name] !== undefined);
    if (extra !== undefined) return badArgument(`Argument not supported: ${extra}`);
    const seconds = INPUT_SECONDS;
    return checkClip(call, body, model) ?? { ...clipWish(body, model), seconds };
  });
}

export function extendVideo(call: XaiCall): Response | XaiRefusal {
  return start(call, (body, model) => {
    const seconds = Number(body["duration"] ?? 6);
    if (!(seconds >= 2 && seconds <= 10)) return badArgument("Duration must be between 2 and 10 seconds.");
    return checkClip(call, body, model) ?? { ...clipWish(body, model), seconds };
  });
}

function clipWish(body: Fields, model: VideoModel): Omit<Wish, "seconds"> {
  const inputTicks = INPUT_SECONDS * SECOND_OF_INPUT_TICKS;
  return { model, prompt: textOf(body["prompt"]), resolution: "480p", inputTicks };
}

function checkClip(call: XaiCall, body: Fields, model: VideoModel): XaiRefusal | undefined {
  if (model.id !== BASE) return badArgument(`Model ${model.id} does not support this operation.`);
  if (textOf(body["prompt"]) === "") return badShape("missing field `prompt`");
  if (body["video"] === undefined) return badShape("missing field `video`");
  const clip = fieldsOf(body["video"]);
  // Clips are named by address, or by file as pictures are.
  return textOf(clip["url"]) === "" ? checkSource(call, clip) : undefined;
}

interface GenerationFacts {
  model: VideoModel;
  seconds: number;
  resolution: string;
  references: number;
}

function checkGeneration(body: Fields, facts: GenerationFacts): XaiRefusal | undefined {
  const { model, seconds, resolution, references } = facts;
  const hasImage = body["image"] !== undefined;
  const voices = listOf(body["reference_audios"]).length;
  if (hasImage && (references > 0 || voices > 0))
    return badArgument("`image` cannot be combined with reference inputs.");
  if (textOf(body["prompt"]) === "" && !hasImage) return badShape("missing field `prompt`");
  if (references > 7) return badArgument(`Too many reference images: ${references}. Maximum allowed is 7.`);
  if (voices > 3 || (voices > 0 && !model.id.includes("1.5")))
    return badArgument("reference_audios are not supported here.");
  if (!(seconds >= 1 && seconds <= 15)) return badArgument("Duration must be between 1 and 15 seconds.");
  if (references > 0 && model.id === BASE && seconds > 10)
    return badArgument(`Duration ${seconds}s exceeds the maximum allowed for reference-to-video, which is 10s.`);
  const ratio = textOf(body["aspect_ratio"]);
  if (ratio !== "" && !RATIOS.includes(ratio)) return badArgument(`Invalid aspect ratio: ${ratio}`);
  if (!RESOLUTIONS.includes(resolution)) return badArgument(`Invalid resolution: ${resolution}`);
  if (model.prices[resolution] === undefined || (references > 0 && resolution === "1080p"))
    return badArgument(`Resolution ${resolution} is not supported for this request.`);
  return undefined;
}

function start(call: XaiCall, read: (body: Fields, model: VideoModel) => Wish | XaiRefusal): Response | XaiRefusal {
  const { world, key } = call;
  const body = fieldsOf(call.body);
  if (textOf(body["model"]) === "") return badShape("missing field `model`");
  const model = findModel(VIDEO_MODELS, textOf(body["model"]));
  if (model === undefined || key.kind === "small") return modelMissing(key, textOf(body["model"]));
  const wish = read(body, model);
  if ("status" in wish) return wish;
  const words = readXaiWords(wish.prompt, key.scenario);
  const refusal = refusedGeneration(call, words, model.id);
  if (refusal !== undefined) return refusal;
  const id = randomUuid();
  world.xai.videos.set(id, {
    teamId: key.team.id,
    polls: words.has("polls") ? words.number("polls") : 2,
    pendingBody: words.has("polls-json"),
    result: words.has("video-hang") ? undefined : resultOf(call, wish, words),
  });
  return answered({ request_id: id }, { headers: generationHeaders(key) });
}

function resultOf({ world }: XaiCall, wish: Wish, words: Words): Fields {
  const { model, seconds } = wish;
  if (words.has("video-failed")) {
    return { status: "failed", error: { code: "invalid_argument", message: "The video could not be generated." } };
  }
  if (words.has("video-expired")) return { status: "expired" };
  const ticks = (model.prices[wish.resolution] ?? 0) * seconds + wish.inputTicks;
  const head = { status: "done", progress: 100, model: model.id, usage: { cost_in_usd_ticks: ticks } };
  if (words.has("video-moderated"))
    return { ...head, video: { url: "", duration: seconds, respect_moderation: false } };
  const megabytes = words.has("file-size") ? words.number("file-size") : 0;
  const url = publish(world, {
    mimeType: "video/mp4",
    refused: words.has("asset-refused"),
    bytes: () => padVideo(stillVideo({ seed: wish.prompt, seconds }), megabytes),
  });
  return { ...head, video: { url, duration: seconds, respect_moderation: true } };
}

/** Pending has status 202 and no body at all; some answers of that time carry status and progress. */
export function pollVideo({ world, key, params }: XaiCall): Response | XaiRefusal {
  const id = params["id"] ?? "";
  const job = world.xai.videos.get(id);
  if (job === undefined || job.teamId !== key.team.id) return notFound(`Video request ${id} not found.`);
  if (job.result !== undefined && job.polls-- <= 0) return answered(job.result);
  if (!job.pendingBody) return new Response(null, { status: 202 });
  return answered({ status: "pending", progress: 50 }, { status: 202 });
}

function listOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}
