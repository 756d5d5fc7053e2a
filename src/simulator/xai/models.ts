// The models of the simulated xAI API: ids, aliases, windows, prices, abilities; and the listings made of them.
// Prices are ticks per token, per picture or per second; 10^10 ticks are one US dollar.
// Knows no key. Invariant: every id and alias names exactly one model.

export type Effort = "none" | "low" | "medium" | "high" | "xhigh";

export interface TextModel {
  id: string;
  aliases: string[];
  created: number;
  contextLength: number;
  price: { input: number; cached: number; output: number };
  /** Values of the effort that are accepted; none at all refuses the parameter. */
  efforts: Effort[];
  defaultEffort: Effort | undefined;
  reasons: boolean;
  /** Tokens that the upstream adds to every prompt. */
  hiddenTokens: number;
  responsesOnly: boolean;
}

export interface ImageModel {
  id: string;
  aliases: string[];
  created: number;
  inputPrice: number;
  /** By quality, then by resolution; models without qualities have "low" alone. */
  prices: Partial<Record<"low" | "medium", Partial<Record<string, number>>>>;
}

export interface VideoModel {
  id: string;
  aliases: string[];
  created: number;
  inputPrice: number;
  /** Per second, by resolution. */
  prices: Partial<Record<string, number>>;
}

export const LONG_CONTEXT_TOKENS = 200_000;
const CENT = 100_000_000;
const WIDE: Effort[] = ["low", "medium", "high", "xhigh"];

export const TEXT_MODELS: readonly TextModel[] = [
  text("grok-4.7", { created: 1789948800, window: 500_000, price: [20_000, 5_000, 60_000], efforts: WIDE }),
  text("grok-4.6", {
    created: 1786492800,
    window: 500_000,
    price: [20_000, 5_000, 60_000],
    efforts: WIDE,
    aliases: [],
  }),
  text("grok-4.5", {
    created: 1782691200,
    window: 500_000,
    price: [20_000, 3_000, 60_000],
    efforts: ["low", "medium", "high"],
    aliases: ["grok-4.5-latest", "grok-build-latest"],
  }),
  text("grok-4.3", {
    created: 1776816000,
    efforts: ["none", "low", "medium", "high"],
    defaultEffort: "low",
    aliases: ["grok-4.3-latest", "grok-latest"],
  }),
  text("grok-4.20-0309-reasoning", { created: 1773014400, aliases: ["grok-4.20-reasoning"] }),
  text("grok-4.20-0309-non-reasoning", {
    created: 1773014400,
    aliases: ["grok-4.20-non-reasoning"],
    reasons: false,
  }),
  text("grok-4.20-multi-agent-0309", {
    created: 1773014400,
    efforts: WIDE,
    defaultEffort: "low",
    aliases: ["grok-4.20-multi-agent"],
    responsesOnly: true,
  }),
  text("grok-build-0.1", { created: 1778803200, window: 256_000, price: [10_000, 2_000, 20_000], aliases: [] }),
];

export const IMAGE_MODELS: readonly ImageModel[] = [
  {
    id: "grok-imagine-image-2.0",
    aliases: ["grok-imagine-image-quality"],
    created: 1787875200,
    inputPrice: CENT,
    prices: {
      low: { "1k": 4 * CENT, "1.5k": 5 * CENT, "2k": 6 * CENT },
      medium: { "1k": 6 * CENT, "1.5k": 7 * CENT, "2k": 8 * CENT },
    },
  },
  {
    id: "grok-imagine-image",
    aliases: [],
    created: 1769558400,
    inputPrice: CENT / 5,
    prices: { low: { "1k": 2 * CENT, "2k": 2 * CENT } },
  },
];

