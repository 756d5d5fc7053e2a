// The content of one chat message: text, or a list of parts in every shape that clients of OpenAI-like servers send.
// Reads inline data without decoding it; linked media stays an address. Invariant: every refusal names the part
// (`messages.0.content.1.…`), and what comes out holds only http(s) addresses or base64.
import type { Attachment, ContentPart, Role } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { given, isBlank, type Place, refuse } from "./field.ts";

interface Where {
  readonly role: Role;
  readonly param: string;
}

/** Size of the decoded bytes; a linked attachment has none yet. */
export const attachmentBytes = (source: Attachment): number => {
  if (source.kind === "url") return 0;
  const padding = source.data.endsWith("==") ? 2 : source.data.endsWith("=") ? 1 : 0;
  return Math.floor((source.data.length * 3) / 4) - padding;
};

/** A user message must say something; other roles may be empty (an empty system text, a tool without output). */
export const parseContent = (content: unknown, where: Where): readonly ContentPart[] => {
  const parts = readContent(content, where);
  if (parts.length === 0 && where.role === "user") {
    return refuse({ code: "empty_content", param: where.param }, `'${where.param}' must not be empty.`);
  }
  return parts;
};

const readContent = (content: unknown, where: Where): readonly ContentPart[] => {
  if (content === undefined) return [];
  if (typeof content === "string") return isBlank(content) ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) {
    return refuse(
      { code: "invalid_value", param: where.param },
      `'${where.param}' must be a string or a list of parts.`,
    );
  }
  return content
    .map((part: unknown, index) => readPart(part, { role: where.role, param: `${where.param}.${index}` }))
    .filter((part) => part !== undefined);
};

/** Kinds of reasoning that clients send back with the history; they are not part of the conversation. */
const DROPPED: ReadonlySet<string> = new Set(["thinking", "redacted_thinking", "reasoning"]);

const readPart = (part: unknown, where: Where): ContentPart | undefined => {
  const { param } = where;
  if (!isObject(part)) return refuse({ code: "invalid_block", param }, `'${param}' must be an object.`);
  if (Object.keys(part).length === 0) return refuse({ code: "empty_block", param }, `'${param}' must not be empty.`);
  const type = readType(part, param);
  if (DROPPED.has(type)) return undefined;
  if (type === "text") return readText(part, where);
  if (type === "refusal" && where.role === "assistant") {
    return isBlank(part["refusal"]) ? undefined : { type: "text", text: String(part["refusal"]) };
  }
  if (where.role === "user") {
    if (type === "image_url") return { type: "image", source: readImage(part, param), param: `${param}.image_url` };
    if (type === "input_audio") return { type: "audio", source: readAudio(part, param), param: `${param}.input_audio` };
    if (type === "file") return { type: "file", source: readFile(part, param), param: `${param}.file` };
  }
  const message = `Parts of type '${type.slice(0, 40)}' are not allowed in ${where.role} messages.`;
  return refuse({ code: "invalid_type", param: `${param}.type` }, message);
};

const readType = (part: JsonObject, param: string): string => {
  const type = given(part, "type");
  const place = (code: Place["code"]): Place => ({ code, param: `${param}.type` });
  if (type === undefined) return refuse(place("missing_type"), `'${param}.type' is missing.`);
  if (typeof type !== "string") return refuse(place("invalid_type"), `'${param}.type' must be a string.`);
  return isBlank(type) ? refuse(place("empty_type"), `'${param}.type' must not be empty.`) : type;
};

const readText = (part: JsonObject, where: Where): ContentPart | undefined => {
  const text = part["text"];
  if (typeof text === "string" && !isBlank(text)) return { type: "text", text };
  if (where.role !== "user" && (text == null || typeof text === "string")) return undefined;
  const param = `${where.param}.text`;
  return refuse({ code: "empty_text", param }, `'${param}' must be a non-empty string.`);
};

