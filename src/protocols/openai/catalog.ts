// The answers of /v1/models and /v1/models/{id}: the catalogue as OpenAI model objects.
// Which kinds are served, and to whom, is the caller's knowledge. Invariant: `created` is constant for a model, and an
// alias can be retrieved wherever its model can.
import { GatewayError } from "../../core/errors.ts";
import {
  type Catalogue,
  isAllowed,
  type Model,
  type ModelKind,
  type PublicModel,
  type Tier,
  type Upstream,
} from "../../core/models.ts";

export interface ModelObject {
  readonly id: string;
  readonly object: "model";
  readonly created: number;
  readonly owned_by: "xai";
  readonly display_name: string;
  readonly description: string;
  readonly capabilities: readonly string[];
  /** Kinds of account that serve it, the preferred first. */
  readonly upstreams: readonly Upstream[];
  /** Lowest tier of a web account that serves it. */
  readonly tier?: Tier;
  /** Tokens, where the upstream says. */
  readonly context_length?: number;
}

export interface ModelList {
  readonly object: "list";
  readonly data: readonly ModelObject[];
}

const CAPABILITY: Readonly<Record<ModelKind, string>> = {
  chat: "chat",
  image: "image",
  "image-edit": "image_edit",
  video: "video",
};

type OfferFacts = Pick<ModelObject, "tier" | "context_length">;

const modelObject = (model: PublicModel, id: string): ModelObject => ({
  id,
  object: "model",
  created: model.created,
  owned_by: "xai",
  display_name: model.name,
  description: model.description,
  capabilities: [CAPABILITY[model.kind], ...(model.reasoning ? ["reasoning"] : [])],
  upstreams: model.offers.map(({ upstream }) => upstream),
  ...model.offers.reduce<OfferFacts>((facts, offer) => ({ ...facts, ...factsOf(offer) }), {}),
});

const factsOf = (offer: Model): OfferFacts => {
  if (offer.upstream === "web") return { tier: offer.tier };
  const { contextLength } = offer.xai;
  return contextLength === null ? {} : { context_length: contextLength };
};

/** Ids that a caller may use; null for all. */
export type Allowed = readonly string[] | null;

/** Ids of the catalogue in its order; aliases are not listed. */
export const listModels = (
  catalogue: Catalogue,
  { kinds, allowed = null }: { kinds: readonly ModelKind[]; allowed?: Allowed },
): ModelList => ({
  object: "list",
  data: catalogue
    .all()
    .filter(({ id, kind }) => kinds.includes(kind) && (allowed?.includes(id) ?? true))
    .map((model) => modelObject(model, model.id)),
});

/** One model by id or alias, under the name that was asked for. */
export const retrieveModel = (
  catalogue: Catalogue,
  { name, kinds, allowed = null }: { name: string; kinds: readonly ModelKind[]; allowed?: Allowed },
): ModelObject => {
  const model = catalogue.find(name);
  if (model && kinds.includes(model.kind) && isAllowed(model, allowed)) return modelObject(model, name);
  throw new GatewayError(
    "model_not_found",
    `The model '${name.slice(0, 100)}' does not exist or you do not have access to it.`,
    { param: "model" },
  );
};
