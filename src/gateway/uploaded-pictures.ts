// Pictures that callers upload ahead of their use: checked by what they are, and kept beside those that were drawn. Knows no HTTP.
// Invariant: only what the store would serve as a picture is kept, under a name that cannot be guessed.
import { GatewayError } from "../core/errors.ts";
import type { ReceivedFile } from "../core/request.ts";
import { hexId } from "../lib/ids.ts";
import type { MediaKind } from "../media/links.ts";
import { SNIFF_BYTES } from "../media/sniff.ts";
import type { MediaStore } from "../media/store.ts";

export interface UploadedPictures {
  /** The file is moved. Throws GatewayError naming `file`. */
  keep(file: Pick<ReceivedFile, "path" | "content">, baseUrl: string): Promise<KeptUpload>;
}

export interface KeptUpload {
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
}

const param = "file";

export const createUploadedPictures = (deps: {
  store: Pick<MediaStore, "putFile">;
  sniff: (bytes: Uint8Array) => string | null;
  link: (baseUrl: string, file: { kind: MediaKind; name: string }) => string;
}): UploadedPictures => ({
  async keep({ path, content }, baseUrl) {
    const { size } = content;
    if (size === 0) throw new GatewayError("empty_file", "The file has no bytes.", { param });
    if (!deps.sniff(await content.slice(0, SNIFF_BYTES).bytes())?.startsWith("image/")) {
      throw new GatewayError("invalid_image_type", "The file is not a PNG, JPEG, WebP or GIF.", { param });
    }
    const origin = hexId("upload-");
    const kept = await deps.store.putFile({ kind: "image", path, size, origin, account: null });
    return { name: kept.name, url: deps.link(baseUrl, kept), bytes: kept.bytes };
  },
});
