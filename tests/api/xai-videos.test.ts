// Clips over keys of the official API: begun once, asked after with the same key until they are there, kept over restarts, carried
// on and changed; and which kind of account films what.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sniffMedia } from "../../src/media/sniff.ts";
import { createSimulator } from "../../src/simulator/server.ts";
import { stillVideo } from "../../src/simulator/video-file.ts";
import { type Keys, startKeys } from "../support/official-keys.ts";
import { ADMIN_ENV, makeKey } from "../support/keys.ts";
import { drawnPng } from "../support/pictures.ts";
import { PROGRAM_KEY } from "../support/program.ts";
import { within } from "../support/trial.ts";

const KEY = "xai-sim-ok-alpha-1";
const OTHER = "xai-sim-ok-beta-1";
const CENT = 100_000_000;
const QUICK = { GROK2API_XAI_POLL_INTERVAL: "0.02", GROK2API_ASSET_DOWNLOAD_TIMEOUT: "0.3" };
const PICTURE = `data:image/png;base64,${drawnPng().toBase64()}`;
const headers = { authorization: `Bearer ${PROGRAM_KEY}` };

interface Job {
  readonly id: string;
  readonly status: string;
  readonly progress: number;
  readonly seconds: string;
  readonly resolution_name: string;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly [field: string]: unknown;
}
interface Polled {
  readonly status: string;
  readonly video?: { readonly url: string; readonly duration: number; readonly respect_moderation: boolean };
  readonly usage?: { readonly cost_in_usd_ticks: number };
  readonly error?: { readonly message: string };
}

const get = (keys: Keys, path: string) => fetch(`${keys.url}${path}`, { headers });
const begin = async (keys: Keys, fields: object, path = "/v1/videos"): Promise<Job> => {
  const answer = await keys.post(path, { prompt: "a river", ...fields });
  const job = (await answer.json()) as Job;
  expect([answer.status, job.error ?? null]).toEqual([200, null]);
  return job;
};
const view = async (keys: Keys, id: string) => (await (await get(keys, `/v1/videos/${id}`)).json()) as Job;
const ended = async (keys: Keys, id: string): Promise<Job> => {
  let job = await view(keys, id);
  await within(5000, `the job ${id} to end`, async () => {
    job = await view(keys, id);
    return job.status === "completed" || job.status === "failed";
  });
  return job;
};
const beginOfficial = async (keys: Keys, fields: object, path = "/v1/videos/generations"): Promise<string> => {
  const answer = await keys.post(path, { model: "grok-imagine-video", prompt: "a river", ...fields });
  const body = (await answer.json()) as { request_id: string };
  expect([answer.status, Object.keys(body)]).toEqual([200, ["request_id"]]);
  return body.request_id;
};
const polled = async (keys: Keys, id: string): Promise<Polled> => {
  let body: Polled = { status: "" };
  await within(5000, `the job ${id} to end`, async () => {
    body = (await (await get(keys, `/v1/videos/${id}`)).json()) as Polled;
    return body.status !== "pending";
  });
  return body;
};
const told = async (response: Response) => {
  const { error } = (await response.json()) as { error?: { code: string; param: string | null } };
  return `${response.status} ${error?.code} ${error?.param ?? "-"}`;
};
const bodies = ({ simulator }: Keys) =>
  simulator
    .requests()
    .filter(({ method, path }) => method === "POST" && path.startsWith("/xai/v1/videos"))
    .map(({ body }) => body as Record<string, unknown>);
/** The clip that the upstream was given. */
const clipOf = (body: Record<string, unknown> | undefined) =>
  (body?.["video"] ?? {}) as { url?: string; file_id?: string };
const polls = ({ simulator }: Keys) =>
  simulator
    .requests()
    .filter(({ method, path }) => method === "GET" && path.startsWith("/xai/v1/videos/"))
    .map(({ account }) => account);
