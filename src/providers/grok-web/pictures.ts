// Pictures from text with one account: over the picture socket, or inside a chat where the socket cannot be had or the model
// is the chat's own. Knows no edit and no clip. Never throws once started. Invariant: the way is changed only before the
// request has been sent, so that a verdict on it is never followed by a second try.
import type { Config } from "../../config/schema.ts";
import { GatewayError } from "../../core/errors.ts";
import type { GenerationEvent, GenerationStream } from "../../core/events.ts";
import { findModel, type WebModel } from "../../core/models.ts";
import type { Clock } from "../../lib/clock.ts";
import { uuid } from "../../lib/ids.ts";
import type { MediaCall, PictureTask, Provider } from "../port.ts";
import { UpgradeRefused, type UpstreamSocket } from "../upstream-port.ts";
import { PICTURE_WITHHELD } from "./answer.ts";
import type { GrokClient } from "./client.ts";
import { askFrames, createImagineReader, type ImagineReader } from "./imagine-socket.ts";
import { readError } from "../read-error.ts";

/** The verdict on a finished picture follows it at once (2026-08); without one its own mark counts. */
const VERDICT_MS = 2_000;
/** Slots are opened together; one that is missing by then never comes. */
const MORE_MS = 1_500;

/** Pictures that one call may be asked for, by the way they are drawn (2026-08). */
const PER_SOCKET = 10;
const PER_CHAT = 2;

/** The socket cannot be had; the chat may still draw. */
class NoSocket extends Error {}

const LATE = Symbol("late");
const LITE = "grok-imagine-image-lite";
const QUALITY = "grok-imagine-image-2.0";

export interface PicturesDeps {
  readonly client: GrokClient;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly chat: Provider["generate"];
}

