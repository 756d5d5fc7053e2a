// Speech in both directions: /v1/tts with its voices, /v1/stt, and the short-lived secrets of the realtime socket.
// Knows no chat. Invariant: what is said back names what was sent, so that a test can tell that it arrived whole.
import { nowMs, pause, randomHex } from "../chance.ts";
import { fieldsOf, textOf } from "../fields.ts";
import { answered, generationHeaders, isRefusal, refusedGeneration } from "./call.ts";
import type { XaiCall } from "./call.ts";
import { describeForm, readForm } from "./files.ts";
import { badShape, modelMissing } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";
import { CODECS, isCodec, secondsOf, soundOf } from "./sound.ts";
import { readXaiWords } from "./words.ts";

const VOICES = ["eve", "ara", "rex", "sal", "leo"];
const STT_MODELS = ["grok-voice-transcribe-1.0", "grok-voice-transcribe-2.0"];
const MOST_CHARACTERS = 15_000;
const CHARACTERS_PER_SECOND = 15;

/** Errors of this route have no code. */
const wrong = (error: string): XaiRefusal => ({ status: 400, body: { error } });

export function listVoices(): Response {
  return answered({ voices: VOICES.map(voice) });
}

export function getVoice({ params }: XaiCall): Response | XaiRefusal {
  const id = params["id"] ?? "";
  return VOICES.includes(id) ? answered(voice(id)) : { status: 404, body: { error: `Voice ${id} not found.` } };
}

function voice(id: string): object {
  return { voice_id: id, name: `${id[0]?.toUpperCase()}${id.slice(1)}`, language: "multilingual" };
}

export async function speak(call: XaiCall): Promise<Response | XaiRefusal> {
  const { key, world, request } = call;
  const body = fieldsOf(call.body);
  const text = textOf(body["text"]);
  if (text === "") return badShape("missing field `text`");
  if (text.length > MOST_CHARACTERS) return wrong(`Text is too long: ${text.length} characters. Maximum is 15000.`);
  const format = fieldsOf(body["output_format"]);
  const codec = textOf(format["codec"]) || "mp3";
  if (!isCodec(codec)) return badShape(`unknown variant \`${codec}\`, expected one of \`mp3\`, \`wav\``);
  const speed = Number(body["speed"] ?? 1);
  if (!(speed >= 0.7 && speed <= 1.5)) return wrong("Speed must be between 0.7 and 1.5.");
  const voiceId = textOf(body["voice_id"]) || "eve";
  if (!VOICES.includes(voiceId)) return { status: 404, body: { error: `Voice ${voiceId} not found.` } };
  const refusal = refusedGeneration(call, readXaiWords(text, key.scenario), "tts");
  if (refusal !== undefined) return refusal;
  await pause(world.options.mediaDelayMs, request.signal);
  const seconds = Math.max(0.25, text.length / CHARACTERS_PER_SECOND / speed);
  const bytes = soundOf(codec, { seconds, sampleRate: Number(format["sample_rate"] ?? 24_000) });
  const headers = { ...generationHeaders(key), "x-trace-id": randomHex(32) };
  if (body["with_timestamps"] === true) {
    const step = seconds / text.length;
    const graphs = [...text];
    return answered(
      {
        audio: Buffer.from(bytes).toString("base64"),
        content_type: CODECS[codec],
        duration: seconds,
        audio_timestamps: {
          graph_chars: graphs,
          graph_times: graphs.map((_, index) => [index * step, (index + 1) * step]),
        },
      },
      { headers },
    );
  }
  return new Response(new Uint8Array(bytes), { headers: { ...headers, "content-type": CODECS[codec] } });
}

export async function transcribe(call: XaiCall): Promise<Response | XaiRefusal> {
  const { key, entry, world, request } = call;
  const form = await readForm(request);
  if (isRefusal(form)) return form;
  entry.body = describeForm(form);
  const file = form.get("file");
  const url = textOf(form.get("url"));
  if (!(file instanceof File) && url === "") return wrong("One of `file` and `url` is required.");
  const model = textOf(form.get("model")) || STT_MODELS[0] || "";
  if (!STT_MODELS.includes(model)) return modelMissing(key, model);
  const name = file instanceof File ? file.name : url;
  const refusal = refusedGeneration(call, readXaiWords(name, key.scenario), model);
  if (refusal !== undefined) return refusal;
  await pause(world.options.mediaDelayMs, request.signal);
  const bytes = file instanceof File ? new Uint8Array(await file.arrayBuffer()) : new Uint8Array(0);
  const text = `Simulated transcript of ${name}, ${bytes.length} bytes.`;
  const duration = secondsOf(bytes);
  const heard = text.split(" ");
  const step = duration / heard.length;
  const speaker = form.get("diarize") === "true" ? { speaker: 0 } : {};
  const words = heard.map((word, index) => ({ text: word, start: index * step, end: (index + 1) * step, ...speaker }));
  const language = textOf(form.get("language")) || "en";
  return answered({ text, language, duration, words }, { headers: generationHeaders(key) });
}

export function createClientSecret({ world, key, body }: XaiCall): Response {
  const seconds = Number(fieldsOf(fieldsOf(body)["expires_after"])["seconds"] ?? 600);
  const value = `xai-sim-secret-${randomHex(24)}`;
  world.xai.clientSecrets.set(value, key.text);
  return answered({ value, expires_at: Math.floor(nowMs() / 1000) + seconds });
}
