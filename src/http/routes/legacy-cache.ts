// Stored files in the shapes of the earliest admin page: `success` in every answer and sizes as people read them.
// Decides nothing; the verbs are those of the newer routes.
import { GatewayError } from "../../core/errors.ts";
import type { MediaKind } from "../../media/links.ts";
import { actorOf } from "../actor.ts";
import type { Call, Route } from "../context.ts";
import { kindNamed } from "./admin-cache.ts";
import { humanSize } from "./cache-shapes.ts";

const size = async (call: Call): Promise<Response> => {
  const { image, video } = await call.deps.mediaAdmin.use();
  const total = image.bytes + video.bytes;
  const data = {
    image_size: humanSize(image.bytes),
    video_size: humanSize(video.bytes),
    total_size: humanSize(total),
    image_size_bytes: image.bytes,
    video_size_bytes: video.bytes,
    total_size_bytes: total,
  };
  return Response.json({ success: true, data });
};

const whole = (query: URLSearchParams, name: string): number | null => {
  const text = query.get(name) ?? "";
  if (text === "") return null;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new GatewayError("invalid_value", `'${name}' must be a whole number.`, { param: name });
};

const list = async (call: Call): Promise<Response> => {
  const query = call.url.searchParams;
  const type = query.get("type") ?? "all";
  const kind = type === "all" || type === "" ? null : kindNamed(type);
  const limit = Math.min(200, Math.max(1, whole(query, "limit") ?? 50));
  const offset = whole(query, "offset") ?? 0;
  const { total, items } = await call.deps.mediaAdmin.list(kind, { offset, limit });
  const rows = items.map((item) => ({
    name: item.name,
    size: humanSize(item.bytes),
    size_bytes: item.bytes,
    mtime: item.modifiedMs,
    url: `/images/${encodeURIComponent(item.name)}${call.deps.links.query(item.name)}`,
    type: item.kind,
  }));
  const data = { total, items: rows, offset, limit, has_more: offset + rows.length < total };
  return Response.json({ success: true, data });
};

const removed = async (call: Call, kind: MediaKind) => (await call.deps.mediaAdmin.clear([kind], actorOf(call))).count;

const clearAll = async (call: Call): Promise<Response> => {
  const [image_count, video_count] = [await removed(call, "image"), await removed(call, "video")];
  return Response.json({ success: true, data: { deleted_count: image_count + video_count, image_count, video_count } });
};

const clearKind =
  (kind: MediaKind, type: string) =>
  async (call: Call): Promise<Response> =>
    Response.json({ success: true, data: { deleted_count: await removed(call, kind), type } });

export const legacyCacheRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/api/cache/size",
    auth: "admin",
    summary: "Sizes of the stored files (older page).",
    handle: size,
  },
  {
    method: "GET",
    path: "/api/cache/list",
    auth: "admin",
    summary: "Stored files (older page): type, limit, offset.",
    handle: list,
  },
  {
    method: "POST",
    path: "/api/cache/clear",
    auth: "admin",
    summary: "Remove all stored files (older page).",
    handle: clearAll,
  },
  {
    method: "POST",
    path: "/api/cache/clear/images",
    auth: "admin",
    summary: "Remove all stored pictures (older page).",
    handle: clearKind("image", "images"),
  },
  {
    method: "POST",
    path: "/api/cache/clear/videos",
    auth: "admin",
    summary: "Remove all stored clips (older page).",
    handle: clearKind("video", "videos"),
  },
];