const filmedOnSite = ({ simulator }: Keys) =>
  simulator.requests().filter(({ path }) => path.startsWith("/rest/app-chat/conversations/new")).length;

describe("with keys alone", () => {
  let keys: Keys;
  beforeAll(async () => {
    keys = await startKeys({ keys: [KEY, OTHER], env: QUICK });
  });
  afterAll(() => keys[Symbol.asyncDispose]());
  afterEach(() => keys.simulator.reset());

  test("a job is begun once, asked after with its key, and ends with a file that plays", async () => {
    const job = await begin(keys, { seconds: "8", size: "1280x720" });
    expect(job).toMatchObject({ object: "video", status: "queued", seconds: "8", size: "1280x720" });
    const done = await ended(keys, job.id);
    expect(done).toMatchObject({ status: "completed", progress: 100, seconds: "8", resolution_name: "480p" });
    expect(done["cost_in_usd_ticks"]).toBe(8 * 5 * CENT);
    expect(bodies(keys)).toEqual([
      { model: "grok-imagine-video", prompt: "a river", duration: 8, resolution: "480p", aspect_ratio: "16:9" },
    ]);
    expect([keys.generations(), polls(keys)]).toEqual([[KEY], [KEY, KEY, KEY]]);
    const file = await get(keys, `/v1/videos/${job.id}/content`);
    expect([file.headers.get("content-type"), sniffMedia(await file.bytes())]).toEqual(["video/mp4", "video/mp4"]);
    // Finished files lie open: the key is shown to the API alone.
    const download = keys.simulator.requests().find(({ path }) => path.startsWith("/xai/files/"));
    expect(download?.account).toBe("none");
    expect(JSON.stringify(done)).not.toContain("vidgen");
  });

  test("progress is told where the upstream tells it", async () => {
    const { id } = await begin(keys, { prompt: "sim:video-hang sim:polls-json" });
    await within(3000, "the progress", async () => (await view(keys, id)).progress === 50);
    await fetch(`${keys.url}/v1/videos/${id}`, { method: "DELETE", headers });
    const before = polls(keys).length;
    await Bun.sleep(100);
    expect(polls(keys).length).toBe(before);
    expect((await get(keys, `/v1/videos/${id}`)).status).toBe(404);
  });

  test("a first frame keeps its ratio, unless another is asked for; several pictures are references", async () => {
    const one = { input_reference: { image_url: PICTURE } };
    for (const fields of [
      one,
      { ...one, size: "720x1280" },
      { image: [{ image_url: PICTURE }, { image_url: PICTURE }] },
    ]) {
      expect((await ended(keys, (await begin(keys, fields)).id)).status).toBe("completed");
    }
    const [first, shaped, several] = bodies(keys);
    expect(first).toMatchObject({ image: { url: PICTURE }, duration: 6 });
    expect(first).not.toHaveProperty("aspect_ratio");
    expect(shaped).toMatchObject({ image: { url: PICTURE }, aspect_ratio: "9:16" });
    expect(several).toMatchObject({ reference_images: [{ url: PICTURE }, { url: PICTURE }], aspect_ratio: "9:16" });
  });

  test("in the shape of xAI's API: 15 s, 1080p, 4:3, without sound", async () => {
    const id = await beginOfficial(keys, {
      ...{ model: "grok-imagine-video-1.5", duration: 15, resolution: "1080p" },
      ...{ aspect_ratio: "4:3", generate_audio: false },
    });
    expect(await polled(keys, id)).toMatchObject({
      status: "done",
      video: { duration: 15, respect_moderation: true },
      usage: { cost_in_usd_ticks: 15 * 25 * CENT },
    });
    expect(bodies(keys)).toMatchObject([
      { duration: 15, resolution: "1080p", aspect_ratio: "4:3", generate_audio: false },
    ]);
  });

  test("one reference picture is no first frame", async () => {
    await polled(keys, await beginOfficial(keys, { reference_images: [{ url: PICTURE }], duration: 10 }));
    expect(bodies(keys)[0]).toMatchObject({ reference_images: [{ url: PICTURE }] });
  });

  test.each<[object, string]>([
    [{ resolution: "1080p" }, "400 invalid_resolution resolution"],
    [{ resolution: "4k" }, "400 invalid_resolution resolution"],
    [{ duration: 16 }, "400 invalid_video_length duration"],
    [{ aspect_ratio: "21:9" }, "400 invalid_aspect_ratio aspect_ratio"],
    [{ reference_images: [{ url: PICTURE }], duration: 11 }, "400 invalid_video_length duration"],
    [
      { model: "grok-imagine-video-1.5", reference_images: [{ url: PICTURE }], resolution: "1080p" },
      "400 invalid_resolution resolution",
    ],
    [{ image: { file_id: "file_1" } }, "400 unsupported_parameter image.file_id"],
  ])("%j is refused by name and nobody is asked", async (fields, expected) => {
    const answer = await keys.post("/v1/videos/generations", {
      model: "grok-imagine-video",
      prompt: "a river",
      ...fields,
    });
    expect(await told(answer)).toBe(expected);
    expect(bodies(keys)).toEqual([]);
  });

  test.each<[object, string]>([
    [{ preset: "fun" }, "400 invalid_preset preset"],
    [{ preset: "spicy" }, "400 model_not_supported model"],
    [{ resolution_name: "1080p" }, "400 invalid_resolution resolution_name"],
  ])("%j of the site is refused by name", async (fields, expected) => {
    expect(await told(await keys.post("/v1/videos", { prompt: "a river", ...fields }))).toBe(expected);
    expect(bodies(keys)).toEqual([]);
  });

  test.each([
    ["sim:video-failed", "video_generation_failed", "could not be generated", null],
    ["sim:video-expired", "video_generation_failed", "expired", null],
    ["sim:video-moderated", "content_policy_violation", "withheld", 6 * 5 * CENT],
    ["sim:asset-refused", "video_generation_failed", "could not be fetched", 6 * 5 * CENT],
    ["sim:moderation", "content_policy_violation", "withheld", null],
  ])("%s ends as %s and no second clip is paid for", async (prompt, code, words, cost) => {
    const job = await ended(keys, (await begin(keys, { prompt })).id);
    expect(job).toMatchObject({ status: "failed", error: { code } });
    expect(job.error?.message).toContain(words);
    expect(job["cost_in_usd_ticks"] ?? null).toBe(cost);
    expect(keys.generations()).toEqual([KEY]);
    expect(keys.account(KEY).status).toBe("active");
  });

  test("a verdict in the shape of xAI's API", async () => {
    const id = await beginOfficial(keys, { prompt: "sim:video-moderated" });
    expect(await polled(keys, id)).toMatchObject({ status: "done", video: { url: "", respect_moderation: false } });
  });

  test("hitches on the way cost no clip", async () => {
    const { id } = await begin(keys, { prompt: "sim:polls-6" });
    await within(2000, "the first question", () => polls(keys).length > 1);
    keys.simulator.xai.keys.change({ key: KEY, kind: "5xx" });
    const before = polls(keys).length;
    await within(2000, "a failed question", () => polls(keys).length > before + 1);
    keys.simulator.xai.keys.change({ key: KEY, kind: "ok" });
    expect((await ended(keys, id)).status).toBe("completed");
    expect(keys.generations()).toEqual([KEY]);
  });

  test("an upstream that stays away is given up, and no second clip is paid for", async () => {
    const { id } = await begin(keys, { prompt: "sim:video-hang" });
    await within(2000, "the first question", () => polls(keys).length > 0);
    keys.simulator.xai.keys.change({ key: KEY, kind: "5xx" });
    expect(await ended(keys, id)).toMatchObject({ status: "failed", error: { code: "video_generation_failed" } });
    expect(keys.generations()).toEqual([KEY]);
  });

  test("a conversation with the model films", async () => {
    const body = { model: "grok-imagine-video", messages: [{ role: "user", content: "a river" }] };
    const answer = await keys.post("/v1/chat/completions", { ...body, video_config: { video_length: 3 } });
    expect(answer.headers.get("x-grok2api-cost-in-usd-ticks")).toBe(String(3 * 5 * CENT));
    expect(await answer.text()).toContain("/v1/files/video/");
    expect(bodies(keys)).toMatchObject([{ duration: 3, aspect_ratio: "3:2" }]);
    const refused = await keys.post("/v1/chat/completions", { ...body, video_config: { resolution: "1080p" } });
    expect(await told(refused)).toBe("400 invalid_resolution video_config.resolution");
    const streamed = await keys.post("/v1/responses", { model: body.model, input: "a river", stream: true });
    expect(await streamed.text()).toContain("/v1/files/video/");
  });

  describe("a finished clip", () => {
    const finished = async () => {
      const { id } = await begin(keys, {});
      await ended(keys, id);
      return id;
    };

    test("is carried on by its key, where the upstream has it", async () => {
      const id = await finished();
      const next = await begin(keys, { video: { id }, seconds: "5" }, "/v1/videos/extensions");
      expect(next).toMatchObject({ extended_from_video_id: id, seconds: "5" });
      expect((await ended(keys, next.id)).status).toBe("completed");
      const [, body] = bodies(keys);
      expect(body).toMatchObject({ model: "grok-imagine-video", duration: 5 });
      expect(clipOf(body).url).toContain("/xai/files/vidgen/");
      expect(body).not.toHaveProperty("aspect_ratio");
      expect(keys.generations()).toEqual([KEY, KEY]);
    });

    test("is uploaded where the upstream has it no more", async () => {
      const id = await finished();
      keys.simulator.reset();
      const next = await begin(keys, { video: { id } }, "/v1/videos/extensions");
      expect((await ended(keys, next.id)).error).toBeNull();
      expect(clipOf(bodies(keys)[0]).file_id).toStartWith("file_");
    });

    test.each<[object, string]>([
      [{ seconds: 11 }, "400 invalid_video_length seconds"],
      [{ seconds: 1 }, "400 invalid_video_length seconds"],
      [{ start_time: 2 }, "400 unsupported_parameter start_time"],
      [{ aspect_ratio: "1:1" }, "400 unsupported_parameter aspect_ratio"],
      [{ model: "grok-imagine-video-1.5" }, "400 model_not_supported model"],
      [{ video: { url: "https://example.com/a.mp4" } }, "400 unsupported_parameter video.url"],
    ])("is not carried on with %j", async (fields, expected) => {
      const id = await finished();
      const answer = await keys.post("/v1/videos/extensions", { prompt: "on", video: { id }, ...fields });
      expect(await told(answer)).toBe(expected);
      expect(bodies(keys)).toHaveLength(1);
    });

    test("is changed, by its id", async () => {
      const id = await finished();
      const next = await begin(keys, { video: { id }, prompt: "at night" }, "/v1/videos/edits");
      expect(next).toMatchObject({ remixed_from_video_id: id, seconds: "6" });
      // The simulated upstream takes every clip to last five seconds.
      expect(await ended(keys, next.id)).toMatchObject({ status: "completed", seconds: "5" });
      const [, body] = bodies(keys);
      expect(Object.keys(body ?? {}).toSorted()).toEqual(["model", "prompt", "video"]);
      expect(clipOf(body).url).toContain("/xai/files/vidgen/");
    });

    test("is changed and carried on by its link, in the shape of xAI's API", async () => {
      const done = await polled(keys, await beginOfficial(keys, {}));
      const video = { url: done.video?.url };
      for (const path of ["/v1/videos/edits", "/v1/videos/extensions"]) {
        const id = await beginOfficial(keys, { video }, path);
        expect((await polled(keys, id)).status).toBe("done");
      }
      for (const body of bodies(keys).slice(1)) {
        expect(clipOf(body).url).toContain("/xai/files/vidgen/");
      }
    });

    test("may lie elsewhere, or come as a file", async () => {
      const url = "https://example.com/a.mp4";
      await polled(keys, await beginOfficial(keys, { video: { url } }, "/v1/videos/edits"));
      expect(bodies(keys)[0]?.["video"]).toEqual({ url });
      const form = new FormData();
      form.append("prompt", "at night");
      const clip = new Uint8Array(stillVideo({ seed: "a", seconds: 2 }));
      form.append("video", new File([clip], "a.mp4", { type: "video/mp4" }));
      const answer = await fetch(`${keys.url}/v1/videos/edits`, { method: "POST", headers, body: form });
      const { id } = (await answer.json()) as Job;
      expect((await ended(keys, id)).error).toBeNull();
      expect(clipOf(bodies(keys)[1]).file_id).toStartWith("file_");
    });

    test.each<[object, string]>([
      [{ video: { id: "video_none" } }, "404 video_not_found video_id"],
      [{ video: { url: "file:///etc/passwd" } }, "400 invalid_media video.url"],
      [{}, "400 missing_required_parameter video"],
      [{ video: { url: "https://example.com/a.mp4" }, seconds: 4 }, "400 unsupported_parameter seconds"],
      [{ video: { url: "https://example.com/a.mp4" }, model: "grok-4.3" }, "400 model_not_supported model"],
    ])("is not changed with %j", async (fields, expected) => {
      expect(await told(await keys.post("/v1/videos/edits", { prompt: "at night", ...fields }))).toBe(expected);
    });

    test("is listed and removed", async () => {
      const id = await finished();
      const page = (await (await get(keys, "/v1/videos?limit=1")).json()) as { data: Job[] };
      expect(page.data.map((job) => job.id)).toEqual([id]);
      const gone = await fetch(`${keys.url}/v1/videos/${id}`, { method: "DELETE", headers });
      expect(await gone.json()).toMatchObject({ id, deleted: true });
      expect((await get(keys, `/v1/videos/${id}/content`)).status).toBe(404);
    });
  });
});

