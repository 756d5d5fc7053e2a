// Clips from text or pictures with one account: making, extending, enlarging and finding one again. The newest call first, the
// older one behind it where the newest is unknown; extending exists in the older one alone. Shapes of 2026-08 and 2025-09…2026-04.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { GenerationStream, MediaSource } from "../../core/events.ts";
import type { Preset } from "../../core/media-wishes.ts";
import type { WebModel } from "../../core/models.ts";
import { objectAt, stringAt } from "../../lib/json.ts";
import type { ClipTask, FoundClip, MediaCall, ProviderCall } from "../port.ts";
import type { createUploads, Uploaded } from "./assets.ts";
import type { GrokClient } from "./client.ts";
import { createPost, isRefusedShape, readMedia } from "./media-call.ts";
import { createClipFrames } from "./media-frames.ts";
import { readError } from "../read-error.ts";

/** How the site spells the presets; the words also stand in the prompt. */
const MODES: Readonly<Record<Preset, string>> = {
  normal: "normal",
  fun: "extremely-crazy",
  spicy: "extremely-spicy-or-crazy",
  custom: "custom",
};
const MODEL = "imagine-video-gen";

export interface ClipsDeps {
  readonly client: GrokClient;
  readonly config: () => Config;
  readonly upload: ReturnType<typeof createUploads>;
}

interface Clip {
  readonly task: ClipTask;
  readonly call: MediaCall<WebModel>;
  readonly uploaded: readonly Uploaded[];
}

/** The browser sends the mode alone when there is no prompt. */
const messageOf = ({ prompt, preset }: ClipTask): string => `${prompt} --mode=${MODES[preset]}`.trim();

