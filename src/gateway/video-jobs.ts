// Clips as jobs: begun at once or when there is room, told while they run, kept over restarts. What a restart interrupted is
// looked for at the upstream by the account that was making it. Knows no protocol.
// Invariants: every job ends as completed or failed, with a reason; a deleted job's work is stopped and its files go with it.
import type { Pool } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import type { GenerationEvent } from "../core/events.ts";
import type { ClipRequest } from "../core/media-request.ts";
import { upstreamOf } from "../core/credential.ts";
import type { Catalogue } from "../core/models.ts";
import type { Clock } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";
import { createGate } from "../lib/lock.ts";
import type { Log } from "../lib/log.ts";
import type { MediaStore } from "../media/store.ts";
import type { MediaProvider } from "../providers/port.ts";
import type { Media } from "./media.ts";
import { mediaModel } from "./media-run.ts";
import { createRecord, type RequestRecord } from "./record.ts";
import type { VideoBook, VideoPage, PageQuery } from "./video-book.ts";
import { isEnded, type VideoJob } from "./video-job.ts";
import { createClipSearch, interrupted } from "./video-search.ts";
import { createVideoSources, type NamedClip, type SentClip, type VideoSourceDeps } from "./video-source.ts";

export interface VideoWish {
  readonly request: ClipRequest;
  readonly owner: string;
  /** As the caller wrote them; the answers echo both. */
  readonly size: string;
  readonly quality: string;
  /** Which API asked, told by the job's id from then on; OpenAI's where it is absent. */
  readonly shape?: "official";
}

export interface ExtensionWish extends Omit<VideoWish, "request"> {
  readonly request: Omit<ClipRequest, "extension" | "ratio" | "resolution"> &
    Partial<Pick<ClipRequest, "ratio" | "resolution">>;
  /** The clip that is carried on. */
  readonly video: NamedClip;
  /** Absent means at its end. */
  readonly startSeconds?: number;
}

export interface EditWish extends Omit<VideoWish, "request"> {
  readonly request: Omit<ClipRequest, "edit" | "ratio" | "resolution" | "seconds">;
  readonly video: NamedClip | SentClip;
}

export interface VideoJobs {
  /** Resolves once the job is stored; it runs by itself from then on. */
  create(wish: VideoWish): Promise<VideoJob>;
  extend(wish: ExtensionWish): Promise<VideoJob>;
  edit(wish: EditWish): Promise<VideoJob>;
  /** Throws GatewayError where nobody who serves the model has edits. */
  checkEdits(model: string): void;
  get(id: string, owner: string): VideoJob;
  list(owner: string, query: PageQuery): VideoPage;
  /** Stops it if it runs. */
  remove(id: string, owner: string): Promise<void>;
  /** Takes over what an earlier process has left, and from then on forgets old jobs; once. */
  load(): Promise<void>;
  /** Stops what runs without ending it: the next process takes it over. */
  stop(): Promise<void>;
}

export interface VideoJobsDeps {
  readonly book: VideoBook;
  readonly media: Pick<Media, "film" | "keep" | "references" | "check">;
  readonly provider: Pick<MediaProvider, "findClip">;
  readonly store: Pick<MediaStore, "remove">;
  readonly clipFile: VideoSourceDeps["clipFile"];
  readonly pool: Pick<Pool, "credential">;
  readonly catalogue: Catalogue;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether the key may begin a job; throws when not. What it costs is settled with the record. */
  readonly reserve: (
    request: Pick<ClipRequest, "model" | "seconds" | "resolution">,
    about: { record: RequestRecord; key: string; taken?: "waiting" | "underway" },
  ) => void;
  readonly recorded: (record: RequestRecord) => void;
}

interface Begun {
  readonly request: ClipRequest;
  readonly record: RequestRecord;
  /** The files that were sent along are needed no longer. */
  readonly letGo: () => void;
}

/** A job outlives the request that its files came with. */
const keepFiles = ({ references, edit }: ClipRequest): (() => void) => {
  const drops = references.flatMap(({ source }) => (source.kind === "file" && source.keep ? [source.keep()] : []));
  if (edit?.keep) drops.push(edit.keep());
  return () => {
    for (const drop of drops) drop();
  };
};

