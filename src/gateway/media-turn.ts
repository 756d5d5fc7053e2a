// Which model the last turn of a conversation really asks for. Pure, because what is metered
// must be what is done. Knows no provider.
import type { GenerationRequest } from "../core/request.ts";

/** The one id that draws without a picture and films with one, as it did when it was new. */
const FILMS_PICTURES = "grok-imagine-0.9";
const CLIP_MODEL = "grok-imagine-video";

type Asked = Pick<GenerationRequest, "model" | "messages">;

export const modelOfTurn = ({ model, messages }: Asked): string => {
  if (model !== FILMS_PICTURES) return model;
  const turn = messages.findLast(({ role }) => role === "user");
  return turn?.content.some(({ type }) => type === "image") ? CLIP_MODEL : model;
};