export const VIDEO_MODELS: readonly VideoModel[] = [
  {
    id: "grok-imagine-video-1.5",
    aliases: ["grok-imagine-video-1.5-preview"],
    created: 1783296000,
    inputPrice: CENT,
    prices: { "480p": 8 * CENT, "720p": 14 * CENT, "1080p": 25 * CENT },
  },
  {
    id: "grok-imagine-video-1.5-lite",
    aliases: [],
    created: 1788220800,
    inputPrice: CENT,
    prices: { "480p": 2 * CENT, "720p": 3 * CENT, "1080p": 14 * CENT },
  },
  {
    id: "grok-imagine-video",
    aliases: [],
    created: 1769558400,
    inputPrice: CENT / 5,
    prices: { "480p": 5 * CENT, "720p": 7 * CENT },
  },
];

interface TextFacts {
  created: number;
  window?: number;
  price?: [number, number, number];
  efforts?: Effort[];
  defaultEffort?: Effort;
  aliases?: string[];
  reasons?: boolean;
  responsesOnly?: boolean;
}

function text(id: string, facts: TextFacts): TextModel {
  const [input, cached, output] = facts.price ?? [12_500, 2_000, 25_000];
  const defaultEffort = facts.defaultEffort ?? (facts.efforts === undefined ? undefined : "high");
  return {
    id,
    aliases: facts.aliases ?? [`${id}-latest`],
    created: facts.created,
    contextLength: facts.window ?? 1_000_000,
    price: { input, cached, output },
    efforts: facts.efforts ?? [],
    defaultEffort,
    reasons: facts.reasons ?? true,
    hiddenTokens: facts.window === 500_000 ? 1_300 : 0,
    responsesOnly: facts.responsesOnly ?? false,
  };
}

/** Retired ids that are in no listing and still resolve. */
const REDIRECTED: Record<string, string> = { "grok-code-fast-1": "grok-build-0.1" };

export function findModel<T extends { id: string; aliases: string[] }>(
  models: readonly T[],
  id: string,
): T | undefined {
  const wanted = REDIRECTED[id] ?? id;
  return models.find((model) => model.id === wanted || model.aliases.includes(wanted));
}

/** Entry of `/v1/models`. */
export function plainEntry(model: TextModel | ImageModel | VideoModel): object {
  const head = { id: model.id, aliases: model.aliases, created: model.created, object: "model", owned_by: "xai" };
  if ("contextLength" in model) {
    const prices = { ...tokenPrices(model), ...longPrices(model) };
    return { ...head, context_length: model.contextLength, ...prices, long_context_threshold: LONG_CONTEXT_TOKENS };
  }
  return model.id.includes("image") ? { ...head, image_price: imagePrice(model) } : head;
}

export function languageEntry(model: TextModel): object {
  const capabilities =
    model.efforts.length === 0
      ? {}
      : { capabilities: { reasoning_effort: model.efforts, default_reasoning_effort: model.defaultEffort } };
  return {
    ...described(model),
    input_modalities: ["text", "image"],
    output_modalities: ["text"],
    ...tokenPrices(model),
    search_price: 0,
    ...longPrices(model),
    ...capabilities,
  };
}

export function imageEntry(model: ImageModel): object {
  return {
    ...described(model),
    input_modalities: ["text", "image"],
    output_modalities: ["image"],
    image_price: imagePrice(model),
    max_prompt_length: 8_000,
  };
}

export function videoEntry(model: VideoModel): object {
  return { ...described(model), input_modalities: ["text", "image", "video"], output_modalities: ["video"] };
}

function described(model: { id: string; aliases: string[]; created: number }): object {
  const { id, aliases, created } = model;
  const fingerprint = `fp_${Bun.hash.wyhash(id).toString(16).slice(0, 10)}`;
  return { id, fingerprint, created, object: "model", owned_by: "xai", version: "1.0.0", aliases };
}

function tokenPrices({ price }: TextModel): object {
  return {
    prompt_text_token_price: price.input,
    cached_prompt_text_token_price: price.cached,
    prompt_image_token_price: price.input,
    completion_text_token_price: price.output,
  };
}

function longPrices({ price }: TextModel): object {
  return {
    prompt_text_token_price_long_context: price.input * 2,
    cached_prompt_text_token_price_long_context: price.cached * 2,
    completion_text_token_price_long_context: price.output * 2,
  };
}

function imagePrice({ prices }: ImageModel): number {
  return prices.low?.["1k"] ?? 0;
}
