// The fields of a clip: ratio, length, resolution and preset, as chat's `video_config` and /v1/videos have them. Pure checks of
// what some kind of account films; whether one that is here can is the use case's to say.
import { CLIP_RATIOS, CLIP_SIZES, PLAIN_RATIOS, PRESETS, SIZE_RATIOS } from "../../core/media-request.ts";
import type { Preset, Resolution } from "../../core/media-wishes.ts";
import { refuse, type Place } from "./field.ts";

const SHORTEST = 1;
const LONGEST = 15;

export const clipRatio = (value: unknown, param: string): string => {
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  if (CLIP_RATIOS.includes(text)) return text;
  const ratio = CLIP_SIZES.includes(text) ? SIZE_RATIOS[text] : undefined;
  if (ratio !== undefined) return ratio;
  const all = [...PLAIN_RATIOS, ...CLIP_SIZES].join(", ");
  return refuse({ code: "invalid_aspect_ratio", param }, `'${param}' must be one of: ${all}.`);
};

/** A number or its text. */
export const clipSeconds = (value: unknown, param: string): number => {
  const number = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  if (typeof number === "number" && Number.isInteger(number) && number >= SHORTEST && number <= LONGEST) {
    return number;
  }
  const message = `'${param}' must be a whole number of seconds from ${SHORTEST} to ${LONGEST}.`;
  return refuse({ code: "invalid_video_length", param }, message);
};

const RESOLUTIONS: Readonly<Record<string, Resolution>> = {
  "480p": "480p",
  sd: "480p",
  standard: "480p",
  auto: "480p",
  low: "480p",
  medium: "480p",
  "720p": "720p",
  hd: "720p",
  high: "720p",
  "1080p": "1080p",
};

export const clipResolution = (value: unknown, param: string): Resolution => {
  const text = typeof value === "string" ? value.trim().toLowerCase() : "";
  const found = Object.hasOwn(RESOLUTIONS, text) ? RESOLUTIONS[text] : undefined;
  if (found) return found;
  return refuse({ code: "invalid_resolution", param }, `'${param}' must be one of: 480p, 720p, 1080p, SD, HD.`);
};

export const clipPreset = (value: unknown, param: string): Preset => {
  const place: Place = { code: "invalid_preset", param };
  return (
    PRESETS.find((preset) => preset === value) ?? refuse(place, `'${param}' must be one of: ${PRESETS.join(", ")}.`)
  );
};
