// Requests for transcripts, in OpenAI's words and in xAI's own, and the forms in which OpenAI's clients want the answer.
// Knows no route. Invariant: what changes the answer and cannot be had is refused by name; what only leans on the model (a
// prompt, a temperature) is noted and told.
import type { ReceivedFile } from "../../core/request.ts";
import type { Transcript, TranscriptionTask } from "../../core/speech.ts";
import type { JsonObject } from "../../lib/json.ts";
import { piecesOf, srtOf, vttOf } from "./audio-subtitles.ts";
import { given, oneOf, refuse } from "./field.ts";
import type { MediaBody } from "./media-fields.ts";
import { formBoolean } from "./media-fields.ts";

const FORMATS = ["json", "text", "srt", "vtt", "verbose_json"] as const;
type Format = (typeof FORMATS)[number];
const GRANULARITIES = ["word", "segment"] as const;

export interface TranscriptionRequest {
  readonly model: string | null;
  readonly task: TranscriptionTask;
  readonly format: Format | "native";
  readonly granularities: readonly string[];
  readonly ignored: readonly string[];
}

/** Wishes of the upstream's own that go to it as they are (docs.x.ai, 2026-11). */
const NATIVE = [
  ...["format", "diarize", "multichannel", "channels", "keyterm", "filler_words", "vad_threshold"],
  ...["audio_format", "sample_rate"],
];
/** Without effect on what the upstream hears. */
const NOTED = ["prompt", "temperature", "chunking_strategy", "user"];

const listOf = (fields: JsonObject, key: string): readonly unknown[] =>
  [given(fields, key), given(fields, `${key}[]`)].flat().filter((value) => value !== undefined && value !== "");

const textOf = (fields: JsonObject, key: string): string | undefined => {
  const value = given(fields, key);
  if (value === undefined || value === "") return undefined;
  return typeof value === "string" ? value : refuse({ code: "invalid_value", param: key }, `'${key}' was sent twice.`);
};

const soundOf = ({ fields, files }: MediaBody): TranscriptionTask["sound"] => {
  const file: ReceivedFile | undefined = files.find(({ field }) => field === "file")?.file;
  if (file) {
    if (file.content.size === 0) return refuse({ code: "empty_file", param: "file" }, "The file is empty.");
    return { kind: "file", name: file.name, content: file.content };
  }
  const url = textOf(fields, "url");
  if (url === undefined) return refuse({ code: "missing_file", param: "file" }, "The form has no part 'file'.");
  if (/^https?:\/\//i.test(url) && URL.canParse(url)) return { kind: "url", url };
  return refuse({ code: "invalid_value", param: "url" }, "'url' must be an http(s) address.");
};

const nativeOf = (fields: JsonObject): (readonly [string, string])[] => [
  ...NATIVE.flatMap((name) => listOf(fields, name).map((value) => [name, String(value)] as const)),
  ...listOf(fields, "keywords").map((value) => ["keyterm", String(value)] as const),
];

const taskOf = (body: MediaBody): TranscriptionTask => {
  const language = textOf(body.fields, "language");
  return { sound: soundOf(body), ...(language === undefined ? {} : { language }), more: nativeOf(body.fields) };
};

const refuseOthers = (fields: JsonObject): void => {
  if (formBoolean(given(fields, "stream"), { code: "invalid_stream", param: "stream" })) {
    refuse({ code: "unsupported_parameter", param: "stream" }, "Transcripts come in one piece; leave 'stream' out.");
  }
  if (listOf(fields, "include").length > 0) {
    refuse({ code: "unsupported_parameter", param: "include" }, "The upstream tells no probabilities.");
  }
};

/** POST /v1/audio/transcriptions */
export const parseTranscription = (body: MediaBody): TranscriptionRequest => {
  const { fields } = body;
  const place = { code: "invalid_response_format", param: "response_format" } as const;
  const format = oneOf(textOf(fields, "response_format") ?? "json", { ...place, allowed: FORMATS });
  const granularities = listOf(fields, "timestamp_granularities").map((value) =>
    oneOf(value, { code: "invalid_value", param: "timestamp_granularities", allowed: GRANULARITIES }),
  );
  if (granularities.length > 0 && format !== "verbose_json") {
    const param = "timestamp_granularities";
    refuse({ code: "invalid_value", param }, `'${param}' goes with response_format=verbose_json.`);
  }
  refuseOthers(fields);
  const isNoted = (name: string) => !["", "0", undefined].includes(given(fields, name) as string | undefined);
  return {
    model: textOf(fields, "model") ?? null,
    task: taskOf(body),
    format,
    granularities,
    ignored: NOTED.filter(isNoted),
  };
};

/** POST /v1/stt: the upstream's own request and answer. */
export const parseStt = (body: MediaBody): TranscriptionRequest => ({
  model: textOf(body.fields, "model") ?? null,
  task: taskOf(body),
  format: "native",
  granularities: [],
  ignored: [],
});

/** "en" as OpenAI writes it: "english". */
const languageName = (code: string | null): string => {
  if (code === null) return "unknown";
  try {
    return new Intl.DisplayNames("en", { type: "language" }).of(code)?.toLowerCase() ?? code;
  } catch {
    return code;
  }
};

/** Numbers that the upstream does not have; clients want them all the same. */
const UNKNOWN = { tokens: [], temperature: 0, avg_logprob: 0, compression_ratio: 0, no_speech_prob: 0 };

const usageOf = ({ seconds }: Transcript): object =>
  seconds === null ? {} : { usage: { type: "duration", seconds: Math.ceil(seconds) } };

const verbose = (transcript: Transcript, granularities: readonly string[]): object => ({
  task: "transcribe",
  language: languageName(transcript.language),
  duration: transcript.seconds ?? 0,
  text: transcript.text,
  ...(granularities.includes("word")
    ? { words: transcript.words.map(({ text, start, end }) => ({ word: text, start, end })) }
    : {}),
  ...(granularities.length === 0 || granularities.includes("segment")
    ? { segments: piecesOf(transcript).map((piece, id) => ({ id, seek: 0, ...piece, ...UNKNOWN })) }
    : {}),
  ...usageOf(transcript),
});

/** The answer and its content type. */
export const writeTranscript = (
  transcript: Transcript,
  { format, granularities }: Pick<TranscriptionRequest, "format" | "granularities">,
): { readonly type: string; readonly body: string } => {
  const json = (value: object) => ({ type: "application/json", body: JSON.stringify(value) });
  const plain = (body: string) => ({ type: "text/plain; charset=utf-8", body });
  switch (format) {
    case "native":
      return json(transcript.raw);
    case "json":
      return json({ text: transcript.text, ...usageOf(transcript) });
    case "verbose_json":
      return json(verbose(transcript, granularities));
    case "text":
      return plain(`${transcript.text}\n`);
    case "srt":
      return plain(srtOf(transcript));
    case "vtt":
      return { type: "text/vtt; charset=utf-8", body: vttOf(transcript) };
  }
};
