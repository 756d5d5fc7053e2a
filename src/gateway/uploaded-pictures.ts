// Pictures that callers upload ahead of their use: checked by what they are, and kept beside those that were drawn. Knows no HTTP.
// Invariant: only what the store would serve as a picture is kept, under a name that cannot be guessed.
import { GatewayError } from "../core/errors.ts";
import { hexId } from "../lib/ids.ts";
import type { MediaKind } from "../media/links.ts";
import type { MediaStore } from "../media/store.ts";

export interface UploadedPictures {
  /** Throws GatewayError naming `file`. */
  keep(bytes: Uint8Array, baseUrl: string): Promise<{ name: string; url: string; bytes: number }>;
}

const MEGABYTE = 1024 * 1024;
const MAX_BYTES = 25 * MEGABYTE;
const param = "file";

export const createUploadedPictures = (deps: {
  store: Pick<MediaStore, "put">;
  sniff: (bytes: Uint8Array) => string | null;
  link: (baseUrl: string, file: { kind: MediaKind; name: string }) => string;
}): UploadedPictures => ({
  async keep(bytes, baseUrl) {
    if (bytes.byteLength === 0) throw new GatewayError("empty_file", "The file has no bytes.", { param });
    if (bytes.byteLength > MAX_BYTES) {
      throw new GatewayError("file_too_large", `A picture may have ${MAX_BYTES / MEGABYTE} MiB.`, { param });
    }
    if (!deps.sniff(bytes)?.startsWith("image/")) {
      throw new GatewayError("invalid_image_type", "The file is not a PNG, JPEG, WebP or GIF.", { param });
    }
    const origin = hexId("upload-");
    const kept = await deps.store.put({ kind: "image", bytes, origin, account: null });
    return { name: kept.name, url: deps.link(baseUrl, kept), bytes: kept.bytes };
  },
});
