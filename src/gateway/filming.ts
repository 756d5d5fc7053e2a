// The clip use case: one clip by the account that suits it, enlarged where the account films small, and stored with its still by
// the same account. Knows no protocol and no job. Invariant: what is handed out is a stored file; nothing needs a cookie.
import type { Lease } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import type { GenerationEvent, GenerationStream, MediaSource } from "../core/events.ts";
import { fitting, planClip } from "../core/media-limits.ts";
import type { ClipRequest, Reference } from "../core/media-request.ts";
import type { Catalogue, Model } from "../core/models.ts";
import type { UploadFile } from "../core/request.ts";
import { countText, estimateUsage } from "../core/usage.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { MediaProvider, ProviderCall } from "../providers/port.ts";
import type { createAttempts } from "./attempts.ts";
import { adultWithPicture } from "./drawing.ts";
import type { MediaAccounts } from "./media-accounts.ts";
import { callFor, isEarly, lostBy, mediaModel, noted, noteAttempt, startLimit } from "./media-run.ts";
import type { Pictures } from "./pictures.ts";
import { clipTicks } from "./prices.ts";
import type { CallContext } from "./port.ts";
import type { References } from "./references.ts";

export interface FilmingDeps {
  readonly provider: MediaProvider;
  readonly attempts: ReturnType<typeof createAttempts>;
  readonly catalogue: Catalogue;
  readonly accounts: MediaAccounts;
  readonly references: References;
  readonly pictures: Pictures;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

type VideoEvent = GenerationEvent & { type: "video" };

export interface Filming {
  film(request: ClipRequest, context: CallContext): Promise<GenerationStream>;
  /** The length that the preferred kind of account films. Throws GatewayError for what none can film. */
  check(request: ClipRequest): number;
  /** Refuses what cannot be filmed and fetches what is linked: the same pictures as bytes. Throws GatewayError. */
  references(request: ClipRequest): Promise<readonly Reference[]>;
  /** Stores a clip that an account has made earlier; the event has links. Throws GatewayError. */
  keep(video: VideoEvent, call: ProviderCall & { baseUrl: string }): Promise<VideoEvent>;
}

interface Work {
  readonly request: ClipRequest;
  readonly offers: readonly Model[];
  readonly files: readonly UploadFile[];
  readonly context: CallContext;
  /** Takes note of what a call was charged. */
  readonly charged: (ticks: number) => void;
  /** Takes note that a clip is in the making, and of what it will probably cost. */
  readonly making: (ticks: number) => void;
}

/** Adult clips are made from text alone. */
export const checkAdult = ({ preset, references }: ClipRequest): void => {
  const [first] = references;
  if (preset === "spicy" && first) throw adultWithPicture(first.param);
};

export const createFilming = (deps: FilmingDeps): Filming => {
  const { provider, attempts, catalogue, accounts, references, pictures, config, clock, log } = deps;

  const keep: Filming["keep"] = async (video, call) => {
    const stored = async (source: MediaSource, kind: "image" | "video"): Promise<MediaSource> => {
      const { name, mime, link } = await (kind === "video"
        ? pictures.keepClip(source, call)
        : pictures.keep(source, { ...call, isExtra: true }));
      return { name, mime, link, ...(source.id ? { id: source.id } : {}) };
    };
    const source = await stored(video.source, "video");
    // A clip without its still is a clip all the same.
    const thumbnail = video.thumbnail
      ? await stored(video.thumbnail, "image").catch((error: unknown) => {
          call.signal.throwIfAborted();
          log.warn("the still of a clip could not be stored", { error });
          return undefined;
        })
      : undefined;
    const { thumbnail: _, ...rest } = video;
    return { ...rest, source, ...(thumbnail ? { thumbnail } : {}) };
  };

  /** A basic account films small; what it made is enlarged by a call of its own. When that fails the small clip stands. */
  const enlarged = async (video: VideoEvent, call: ProviderCall): Promise<VideoEvent> => {
    const { id } = video.source;
    if (!id) return video;
    try {
      return { ...video, source: await provider.upscale(id, call), resolution: "720p" };
    } catch (error) {
      call.signal.throwIfAborted();
      log.warn("a clip could not be enlarged; it is delivered as it is", { account: call.credential.accountId, error });
      return video;
    }
  };

  async function* filmed(lease: Lease, { request, files, context, charged, making }: Work): GenerationStream {
    const plan = planClip(lease.model, request);
    if (plan instanceof GatewayError) return yield [{ type: "failure", error: plan }];
    const { ratio, seconds } = plan;
    const small = lease.model.upstream === "web" && lease.credential.tier === "basic" && plan.resolution === "720p";
    const resolution = small ? "480p" : plan.resolution;
    const { model: _, references: __, stream: ___, ...wish } = request;
    const task = { ...wish, ratio, seconds, resolution };
    const call = callFor(lease, { signal: context.signal, log });
    const { id, created } = context;
    for await (const batch of provider.video(task, { ...call, model: lease.model, files, id, created })) {
      const out: GenerationEvent[] = [];
      for (const event of batch) {
        if (event.type === "usage") charged(event.usage.costTicks ?? 0);
        if (event.type === "upstream") {
          if (event.clipId !== undefined) making(clipTicks(lease.model, { seconds, resolution }));
          out.push({ ...event, accountId: lease.credential.accountId });
        }
        if (event.type !== "upstream" && event.type !== "video") out.push(event);
        if (event.type !== "video") continue;
        try {
          const own = { ...event, ...(request.extension || request.edit ? {} : { seconds }) };
          const best = small ? await enlarged(own, call) : own;
          const kept = await keep(best, { ...call, baseUrl: context.baseUrl }).catch((thrown: unknown) => {
            context.signal.throwIfAborted();
            if (best === own) throw thrown;
            log.warn("an enlarged clip could not be fetched; the small one is delivered", { error: thrown });
            return keep(own, { ...call, baseUrl: context.baseUrl });
          });
          out.push(kept);
        } catch (thrown) {
          const reason: unknown = context.signal.reason;
          const error = context.signal.aborted && reason instanceof GatewayError ? reason : asGatewayError(thrown);
          return yield [...out, { type: "failure", error: lostBy(lease, error) }];
        }
      }
      if (out.length > 0) yield out;
    }
  }

  /** One start, whatever number of attempts it takes, and the usage before the end. */
  async function* told(about: Omit<Work, "charged" | "making">): GenerationStream {
    const { request, offers, context, files } = about;
    const input = countText(request.prompt) + files.length * config().usage.image_tokens;
    let usage = estimateUsage({ input, text: 0, reasoning: 0 });
    const charged = (ticks: number) => {
      usage = { ...usage, costTicks: (usage.costTicks ?? 0) + ticks };
      // Noted at once: a clip that is withheld or lost later is charged all the same.
      context.record.usage = usage;
    };
    /** What the clip in the making will cost, for one that is left before its bill has come. */
    let makingTicks = 0;
    const making = (ticks: number) => {
      makingTicks = ticks;
    };
    const work = { ...about, charged, making };
    const served = attempts({
      offers,
      mayPay: context.record.mayPay,
      barred: context.record.barred,
      signal: context.signal,
      needs: accounts.clips(offers, request),
      passes: isEarly,
      making: () => makingTicks > 0,
      unbilled: () => makingTicks,
      run: (lease) => {
        makingTicks = 0;
        context.record.begun++;
        return filmed(lease, work);
      },
      onAttempt: (attempt, lease) => {
        noteAttempt(context)(attempt, lease);
        if (request.preset === "spicy" && attempt.code === null) accounts.served(lease.credential.accountId);
      },
    });
    let opened = false;
    for await (const batch of served) {
      const out: GenerationEvent[] = [];
      for (const event of batch) {
        if (event.type === "start" || event.type === "usage") continue;
        if (event.type === "finish") out.push({ type: "usage", usage });
        out.push(event);
      }
      if (out.length === 0) continue;
      const only = out.length === 1 && out[0]?.type === "failure";
      if (!opened && !only) {
        opened = true;
        out.unshift({ type: "start", id: context.id, model: request.model, created: context.created });
      }
      yield out;
    }
  }

  const offersFor = (request: ClipRequest): readonly Model[] =>
    fitting(mediaModel(catalogue, request.model, ["video"]).offers, (offer) => planClip(offer, request));

  return {
    keep,
    check(request) {
      const offers = offersFor(request);
      accounts.clips(offers, request);
      const plan = offers[0] && planClip(offers[0], request);
      return plan && !(plan instanceof GatewayError) ? plan.seconds : request.seconds;
    },
    async references(request) {
      checkAdult(request);
      const files = await references(request.references, AbortSignal.timeout(config().video.total_timeout * 1000));
      return files.map(({ content }, index) => {
        const { source, param } = request.references[index] ?? { param: "input_reference" };
        const keep = source?.kind === "file" ? source.keep : undefined;
        return { source: { kind: "file", content, ...(keep ? { keep } : {}) }, param };
      });
    },
    async film(request, context) {
      context.record.model = request.model;
      const offers = offersFor(request);
      checkAdult(request);
      const files = await references(request.references, context.signal);
      const onEnd = startLimit(context, { seconds: config().video.total_timeout, setting: "video.total_timeout" });
      return noted(told({ request, offers, files, context }), { context, clock, onEnd });
    },
  };
};
