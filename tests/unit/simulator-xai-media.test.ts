import { afterEach, describe, expect, test } from "bun:test";
import { inside, stopSimulators } from "./simulator-client.ts";
import type { Json } from "./simulator-client.ts";
import { json, KEY, keyed, xai } from "./xai-client.ts";

afterEach(stopSimulators);

const IMAGE = { model: "grok-imagine-image-2.0", prompt: "A lighthouse" };
const CENT = 100_000_000;
const ticksOf = (answer: Json): unknown => inside(answer, "usage")["cost_in_usd_ticks"];
const dataOf = (answer: Json): Json[] => answer["data"] as Json[];

describe("images", () => {
  test("addresses serve a picture of the wanted shape; base64 carries one", async () => {
    const { post } = xai();
    const made = await json(await post("/images/generations", { ...IMAGE, n: 2, aspect_ratio: "16:9" }));
    expect(dataOf(made)).toMatchObject([
      { mime_type: "image/jpeg", revised_prompt: "", respect_moderation: true },
      { respect_moderation: true },
    ]);
    const picture = await fetch(String(dataOf(made)[0]?.["url"]));
    expect(picture.headers.get("content-type")).toBe("image/jpeg");
    const size = await new Bun.Image(await picture.arrayBuffer()).metadata();
    expect(size.width / size.height).toBeCloseTo(16 / 9, 1);
    const encoded = await json(await post("/images/generations", { ...IMAGE, response_format: "b64_json" }));
    expect(
      Buffer.from(String(dataOf(encoded)[0]?.["b64_json"]), "base64")
        .subarray(0, 2)
        .toString("hex"),
    ).toBe("ffd8");
    const prefixed = { ...IMAGE, prompt: "x sim:b64-prefix", response_format: "b64_json" };
    const [first] = dataOf(await json(await post("/images/generations", prefixed)));
    expect(String(first?.["b64_json"])).toStartWith("data:image/jpeg;base64,");
  });

  test("the bill goes by quality, size, number and sources", async () => {
    const { post } = xai();
    const generated = async (more: object) =>
      ticksOf(await json(await post("/images/generations", { ...IMAGE, ...more })));
    const url = "https://example.com/a.png";
    const edited = async (more: object) =>
      ticksOf(await json(await post("/images/edits", { ...IMAGE, image: { url }, ...more })));
    expect(await generated({})).toBe(4 * CENT);
    expect(await generated({ n: 3, resolution: "2k", quality: "medium" })).toBe(24 * CENT);
    expect(await generated({ model: "grok-imagine-image" })).toBe(2 * CENT);
    expect(await generated({ model: "grok-imagine-image-quality" })).toBe(4 * CENT);
    expect(await edited({})).toBe(7 * CENT);
    expect(await edited({ quality: "low", image: undefined, images: [{ url }, { url }] })).toBe(6 * CENT);
  });

  test("moderated pictures have no address; whole requests are refused", async () => {
    const { post } = xai();
    const some = await json(await post("/images/generations", { ...IMAGE, n: 2, prompt: "x sim:blocked-picture" }));
    expect(dataOf(some).map((one) => [one["respect_moderation"], one["url"] === ""])).toEqual([
      [true, false],
      [false, true],
    ]);
    expect(some["block_reason"]).toBeString();
    expect((await post("/images/generations", { ...IMAGE, prompt: "x sim:moderation" })).status).toBe(403);
    const lost = await json(await post("/images/generations", { ...IMAGE, prompt: "x sim:asset-refused" }));
    expect((await fetch(String(dataOf(lost)[0]?.["url"]))).status).toBe(403);
    expect((await post("/images/generations", IMAGE, "xai-sim-acl-text-beta-1")).status).toBe(403);
  });

  const refused: [string, object, number][] = [
    ["/images/generations", { size: "1024x1024" }, 400],
    ["/images/generations", { prompt: "" }, 422],
    ["/images/generations", { n: 11 }, 400],
    ["/images/generations", { aspect_ratio: "7:3" }, 400],
    ["/images/generations", { resolution: "4k" }, 400],
    ["/images/generations", { quality: "high" }, 400],
    ["/images/generations", { model: "grok-imagine-image", quality: "low" }, 400],
    ["/images/generations", { model: "grok-2-image" }, 404],
    ["/images/edits", {}, 422],
    ["/images/edits", { image: { image_url: "https://example.com/a.png" } }, 422],
    ["/images/edits", { images: Array.from({ length: 6 }, () => ({ url: "https://example.com/a.png" })) }, 400],
    ["/images/edits", { image: { file_id: "file_nobody" } }, 400],
  ];
  test.each(refused)("%s refuses %j", async (path, more, status) => {
    const { post } = xai();
    expect((await post(path, { ...IMAGE, ...more })).status).toBe(status);
  });
});

