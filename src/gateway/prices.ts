// What an answer of the official API costs by the prices that it lists, for answers whose bill nobody has seen: those that were
// left or broke off. Pure. Fees of tools are in no listing and left out.
import type { Usage } from "../core/events.ts";
import type { Model } from "../core/models.ts";

export const listedTicks = (model: Model, { inputTokens, cachedTokens, outputTokens }: Usage): number => {
  if (model.upstream === "web" || !model.xai.prices) return 0;
  const { prices, longContext } = model.xai;
  const rate = longContext && inputTokens >= longContext.threshold ? longContext : prices;
  const cached = Math.min(cachedTokens, inputTokens);
  return Math.round((inputTokens - cached) * rate.input + cached * rate.cachedInput + outputTokens * rate.output);
};
