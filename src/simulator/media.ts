// Picture edits and videos asked for through the chat route, and the small media calls around them.
// Decides who pays from which counter; the frames are media-frames.ts. Invariant: a refused job is not charged.
import { answerStream } from "./answer-stream.ts";
import type { Beat } from "./answer-stream.ts";
import { spend } from "./accounts.ts";
import type { Account, Counter, ImagineCounterName } from "./accounts.ts";
import { randomUuid, timestamp } from "./chance.ts";
import { createFraming } from "./framing.ts";
import { editBeats, videoBeats } from "./media-frames.ts";
import type { MediaJob } from "./media-frames.ts";
import { finishedJpeg, newGeneratedPicture } from "./pictures.ts";
import { invalid, notFound, onGeneration, refusalByWord, toResponse, tooManyRequests } from "./refusals.ts";
import { readWords } from "./scenarios.ts";
import type { Words } from "./scenarios.ts";
import { padVideo, stillVideo } from "./video-file.ts";
import { jsonResponse, keepAsset } from "./world.ts";
import { fieldsOf, textOf, textsOf } from "./fields.ts";
import type { Call } from "./world.ts";
import type { Fields } from "./fields.ts";

/** The answer of a media call that came over the chat route; undefined for an ordinary chat. */
export function mediaAnswer(call: Call, body: Fields): Response | undefined {
  const input = fieldsOf(body["mediaGenInput"]);
  if (body["mediaGenInput"] !== undefined && !call.world.options.mediaInputs) {
    return toResponse(invalid("Unknown field mediaGenInput"));
  }
  const modelMap = fieldsOf(fieldsOf(fieldsOf(body["responseMetadata"])["modelConfigOverride"])["modelMap"]);
  const newVideo = input["textToVideo"] ?? input["imageToVideo"];
  if (newVideo !== undefined) return video(call, { body, config: fieldsOf(newVideo), legacy: false });
  if (modelMap["videoGenModelConfig"] !== undefined || fieldsOf(body["toolOverrides"])["videoGen"] === true) {
    return video(call, { body, config: fieldsOf(modelMap["videoGenModelConfig"]), legacy: true });
  }
  if (input["imageToImage"] !== undefined || body["modelName"] === "imagine-image-edit") {
    return edit(call, body, input["imageToImage"] === undefined ? modelMap : fieldsOf(input["imageToImage"]));
  }
  return undefined;
}

const VIDEO_SIZES: Record<string, [number, number]> = {
  "1:1": [560, 560],
  "2:3": [448, 672],
  "3:2": [672, 448],
  "9:16": [400, 736],
  "16:9": [736, 400],
};

function video(call: Call, ask: { body: Fields; config: Fields; legacy: boolean }): Response {
  const { account } = call;
  const { body, config, legacy } = ask;
  const resolutionName = textOf(config["resolutionName"]) || "480p";
  const seconds = Number(config["duration"] ?? config["videoLength"] ?? 6);
  const message = textOf(body["message"]);
  const prompt = textOf(config["prompt"]) || message.replace(/\s*--mode=[\w-]+\s*$/, "").replace(/^https?:\S+\s+/, "");
  const refusal =
    checkVideo(config, seconds) ?? refuseMedia(call, { counter: videoCounter(resolutionName), words: message });
  if (refusal !== undefined) return refusal;
  const references = [...textsOf(config["inputAssets"]), ...textsOf(body["fileAttachments"])];
  if (!knowsAssets(account, references)) return toResponse(notFound("Asset"));
  const [width, height] = VIDEO_SIZES[textOf(config["aspectRatio"])] ?? [560, 560];
  const scale = resolutionName === "720p" ? 1.75 : 1;
  const job = mediaJob(call, {
    message,
    prompt,
    references,
    width: Math.round(width * scale),
    height: Math.round(height * scale),
    input: body["mediaGenInput"],
  });
  const mode = textOf(config["mode"]) || (/--mode=([\w-]+)/.exec(message)?.[1] ?? "custom");
  const save = (id: string): { video: string; thumbnail: string } =>
    saveVideo(account, { id, prompt, seconds, extra: fieldsOf(body["mediaGenInput"]), words: job.words });
  return play(call, job, videoBeats({ ...job, mode, resolutionName, legacy, save }));
}

function checkVideo(config: Fields, seconds: number): Response | undefined {
  if (seconds < 1 || seconds > 15) return toResponse(invalid("duration out of range"));
  const ratio = textOf(config["aspectRatio"]);
  if (ratio !== "" && VIDEO_SIZES[ratio] === undefined) return toResponse(invalid("aspectRatio not supported"));
  return undefined;
}

/** 480p is not gated for accounts without that counter (observed 2026-08). */
function videoCounter(resolutionName: string): ImagineCounterName {
  return resolutionName === "720p" ? "video720p" : "video";
}

