// Speech over keys of the official API: what callers send and get, what the upstream is asked, what happens when it fails, and
// that sockets end on both sides. Invariant: no case leaves a lease out.
import { describe, expect, test } from "bun:test";
import { rejection } from "../support/events.ts";
import { ADMIN_ENV, makeKey } from "../support/keys.ts";
import { PROGRAM_KEY, startProgram } from "../support/program.ts";
import { startKeys, type Keys } from "../support/official-keys.ts";
import { within } from "../support/trial.ts";

const KEY = "xai-sim-ok-alpha-1";
const GOOD = "xai-sim-ok-beta-1";
const authorization = { authorization: `Bearer ${PROGRAM_KEY}` };

const speech = (keys: Pick<Keys, "post">, more: object = {}) =>
  keys.post("/v1/audio/speech", { model: "tts-1", input: "Good morning.", voice: "alloy", ...more });

const errorOf = async (response: Response) => {
  const { error } = (await response.json()) as { error: { code: string; param: string | null; message: string } };
  return { status: response.status, ...error };
};

const asked = (keys: Keys, path: string) =>
  keys.simulator.requests().filter((entry) => entry.path === `/xai/v1${path}`);

/** Every lease is back. */
const idle = (keys: Keys) =>
  within(2000, "every lease to be back", () =>
    keys.composed.pool.all().every(({ id }) => keys.composed.pool.inFlight(id) === 0),
  );

describe("saying", () => {
  test.each([
    ["mp3", "audio/mpeg"],
    ["wav", "audio/wav"],
    ["pcm", "audio/pcm"],
  ])("%s comes with its type and is the upstream's own sound", async (format, type) => {
    await using keys = await startKeys({ keys: [KEY] });
    const response = await speech(keys, { response_format: format, speed: 1.2 });
    expect([response.status, response.headers.get("content-type")]).toEqual([200, type]);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(bytes.byteLength).toBeGreaterThan(1000);
    if (format === "wav") expect(new TextDecoder().decode(bytes.slice(0, 4))).toBe("RIFF");
    const [entry] = asked(keys, "/tts");
    expect(entry?.body).toEqual({
      text: "Good morning.",
      language: "auto",
      voice_id: "ara",
      output_format: { codec: format, ...(format === "pcm" ? { sample_rate: 24_000 } : {}) },
      speed: 1.2,
    });
    await idle(keys);
    expect(keys.account(KEY)).toMatchObject({ status: "active", last_fail_code: null });
  });

  test.each([
    [{ input: undefined }, "missing_required_parameter", "input"],
    [{ input: "  " }, "invalid_value", "input"],
    [{ input: "x".repeat(15_001) }, "invalid_value", "input"],
    [{ model: "grok-4.3" }, "model_not_found", "model"],
    [{ response_format: "opus" }, "unsupported_value", "response_format"],
    [{ response_format: "ogg" }, "invalid_value", "response_format"],
    [{ speed: 0.5 }, "unsupported_value", "speed"],
    [{ speed: 5 }, "invalid_value", "speed"],
    [{ stream_format: "chunks" }, "invalid_value", "stream_format"],
    [{ voice: 7 }, "invalid_value", "voice"],
  ])("%#: refused before the upstream is asked", async (more, code, param) => {
    await using keys = await startKeys({ keys: [KEY] });
    expect(await errorOf(await speech(keys, more))).toMatchObject({ code, param });
    expect(asked(keys, "/tts")).toHaveLength(0);
  });

  test("an unknown voice is the caller's fault, by name", async () => {
    await using keys = await startKeys({ keys: [KEY, GOOD] });
    const error = await errorOf(await speech(keys, { voice: { id: "nobody" } }));
    expect(error).toMatchObject({ status: 400, code: "upstream_rejected", param: "voice" });
    expect(keys.generations()).toEqual([KEY]);
  });

  test("15,000 characters are said, a style in words is noted", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const response = await speech(keys, { input: "a ".repeat(7500), instructions: "Whisper." });
    expect([response.status, response.headers.get("x-grok-warning")]).toEqual([200, "instructions-ignored"]);
    expect((await response.arrayBuffer()).byteLength).toBeGreaterThan(1_000_000);
  });

  test("events carry the same sound", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const plain = Buffer.from(await (await speech(keys, { response_format: "wav" })).arrayBuffer());
    const response = await speech(keys, { response_format: "wav", stream_format: "sse" });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const events = (await response.text())
      .split("\n\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line.replace(/^data: /, "")) as { type: string; audio?: string });
    expect(events.at(-1)?.type).toBe("speech.audio.done");
    const sound = Buffer.concat(events.flatMap(({ audio }) => (audio ? [Buffer.from(audio, "base64")] : [])));
    expect(sound.equals(plain)).toBeTrue();
  });

  test("xAI's own request passes with what only the upstream knows, timestamps too", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const own = { text: "Hi there.", voice_id: "rex", output_format: { codec: "wav", sample_rate: 8000 } };
    const sound = await keys.post("/v1/tts", { ...own, optimize_streaming_latency: 1 });
    expect(sound.headers.get("content-type")).toBe("audio/wav");
    await sound.arrayBuffer();
    expect(asked(keys, "/tts")[0]?.body).toEqual({ ...own, language: "auto", optimize_streaming_latency: 1 });
    const timed = await keys.post("/v1/tts", { ...own, with_timestamps: true });
    expect(timed.headers.get("content-type")).toBe("application/json");
    expect(await timed.json()).toMatchObject({
      content_type: "audio/wav",
      audio_timestamps: { graph_chars: "Hi there.".split("") },
    });
  });

  test("the voices are listed", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const get = (path: string) => fetch(`${keys.url}${path}`, { headers: authorization });
    const { voices } = (await (await get("/v1/audio/voices")).json()) as { voices: { voice_id: string }[] };
    expect(voices.map(({ voice_id }) => voice_id)).toContain("eve");
    expect(await (await get("/v1/tts/voices/leo")).json()).toMatchObject({ voice_id: "leo" });
    expect(await errorOf(await get("/v1/tts/voices/nobody"))).toMatchObject({ status: 404, code: "not_found" });
  });

  test("a caller that leaves lets go of the key", async () => {
    await using keys = await startKeys({ keys: [KEY], env: { GROK2API_XAI_MAX_INFLIGHT: "1" } });
    const leaving = new AbortController();
    const response = await fetch(`${keys.url}/v1/audio/speech`, {
      method: "POST",
      headers: { ...authorization, "content-type": "application/json" },
      body: JSON.stringify({ model: "tts-1", input: "a ".repeat(7500), voice: "eve", response_format: "wav" }),
      signal: leaving.signal,
    });
    const reader = response.body?.getReader();
    await reader?.read();
    leaving.abort();
    await reader?.read().catch(() => null);
    await idle(keys);
    // The whole text is charged for, however little was heard of it.
    const { items } = await keys.composed.records.reports.requests({}, { limit: 1 });
    expect(items[0]).toMatchObject({ outcome: "client-closed", cost_usd: 0.225 });
    expect((await speech(keys)).status).toBe(200);
  });
});