test.each(["acl", "no-credits", "rate-limited"])("a key of the kind %s: another team's key films", async (kind) => {
  const bad = `xai-sim-${kind}-gamma-1`;
  await using keys = await startKeys({ keys: [bad, OTHER], env: QUICK });
  const { id } = await begin(keys, {});
  expect((await ended(keys, id)).status).toBe("completed");
  expect([keys.generations(), new Set(polls(keys))]).toEqual([[bad, OTHER], new Set([OTHER])]);
});

test("a clip that is left in the making is booked at its price: the upstream films on", async () => {
  await using keys = await startKeys({ keys: [KEY], env: { ...ADMIN_ENV, ...QUICK } });
  const { id: keyId, key } = await makeKey(keys, { daily_usd: 5 });
  const own = { authorization: `Bearer ${key}` };
  const wish = { model: "grok-imagine-video", prompt: "sim:video-hang", seconds: "6", resolution_name: "720p" };
  const { id } = (await (await keys.post("/v1/videos", wish, own)).json()) as Job;
  await within(3000, "the clip to be begun", () => keys.generations().length === 1 && polls(keys).length > 0);
  await fetch(`${keys.url}/v1/videos/${id}`, { method: "DELETE", headers: own });
  const { keyUsage } = keys.composed.records;
  await within(3000, "the clip to be booked", () => keyUsage.today(keyId).ticks > 0);
  expect(keyUsage.today(keyId).ticks).toBe(6 * 7 * CENT);
  expect(keyUsage.open).toBe(0);
});

