// /v1/videos: clips as jobs in OpenAI's format, with ranges on their files; extensions, and a clear no to what the upstream lacks.
// Knows no provider. Invariant: a job is only shown to the key that began it.
import { GatewayError } from "../../core/errors.ts";
import type { VideoJob } from "../../gateway/video-job.ts";
import { OFFICIAL_PREFIX } from "../../gateway/video-jobs.ts";
import { mediaLink } from "../../media/links.ts";
import { clipModel, parseExtension, parseVideo, parseVideoEdit } from "../../protocols/openai/media-videos.ts";
import { officialVideo, parseOfficialVideo } from "../../protocols/openai/media-videos-official.ts";
import { videoBody, videoDeleted, videoPage } from "../../protocols/openai/media-videos-response.ts";
import { baseUrl } from "../client-address.ts";
import type { Call, Route } from "../context.ts";
import { PICTURE_FILES, readFormOrJson } from "../form.ts";
import { sendFile } from "../send-file.ts";

const idOf = (call: Call): string => call.params["id"] ?? "";

const create = async (call: Call): Promise<Response> => {
  const wish = parseVideo(await readFormOrJson(call, PICTURE_FILES));
  call.record.model = wish.request.model;
  return Response.json(videoBody(await call.deps.videoJobs.create({ ...wish, owner: call.principal.id })));
};

/** A clip that was named by its address is xAI's way of asking, and is answered so. */
const begun = (job: VideoJob): Response =>
  Response.json(job.id.startsWith(OFFICIAL_PREFIX) ? { request_id: job.id } : videoBody(job));

const extend = async (call: Call): Promise<Response> => {
  const wish = parseExtension(await readFormOrJson(call, PICTURE_FILES));
  call.record.model = wish.request.model;
  return begun(await call.deps.videoJobs.extend({ ...wish, owner: call.principal.id }));
};

const edit = async (call: Call): Promise<Response> => {
  const body = await readFormOrJson(call, PICTURE_FILES);
  call.deps.videoJobs.checkEdits(clipModel(body));
  const wish = parseVideoEdit(body);
  call.record.model = wish.request.model;
  return begun(await call.deps.videoJobs.edit({ ...wish, owner: call.principal.id }));
};

/** The same job in the shape of xAI's own API. */
const createOfficial = async (call: Call): Promise<Response> => {
  const wish = parseOfficialVideo(await readFormOrJson(call, PICTURE_FILES));
  call.record.model = wish.request.model;
  const { id } = await call.deps.videoJobs.create({ ...wish, owner: call.principal.id, shape: "official" });
  return Response.json({ request_id: id });
};

const retrieve = (call: Call): Response => {
  const job = call.deps.videoJobs.get(idOf(call), call.principal.id);
  if (!job.id.startsWith(OFFICIAL_PREFIX)) return Response.json(videoBody(job));
  const link = job.file && mediaLink(baseUrl(call), { kind: "video", name: job.file.name });
  const { status, body } = officialVideo(job, link && job.file ? link + call.deps.links.query(job.file.name) : null);
  return Response.json(body, { status });
};

const MOST = 100;
const DEFAULT_LIMIT = 20;

/** Everybody who comes without a key has the same name: strangers would see, and could delete, each other's clips. */
const checkOwnList = ({ principal, deps }: Call): void => {
  if (principal.kind !== "open" || !deps.publicAccess.pages) return;
  throw new GatewayError(
    "permission_denied",
    "While the playground is on, jobs are listed only for those who send an API key; ask for one by its id.",
  );
};

const list = (call: Call): Response => {
  checkOwnList(call);
  const { searchParams: query } = call.url;
  const limit = query.get("limit") === null ? DEFAULT_LIMIT : Number(query.get("limit"));
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST) {
    throw new GatewayError("invalid_value", `'limit' must be a whole number from 1 to ${MOST}.`, { param: "limit" });
  }
  const order = query.get("order") ?? "desc";
  if (order !== "asc" && order !== "desc") {
    throw new GatewayError("invalid_value", "'order' must be asc or desc.", { param: "order" });
  }
  const page = call.deps.videoJobs.list(call.principal.id, { after: query.get("after"), limit, order });
  return Response.json(videoPage(page));
};

const VARIANTS = { video: "video", thumbnail: "image" } as const;

const content = async (call: Call): Promise<Response> => {
  const job = call.deps.videoJobs.get(idOf(call), call.principal.id);
  const variant = call.url.searchParams.get("variant") ?? "video";
  if (variant !== "video" && variant !== "thumbnail") {
    throw new GatewayError("unsupported_value", "'variant' must be video or thumbnail.", { param: "variant" });
  }
  if (job.status === "failed") {
    throw new GatewayError("video_not_ready", `The video failed: ${job.error?.message ?? "no reason is known"}`);
  }
  if (job.status !== "completed") throw new GatewayError("video_not_ready", `The video is ${job.status}.`);
  const named = variant === "video" ? job.file : job.thumbnail;
  const file = named ? await call.deps.media.find(VARIANTS[variant], named.name) : null;
  if (!file) throw new GatewayError("file_not_found", "The file is gone; it may have been deleted to make room.");
  const extension = file.mime.split("/")[1]?.replace("jpeg", "jpg") ?? "bin";
  return sendFile(call, file, {
    "content-disposition": `attachment; filename="${job.id}.${extension}"`,
    "cache-control": "private, max-age=3600",
  });
};

const remove = async (call: Call): Promise<Response> => {
  const id = idOf(call);
  await call.deps.videoJobs.remove(id, call.principal.id);
  return Response.json(videoDeleted(id));
};

const unsupported = (what: string) => (): never => {
  throw new GatewayError(
    "unsupported_operation",
    `The upstream has no ${what}; a new video can be made or one extended.`,
  );
};

const common = { auth: "api", toggle: "enable_videos" } as const;

export const openaiVideoRoutes: readonly Route[] = [
  {
    ...common,
    method: "POST",
    path: "/v1/videos",
    summary: "Begins a clip as a job (OpenAI's format).",
    handle: create,
  },
  {
    ...common,
    method: "POST",
    path: "/v1/videos/generations",
    summary:
      "Begins a clip as a job (xAI's format); answers with request_id, and GET /v1/videos/{request_id} in that format.",
    handle: createOfficial,
  },
  { ...common, method: "GET", path: "/v1/videos", summary: "The key's jobs, in pages.", handle: list },
  {
    ...common,
    method: "POST",
    path: "/v1/videos/extensions",
    aliases: ["/v1/video/extend"],
    summary: "Carries a finished clip on, by the account that made it.",
    handle: extend,
  },
  {
    ...common,
    method: "POST",
    path: "/v1/videos/edits",
    summary: "Changes a clip by text, over API keys; refused where there are none for the model.",
    handle: edit,
  },
  {
    ...common,
    method: "POST",
    path: "/v1/videos/:id/remix",
    summary: "Refused: the upstream has no remixes.",
    handle: unsupported("remixes"),
  },
  { ...common, method: "GET", path: "/v1/videos/:id", summary: "A job and its progress.", handle: retrieve },
  { ...common, method: "DELETE", path: "/v1/videos/:id", summary: "Stops and forgets a job.", handle: remove },
  {
    ...common,
    method: "GET",
    path: "/v1/videos/:id/content",
    summary: "The finished file or, with ?variant=thumbnail, its still; ranges work.",
    handle: content,
  },
];
