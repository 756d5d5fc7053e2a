// Speech over the official API: saying, hearing, the list of voices, and conversations over a socket. The shapes are those of
// docs.x.ai, 2026-11. Knows no caller's format. Invariant: sound is passed on as it comes, and never held.
import { GatewayError } from "../../core/errors.ts";
import type { EventBatch, GenerationStream, Usage } from "../../core/events.ts";
import {
  type HeardWord,
  type SpeechTask,
  TICKS_PER_CHARACTER,
  TICKS_PER_HEARD_SECOND,
  type Transcript,
  type TranscriptionTask,
} from "../../core/speech.ts";
import { numberAt, objectAt, objectsAt, parseObject, stringAt, type JsonObject } from "../../lib/json.ts";
import { pullStream } from "../../lib/pull.ts";
import type { Conversation, ProviderCall, SpeechProvider } from "../port.ts";
import type { UpstreamResponse } from "../upstream-port.ts";
import { readError } from "../read-error.ts";
import type { XaiClient } from "./client.ts";
import { classifyAnswer, isErrorBody } from "./failures.ts";
import { readUsage } from "./usage.ts";

/** With timestamps the sound comes inside of JSON. */
const ANSWER_LIMIT = 64 * 1024 * 1024;

const NO_TOKENS = { inputTokens: 0, outputTokens: 0, reasoningTokens: 0, cachedTokens: 0 };

const ttsBody = ({ text, voice, language, codec, sampleRate, bitRate, speed, more }: SpeechTask): JsonObject => ({
  ...more,
  text,
  language,
  ...(voice === undefined ? {} : { voice_id: voice }),
  output_format: {
    codec,
    ...(sampleRate === undefined ? {} : { sample_rate: sampleRate }),
    ...(bitRate === undefined ? {} : { bit_rate: bitRate }),
  },
  ...(speed === undefined ? {} : { speed }),
});

/** The upstream names no field; a voice is what it misses most. */
const blameVoice = (thrown: unknown): unknown => {
  const isVoice =
    thrown instanceof GatewayError &&
    thrown.code === "upstream_rejected" &&
    /\bvoice\b/i.test(thrown.detail.upstream?.text ?? "");
  return isVoice ? new GatewayError(thrown.code, thrown.message, { ...thrown.detail, param: "voice" }) : thrown;
};

const createSpeak =
  (client: XaiClient): SpeechProvider["speak"] =>
  (task, call) => {
    let response: UpstreamResponse | null = null;
    let begun = false;
    let over = false;
    // What was begun is charged as a whole, whether it arrives or not.
    const costTicks = task.text.length * TICKS_PER_CHARACTER;
    const bill = { type: "usage", usage: { ...NO_TOKENS, estimated: true, costTicks } } as const;
    const end: EventBatch = [bill, { type: "finish", reason: "stop", raw: null }];
    const next = async (): Promise<EventBatch> => {
      response ??= await client.open(call, { path: "/tts", body: ttsBody(task) });
      const mime = response.header("content-type") ?? "application/octet-stream";
      if (/json/i.test(mime)) {
        over = true;
        return [await wholeAnswer(response), ...end];
      }
      const bytes = await response.body.read();
      if (bytes !== null) {
        begun = true;
        return [{ type: "audio", bytes: new Uint8Array(bytes), mime }];
      }
      if (!begun) throw new GatewayError("upstream_empty", "The upstream answered without any sound.");
      over = true;
      return end;
    };
    const pull = async (): Promise<EventBatch | null> => {
      if (over) return null;
      try {
        return await next();
      } catch (thrown) {
        over = true;
        const failure = { type: "failure", error: readError(blameVoice(thrown), call.signal) } as const;
        return begun ? [bill, failure] : [failure];
      }
    };
    return pullStream(pull, () => response?.body.cancel()) satisfies GenerationStream;
  };

/** An answer in JSON is one with timestamps, or an error under status 200. */
const wholeAnswer = async (response: UpstreamResponse) => {
  const bytes = await response.bytes(ANSWER_LIMIT);
  const body = new TextDecoder().decode(bytes);
  const parsed = parseObject(body);
  if (!parsed) throw new GatewayError("upstream_malformed", "The upstream's answer is not a JSON object.");
  if (isErrorBody(parsed)) {
    throw classifyAnswer({ status: response.status, body, retryAfter: response.header("retry-after"), now: 0 });
  }
  return { type: "audio", bytes, mime: "application/json" } as const;
};

