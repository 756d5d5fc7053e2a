// Answers with a stored file: ranges, entity tags, HEAD. Knows no route and finds nothing itself.
// Invariant: the type is the one that the store has proven, and a range outside the file is told as 416.
import { GatewayError } from "../core/errors.ts";
import { isUnchanged, quotedTag, rangeOf } from "./byte-range.ts";
import type { Call, StoredFile } from "./context.ts";
import { errorResponse } from "./errors.ts";

/** `own` headers replace those that files under public names have. */
export const sendFile = (call: Call, file: StoredFile, own: Readonly<Record<string, string>> = {}): Response => {
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
    ...own,
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
