// Pictures changed by text with one account: the newest call first, the older one behind it where the newest is unknown.
// Shapes of 2026-08 (a media input) and 2026-02 (a post and a model map). Knows no socket. Never throws once started.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { GenerationStream } from "../../core/events.ts";
import type { WebModel } from "../../core/models.ts";
import type { MediaCall, PictureTask } from "../port.ts";
import type { createUploads, Uploaded } from "./assets.ts";
import type { GrokClient } from "./client.ts";
import { createPost, isRefusedShape, readMedia } from "./media-call.ts";
import { createEditFrames } from "./media-frames.ts";
import { readError } from "../read-error.ts";

/** What both shapes say alike. */
const FLAGS = { enableImageStreaming: true, enableSideBySide: true, sendFinalMetadata: true };
const MODEL = "imagine-image-edit";

export interface EditsDeps {
  readonly client: GrokClient;
  readonly config: () => Config;
  readonly upload: ReturnType<typeof createUploads>;
}

interface Edit {
  readonly task: PictureTask;
  readonly call: MediaCall<WebModel>;
  readonly uploaded: readonly Uploaded[];
}

/** What the newest call takes (2026-08); nobody has told a limit of the older one. */
const MOST_OF_NEWEST = 8;

export const createEdits = ({ client, config, upload }: EditsDeps) => {
  const firstByte = () => ({ ms: config().image.timeout * 1000, setting: "image.timeout" });
  const idle = () => ({ ms: config().image.stream_timeout * 1000, setting: "image.stream_timeout" });
  const assetsUrl = () => config().grok.assets_url.replace(/\/$/, "");

  const send = (call: MediaCall<WebModel>, { body, referer }: { body: object; referer: string }) =>
    client.open(call, {
      path: "/rest/app-chat/conversations/new",
      body,
      referer,
      mode: "image_edit",
      firstByte: firstByte(),
      idle: idle(),
    });

  const newest = ({ task, call, uploaded }: Edit) =>
    send(call, {
      referer: "/imagine",
      body: {
        modelName: MODEL,
        message: task.prompt,
        ...FLAGS,
        mediaGenInput: {
          imageToImage: {
            prompt: task.prompt,
            inputAssets: uploaded.map((file) => file.fileId),
            ...(task.ratio ? { aspectRatio: task.ratio } : {}),
          },
        },
      },
    });

  const legacy = async ({ task, call, uploaded }: Edit) => {
    const urls = uploaded.flatMap((file) => (file.fileUri ? [`${assetsUrl()}/${file.fileUri}`] : []));
    const [mediaUrl] = urls;
    if (!mediaUrl) throw new GatewayError("upstream_malformed", "The upstream named no address for an uploaded file.");
    const postId = await createPost(client, call, { mediaType: "MEDIA_POST_TYPE_IMAGE", mediaUrl, limit: firstByte() });
    return send(call, {
      referer: `/imagine/post/${postId}`,
      body: {
        temporary: config().app.temporary,
        modelName: MODEL,
        message: task.prompt,
        ...FLAGS,
        enableImageGeneration: true,
        toolOverrides: { imageGen: true },
        imageGenerationCount: task.count,
        disableTextFollowUps: true,
        responseMetadata: {
          modelConfigOverride: {
            modelMap: {
              imageEditModel: "imagine",
              imageEditModelConfig: {
                imageReferences: urls,
                parentPostId: postId,
                ...(task.ratio ? { aspectRatio: task.ratio } : {}),
              },
            },
          },
        },
        disableMemory: config().app.disable_memory,
      },
    });
  };

  const open = async (edit: Edit) => {
    if (edit.uploaded.length > MOST_OF_NEWEST) return legacy(edit);
    try {
      return await newest(edit);
    } catch (thrown) {
      if (!isRefusedShape(thrown)) throw thrown;
      edit.call.log.info("the newest call for edits is refused; using the older one", { reason: String(thrown) });
      return legacy(edit);
    }
  };

  return async function* edit(task: PictureTask, call: MediaCall<WebModel>): GenerationStream {
    try {
      const uploaded: Uploaded[] = [];
      for (const file of call.files) uploaded.push(await upload(call, file, "imagine"));
      const response = await open({ task, call, uploaded });
      const frames = createEditFrames({
        start: { id: call.id, model: call.model.id, created: call.created },
        assetsUrl: assetsUrl(),
        window: "image_edit",
        ...(call.credential.userId ? { userId: call.credential.userId } : {}),
        count: task.count,
        previews: task.previews,
      });
      yield* readMedia(response, { frames, signal: call.signal });
    } catch (thrown) {
      yield [{ type: "failure", error: readError(thrown, call.signal) }];
    }
  };
};
