// How clips are asked for: chosen by the visitor, kept in this browser. What the server offers beside it.
// Invariant: a kept choice that is no longer offered falls back to the default.
import { signal } from "@preact/signals";
import { keep, kept } from "../../shared/keeping.ts";
import { call } from "../visitor.ts";

export const RATIOS = ["3:2", "2:3", "16:9", "9:16", "1:1"] as const;
export const SECONDS = [6, 10, 15] as const;
export const RESOLUTIONS = ["480p", "720p"] as const;
export const PRESETS = ["normal", "fun", "custom", "spicy"] as const;
export const COUNTS = [2, 3, 6, 12, 0] as const;
export const RUNS = [1, 2, 3] as const;
const MODES = ["single", "waterfall"] as const;

/** What a clip was asked for in, beside its prompt. */
export interface Form {
  readonly ratio: (typeof RATIOS)[number];
  readonly seconds: (typeof SECONDS)[number];
  readonly resolution: (typeof RESOLUTIONS)[number];
  readonly preset: (typeof PRESETS)[number];
}

export interface Settings extends Form {
  readonly mode: (typeof MODES)[number];
  /** In the waterfall; 0 goes on until it is stopped. */
  readonly count: (typeof COUNTS)[number];
  readonly runs: (typeof RUNS)[number];
  readonly autoSave: boolean;
}

const DEFAULTS: Settings = {
  ...{ mode: "single", ratio: "3:2", seconds: 6, resolution: "480p", preset: "normal" },
  ...{ count: 3, runs: 1, autoSave: false },
};

const NAME = "grok2api.video.settings";

const oneOf = <T>(value: unknown, allowed: readonly T[], fallback: T): T =>
  allowed.find((one) => one === value) ?? fallback;

export const formOf = (value: Readonly<Record<string, unknown>>): Form => ({
  ratio: oneOf(value["ratio"], RATIOS, DEFAULTS.ratio),
  seconds: oneOf(value["seconds"], SECONDS, DEFAULTS.seconds),
  resolution: oneOf(value["resolution"], RESOLUTIONS, DEFAULTS.resolution),
  preset: oneOf(value["preset"], PRESETS, DEFAULTS.preset),
});

const read = (): Settings => {
  let value: Record<string, unknown> = {};
  try {
    value = Object(JSON.parse(kept(NAME) ?? "{}")) as Record<string, unknown>;
  } catch {
    // What cannot be read counts as nothing.
  }
  return {
    ...formOf(value),
    mode: oneOf(value["mode"], MODES, DEFAULTS.mode),
    count: oneOf(value["count"], COUNTS, DEFAULTS.count),
    runs: oneOf(value["runs"], RUNS, DEFAULTS.runs),
    autoSave: value["autoSave"] === true,
  };
};

export const settings = signal<Settings>(read());

export const change = (next: Partial<Settings>): void => {
  settings.value = { ...settings.value, ...next };
  keep(NAME, JSON.stringify(settings.value));
};

export interface Offer {
  /** Whether visitors may ask for adult content. */
  readonly nsfw: boolean;
  readonly max_runs: number;
}

/** Null until the server has said it. */
export const offer = signal<Offer | null>(null);

export const mostRuns = (): number => Math.min(RUNS.length, offer.value?.max_runs ?? RUNS.length);

export const presets = (): readonly Form["preset"][] =>
  offer.value?.nsfw === true ? PRESETS : PRESETS.filter((preset) => preset !== "spicy");

export const loadOffer = async (): Promise<void> => {
  offer.value = (await (await call("/v1/public/imagine/config")).json()) as Offer;
  if (!presets().includes(settings.value.preset)) change({ preset: DEFAULTS.preset });
};
