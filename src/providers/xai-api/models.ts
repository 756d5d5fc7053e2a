// The models that the official API lists for a key, from its four listings. Prices come as ticks per token already
// ("cents per 100M tokens", docs 2026-09). Invariant: only the first listing is needed; the others add what they know.
import { GatewayError } from "../../core/errors.ts";
import type { ModelKind, TokenPrices, XaiModel } from "../../core/models.ts";
import type { ReasoningEffort } from "../../core/request.ts";
import { arrayAt, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from "../../lib/json.ts";
import type { ProviderCall } from "../port.ts";
import type { XaiClient } from "./client.ts";

const EFFORTS: readonly ReasoningEffort[] = ["none", "minimal", "low", "medium", "high", "xhigh"];

/** Efforts by family, for listings that do not tell (docs.x.ai, 2026-09). The first that fits decides. */
const KNOWN_EFFORTS: readonly (readonly [id: RegExp, efforts: readonly ReasoningEffort[]])[] = [
  [/^grok-4\.[67]\b/, ["low", "medium", "high", "xhigh"]],
  [/^grok-4\.5\b/, ["low", "medium", "high"]],
  [/^grok-4\.3\b/, ["none", "low", "medium", "high"]],
  [/^grok-4\.20-multi-agent\b/, ["low", "medium", "high", "xhigh"]],
  [/^grok-4\.20\b/, []],
  [/^grok-build\b/, []],
];

/** Voices answer on routes of their own, and what embeds answers nothing. */
const NO_CHAT = /voice|embed|tts|stt|realtime|transcribe/;

export interface Listings {
  readonly models: readonly JsonObject[];
  readonly language: readonly JsonObject[];
  readonly image: readonly JsonObject[];
  readonly video: readonly JsonObject[];
}

const pricesAt = (entry: JsonObject, suffix: string): TokenPrices | null => {
  const input = numberAt(entry, `prompt_text_token_price${suffix}`);
  const output = numberAt(entry, `completion_text_token_price${suffix}`);
  if (input === undefined || output === undefined) return null;
  return { input, output, cachedInput: numberAt(entry, `cached_prompt_text_token_price${suffix}`) ?? input };
};

const effortsOf = (entry: JsonObject, id: string): readonly ReasoningEffort[] | null => {
  const capabilities = objectAt(entry, "capabilities");
  if (Array.isArray(capabilities?.["reasoning_effort"])) {
    const listed = arrayAt(capabilities, "reasoning_effort");
    return EFFORTS.filter((effort) => listed.includes(effort));
  }
  return KNOWN_EFFORTS.find(([family]) => family.test(id))?.[1] ?? null;
};

/** `grok-4.20-multi-agent-0309` → `Grok 4.20 Multi Agent 0309` */
const nameOf = (id: string): string =>
  id
    .split("-")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join(" ");

const kindOf = (id: string, entry: JsonObject): ModelKind | null => {
  const outputs = arrayAt(entry, "output_modalities");
  if (outputs.includes("video") || /imagine-video/.test(id)) return "video";
  if (outputs.includes("image") || /imagine-image|-image\b/.test(id)) return "image";
  return NO_CHAT.test(id) ? null : "chat";
};

const DESCRIPTIONS: Partial<Record<ModelKind, string>> = {
  image: "Pictures from text and pictures, over the official API.",
  video: "Clips from text, a picture or a clip, over the official API.",
};

const describeChat = (contextLength: number | null): string =>
  contextLength === null
    ? "Served over the official API."
    : `Served over the official API; reads up to ${contextLength.toLocaleString("en-US")} tokens.`;

const toModel = (id: string, entry: JsonObject): XaiModel | null => {
  const kind = kindOf(id, entry);
  if (kind === null) return null;
  const contextLength = numberAt(entry, "context_length") ?? null;
  const long = pricesAt(entry, "_long_context");
  const threshold = numberAt(entry, "long_context_threshold");
  const efforts = kind === "chat" ? effortsOf(entry, id) : [];
  return {
    upstream: "xai",
    id,
    aliases: arrayAt(entry, "aliases").filter((alias): alias is string => typeof alias === "string" && alias !== id),
    kind,
    name: nameOf(id),
    description: DESCRIPTIONS[kind] ?? describeChat(contextLength),
    reasoning: kind === "chat" && !/non-reasoning/.test(id),
    created: numberAt(entry, "created") ?? 0,
    xai: {
      contextLength,
      prices: kind === "chat" ? pricesAt(entry, "") : null,
      longContext: long && threshold !== undefined && kind === "chat" ? { ...long, threshold } : null,
      imagePrice: numberAt(entry, "image_price") ?? null,
      efforts,
    },
  };
};

/** The entries of all listings, those with the same id as one; a null never hides what another listing tells. */
export const mergeListings = ({ models, language, image, video }: Listings): readonly XaiModel[] => {
  const entries = new Map<string, Record<string, unknown>>();
  const add = (list: readonly JsonObject[], outputs: readonly string[] | null) => {
    for (const entry of list) {
      const id = stringAt(entry, "id");
      if (!id) continue;
      const known = entries.get(id) ?? {};
      for (const [key, value] of Object.entries(entry)) if (value !== null) known[key] = value;
      if (outputs && arrayAt(known, "output_modalities").length === 0) known["output_modalities"] = outputs;
      entries.set(id, known);
    }
  };
  add(language, null);
  add(image, ["image"]);
  add(video, ["video"]);
  add(models, null);
  return [...entries].flatMap(([id, entry]) => toModel(id, entry) ?? []);
};

export const createModelList = (client: XaiClient) => {
  const list = async (call: ProviderCall, path: string): Promise<readonly JsonObject[]> => {
    const answer = await client.json(call, { method: "GET", path });
    return [...objectsAt(answer, "data"), ...objectsAt(answer, "models")];
  };
  /** A listing that adds to the first one. What is wrong with the key or the way there still counts. */
  const extra = async (call: ProviderCall, path: string): Promise<readonly JsonObject[]> => {
    try {
      return await list(call, path);
    } catch (thrown) {
      const isMissing = thrown instanceof GatewayError && (thrown.detail.upstream?.status ?? 0) >= 400;
      if (!isMissing || thrown.code === "account_key_invalid") throw thrown;
      call.log.debug("a listing of models is missing", { account: call.credential.accountId, path });
      return [];
    }
  };
  return async (call: ProviderCall): Promise<readonly XaiModel[]> => {
    const [models, language, image, video] = await Promise.all([
      list(call, "/models"),
      extra(call, "/language-models"),
      extra(call, "/image-generation-models"),
      extra(call, "/video-generation-models"),
    ]);
    return mergeListings({ models, language, image, video });
  };
};
