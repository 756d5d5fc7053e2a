// Models: the catalogue of the web upstream (every public id that users of Grok gateways know, what it is upstream, which
// accounts may serve it and what it costs), and the shape of a model that the official API lists for a key.
// A table of data; knows no wire format. Ids and selectors as observed 2026-02…2026-08.
import type { ReasoningEffort } from "./request.ts";

export type ModelKind = "chat" | "image" | "image-edit" | "video";
export type Tier = "basic" | "super" | "heavy";
/** Upstream modes; each has its own quota window. */
export type Mode = "fast" | "auto" | "expert" | "heavy";
export type Cost = "low" | "high";

/** Which kind of account serves: a web session, or a key of the official API. */
export type Upstream = "web" | "xai";

/** What every model has, whoever serves it. */
export interface ModelFacts {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly kind: ModelKind;
  readonly name: string;
  readonly description: string;
  /** Whether the model is chosen for its reasoning. */
  readonly reasoning: boolean;
  /** Unix seconds; constant, because clients cache by it. */
  readonly created: number;
}

export interface WebModel extends ModelFacts {
  readonly upstream: "web";
  /** Lowest account tier that may serve it. */
  readonly tier: Tier;
  readonly cost: Cost;
  readonly web: {
    /** Mode wanted on an account that has all modes. */
    readonly mode: Mode;
    /** Selectors of the protocol before 2026-04. */
    readonly modelName: string;
    readonly modelMode: string;
  };
}

/** Ticks for each token; 10,000,000,000 ticks are one US dollar. */
export interface TokenPrices {
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
}

/** A model as the official API lists it for a key (docs.x.ai, read 2026-11). */
export interface XaiModel extends ModelFacts {
  readonly upstream: "xai";
  readonly xai: {
    /** Tokens; null when the listing does not say. */
    readonly contextLength: number | null;
    readonly prices: TokenPrices | null;
    /** Prices of the whole request once its prompt has at least `threshold` tokens. */
    readonly longContext: (TokenPrices & { readonly threshold: number }) | null;
    /** Ticks for a picture, where the listing says. */
    readonly imagePrice: number | null;
    /** Efforts that the model takes: an empty list takes no such parameter, null is not known. */
    readonly efforts: readonly ReasoningEffort[] | null;
  };
}

export type Model = WebModel | XaiModel;

/** A name that callers may use, and everything that can serve it, the preferred first; never empty. */
export interface PublicModel extends ModelFacts {
  readonly offers: readonly Model[];
}

/** Whether the list has the model, or that of either kind of account which the name stands for. */
export const isAllowed = ({ id, kind, offers }: PublicModel, allowed: readonly string[] | null): boolean =>
  allowed === null ||
  allowed.includes(id) ||
  (kind !== "image-edit" && offers.some((offer) => allowed.includes(offer.id)));

/** The models that are served at present, whoever serves them. */
export interface Catalogue {
  /** By id or alias, or pinned to a kind of account: `xai/…`, `web/…`. Case-sensitive, as with OpenAI. */
  find(name: string): PublicModel | undefined;
  all(): readonly PublicModel[];
}

const AT = {
  grok3: Date.UTC(2025, 1, 17) / 1000,
  grok4: Date.UTC(2025, 6, 9) / 1000,
  grok41: Date.UTC(2025, 10, 17) / 1000,
  grok420: Date.UTC(2026, 1, 17) / 1000,
  chat: Date.UTC(2026, 7, 5) / 1000,
  imagine: Date.UTC(2026, 0, 28) / 1000,
} as const;

type Row = Omit<WebModel, "upstream" | "aliases" | "reasoning" | "cost" | "tier" | "kind"> &
  Partial<Pick<WebModel, "aliases" | "reasoning" | "cost" | "tier" | "kind">>;

const model = (row: Row): WebModel => ({
  upstream: "web",
  aliases: [],
  reasoning: false,
  cost: "low",
  tier: "basic",
  kind: "chat",
  ...row,
});

const G41 = "grok-4-1-thinking-1129";