describe("videos", () => {
  const VIDEO = { model: "grok-imagine-video", prompt: "Waves" };

  test("pending polls are empty, then the clip is there, billed by the second", async () => {
    const { post, get } = xai();
    const asked = await json(await post("/videos/generations", { ...VIDEO, duration: 3, resolution: "720p" }));
    const path = `/videos/${String(asked["request_id"])}`;
    for (let poll = 0; poll < 2; poll++) {
      const pending = await get(path);
      expect([pending.status, await pending.text()]).toEqual([202, ""]);
    }
    const done = await json(await get(path));
    expect(done).toMatchObject({ status: "done", progress: 100, video: { duration: 3, respect_moderation: true } });
    expect(ticksOf(done)).toBe(21 * CENT);
    const clip = await fetch(String(inside(done, "video")["url"]), { headers: { range: "bytes=4-7" } });
    expect([clip.status, await clip.text()]).toEqual([206, "ftyp"]);
    expect((await get(path, "xai-sim-ok-beta-1")).status).toBe(404);
    expect((await get(path, "xai-sim-ok-alpha-2")).status).toBe(200);
  });

  const endings: [string, object][] = [
    ["sim:video-failed", { status: "failed", error: { code: "invalid_argument" } }],
    ["sim:video-expired", { status: "expired" }],
    ["sim:video-moderated", { status: "done", video: { url: "", respect_moderation: false } }],
    ["sim:polls-1 sim:polls-json", { status: "done" }],
  ];
  test.each(endings)("%s", async (words, expected) => {
    const { post, get } = xai();
    const asked = await json(await post("/videos/generations", { ...VIDEO, prompt: words }));
    let answer: Response;
    let pending = -1;
    do {
      pending += 1;
      answer = await get(`/videos/${String(asked["request_id"])}`);
    } while (answer.status === 202);
    expect(await json(answer)).toMatchObject(expected);
    expect(pending).toBe(words.includes("polls-1") ? 1 : 2);
  });

  test("edits and extensions", async () => {
    const { post, get } = xai();
    const video = { url: "https://example.com/a.mp4" };
    const edit = await json(await post("/videos/edits", { ...VIDEO, video }));
    expect(edit["request_id"]).toBeString();
    const extension = await post("/videos/extensions", { ...VIDEO, prompt: "x sim:polls-0", video, duration: 4 });
    const done = await json(await get(`/videos/${String((await json(extension))["request_id"])}`));
    expect([inside(done, "video")["duration"], ticksOf(done)]).toEqual([4, 25 * CENT]);
    expect((await post("/videos/edits", { ...VIDEO, video, duration: 4 })).status).toBe(400);
    expect((await post("/videos/extensions", { ...VIDEO, model: "grok-imagine-video-1.5", video })).status).toBe(400);
  });

  const image = { url: "https://example.com/a.png" };
  const many = (count: number) => Array.from({ length: count }, () => image);
  const refused: [object, RegExp][] = [
    [{ reference_images: many(8) }, /Too many reference images: 8\. Maximum allowed is 7\./],
    [{ reference_images: many(2), duration: 15 }, /Duration 15s exceeds the maximum allowed for reference-to-video/],
    [{ reference_images: many(2), image }, /cannot be combined/],
    [{ resolution: "1080p" }, /Resolution 1080p is not supported/],
    [{ duration: 16 }, /between 1 and 15/],
    [{ aspect_ratio: "5:2" }, /Invalid aspect ratio/],
  ];
  test.each(refused)("%j is refused", async (more, pattern) => {
    const { post } = xai();
    const response = await post("/videos/generations", { ...VIDEO, ...more });
    expect(response.status).toBe(400);
    expect(await response.text()).toMatch(pattern);
  });
});

