// What the playground's own door to the chat has against a request. Knows no route. Invariant: adult content that the operator has
// not allowed is refused here as it is for picture runs and clips.
import type { GenerationRequest } from "../../core/request.ts";
import { refuseAdult } from "./playground-imagine.ts";

type Wishes = Pick<GenerationRequest, "pictureWishes" | "clipWishes">;

export const checkAdultWishes = (
  { pictureWishes, clipWishes }: Wishes,
  { adultAllowed }: { adultAllowed: boolean },
): void => {
  if (adultAllowed) return;
  if (pictureWishes?.adult === true) refuseAdult("image_config.nsfw");
  if (clipWishes?.preset === "spicy") refuseAdult(clipWishes.stated?.preset ?? "video_config.preset");
};
