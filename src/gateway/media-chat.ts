// Conversations with models that draw or film: the last user turn is the prompt, its pictures are what to change or to film, and
// the answer is a text with links. Knows no protocol. Invariant: progress is reasoning, never part of the answer.
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { EventBatch, GenerationEvent, GenerationStream } from "../core/events.ts";
import type { ClipRequest, PictureRequest, Reference } from "../core/media-request.ts";
import type { Catalogue, PublicModel } from "../core/models.ts";
import { showsReasoning, type GenerationRequest, type Message } from "../core/request.ts";
import { createReasoningFilter } from "../core/transforms.ts";
import type { Clock } from "../lib/clock.ts";
import { commit } from "./commit.ts";
import { modelOfTurn } from "./media-turn.ts";
import type { Media } from "./media.ts";
import type { CallContext, ChatGateway, ChatRun } from "./port.ts";

export interface MediaChatDeps {
  readonly media: Pick<Media, "draw" | "film" | "check">;
  readonly catalogue: Catalogue;
  readonly config: () => Config;
  readonly clock: Clock;
}

const MOST_STREAMED = 2;
const PICTURE_RATIO = "1:1";
const CLIP_RATIO = "3:2";
const CLIP_SECONDS = 6;

interface Turn {
  readonly prompt: string;
  readonly references: readonly Reference[];
}

export interface MediaChat extends ChatGateway {
  /** Throws GatewayError for a conversation that asks for a clip which nobody here can film. */
  checkClip(request: GenerationRequest): void;
}

export const createMediaChat = ({ media, catalogue, config, clock }: MediaChatDeps): MediaChat => {
  const pictures = (request: GenerationRequest, turn: Turn, model: PublicModel): PictureRequest => {
    const wishes = request.pictureWishes ?? {};
    const count = wishes.count ?? 1;
    if (request.stream && count > MOST_STREAMED) {
      throw new GatewayError("invalid_stream_n", `'stream' allows 'image_config.n' up to ${MOST_STREAMED}.`, {
        param: "image_config.n",
      });
    }
    const isEdit = model.kind === "image-edit";
    if (isEdit && turn.references.length === 0) {
      throw new GatewayError("missing_image", "The model changes pictures; send one in the last user message.", {
        param: "messages",
      });
    }
    const [first] = turn.references;
    // Keys change pictures with the model that draws them.
    if (!isEdit && first && model.offers.every(({ upstream }) => upstream === "web")) {
      const message = `The model '${request.model}' draws from text alone; use an edit model to change pictures.`;
      throw new GatewayError("unsupported_value", message, { param: first.param });
    }
    return {
      model: request.model,
      prompt: turn.prompt,
      count,
      ratio: wishes.ratio ?? (first ? null : PICTURE_RATIO),
      ...(wishes.resolution ? { resolution: wishes.resolution } : {}),
      ...(wishes.resolutionField ? { resolutionField: wishes.resolutionField } : {}),
      references: turn.references,
      previews: request.stream ? (wishes.previews ?? 0) : 0,
      concurrency: 1,
      adult: wishes.adult ?? false,
      stream: request.stream,
      inline: wishes.inline ?? config().app.image_format !== "url",
    };
  };

  const clip = (request: GenerationRequest, { turn, model }: { turn: Turn; model: string }): ClipRequest => {
    const {
      ratio = CLIP_RATIO,
      seconds = CLIP_SECONDS,
      resolution = "480p",
      preset = "custom",
      stated = {},
    } = request.clipWishes ?? {};
    return { ...turn, model, ratio, seconds, resolution, preset, stated, stream: request.stream };
  };

  const run = async (request: GenerationRequest, context: CallContext): Promise<GenerationStream> => {
    const model = modelOfTurn(request);
    const named = catalogue.find(model);
    const turn = lastTurn(request.messages);
    if (named?.kind === "video") {
      return media.film(clip(request, { turn, model }), context);
    }
    if (!named) throw new GatewayError("model_not_found", "No such model.", { param: "model" });
    return media.draw(pictures(request, turn, named), context);
  };

  return {
    checkClip(request) {
      media.check(clip(request, { turn: lastTurn(request.messages), model: request.model }));
    },
    async chat(request, context): Promise<ChatRun> {
      const settings = config();
      const inline = request.pictureWishes?.inline ?? settings.app.image_format !== "url";
      const told = asAnswer(await run(request, context), { inline, videoFormat: settings.app.video_format });
      const shows = showsReasoning(request, settings.app.thinking) && settings.chat.reasoning_format !== "hidden";
      const events = await commit(shows ? told : withoutReasoning(told), {
        clock,
        graceMs: request.stream ? settings.chat.commit_grace_seconds * 1000 : null,
      });
      return { events };
    },
  };
};

