// Pictures of the official API: drawn from text, or changed from up to five others; one answer in one piece. Never throws once
// started. Facts of docs.x.ai, 2026-09. Invariant: what is moderated appears in no form, and is told by how the call ends.
import { GatewayError } from "../../core/errors.ts";
import type { GenerationEvent, GenerationStream } from "../../core/events.ts";
import type { PictureQuality } from "../../core/media-wishes.ts";
import type { XaiModel } from "../../core/models.ts";
import { objectsAt, stringAt, type JsonObject } from "../../lib/json.ts";
import type { MediaCall, PictureTask } from "../port.ts";
import { readError } from "../read-error.ts";
import type { XaiClient } from "./client.ts";
import { costOf, costUsage, inlined, pictureIn } from "./inline.ts";

export const PICTURES_PER_CALL = 10;

/** The best that is priced; "high" is a word of the API without a price. */
const QUALITIES: Readonly<Record<PictureQuality, string>> = { low: "low", medium: "medium", high: "medium" };

/** The first model has no choice of qualities and refuses the parameter. */
const takesQuality = ({ id }: XaiModel): boolean => id !== "grok-imagine-image";

const bodyOf = ({ prompt, count, ratio, resolution, fineness }: PictureTask, model: XaiModel): object => ({
  model: model.id,
  prompt,
  n: Math.min(count, PICTURES_PER_CALL),
  response_format: "b64_json",
  ...(ratio === null ? {} : { aspect_ratio: ratio }),
  ...(resolution ? { resolution } : {}),
  ...(fineness && takesQuality(model) ? { quality: QUALITIES[fineness] } : {}),
});

const isWithheld = (item: JsonObject): boolean => item["respect_moderation"] === false;

/** Everything that the answer tells; the last event says how the call ended. */
const told = (answer: JsonObject): readonly GenerationEvent[] => {
  const items = objectsAt(answer, "data");
  const sources = items.flatMap((item) => (isWithheld(item) ? [] : (pictureIn(item) ?? [])));
  const cost = costOf(answer);
  const events: GenerationEvent[] = cost === null ? [] : [{ type: "usage", usage: costUsage(cost) }];
  const withheld = items.some(isWithheld) || stringAt(answer, "block_reason") !== undefined;
  if (sources.length === 0) {
    const error = withheld
      ? new GatewayError("content_policy_violation", "The upstream withheld the picture on content grounds.")
      : new GatewayError("image_generation_incomplete", "The upstream's answer has no picture.");
    return [...events, { type: "failure", error }];
  }
  const images = sources.map((source, index) => ({ type: "image", index, source, partial: false }) as const);
  return [...events, ...images, { type: "finish", reason: withheld ? "content-filter" : "stop", raw: null }];
};

export const createPictures = (client: XaiClient) => {
  const asked = async (task: PictureTask, call: MediaCall<XaiModel>): Promise<JsonObject> => {
    const body = bodyOf(task, call.model);
    const [first, ...others] = await inlined(call.files);
    if (!first) return client.json(call, { path: "/images/generations", body });
    const sources = others.length === 0 ? { image: first } : { images: [first, ...others] };
    return client.json(call, { path: "/images/edits", body: { ...body, ...sources } });
  };
  return async function* pictures(task: PictureTask, call: MediaCall<XaiModel>): GenerationStream {
    try {
      const answer = await asked(task, call);
      yield [{ type: "start", id: call.id, model: call.model.id, created: call.created }, ...told(answer)];
    } catch (thrown) {
      yield [{ type: "failure", error: readError(thrown, call.signal) }];
    }
  };
};