export const createClips = ({ client, config, upload }: ClipsDeps) => {
  const firstByte = () => ({ ms: config().video.timeout * 1000, setting: "video.timeout" });
  const idle = () => ({ ms: config().video.stream_timeout * 1000, setting: "video.stream_timeout" });
  const assetsUrl = () => config().grok.assets_url.replace(/\/$/, "");
  const windowOf = ({ resolution }: ClipTask) => (resolution === "720p" ? "video720p" : "video");

  const send = ({ task, call }: Clip, { body, referer }: { body: object; referer: string }) =>
    client.open(call, {
      path: "/rest/app-chat/conversations/new",
      body,
      referer,
      mode: windowOf(task),
      firstByte: firstByte(),
      idle: idle(),
    });

  const newest = (clip: Clip) => {
    const { task, uploaded } = clip;
    const wish = {
      ...(task.prompt ? { prompt: task.prompt } : {}),
      aspectRatio: task.ratio,
      duration: task.seconds,
      resolutionName: task.resolution,
    };
    const mediaGenInput =
      uploaded.length > 0
        ? { imageToVideo: { ...wish, inputAssets: uploaded.map((file) => file.fileId), mode: MODES[task.preset] } }
        : { textToVideo: wish };
    return send(clip, {
      referer: "/imagine",
      body: {
        modelName: MODEL,
        message: messageOf(task),
        enableImageStreaming: true,
        enableSideBySide: true,
        sendFinalMetadata: true,
        responseMetadata: { experiments: [], modelConfigOverride: { modelMap: {} } },
        mediaGenInput,
        kind: "CONVERSATION_KIND_IMAGINE",
      },
    });
  };

  const withConfig = (clip: Clip, about: { parentPostId: string; message: string; more: object }) =>
    send(clip, {
      referer: `/imagine/post/${about.parentPostId}`,
      body: {
        temporary: config().app.temporary,
        modelName: MODEL,
        message: about.message,
        fileAttachments: clip.uploaded.map((file) => file.fileId),
        toolOverrides: { videoGen: true },
        enableSideBySide: true,
        responseMetadata: {
          experiments: [],
          modelConfigOverride: {
            modelMap: {
              videoGenModelConfig: {
                parentPostId: about.parentPostId,
                aspectRatio: clip.task.ratio,
                videoLength: clip.task.seconds,
                resolutionName: clip.task.resolution,
                ...about.more,
              },
            },
          },
        },
      },
    });

  const legacy = async (clip: Clip) => {
    const { task, call, uploaded } = clip;
    const urls = uploaded.flatMap((file) => (file.fileUri ? [`${assetsUrl()}/${file.fileUri}`] : []));
    const [mediaUrl] = urls;
    const parentPostId = await createPost(client, call, {
      ...(mediaUrl
        ? { mediaType: "MEDIA_POST_TYPE_IMAGE", mediaUrl }
        : { mediaType: "MEDIA_POST_TYPE_VIDEO", prompt: task.prompt }),
      limit: firstByte(),
    });
    const message = mediaUrl ? `${mediaUrl}  ${messageOf(task)}` : messageOf(task);
    const several = urls.length > 1 ? { imageReferences: urls, isReferenceToVideo: true, isVideoEdit: false } : {};
    return withConfig(clip, { parentPostId, message, more: several });
  };

  const extended = (clip: Clip, extension: NonNullable<ClipTask["extension"]>) =>
    withConfig(clip, {
      parentPostId: extension.firstClipId,
      message: messageOf(clip.task),
      more: {
        isVideoExtension: true,
        videoExtensionStartTime: extension.startSeconds,
        extendPostId: extension.clipId,
        stitchWithExtendPostId: true,
        originalPrompt: clip.task.prompt,
        originalPostId: extension.firstClipId,
        originalRefType: "ORIGINAL_REF_TYPE_VIDEO_EXTENSION",
        mode: MODES[clip.task.preset],
        isVideoEdit: false,
      },
    });

  const open = async (clip: Clip) => {
    if (clip.task.extension) return extended(clip, clip.task.extension);
    try {
      return await newest(clip);
    } catch (thrown) {
      if (!isRefusedShape(thrown)) throw thrown;
      clip.call.log.info("the newest call for clips is refused; using the older one", { reason: String(thrown) });
      return legacy(clip);
    }
  };

  return {
    video: async function* video(task: ClipTask, call: MediaCall<WebModel>): GenerationStream {
      try {
        const uploaded: Uploaded[] = [];
        for (const file of call.files) uploaded.push(await upload(call, file, "imagine"));
        const response = await open({ task, call, uploaded });
        const frames = createClipFrames({
          start: { id: call.id, model: call.model.id, created: call.created },
          assetsUrl: assetsUrl(),
          window: windowOf(task),
          ...(call.credential.userId ? { userId: call.credential.userId } : {}),
          resolution: task.resolution,
        });
        yield* readMedia(response, { frames, signal: call.signal });
      } catch (thrown) {
        yield [{ type: "failure", error: readError(thrown, call.signal) }];
      }
    },

    upscale: async (clipId: string, call: ProviderCall): Promise<MediaSource> => {
      const limit = { ms: config().video.upscale_timeout * 1000, setting: "video.upscale_timeout" };
      const answer = await client.json(call, {
        path: "/rest/media/video/upscale",
        body: { videoId: clipId },
        referer: "/imagine",
        firstByte: limit,
        idle: limit,
      });
      const url = stringAt(answer, "hdMediaUrl");
      if (!url) throw new GatewayError("upstream_malformed", "The upstream enlarged a clip but named no address.");
      return { url, id: clipId };
    },

    findClip: async (clipId: string, call: ProviderCall): Promise<FoundClip | null> => {
      try {
        const asset = await client.json(call, {
          method: "GET",
          path: `/rest/assets/${encodeURIComponent(clipId)}`,
          referer: "/files",
          signed: false,
          firstByte: firstByte(),
          idle: firstByte(),
        });
        const key = stringAt(asset, "key");
        const aux = objectAt(asset, "auxKeys");
        if (!key || asset["isDeleted"] === true) return null;
        const preview = stringAt(aux, "preview-image");
        return {
          withheld: stringAt(aux, "moderated") === "true",
          source: { url: `${assetsUrl()}/${key}`, id: clipId },
          ...(preview ? { thumbnail: { url: `${assetsUrl()}/${preview}` } } : {}),
        };
      } catch (thrown) {
        if (thrown instanceof GatewayError && thrown.detail.upstream?.status === 404) return null;
        throw thrown;
      }
    },
  };
};
