// The answer streams of picture edits and videos, old and new request shapes alike.
// Knows what the frames look like, not who may ask. Invariant: `assetId` and the addresses of a video appear
// only in its frame of 100 %.
import type { Beat } from "./answer-stream.ts";
import { randomUuid } from "./chance.ts";
import { describeConversation, faultObject, newConversation } from "./chat-frames.ts";
import { responseObject } from "./response-object.ts";
import type { Words } from "./scenarios.ts";
import { earlySteps } from "./script.ts";
import type { Fields } from "./fields.ts";

export interface MediaJob {
  message: string;
  prompt: string;
  mode: string;
  owner: string;
  origin: string;
  words: Words;
  delayMs: number;
  references: string[];
  width: number;
  height: number;
  /** Echoed by the upstream in the user's and the model's response objects. */
  mediaGenInput: unknown;
}

export interface VideoJob extends MediaJob {
  resolutionName: string;
  /** Frames carry empty tokens between them, as in 2025. */
  legacy: boolean;
  save(id: string): { video: string; thumbnail: string };
}

export interface EditJob extends MediaJob {
  count: number;
  save(id: string): string;
}

const VIDEO_STEPS = [1, 5, 16, 33, 50, 66, 94, 95, 100];

export function* videoBeats(job: VideoJob): Generator<Beat> {
  const responseId = randomUuid();
  const wrap = wrapper(responseId);
  if (yield* earlyEnd(job.words, wrap)) return;
  const parent = yield* opening(job, wrap);
  const id = randomUuid();
  const reference =
    job.references[0] === undefined ? "" : `${job.origin}/users/${job.owner}/${job.references[0]}/content`;
  const common = {
    audioUrls: [],
    videoPrompt: job.prompt,
    imageReference: reference,
    audioTranscripts: [],
    mode: job.mode,
    videoPostId: id,
    height: job.height,
    width: job.width,
    resolutionName: job.resolutionName,
    ...(job.legacy ? { modelName: "imagine_w_1" } : {}),
  };
  yield { send: wrap({ imageAttachmentInfo: { imageAttachmentCount: job.references.length } }) };
  for (const progress of VIDEO_STEPS) {
    if (job.delayMs > 0) yield { pauseMs: job.delayMs };
    if (job.legacy) yield { send: wrap({ token: "" }) };
    if (progress === 50) yield* middle(job.words);
    const moderated = progress === 100 && job.words.has("video-moderated");
    const file = progress === 100 && !moderated && !job.words.has("video-missing") ? job.save(id) : undefined;
    const done =
      file === undefined
        ? {}
        : {
            assetId: id,
            videoUrl: file.video,
            thumbnailImageUrl: file.thumbnail,
            rRated: false,
            isRootUserUploaded: false,
          };
    yield {
      send: wrap({ streamingVideoGenerationResponse: { videoId: id, progress, ...common, moderated, ...done } }),
    };
  }
  const attachments = job.words.has("video-moderated") || job.words.has("video-missing") ? [] : [id];
  yield* closing(job, {
    wrap,
    responseId,
    parent,
    text: "I generated a video with the prompt.",
    attachments,
    pictures: [],
  });
}

export function* editBeats(job: EditJob): Generator<Beat> {
  const responseId = randomUuid();
  const wrap = wrapper(responseId);
  if (yield* earlyEnd(job.words, wrap)) return;
  const parent = yield* opening(job, wrap);
  yield { send: wrap({ imageDimensions: { width: job.width, height: job.height } }) };
  const attachments: string[] = [];
  const pictures: string[] = [];
  for (let index = 0; index < job.count; index++) {
    const id = randomUuid();
    const moderated = job.words.has("image-moderated");
    const path = moderated ? "" : job.save(id);
    const common = {
      imageId: id,
      imageIndex: index,
      imageModel: "imagine-image-edit",
      rRated: false,
      sideBySideIndex: index,
    };
    for (const progress of [50, 100]) {
      if (job.delayMs > 0) yield { pauseMs: job.delayMs };
      const imageUrl = progress === 50 ? `users/${job.owner}/generated/${id}-part-0/image.jpg` : path;
      const done = progress === 100 ? { assetId: id, moderated } : { moderated: false };
      yield {
        send: wrap({
          streamingImageGenerationResponse: { ...common, imageUrl, seq: progress / 50 - 1, progress, ...done },
        }),
      };
      if (index === 0 && progress === 50) yield* middle(job.words);
      if (progress === 50 && job.words.has("image-missing")) break;
    }
    if (moderated || job.words.has("image-missing")) continue;
    attachments.push(id);
    pictures.push(path);
  }
  yield* closing(job, { wrap, responseId, parent, text: "I edited the image with the prompt.", attachments, pictures });
}

type Wrap = (frame: Fields) => object;

function wrapper(responseId: string): Wrap {
  return (frame) => ({
    result: { response: { ...frame, isThinking: false, isSoftStop: frame["isSoftStop"] ?? false, responseId } },
  });
}

/** The in-band failures that a chat knows too; true when the stream is over. */
function* earlyEnd(words: Words, wrap: Wrap): Generator<Beat, boolean> {
  const steps = earlySteps(words) ?? [];
  for (const step of steps) {
    if (step.do === "cut" || step.do === "hang") yield { stop: step.do };
    if (step.do === "fail") yield { send: { error: { code: step.code, message: step.message, details: [] } } };
    if (step.do === "fault") yield { send: wrap({ error: faultObject(step.fault) }) };
  }
  return steps.length > 0;
}

/** Gives the id of the user's response object. */
function* opening(job: MediaJob, wrap: Wrap): Generator<Beat, string> {
  const conversation = newConversation({ id: randomUuid(), kind: "CONVERSATION_KIND_IMAGINE", temporary: false });
  const userResponse = responseObject({
    responseId: randomUuid(),
    message: job.message,
    sender: "human",
    fileAttachments: job.references,
    model: "imagine-video-gen",
    mediaGenInput: job.mediaGenInput,
  });
  yield { send: { result: { conversation: describeConversation(conversation) } } };
  yield { send: wrap({ userResponse }) };
  for (const state of ["PENDING", "SUCCESS"]) {
    const category = "PROGRESS_REPORT_CATEGORY_ATTACHMENTS_PREPROCESSING";
    yield { send: wrap({ progressReport: { category, state: `PROGRESS_REPORT_STATUS_${state}` } }) };
  }
  yield { send: wrap({ queryAction: { query: "", type: "imagine" } }) };
  return userResponse.responseId;
}

function* middle(words: Words): Generator<Beat> {
  if (words.has("silence")) yield { pauseMs: words.number("silence") * 1000 };
  if (words.has("cut")) yield { stop: "cut" };
  if (words.has("hang-mid")) yield { stop: "hang" };
}

function* closing(
  job: MediaJob,
  result: { wrap: Wrap; responseId: string; parent: string; text: string; attachments: string[]; pictures: string[] },
): Generator<Beat> {
  const { wrap, text } = result;
  yield { send: wrap({ token: text, isSoftStop: true }) };
  const modelResponse = responseObject({
    responseId: result.responseId,
    parentResponseId: result.parent,
    message: text,
    sender: "assistant",
    queryType: "imagine",
    model: "imagine-video-gen",
    requestMetadata: { model: "imagine-video-gen", mode: "MODEL_MODE_UNKNOWN", effort: "UNKNOWN" },
    fileAttachments: result.attachments,
    generatedImageUrls: result.pictures,
    mediaGenInput: job.mediaGenInput,
  });
  yield { send: wrap({ modelResponse }) };
  yield { send: { result: { title: { newTitle: "Simulated imagination" } } } };
}