test("a host that nobody knows is not asked for the file", async () => {
  await using upstream = await disposable(createSimulator({ tokenDelayMs: 0, mediaDelayMs: 0 }));
  // The API behind another address than the one that its links name.
  await using front = await disposable(
    Object.assign(
      Bun.serve({
        port: 0,
        hostname: "127.0.0.1",
        fetch: (request) => {
          const { pathname, search } = new URL(request.url);
          return fetch(`${upstream.url}${pathname}${search}`, new Request(request));
        },
      }),
      {},
    ),
  );
  const base = `http://127.0.0.1:${front.port}/xai/v1`;
  const start = { keys: [KEY], upstream };
  await using keys = await startKeys({ ...start, env: { ...QUICK, GROK2API_XAI_BASE_URL: base } });
  const job = await ended(keys, (await begin(keys, {})).id);
  expect(job).toMatchObject({ status: "failed", error: { code: "video_generation_failed" } });
  const files = () => keys.simulator.requests().filter(({ path }) => path.startsWith("/xai/files/")).length;
  expect(files()).toBe(0);
  const env = { ...QUICK, GROK2API_XAI_BASE_URL: base, GROK2API_XAI_MEDIA_HOSTS: new URL(upstream.url).host };
  await using trusting = await startKeys({ ...start, env });
  expect((await ended(trusting, (await begin(trusting, {})).id)).status).toBe("completed");
  expect(files()).toBe(1);
});

