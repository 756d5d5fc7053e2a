// The vocabulary of speech: what is to be said, what was heard, and the models that do either over the official API.
// They are in no listing of a key (docs.x.ai, read 2026-11), so they stand here and not in the catalogue. Pure.
import type { XaiModel } from "./models.ts";

export type SpeechKind = "speech" | "transcription" | "realtime";

export type AudioCodec = "mp3" | "wav" | "pcm" | "mulaw" | "alaw";

/** What one call says at the most (docs.x.ai, 2026-11). */
export const MAX_SPOKEN_CHARACTERS = 15_000;
export const SPEED = { min: 0.7, max: 1.5 } as const;

export interface SpeechTask {
  readonly text: string;
  /** As the upstream knows it; its own choice when absent. */
  readonly voice?: string;
  /** BCP 47, or "auto". */
  readonly language: string;
  readonly codec: AudioCodec;
  readonly sampleRate?: number;
  readonly bitRate?: number;
  readonly speed?: number;
  /** Further wishes in the upstream's own words. */
  readonly more: Readonly<Record<string, unknown>>;
}

export interface TranscriptionTask {
  /** Either the sound itself or where it lies. */
  readonly sound:
    | { readonly kind: "file"; readonly name: string; readonly content: Blob }
    | { readonly kind: "url"; readonly url: string };
  /** The upstream's name of the model; its own choice when absent. */
  readonly model?: string;
  readonly language?: string;
  /** Further wishes in the upstream's own words; one may come more than once. */
  readonly more: readonly (readonly [name: string, value: string])[];
}

export interface HeardWord {
  readonly text: string;
  /** Seconds. */
  readonly start: number;
  readonly end: number;
  readonly speaker?: number;
}

export interface Transcript {
  readonly text: string;
  readonly language: string | null;
  readonly seconds: number | null;
  readonly words: readonly HeardWord[];
  /** The upstream's answer as it came. */
  readonly raw: Readonly<Record<string, unknown>>;
}

export interface RealtimeWish {
  readonly model: string;
  /** Further parts of the query, as the caller wrote them. */
  readonly query: readonly (readonly [name: string, value: string])[];
}

/** A frame of a socket, passed on as it came. */
export type Frame = string | Uint8Array<ArrayBuffer>;

export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

export interface SpeechModel {
  readonly kind: SpeechKind;
  /** What the upstream is asked for; null where its own choice is taken. */
  readonly upstreamId: string | null;
  /** For the pool: rests and refusals are kept by this id. */
  readonly model: XaiModel;
}

const row = (
  kind: SpeechKind,
  id: string,
  more: { upstreamId?: string; aliases?: readonly string[] } = {},
): SpeechModel => ({
  kind,
  upstreamId: more.upstreamId ?? null,
  model: {
    upstream: "xai",
    id,
    aliases: more.aliases ?? [],
    kind: "chat",
    name: id,
    description: "Speech over the official API.",
    reasoning: false,
    created: 0,
    xai: { contextLength: null, prices: null, longContext: null, imagePrice: null, efforts: null },
  },
});

/** The names of OpenAI's models stand for the upstream's, so that programs work as they are. */
const MODELS: readonly SpeechModel[] = [
  row("speech", "grok-tts", { aliases: ["grok-voice-latest", "tts-1", "tts-1-hd", "gpt-4o-mini-tts"] }),
  row("transcription", "grok-stt", { aliases: ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe"] }),
  ...["grok-voice-transcribe-1.0", "grok-voice-transcribe-2.0"].map((id) =>
    row("transcription", id, { upstreamId: id }),
  ),
  row("realtime", "grok-voice-latest", {
    upstreamId: "grok-voice-latest",
    aliases: ["gpt-realtime", "gpt-realtime-mini", "gpt-4o-realtime-preview", "gpt-4o-mini-realtime-preview"],
  }),
];

export const DEFAULT_SPEECH_MODEL: Readonly<Record<SpeechKind, string>> = {
  speech: "grok-tts",
  transcription: "grok-stt",
  realtime: "grok-voice-latest",
};

/** Ticks of a US dollar (10,000,000,000), for what the upstream does not charge aloud (docs.x.ai, 2026-09). */
export const TICKS_PER_CHARACTER = 150_000;
export const TICKS_PER_HEARD_SECOND = 277_778;
export const TICKS_PER_TALKED_MINUTE = 800_000_000;

const PIN = "xai/";

/** By id or alias, pinned or not. Voices for conversations come and go, so every name of that family is taken. */
export const findSpeechModel = (kind: SpeechKind, asked: string): SpeechModel | undefined => {
  const name = asked.startsWith(PIN) ? asked.slice(PIN.length) : asked;
  const known = MODELS.find((one) => one.kind === kind && (one.model.id === name || one.model.aliases.includes(name)));
  if (known || kind !== "realtime" || !/^grok-voice-[\w.-]{1,60}$/.test(name)) return known;
  return row("realtime", name, { upstreamId: name });
};

/** One that an operator may allow a key. */
export const speechModelById = (id: string): SpeechModel | undefined => MODELS.find(({ model }) => model.id === id);

/** What callers may name for a kind, for the error of one that is not known. */
export const speechModelNames = (kind: SpeechKind): readonly string[] =>
  MODELS.filter((one) => one.kind === kind).map(({ model }) => model.id);
