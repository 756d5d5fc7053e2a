// Stored pictures and clips under names that cannot be guessed. Finds nothing itself: the media room maps a name to a file.
// Invariant: a name is one plain path segment, and only the media types that the store knows are ever sent.
import { GatewayError } from "../../core/errors.ts";
import { checkFileName, type MediaKind } from "../../media/links.ts";
import { isUnchanged, quotedTag, rangeOf } from "../byte-range.ts";
import type { Call, Route, StoredFile } from "../context.ts";
import { errorResponse } from "../errors.ts";

const find = async (call: Call, lookup: { name: string; kinds: readonly MediaKind[] }): Promise<StoredFile> => {
  const { name } = lookup;
  checkFileName(name);
  for (const kind of lookup.kinds) {
    const file = await call.deps.media.find(kind, name);
    if (file) return file;
  }
  throw new GatewayError("file_not_found", "No such file; it may have been deleted to make room.");
};

const byPath =
  (...kinds: MediaKind[]) =>
  async (call: Call) =>
    send(call, await find(call, { name: call.params["name"] ?? "", kinds }));

const byQuery = (kind: MediaKind) => async (call: Call) =>
  send(call, await find(call, { name: call.url.searchParams.get("id") ?? "", kinds: [kind] }));

const send = (call: Call, file: StoredFile): Response => {
  const { headers: asked, method } = call.request;
  const headers = new Headers({
    "content-type": file.mime,
    "cache-control": "public, max-age=31536000, immutable",
    etag: quotedTag(file.etag),
    "last-modified": new Date(file.modifiedMs).toUTCString(),
    "accept-ranges": "bytes",
    "content-disposition": "inline",
    // Files are meant to be shown on other pages, unlike everything else here.
    "cross-origin-resource-policy": "cross-origin",
  });
  if (isUnchanged(asked, file)) return new Response(null, { status: 304, headers });
  const range = rangeOf(asked, file);
  if (range.kind === "unsatisfiable") return refuseRange(call, file);
  const [start, end] = range.kind === "part" ? [range.start, range.end] : [0, file.bytes];
  if (range.kind === "part") headers.set("content-range", `bytes ${start}-${end - 1}/${file.bytes}`);
  const status = range.kind === "part" ? 206 : 200;
  // Without a body the length must be told; with one the server counts it.
  if (method === "HEAD") {
    headers.set("content-length", String(end - start));
    return new Response(null, { status, headers });
  }
  const whole = Bun.file(file.path);
  return new Response(range.kind === "part" ? whole.slice(start, end) : whole, { status, headers });
};

const refuseRange = (call: Call, file: StoredFile): Response => {
  const error = new GatewayError("range_not_satisfiable", `The file has ${file.bytes} bytes.`);
  call.record.error = error;
  const response = errorResponse(error, { path: call.record.path, requestId: call.record.id });
  response.headers.set("content-range", `bytes */${file.bytes}`);
  return response;
};

const fileRoute = (path: string, rest: Pick<Route, "summary" | "handle">): Route => ({
  method: "GET",
  path,
  auth: "file",
  toggle: "enable_files",
  ...rest,
});

export const fileRoutes: readonly Route[] = [
  fileRoute("/v1/files/image", { summary: "A stored picture, named by ?id=.", handle: byQuery("image") }),
  fileRoute("/v1/files/video", { summary: "A stored clip, named by ?id=.", handle: byQuery("video") }),
  fileRoute("/v1/files/image/:name", { summary: "A stored picture.", handle: byPath("image") }),
  fileRoute("/v1/files/video/:name", { summary: "A stored clip.", handle: byPath("video") }),
  fileRoute("/images/:name", {
    summary: "A stored picture or clip (older address).",
    handle: byPath("image", "video"),
  }),
];
