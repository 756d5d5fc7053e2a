// Speech: /v1/audio/* in OpenAI's format, and /v1/tts and /v1/stt in xAI's own. Knows no provider. Invariant: sound goes to the
// caller as it comes, and an answer that fails before its first sound has a true HTTP status.
import { GatewayError } from "../../core/errors.ts";
import { countText } from "../../core/usage.ts";
import { pullStream, readFrom } from "../../lib/pull.ts";
import {
  parseSpeech,
  parseTts,
  speechDelta,
  speechDone,
  type SpeechRequest,
} from "../../protocols/openai/audio-speech.ts";
import {
  parseStt,
  parseTranscription,
  type TranscriptionRequest,
  writeTranscript,
} from "../../protocols/openai/audio-transcriptions.ts";
import type { MediaBody } from "../../protocols/openai/media-fields.ts";
import type { JsonObject } from "../../lib/json.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { readForm } from "../form.ts";
import { callContext } from "../media-call.ts";
import { SSE_HEADERS } from "../streaming.ts";

/** An hour of sound as people send it; uncompressed it is more, and belongs compressed. */
const SOUND_FILES = { maxFileMegabytes: 100 };

const warnings = (ignored: readonly string[]): Record<string, string> =>
  ignored.length === 0 ? {} : { "x-grok-warning": ignored.map((name) => `${name}-ignored`).join(", ") };

type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>, void, void>;

/** The same sound inside of events. */
const asEvents = (pieces: Pieces, inputTokens: number): AsyncGenerator<string, void, void> => {
  let over = false;
  const pull = async (): Promise<string | null> => {
    if (over) return null;
    const bytes = await readFrom(pieces);
    over = bytes === null;
    return bytes === null ? speechDone(inputTokens) : speechDelta(bytes);
  };
  return pullStream(pull, () => void pieces.return());
};

const speak =
  (parse: (body: JsonObject) => SpeechRequest) =>
  async (call: Call): Promise<Response> => {
    const { deps, record } = call;
    const { model, task, streamFormat, ignored } = parse(await readObject(call));
    record.stream = true;
    const spoken = await deps.speech.speak(task, { model, context: callContext(call, "speech_") });
    const isEvents = streamFormat === "sse";
    call.hold();
    return deps.streams.pipe({
      request: call.request,
      server: call.server,
      pieces: isEvents ? asEvents(spoken.pieces, countText(task.text)) : spoken.pieces,
      headers: { ...(isEvents ? SSE_HEADERS : { "content-type": spoken.mime }), ...warnings(ignored) },
      record,
      onEnd: call.close,
    });
  };

const transcribe =
  (parse: (body: MediaBody) => TranscriptionRequest) =>
  async (call: Call): Promise<Response> => {
    const request = parse(await readForm(call, SOUND_FILES));
    const { model, task, ignored } = request;
    const context = callContext(call, "transcript_");
    const transcript = await call.deps.speech.transcribe(task, { model, context });
    const { type, body } = writeTranscript(transcript, request);
    return new Response(body, { headers: { "content-type": type, ...warnings(ignored) } });
  };

const translate = async (): Promise<Response> => {
  throw new GatewayError(
    "unsupported_operation",
    "The upstream writes down what is said and does not translate it; ask /v1/audio/transcriptions, and a chat model for the translation.",
  );
};

const voices = async (call: Call): Promise<Response> =>
  Response.json(await call.deps.speech.voices(call.params["id"] ?? null, callContext(call, "voices_")));

const common = { auth: "api", toggle: "enable_audio" } as const;
const generating = { ...common, method: "POST", generates: true } as const;

export const openaiAudioRoutes: readonly Route[] = [
  {
    ...generating,
    path: "/v1/audio/speech",
    summary: "Text as speech, streamed as it comes (OpenAI's format); needs an API key of xAI.",
    handle: speak(parseSpeech),
  },
  {
    ...generating,
    path: "/v1/audio/transcriptions",
    summary: "Speech as text, whole or as subtitles (OpenAI's format); needs an API key of xAI.",
    handle: transcribe(parseTranscription),
  },
  {
    ...common,
    method: "POST",
    path: "/v1/audio/translations",
    summary: "Refuses: the upstream does not translate what it hears.",
    handle: translate,
  },
  { ...generating, path: "/v1/tts", summary: "Text as speech (xAI's format).", handle: speak(parseTts) },
  { ...generating, path: "/v1/stt", summary: "Speech as text (xAI's format).", handle: transcribe(parseStt) },
  {
    ...common,
    method: "GET",
    path: "/v1/tts/voices",
    aliases: ["/v1/audio/voices"],
    summary: "The voices that speak.",
    handle: voices,
  },
  {
    ...common,
    method: "GET",
    path: "/v1/tts/voices/:id",
    aliases: ["/v1/audio/voices/:id"],
    summary: "One of them.",
    handle: voices,
  },
];
