// Lets a request begin only when its key may still use what it is about to use, and books at the end what it has used.
// Knows no protocol and no counter. Invariant: what was reserved for a record is settled when the record is closed, however
// it ends.
import type { Spend } from "../access/budget.ts";
import type { Allowance, Want } from "../access/usage.ts";
import type { Config } from "../config/schema.ts";
import type { ClipRequest, PictureRequest } from "../core/media-request.ts";
import type { Resolution } from "../core/media-wishes.ts";
import type { Catalogue, Model, PublicModel, XaiModel } from "../core/models.ts";
import type { GenerationRequest } from "../core/request.ts";
import { countRequest } from "../core/usage.ts";
import type { MediaGateway } from "./media-port.ts";
import { modelOfTurn } from "./media-turn.ts";
import type { ChatGateway } from "./port.ts";
import { clipTicks, DEAREST_SECOND } from "./prices.ts";
import { costOf, type RequestRecord } from "./record.ts";

export interface MeterDeps {
  readonly allowance: Allowance;
  readonly catalogue: Catalogue;
  readonly config: () => Config;
}

export interface Meter {
  chat(request: GenerationRequest, record: RequestRecord): void;
  pictures(request: PictureRequest, record: RequestRecord): void;
  clip(
    request: Pick<ClipRequest, "model" | "seconds" | "resolution">,
    about: {
      readonly record: RequestRecord;
      readonly key: string | null;
      /** Counted by an earlier process; `underway`: a key films it already. */
      readonly taken?: "waiting" | "underway";
    },
  ): void;
  /** Speech in either direction, and a conversation however long, is one question. */
  speech(
    request: { readonly model: string; readonly asked: string; readonly ticks: number },
    record: RequestRecord,
  ): void;
  /** For the record's end. */
  settle(record: RequestRecord): void;
}

/** Units that a picture model asked through a conversation costs at least: the upstream draws two. */
const CHAT_PICTURES = 2;
const NO_TOKENS = { input: 0, output: 0 };
/** Length of a clip that says none. */
const SECONDS = 8;
const RESOLUTION: Resolution = "480p";
/** Where the listing tells no price: the dearest of docs.x.ai for a picture (2026-09). */
const PICTURE_TICKS = 800_000_000;

/** What a request is about to use of an upstream that charges for it. */
interface Costs {
  readonly tokens: () => { readonly input: number; readonly output: number };
  readonly pictures: number;
  readonly seconds: number;
  readonly resolution: Resolution;
}

/** What the offers of the official API would charge at most; nothing where there is none. */
const spendOn = (offers: readonly Model[], costs: Costs): Spend | undefined => {
  const paid = offers.filter((offer) => offer.upstream === "xai");
  if (paid.length === 0) return undefined;
  const ticks = () => Math.max(...paid.map((model) => ticksFor(model, costs)));
  return { ticks, avoidable: paid.length < offers.length };
};

const ticksFor = (model: XaiModel, costs: Costs): number => {
  const { prices, longContext, imagePrice } = model.xai;
  const { tokens, pictures, seconds } = costs;
  const media = pictures * (imagePrice ?? PICTURE_TICKS) + clipTicks(model, costs);
  if (!prices || pictures + seconds > 0) return media;
  const { input, output } = tokens();
  const rate = longContext && input >= longContext.threshold ? longContext : prices;
  return input * rate.input + output * rate.output;
};

const isHeavy = ({ offers }: PublicModel): boolean =>
  offers.some((offer) => offer.upstream === "web" && offer.web.mode === "heavy");

/** What heavy mode answers takes one of both. */
const unitsInChat = (model: PublicModel, request: GenerationRequest): Want["units"] => {
  switch (model.kind) {
    case "chat":
      return isHeavy(model) ? { chat: 1, heavy: 1 } : { chat: 1 };
    case "image":
    case "image-edit":
      return { image: Math.max(CHAT_PICTURES, request.pictureWishes?.count ?? 1) };
    case "video":
      return { video: 1 };
  }
};