/** Anything that can be stopped, until the end of the test. */
const disposable = async <T extends { stop(force?: boolean): unknown }>(what: T): Promise<T & AsyncDisposable> =>
  Object.assign(what, {
    [Symbol.asyncDispose]: async () => {
      await what.stop(true);
    },
  });

test("a restart in the middle: the next process asks after the clip with its key, and nothing is begun twice", async () => {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-restart-"));
  const upstream = createSimulator({ tokenDelayMs: 0, mediaDelayMs: 0 });
  try {
    const start = { keys: [KEY, OTHER], upstream, folder };
    let id = "";
    {
      await using first = await startKeys({ ...start, env: QUICK });
      ({ id } = await begin(first, { prompt: "sim:polls-4" }));
      await within(2000, "the first question", () => polls(first).length > 0);
    }
    await using second = await startKeys({ ...start, env: QUICK });
    await within(20_000, "the job to end", async () => (await view(second, id)).status === "completed");
    expect(await view(second, id)).toMatchObject({ cost_in_usd_ticks: 6 * 5 * CENT });
    expect(second.composed.records.keyUsage.spent().dayTicks).toBe(6 * 5 * CENT);
    expect(second.composed.records.keyUsage.open).toBe(0);
    expect([second.generations(), new Set(polls(second))]).toEqual([[KEY], new Set([KEY])]);
    expect((await get(second, `/v1/videos/${id}/content`)).status).toBe(200);
  } finally {
    await upstream.stop(true);
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);

test("a clip that waits through a restart keeps its wish for silence", async () => {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-restart-"));
  const upstream = createSimulator({ tokenDelayMs: 0, mediaDelayMs: 0 });
  const start = { keys: [KEY], upstream, folder, env: { ...QUICK, GROK2API_VIDEO_CONCURRENT: "1" } };
  try {
    {
      await using first = await startKeys(start);
      await begin(first, { model: "grok-imagine-video", prompt: "sim:polls-1000" });
      await beginOfficial(first, { generate_audio: false });
      await within(2000, "the first question", () => polls(first).length > 0);
    }
    await using second = await startKeys(start);
    const running = (await (await get(second, "/v1/videos")).json()) as { data: Job[] };
    const first = running.data.find(({ status }) => status === "in_progress");
    await fetch(`${second.url}/v1/videos/${first?.id}`, { method: "DELETE", headers });
    await within(5000, "the second clip to be begun", () => second.generations().length === 2);
    const asked = second.simulator
      .requests()
      .filter(({ method, path }) => method === "POST" && path.includes("/videos"));
    expect(asked.map(({ body }) => (body as { generate_audio?: boolean }).generate_audio)).toEqual([undefined, false]);
  } finally {
    await upstream.stop(true);
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);

test("a restart before the beginning: what was not begun yet may not spend more than the limit, and counts once", async () => {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-restart-"));
  const upstream = createSimulator({ tokenDelayMs: 0, mediaDelayMs: 0 });
  const env = { ...QUICK, ...ADMIN_ENV, GROK2API_VIDEO_CONCURRENT: "1" };
  try {
    const start = { keys: [KEY], upstream, folder };
    const waiting: string[] = [];
    let client = { id: "", key: "" };
    {
      await using first = await startKeys({ ...start, env });
      client = await makeKey(first, { video_limit: 3 });
      const asKey = { authorization: `Bearer ${client.key}` };
      for (const prompt of ["sim:polls-1000", "a river", "a hill"]) {
        const answer = await first.post("/v1/videos", { model: "grok-imagine-video", prompt }, asKey);
        waiting.push(((await answer.json()) as Job).id);
      }
      await within(2000, "the first question", () => polls(first).length > 0);
    }
    await using second = await startKeys({ ...start, env: { ...env, GROK2API_XAI_DAILY_BUDGET_USD: "0.01" } });
    const { pool, records } = second.composed;
    expect(pool.size).toBe(1);
    const look = async (id = ""): Promise<Job> =>
      (await (
        await fetch(`${second.url}/v1/videos/${id}`, { headers: { authorization: `Bearer ${client.key}` } })
      ).json()) as Job;
    for (const id of waiting.slice(1)) {
      await within(5000, "the job to end", async () => (await look(id)).status === "failed");
      expect((await look(id)).error?.message).toContain("spending limit");
    }
    expect(second.generations()).toHaveLength(1);
    expect(records.keyUsage.today(client.id).video).toBe(3);
  } finally {
    await upstream.stop(true);
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);

describe("beside web accounts", () => {
  const mixed = (env: Record<string, string> = {}) =>
    startKeys({ keys: [KEY], sessions: ["sim-super-1"], env: { ...QUICK, ...env } });

  test("the site films for nothing, and a key what the site cannot", async () => {
    await using keys = await mixed();
    const plain = await begin(keys, { seconds: "8" });
    // The site has three lengths.
    expect(plain.seconds).toBe("10");
    const done = await ended(keys, plain.id);
    expect([done.status, done["cost_in_usd_ticks"]]).toEqual(["completed", undefined]);
    expect([filmedOnSite(keys), keys.generations().length]).toEqual([1, 0]);
    const wide = await begin(keys, { seconds: "8", aspect_ratio: "4:3" });
    expect(wide.seconds).toBe("8");
    expect((await ended(keys, wide.id)).status).toBe("completed");
    expect([filmedOnSite(keys), keys.generations().length]).toEqual([1, 1]);
    const pinned = { model: "web/grok-imagine-video", aspect_ratio: "4:3" };
    expect(await told(await keys.post("/v1/videos", { prompt: "a", ...pinned }))).toBe(
      "400 invalid_aspect_ratio aspect_ratio",
    );
  });

  test("a clip is carried on by the kind that made it, and changed by a key whoever made it", async () => {
    await using keys = await mixed({ GROK2API_ROUTING_PREFER: "xai" });
    const site = await begin(keys, { model: "web/grok-imagine-video" });
    await ended(keys, site.id);
    const next = await begin(keys, { video: { id: site.id } }, "/v1/videos/extensions");
    expect((await ended(keys, next.id)).status).toBe("completed");
    expect([filmedOnSite(keys), keys.generations().length]).toEqual([2, 0]);
    const changed = await begin(keys, { video: { id: site.id } }, "/v1/videos/edits");
    expect((await ended(keys, changed.id)).error).toBeNull();
    expect(clipOf(bodies(keys)[0]).file_id).toStartWith("file_");
    const pinned = { model: "xai/grok-imagine-video", video: { id: site.id } };
    expect(await told(await keys.post("/v1/videos/extensions", { prompt: "on", ...pinned }))).toBe(
      "400 model_not_supported model",
    );
  });
});