export const CATALOGUE: readonly WebModel[] = [
  model({
    id: "grok-chat-fast",
    aliases: ["grok-4.20-fast", "grok-4.20-0309-non-reasoning"],
    name: "Grok Fast",
    description: "The site's fast mode; available to free accounts.",
    created: AT.chat,
    web: { mode: "fast", modelName: "grok-4", modelMode: "MODEL_MODE_FAST" },
  }),
  model({
    id: "grok-chat-auto",
    aliases: ["grok-4.20-auto", "grok-4.20-0309"],
    name: "Grok Auto",
    description: "The site chooses how long to think.",
    tier: "super",
    created: AT.chat,
    web: { mode: "auto", modelName: "grok-4", modelMode: "MODEL_MODE_AUTO" },
  }),
  model({
    id: "grok-chat-expert",
    aliases: ["grok-4.20-expert", "grok-4.20-0309-reasoning"],
    name: "Grok Expert",
    description: "The site's expert mode: long reasoning.",
    tier: "super",
    cost: "high",
    reasoning: true,
    created: AT.chat,
    web: { mode: "expert", modelName: "grok-4", modelMode: "MODEL_MODE_EXPERT" },
  }),
  model({
    id: "grok-chat-heavy",
    aliases: ["grok-4.20-heavy", "grok-4.20-multi-agent-0309"],
    name: "Grok Heavy",
    description: "Several agents reason together; needs a Heavy subscription.",
    tier: "heavy",
    cost: "high",
    reasoning: true,
    created: AT.chat,
    web: { mode: "heavy", modelName: "grok-4", modelMode: "MODEL_MODE_HEAVY" },
  }),
  model({
    id: "grok-3",
    name: "Grok 3",
    description: "Grok 3.",
    created: AT.grok3,
    web: { mode: "auto", modelName: "grok-3", modelMode: "MODEL_MODE_GROK_3" },
  }),
  model({
    id: "grok-3-fast",
    name: "Grok 3 Fast",
    description: "Grok 3, fast mode.",
    created: AT.grok3,
    web: { mode: "fast", modelName: "grok-3", modelMode: "MODEL_MODE_FAST" },
  }),
  model({
    id: "grok-3-mini",
    name: "Grok 3 Mini",
    description: "Grok 3 Mini with thinking.",
    reasoning: true,
    created: AT.grok3,
    web: { mode: "fast", modelName: "grok-3", modelMode: "MODEL_MODE_GROK_3_MINI_THINKING" },
  }),
  model({
    id: "grok-3-thinking",
    name: "Grok 3 Thinking",
    description: "Grok 3 with thinking.",
    reasoning: true,
    created: AT.grok3,
    web: { mode: "expert", modelName: "grok-3", modelMode: "MODEL_MODE_GROK_3_THINKING" },
  }),
  model({
    id: "grok-4",
    name: "Grok 4",
    description: "Grok 4; the site chooses how long to think.",
    created: AT.grok4,
    web: { mode: "auto", modelName: "grok-4", modelMode: "MODEL_MODE_GROK_4" },
  }),
  model({
    id: "grok-4-mini",
    name: "Grok 4 Mini",
    description: "Grok 4 Mini with thinking.",
    reasoning: true,
    created: AT.grok4,
    web: { mode: "fast", modelName: "grok-4-mini-thinking-tahoe", modelMode: "MODEL_MODE_GROK_4_MINI_THINKING" },
  }),
  model({
    id: "grok-4-fast",
    name: "Grok 4 Fast",
    description: "Grok 4, fast mode.",
    created: AT.grok4,
    web: { mode: "fast", modelName: "grok-4", modelMode: "MODEL_MODE_FAST" },
  }),
  model({
    id: "grok-4-thinking",
    name: "Grok 4 Thinking",
    description: "Grok 4 with thinking.",
    reasoning: true,
    created: AT.grok4,
    web: { mode: "expert", modelName: "grok-4", modelMode: "MODEL_MODE_GROK_4_THINKING" },
  }),
  model({
    id: "grok-4-expert",
    aliases: ["grok-4-fast-expert"],
    name: "Grok 4 Expert",
    description: "Grok 4, expert mode.",
    cost: "high",
    reasoning: true,
    created: AT.grok4,
    web: { mode: "expert", modelName: "grok-4", modelMode: "MODEL_MODE_EXPERT" },
  }),
  model({
    id: "grok-4-heavy",
    name: "Grok 4 Heavy",
    description: "Grok 4 with several agents; needs a paid account.",
    tier: "super",
    cost: "high",
    reasoning: true,
    created: AT.grok4,
    web: { mode: "heavy", modelName: "grok-4", modelMode: "MODEL_MODE_HEAVY" },
  }),
  model({
    id: "grok-4.1",
    name: "Grok 4.1",
    description: "Grok 4.1; the site chooses how long to think.",
    created: AT.grok41,
    web: { mode: "auto", modelName: G41, modelMode: "MODEL_MODE_AUTO" },
  }),
  model({
    id: "grok-4.1-mini",
    name: "Grok 4.1 Mini",
    description: "Grok 4.1 Mini with thinking.",
    reasoning: true,
    created: AT.grok41,
    web: { mode: "expert", modelName: G41, modelMode: "MODEL_MODE_GROK_4_1_MINI_THINKING" },
  }),
  model({
    id: "grok-4.1-fast",
    name: "Grok 4.1 Fast",
    description: "Grok 4.1, fast mode.",
    created: AT.grok41,
    web: { mode: "fast", modelName: G41, modelMode: "MODEL_MODE_FAST" },
  }),
  model({
    id: "grok-4.1-expert",
    name: "Grok 4.1 Expert",
    description: "Grok 4.1, expert mode.",
    cost: "high",
    reasoning: true,
    created: AT.grok41,
    web: { mode: "expert", modelName: G41, modelMode: "MODEL_MODE_EXPERT" },
  }),
  model({
    id: "grok-4.1-thinking",
    name: "Grok 4.1 Thinking",
    description: "Grok 4.1 with thinking.",
    cost: "high",
    reasoning: true,
    created: AT.grok41,
    web: { mode: "expert", modelName: G41, modelMode: "MODEL_MODE_GROK_4_1_THINKING" },
  }),
  model({
    id: "grok-4.20-beta",
    aliases: ["grok-4.20", "grok-420"],
    name: "Grok 4.20 Beta",
    description: "Grok 4.20 beta.",
    reasoning: true,
    created: AT.grok420,
    web: { mode: "expert", modelName: "grok-420", modelMode: "MODEL_MODE_GROK_420" },
  }),
  model({
    id: "grok-imagine-image",
    aliases: ["grok-imagine-1.0", "grok-imagine-1.0-fast", "grok-imagine-0.9"],
    kind: "image",
    name: "Grok Imagine",
    description: "Pictures from text, fast.",
    cost: "high",
    created: AT.imagine,
    web: { mode: "fast", modelName: "grok-3", modelMode: "MODEL_MODE_FAST" },
  }),
  model({
    id: "grok-imagine-image-2.0",
    aliases: ["grok-imagine-image-pro", "grok-imagine-image-quality"],
    kind: "image",
    name: "Grok Imagine Quality",
    description: "Pictures from text, quality mode.",
    cost: "high",
    created: AT.chat,
    web: { mode: "fast", modelName: "grok-3", modelMode: "MODEL_MODE_FAST" },
  }),
  model({
    id: "grok-imagine-image-lite",
    kind: "image",
    name: "Grok Imagine Lite",
    description: "Pictures drawn inside a chat.",
    cost: "high",
    created: AT.chat,
    web: { mode: "fast", modelName: "grok-3", modelMode: "MODEL_MODE_FAST" },
  }),
  model({
    id: "grok-imagine-image-edit",
    aliases: ["grok-imagine-1.0-edit"],
    kind: "image-edit",
    name: "Grok Imagine Edit",
    description: "Changes to pictures by text.",
    cost: "high",
    created: AT.imagine,
    web: { mode: "fast", modelName: "imagine-image-edit", modelMode: "MODEL_MODE_FAST" },
  }),
  model({
    id: "grok-imagine-video",
    aliases: ["grok-imagine-1.0-video"],
    kind: "video",
    name: "Grok Imagine Video",
    description: "Clips from text or a picture.",
    cost: "high",
    created: AT.imagine,
    web: { mode: "fast", modelName: "imagine-video-gen", modelMode: "MODEL_MODE_FAST" },
  }),
];

