// Pictures and clips of the official API's provider: the grammar of what it tells, what becomes of every kind of answer, that it
// stops asking when nobody waits any more, and where it fetches files.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { configSchema } from "../../src/config/schema.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { XaiModel } from "../../src/core/models.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import type { ClipTask, MediaCall, PictureTask } from "../../src/providers/port.ts";
import { createUpstreamHttp } from "../../src/providers/upstream-http.ts";
import { readClip } from "../../src/providers/xai-api/clip-state.ts";
import { createXaiApi } from "../../src/providers/xai-api/index.ts";
import { pictureIn } from "../../src/providers/xai-api/inline.ts";
import { createSimulator } from "../../src/simulator/server.ts";
import { gather, rejection, tell } from "../support/events.ts";
import { drawnPng } from "../support/pictures.ts";

const simulator = createSimulator({ tokenDelayMs: 0, mediaDelayMs: 0 });
const http = createUpstreamHttp({ clock: systemClock, longestIdleMs: () => 5000 });
afterAll(async () => {
  await http.close();
  await simulator.stop(true);
});
beforeEach(() => simulator.reset());

const providerWith = (xai: object = {}) => {
  const config = configSchema.parse({
    xai: { base_url: `${simulator.url}/xai/v1`, timeout: 2, poll_interval: 0.02, ...xai },
  });
  return createXaiApi({ http, config: () => config, clock: systemClock });
};

const modelOf = (id: string): XaiModel => ({
  ...{ upstream: "xai", id, aliases: [], kind: "image", name: id, description: "", reasoning: false, created: 1 },
  xai: { contextLength: null, prices: null, longContext: null, imagePrice: null, efforts: [] },
});
const callAs = (id: string, over: Partial<MediaCall<XaiModel>> & { token?: string } = {}): MediaCall<XaiModel> => {
  const { token = "xai-sim-ok-alpha-1", ...rest } = over;
  return {
    credential: { accountId: "acc_test", token, tier: "basic", teamId: "alpha" },
    signal: new AbortController().signal,
    log: silentLog,
    learn: () => {},
    model: modelOf(id),
    id: "img_1",
    created: 1,
    files: [],
    ...rest,
  };
};
const picture = (prompt: string, over: Partial<PictureTask> = {}): PictureTask => ({
  ...{ prompt, count: 1, ratio: null, previews: 0, adult: false },
  ...over,
});
const clip = (prompt: string, over: Partial<ClipTask> = {}): ClipTask => ({
  ...{ prompt, ratio: "16:9", seconds: 2, resolution: "480p", preset: "custom" },
  ...over,
});
const asked = (label: string) => simulator.requests().filter(({ route }) => route === label);
const POLL = "GET /xai/v1/videos/:id";

describe("pictures", () => {
  test("are told at once with their bill before them", async () => {
    const events = await gather(providerWith().images(picture("a cat", { count: 2 }), callAs("grok-imagine-image")));
    expect(events.map(({ type }) => type)).toEqual(["start", "usage", "image", "image", "finish"]);
    expect(events.find((event) => event.type === "usage")?.usage.costTicks).toBe(400_000_000);
  });

  test.each([
    ["sim:image-moderated", 1, "content_policy_violation"],
    ["sim:moderation", 1, "content_policy_violation"],
    ["sim:rate-limit", 1, "upstream_rate_limited"],
    ["sim:overload", 1, "upstream_unavailable"],
    ["sim:capacity-200", 1, "upstream_unavailable"],
    ["sim:no-credits", 1, "account_no_credits"],
  ])("%s fails as it should", async (prompt, count, code) => {
    const told = tell(await gather(providerWith().images(picture(prompt, { count }), callAs("grok-imagine-image"))));
    expect(told.failure?.code).toBe(code as never);
  });

  test("some withheld end as a verdict", async () => {
    const task = picture("sim:blocked-picture", { count: 3 });
    const events = await gather(providerWith().images(task, callAs("grok-imagine-image")));
    expect(events.filter(({ type }) => type === "image")).toHaveLength(2);
    expect(tell(events).finish).toBe("content-filter");
  });

  test("a request that hangs ends within its limit, and at once when nobody waits", async () => {
    const limited = await gather(
      providerWith({ timeout: 1 }).images(picture("sim:hang"), callAs("grok-imagine-image")),
    );
    expect(tell(limited).failure).toMatchObject({ code: "upstream_timeout" });
    const leaving = new AbortController();
    const call = callAs("grok-imagine-image", { signal: leaving.signal });
    const stream = gather(providerWith().images(picture("sim:hang"), call));
    await Bun.sleep(50);
    const before = performance.now();
    leaving.abort();
    expect(tell(await stream).failure?.code).toBe("client_closed");
    expect(performance.now() - before).toBeLessThan(100);
    expect(http.open).toBe(0);
  });

  test("a picture that is too large to be sent along is refused before anything is", async () => {
    const content = new Blob([new Uint8Array(20 * 1024 * 1024 + 1)]);
    const files = [{ name: "a.png", mime: "image/png", content }];
    const events = await gather(providerWith().edit(picture("a hat"), callAs("grok-imagine-image", { files })));
    expect(tell(events).failure).toMatchObject({ code: "file_too_large", detail: { param: "image" } });
    expect(asked("POST /xai/v1/images/edits")).toEqual([]);
  });

  test.each([
    [{ b64_json: "AAAA" }, { base64: "AAAA" }],
    [
      { b64_json: "data:image/png;base64,AAAA", mime_type: "image/jpeg" },
      { base64: "AAAA", mime: "image/png" },
    ],
    [
      { url: "https://imgen.x.ai/a.jpg", mime_type: "image/jpeg" },
      { url: "https://imgen.x.ai/a.jpg", mime: "image/jpeg" },
    ],
    [{ b64_json: "", url: "" }, null],
    [{}, null],
  ])("%j is read as %j", (item, source) => {
    expect(pictureIn(item)).toEqual(source);
  });
});

