// `image_config` and `video_config` of a chat request: what it says to models that draw or film. Invariant: for such a model a
// known field is checked and unknown ones are ignored; models that answer in words are told nothing of either.
import type { ClipFields, ClipWishes, PictureWishes } from "../../core/media-wishes.ts";
import type { JsonObject } from "../../lib/json.ts";
import { given, objectValue } from "./field.ts";
import { clipPreset, clipRatio, clipResolution, clipSeconds } from "./media-clips.ts";
import { formBoolean, parseFormat, parseRatio, wholeNumber } from "./media-fields.ts";

export interface MediaConfig {
  readonly pictureWishes?: PictureWishes;
  readonly clipWishes?: ClipWishes;
}

/** Models that draw or film say so in their names, whoever serves them; an unknown one is refused later and by name. */
const makesMedia = (model: string): boolean => /^(?:web\/|xai\/)?grok-imagine-/.test(model);

export const parseMediaConfig = (body: JsonObject, model: string): MediaConfig => {
  if (!makesMedia(model)) return {};
  const picture = given(body, "image_config");
  const clip = given(body, "video_config");
  return {
    ...(picture === undefined ? {} : { pictureWishes: parsePictureWishes(picture) }),
    ...(clip === undefined ? {} : { clipWishes: parseClipWishes(clip) }),
  };
};

const parsePictureWishes = (value: unknown): PictureWishes => {
  const fields = objectValue(value, { code: "invalid_value", param: "image_config" });
  const at = (name: string) => `image_config.${name}`;
  const n = given(fields, "n");
  const format = given(fields, "response_format");
  const { ratio, resolution, resolutionField } = parseRatio(fields, {
    prefix: "image_config.",
    fallback: null,
    sizes: "all",
  });
  const nsfw = given(fields, "nsfw");
  return {
    ...(n === undefined
      ? {}
      : { count: wholeNumber(n, { code: "invalid_n", param: at("n"), min: 1, max: 10, fallback: 1 }) }),
    ...(ratio === null ? {} : { ratio }),
    ...(resolution && resolutionField ? { resolution, resolutionField } : {}),
    ...(format === undefined
      ? {}
      : { inline: parseFormat(format, { param: at("response_format"), fallback: "url" }) === "b64_json" }),
    ...(nsfw === undefined ? {} : { adult: formBoolean(nsfw, { code: "invalid_value", param: at("nsfw") }) }),
  };
};

const parseClipWishes = (value: unknown): ClipWishes => {
  const fields = objectValue(value, { code: "invalid_value", param: "video_config" });
  const at = (name: string) => `video_config.${name}`;
  const stated: { -readonly [K in keyof ClipFields]: string } = {};
  const read = <T>(
    field: keyof ClipFields,
    about: { names: readonly string[]; check: (value: unknown, param: string) => T },
  ): T | undefined => {
    const name = about.names.find((one) => given(fields, one) !== undefined);
    if (name === undefined) return undefined;
    stated[field] = at(name);
    return about.check(given(fields, name), at(name));
  };
  const ratio = read("ratio", { names: ["aspect_ratio", "size"], check: clipRatio });
  const seconds = read("seconds", { names: ["video_length", "seconds"], check: clipSeconds });
  const resolution = read("resolution", { names: ["resolution_name", "resolution"], check: clipResolution });
  const preset = read("preset", { names: ["preset"], check: clipPreset });
  return {
    stated,
    ...(ratio === undefined ? {} : { ratio }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(resolution === undefined ? {} : { resolution }),
    ...(preset === undefined ? {} : { preset }),
  };
};