const sttForm = ({ sound, model, language, more }: TranscriptionTask): FormData => {
  const form = new FormData();
  if (model !== undefined) form.append("model", model);
  if (language !== undefined) form.append("language", language);
  for (const [name, value] of more) form.append(name, value);
  if (sound.kind === "url") form.append("url", sound.url);
  // Fields that come behind the file are not read.
  else form.append("file", new File([sound.content], sound.name || "audio"));
  return form;
};

const readWord = (word: JsonObject): HeardWord[] => {
  const text = stringAt(word, "text") ?? stringAt(word, "word");
  if (text === undefined) return [];
  const start = numberAt(word, "start") ?? 0;
  const speaker = numberAt(word, "speaker");
  return [{ text, start, end: numberAt(word, "end") ?? start, ...(speaker === undefined ? {} : { speaker }) }];
};

const readTranscript = (raw: JsonObject): Transcript => {
  const text = stringAt(raw, "text");
  if (text === undefined) throw new GatewayError("upstream_malformed", "The upstream's transcript has no text.");
  return {
    text,
    language: stringAt(raw, "language") || null,
    seconds: numberAt(raw, "duration") ?? null,
    words: objectsAt(raw, "words").flatMap(readWord),
    raw,
  };
};

/** A bill without tokens is still a bill. */
const billOf = (raw: JsonObject): Usage | null => {
  const usage = objectAt(raw, "usage");
  const costTicks = numberAt(usage, "cost_in_usd_ticks");
  return readUsage(usage) ?? (costTicks === undefined ? null : { ...NO_TOKENS, estimated: false, costTicks });
};

/** By the price list where the upstream says nothing. */
const heardBill = (raw: JsonObject): Usage => {
  const seconds = numberAt(raw, "duration") ?? 0;
  const bill = billOf(raw) ?? { ...NO_TOKENS, estimated: true };
  return { ...bill, costTicks: bill.costTicks ?? Math.round(seconds * TICKS_PER_HEARD_SECOND) };
};

const sum = (before: Usage | null, { costTicks, ...more }: Usage): Usage => ({
  inputTokens: (before?.inputTokens ?? 0) + more.inputTokens,
  outputTokens: (before?.outputTokens ?? 0) + more.outputTokens,
  reasoningTokens: (before?.reasoningTokens ?? 0) + more.reasoningTokens,
  cachedTokens: (before?.cachedTokens ?? 0) + more.cachedTokens,
  estimated: false,
  ...(costTicks === undefined && before?.costTicks === undefined
    ? {}
    : { costTicks: (before?.costTicks ?? 0) + (costTicks ?? 0) }),
});

/** Reads along for the bill: every answer ends with what it has used. */
const counting = (socket: Awaited<ReturnType<XaiClient["connect"]>>): Conversation => {
  let usage: Usage | null = null;
  return {
    ...socket,
    async read() {
      const frame = await socket.read();
      if (typeof frame === "string" && frame.includes('"response.done"')) {
        const event = parseObject(frame);
        const bill = event?.["type"] === "response.done" ? billOf(objectAt(event, "response") ?? {}) : null;
        if (bill) usage = sum(usage, bill);
      }
      return frame;
    },
    usage: () => usage,
  };
};

export const createSpeech = (client: XaiClient): SpeechProvider => ({
  speak: createSpeak(client),
  async transcribe(task: TranscriptionTask, call: ProviderCall) {
    const raw = await client.json(call, { path: "/stt", form: sttForm(task) });
    return { transcript: readTranscript(raw), usage: heardBill(raw) };
  },
  voices: (id, call) =>
    client.json(call, {
      method: "GET",
      path: id === null ? "/tts/voices" : `/tts/voices/${encodeURIComponent(id)}`,
    }),
  async converse({ model, query }, call) {
    const search = new URLSearchParams([["model", model], ...query.map(([name, value]) => [name, value])]);
    return counting(await client.connect(call, `/realtime?${search.toString()}`));
  },
});
