// Fields that pictures and clips share, in JSON and in forms alike: a form knows only text, so "2" is 2 and "true" is true.
// Knows no endpoint. Invariant: a value is one that the upstream has, or it is refused with the field's own code.
import { GatewayError } from "../../core/errors.ts";
import {
  DEFAULT_SIZE,
  LARGE_SIZE_RATIOS,
  PICTURE_RATIOS,
  PLAIN_RATIOS,
  type Reference,
  SIZE_RATIOS,
} from "../../core/media-request.ts";
import type { PictureResolution } from "../../core/media-wishes.ts";
import type { ReceivedFile } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { readSource } from "./chat-parts.ts";
import { given, type Place, refuse } from "./field.ts";

/** A body as it came: the text fields of a form or the keys of a JSON object, and the form's files. */
export interface MediaBody {
  readonly fields: JsonObject;
  readonly files: readonly MediaFile[];
}

export interface MediaFile {
  /** The field that carried it. */
  readonly field: string;
  readonly file: ReceivedFile;
}

const MAX_PROMPT = 32_000;

export const parsePrompt = (fields: JsonObject): string => {
  const value = given(fields, "prompt");
  const param = "prompt";
  if (value === undefined) return refuse({ code: "missing_prompt", param }, "Missing required parameter: 'prompt'.");
  if (typeof value !== "string") return refuse({ code: "invalid_value", param }, "'prompt' must be a string.");
  if (value.trim() === "") return refuse({ code: "empty_prompt", param }, "'prompt' must not be empty.");
  if (value.length > MAX_PROMPT) {
    return refuse({ code: "invalid_value", param }, `'prompt' may have ${MAX_PROMPT} characters.`);
  }
  return value;
};

/** An id as the caller wrote it; whether it exists is not known here. */
export const parseModel = (fields: JsonObject, fallback: string): string => {
  const value = given(fields, "model") ?? fallback;
  if (typeof value === "string" && value.trim() !== "") return value;
  return refuse({ code: "invalid_value", param: "model" }, "'model' must be a non-empty string.");
};

export const wholeNumber = (
  value: unknown,
  rule: Place & { readonly min: number; readonly max: number; readonly fallback: number },
): number => {
  if (value === undefined || value === "") return rule.fallback;
  const number = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= rule.min && number <= rule.max) return number;
  return refuse(rule, `'${rule.param}' must be a whole number from ${rule.min} to ${rule.max}.`);
};

export interface Shape {
  readonly size: string;
  readonly ratio: string | null;
  /** Where the caller states one, and the field that does. */
  readonly resolution?: PictureResolution;
  readonly resolutionField?: string;
}

const RESOLUTIONS: readonly PictureResolution[] = ["1k", "1.5k", "2k"];

/** The explicit ratio wins over the size; without either it is the documented default, or nothing where that is allowed. */
export const parseRatio = (
  fields: JsonObject,
  where: {
    readonly prefix?: string;
    readonly fallback: string | null;
    /** Also those that only some kind of account draws; the resolution must be heard then. */
    readonly sizes?: "all";
  },
): Shape => {
  const { prefix = "", fallback, sizes } = where;
  const size = given(fields, "size");
  const ratio = given(fields, "aspect_ratio");
  const bySize = { ...ratioOf(size, { param: `${prefix}size`, fallback, sizes }), ...resolutionIn(fields, where) };
  if (ratio === undefined || ratio === "" || ratio === "auto") return bySize;
  const place: Place = { code: "invalid_aspect_ratio", param: `${prefix}aspect_ratio` };
  if (typeof ratio !== "string" || !PICTURE_RATIOS.includes(ratio)) {
    return refuse(place, `'${place.param}' must be one of: ${PICTURE_RATIOS.join(", ")}.`);
  }
  return { ...bySize, size: size === undefined ? ratio : bySize.size, ratio };
};

/** Stated outright, it wins over the size. */
const resolutionIn = (
  fields: JsonObject,
  { prefix = "", sizes }: { readonly prefix?: string; readonly sizes?: "all" },
): Pick<Shape, "resolution" | "resolutionField"> => {
  const value = given(fields, "resolution");
  if (sizes !== "all" || value === undefined || value === "") return {};
  const resolutionField = `${prefix}resolution`;
  const wanted = typeof value === "string" ? value.trim().toLowerCase() : "";
  const resolution = RESOLUTIONS.find((one) => one === wanted);
  if (resolution) return { resolution, resolutionField };
  const place: Place = { code: "invalid_resolution", param: resolutionField };
  return refuse(place, `'${resolutionField}' must be one of: ${RESOLUTIONS.join(", ")}.`);
};

