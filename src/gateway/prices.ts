// What an answer of the official API costs by the prices that it lists, for answers whose bill nobody has seen: those that were
// left or broke off. Pure. Fees of tools are in no listing and left out.
import type { Usage } from "../core/events.ts";
import type { Resolution } from "../core/media-wishes.ts";
import type { Model } from "../core/models.ts";

/** Ticks for a second of a clip. The listing has no such prices; these are of docs.x.ai, 2026-09. */
const CLIP_SECOND: Readonly<Record<string, Partial<Record<Resolution, number>>>> = {
  "grok-imagine-video-1.5": { "480p": 800_000_000, "720p": 1_400_000_000, "1080p": 2_500_000_000 },
  "grok-imagine-video-1.5-lite": { "480p": 200_000_000, "720p": 300_000_000, "1080p": 1_400_000_000 },
  "grok-imagine-video": { "480p": 500_000_000, "720p": 700_000_000 },
};
/** What nobody has named costs as much as the dearest. */
export const DEAREST_SECOND = 2_500_000_000;

export const clipTicks = (model: Model, clip: { readonly seconds: number; readonly resolution: Resolution }): number =>
  model.upstream === "web"
    ? 0
    : Math.round(clip.seconds * (CLIP_SECOND[model.id]?.[clip.resolution] ?? DEAREST_SECOND));

export const listedTicks = (model: Model, { inputTokens, cachedTokens, outputTokens }: Usage): number => {
  if (model.upstream === "web" || !model.xai.prices) return 0;
  const { prices, longContext } = model.xai;
  const rate = longContext && inputTokens >= longContext.threshold ? longContext : prices;
  const cached = Math.min(cachedTokens, inputTokens);
  return Math.round((inputTokens - cached) * rate.input + cached * rate.cachedInput + outputTokens * rate.output);
};