describe("clips", () => {
  test("tell their id first, then how far they are, then themselves", async () => {
    const events = await gather(providerWith().video(clip("sim:polls-json"), callAs("grok-imagine-video")));
    const types = events.map(({ type }) => type);
    expect(types).toEqual(["start", "upstream", "progress", "progress", "progress", "usage", "video", "finish"]);
    expect(events.find((event) => event.type === "video")).toMatchObject({ seconds: 2, resolution: "480p" });
    expect(asked(POLL)).toHaveLength(3);
  });

  test.each([
    ["sim:video-failed", "video_generation_failed", false],
    ["sim:video-expired", "video_generation_failed", false],
    ["sim:video-moderated", "content_policy_violation", undefined],
    ["sim:overload", "upstream_unavailable", undefined],
  ])("%s fails as %s", async (prompt, code, shouldRetry) => {
    const { failure } = tell(await gather(providerWith().video(clip(prompt), callAs("grok-imagine-video"))));
    expect([failure?.code, failure?.detail.shouldRetry]).toEqual([code as never, shouldRetry]);
  });

  test("nobody is asked any more once nobody waits", async () => {
    const leaving = new AbortController();
    const call = callAs("grok-imagine-video", { signal: leaving.signal });
    const stream = gather(providerWith().video(clip("sim:video-hang"), call));
    while (asked(POLL).length < 2) await Bun.sleep(5);
    leaving.abort();
    expect(tell(await stream).failure?.code).toBe("client_closed");
    const before = asked(POLL).length;
    await Bun.sleep(80);
    expect(asked(POLL).length).toBe(before);
  });

  test("one that the upstream forgets is given up for good", async () => {
    const stream = gather(providerWith().video(clip("sim:video-hang"), callAs("grok-imagine-video")));
    while (asked(POLL).length < 1) await Bun.sleep(5);
    simulator.reset();
    const { failure } = tell(await stream);
    expect(failure).toMatchObject({ code: "video_generation_failed", detail: { shouldRetry: false } });
  });

  test("are found again by their id: pending, done, withheld, failed, unknown, and an upstream that is away", async () => {
    const provider = providerWith();
    const begin = async (prompt: string) => {
      const leaving = new AbortController();
      let id = "";
      const call = callAs("grok-imagine-video", { signal: leaving.signal });
      for await (const batch of provider.video(clip(prompt), call)) {
        for (const event of batch) if (event.type === "upstream") id = event.clipId ?? "";
        leaving.abort();
      }
      return id;
    };
    const find = (id: string, token?: string) =>
      provider.findClip(id, callAs("grok-imagine-video", token ? { token } : {}));
    expect(await find(await begin("sim:video-hang"))).toBeNull();
    const done = await find(await begin("a river sim:polls-0"));
    expect(done).toMatchObject({ withheld: false, costTicks: 1_000_000_000 });
    expect(done?.source.url).toContain("/xai/files/vidgen/");
    expect(await find(await begin("sim:video-moderated sim:polls-0"))).toMatchObject({ withheld: true });
    const failed = await rejection(find(await begin("sim:video-failed sim:polls-0")));
    expect(failed).toBeInstanceOf(GatewayError);
    expect(await find("00000000-0000-4000-8000-000000000000")).toBeNull();
    expect(await find("any", "xai-sim-5xx-alpha-1")).toBeNull();
  });

  test("are not enlarged, and that is said by code", async () => {
    const error = await rejection(providerWith().upscale("any", callAs("grok-imagine-video")));
    expect(error).toMatchObject({ code: "unsupported_operation" });
  });

  test.each([
    [null, { is: "pending", progress: null }],
    [{ status: "queued" }, { is: "pending", progress: null }],
    [
      { status: "pending", progress: 40 },
      { is: "pending", progress: 0.4 },
    ],
    [
      { status: "pending", progress: 140 },
      { is: "pending", progress: 0.99 },
    ],
    [{ video: { url: "https://a/b" } }, { is: "done", url: "https://a/b", seconds: null, costTicks: null }],
    [
      { status: "done", video: { url: "", respect_moderation: false } },
      { is: "withheld", costTicks: null },
    ],
  ])("%j is read as %j", (body, state) => {
    expect(readClip({ status: 200, body })).toEqual(state as never);
  });

  test("done without an address, and a safety failure, are failures of their own", () => {
    const codeOf = (body: object) => {
      const state = readClip({ status: 200, body: { ...body } });
      return state.is === "failed" ? state.error.code : state.is;
    };
    expect(codeOf({ status: "done", video: {} })).toBe("video_generation_failed");
    const said = { code: "permission-denied", message: "Content violates usage guidelines." };
    expect(codeOf({ status: "failed", error: said })).toBe("content_policy_violation");
  });
});