/** Only the newest user message counts: a picture model has no memory of what was said before. */
const lastTurn = (messages: readonly Message[]): Turn => {
  const message = messages.findLast(({ role }) => role === "user");
  const parts = message?.content ?? [];
  const prompt = parts
    .flatMap((part) => (part.type === "text" ? [part.text] : []))
    .join("\n")
    .trim();
  const other = parts.find((part) => part.type === "audio" || part.type === "file");
  if (other) {
    throw new GatewayError("unsupported_value", "Models that draw or film take text and pictures only.", {
      param: other.param,
    });
  }
  const references = parts.flatMap((part) =>
    part.type === "image" ? [{ source: part.source, param: part.param }] : [],
  );
  if (prompt === "") {
    throw new GatewayError("empty_prompt", "The last user message has no text to draw from.", { param: "messages" });
  }
  return { prompt, references };
};

interface AnswerOptions {
  readonly inline: boolean;
  readonly videoFormat: Config["app"]["video_format"];
}

/** Progress becomes reasoning, a clip becomes a text with its link; a picture's link is its bytes where that was asked for. */
async function* asAnswer(events: GenerationStream, options: AnswerOptions): GenerationStream {
  let block = 0;
  let reasoning = false;
  let percent = -1;
  const close = (): readonly GenerationEvent[] => {
    if (!reasoning) return [];
    reasoning = false;
    return [{ type: "reasoning-end", block }];
  };
  const progress = (event: GenerationEvent & { type: "progress" }): readonly GenerationEvent[] => {
    const next = Math.round(event.value * 100);
    if (next === percent) return [];
    percent = next;
    const text = `${event.note === "video" ? "Video" : "Image"} ${next}%\n`;
    if (reasoning) return [{ type: "reasoning-delta", block, text }];
    reasoning = true;
    block++;
    return [
      { type: "reasoning-start", block },
      { type: "reasoning-delta", block, text },
    ];
  };
  const one = (event: GenerationEvent): readonly GenerationEvent[] => {
    switch (event.type) {
      case "progress":
        return progress(event);
      case "image":
        return [...close(), options.inline && !event.partial ? withBytes(event) : event];
      case "video": {
        const before = close();
        block++;
        const text = clipText(event, options.videoFormat);
        return [
          ...before,
          { type: "text-start", block },
          { type: "text-delta", block, text },
          { type: "text-end", block },
        ];
      }
      case "upstream":
        return [];
      case "finish":
        return [...close(), event];
      default:
        return [event];
    }
  };
  let held: EventBatch = [];
  for await (const batch of events) {
    const out = [...held, ...batch.flatMap(one)];
    // Nothing to see yet: an early failure can still be an HTTP error.
    const told = out.some(({ type }) => type !== "start" && type !== "usage");
    held = told ? [] : out;
    if (told) yield out;
  }
}

async function* withoutReasoning(events: GenerationStream): GenerationStream {
  const filter = createReasoningFilter();
  let held: EventBatch = [];
  for await (const batch of events) {
    const out = [...held, ...filter.push(batch)];
    const told = out.some(({ type }) => type !== "start" && type !== "usage");
    held = told ? [] : out;
    if (told) yield out;
  }
}

const withBytes = (event: GenerationEvent & { type: "image" }): GenerationEvent => {
  const { base64, mime } = event.source;
  if (!base64) return event;
  return { ...event, source: { ...event.source, link: `data:${mime ?? "image/jpeg"};base64,${base64}` } };
};

const attribute = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const clipText = (
  { source, thumbnail }: GenerationEvent & { type: "video" },
  format: AnswerOptions["videoFormat"],
): string => {
  const url = source.link ?? "";
  switch (format) {
    case "url":
      return url;
    case "markdown":
      return `[video](${url})`;
    case "html": {
      const poster = thumbnail?.link ? ` poster="${attribute(thumbnail.link)}"` : "";
      return [
        `<video id="video" controls="" preload="none"${poster}>`,
        `  <source id="mp4" src="${attribute(url)}" type="video/mp4">`,
        "</video>",
      ].join("\n");
    }
  }
};
