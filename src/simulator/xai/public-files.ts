// Finished pictures and clips behind addresses that need no key and stop working after an hour.
// Knows no job. Invariant: nothing is drawn until somebody asks for it.
import { randomHex, randomUuid } from "../chance.ts";
import type { World } from "../world.ts";
import type { PublicFile } from "./state.ts";

const ENDINGS: Record<string, string> = { "image/jpeg": "jpg", "video/mp4": "mp4" };

/** The address under which the file can be fetched for a while. */
export function publish(world: World, file: PublicFile): string {
  const name = `${randomUuid()}.${ENDINGS[file.mimeType] ?? "bin"}`;
  world.xai.publicFiles.set(name, file);
  const host = file.mimeType.startsWith("video/") ? "vidgen" : "imgen";
  return `${world.origin}/xai/files/${host}/${name}?sig=${randomHex(8)}`;
}

/** The real hosts answer a lapsed address with 403. */
export async function servePublic(world: World, request: Request, pathname: string): Promise<Response> {
  const file = world.xai.publicFiles.get(pathname.split("/").at(-1) ?? "");
  if (file === undefined || file.refused) return new Response("Access denied", { status: 403 });
  const bytes = new Uint8Array(await file.bytes());
  const headers: Record<string, string> = { "content-type": file.mimeType, "accept-ranges": "bytes" };
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "") ?? [];
  if (from === undefined) return new Response(request.method === "HEAD" ? null : bytes, { headers });
  const start = Number(from);
  const end = to === "" ? bytes.length - 1 : Math.min(Number(to), bytes.length - 1);
  if (start > end) return new Response(null, { status: 416, headers: { "content-range": `bytes */${bytes.length}` } });
  headers["content-range"] = `bytes ${start}-${end}/${bytes.length}`;
  return new Response(bytes.slice(start, end + 1), { status: 206, headers });
}
