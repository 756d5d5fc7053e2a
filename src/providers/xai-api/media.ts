// Pictures and clips of the official API.
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, GenerationStream } from "../../core/events.ts";
import type { XaiModel } from "../../core/models.ts";
import { pullStream } from "../../lib/pull.ts";
import type { MediaProvider } from "../port.ts";

const notServed = () =>
  new GatewayError("model_not_supported", "Pictures and clips of the official API are not served yet.");

const refused = (): GenerationStream => {
  let batch: EventBatch | null = [{ type: "failure", error: notServed() }];
  return pullStream(
    async () => {
      const told = batch;
      batch = null;
      return told;
    },
    () => {},
  );
};

export const createMedia = (): MediaProvider<XaiModel> => ({
  picturesPerCall: () => 1,
  images: refused,
  edit: refused,
  video: refused,
  upscale: () => Promise.reject(notServed()),
  findClip: () => Promise.reject(notServed()),
});