const readImage = (part: JsonObject, param: string): Attachment => {
  const value = given(part, "image_url");
  const nested = isObject(value);
  const url = nested ? value["url"] : value;
  const at = nested ? `${param}.image_url.url` : `${param}.image_url`;
  if (typeof url !== "string" || isBlank(url)) return refuse({ code: "missing_url", param: at }, `'${at}' is missing.`);
  return readSource(url, { param: at, mime: /^image\// });
};

const AUDIO_TYPES: Readonly<Record<string, string>> = {
  wav: "audio/wav",
  mp3: "audio/mpeg",
  mpeg: "audio/mpeg",
  flac: "audio/flac",
  ogg: "audio/ogg",
  opus: "audio/ogg",
  aac: "audio/aac",
  m4a: "audio/mp4",
  mp4: "audio/mp4",
  webm: "audio/webm",
};

/** The official shape is bare base64 and a format; addresses and data URIs are accepted too. */
export const readAudio = (part: JsonObject, param: string): Attachment => {
  const value = given(part, "input_audio");
  const nested = isObject(value);
  const data = nested ? (given(value, "data") ?? value["url"]) : value;
  const at = nested ? `${param}.input_audio.data` : `${param}.input_audio`;
  if (typeof data !== "string" || isBlank(data)) {
    return refuse({ code: "missing_audio", param: at }, `'${at}' is missing.`);
  }
  const format = nested ? given(value, "format") : undefined;
  if (format === undefined || /^(?:data|https?):/i.test(data.trimStart())) {
    return readSource(data, { param: at, mime: /^(?:audio|video)\// });
  }
  const mime = typeof format === "string" ? AUDIO_TYPES[format.toLowerCase()] : undefined;
  if (mime === undefined) {
    const formatAt = `${param}.input_audio.format`;
    const known = Object.keys(AUDIO_TYPES).join(", ");
    return refuse({ code: "invalid_value", param: formatAt }, `'${formatAt}' must be one of: ${known}.`);
  }
  return { kind: "data", mime, data: readBase64(data, at) };
};

const MAX_NAME = 200;
const FILE_FIELDS = ["file_data", "data", "file_url", "url"] as const;

const readFile = (part: JsonObject, param: string): Attachment => {
  const value = given(part, "file");
  const fields: JsonObject = isObject(value) ? value : { url: value };
  if (given(fields, "file_id") !== undefined) {
    const message = "Files cannot be referred to by id; send 'file_data' or a URL.";
    return refuse({ code: "unsupported_parameter", param: `${param}.file.file_id` }, message);
  }
  const field = FILE_FIELDS.find((key) => !isBlank(fields[key]));
  if (field === undefined) {
    return refuse({ code: "missing_file", param: `${param}.file` }, `'${param}.file' holds no data and no URL.`);
  }
  const at = isObject(value) ? `${param}.file.${field}` : `${param}.file`;
  const source = readSource(String(fields[field]), { param: at, mime: /./ });
  const name = fileName(given(fields, "filename") ?? given(fields, "name"));
  return name === "" ? source : { ...source, name };
};

/** The last segment of the caller's name, fit for a header and for a folder. */
export const fileName = (value: unknown): string => {
  const name = typeof value === "string" ? (value.split(/[\\/]/).at(-1) ?? "") : "";
  return name
    .replace(/\p{Cc}/gu, "")
    .trim()
    .slice(0, MAX_NAME);
};

const UNTYPED = "application/octet-stream";

export const readSource = (text: string, rule: { readonly param: string; readonly mime: RegExp }): Attachment => {
  const source = text.trim();
  const place: Place = { code: "invalid_media", param: rule.param };
  if (/^https?:/i.test(source)) {
    return URL.canParse(source) ? { kind: "url", url: source } : refuse(place, `'${rule.param}' is not a valid URL.`);
  }
  if (!/^data:/i.test(source)) {
    return refuse(place, `'${rule.param}' must be an http(s) URL or a data URI (data:<type>;base64,…).`);
  }
  const comma = source.indexOf(",");
  const [mime = "", ...options] = source.slice("data:".length, Math.max(comma, 0)).toLowerCase().split(";");
  if (comma < 0 || options.at(-1)?.trim() !== "base64") {
    return refuse(place, `'${rule.param}' must be a base64 data URI.`);
  }
  const type = mime.trim() || UNTYPED;
  if (!rule.mime.test(type)) return refuse(place, `'${rule.param}' has the media type '${type.slice(0, 60)}'.`);
  return { kind: "data", mime: type, data: readBase64(source.slice(comma + 1), rule.param) };
};

/** Line breaks inside base64 are common and harmless; anything else that is not base64 is refused. */
export const readBase64 = (text: string, param: string): string => {
  const data = /\s/.test(text) ? text.replace(/\s+/g, "") : text;
  // Padding may be missing altogether, but not in part: decoders refuse that.
  const whole = data.endsWith("=") ? data.length % 4 === 0 : data.length % 4 !== 1;
  if (whole && /^[A-Za-z0-9+/]+={0,2}$/.test(data)) return data;
  return refuse({ code: "invalid_media", param }, `'${param}' does not hold valid base64 data.`);
};
