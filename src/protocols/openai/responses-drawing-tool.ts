// The hosted tool `image_generation` of /v1/responses: what it asks of the pictures. Knows no item. Whether a picture is
// drawn is the model's choice. Invariant: fields that are served are checked; those without a counterpart upstream
// (background, format, compression, quality, the model behind the tool) are accepted and have no effect.
import type { PictureWishes } from "../../core/media-wishes.ts";
import { isObject } from "../../lib/json.ts";
import { given } from "./field.ts";
import { parseRatio, wholeNumber } from "./media-fields.ts";

const MOST_PREVIEWS = 3;

/** Null when the tool is not among them. */
export const parseDrawingTool = (tools: unknown): PictureWishes | null => {
  if (!Array.isArray(tools)) return null;
  const index = tools.findIndex((tool: unknown) => isObject(tool) && tool["type"] === "image_generation");
  const tool: unknown = tools[index];
  if (!isObject(tool)) return null;
  const prefix = `tools.${index}.`;
  const { ratio, resolution, resolutionField } = parseRatio(tool, { prefix, fallback: null, sizes: "all" });
  const place = { code: "invalid_value", param: `${prefix}partial_images` } as const;
  const previews = wholeNumber(given(tool, "partial_images"), { ...place, min: 0, max: MOST_PREVIEWS, fallback: 0 });
  return {
    ...{ inline: true, previews },
    ...(ratio === null ? {} : { ratio }),
    ...(resolution && resolutionField ? { resolution, resolutionField } : {}),
  };
};
