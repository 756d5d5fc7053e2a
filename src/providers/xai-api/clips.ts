// Clips of the official API: begun, asked after until they are there, changed, carried on, and found again by their id. Never
// throws once started. Facts of docs.x.ai, 2026-09. Invariants: a clip that was begun is paid for, so whatever goes wrong from then
// on is final; it is asked after with the key that began it.
import type { Config } from "../../config/schema.ts";
import { asGatewayError, GatewayError } from "../../core/errors.ts";
import type { GenerationEvent, GenerationStream } from "../../core/events.ts";
import { isGuided } from "../../core/media-limits.ts";
import type { SourceClip } from "../../core/media-request.ts";
import type { XaiModel } from "../../core/models.ts";
import type { Clock } from "../../lib/clock.ts";
import { stringAt } from "../../lib/json.ts";
import type { ClipTask, FoundClip, MediaCall, ProviderCall } from "../port.ts";
import { readError } from "../read-error.ts";
import type { XaiClient, XaiRequest } from "./client.ts";
import { readClip, type ClipState } from "./clip-state.ts";
import { costUsage, inlined } from "./inline.ts";
import { createUpload } from "./uploads.ts";

/** Failed questions in a row after which a clip is given up. */
const MOST_MISSES = 6;

export interface ClipsDeps {
  readonly client: XaiClient;
  readonly config: () => Config;
  readonly clock: Clock;
}

export const createClips = ({ client, config, clock }: ClipsDeps) => {
  const look = async (clipId: string, call: ProviderCall): Promise<ClipState> =>
    readClip(await client.ask(call, { method: "GET", path: `/videos/${encodeURIComponent(clipId)}` }));

  /** Where the upstream can read a clip: its own file while that lies there, else ours, uploaded. */
  const sourceOf = async (clip: SourceClip, call: MediaCall<XaiModel>): Promise<object> => {
    if (clip.url) return { url: clip.url };
    const { accountId, clipId, content } = clip;
    if (clipId && accountId === call.credential.accountId) {
      const state = await look(clipId, call).catch((thrown: unknown) => {
        call.signal.throwIfAborted();
        if (!content) throw thrown;
        return null;
      });
      if (state?.is === "done") return { url: state.url };
    }
    if (!content) throw new GatewayError("file_not_found", "The clip is gone, here and upstream.", { param: "video" });
    const file = { name: "clip.mp4", mime: "video/mp4", content };
    return { file_id: await createUpload(client, call)(file, "video") };
  };

  const requestFor = async (task: ClipTask, call: MediaCall<XaiModel>): Promise<XaiRequest> => {
    const { prompt, seconds, extension, edit } = task;
    const base = { model: call.model.id, prompt };
    if (edit) return { path: "/videos/edits", body: { ...base, video: await sourceOf(edit, call) } };
    if (extension) {
      const video = await sourceOf(extension, call);
      return { path: "/videos/extensions", body: { ...base, video, duration: seconds } };
    }
    const pictures = await inlined(call.files);
    const guided = isGuided(task.guides, pictures.length);
    const [first] = pictures;
    const body = {
      ...base,
      duration: seconds,
      resolution: task.resolution,
      // A clip from a first frame has that picture's ratio, unless the caller says otherwise.
      ...(first && !guided && !task.stated?.ratio ? {} : { aspect_ratio: task.ratio }),
      ...(task.silent ? { generate_audio: false } : {}),
      ...(guided ? { reference_images: pictures } : first ? { image: first } : {}),
    };
    return { path: "/videos/generations", body };
  };

  const begin = async (task: ClipTask, call: MediaCall<XaiModel>): Promise<string> => {
    const answer = await client.json(call, await requestFor(task, call));
    const id = stringAt(answer, "request_id");
    if (!id) throw new GatewayError("upstream_malformed", "The upstream began a clip but named no id for it.");
    return id;
  };

  /** States until the clip has ended. What is only a hitch on the way costs no clip. */
  async function* followed(clipId: string, call: ProviderCall): AsyncGenerator<ClipState, void, void> {
    let misses = 0;
    for (;;) {
      await clock.sleep(config().xai.poll_interval * 1000, call.signal);
      try {
        const state = await look(clipId, call);
        misses = 0;
        yield state;
        if (state.is !== "pending") return;
      } catch (thrown) {
        call.signal.throwIfAborted();
        const error = asGatewayError(thrown);
        if (!isHitch(error) || ++misses >= MOST_MISSES) throw error;
        call.log.info("a clip is asked after again", { account: call.credential.accountId, reason: error.code });
        await clock.sleep(Math.min(error.detail.retryAfterMs ?? 0, 60_000), call.signal);
      }
    }
  }

  return {
    video: async function* video(task: ClipTask, call: MediaCall<XaiModel>): GenerationStream {
      let begun = false;
      try {
        const clipId = await begin(task, call);
        begun = true;
        yield [
          { type: "start", id: call.id, model: call.model.id, created: call.created },
          { type: "upstream", clipId },
          { type: "progress", value: 0, note: "video" },
        ];
        for await (const state of followed(clipId, call)) {
          const events = told(state, { clipId, task });
          if (events.length > 0) yield events;
        }
      } catch (thrown) {
        const error = readError(thrown, call.signal);
        yield [{ type: "failure", error: begun ? final(error) : error }];
      }
    },

    upscale: (): Promise<never> =>
      Promise.reject(new GatewayError("unsupported_operation", "The official API enlarges no clips.")),

    findClip: async (clipId: string, call: ProviderCall): Promise<FoundClip | null> => {
      try {
        const state = await look(clipId, call);
        switch (state.is) {
          case "pending":
            return null;
          case "failed":
            throw state.error;
          case "withheld":
            return { withheld: true, source: { id: clipId }, ...bill(state) };
          case "done":
            return { withheld: false, source: { url: state.url, id: clipId, mime: "video/mp4" }, ...bill(state) };
        }
      } catch (thrown) {
        const error = asGatewayError(thrown);
        if (isHitch(error) || error.detail.upstream?.status === 404) return null;
        throw error;
      }
    },
  };
};

