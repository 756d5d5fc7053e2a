// The official packages, told nothing but the address and the key, against the executable with a key of the official API alone:
// what they say, hear and talk has to come out as from the vendor.
import { createOpenAI } from "@ai-sdk/openai";
import { experimental_generateSpeech as generateSpeech, experimental_transcribe as transcribe } from "ai";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import OpenAI, { toFile } from "openai";
import { OpenAIRealtimeWebSocket } from "openai/realtime/websocket";
import { OpenAIRealtimeWS } from "openai/realtime/ws";
import { writeCertificate } from "../../scripts/bench/certificate.ts";
import { createSimulator, type Simulator } from "../../src/simulator/server.ts";
import { emptyFolder, startGateway } from "../support/binary.ts";
import { rejection } from "../support/events.ts";
import { within } from "../support/trial.ts";

const KEY = "sk-sdk-speech-000001";

let simulator: Simulator;
let url: string;
let stop: () => Promise<void>;
let front: { readonly url: string; close(): void };

/** What an operator puts before the gateway: TLS outside, plain inside. */
const startFront = (folder: string, port: number): Promise<typeof front> => {
  const { keyPath, certPath } = writeCertificate(folder);
  const server = createTlsServer({ key: readFileSync(keyPath), cert: readFileSync(certPath) }, (outside) => {
    const inside = connect(port, "127.0.0.1");
    for (const end of [outside, inside]) end.on("error", () => {});
    outside.pipe(inside).pipe(outside);
  });
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address() as AddressInfo;
      resolve({ url: `https://127.0.0.1:${address.port}`, close: () => void server.close() });
    });
  });
};

beforeAll(async () => {
  simulator = createSimulator({ tokenDelayMs: 0, mediaDelayMs: 0 });
  const folder = emptyFolder();
  const gateway = await startGateway({
    folder,
    env: {
      GROK2API_APP_API_KEY: KEY,
      GROK2API_XAI_API_KEYS: "xai-sim-ok-alpha-1",
      GROK2API_XAI_BASE_URL: `${simulator.url}/xai/v1`,
    },
  });
  ({ url } = gateway);
  front = await startFront(folder.path, Number(new URL(url).port));
  // The certificate is its own authority.
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
  stop = async () => {
    delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    front.close();
    await gateway.stop();
    await simulator.stop(true);
    folder[Symbol.dispose]();
  };
});
afterAll(() => stop());
beforeEach(() => simulator.reset());

const openai = () => new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 });

/** Its conversations go over wss alone, so this one speaks to the front with a certificate. */
const secure = (apiKey = KEY) => new OpenAI({ baseURL: `${front.url}/v1`, apiKey, maxRetries: 0 });

const wave = async (): Promise<Uint8Array<ArrayBuffer>> => {
  const answer = await openai().audio.speech.create({
    model: "tts-1",
    voice: "nova",
    input: "A sentence to be heard again.",
    response_format: "wav",
  });
  return new Uint8Array(await answer.arrayBuffer());
};

