// Stored pictures and clips under names that cannot be guessed. Finds nothing itself: the media room maps a name to a file.
// Invariant: a name is one plain path segment, and only the media types that the store knows are ever sent.
import { GatewayError } from "../../core/errors.ts";
import { checkFileName, type MediaKind } from "../../media/links.ts";
import type { Call, Route } from "../context.ts";
import { sendFile } from "../send-file.ts";

const send = async (call: Call, lookup: { name: string; kinds: readonly MediaKind[] }): Promise<Response> => {
  const { name } = lookup;
  checkFileName(name);
  const secondsLeft = call.deps.links.secondsLeft(name, call.url.searchParams);
  // A copy must not outlive its link.
  const own: Record<string, string> =
    secondsLeft === null ? {} : { "cache-control": `private, max-age=${secondsLeft}` };
  for (const kind of lookup.kinds) {
    const file = await call.deps.media.find(kind, name);
    if (file) return sendFile(call, file, own);
  }
  throw new GatewayError("file_not_found", "No such file; it may have been deleted to make room.");
};

const byPath =
  (...kinds: MediaKind[]) =>
  (call: Call) =>
    send(call, { name: call.params["name"] ?? "", kinds });

const byQuery = (kind: MediaKind) => (call: Call) =>
  send(call, { name: call.url.searchParams.get("id") ?? "", kinds: [kind] });

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
