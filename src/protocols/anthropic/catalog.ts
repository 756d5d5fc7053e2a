// The answers of /v1/models and /v1/models/{id} for clients of Anthropic's API, which send `anthropic-version`.
// Invariant: one page holds every chat model, and a model's date is constant.
import { GatewayError } from "../../core/errors.ts";
import { type Catalogue, isAllowed, type PublicModel } from "../../core/models.ts";

export interface ModelInfo {
  readonly type: "model";
  readonly id: string;
  readonly display_name: string;
  /** RFC 3339. */
  readonly created_at: string;
}

export interface ModelPage {
  readonly data: readonly ModelInfo[];
  readonly has_more: false;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

const modelInfo = (model: PublicModel, id: string): ModelInfo => ({
  type: "model",
  id,
  display_name: model.name,
  created_at: new Date(model.created * 1000).toISOString().replace(".000Z", "Z"),
});

/** Only models that answer in conversations: nothing else is served under /v1/messages. */
export const listModelInfos = (catalogue: Catalogue, allowed: readonly string[] | null = null): ModelPage => {
  const data = catalogue
    .all()
    .filter(({ id, kind }) => kind === "chat" && (allowed?.includes(id) ?? true))
    .map((model) => modelInfo(model, model.id));
  return { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
};

/** One model by id or alias, under the name that was asked for. */
export const retrieveModelInfo = (
  catalogue: Catalogue,
  { name, allowed = null }: { name: string; allowed?: readonly string[] | null },
): ModelInfo => {
  const model = catalogue.find(name);
  if (model?.kind === "chat" && isAllowed(model, allowed)) return modelInfo(model, name);
  throw new GatewayError("model_not_found", `model: ${name.slice(0, 100)}`, { param: "model" });
};