describe("hearing", () => {
  const sound = async (keys: Keys): Promise<File> => {
    const response = await keys.post("/v1/tts", { text: "Some sound to hear.", output_format: { codec: "wav" } });
    return new File([await response.arrayBuffer()], "hello.wav", { type: "audio/wav" });
  };
  const send = async (
    keys: Keys,
    fields: Record<string, string | File | string[]>,
    path = "/v1/audio/transcriptions",
  ) => {
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) {
      for (const one of Array.isArray(value) ? value : [value]) form.append(name, one);
    }
    return fetch(`${keys.url}${path}`, { method: "POST", headers: authorization, body: form });
  };

  test("the file arrives whole and the text comes back in every form", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const file = await sound(keys);
    const text = `Simulated transcript of hello.wav, ${file.size} bytes.`;
    const json = await send(keys, { file, model: "whisper-1", language: "en", prompt: "Names: Ada", temperature: "0" });
    expect(json.headers.get("x-grok-warning")).toBe("prompt-ignored");
    expect(await json.json()).toEqual({ text, usage: { type: "duration", seconds: 2 } });
    const plain = await send(keys, { file, model: "whisper-1", response_format: "text" });
    expect([plain.headers.get("content-type"), await plain.text()]).toEqual(["text/plain; charset=utf-8", `${text}\n`]);
    const srt = await (await send(keys, { file, model: "whisper-1", response_format: "srt" })).text();
    expect(srt).toMatch(/^1\n00:00:00,000 --> 00:00:0\d,\d{3}\nSimulated transcript of hello\.wav, \d+ bytes\.\n$/);
    const vtt = await (await send(keys, { file, model: "whisper-1", response_format: "vtt" })).text();
    expect(vtt).toStartWith("WEBVTT\n\n00:00:00.000 --> ");
    const verbose = (await (
      await send(keys, {
        file,
        model: "whisper-1",
        response_format: "verbose_json",
        "timestamp_granularities[]": ["word", "segment"],
      })
    ).json()) as { words: { word: string }[]; segments: { text: string }[]; language: string; duration: number };
    expect(verbose).toMatchObject({ task: "transcribe", language: "english", text });
    expect(verbose.words.map(({ word }) => word).join(" ")).toBe(text);
    expect(verbose.segments.map((segment) => segment.text).join(" ")).toBe(text);
    expect(verbose.duration).toBeGreaterThan(0.5);
  });

  test("xAI's own request and answer pass, models and wishes too", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const file = await sound(keys);
    const fields = { file, model: "grok-voice-transcribe-2.0", diarize: "true", keyterm: ["Ada", "Grace"] };
    const answer = (await (await send(keys, fields, "/v1/stt")).json()) as { words: { speaker: number }[] };
    expect(answer.words[0]?.speaker).toBe(0);
    const [entry] = asked(keys, "/stt");
    expect(JSON.stringify(entry?.body)).toContain("grok-voice-transcribe-2.0");
    expect(JSON.stringify(entry?.body)).toContain("Grace");
  });

  test.each([
    [{ response_format: "xml" }, "invalid_response_format", "response_format"],
    [{ "timestamp_granularities[]": "word" }, "invalid_value", "timestamp_granularities"],
    [{ stream: "true" }, "unsupported_parameter", "stream"],
    [{ "include[]": "logprobs" }, "unsupported_parameter", "include"],
    [{ model: "grok-9" }, "model_not_found", "model"],
    [{ file: "" }, "missing_file", "file"],
    [{ file: "", url: "ftp://example.test/a" }, "invalid_value", "url"],
    [{ file: new File([], "a.wav") }, "empty_file", "file"],
  ])("%o is refused before the upstream is asked", async (more, code, param) => {
    await using keys = await startKeys({ keys: [KEY] });
    const file = new File(["sound"], "a.wav");
    const error = await errorOf(await send(keys, { file, model: "whisper-1", ...more }));
    expect(error).toMatchObject({ code, param });
    expect(asked(keys, "/stt")).toHaveLength(0);
  });

  test("a translation is refused, and a body that is no form", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const file = new File(["sound"], "a.wav");
    const translated = await send(keys, { file, model: "whisper-1" }, "/v1/audio/translations");
    expect(await errorOf(translated)).toMatchObject({ status: 400, code: "unsupported_operation" });
    expect(await errorOf(await keys.post("/v1/audio/transcriptions", {}))).toMatchObject({ status: 415 });
  });
});