describe("openai", () => {
  test("audio.speech: sound with its type, errors with their field", async () => {
    const answer = await openai().audio.speech.create({ model: "gpt-4o-mini-tts", voice: "alloy", input: "Hello." });
    expect(answer.headers.get("content-type")).toBe("audio/mpeg");
    expect((await answer.arrayBuffer()).byteLength).toBeGreaterThan(500);
    expect(Buffer.from((await wave()).slice(0, 4)).toString()).toBe("RIFF");
    const refused = await rejection(
      openai().audio.speech.create({ model: "tts-1", voice: "alloy", input: "Hello.", response_format: "flac" }),
    );
    expect(refused).toMatchObject({ status: 400, code: "unsupported_value", param: "response_format" });
  });

  test("audio.transcriptions: text, words and subtitles", async () => {
    const sound = await wave();
    const file = () => toFile(sound, "note.wav", { type: "audio/wav" });
    const said = `Simulated transcript of note.wav, ${sound.byteLength} bytes.`;
    const plain = await openai().audio.transcriptions.create({ model: "whisper-1", file: await file() });
    expect(plain.text).toBe(said);
    const verbose = await openai().audio.transcriptions.create({
      model: "whisper-1",
      file: await file(),
      response_format: "verbose_json",
      timestamp_granularities: ["word", "segment"],
    });
    expect(verbose.language).toBe("english");
    expect(verbose.words?.map(({ word }) => word).join(" ")).toBe(said);
    expect(verbose.segments?.map(({ text }) => text).join(" ")).toBe(said);
    const subtitles: unknown = await openai().audio.transcriptions.create({
      model: "whisper-1",
      file: await file(),
      response_format: "srt",
    });
    expect(String(subtitles)).toStartWith("1\n00:00:00,000 --> 00:00:");
  });

  /** Asks in words and gives the answer's, over whichever socket the client brings. */
  const talk = async (rt: OpenAIRealtimeWS | OpenAIRealtimeWebSocket): Promise<string> => {
    let answer = "";
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    rt.on("session.created", () => {
      const content = [{ type: "input_text" as const, text: "Are you there?" }];
      rt.send({ type: "conversation.item.create", item: { type: "message", role: "user", content } });
      rt.send({ type: "response.create", response: { output_modalities: ["text"] } });
    });
    rt.on("response.output_text.delta", ({ delta }) => (answer += delta));
    rt.on("response.done", () => resolve(answer));
    rt.on("error", reject);
    try {
      return await promise;
    } finally {
      rt.close();
    }
  };

  test("realtime over ws and over the runtime's own socket", async () => {
    expect(await talk(new OpenAIRealtimeWS({ model: "gpt-realtime" }, secure()))).toBe("You said: Are you there?");
    expect(await talk(new OpenAIRealtimeWebSocket({ model: "grok-voice-latest" }, secure()))).toBe(
      "You said: Are you there?",
    );
    await within(3000, "the upstream's sockets to be closed", () => simulator.stats().open.sockets === 0);
  });

  test("realtime with a short-lived secret, which an unknown key does not get", async () => {
    const secret = await openai().realtime.clientSecrets.create({
      expires_after: { anchor: "created_at", seconds: 60 },
      session: { type: "realtime", model: "grok-voice-latest" },
    });
    const browser = new OpenAI({ baseURL: `${url}/v1`, apiKey: secret.value });
    expect(await talk(new OpenAIRealtimeWebSocket({ model: "grok-voice-latest" }, secure(secret.value)))).toBe(
      "You said: Are you there?",
    );
    expect(await rejection(browser.models.list())).toMatchObject({ status: 401 });
    const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: "sk-wrong", maxRetries: 0 });
    expect(await rejection(stranger.realtime.clientSecrets.create({}))).toMatchObject({ status: 401 });
    const refused = await rejection(
      talk(new OpenAIRealtimeWebSocket({ model: "grok-voice-latest" }, secure("sk-wrong"))),
    );
    expect(String(refused)).toContain("invalid_api_key");
  });
});

describe("ai with @ai-sdk/openai", () => {
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const provider = () => createOpenAI({ baseURL: `${url}/v1`, apiKey: KEY });

  test("generateSpeech and transcribe", async () => {
    const { audio } = await generateSpeech({ model: provider().speech("tts-1"), text: "Hello.", voice: "shimmer" });
    expect(audio.mediaType).toBe("audio/mpeg");
    expect(audio.uint8Array.byteLength).toBeGreaterThan(500);
    const heard = await transcribe({
      model: provider().transcription("whisper-1"),
      audio: await wave(),
      providerOptions: { openai: { timestampGranularities: ["segment"] } },
    });
    expect(heard.text).toStartWith("Simulated transcript of");
    expect(heard.segments.map(({ text }) => text).join(" ")).toBe(heard.text);
    expect(heard.durationInSeconds).toBeGreaterThan(0.2);
  });
});
