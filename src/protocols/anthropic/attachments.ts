// Pictures and documents of a conversation: how a `source` is read, and which attachments of a long history are kept. Reads
// inline data without decoding it. Invariant: whatever the newest user turn attaches is either passed on or refused; only
// older attachments may be left out, and then a note in the text says so.
import type { Attachment, ContentPart, Message } from "../../core/request.ts";
import type { JsonObject } from "../../lib/json.ts";
import { at, given, isBlank, object, refuse, text } from "./field.ts";

export interface AttachmentLimits {
  /** Attachments that one request may carry. */
  readonly maxAttachments: number;
  /** Decoded bytes of all inline attachments together. */
  readonly maxAttachmentBytes: number;
}

interface SourceRule {
  readonly param: string;
  /** Media types that inline data may have. */
  readonly mime: RegExp;
}

/** A `source` of the kinds that stand for bytes: base64 and url. */
export const readBytes = (source: JsonObject, rule: SourceRule): Attachment => {
  const { param } = rule;
  switch (source["type"]) {
    case "base64":
      return readInline(source, rule);
    case "url":
      return readLink(source, rule);
    case "file":
      return refuse(at(param, "unsupported_parameter"), "files cannot be referred to by id; send base64 or a URL");
    default:
      return refuse(at(`${param}.type`), "must be one of: base64, url");
  }
};

const readLink = (source: JsonObject, rule: SourceRule): Attachment => {
  const param = `${rule.param}.url`;
  const url = text(source["url"], at(param, "missing_url")).trim();
  if (/^data:/i.test(url)) return readDataUri(url, { param, mime: rule.mime });
  if (/^https?:/i.test(url) && URL.canParse(url)) return { kind: "url", url };
  return refuse(at(param, "invalid_media"), "must be an http(s) URL");
};

const readInline = (source: JsonObject, { param, mime }: SourceRule): Attachment => {
  const data = text(source["data"], at(`${param}.data`, "missing_file")).trim();
  if (/^data:/i.test(data)) return readDataUri(data, { param: `${param}.data`, mime });
  const type = text(source["media_type"], at(`${param}.media_type`, "missing_required_parameter"))
    .trim()
    .toLowerCase();
  return inline(type, data, { param, mime });
};

const readDataUri = (uri: string, { param, mime }: SourceRule): Attachment => {
  const [, type = "", data = ""] = /^data:([^;,]*)(?:;[^,]*)?;base64,(.*)$/is.exec(uri) ?? [];
  if (data === "") return refuse(at(param, "invalid_media"), "must be base64 data");
  return inline(type.toLowerCase(), data, { param, mime });
};

const inline = (type: string, written: string, { param, mime }: SourceRule): Attachment => {
  if (!mime.test(type)) {
    return refuse(at(`${param}.media_type`, "invalid_media"), `'${type.slice(0, 60)}' is not accepted here`);
  }
  // Line breaks inside base64 are common and harmless; padding may be missing, but not in part.
  const data = /\s/.test(written) ? written.replace(/\s+/g, "") : written;
  const complete = data.endsWith("=") ? data.length % 4 === 0 : data.length % 4 !== 1;
  if (complete && /^[A-Za-z0-9+/]+={0,2}$/.test(data)) return { kind: "data", mime: type, data };
  return refuse(at(`${param}.data`, "invalid_media"), "does not hold valid base64 data");
};

/** Any picture type: what the bytes really are is looked at when they are there. */
export const readImage = (block: JsonObject, param: string): ContentPart => {
  const source = object(required(block, param), at(`${param}.source`));
  return { type: "image", source: readBytes(source, { param: `${param}.source`, mime: /^image\// }), param };
};

const MAX_TITLE = 200;

/** Bytes become an attachment; a document that is text is part of the conversation's text. */
export const readDocument = (block: JsonObject, param: string): ContentPart => {
  const source = object(required(block, param), at(`${param}.source`));
  const title = isBlank(block["title"])
    ? ""
    : String(block["title"])
        .replace(/\p{Cc}/gu, " ")
        .trim();
  const written = documentText(source, param);
  if (written !== undefined) {
    const context = isBlank(block["context"]) ? "" : `\n${String(block["context"])}`;
    return { type: "text", text: `[document${title === "" ? "" : `: ${title}`}]${context}\n${written}` };
  }
  const bytes = readBytes(source, { param: `${param}.source`, mime: /^[\w.+-]+\/[\w.+-]+$/ });
  const name = (title.split(/[\\/]/).at(-1) ?? "").slice(0, MAX_TITLE);
  // A title is not always a file's name, and a name without an ending would hide what the file is.
  return { type: "file", source: /\.\w{1,5}$/.test(name) ? { ...bytes, name } : bytes, param };
};

const required = (block: JsonObject, param: string): unknown =>
  given(block, "source") ?? refuse(at(`${param}.source`, "missing_required_parameter"), "this field is required");

/** The text of a source that is text, `undefined` for bytes. */
const documentText = (source: JsonObject, param: string): string | undefined => {
  if (source["type"] === "text") return text(source["data"], at(`${param}.source.data`, "empty_text"));
  if (source["type"] !== "content") return undefined;
  const { content } = source;
  if (typeof content === "string") return content;
  return contentTexts(content).join("\n");
};

/** The texts of a list of blocks; anything else in it has none. */
export const contentTexts = (content: unknown): readonly string[] =>
  Array.isArray(content)
    ? content.flatMap((item: unknown) => {
        const found: unknown = typeof item === "object" && item !== null ? Reflect.get(item, "text") : undefined;
        return typeof found === "string" && found.trim() !== "" ? [found] : [];
      })
    : [];

/** Size of the decoded bytes; a linked attachment has none yet. */
const attachmentBytes = (source: Attachment): number => {
  if (source.kind === "url") return 0;
  const padding = source.data.endsWith("==") ? 2 : source.data.endsWith("=") ? 1 : 0;
  return Math.floor((source.data.length * 3) / 4) - padding;
};

const LEFT_OUT: ContentPart = { type: "text", text: "[An attachment of an earlier turn was left out.]" };

/** Index of the first message of the newest user turn: what stands between the last user message and the answer before it. */
const newestTurn = (messages: readonly Message[]): number => {
  let index = messages.findLastIndex((message) => message.role === "user");
  while (index > 0 && messages[index - 1]?.role !== "assistant") index--;
  return index;
};

/** Spends the caps from the newest message backwards. */
export const limitAttachments = (messages: readonly Message[], limits: AttachmentLimits): readonly Message[] => {
  const mandatoryFrom = newestTurn(messages);
  let places = limits.maxAttachments;
  let bytes = limits.maxAttachmentBytes;
  const keep = (part: ContentPart, mandatory: boolean): ContentPart => {
    if (part.type === "text") return part;
    const size = attachmentBytes(part.source);
    if (places > 0 && size <= bytes) {
      places--;
      bytes -= size;
      return part;
    }
    if (!mandatory) return LEFT_OUT;
    if (places === 0) {
      return refuse(at(part.param, "too_many_attachments"), `at most ${limits.maxAttachments} attachments are allowed`);
    }
    const message = `the attachments are larger than ${limits.maxAttachmentBytes} bytes together`;
    return refuse(at(part.param, "file_too_large"), message);
  };
  const kept = [...messages];
  for (let index = messages.length - 1; index >= 0; index--) {
    const message = messages[index];
    if (message === undefined || message.content.every((part) => part.type === "text")) continue;
    const parts = message.content.toReversed().map((part) => keep(part, index >= mandatoryFrom));
    kept[index] = { ...message, content: parts.toReversed() };
  }
  return kept;
};