test("each request is a chat of its key and a row of the journal, with its price", async () => {
  await using keys = await startKeys({ keys: [KEY], env: ADMIN_ENV });
  const key = await makeKey(keys, { name: "speaker", chat_limit: 3 });
  const ask = (path: string, body: object) => keys.post(path, body, { authorization: `Bearer ${key.key}` });
  const said = { model: "tts-1", input: "x".repeat(1000), voice: "eve" };
  await (await ask("/v1/audio/speech", said)).arrayBuffer();
  // What the caller got wrong has been asked of the upstream all the same.
  await ask("/v1/audio/speech", { ...said, voice: { id: "nobody" } });
  await (await ask("/v1/tts", { text: "Hello." })).arrayBuffer();
  expect(await errorOf(await ask("/v1/audio/speech", said))).toMatchObject({
    status: 429,
    code: "daily_quota_exceeded",
  });
  const { items } = await keys.composed.records.reports.requests({}, { limit: 100 });
  const own = items.filter(({ key_name }) => key_name === "speaker");
  const rows = own.map(({ route, served, status, cost_usd, code }) => [route, served, status, cost_usd, code]);
  expect(rows.toReversed()).toEqual([
    ["/v1/audio/speech", "grok-tts", 200, 0.015, null],
    ["/v1/audio/speech", "grok-tts", 400, 0, "upstream_rejected"],
    ["/v1/tts", "grok-tts", 200, 0.00009, null],
    ["/v1/audio/speech", null, 429, 0, "daily_quota_exceeded"],
  ]);
});