export const createMeter = ({ allowance, catalogue, config }: MeterDeps): Meter => {
  /** An unknown model is told by the use case itself, before anything is used. */
  const reserve = (
    asked: string,
    about: {
      holder: object;
      key: string | null;
      /** The model that will do it, where that is not the one that was asked for. */
      doneBy?: string;
      want: (model: PublicModel) => Pick<Want, "units" | "tokens"> & { readonly costs: Costs };
    },
  ): Pick<RequestRecord, "served" | "mayPay" | "barred"> => {
    const { holder, key } = about;
    const model = catalogue.find(about.doneBy ?? asked);
    if (!model) return { served: null, mayPay: true, barred: null };
    const { id } = model;
    // One name may stand for a model of each kind; a key's list decides about each of them.
    const isWhole = model.kind === "image-edit" && allowance.allows(key, id);
    const offers = model.offers.filter((offer) => isWhole || allowance.allows(key, offer.id));
    const barred = offers.length === 0 ? undefined : model.offers.find((offer) => !offers.includes(offer));
    const { costs, ...wanted } = about.want(model);
    const spend = spendOn(offers, costs);
    const listed = isWhole ? id : (offers[0]?.id ?? id);
    const want = { model: listed, asked, ...wanted, ...(spend ? { spend } : {}) };
    return { served: id, mayPay: allowance.reserve(holder, { key, want }), barred: barred?.upstream ?? null };
  };
  return {
    chat(request, record) {
      const { usage, keys } = config();
      const tokens = () => ({
        input: countRequest(request, usage.image_tokens),
        output: request.maxTokens ?? keys.hold_output_tokens,
      });
      const want = (model: PublicModel) => {
        const units = unitsInChat(model, request);
        const made = {
          pictures: units.image ?? 0,
          seconds: units.video ? (request.clipWishes?.seconds ?? SECONDS) : 0,
          resolution: request.clipWishes?.resolution ?? RESOLUTION,
        };
        return { units, tokens, costs: { tokens, ...made } };
      };
      const doneBy = modelOfTurn(request);
      Object.assign(record, reserve(request.model, { holder: record, key: record.key, doneBy, want }));
    },
    pictures(request, record) {
      const costs = { tokens: () => NO_TOKENS, pictures: request.count, seconds: 0, resolution: RESOLUTION };
      const want = () => ({ units: { image: request.count }, tokens: () => NO_TOKENS, costs });
      Object.assign(record, reserve(request.model, { holder: record, key: record.key, want }));
    },
    clip(request, { record, key, taken }) {
      const { model, seconds } = request;
      const units = taken ? {} : { video: 1 };
      if (taken === "underway") {
        const spend = { ticks: () => seconds * DEAREST_SECOND, avoidable: false, underway: true };
        allowance.reserve(record, { key, want: { model, asked: model, units, tokens: () => NO_TOKENS, spend } });
        return;
      }
      const costs = { tokens: () => NO_TOKENS, pictures: 0, seconds, resolution: request.resolution };
      const want = () => ({ units, tokens: () => NO_TOKENS, costs });
      const { mayPay, barred } = reserve(request.model, { holder: record, key, want });
      Object.assign(record, { mayPay, barred });
    },
    speech({ model, asked, ticks }, record) {
      const spend = { ticks: () => ticks, avoidable: false };
      const want = { model, asked, units: { chat: 1 }, tokens: () => NO_TOKENS, spend };
      record.mayPay = allowance.reserve(record, { key: record.key, want });
      record.served = model;
    },
    settle(record) {
      const spent = { served: wasServed(record), tokens: tokensOf(record), costTicks: costOf(record) };
      allowance.settle(record, spent);
    },
  };
};

/**
 * False gives back what was reserved: nothing came out, and the caller is not the reason. A caller that hangs up or asks for
 * what is withheld has used the upstream all the same; one that was refused before the upstream was asked has not.
 */
const wasServed = (record: RequestRecord): boolean => {
  const { error, usage } = record;
  if (record.finish !== null || (usage?.outputTokens ?? 0) > 0 || record.images > 0 || record.videos > 0) return true;
  if (record.outcome === "finished") return true;
  if (record.begun === 0 && record.attempts.length === 0) return false;
  return error === null || error.row.blame === "request";
};

const tokensOf = ({ usage }: RequestRecord): number => (usage === null ? 0 : usage.inputTokens + usage.outputTokens);

/** The same use case, metered. */
export const meteredChat = (gateway: ChatGateway, meter: Meter): ChatGateway => ({
  async chat(request, context) {
    meter.chat(request, context.record);
    return gateway.chat(request, context);
  },
});

export const meteredMedia = (gateway: MediaGateway, meter: Meter): MediaGateway => ({
  async pictures(request, context) {
    meter.pictures(request, context.record);
    return gateway.pictures(request, context);
  },
});