/** Jobs that were asked for in the shape of xAI's API, and are answered in it. */
export const OFFICIAL_PREFIX = "vreq_";

const PRUNE_EVERY_MS = 600_000;
/** The new part begins with the frame after the last one (24 a second, 2026-04). */
const FRAME_SECONDS = 1 / 24;

const STOPPED = new GatewayError("shutting_down", "The gateway is stopping.");
const DELETED = new GatewayError("client_closed", "The job was deleted.");

export const createVideoJobs = (deps: VideoJobsDeps): VideoJobs => {
  const { book, media, store, pool, catalogue, config, clock, log } = deps;
  const gate = createGate(() => config().video.concurrent);
  const sources = createVideoSources(deps);
  const search = createClipSearch(deps);
  const running = new Map<string, { control: AbortController; done: Promise<void> }>();

  const fail = (id: string, error: GatewayError) => {
    const code = error.code === "content_policy_violation" ? error.code : "video_generation_failed";
    const hidden = error.code === "internal_error";
    const message = hidden ? "The gateway hit an internal error." : error.message;
    book.change(id, { status: "failed", error: { code, message }, completedMs: clock.now() });
    log.info("a video job failed", { job: id, code: error.code, reason: error.detail.upstream?.text ?? error.message });
  };
  const complete = (id: string, video: GenerationEvent & { type: "video" }) => {
    const { source, thumbnail, resolution, seconds } = video;
    const job = book.find(id);
    const fileOf = ({ name, mime }: typeof source) => (name && mime ? { name, mime } : null);
    const clipId = source.id ?? job?.clipId ?? null;
    // What is carried on has the length that was asked for, and the whole clip another.
    const isWhole = job?.extends === null && seconds !== undefined;
    book.change(id, {
      status: "completed",
      progress: 100,
      completedMs: clock.now(),
      delivered: resolution ?? null,
      file: fileOf(source),
      thumbnail: thumbnail ? fileOf(thumbnail) : null,
      clipId,
      firstClipId: job?.firstClipId ?? clipId,
      ...(isWhole ? { seconds, totalSeconds: seconds } : {}),
    });
    log.info("a video job is complete", { job: id, account: book.find(id)?.account });
  };

  /** Runs `work` apart from any request; its failure becomes the job's, unless the program is stopping. */
  const launch = (id: string, work: (signal: AbortSignal, control: AbortController) => Promise<void>) => {
    const control = new AbortController();
    const done = work(control.signal, control)
      .catch((thrown: unknown) => {
        const reason: unknown = control.signal.reason;
        if (reason === STOPPED || reason === DELETED) return;
        fail(id, control.signal.aborted && reason instanceof GatewayError ? reason : asGatewayError(thrown));
      })
      .finally(() => running.delete(id));
    running.set(id, { control, done });
  };

  const note = (id: string, event: GenerationEvent) => {
    switch (event.type) {
      case "progress":
        return book.change(id, { progress: Math.min(99, Math.round(event.value * 100)) }, "memory");
      case "upstream":
        // From here on a restart can find the clip again.
        if (event.clipId) book.change(id, { clipId: event.clipId, account: event.accountId ?? null });
        return;
      case "video":
        return complete(id, event);
      case "failure":
        throw event.error;
      default:
    }
  };

  const run = (job: VideoJob, { request, record, letGo }: Begun) =>
    launch(job.id, async (signal, control) => {
      let leave = () => {};
      try {
        leave = await gate.enter(signal);
        book.change(job.id, { status: "in_progress" });
        const events = await media.film(request, {
          id: job.id,
          created: Math.floor(job.createdMs / 1000),
          signal,
          abort: (reason) => control.abort(reason),
          record,
          baseUrl: "",
        });
        for await (const batch of events) for (const event of batch) note(job.id, event);
        signal.throwIfAborted();
        if (book.find(job.id)?.status === "in_progress") {
          throw new GatewayError("upstream_cut", "The upstream's answer ended early.");
        }
      } finally {
        leave();
        letGo();
        const costTicks = record.usage?.costTicks;
        if (costTicks !== undefined && book.find(job.id)?.costTicks !== costTicks) book.change(job.id, { costTicks });
        close(job.id, record, signal);
      }
    });

  /** A job that the next process goes on with is settled there. */
  const close = (id: string, record: RequestRecord, signal: AbortSignal) => {
    const job = book.find(id);
    if (signal.reason === STOPPED && job && !isEnded(job)) return;
    record.outcome ??= record.error ? "failed" : signal.aborted ? "client-closed" : "finished";
    deps.recorded(record);
  };

  const recordOf = (id: string, owner: string): RequestRecord => {
    const record = createRecord({ id, startedMs: clock.monotonic(), method: "JOB", path: "/v1/videos" });
    record.key = owner;
    return record;
  };

  const checkQueue = (): void => {
    const { concurrent, max_queued: most } = config().video;
    if (gate.inside < concurrent || book.waiting < most) return;
    throw new GatewayError("server_overloaded", "Too many video jobs are waiting (video.max_queued).", {
      retryAfterMs: 10_000,
    });
  };

  const begin = async (
    wish: VideoWish,
    more: Partial<Pick<VideoJob, "extends" | "edits" | "startSeconds" | "firstClipId" | "totalSeconds">>,
  ): Promise<VideoJob> => {
    const { owner, size, quality } = wish;
    const filmed = media.check(wish.request);
    checkQueue();
    // Linked pictures are fetched now, so that what is wrong with them is told now.
    const request = { ...wish.request, references: await media.references(wish.request) };
    const { model, prompt, ratio, resolution, preset } = request;
    const seconds = wish.request.edit ? wish.request.seconds : filmed;
    const job: VideoJob = {
      ...{ owner, model, prompt, ratio, seconds, resolution, preset, size, quality, silent: request.silent ?? false },
      id: hexId(wish.shape === "official" ? OFFICIAL_PREFIX : "video_"),
      // An edited clip that is no job's is not kept either.
      references: request.references.length + (request.edit && !more.edits ? 1 : 0),
      ...{ extends: null, edits: null, startSeconds: null, firstClipId: null, totalSeconds: seconds },
      status: "queued",
      progress: 0,
      createdMs: clock.now(),
      completedMs: null,
      error: null,
      account: null,
      clipId: null,
      delivered: null,
      costTicks: null,
      file: null,
      thumbnail: null,
      ...more,
    };
    // Others may have come while the pictures did.
    checkQueue();
    const record = recordOf(job.id, owner);
    deps.reserve(request, { record, key: owner });
    try {
      await book.add(job);
    } catch (thrown) {
      record.error = asGatewayError(thrown);
      deps.recorded(record);
      throw thrown;
    }
    run(job, { request, record, letGo: keepFiles(request) });
    return job;
  };

  const checkEdits: VideoJobs["checkEdits"] = (id) => {
    const { offers } = mediaModel(catalogue, id, ["video"]);
    if (offers.some(({ upstream }) => upstream === "xai")) return;
    const message = "The upstream has no edits of clips; a new video can be made or one extended.";
    throw new GatewayError("unsupported_operation", message);
  };

  const edit: VideoJobs["edit"] = async (wish) => {
    checkEdits(wish.request.model);
    const { clip, base } = await sources.changed(wish.video, wish.owner);
    const { ratio = "16:9", resolution = "480p", totalSeconds = 0 } = base ?? {};
    const request: ClipRequest = { ...wish.request, ratio, resolution, seconds: totalSeconds, edit: clip };
    return begin({ ...wish, request }, { edits: base?.id ?? null });
  };

  const extend: VideoJobs["extend"] = async (wish) => {
    const { base, byKey, content } = await sources.carried(wish.video, wish.owner);
    if (byKey && wish.startSeconds !== undefined) {
      const message = "The official API carries clips on at their end; leave 'start_time' out.";
      throw new GatewayError("unsupported_parameter", message, { param: "start_time" });
    }
    const end = Math.round((base.totalSeconds + FRAME_SECONDS) * 1e6) / 1e6;
    const startSeconds = wish.startSeconds ?? end;
    const firstClipId = base.firstClipId ?? base.clipId;
    const request: ClipRequest = {
      ...wish.request,
      ratio: wish.request.ratio ?? base.ratio,
      resolution: wish.request.resolution ?? base.resolution,
      extension: {
        ...{ accountId: base.account, clipId: base.clipId, firstClipId, startSeconds },
        ...(content ? { content } : {}),
      },
    };
    const totalSeconds = Math.round(startSeconds) + media.check(request);
    return begin({ ...wish, request }, { extends: base.id, startSeconds, firstClipId, totalSeconds });
  };

  /** Goes on with a clip that an earlier process has begun, and books what it has cost. */
  const resume = (job: VideoJob, found: { account: string; clipId: string }) => {
    const record = recordOf(job.id, job.owner);
    Object.assign(record, { model: job.model, account: found.account, begun: 1 });
    const token = pool.credential(found.account)?.token;
    if (token !== undefined && upstreamOf(token) === "xai") {
      deps.reserve(job, { record, key: job.owner, taken: "underway" });
    }
    launch(job.id, async (signal) => {
      try {
        const charged = (costTicks: number) => book.change(job.id, { costTicks });
        const { clip, call } = await search({ ...found, signal, charged });
        const { source, thumbnail } = clip;
        const video = { type: "video", source, ...(thumbnail ? { thumbnail } : {}) } as const;
        complete(job.id, await media.keep(video, { ...call, baseUrl: "" }));
        Object.assign(record, { finish: "stop", videos: 1 });
      } catch (thrown) {
        record.error = asGatewayError(thrown);
        throw thrown;
      } finally {
        const { costTicks } = book.find(job.id) ?? job;
        record.attempts.push({
          account: found.account,
          startedMs: record.startedMs,
          durationMs: clock.monotonic() - record.startedMs,
          code: record.error?.code ?? null,
          reason: record.error?.detail.upstream?.text ?? record.error?.message ?? null,
          costTicks: costTicks ?? 0,
        });
        close(job.id, record, signal);
      }
    });
  };
  /** What an earlier process has left: gone on with where that repeats nothing, else ended with the reason. */
  const takeOver = (job: VideoJob) => {
    if (isEnded(job)) return;
    const { account, clipId } = job;
    if (account !== null && clipId !== null) return resume(job, { account, clipId });
    if (job.status === "in_progress")
      return fail(job.id, interrupted("the clip was being begun and is not asked for twice"));
    if (job.references > 0 || job.extends !== null || job.edits !== null) {
      return fail(job.id, interrupted("what the job was to be made from was not kept"));
    }
    const { model, prompt, ratio, seconds, resolution, preset, silent, id, owner } = job;
    const request = { model, prompt, ratio, seconds, resolution, preset, silent, references: [], stream: false };
    const record = recordOf(id, owner);
    try {
      deps.reserve(request, { record, key: owner, taken: "waiting" });
    } catch (thrown) {
      return fail(id, asGatewayError(thrown));
    }
    run(job, { request, record, letGo: () => {} });
  };

  let stopPruning = () => {};
  const prune = () => book.prune(config().video.keep_hours * 3_600_000);

  return {
    create: (wish) => begin(wish, {}),
    extend,
    edit,
    checkEdits,
    get: book.get,
    list: book.list,
    async remove(id, owner) {
      const job = book.get(id, owner);
      const work = running.get(id);
      work?.control.abort(DELETED);
      await work?.done;
      const { file, thumbnail } = book.find(id) ?? job;
      await book.remove(id);
      await store.remove([
        ...(file ? [{ kind: "video" as const, name: file.name }] : []),
        ...(thumbnail ? [{ kind: "image" as const, name: thumbnail.name }] : []),
      ]);
    },
    async load() {
      for (const job of await book.load()) takeOver(job);
      await prune();
      stopPruning = clock.every(PRUNE_EVERY_MS, () => {
        prune().catch((error: unknown) => log.error("old video jobs could not be removed", { error }));
      });
    },
    async stop() {
      stopPruning();
      for (const { control } of running.values()) control.abort(STOPPED);
      await Promise.all([...running.values()].map(({ done }) => done));
      await book.flush();
    },
  };
};