describe("failures before the first sound", () => {
  test.each([
    ["no-credits", "account_no_credits"],
    ["rate-limited", "upstream_rate_limited"],
    ["acl-text", "account_model_denied"],
  ])("a key of the kind %s is left for one of another team", async (kind, code) => {
    const bad = `xai-sim-${kind}-alpha-1`;
    await using keys = await startKeys({ keys: [bad, GOOD] });
    const response = await speech(keys);
    expect([response.status, response.headers.get("x-grok2api-attempts")]).toEqual([200, "2"]);
    await response.arrayBuffer();
    expect(keys.generations()).toEqual([bad, GOOD]);
    expect(keys.account(bad).last_fail_code).toBe(code);
    await (await speech(keys)).arrayBuffer();
    expect(keys.generations()).toEqual([bad, GOOD, GOOD]);
  });

  test("a key that may not speak still writes", async () => {
    const key = "xai-sim-acl-text-alpha-1";
    await using keys = await startKeys({ keys: [key] });
    expect((await speech(keys)).status).toBe(404);
    const chat = { model: "grok-4.3", messages: [{ role: "user", content: "hello" }] };
    expect((await keys.post("/v1/chat/completions", chat)).status).toBe(200);
  });

  test("a safety block is final, an overload is tried once more", async () => {
    await using keys = await startKeys({ keys: [KEY, GOOD] });
    expect(await errorOf(await speech(keys, { input: "sim:moderation" }))).toMatchObject({
      status: 400,
      code: "content_policy_violation",
    });
    expect(keys.generations()).toHaveLength(1);
    expect(await errorOf(await speech(keys, { input: "sim:overload" }))).toMatchObject({ status: 503 });
    expect(keys.generations()).toHaveLength(3);
  });

  test("a wrong key is out, and the caller does not notice", async () => {
    await using keys = await startKeys({ keys: [KEY, GOOD] });
    keys.simulator.xai.keys.change({ key: KEY, kind: "wrong" });
    expect((await speech(keys)).status).toBe(200);
    expect(keys.account(KEY).status).toBe("expired");
  });

  test("without any key the caller is told what to do", async () => {
    const program = await startProgram();
    try {
      const error = await errorOf(await speech(program));
      expect(error).toMatchObject({ status: 400, code: "model_not_supported" });
      expect(error.message).toContain("xai.api_keys");
    } finally {
      await program.stop();
    }
  });

  test("switched off, nothing is served", async () => {
    await using keys = await startKeys({ keys: [KEY], env: { GROK2API_DOWNSTREAM_ENABLE_AUDIO: "false" } });
    expect(await errorOf(await speech(keys))).toMatchObject({ status: 404, code: "endpoint_disabled" });
  });
});

/** An upstream that speaks a megabyte and then does as it is told. */
const startSpeaker = (ends: "cut" | "never") =>
  Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch(request) {
      const { pathname } = new URL(request.url);
      if (pathname.endsWith("/api-key")) return Response.json({ team_id: "team-alpha", user_id: "user" });
      if (pathname.endsWith("models")) return Response.json({ data: [], models: [] });
      let sent = 0;
      const sound = new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (sent++ < 16) return controller.enqueue(new Uint8Array(65_536).fill(sent));
          // A cut at once could come before the first sound was read.
          await Bun.sleep(200);
          if (ends === "cut") controller.error(new Error("cut"));
        },
      });
      return new Response(sound, { headers: { "content-type": "audio/mpeg", "content-length": "9999999" } });
    },
  });

describe("after the first sound", () => {
  const startWith = async (ends: "cut" | "never") => {
    const speaker = startSpeaker(ends);
    const program = await startProgram({
      accounts: [],
      env: {
        GROK2API_XAI_API_KEYS: "xai-own-key-alpha-1,xai-own-key-alpha-2",
        GROK2API_XAI_BASE_URL: `http://127.0.0.1:${speaker.port}/v1`,
        GROK2API_XAI_TIMEOUT: "1",
      },
    });
    return {
      program,
      async [Symbol.asyncDispose]() {
        await program.stop();
        await speaker.stop(true);
      },
    };
  };

  test.each([
    ["cut", "upstream_cut"],
    ["never", "upstream_timeout"],
  ] as const)("sound that ends with %s breaks the answer off and is never begun anew", async (ends, code) => {
    await using started = await startWith(ends);
    const { program } = started;
    const response = await speech(program);
    expect(response.status).toBe(200);
    let bytes = 0;
    const broken = await rejection(
      (async () => {
        for await (const chunk of response.body ?? []) bytes += chunk.byteLength;
      })(),
    );
    expect(broken).toBeInstanceOf(Error);
    expect(bytes).toBeGreaterThan(65_535);
    const ended = async () =>
      (await program.composed.records.reports.requests({}, { limit: 10 })).items.find(
        ({ served }) => served === "grok-tts",
      );
    await within(3000, "the row of the journal", async () => (await ended()) !== undefined);
    const row = { code, outcome: "upstream-cut", cost_usd: 0.000195, attempts: [{ code }] };
    expect(await ended()).toMatchObject(row);
    expect(program.composed.pool.all().every(({ id }) => program.composed.pool.inFlight(id) === 0)).toBeTrue();
  });
});
