// Lets a request begin only when its key may still use what it is about to use, and books at the end what it has used.
// Knows no protocol and no counter. Invariant: what was reserved for a record is settled when the record is closed, however
// it ends.
import type { Allowance, Want } from "../access/usage.ts";
import type { Config } from "../config/schema.ts";
import type { ClipRequest, PictureRequest } from "../core/media-request.ts";
import type { Catalogue, PublicModel } from "../core/models.ts";
import type { GenerationRequest } from "../core/request.ts";
import { countRequest } from "../core/usage.ts";
import type { MediaGateway } from "./media-port.ts";
import { modelOfTurn } from "./media-turn.ts";
import type { ChatGateway } from "./port.ts";
import type { RequestRecord } from "./record.ts";

export interface MeterDeps {
  readonly allowance: Allowance;
  readonly catalogue: Catalogue;
  readonly config: () => Config;
}

export interface Meter {
  chat(request: GenerationRequest, record: RequestRecord): void;
  pictures(request: PictureRequest, record: RequestRecord): void;
  clip(request: Pick<ClipRequest, "model">, about: { readonly holder: object; readonly key: string | null }): void;
  /** For the record's end. */
  settle(record: RequestRecord): void;
}

/** Units that a picture model asked through a conversation costs at least: the upstream draws two. */
const CHAT_PICTURES = 2;
const NO_TOKENS = { input: 0, output: 0 };

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
      want: (model: PublicModel) => Pick<Want, "units" | "tokens">;
    },
  ): PublicModel | undefined => {
    const model = catalogue.find(about.doneBy ?? asked);
    if (!model) return undefined;
    const want = { model: model.id, asked, ...about.want(model) };
    allowance.reserve(about.holder, { key: about.key, want });
    return model;
  };
  return {
    chat(request, record) {
      const { usage, keys } = config();
      const tokens = () => ({
        input: countRequest(request, usage.image_tokens),
        output: request.maxTokens ?? keys.hold_output_tokens,
      });
      const want = (model: PublicModel) => ({ units: unitsInChat(model, request), tokens });
      const doneBy = modelOfTurn(request);
      const model = reserve(request.model, { holder: record, key: record.key, doneBy, want });
      record.served = model?.id ?? null;
    },
    pictures(request, record) {
      const want = () => ({ units: { image: request.count }, tokens: () => NO_TOKENS });
      const model = reserve(request.model, { holder: record, key: record.key, want });
      record.served = model?.id ?? null;
    },
    clip(request, { holder, key }) {
      reserve(request.model, { holder, key, want: () => ({ units: { video: 1 }, tokens: () => NO_TOKENS }) });
    },
    settle(record) {
      allowance.settle(record, { served: wasServed(record), tokens: tokensOf(record) });
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
