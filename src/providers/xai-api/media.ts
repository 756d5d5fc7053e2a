// Pictures and clips of the official API, put together.
import type { Config } from "../../config/schema.ts";
import type { XaiModel } from "../../core/models.ts";
import type { Clock } from "../../lib/clock.ts";
import type { MediaProvider } from "../port.ts";
import type { XaiClient } from "./client.ts";
import { createClips } from "./clips.ts";
import { createPictures, PICTURES_PER_CALL } from "./pictures.ts";

export const createMedia = (deps: {
  client: XaiClient;
  config: () => Config;
  clock: Clock;
}): MediaProvider<XaiModel> => {
  const pictures = createPictures(deps.client);
  return { picturesPerCall: () => PICTURES_PER_CALL, images: pictures, edit: pictures, ...createClips(deps) };
};
