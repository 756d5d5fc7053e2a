// Stored pictures and clips on the admin side: how much there is, which files, removal and download. Decides nothing itself.
// Invariant: a request that names no kind or no file removes nothing.
import { GatewayError } from "../../core/errors.ts";
import { isObject, type JsonObject, stringAt } from "../../lib/json.ts";
import type { MediaKind } from "../../media/links.ts";
import { actorOf } from "../actor.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { pageOf } from "../paging.ts";
import { adminPaths } from "./admin-paths.ts";
import { itemShape, localShape, totalsShape } from "./cache-shapes.ts";

const KINDS: Readonly<Record<string, MediaKind>> = { image: "image", images: "image", video: "video", videos: "video" };

export const kindNamed = (name: string | null | undefined): MediaKind => {
  const kind = Object.hasOwn(KINDS, name ?? "") ? KINDS[name ?? ""] : undefined;
  if (kind === undefined) throw new GatewayError("invalid_value", "'type' must be image or video.", { param: "type" });
  return kind;
};

const kindIn = (body: JsonObject): MediaKind => kindNamed(stringAt(body, "type") ?? stringAt(body, "cache_type"));

const namesIn = (body: JsonObject): readonly string[] => {
  const { names } = body;
  const given = names === undefined ? [body["name"]].filter((name) => name !== undefined) : names;
  if (Array.isArray(given) && given.every((name): name is string => typeof name === "string" && name !== "")) {
    if (given.length > 0) return given;
  }
  throw new GatewayError("missing_file_names", "No files specified", { param: "names" });
};

const local = async (call: Call): Promise<Response> => Response.json(localShape(await call.deps.mediaAdmin.use()));

const list = async (call: Call): Promise<Response> => {
  const query = call.url.searchParams;
  const kind = kindNamed(query.get("type") ?? query.get("cache_type") ?? "image");
  const { page, pageSize } = pageOf(query, { usual: 1000, most: 5000 });
  const found = await call.deps.mediaAdmin.list(kind, { offset: (page - 1) * pageSize, limit: pageSize });
  return Response.json({
    status: "success",
    total: found.total,
    page,
    page_size: pageSize,
    items: found.items.map((item) => itemShape(item, call.deps.links.query)),
  });
};

const cleared = async (call: Call, kinds: readonly MediaKind[]): Promise<Response> => {
  const removed = await call.deps.mediaAdmin.clear(kinds, actorOf(call));
  // Each field is how one generation of pages calls the same number.
  const result = { ...totalsShape(removed), deleted: removed.count, removed: removed.count };
  return Response.json({ status: "success", result });
};

const clear = async (call: Call): Promise<Response> => cleared(call, [kindIn(await readObject(call))]);

const clearByQuery = (call: Call): Promise<Response> => {
  const type = call.url.searchParams.get("type");
  return cleared(call, type === null ? ["image", "video"] : [kindNamed(type)]);
};

const deleteItem = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const kind = kindIn(body);
  const name = stringAt(body, "name") ?? "";
  if (name === "") throw new GatewayError("missing_file_name", "Missing file name", { param: "name" });
  const { deleted } = await call.deps.mediaAdmin.remove(kind, [name], actorOf(call));
  return Response.json({ status: "success", result: { deleted: deleted > 0 } });
};

const deleteItems = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const result = await call.deps.mediaAdmin.remove(kindIn(body), namesIn(body), actorOf(call));
  return Response.json({ status: "success", result });
};

const attachment = (name: string) => ({
  "content-disposition": `attachment; filename="${name}"`,
  "cache-control": "no-store",
});

const download = async (call: Call): Promise<Response> => {
  const body: unknown = await readObject(call);
  const fields = isObject(body) ? body : {};
  const found = await call.deps.mediaAdmin.download(kindIn(fields), namesIn(fields));
  if (found.form === "file") {
    const { path, mime, name } = found.file;
    return new Response(Bun.file(path), { headers: { "content-type": mime, ...attachment(name) } });
  }
  call.hold();
  return call.deps.streams.pipe({
    request: call.request,
    server: call.server,
    pieces: found.pieces,
    headers: { "content-type": "application/zip", ...attachment(found.name) },
    record: call.record,
    onEnd: () => call.close(),
  });
};

export const adminCacheRoutes: readonly Route[] = [
  {
    method: "DELETE",
    ...adminPaths("/cache"),
    auth: "admin",
    summary: "Remove all stored files, or those of ?type=image|video.",
    handle: clearByQuery,
  },
  {
    method: "GET",
    ...adminPaths("/cache/local"),
    auth: "admin",
    quiet: true,
    summary: "How many files are stored and how large they are.",
    handle: local,
  },
  {
    method: "GET",
    ...adminPaths("/cache/list"),
    auth: "admin",
    summary: "Stored files, newest first: type, page, page_size.",
    handle: list,
  },
  {
    method: "POST",
    ...adminPaths("/cache/clear"),
    auth: "admin",
    summary: "Remove all stored files of a type.",
    handle: clear,
  },
  {
    method: "POST",
    ...adminPaths("/cache/item/delete"),
    auth: "admin",
    summary: "Remove one stored file; a clip's preview goes with it.",
    handle: deleteItem,
  },
  {
    method: "POST",
    ...adminPaths("/cache/items/delete"),
    auth: "admin",
    summary: "Remove the named stored files.",
    handle: deleteItems,
  },
  {
    method: "POST",
    ...adminPaths("/cache/download"),
    auth: "admin",
    summary: "One stored file as an attachment, several as a zip.",
    handle: download,
  },
];