export const createPictures = ({ client, config, clock, chat }: PicturesDeps) => {
  const overSocketWanted = (model: WebModel): boolean => model.id !== LITE && config().image.method === "imagine_ws";

  const connect = async (call: MediaCall<WebModel>): Promise<UpstreamSocket> => {
    const { image } = config();
    const longest = Math.max(image.timeout, image.stream_timeout, image.final_timeout);
    try {
      return await client.socket(call, "/ws/imagine/listen", {
        handshake: { ms: image.timeout * 1000, setting: "image.timeout" },
        // The limits of the drawing itself fire first: they know what is waited for.
        idle: { ms: 2 * VERDICT_MS + longest * 1000, setting: "image.stream_timeout" },
      });
    } catch (thrown) {
      if (thrown instanceof GatewayError && thrown.row.blame === "egress") throw new NoSocket(thrown.message);
      if (!(thrown instanceof UpgradeRefused)) throw thrown;
      const upstream = { status: thrown.status };
      if (thrown.status === 401) {
        throw new GatewayError("account_auth", "The upstream no longer accepts the account's session.", { upstream });
      }
      if (thrown.status === 429) {
        throw new GatewayError("upstream_rate_limited", "The upstream is rate-limiting the account.", { upstream });
      }
      throw new NoSocket(`the upgrade was answered with ${thrown.status}`);
    }
  };

  /** What the present state of the drawing may take, and what its end means. */
  const patience = (reader: ImagineReader): { ms: number; over: () => void } => {
    const { image } = config();
    const limit = (setting: keyof typeof image & `${string}timeout`, what: string) => ({
      ms: image[setting] * 1000,
      over: () => {
        const message = `The limit image.${setting} (${image[setting]} s) fired: ${what}.`;
        // Silence where a picture should be often is a silent refusal: nobody else is asked to draw it.
        const shouldRetry = setting !== "final_timeout";
        reader.fail(new GatewayError("upstream_timeout", message, shouldRetry ? {} : { shouldRetry }));
      },
    });
    switch (reader.waiting) {
      case "start":
        return limit("timeout", "the upstream did not begin to draw");
      case "frames":
        return limit("stream_timeout", "the upstream fell silent while it drew");
      case "finals":
        return limit("final_timeout", "the upstream sent previews but no finished picture");
      case "verdicts":
        return { ms: VERDICT_MS, over: reader.settle };
      case "more":
        return { ms: MORE_MS, over: reader.end };
    }
  };

  async function* overSocket(task: PictureTask, call: MediaCall<WebModel>): GenerationStream {
    const socket = await connect(call);
    const ask = { requestId: uuid(), nowMs: clock.now(), task, quality: call.model.id === QUALITY };
    const reader = createImagineReader(ask, { id: call.id, model: call.model.id, created: call.created });
    try {
      for (const frame of askFrames(ask)) socket.send(frame);
      let reading: Promise<string | null> | null = null;
      while (!reader.over) {
        const events = reader.take();
        if (events.length > 0) yield events;
        const { ms, over } = patience(reader);
        reading ??= socket.read();
        const frame = await within(reading, ms);
        if (frame === LATE) {
          over();
          continue;
        }
        reading = null;
        if (frame === null) reader.end();
        else for (const one of [frame, ...socket.drain()]) reader.accept(one);
      }
      yield reader.take();
    } catch (thrown) {
      reader.fail(readError(thrown, call.signal));
      yield reader.take();
    } finally {
      socket.close();
    }
  }

  /** The frame, or LATE after `ms`. The read goes on and can be waited for again. */
  const within = async (reading: Promise<string | null>, ms: number): Promise<string | null | typeof LATE> => {
    const stop = new AbortController();
    const late = clock.sleep(ms, stop.signal).then(
      (): typeof LATE => LATE,
      (): typeof LATE => LATE,
    );
    try {
      return await Promise.race([reading, late]);
    } finally {
      stop.abort();
    }
  };

  /** A chat in which the model is asked to draw; what it says beside the picture is dropped. */
  async function* inChat(task: PictureTask, call: MediaCall<WebModel>): GenerationStream {
    const model = findModel("grok-chat-fast") ?? call.model;
    const prompt = { type: "text", text: `Drawing: ${task.prompt}` } as const;
    const request = {
      model: call.model.id,
      stream: true,
      messages: [{ role: "user" as const, content: [prompt] }],
    };
    let pictures = 0;
    for await (const batch of chat(request, { ...call, model, files: [] })) {
      const out: GenerationEvent[] = [];
      for (const event of batch) {
        if (event.type === "image" && !event.partial) {
          if (pictures < task.count) out.push({ ...event, index: pictures++ });
        } else if (event.type === "finish") out.push(endOf(event, pictures));
        else if (event.type === "start" || event.type === "progress" || event.type === "failure") out.push(event);
      }
      if (out.length > 0) yield out;
    }
  }

  return {
    perCall: (model: WebModel): number => (overSocketWanted(model) ? PER_SOCKET : PER_CHAT),
    images: async function* images(task: PictureTask, call: MediaCall<WebModel>): GenerationStream {
      try {
        if (overSocketWanted(call.model)) {
          try {
            return yield* overSocket(task, call);
          } catch (thrown) {
            if (!(thrown instanceof NoSocket) || call.signal.aborted) throw thrown;
            call.log.info("the picture socket cannot be had; drawing inside a chat", { reason: thrown.message });
          }
        }
        yield* inChat({ ...task, count: Math.min(task.count, PER_CHAT) }, call);
      } catch (thrown) {
        yield [{ type: "failure", error: readError(thrown, call.signal) }];
      }
    },
  };
};

/** The end of a chat as the end of a drawing: words alone are no picture, and a withheld one is a verdict. */
const endOf = (event: GenerationEvent & { type: "finish" }, pictures: number): GenerationEvent => {
  const withheld = event.reason === "content-filter" || event.raw === PICTURE_WITHHELD;
  if (pictures > 0) return { ...event, reason: withheld ? "content-filter" : "stop" };
  const error = withheld
    ? new GatewayError("content_policy_violation", "The upstream withheld the picture on content grounds.")
    : new GatewayError("image_generation_incomplete", "The model answered in words instead of drawing.");
  return { type: "failure", error };
};
