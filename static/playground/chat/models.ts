// The models that may be asked, in groups. Knows no conversation.
// Invariant: a list that cannot be read is told with its reason and can be asked for again.
import { signal } from "@preact/signals";
import { messageOf } from "../../shared/api.ts";
import { call } from "../visitor.ts";

export interface ListedModel {
  readonly id: string;
  readonly display_name?: string;
  readonly description?: string;
  readonly capabilities?: readonly string[];
}

export const models = signal<readonly ListedModel[]>([]);
export const modelsProblem = signal<string | null>(null);

export const isFor = (model: ListedModel, capability: string): boolean =>
  (model.capabilities ?? ["chat"]).includes(capability);

/** Those that answer in words come first. */
export const chatModels = (): readonly ListedModel[] => models.value.filter((model) => isFor(model, "chat"));
/** Those that draw from a line of chat too. */
export const mediaModels = (): readonly ListedModel[] => models.value.filter((model) => !isFor(model, "chat"));

export const nameOf = (id: string): string => models.value.find((model) => model.id === id)?.display_name ?? id;

let loading: Promise<void> | null = null;

/** Asked for once at a time. */
export const loadModels = (): Promise<void> => {
  loading ??= fetchModels().finally(() => (loading = null));
  return loading;
};

const fetchModels = async (): Promise<void> => {
  try {
    const body = (await (await call("/v1/public/models")).json()) as { data: readonly ListedModel[] };
    models.value = body.data;
    modelsProblem.value = null;
  } catch (thrown) {
    modelsProblem.value = messageOf(thrown);
  }
};