/** Asking again may help: nothing was said about the clip. */
const isHitch = ({ code, row }: GatewayError): boolean =>
  row.blame === "upstream" ? row.retry !== "never" : row.blame === "egress" || code === "upstream_rate_limited";

/** Another account would make, and charge for, a second clip. */
const final = (error: GatewayError): GatewayError => {
  // The question was ours, so a refusal of it says nothing about what the caller sent.
  const isGone = error.code === "upstream_rejected";
  return new GatewayError(
    isGone ? "video_generation_failed" : error.code,
    isGone ? "The upstream no longer knows the clip that it was making." : error.message,
    { ...error.detail, shouldRetry: false },
  );
};

const bill = ({ costTicks }: { costTicks: number | null }): { costTicks?: number } =>
  costTicks === null ? {} : { costTicks };

const told = (state: ClipState, about: { clipId: string; task: ClipTask }): readonly GenerationEvent[] => {
  if (state.is === "pending") {
    return state.progress === null ? [] : [{ type: "progress", value: state.progress, note: "video" }];
  }
  if (state.is === "failed") return [{ type: "failure", error: final(state.error) }];
  const usage: GenerationEvent[] =
    state.costTicks === null ? [] : [{ type: "usage", usage: costUsage(state.costTicks) }];
  if (state.is === "withheld") {
    const message = "The upstream withheld the clip on content grounds.";
    return [...usage, { type: "failure", error: new GatewayError("content_policy_violation", message) }];
  }
  const { clipId, task } = about;
  const isNew = !task.edit && !task.extension;
  return [
    ...usage,
    {
      type: "video",
      source: { url: state.url, id: clipId, mime: "video/mp4" },
      ...(isNew ? { resolution: task.resolution } : {}),
      ...(state.seconds === null ? {} : { seconds: state.seconds }),
    },
    { type: "finish", reason: "stop", raw: "done" },
  ];
};
