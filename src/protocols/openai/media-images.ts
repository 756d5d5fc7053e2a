// The request half of the picture endpoints: one checked PictureRequest from a JSON object or a form. Whether the model exists
// is not known here. Invariant: a field that changes the picture is served or refused, never ignored; others are accepted.
import type { PictureRequest } from "../../core/media-request.ts";
import type { PictureQuality } from "../../core/media-wishes.ts";
import type { JsonObject } from "../../lib/json.ts";
import { given, oneOf, refuse } from "./field.ts";
import {
  formBoolean,
  type MediaBody,
  parseFormat,
  parseModel,
  parsePrompt,
  parseRatio,
  parseReferences,
  type PictureFormat,
  wholeNumber,
} from "./media-fields.ts";

/** A PictureRequest and what only the answer needs to know. */
export interface ImagesRequest extends PictureRequest {
  readonly format: PictureFormat;
  /** As asked for; answers echo both. */
  readonly size: string;
  readonly quality: string;
  /** Fields that were accepted without effect, for a warning. */
  readonly ignored: readonly string[];
}

export interface ImagesDefaults {
  /** `app.image_format`. */
  readonly format: string;
  /** Pictures of an adult request that does not say how many. */
  readonly adultCount: number;
}

export const IMAGE_MODEL = "grok-imagine-1.0";
export const EDIT_MODEL = "grok-imagine-1.0-edit";

const QUALITIES = ["auto", "low", "medium", "high", "standard", "hd"] as const;
const MOST = 10;
/** More at once could not be told apart by clients that follow the stream. */
const MOST_STREAMED = 2;
const MOST_ADULT = 4;
/** The upstream draws from older size names in this ratio (2026-02). */
const ADULT_RATIO = "2:3";

export const parseGeneration = (body: MediaBody, defaults: ImagesDefaults): ImagesRequest => {
  const { fields } = body;
  const prompt = parsePrompt(fields);
  const adult = formBoolean(given(fields, "nsfw"), { code: "invalid_value", param: "nsfw" });
  const references = parseReferences(body, { fields: ["image", "images"] });
  return {
    model: parseModel(fields, IMAGE_MODEL),
    prompt,
    ...parseShared(fields, defaults),
    ...parseRatio(fields, { fallback: "1:1", sizes: "all" }),
    adult,
    // Pictures belong to edits; here they are only carried so that they can be refused by name.
    references: adult ? references : refuseReferences(references),
    ignored: [],
  };
};

/** Older clients of this endpoint send sizes that it never knew; they are drawn upright, as they always were. */
export const parseAdultGeneration = (body: MediaBody, defaults: ImagesDefaults): ImagesRequest => {
  const { fields } = body;
  const size = given(fields, "size") ?? "auto";
  const square = typeof size === "string" && /^(?:1024x1024|512x512|256x256|1:1)$/.test(size);
  const wide = size === "1536x1024" || size === "3:2";
  return {
    model: parseModel(fields, IMAGE_MODEL),
    prompt: parsePrompt(fields),
    ...parseShared(fields, defaults),
    count: wholeNumber(given(fields, "n"), {
      code: "invalid_n",
      param: "n",
      min: 1,
      max: MOST_ADULT,
      fallback: defaults.adultCount,
    }),
    size: typeof size === "string" ? size : "auto",
    ratio: square ? "1:1" : wide ? "3:2" : ADULT_RATIO,
    adult: true,
    references: parseReferences(body, { fields: ["image", "images", "image_url"] }),
    ignored: [],
  };
};

export const parseEdit = (body: MediaBody, defaults: ImagesDefaults): ImagesRequest => {
  const { fields } = body;
  const references = parseReferences(body, { fields: ["image", "images"] });
  if (references.length === 0) {
    return refuse({ code: "missing_image", param: "image" }, "Missing required parameter: 'image'.");
  }
  const masked = given(fields, "mask") !== undefined || body.files.some(({ field }) => field === "mask");
  return {
    model: parseModel(fields, EDIT_MODEL),
    prompt: parsePrompt(fields),
    ...parseShared(fields, defaults),
    ...parseRatio(fields, { fallback: null, sizes: "all" }),
    adult: formBoolean(given(fields, "nsfw"), { code: "invalid_value", param: "nsfw" }),
    references,
    ignored: masked ? ["mask"] : [],
  };
};

const parseShared = (fields: JsonObject, defaults: ImagesDefaults) => {
  const stream = formBoolean(given(fields, "stream"), { code: "invalid_stream", param: "stream" });
  const count = wholeNumber(given(fields, "n"), { code: "invalid_n", param: "n", min: 1, max: MOST, fallback: 1 });
  if (stream && count > MOST_STREAMED) {
    const message = `'stream' allows 'n' up to ${MOST_STREAMED}.`;
    return refuse({ code: "invalid_stream_n", param: "stream" }, message);
  }
  const previews = wholeNumber(given(fields, "partial_images"), {
    code: "invalid_value",
    param: "partial_images",
    min: 0,
    max: 3,
    fallback: 0,
  });
  const format = parseFormat(given(fields, "response_format"), { param: "response_format", fallback: defaults.format });
  return {
    stream,
    count,
    previews: stream ? previews : 0,
    format,
    // Stream frames carry the bytes whatever the format: the official types demand them.
    inline: stream || format === "b64_json",
    ...qualityOf(fields),
    concurrency: wholeNumber(given(fields, "concurrency"), {
      code: "invalid_concurrency",
      param: "concurrency",
      min: 1,
      max: 3,
      fallback: 1,
    }),
  };
};

/** "standard" and "hd" are what OpenAI's older models had. */
const FINENESS: Readonly<Record<(typeof QUALITIES)[number], PictureQuality | null>> = {
  auto: null,
  standard: null,
  low: "low",
  medium: "medium",
  high: "high",
  hd: "high",
};

const qualityOf = (fields: JsonObject): Pick<ImagesRequest, "quality" | "fineness"> => {
  const place = { code: "invalid_value", param: "quality" } as const;
  const quality = oneOf(given(fields, "quality") ?? "auto", { ...place, allowed: QUALITIES });
  const fineness = FINENESS[quality];
  return { quality, ...(fineness ? { fineness } : {}) };
};

const refuseReferences = (references: ImagesRequest["references"]): readonly [] => {
  const [first] = references;
  if (first === undefined) return [];
  const message = "Pictures are drawn from text here; send pictures to /v1/images/edits.";
  return refuse({ code: "unsupported_parameter", param: first.param }, message);
};