function edit(call: Call, body: Fields, input: Fields): Response {
  const { account } = call;
  const message = textOf(body["message"]);
  const prompt = textOf(input["prompt"]) || message;
  const legacy = input["inputAssets"] === undefined;
  const config = fieldsOf(input["imageEditModelConfig"]);
  const references = legacy ? assetsInUrls(textsOf(config["imageReferences"])) : textsOf(input["inputAssets"]);
  // A limit of the older call has not been seen.
  const most = legacy ? 16 : 8;
  if (references.length === 0 || references.length > most) {
    return toResponse(invalid(`1 to ${most} input assets are needed`));
  }
  const refusal = refuseMedia(call, { counter: "imageEdit", words: message });
  if (refusal !== undefined) return refusal;
  if (!knowsAssets(account, references)) return toResponse(notFound("Asset"));
  const job = mediaJob(call, { message, prompt, references, width: 832, height: 1248, input: body["mediaGenInput"] });
  const save = (id: string): string => {
    const picture = newGeneratedPicture({ id, owner: account.uuid, seed: prompt });
    return keepAsset(account, { ...picture, refusals: refusalsOf(job.words) }).key;
  };
  const count = legacy ? Number(body["imageGenerationCount"] ?? 2) : 1;
  return play(call, job, editBeats({ ...job, count, save }));
}

function refuseMedia(call: Call, ask: { counter: ImagineCounterName; words: string }): Response | undefined {
  const { account } = call;
  const verdict = onGeneration(account) ?? refusalByWord(readWords(ask.words, account.scenario));
  if (verdict !== undefined) return toResponse(verdict);
  // No counter means "not counted", as the real null does.
  const counter: Counter | undefined = account.imagine[ask.counter];
  return counter === undefined || spend(counter) ? undefined : toResponse(tooManyRequests());
}

function mediaJob(
  { world, account }: Call,
  facts: { message: string; prompt: string; references: string[]; width: number; height: number; input: unknown },
): MediaJob {
  return {
    ...facts,
    mode: "custom",
    owner: account.uuid,
    origin: world.origin,
    words: readWords(facts.message, account.scenario),
    delayMs: world.options.mediaDelayMs,
    mediaGenInput: facts.input,
  };
}

function play(call: Call, job: MediaJob, beats: Generator<Beat>): Response {
  const open = call.world.journal.open(call.entry, "rest");
  return answerStream({ beats, framing: createFraming(job.words), call: open, signal: call.request.signal });
}

function knowsAssets(account: Account, ids: string[]): boolean {
  return ids.every((id) => account.assets.has(id));
}

function assetsInUrls(urls: string[]): string[] {
  return urls.map((url) => /([0-9a-f]{8}-[0-9a-f-]{27})\/(?:content|image\.jpg)/.exec(url)?.[1] ?? url);
}

/** How often a new file is refused before it can be had. */
function refusalsOf(words: Words): number {
  if (words.has("asset-refused")) return Number.POSITIVE_INFINITY;
  return words.has("asset-late") ? 2 : 0;
}

function saveVideo(
  account: Account,
  facts: { id: string; prompt: string; seconds: number; extra: Fields; words: Words },
): { video: string; thumbnail: string } {
  const folder = `users/${account.uuid}/generated/${facts.id}`;
  const megabytes = facts.words.has("file-size") ? facts.words.number("file-size") : 0;
  const file = (): Uint8Array => padVideo(stillVideo({ seed: facts.prompt, seconds: facts.seconds }), megabytes);
  const source = "IMAGINE_GENERATED_FILE_SOURCE";
  const common = { fileSource: source, generated: true };
  const preview = {
    id: `${facts.id}-preview`,
    name: "preview_image.jpg",
    mimeType: "image/jpeg",
    key: `${folder}/preview_image.jpg`,
  };
  const bytes = (): Promise<Uint8Array> => finishedJpeg({ seed: facts.prompt, width: 448, height: 672 });
  keepAsset(account, { ...preview, ...common, sizeBytes: 84_000, bytes, extra: {} });
  const clip = {
    id: facts.id,
    name: "generated_video.mp4",
    mimeType: "video/mp4",
    key: `${folder}/generated_video.mp4`,
  };
  keepAsset(account, {
    ...clip,
    ...common,
    sizeBytes: file().length,
    bytes: file,
    refusals: refusalsOf(facts.words),
    extra: { mediaGenInput: facts.extra },
  });
  return { video: clip.key, thumbnail: preview.key };
}

export function createPost({ account, body }: Call): Response {
  const fields = fieldsOf(body);
  const mediaType = textOf(fields["mediaType"]);
  if (!/^MEDIA_POST_TYPE_(IMAGE|VIDEO|TEMPLATE)$/.test(mediaType)) return toResponse(invalid("mediaType"));
  const prompt = textOf(fields["prompt"]);
  const post = {
    id: randomUuid(),
    userId: account.uuid,
    createTime: timestamp(),
    prompt,
    originalPrompt: prompt,
    mediaType,
    mediaUrl: textOf(fields["mediaUrl"]),
    moderated: false,
    rRated: false,
    images: [],
    videos: [],
    childPosts: [],
    availableActions: [],
  };
  return jsonResponse({ post });
}

export function createPostLink({ body, world }: Call): Response {
  const id = textOf(fieldsOf(body)["postId"]);
  if (id === "") return toResponse(invalid("postId"));
  return jsonResponse({ shareLink: `${world.origin}/imagine/post/${id}` });
}

export function upscaleVideo({ account, body, world }: Call): Response {
  const asset = account.assets.get(textOf(fieldsOf(body)["videoId"]));
  if (asset === undefined) return toResponse(notFound("Video"));
  return jsonResponse({ hdMediaUrl: `${world.origin}/${asset.key}` });
}
