// The content of one input item of /v1/responses: text, or a list of parts under the names of this API and under those of
// chat. Reads inline data without decoding it. Invariant: every refusal names the part (`input.0.content.1.…`), and what
// comes out holds only http(s) addresses or base64.
import type { ContentPart, Role } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { fileName, readAudio, readSource } from "./chat-parts.ts";
import { given, isBlank, refuse } from "./field.ts";

export interface ContentPlace {
  readonly role: Role;
  readonly param: string;
  /** Index of the first part under `param`; more than 0 for parts that stand in the input list itself. */
  readonly firstIndex?: number;
}

export const readContent = (content: unknown, place: ContentPlace): readonly ContentPart[] => {
  if (content === undefined || content === null) return [];
  if (typeof content === "string") return isBlank(content) ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) {
    return refuse(
      { code: "invalid_value", param: place.param },
      `'${place.param}' must be a string or a list of parts.`,
    );
  }
  const first = place.firstIndex ?? 0;
  return content
    .map((part: unknown, index) => readPart(part, { role: place.role, param: `${place.param}.${first + index}` }))
    .filter((part) => part !== undefined);
};

const TEXTS: ReadonlySet<string> = new Set(["input_text", "output_text", "text"]);
/** Kinds of reasoning that clients send back; they are not part of the conversation. */
const DROPPED: ReadonlySet<string> = new Set(["reasoning_text", "summary_text", "thinking", "redacted_thinking"]);
const MEDIA: ReadonlySet<string> = new Set(["input_image", "image_url", "input_file", "file", "input_audio"]);

/** Parts that may also stand alone in the input list. */
export const isPart = (type: unknown): boolean =>
  typeof type === "string" && (TEXTS.has(type) || MEDIA.has(type)) && type !== "output_text";

const readPart = (part: unknown, place: ContentPlace): ContentPart | undefined => {
  const { param, role } = place;
  if (!isObject(part)) return refuse({ code: "invalid_block", param }, `'${param}' must be an object.`);
  const type = part["type"];
  if (typeof type !== "string" || isBlank(type)) {
    return refuse({ code: "missing_type", param: `${param}.type` }, `'${param}.type' is missing.`);
  }
  if (TEXTS.has(type)) return readText(part, param);
  if (DROPPED.has(type)) return undefined;
  if (type === "refusal" && role === "assistant") {
    return isBlank(part["refusal"]) ? undefined : { type: "text", text: String(part["refusal"]) };
  }
  if (MEDIA.has(type) && (role === "user" || role === "tool")) return readMedia(part, { type, param });
  const message = `Parts of type '${type.slice(0, 40)}' are not allowed in ${role} content.`;
  return refuse({ code: "invalid_type", param: `${param}.type` }, message);
};

/** A blank text beside other parts says nothing and is left out; clients send it with pictures. */
const readText = (part: JsonObject, param: string): ContentPart | undefined => {
  const text = given(part, "text");
  if (text === undefined || text === "") return undefined;
  if (typeof text === "string") return isBlank(text) ? undefined : { type: "text", text };
  return refuse({ code: "invalid_value", param: `${param}.text` }, `'${param}.text' must be a string.`);
};

const readMedia = (part: JsonObject, place: { readonly type: string; readonly param: string }): ContentPart => {
  const { type, param } = place;
  if (type === "input_image" || type === "image_url") return readImage(part, param);
  if (type === "input_audio") return { type: "audio", source: readAudio(part, param), param: `${param}.input_audio` };
  const nested = type === "file" && isObject(part["file"]);
  return readFile(nested ? (part["file"] as JsonObject) : part, nested ? `${param}.file` : param);
};

/** Files of ours have no ids, so a reference by id can lead nowhere. */
const refuseFileId = (part: JsonObject, param: string): void => {
  if (given(part, "file_id") === undefined) return;
  const message = "Files cannot be referred to by id; send the data or a URL.";
  refuse({ code: "unsupported_parameter", param: `${param}.file_id` }, message);
};

const readImage = (part: JsonObject, param: string): ContentPart => {
  refuseFileId(part, param);
  const value = given(part, "image_url");
  const nested = isObject(value);
  const url = nested ? value["url"] : value;
  const at = nested ? `${param}.image_url.url` : `${param}.image_url`;
  if (typeof url !== "string" || isBlank(url)) return refuse({ code: "missing_url", param: at }, `'${at}' is missing.`);
  return { type: "image", source: readSource(url, { param: at, mime: /^image\// }), param: `${param}.image_url` };
};

const FILE_FIELDS = ["file_data", "file_url", "data", "url"] as const;

const readFile = (part: JsonObject, param: string): ContentPart => {
  refuseFileId(part, param);
  const field = FILE_FIELDS.find((key) => !isBlank(part[key]));
  if (field === undefined) {
    return refuse({ code: "missing_file", param: `${param}.file_data` }, `'${param}' holds no data and no URL.`);
  }
  const at = `${param}.${field}`;
  const source = readSource(String(part[field]), { param: at, mime: /./ });
  const name = fileName(given(part, "filename") ?? given(part, "name"));
  return { type: "file", source: name === "" ? source : { ...source, name }, param: at };
};
