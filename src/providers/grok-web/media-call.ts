// What pictures, edits and clips share in speaking to the site: when an older call is worth a try,
// and the making of a post for it. Knows no frame.
import { GatewayError } from "../../core/errors.ts";
import type { GenerationStream } from "../../core/events.ts";
import { createObjectSplitter } from "../../lib/ndjson.ts";
import { objectAt, stringAt } from "../../lib/json.ts";
import type { Limit } from "../body-guard.ts";
import type { ProviderCall } from "../port.ts";
import type { UpstreamResponse } from "../upstream-port.ts";
import type { GrokClient } from "./client.ts";
import type { MediaFrames } from "./media-frames.ts";
import { readError } from "../read-error.ts";

/** Answers that mean "this call does not exist here in this shape". */
const UNKNOWN_SHAPE: ReadonlySet<number> = new Set([400, 404, 405, 410, 415, 422, 501]);

/** Words of a verdict on the content, which is final whatever its status. */
const VERDICT = /moderat|safety|violat|guideline|policy/i;

/** True when the newest call was refused for its shape alone, so that the older one may be tried. */
export const isRefusedShape = (thrown: unknown): boolean =>
  thrown instanceof GatewayError &&
  thrown.code === "upstream_error" &&
  UNKNOWN_SHAPE.has(thrown.detail.upstream?.status ?? 0) &&
  !VERDICT.test(thrown.detail.upstream?.text ?? "");

export interface PostFacts {
  readonly mediaType: "MEDIA_POST_TYPE_IMAGE" | "MEDIA_POST_TYPE_VIDEO";
  readonly mediaUrl?: string;
  readonly prompt?: string;
}

/** The older calls hang their work on a post (2025-09…2026-04). */
export const createPost = async (
  client: GrokClient,
  call: ProviderCall,
  { limit, ...facts }: PostFacts & { limit: Limit },
): Promise<string> => {
  const answer = await client.json(call, {
    path: "/rest/media/post/create",
    body: facts,
    referer: "/imagine",
    firstByte: limit,
    idle: limit,
  });
  const id = stringAt(objectAt(answer, "post"), "id");
  if (!id) throw new GatewayError("upstream_malformed", "The upstream made a post but named no id for it.");
  return id;
};

/** Reads an open answer to its end or to the first thing that ends it. Once it has begun, whatever goes wrong is an event. */
export async function* readMedia(
  response: UpstreamResponse,
  { frames, signal }: { frames: MediaFrames; signal: AbortSignal },
): GenerationStream {
  const splitter = createObjectSplitter();
  try {
    for (;;) {
      const chunk = await response.body.read();
      for (const object of chunk ? splitter.push(chunk) : splitter.end().objects) frames.accept(object);
      if (!chunk) frames.end();
      const events = frames.take();
      if (events.length > 0) yield events;
      if (frames.over) return;
    }
  } catch (thrown) {
    frames.fail(readError(thrown, signal));
    yield frames.take();
  } finally {
    response.body.cancel();
  }
}
