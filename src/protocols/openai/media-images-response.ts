// The response half of the picture endpoints: one body, or a stream of named frames, from the same events. Knows no route.
// Invariant: a frame or an item holds a picture or does not exist; a failure is an error frame or is thrown, never a picture.
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, GenerationEvent, MediaSource, Usage } from "../../core/events.ts";
import { openAiErrorFrame } from "../errors.ts";
import type { PictureFormat } from "./media-fields.ts";

export interface ImagesAnswer {
  readonly created: number;
  readonly format: PictureFormat;
  readonly size: string;
  readonly quality: string;
  /** What the pictures that were sent along count for. */
  readonly imageTokens: number;
}

export interface ImagesUsage {
  readonly input_tokens: number;
  readonly input_tokens_details: { readonly image_tokens: number; readonly text_tokens: number };
  readonly output_tokens: number;
  readonly total_tokens: number;
  /** What the official API charged for the whole request. */
  readonly cost_in_usd_ticks?: number;
}

export interface ImagesBody {
  readonly created: number;
  readonly data: readonly { readonly url?: string; readonly b64_json?: string; readonly revised_prompt: null }[];
  readonly background: "opaque";
  readonly output_format: string;
  readonly quality: string;
  readonly size: string;
  readonly usage: ImagesUsage;
}

const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, reasoningTokens: 0, cachedTokens: 0, estimated: true };

const imagesUsage = (usage: Usage, imageTokens: number): ImagesUsage => ({
  input_tokens: usage.inputTokens,
  input_tokens_details: { image_tokens: imageTokens, text_tokens: Math.max(0, usage.inputTokens - imageTokens) },
  output_tokens: usage.outputTokens,
  total_tokens: usage.inputTokens + usage.outputTokens,
  ...(usage.costTicks === undefined ? {} : { cost_in_usd_ticks: usage.costTicks }),
});

/** `jpeg` for `image/jpeg`: what was drawn, whatever was asked for. */
const formatOf = (source: MediaSource): string => source.mime?.replace(/^image\//, "") ?? "jpeg";

const isPicture = (event: GenerationEvent): event is GenerationEvent & { type: "image" } =>
  event.type === "image" && !event.partial;

/** Collects a whole answer; rejects with its failure. */
export const collectImages = async (
  events: AsyncIterable<EventBatch>,
  { created, format, size, quality, imageTokens }: ImagesAnswer,
): Promise<ImagesBody> => {
  const sources: MediaSource[] = [];
  let usage = NO_USAGE;
  let ended = false;
  for await (const batch of events) {
    for (const event of batch) {
      if (isPicture(event)) sources.push(event.source);
      else if (event.type === "usage") ({ usage } = event);
      else if (event.type === "finish") ended = true;
      else if (event.type === "failure") throw event.error;
    }
  }
  const [first] = sources;
  if (!ended || first === undefined) throw new GatewayError("upstream_cut", "The upstream's answer ended early.");
  const item = (source: MediaSource) =>
    format === "url" ? { url: source.link ?? "" } : { b64_json: source.base64 ?? "" };
  return {
    created,
    data: sources.map((source) => ({ ...item(source), revised_prompt: null })),
    background: "opaque",
    output_format: formatOf(first),
    quality,
    size,
    usage: imagesUsage(usage, imageTokens),
  };
};

export interface ImagesStreamOptions extends ImagesAnswer {
  readonly kind: "image_generation" | "image_edit";
  /** Unix seconds of now. */
  readonly now: () => number;
}

export interface ImagesStreamEncoder {
  push(batch: EventBatch): string;
}

const frame = (type: string, data: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;

export const createImagesStream = (options: ImagesStreamOptions): ImagesStreamEncoder => {
  const { kind, format, size, quality, imageTokens, now } = options;
  const previews = new Map<number, number>();
  let usage = NO_USAGE;

  const payload = ({ source, index }: GenerationEvent & { type: "image" }) => ({
    b64_json: source.base64 ?? "",
    ...(format === "url" && source.link ? { url: source.link } : {}),
    background: "opaque",
    created_at: now(),
    output_format: formatOf(source),
    quality,
    size,
    index,
  });
  const encode = (event: GenerationEvent): string => {
    switch (event.type) {
      case "image": {
        if (!event.partial) {
          return frame(`${kind}.completed`, {
            ...payload(event),
            usage: imagesUsage(usage, imageTokens),
            stage: "final",
          });
        }
        if (!event.source.base64) return "";
        const count = previews.get(event.index) ?? 0;
        previews.set(event.index, count + 1);
        return frame(`${kind}.partial_image`, { ...payload(event), partial_image_index: count, stage: "preview" });
      }
      case "usage":
        ({ usage } = event);
        return "";
      case "failure":
        return openAiErrorFrame(event.error, "named");
      default:
        return "";
    }
  };
  return { push: (batch) => batch.map(encode).join("") };
};

/** The older dialect of the adult endpoint: progress by picture, then everything at once. */
export const createOlderImagesStream = (options: ImagesAnswer & { readonly total: number }): ImagesStreamEncoder => {
  const { created, format, total } = options;
  const done: MediaSource[] = [];
  const named = (name: string, data: object) => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  const encode = (event: GenerationEvent): string => {
    switch (event.type) {
      case "image":
        if (!event.partial) done.push(event.source);
        return named("progress", {
          image_id: event.source.name ?? String(event.index),
          stage: event.partial ? "preview" : "final",
          is_final: !event.partial,
          completed: done.length,
          total,
          progress: `${done.length}/${total}`,
        });
      case "finish":
        return named("complete", {
          created,
          data: done.map((source) => (format === "url" ? { url: source.link } : { b64_json: source.base64 })),
        });
      case "failure":
        return openAiErrorFrame(event.error, "named");
      default:
        return "";
    }
  };
  return { push: (batch) => batch.map(encode).join("") };
};