describe("files", () => {
  const made = async () => {
    const events = await gather(providerWith().video(clip("a river sim:polls-0"), callAs("grok-imagine-video")));
    return events.find((event) => event.type === "video")?.source ?? {};
  };

  test("are fetched without the key", async () => {
    const { bytes, mime } = await providerWith().download(await made(), {
      ...callAs("grok-imagine-video"),
      maxBytes: 10_000_000,
    });
    expect([mime, bytes.length > 0]).toEqual(["video/mp4", true]);
    expect(asked("GET /xai/files/:path*").map(({ account }) => account)).toEqual(["none"]);
  });

  test("larger than allowed are refused", async () => {
    const call = { ...callAs("grok-imagine-video"), maxBytes: 100 };
    expect(await rejection(providerWith().download(await made(), call))).toMatchObject({ code: "upstream_malformed" });
  });

  test.each([
    ["https://example.com/a.mp4", {}],
    ["http://vidgen.x.ai/a.mp4", { base_url: "https://api.x.ai/v1" }],
    ["https://vidgen.x.ai.example.com/a.mp4", {}],
    ["file:///etc/passwd", {}],
    ["no address", {}],
  ])("%s is not asked", async (url, xai) => {
    const error = await rejection(providerWith(xai).openFile({ url }, callAs("grok-imagine-video")));
    expect(error).toMatchObject({ code: "upstream_malformed" });
  });

  test("a redirect is not followed", async () => {
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () => Response.redirect(`${simulator.url}/xai/files/vidgen/a.mp4`, 302),
    });
    try {
      const host = `127.0.0.1:${server.port}`;
      const provider = providerWith({ media_hosts: [host] });
      const error = await rejection(provider.openFile({ url: `http://${host}/a.mp4` }, callAs("grok-imagine-video")));
      expect(error).toMatchObject({ code: "upstream_error", detail: { upstream: { status: 302 } } });
      expect(asked("GET /xai/files/:path*")).toEqual([]);
    } finally {
      await server.stop(true);
    }
  });
});

test("a picture goes along as it is", async () => {
  const files = [{ name: "a.png", mime: "image/png", content: new Blob([drawnPng()]) }];
  await gather(providerWith().edit(picture("a hat"), callAs("grok-imagine-image", { files })));
  expect(asked("POST /xai/v1/images/edits")[0]?.body).toMatchObject({
    image: { url: `data:image/png;base64,${drawnPng().toBase64()}` },
  });
});
