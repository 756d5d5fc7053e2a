// POST /v1/images/generations, /edits and /generations/nsfw, and GET /v1/images/method. Knows no provider.
// Invariant: an answer that fails before its first picture has a true HTTP status.
import { GatewayError } from "../../core/errors.ts";
import { unixSeconds } from "../../lib/clock.ts";
import {
  type ImagesDefaults,
  type ImagesRequest,
  parseAdultGeneration,
  parseEdit,
  parseGeneration,
} from "../../protocols/openai/media-images.ts";
import {
  collectImages,
  createImagesStream,
  createOlderImagesStream,
  type ImagesStreamOptions,
} from "../../protocols/openai/media-images-response.ts";
import type { MediaBody } from "../../protocols/openai/media-fields.ts";
import type { Call, Route } from "../context.ts";
import { PICTURE_FILES, readFormOrJson } from "../form.ts";
import { callContext } from "../media-call.ts";
import { SSE_HEARTBEAT } from "../streaming.ts";

type Parse = (body: MediaBody, defaults: ImagesDefaults) => ImagesRequest;

/** The adult endpoint can be switched off alone, and goes off with the others. */
const alsoImages =
  (handle: Route["handle"]): Route["handle"] =>
  (call) => {
    if (!call.config.downstream.enable_images) throw new GatewayError("endpoint_disabled", "Endpoint disabled");
    return handle(call);
  };

const answer =
  (parse: Parse, kind: ImagesStreamOptions["kind"]) =>
  async (call: Call): Promise<Response> => {
    const { config, deps, record } = call;
    const defaults = { format: config.app.image_format, adultCount: config.image.default_count };
    const request = parse(await readFormOrJson(call, PICTURE_FILES), defaults);
    record.model = request.model;
    record.stream = request.stream;
    const context = callContext(call, "img_");
    const events = await deps.pictures.pictures(request, context);
    const { format, size, quality, references } = request;
    const imageTokens = references.length * config.usage.image_tokens;
    const about = { created: context.created, format, size, quality, imageTokens };
    const headers: Record<string, string> =
      request.ignored.length > 0
        ? { "x-grok-warning": request.ignored.map((name) => `${name}-ignored`).join(", ") }
        : {};
    if (!request.stream) return Response.json(await collectImages(events, about), { headers });
    const older = call.url.searchParams.get("format") === "legacy";
    const encoder = older
      ? createOlderImagesStream({ ...about, total: request.count })
      : createImagesStream({ ...about, kind, now: () => unixSeconds(deps.clock) });
    call.hold();
    return deps.streams.respond({
      request: call.request,
      server: call.server,
      events,
      encode: encoder.push,
      heartbeat: SSE_HEARTBEAT,
      record,
      headers,
      abort: call.abort,
      onEnd: call.close,
    });
  };

export const editPictures = answer(parseEdit, "image_edit");

/** The name that older clients of this route know the socket by. */
const method = (call: Call): Response =>
  Response.json({
    image_generation_method: call.config.image.method === "imagine_ws" ? "imagine_ws_experimental" : "legacy",
  });

const common = { method: "POST", auth: "api", toggle: "enable_images", generates: true } as const;

export const openaiImageRoutes: readonly Route[] = [
  {
    ...common,
    path: "/v1/images/generations",
    summary: "Pictures from text, whole or streamed (OpenAI's format).",
    handle: answer(parseGeneration, "image_generation"),
  },
  {
    ...common,
    path: "/v1/images/edits",
    summary: "Pictures changed by text; a form with files, or JSON (OpenAI's format).",
    handle: editPictures,
  },
  {
    ...common,
    path: "/v1/images/generations/nsfw",
    toggle: "enable_images_nsfw",
    summary: "Adult pictures from text, by accounts with the tag nsfw only.",
    handle: alsoImages(answer(parseAdultGeneration, "image_generation")),
  },
  {
    method: "GET",
    path: "/v1/images/method",
    auth: "api",
    toggle: "enable_images",
    summary: "How pictures are drawn.",
    handle: method,
  },
];
