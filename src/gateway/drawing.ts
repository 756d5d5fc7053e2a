// The picture use case: n pictures over as many calls and accounts as it takes, each stored by the account that drew it.
// Knows no protocol. Invariants: an answer never holds more or other things than pictures that exist; once the upstream has
// withheld something, nothing more is asked for; a shortfall is told, never padded.
import type { Lease, Pool } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import type { EventBatch, GenerationEvent, GenerationStream, MediaSource } from "../core/events.ts";
import { checkPictures, fitting } from "../core/media-limits.ts";
import type { PictureRequest } from "../core/media-request.ts";
import { findModel, type Catalogue, type Model } from "../core/models.ts";
import type { UploadFile } from "../core/request.ts";
import { countText, estimateUsage } from "../core/usage.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { mergeStreams } from "../lib/merge.ts";
import type { MediaProvider, PictureTask } from "../providers/port.ts";
import type { createAttempts } from "./attempts.ts";
import type { MediaAccounts } from "./media-accounts.ts";
import { callFor, isEarly, isFinal, lostBy, mediaModel, noted, noteAttempt, startLimit } from "./media-run.ts";
import type { Pictures } from "./pictures.ts";
import type { CallContext } from "./port.ts";
import type { References } from "./references.ts";

export interface DrawingDeps {
  readonly pool: Pool;
  readonly provider: MediaProvider;
  readonly attempts: ReturnType<typeof createAttempts>;
  readonly catalogue: Catalogue;
  readonly accounts: MediaAccounts;
  readonly references: References;
  readonly pictures: Pictures;
  readonly sniff: (bytes: Uint8Array) => string | null;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

/** Rounds of calls for what is missing; each must have brought something for the next to begin. */
const MAX_ROUNDS = 3;

const EDIT_MODEL = "grok-imagine-image-edit";

interface Work {
  readonly request: PictureRequest;
  readonly offers: readonly Model[];
  readonly files: readonly UploadFile[];
  readonly context: CallContext;
  /** Takes note of what a call was charged. */
  readonly charged: (ticks: number) => void;
}

/** Counts what has come so far, over all calls. */
interface Tally {
  pictures: number;
  /** Numbers given out; a picture whose previews have come has one. */
  numbered: number;
  withheld: boolean;
  failure: GatewayError | null;
}

export type Draw = (request: PictureRequest, context: CallContext) => Promise<GenerationStream>;

export const createDrawing = (deps: DrawingDeps): Draw => {
  const { provider, attempts, catalogue, accounts, references, pictures, sniff, config, clock, log } = deps;

  /** The bytes themselves where they are asked for, so that a link and a body show the same file. */
  const stored = async (source: MediaSource, about: { work: Work; lease: Lease }): Promise<MediaSource> => {
    const { request, context } = about.work;
    const call = callFor(about.lease, { signal: context.signal, log });
    const kept = await pictures.keep(source, { ...call, baseUrl: context.baseUrl });
    const { name, mime, link, bytes } = kept;
    return { name, mime, link, ...(request.inline ? { base64: bytes.toBase64() } : {}) };
  };
  const preview = async (source: MediaSource, about: { work: Work; lease: Lease }): Promise<MediaSource | null> => {
    const call = callFor(about.lease, { signal: about.work.context.signal, log });
    const { bytes } = await pictures.fetch(source, call);
    const mime = sniff(bytes);
    return mime?.startsWith("image/") ? { mime, base64: bytes.toBase64() } : null;
  };

  /** One account's pictures, stored while the account is still at hand. */
  async function* drawn(lease: Lease, about: { work: Work; task: PictureTask; count: () => void }): GenerationStream {
    const { work, task } = about;
    const { files, context } = work;
    // The operator's default holds for accounts that were switched on for it, and never where pictures were sent along.
    const byDefault = config().image.nsfw && work.request.tame !== true;
    const adult = task.adult || (byDefault && accounts.isAdult(lease.credential.accountId));
    const call = { ...callFor(lease, { signal: context.signal, log }), model: lease.model, files, ...pick(context) };
    const stream = files.length > 0 ? provider.edit(task, call) : provider.images({ ...task, adult }, call);
    for await (const batch of stream) {
      const out: GenerationEvent[] = [];
      for (const event of batch) {
        // Noted at once: what fails or is withheld later is charged all the same.
        if (event.type === "usage") work.charged(event.usage.costTicks ?? 0);
        if (event.type !== "image") {
          out.push(event);
          continue;
        }
        try {
          const source = event.partial
            ? await preview(event.source, { work, lease }).catch(() => null)
            : await stored(event.source, { work, lease });
          if (source) out.push({ ...event, source });
          if (!event.partial) about.count();
        } catch (thrown) {
          const reason: unknown = context.signal.reason;
          const error = context.signal.aborted && reason instanceof GatewayError ? reason : asGatewayError(thrown);
          return yield [...out, { type: "failure", error: lostBy(lease, error) }];
        }
      }
      if (out.length > 0) yield out;
    }
  }

  /** One call for a share of the pictures, over as many accounts as it takes to begin. */
  const share = (work: Work, about: { count: number; tally: Tally }): GenerationStream => {
    const { request, offers, context } = work;
    const { count, tally } = about;
    const task = {
      prompt: request.prompt,
      count,
      ratio: request.ratio,
      ...(request.resolution ? { resolution: request.resolution } : {}),
      ...(request.fineness ? { fineness: request.fineness } : {}),
      previews: request.previews,
      adult: request.adult,
    };
    let drawnHere = 0;
    const served: GenerationStream = attempts({
      offers,
      mayPay: context.record.mayPay,
      barred: context.record.barred,
      signal: context.signal,
      needs: accounts.pictures(offers, request.adult),
      passes: isEarly,
      units: () => Math.max(1, drawnHere),
      run: (lease) => {
        drawnHere = 0;
        context.record.begun++;
        return drawn(lease, { work, task, count: () => drawnHere++ });
      },
      onAttempt: (attempt, lease) => {
        noteAttempt(context)(attempt, lease);
        if (request.adult && attempt.code === null) accounts.served(lease.credential.accountId);
      },
    });
    return tallied(served, tally);
  };

  /** The site changes pictures one by one. */
  const mostPerCall = (offer: Model, { files }: Pick<Work, "files">): number =>
    files.length > 0 && offer.upstream === "web" ? 1 : provider.picturesPerCall(offer);

  async function* rounds(about: Omit<Work, "charged">): GenerationStream {
    const { request, offers, context } = about;
    let costTicks: number | null = null;
    const charged = (ticks: number) => {
      costTicks = (costTicks ?? 0) + ticks;
      context.record.usage = { ...usage.usage, costTicks };
    };
    const work = { ...about, charged };
    /** The bill so far goes ahead of the pictures that it is for. */
    const billed = (batch: EventBatch): EventBatch =>
      costTicks === null ? batch : [{ type: "usage", usage: { ...usage.usage, costTicks } }, ...batch];
    const tally: Tally = { pictures: 0, numbered: 0, withheld: false, failure: null };
    /** The upstream has given a verdict, or asking again could not help. */
    const isOver = () => tally.withheld || (tally.failure !== null && isFinal(tally.failure)) || context.signal.aborted;
    let opened = false;
    const withStart = (batch: EventBatch): EventBatch => {
      if (opened) return batch;
      opened = true;
      return [{ type: "start", id: context.id, model: request.model, created: context.created }, usage, ...batch];
    };
    const input = countText(request.prompt) + work.files.length * config().usage.image_tokens;
    // Told first, because every finished picture of a stream carries it.
    const usage = { type: "usage", usage: estimateUsage({ input, text: 0, reasoning: 0 }) } as const;
    for (let round = 0; round < MAX_ROUNDS; round++) {
      const before = tally.pictures;
      const perCall = Math.min(...offers.map((offer) => mostPerCall(offer, work)));
      const starts = sharesOf(request.count - before, { perCall, atOnce: request.concurrency }).map(
        (count) => () => share(work, { count, tally }),
      );
      const goOn = () => !isOver();
      for await (const batch of mergeStreams(starts, { atOnce: request.concurrency, goOn })) {
        yield withStart(billed(batch));
      }
      if (isOver() || tally.pictures === before || tally.pictures >= request.count) break;
    }
    const error = tally.failure ?? new GatewayError("image_generation_incomplete", "The upstream drew no picture.");
    if (tally.pictures === 0) return yield [{ type: "failure", error }];
    const short = tally.pictures < request.count;
    if (short) {
      const why = tally.failure?.code ?? (tally.withheld ? "withheld" : "not drawn");
      log.warn("fewer pictures than asked for", { id: context.id, asked: request.count, got: tally.pictures, why });
    }
    yield withStart([
      { type: "finish", reason: short ? (tally.withheld ? "content-filter" : "other") : "stop", raw: null },
    ]);
  }

  return async (request, context) => {
    const { record } = context;
    record.model = request.model;
    const offers = fitting(offersFor(catalogue, request), (offer) => checkPictures(offer, request));
    if (request.adult && request.references.length > 0) throw adultWithPicture(request.references[0]?.param ?? "image");
    const files = await references(request.references, context.signal);
    const onEnd = startLimit(context, { seconds: config().image.total_timeout, setting: "image.total_timeout" });
    return noted(rounds({ request, offers, files, context }), { context, clock, onEnd });
  };
};

/**
 * Web accounts change pictures with the one model for it, whichever picture model the caller named; the official API changes
 * them with the model that was named.
 */
const offersFor = (catalogue: Catalogue, { model, references }: PictureRequest): readonly Model[] => {
  if (references.length === 0) return mediaModel(catalogue, model, ["image"]).offers;
  const { offers } = mediaModel(catalogue, model, ["image-edit", "image"]);
  return offers.flatMap((offer) =>
    offer.upstream === "web" && offer.kind !== "image-edit" ? (findModel(EDIT_MODEL) ?? []) : [offer],
  );
};

export const adultWithPicture = (param: string): GatewayError =>
  new GatewayError("adult_with_picture", "Adult content is drawn from text alone; send the request without pictures.", {
    param,
  });

const pick = ({ id, created }: CallContext) => ({ id, created });

/** How many pictures each call is asked for. */
const sharesOf = (count: number, { perCall, atOnce }: { perCall: number; atOnce: number }): readonly number[] => {
  const most = Math.max(1, Math.min(perCall, Math.ceil(count / atOnce)));
  const shares: number[] = [];
  for (let left = count; left > 0; left -= most) shares.push(Math.min(most, left));
  return shares;
};

/** Numbers the pictures of one call among those of all calls, and keeps the call's end for itself. */
async function* tallied(served: GenerationStream, tally: Tally): GenerationStream {
  /** The picture that is being told, previews first: its number in the call and in the answer. */
  let own = -1;
  let index = -1;
  const note = (event: GenerationEvent): GenerationEvent | null => {
    switch (event.type) {
      case "progress":
        return event;
      case "finish":
        tally.withheld ||= event.reason === "content-filter";
        return null;
      case "failure":
        tally.failure ??= event.error;
        return null;
      case "image":
        if (own !== event.index) index = tally.numbered++;
        own = event.index;
        if (!event.partial) tally.pictures++;
        return { ...event, index };
      default:
        return null;
    }
  };
  for await (const batch of served) {
    const out = batch.map(note).filter((event) => event !== null);
    if (out.length > 0) yield out;
  }
}
