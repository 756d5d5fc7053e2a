// What an answer about a clip says of it: still in the making, there, withheld, or never to come. Pure.
import { GatewayError } from "../../core/errors.ts";
import { numberAt, objectAt, stringAt } from "../../lib/json.ts";
import type { XaiReply } from "./client.ts";
import { classifyInBand } from "./failures.ts";
import { costOf } from "./inline.ts";

export type ClipState =
  | { readonly is: "pending"; readonly progress: number | null }
  | { readonly is: "done"; readonly url: string; readonly seconds: number | null; readonly costTicks: number | null }
  | { readonly is: "withheld"; readonly costTicks: number | null }
  | { readonly is: "failed"; readonly error: GatewayError };

/** An answer without a body is one while the clip is made; so is a status that nobody knows. */
export const readClip = ({ body }: XaiReply): ClipState => {
  if (!body) return { is: "pending", progress: null };
  const video = objectAt(body, "video");
  switch (stringAt(body, "status")) {
    case "failed":
      return { is: "failed", error: failureIn(objectAt(body, "error") ?? {}) };
    case "expired":
      return {
        is: "failed",
        error: new GatewayError("video_generation_failed", "The upstream's job has expired before its clip was there."),
      };
    case "done":
      break;
    default: {
      const progress = numberAt(body, "progress");
      if (!video) return { is: "pending", progress: progress === undefined ? null : clamp(progress / 100) };
    }
  }
  const costTicks = costOf(body);
  if (video?.["respect_moderation"] === false) return { is: "withheld", costTicks };
  const url = stringAt(video, "url");
  if (url) return { is: "done", url, seconds: numberAt(video, "duration") ?? null, costTicks };
  const message = "The upstream says that the clip is done but names no address.";
  return { is: "failed", error: new GatewayError("video_generation_failed", message) };
};

const clamp = (value: number): number => Math.min(0.99, Math.max(0, value));

/** A verdict on the content stays one; anything else is the making's own failure, in the upstream's words. */
const failureIn = (said: Parameters<typeof classifyInBand>[0]): GatewayError => {
  const error = classifyInBand(said);
  if (error.code === "content_policy_violation") return error;
  const words = error.detail.upstream?.text;
  const message = `The upstream could not make the clip${words ? `: ${words}` : "."}`;
  return new GatewayError("video_generation_failed", message, { ...error.detail });
};
