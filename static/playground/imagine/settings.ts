// How pictures are asked for: chosen by the visitor, kept in this browser. What the server offers beside it.
// Invariant: a kept choice that is no longer offered falls back to the default.
import { computed, signal } from "@preact/signals";
import { keep, kept } from "../../shared/keeping.ts";
import { call } from "../visitor.ts";

export const RATIOS = ["2:3", "1:1", "3:2", "16:9", "9:16", "3:4", "4:3", "1:2", "2:1", "21:9"] as const;
export const COUNTS = [1, 2, 4, 6, 12, 24, 0] as const;
export const EDIT_COUNTS = [1, 2, 4, 6] as const;
export const RUNS = [1, 2, 3] as const;
export const TRANSPORTS = ["auto", "ws", "sse"] as const;
export const QUALITIES = ["speed", "quality"] as const;
const MODES = ["generate", "edit"] as const;

export type Mode = (typeof MODES)[number];
export type Transport = (typeof TRANSPORTS)[number];

export interface Settings {
  readonly mode: Mode;
  readonly ratio: string;
  /** Of a changed picture; "auto" keeps its own. */
  readonly editRatio: string;
  /** 0 goes on until it is stopped. */
  readonly count: number;
  readonly editCount: number;
  readonly runs: number;
  readonly quality: (typeof QUALITIES)[number];
  readonly transport: Transport;
  readonly adult: boolean;
  /** Pictures with fewer bytes are not shown. */
  readonly hideBelowBytes: number;
  readonly autoSave: boolean;
}

const DEFAULTS: Settings = {
  ...{ mode: "generate", ratio: "2:3", editRatio: "auto", count: 6, editCount: 1, runs: 1 },
  ...{ quality: "speed", transport: "auto", adult: false, hideBelowBytes: 0, autoSave: false },
};

const NAME = "grok2api.imagine.settings";

const oneOf = <T>(value: unknown, allowed: readonly T[], fallback: T): T =>
  allowed.find((one) => one === value) ?? fallback;

const read = (): Settings => {
  let value: Record<string, unknown> = {};
  try {
    value = Object(JSON.parse(kept(NAME) ?? "{}")) as Record<string, unknown>;
  } catch {
    // What cannot be read counts as nothing.
  }
  const bytes = Number(value["hideBelowBytes"]);
  return {
    mode: oneOf(value["mode"], MODES, DEFAULTS.mode),
    ratio: oneOf<string>(value["ratio"], RATIOS, DEFAULTS.ratio),
    editRatio: oneOf<string>(value["editRatio"], ["auto", ...RATIOS], DEFAULTS.editRatio),
    count: oneOf<number>(value["count"], COUNTS, DEFAULTS.count),
    editCount: oneOf<number>(value["editCount"], EDIT_COUNTS, DEFAULTS.editCount),
    runs: oneOf<number>(value["runs"], RUNS, DEFAULTS.runs),
    quality: oneOf(value["quality"], QUALITIES, DEFAULTS.quality),
    transport: oneOf(value["transport"], TRANSPORTS, DEFAULTS.transport),
    adult: value["adult"] === true,
    hideBelowBytes: Number.isInteger(bytes) && bytes > 0 ? bytes : 0,
    autoSave: value["autoSave"] === true,
  };
};

export const settings = signal<Settings>(read());

export const change = (next: Partial<Settings>): void => {
  settings.value = { ...settings.value, ...next };
  keep(NAME, JSON.stringify(settings.value));
};

export interface Offer {
  readonly final_min_bytes: number;
  readonly medium_min_bytes: number;
  /** Whether visitors may ask for adult content. */
  readonly nsfw: boolean;
  readonly max_runs: number;
}

/** Null until the server has said it. */
export const offer = signal<Offer | null>(null);

export const mostRuns = computed(() => Math.min(RUNS.length, offer.value?.max_runs ?? RUNS.length));

export const loadOffer = async (): Promise<void> => {
  offer.value = (await (await call("/v1/public/imagine/config")).json()) as Offer;
};
