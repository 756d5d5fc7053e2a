// The pictures that a caller sends along to be changed or filmed: fetched or decoded, and checked by what they are. Knows no
// provider. Links go through the guarded fetcher only. Invariant: a picture is used or refused by name, never left out.
import { GatewayError } from "../core/errors.ts";
import { MAX_REFERENCES, type Reference } from "../core/media-request.ts";
import type { UploadFile } from "../core/request.ts";
import { SNIFF_BYTES } from "../media/sniff.ts";
import type { AttachmentDeps } from "./attachments.ts";

const MEGABYTE = 1024 * 1024;
/** What the site takes for one picture (2026-08). */
const MAX_BYTES = 50 * MEGABYTE;

const EXTENSIONS: Readonly<Record<string, string>> = { "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp" };

export type References = (references: readonly Reference[], signal: AbortSignal) => Promise<readonly UploadFile[]>;

/** The address of a picture of ours, under whatever name this gateway is reached; only who was given the name knows it. */
const OWN_FILE = /\/v1\/files\/image\/([^/?#]+)(?:\?([^#]*))?$/;

export interface ReferenceDeps extends AttachmentDeps {
  /** A picture that lies here already; null when there is none of that name. Throws when the link has expired. */
  readonly stored: (name: string, query: URLSearchParams) => Promise<Blob | null>;
}

export const createReferences = ({ config, fetchForeign, sniff, stored }: ReferenceDeps): References => {
  const read = async ({ source, param }: Reference, signal: AbortSignal): Promise<Blob> => {
    if (source.kind === "file") return source.content;
    if (source.kind === "data") return new Blob([Uint8Array.fromBase64(source.data)]);
    const [, name, query] = OWN_FILE.exec(source.url) ?? [];
    const own = name === undefined ? null : await stored(name, new URLSearchParams(query));
    if (own) return own;
    const { asset } = config();
    const { bytes } = await fetchForeign(source.url, {
      maxBytes: Math.min(MAX_BYTES, asset.max_download_mb * MEGABYTE),
      timeoutMs: asset.download_timeout * 1000,
      signal,
      param,
    });
    return new Blob([new Uint8Array(bytes)]);
  };

  return async (references, signal) => {
    if (references.length > MAX_REFERENCES) {
      const message = `At most ${MAX_REFERENCES} pictures can be sent along.`;
      throw new GatewayError("invalid_image_count", message, { param: references[MAX_REFERENCES]?.param ?? "image" });
    }
    const files: UploadFile[] = [];
    for (const [index, reference] of references.entries()) {
      const { param } = reference;
      const content = await read(reference, signal);
      if (content.size === 0) throw new GatewayError("empty_file", "The picture has no bytes.", { param });
      if (content.size > MAX_BYTES) {
        throw new GatewayError("file_too_large", `A picture may have ${MAX_BYTES / MEGABYTE} MiB.`, { param });
      }
      // Names and declared types are not believed: SDKs send streams without either.
      const mime = sniff(await content.slice(0, SNIFF_BYTES).bytes()) ?? "";
      const extension = EXTENSIONS[mime];
      if (!extension) {
        throw new GatewayError("invalid_image_type", "The picture is not a PNG, JPEG or WebP.", { param });
      }
      files.push({ name: `picture-${index + 1}.${extension}`, mime, content });
    }
    return files;
  };
};