const ratioOf = (
  size: unknown,
  {
    param,
    fallback,
    sizes,
  }: { readonly param: string; readonly fallback: string | null; readonly sizes: "all" | undefined },
): Shape => {
  if (size === undefined || size === "" || size === "auto") {
    return { size: fallback === null ? "auto" : DEFAULT_SIZE, ratio: fallback };
  }
  const known = typeof size === "string" ? size.trim().toLowerCase() : "";
  const ratio = PLAIN_RATIOS.includes(known)
    ? known
    : Object.hasOwn(SIZE_RATIOS, known)
      ? SIZE_RATIOS[known]
      : undefined;
  if (ratio !== undefined) return { size: known, ratio };
  const large = sizes === "all" && Object.hasOwn(LARGE_SIZE_RATIOS, known) ? LARGE_SIZE_RATIOS[known] : undefined;
  if (large !== undefined) return { size: known, ratio: large, resolution: "2k", resolutionField: param };
  const all = [...Object.keys(SIZE_RATIOS), ...PLAIN_RATIOS, "auto"];
  return refuse({ code: "invalid_size", param }, `'${param}' must be one of: ${all.join(", ")}.`);
};

export type PictureFormat = "url" | "b64_json";

/** `base64` is what older gateways called `b64_json`. */
export const parseFormat = (
  value: unknown,
  rule: { readonly param: string; readonly fallback: string },
): PictureFormat => {
  const format = value === undefined || value === "" ? rule.fallback : value;
  if (format === "url") return "url";
  if (format === "b64_json" || format === "base64") return "b64_json";
  const place: Place = { code: "invalid_response_format", param: rule.param };
  return refuse(place, `'${rule.param}' must be one of: url, b64_json, base64.`);
};

export const formBoolean = (value: unknown, place: Place): boolean => {
  if (value === undefined || value === "" || value === false || value === "false" || value === "0") return false;
  if (value === true || value === "true" || value === "1") return true;
  return refuse(place, `'${place.param}' must be a boolean.`);
};

/** Pictures that are sent along: files of a form, and addresses or data URIs in any of the shapes that clients use. */
export const parseReferences = (
  { fields, files }: MediaBody,
  names: { readonly fields: readonly string[] },
): readonly Reference[] => {
  const isNamed = (field: string) => names.fields.includes(field.replace(/\[\d*\]$/, ""));
  const byId = Object.keys(fields).find((field) => field.endsWith("[file_id]") && isNamed(field.slice(0, -9)));
  if (byId !== undefined) throw noFileIds(byId);
  const uploaded = files
    .filter(({ field }) => isNamed(field))
    .map(({ field, file: { content, keep } }): Reference => ({
      source: { kind: "file", content, keep },
      param: field,
    }));
  const linked = Object.entries(fields)
    .filter(([field]) => isNamed(field.replace(/\[(?:image_url|url)\]$/, "")))
    .flatMap(([field, value]) => linksOf(value, field));
  return [...uploaded, ...linked];
};

const noFileIds = (param: string): GatewayError =>
  new GatewayError("unsupported_parameter", "Pictures cannot be referred to by id; send a file or a URL.", { param });

const linksOf = (value: unknown, param: string): readonly Reference[] => {
  if (value === undefined || value === null || value === "") return [];
  if (Array.isArray(value)) return value.flatMap((item: unknown, index) => linksOf(item, `${param}.${index}`));
  if (typeof value === "string") return [{ source: readSource(value, { param, mime: /^image\// }), param }];
  if (!isObject(value)) throw new GatewayError("invalid_media", `'${param}' is not a picture.`, { param });
  if (given(value, "file_id") !== undefined) {
    throw noFileIds(`${param}.file_id`);
  }
  const field = given(value, "image_url") === undefined ? "url" : "image_url";
  const inner = given(value, field);
  if (inner === undefined) return refuse({ code: "missing_url", param }, `'${param}' holds no address.`);
  return linksOf(inner, `${param}.${field}`);
};
