// A message's parts as the official API takes them: pictures inline, texts of files inside the message, other files uploaded.
// Knows no conversation. Facts of docs.x.ai, 2026-09: documents cannot be sent inline, only by the id of an uploaded file.
import { GatewayError } from "../../core/errors.ts";
import type { ContentPart, GenerationRequest, UploadFile } from "../../core/request.ts";
import type { JsonObject } from "../../lib/json.ts";

type MediaPart = Exclude<ContentPart, { type: "text" }>;

/** What a message consists of upstream; a mere text where it can. */
export type XaiContent = string | readonly JsonObject[];

/** Gives the id of an uploaded file. Throws GatewayError. */
export type Upload = (file: UploadFile, param: string) => Promise<string>;

const PICTURES: readonly string[] = ["image/png", "image/jpeg", "image/webp"];
const TEXT_TYPES = /^text\/|[/+](?:json|xml|yaml|x-yaml|toml|javascript|typescript|x-sh|x-ndjson|sql|csv)\b/;
const TEXT_NAMES =
  /\.(?:txt|md|markdown|csv|tsv|json|jsonl|ndjson|xml|ya?ml|toml|ini|cfg|conf|env|log|html?|css|scss|[cm]?[jt]sx?|py|rb|go|rs|java|kt|swift|c|h|cc|cpp|hpp|cs|php|pl|lua|r|sh|bash|zsh|ps1|sql|proto|graphql|tex|vue|svelte|diff|patch)$/i;
/** A text beyond this is a document to search in, not to read aloud. */
const MAX_INLINE_BYTES = 1024 * 1024;

/** Which fetched file is which part: the newest user turn's come first, then those of the turns before it, as far as they go. */
export const matchFiles = (
  { messages }: Pick<GenerationRequest, "messages">,
  files: readonly UploadFile[],
): ReadonlyMap<ContentPart, UploadFile> => {
  const matched = new Map<ContentPart, UploadFile>();
  let next = 0;
  for (const { role, content } of messages.toReversed()) {
    if (role !== "user") continue;
    const parts = content.filter((part) => part.type !== "text");
    if (next + parts.length > files.length) break;
    for (const part of parts) {
      const file = files[next++];
      if (file) matched.set(part, file);
    }
  }
  return matched;
};

const base64Of = async ({ content }: UploadFile): Promise<string> => (await content.bytes()).toBase64();

const picture = (mime: string, data: string, param: string): JsonObject => {
  if (!PICTURES.includes(mime)) {
    throw new GatewayError("unsupported_value", "The official API reads PNG, JPEG and WebP pictures.", { param });
  }
  return { type: "input_image", image_url: `data:${mime};base64,${data}` };
};

/** Text of a file, or null when its bytes are no text. */
const textOf = async ({ name, mime, content }: UploadFile): Promise<string | null> => {
  if (content.size > MAX_INLINE_BYTES || !(TEXT_TYPES.test(mime) || TEXT_NAMES.test(name))) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await content.bytes());
  } catch {
    return null;
  }
};

const document = async (file: UploadFile, param: string, upload: Upload): Promise<JsonObject> => {
  const text = await textOf(file);
  if (text === null) return { type: "input_file", file_id: await upload(file, param) };
  return { type: "input_text", text: `File "${file.name}":\n\n${text}` };
};

/** A part whose bytes the gateway has not fetched: of an old turn beyond the limit of attachments, or a tool's. */
const unfetched = ({ type, source, param }: MediaPart): JsonObject => {
  if (type === "image") {
    return source.kind === "data"
      ? picture(source.mime, source.data, param)
      : { type: "input_image", image_url: source.url };
  }
  return {
    type: "input_text",
    text: `[A file was here${source.name ? `: "${source.name}"` : ""}. It is no longer attached.]`,
  };
};

const mediaPart = async (
  part: MediaPart,
  { file, upload }: { file: UploadFile | undefined; upload: Upload },
): Promise<JsonObject> => {
  const { type, param } = part;
  if (type === "audio" || file?.mime.startsWith("audio/")) {
    throw new GatewayError("unsupported_value", "The official API's models do not listen to audio.", { param });
  }
  if (!file) return unfetched(part);
  if (type === "image" || PICTURES.includes(file.mime)) return picture(file.mime, await base64Of(file), param);
  return document(file, param, upload);
};

export interface ContentDeps {
  readonly files: ReadonlyMap<ContentPart, UploadFile>;
  readonly upload: Upload;
}

/** Parts in their order; files one after the other, because large ones lie on the disk. */
export const contentOf = async (parts: readonly ContentPart[], { files, upload }: ContentDeps): Promise<XaiContent> => {
  if (parts.every((part) => part.type === "text")) return parts.map(({ text }) => text).join("\n");
  const out: JsonObject[] = [];
  for (const part of parts) {
    if (part.type !== "text") out.push(await mediaPart(part, { file: files.get(part), upload }));
    else if (part.text !== "") out.push({ type: "input_text", text: part.text });
  }
  return out;
};
