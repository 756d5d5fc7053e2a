// Requests for speech, in OpenAI's words and in xAI's own, as one task. Knows no route. Invariant: what the upstream does not
// have is refused by name; what it has no use for (a style in words) is noted and told.
import { type AudioCodec, MAX_SPOKEN_CHARACTERS, SPEED, type SpeechTask } from "../../core/speech.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { given, numberWithin, objectValue, oneOf, positiveInteger, refuse } from "./field.ts";

export interface SpeechRequest {
  /** As the caller wrote it; null for the usual one. */
  readonly model: string | null;
  readonly task: SpeechTask;
  readonly streamFormat: "audio" | "sse";
  /** Fields that were read and have no effect. */
  readonly ignored: readonly string[];
}

/** OpenAI's voices and the nearest of the upstream's; its own names pass. */
const VOICES: Readonly<Record<string, string>> = {
  ...{ alloy: "ara", echo: "eve", fable: "sal", onyx: "rex", nova: "leo", shimmer: "eve" },
  ...{ ash: "rex", ballad: "sal", cedar: "leo", coral: "ara", marin: "eve", sage: "ara", verse: "leo" },
};
const CODECS: readonly AudioCodec[] = ["mp3", "wav", "pcm", "mulaw", "alaw"];
/** Known to OpenAI's clients and to no encoder of the upstream. */
const MISSING_CODECS = ["opus", "aac", "flac"];
/** Samples a second of OpenAI's raw sound, which says nothing of itself. */
const PCM_RATE = 24_000;
const OPENAI_SPEED = { min: 0.25, max: 4 };

const voiceOf = (body: JsonObject, key: string): string | undefined => {
  const value = given(body, key);
  const name = isObject(value) ? given(value, "id") : value;
  if (name === undefined || name === "") return undefined;
  if (typeof name !== "string")
    return refuse({ code: "invalid_value", param: key }, `'${key}' must be a voice's name.`);
  const plain = name.trim();
  return Object.hasOwn(VOICES, plain.toLowerCase()) ? VOICES[plain.toLowerCase()] : plain;
};

const textOf = (body: JsonObject, key: string): string => {
  const value = given(body, key);
  const missing = { code: "missing_required_parameter", param: key } as const;
  if (value === undefined || value === "") return refuse(missing, `Missing required parameter: '${key}'.`);
  const place = { code: "invalid_value", param: key } as const;
  if (typeof value !== "string" || value.trim() === "") return refuse(place, `'${key}' must be a non-empty string.`);
  if (value.length > MAX_SPOKEN_CHARACTERS) {
    return refuse(place, `'${key}' may have ${MAX_SPOKEN_CHARACTERS} characters; this one has ${value.length}.`);
  }
  return value;
};

const codecOf = (value: unknown, param: string): AudioCodec => {
  if (value === undefined || value === "") return "mp3";
  if (typeof value === "string" && MISSING_CODECS.includes(value)) {
    return refuse(
      { code: "unsupported_value", param },
      `The upstream has no encoder for ${value}; ask for one of: ${CODECS.join(", ")}.`,
    );
  }
  return oneOf(value, { code: "invalid_value", param, allowed: CODECS });
};

const speedOf = (body: JsonObject): number | undefined => {
  const speed = numberWithin(given(body, "speed"), { code: "invalid_value", param: "speed", ...OPENAI_SPEED });
  if (speed === undefined || (speed >= SPEED.min && speed <= SPEED.max)) return speed;
  return refuse(
    { code: "unsupported_value", param: "speed" },
    `The upstream speaks at ${SPEED.min} to ${SPEED.max} times the usual speed.`,
  );
};

const nameOf = (body: JsonObject, key: string): string | undefined => {
  const value = given(body, key);
  if (value === undefined || value === "") return undefined;
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  return refuse({ code: "invalid_value", param: key }, `'${key}' must be a non-empty string.`);
};

/** POST /v1/audio/speech */
export const parseSpeech = (body: JsonObject): SpeechRequest => {
  const codec = codecOf(given(body, "response_format"), "response_format");
  const voice = voiceOf(body, "voice");
  const speed = speedOf(body);
  const streamFormat = given(body, "stream_format") ?? "audio";
  return {
    model: nameOf(body, "model") ?? null,
    task: {
      text: textOf(body, "input"),
      ...(voice === undefined ? {} : { voice }),
      language: nameOf(body, "language") ?? "auto",
      codec,
      ...(codec === "pcm" ? { sampleRate: PCM_RATE } : {}),
      ...(speed === undefined ? {} : { speed }),
      more: {},
    },
    streamFormat: oneOf(streamFormat, { code: "invalid_value", param: "stream_format", allowed: ["audio", "sse"] }),
    ignored: given(body, "instructions") === undefined ? [] : ["instructions"],
  };
};

const OWN = new Set(["text", "voice_id", "language", "output_format", "speed", "model"]);

/** POST /v1/tts: the upstream's own request; what we do not know, it may. */
export const parseTts = (body: JsonObject): SpeechRequest => {
  const format = given(body, "output_format");
  const fields = format === undefined ? {} : objectValue(format, { code: "invalid_value", param: "output_format" });
  const rate = (key: string) =>
    positiveInteger(given(fields, key), { code: "invalid_value", param: `output_format.${key}` });
  const [sampleRate, bitRate] = [rate("sample_rate"), rate("bit_rate")];
  const voice = voiceOf(body, "voice_id");
  const speed = speedOf(body);
  return {
    model: nameOf(body, "model") ?? null,
    task: {
      text: textOf(body, "text"),
      ...(voice === undefined ? {} : { voice }),
      language: nameOf(body, "language") ?? "auto",
      codec: codecOf(given(fields, "codec"), "output_format.codec"),
      ...(sampleRate === undefined ? {} : { sampleRate }),
      ...(bitRate === undefined ? {} : { bitRate }),
      ...(speed === undefined ? {} : { speed }),
      more: Object.fromEntries(Object.entries(body).filter(([key]) => !OWN.has(key))),
    },
    streamFormat: "audio",
    ignored: [],
  };
};

const frame = (event: object): string => `data: ${JSON.stringify(event)}\n\n`;

/** Sound inside of events, as `stream_format: "sse"` asks for. */
export const speechDelta = (bytes: Uint8Array): string =>
  frame({ type: "speech.audio.delta", audio: Buffer.from(bytes).toString("base64") });

export const speechDone = (inputTokens: number): string =>
  frame({
    type: "speech.audio.done",
    usage: { input_tokens: inputTokens, output_tokens: 0, total_tokens: inputTokens },
  });