const BY_NAME: ReadonlyMap<string, WebModel> = new Map(
  CATALOGUE.flatMap((entry) => [entry.id, ...entry.aliases].map((name) => [name, entry] as const)),
);

/** Finds a model of the web upstream by id or alias; both are case-sensitive, as with OpenAI. */
export const findModel = (name: string): WebModel | undefined => BY_NAME.get(name);

const TIER_RANK: Record<Tier, number> = { basic: 0, super: 1, heavy: 2 };

export const tierServes = (account: Tier, needed: Tier): boolean => TIER_RANK[account] >= TIER_RANK[needed];

/** Modes that an account of a tier has on the site (observed 2026-08). */
const TIER_MODES: Record<Tier, readonly Mode[]> = {
  basic: ["fast"],
  super: ["auto", "fast", "expert"],
  heavy: ["auto", "fast", "expert", "heavy"],
};

/** Closest permitted mode when the wanted one needs a higher tier. */
const LOWER: Record<Mode, readonly Mode[]> = {
  heavy: ["expert", "auto", "fast"],
  expert: ["auto", "fast"],
  auto: ["fast"],
  fast: [],
};

/** The mode in which an account of `tier` serves the model: the wanted one where it has it, else the nearest below. */
export const modeFor = (entry: WebModel, tier: Tier): Mode => {
  const has = TIER_MODES[tier];
  return [entry.web.mode, ...LOWER[entry.web.mode]].find((mode) => has.includes(mode)) ?? "fast";
};

/** Units of the account's query quota that one call costs (observed 2025…2026). */
export const COST_UNITS: Record<Cost, number> = { low: 1, high: 4 };
