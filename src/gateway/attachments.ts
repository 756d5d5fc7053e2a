// Turns the pictures and files of a conversation into bytes ready for an upload. The last user turn's must all fit; of
// older turns as many as the cap leaves room for, newest first. Links are fetched through the guarded fetcher only.
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { ContentPart, GenerationRequest, UploadFile } from "../core/request.ts";

type MediaPart = Exclude<ContentPart, { type: "text" }>;

export interface ForeignFile {
  readonly bytes: Uint8Array;
  readonly mime: string;
}

export interface AttachmentDeps {
  readonly config: () => Config;
  /** Fetches a caller's link; throws GatewayError naming `param`. */
  readonly fetchForeign: (
    url: string,
    options: { maxBytes: number; timeoutMs: number; signal: AbortSignal; param: string },
  ) => Promise<ForeignFile>;
  /** Picture type by its first bytes, or null. */
  readonly sniff: (bytes: Uint8Array) => string | null;
}

const MEGABYTE = 1024 * 1024;

const mediaParts = (content: readonly ContentPart[]): MediaPart[] =>
  content.filter((part): part is MediaPart => part.type !== "text");

/** The parts to send: the last user turn's first, then older ones until the cap. */
const choose = (request: GenerationRequest, cap: number): MediaPart[] => {
  const turns = request.messages
    .filter((message) => message.role === "user")
    .map((message) => mediaParts(message.content));
  const newest = turns.pop() ?? [];
  if (newest.length > cap) {
    throw new GatewayError(
      "too_many_attachments",
      `A message may carry at most ${cap} attachments (asset.max_attachments).`,
      {
        param: "messages",
      },
    );
  }
  const chosen = [...newest];
  for (const turn of turns.reverse()) {
    if (chosen.length + turn.length > cap) break;
    chosen.push(...turn);
  }
  return chosen;
};

const EXTENSION: Record<string, string> = {
  "image/jpeg": "jpg",
  "image/svg+xml": "svg",
  "text/plain": "txt",
  "audio/mpeg": "mp3",
  "audio/wav": "wav",
};

const fileName = (part: MediaPart, mime: string, index: number): string => {
  if (part.source.name) return part.source.name;
  const fromUrl = part.source.kind === "url" ? new URL(part.source.url).pathname.split("/").pop() : "";
  if (fromUrl && /^[\w.-]{1,80}\.\w{1,5}$/.test(fromUrl)) return fromUrl;
  return `${part.type}-${index + 1}.${EXTENSION[mime] ?? mime.split("/")[1]?.replace(/\W.*$/, "") ?? "bin"}`;
};

export const createAttachments = ({ config, fetchForeign, sniff }: AttachmentDeps) => {
  const read = async (part: MediaPart, maxBytes: number, signal: AbortSignal): Promise<ForeignFile> => {
    const { asset } = config();
    if (part.source.kind === "url") {
      const timeoutMs = asset.download_timeout * 1000;
      return fetchForeign(part.source.url, { maxBytes, timeoutMs, signal, param: part.param });
    }
    const bytes = Uint8Array.fromBase64(part.source.data);
    return { bytes, mime: part.source.mime };
  };

  return async (request: GenerationRequest, signal: AbortSignal): Promise<readonly UploadFile[]> => {
    if (!request.messages.some((message) => message.content.some(({ type }) => type !== "text"))) return [];
    const { asset } = config();
    const parts = choose(request, asset.max_attachments);
    const files: UploadFile[] = [];
    let total = 0;
    for (const [index, part] of parts.entries()) {
      const { bytes, mime: declared } = await read(part, asset.max_download_mb * MEGABYTE, signal);
      total += bytes.byteLength;
      if (bytes.byteLength > asset.max_download_mb * MEGABYTE || total > asset.max_attachments_mb * MEGABYTE) {
        throw new GatewayError(
          "file_too_large",
          `Attachments may have ${asset.max_download_mb} MiB each (asset.max_download_mb) and ${asset.max_attachments_mb} MiB together (asset.max_attachments_mb).`,
          { param: part.param },
        );
      }
      const seen = sniff(bytes);
      if (part.type === "image" && !seen?.startsWith("image/")) {
        throw new GatewayError("invalid_media", "The picture is not a PNG, JPEG, WebP or GIF.", { param: part.param });
      }
      const mime = seen ?? declared;
      files.push({ name: fileName(part, mime, index), mime, content: new Blob([new Uint8Array(bytes)]) });
    }
    return files;
  };
};