describe("files and speech", () => {
  const form = (fields: Record<string, string | File>): FormData => {
    const made = new FormData();
    for (const [name, value] of Object.entries(fields)) made.append(name, value);
    return made;
  };
  const send = (base: string, path: string, body: FormData): Promise<Response> =>
    fetch(base + path, { method: "POST", headers: { authorization: `Bearer ${KEY}` }, body });

  test("files are kept for their team, and the purpose comes before the file", async () => {
    const { base, get, post } = xai();
    const file = new File(["hello"], "note.txt", { type: "text/plain" });
    expect((await send(base, "/files", form({ file, purpose: "assistants" }))).status).toBe(400);
    const kept = await json(await send(base, "/files", form({ purpose: "assistants", expires_after: "3600", file })));
    expect(kept).toMatchObject({ object: "file", bytes: 5, filename: "note.txt", purpose: "assistants" });
    const id = String(kept["id"]);
    expect(await (await get(`/files/${id}/content`)).text()).toBe("hello");
    expect((await get(`/files/${id}`, "xai-sim-ok-beta-1")).status).toBe(404);
    expect(dataOf(await json(await get("/files"))).map((one) => one["id"])).toEqual([id]);
    expect((await post("/images/edits", { ...IMAGE, image: { file_id: id } })).status).toBe(200);
    const gone = await fetch(`${base}/files/${id}`, { method: "DELETE", headers: keyed(KEY) });
    expect(await json(gone)).toMatchObject({ deleted: true });
    expect((await get(`/files/${id}`)).status).toBe(404);
  });

  test("speech is a real file of the wanted kind, and is understood again", async () => {
    const { base, get, post, sim } = xai();
    const mp3 = await post("/tts", { text: "Hello there" });
    expect(mp3.headers.get("content-type")).toBe("audio/mpeg");
    expect(new Uint8Array(await mp3.arrayBuffer()).subarray(0, 2)).toEqual(new Uint8Array([0xff, 0xf3]));
    const output_format = { codec: "wav", sample_rate: 16_000 };
    const wav = await (await post("/tts", { text: "Hello ".repeat(10), output_format })).arrayBuffer();
    const file = new File([wav], "hello.wav", { type: "audio/wav" });
    const heard = await json(await send(base, "/stt", form({ language: "de", diarize: "true", file })));
    expect(heard).toMatchObject({
      text: `Simulated transcript of hello.wav, ${file.size} bytes.`,
      language: "de",
      duration: 4,
    });
    expect((heard["words"] as Json[])[0]).toMatchObject({ text: "Simulated", start: 0, speaker: 0 });
    expect(sim.requests().at(-1)?.body).toEqual({
      language: "de",
      diarize: "true",
      file: { filename: "hello.wav", type: expect.stringContaining("wav") as unknown, bytes: file.size },
    });
    const timed = await json(await post("/tts", { text: "Hi", with_timestamps: true }));
    expect(inside(timed, "audio_timestamps")).toMatchObject({ graph_chars: ["H", "i"] });
    expect((await post("/tts", { text: "x".repeat(15_001) })).status).toBe(400);
    expect((await post("/tts", { text: "x", voice_id: "nobody" })).status).toBe(404);
    expect((await send(base, "/stt", form({ model: "whisper-1", file }))).status).toBe(404);
    expect((await send(base, "/stt", form({ language: "en" }))).status).toBe(400);
    expect(((await json(await get("/tts/voices")))["voices"] as Json[]).length).toBe(5);
  });
});

describe("realtime", () => {
  async function talk(
    url: string,
    options: unknown,
  ): Promise<{ frames: Json[]; send(frame: object): void; until(type: string): Promise<Json> }> {
    const socket = new WebSocket(url.replace("http", "ws"), options as string[]);
    const frames: Json[] = [];
    const waiting: (() => void)[] = [];
    socket.addEventListener("message", ({ data }) => {
      frames.push(JSON.parse(String(data)) as Json);
      for (const wake of waiting.splice(0)) wake();
    });
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("close", () => reject(new Error("closed")));
    });
    return {
      frames,
      send: (frame) => socket.send(JSON.stringify(frame)),
      async until(type) {
        for (;;) {
          const found = frames.find((frame) => frame["type"] === type);
          if (found !== undefined) return found;
          await new Promise<void>((resolve) => waiting.push(resolve));
        }
      },
    };
  }

  test("says back what it heard, by key and by a browser's secret", async () => {
    const { base, post, sim } = xai();
    const { value } = await json(await post("/realtime/client_secrets", { expires_after: { seconds: 60 } }));
    for (const options of [{ headers: keyed(KEY) }, [`xai-client-secret.${String(value)}`]]) {
      const line = await talk(`${base}/realtime?model=grok-voice-latest`, options);
      expect(inside(await line.until("session.created"), "session")["model"]).toBe("grok-voice-latest");
      line.send({ type: "session.update", session: { output_modalities: ["text"], model: "other" } });
      expect(inside(await line.until("session.updated"), "session")["model"]).toBe("grok-voice-latest");
      line.send({
        type: "conversation.item.create",
        item: { type: "message", role: "user", content: [{ type: "input_text", text: "Hello" }] },
      });
      line.send({ type: "response.create" });
      const done = inside(await line.until("response.done"), "response");
      expect(JSON.stringify(done)).toContain("You said: Hello");
      line.send({ type: "conversation.item.truncate" });
      expect(inside(await line.until("error"), "error")["message"]).toContain("truncate");
    }
    expect(sim.xai.counts().filter(({ route }) => route === "GET /xai/v1/realtime")).toMatchObject([
      { key: KEY, calls: 2, statuses: { 101: 2 } },
    ]);
  });

  test("refuses by key, model and credentials", async () => {
    const { base } = xai();
    const upgrade = { upgrade: "websocket", connection: "upgrade" };
    const status = async (query: string, key?: string) =>
      (await fetch(`${base}/realtime${query}`, { headers: { ...upgrade, ...(key === undefined ? {} : keyed(key)) } }))
        .status;
    expect(await status("")).toBe(401);
    expect(await status("?model=grok-4.3", KEY)).toBe(404);
    expect(await status("", "xai-sim-no-credits-beta-1")).toBe(403);
    expect(await status("", "xai-sim-wrong-beta-1")).toBe(400);
  });
});
