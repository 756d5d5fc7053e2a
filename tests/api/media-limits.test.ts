// The limits and defaults of pictures and clips, each seen to act: the one that fired is named, and what waits or is old is told.
import { afterEach, describe, expect, test } from "bun:test";
import { pngBytes } from "../support/pictures.ts";
import { PROGRAM_KEY, type Program, startProgram } from "../support/program.ts";
import { createVideoBook } from "../../src/gateway/video-book.ts";
import type { VideoJob } from "../../src/gateway/video-job.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";

let program: Program | undefined;
afterEach(async () => {
  await program?.stop();
  program = undefined;
});
const start = async (env: Record<string, string>, pools?: Record<string, readonly unknown[]>): Promise<Program> => {
  const retry = { GROK2API_RETRY_MAX_RETRY: "0" };
  program = await startProgram({
    simulation: { mediaDelayMs: 0 },
    env: { ...retry, ...env },
    ...(pools ? { pools } : {}),
  });
  return program;
};

interface Job {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}
const begin = (one: Program, prompt: string) => one.post("/v1/videos", { model: "grok-imagine-video", prompt });
const jobOf = async (one: Program, id: string): Promise<Job> => {
  const answer = await fetch(`${one.url}/v1/videos/${id}`, { headers: { authorization: `Bearer ${PROGRAM_KEY}` } });
  return (await answer.json()) as Job;
};
const reached = async (one: Program, id: string, ...wanted: string[]): Promise<Job> => {
  for (let count = 0; count < 500; count++) {
    const job = await jobOf(one, id);
    if (wanted.includes(job.status)) return job;
    await Bun.sleep(20);
  }
  throw new Error(`the job ${id} did not become ${wanted.join(" or ")}`);
};

describe("of pictures the limit that fired is named:", () => {
  test.each([
    ["image.total_timeout", "hang", { IMAGE_TOTAL_TIMEOUT: "0.3" }],
    ["image.timeout", "hang", { IMAGE_TIMEOUT: "0.3" }],
    ["image.final_timeout", "no-final", { IMAGE_FINAL_TIMEOUT: "0.3" }],
  ])("%s", async (name, words, env) => {
    const one = await start(Object.fromEntries(Object.entries(env).map(([key, value]) => [`GROK2API_${key}`, value])));
    const answer = await one.post("/v1/images/generations", { prompt: `sim:${words}` });
    const { error } = (await answer.json()) as { error: { code: string; message: string } };
    expect([answer.status, error.code]).toEqual([504, "upstream_timeout"]);
    expect(error.message).toContain(`${name} (0.3 s)`);
  });
});

describe("of clips the limit that fired is named:", () => {
  test.each([
    ["video.total_timeout", { GROK2API_VIDEO_TOTAL_TIMEOUT: "0.4" }],
    ["video.stream_timeout", { GROK2API_VIDEO_STREAM_TIMEOUT: "0.4" }],
  ])("%s", async (name, env) => {
    const one = await start(env);
    const { id } = (await (await begin(one, "sim:hang-mid")).json()) as Job;
    const { error } = await reached(one, id, "failed");
    expect(error?.message).toContain(`${name} (0.4 s)`);
  });

  /** The simulated site, but for one path that never answers. */
  const startDeaf = async (path: string, env: Record<string, string>, pools?: Record<string, readonly unknown[]>) => {
    const deaf = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch(request) {
        const { pathname, search } = new URL(request.url);
        if (pathname === path) return new Promise<Response>(() => {});
        return fetch(`${program?.simulator.url}${pathname}${search}`, new Request(request));
      },
    });
    const one = await start({ GROK2API_GROK_BASE_URL: `http://127.0.0.1:${deaf.port}`, ...env }, pools);
    return { one, [Symbol.asyncDispose]: () => deaf.stop(true) };
  };

  test("video.timeout", async () => {
    await using deaf = await startDeaf("/rest/app-chat/conversations/new", { GROK2API_VIDEO_TIMEOUT: "0.4" });
    const { id } = (await (await begin(deaf.one, "a cat")).json()) as Job;
    expect((await reached(deaf.one, id, "failed")).error?.message).toContain("video.timeout (0.4 s)");
  });

  test("video.upscale_timeout ends the enlargement alone: the clip is delivered as it is", async () => {
    const env = { GROK2API_VIDEO_UPSCALE_TIMEOUT: "0.4" };
    await using deaf = await startDeaf("/rest/media/video/upscale", env, { ssoBasic: ["sim-basic-1"] });
    const wish = { model: "grok-imagine-video", prompt: "a cat", quality: "high" };
    const { id } = (await (await deaf.one.post("/v1/videos", wish)).json()) as Job;
    expect(await reached(deaf.one, id, "completed", "failed")).toMatchObject({
      status: "completed",
      resolution_name: "480p",
    });
    expect(deaf.one.simulator.requests().some(({ path }) => path.includes("upscale"))).toBe(false);
  });
});

test("as many jobs run as video.concurrent allows and as many wait as video.max_queued; a place is free with the end of one", async () => {
  const one = await start({ GROK2API_VIDEO_CONCURRENT: "1", GROK2API_VIDEO_MAX_QUEUED: "1" });
  const first = (await (await begin(one, "sim:hang-mid")).json()) as Job;
  await reached(one, first.id, "in_progress");
  const second = (await (await begin(one, "a cat")).json()) as Job;
  expect((await jobOf(one, second.id)).status).toBe("queued");
  const third = await begin(one, "a dog");
  const { error } = (await third.json()) as { error: { code: string; message: string } };
  expect([third.status, error.code, third.headers.get("retry-after")]).toEqual([503, "server_overloaded", "10"]);
  expect(error.message).toContain("video.max_queued");
  await fetch(`${one.url}/v1/videos/${first.id}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${PROGRAM_KEY}` },
  });
  expect((await reached(one, second.id, "completed", "failed")).status).toBe("completed");
});

test("wishes that come together do not pass video.max_queued while their pictures are read", async () => {
  const one = await start({ GROK2API_VIDEO_CONCURRENT: "1", GROK2API_VIDEO_MAX_QUEUED: "1" });
  const first = (await (await begin(one, "sim:hang-mid")).json()) as Job;
  await reached(one, first.id, "in_progress");
  const wish = () => {
    const body = new FormData();
    body.append("model", "grok-imagine-video");
    body.append("prompt", "a cat");
    body.append("input_reference", new Blob([pngBytes(), new Uint8Array(4 * 1024 * 1024)]), "cat.png");
    return fetch(`${one.url}/v1/videos`, {
      method: "POST",
      headers: { authorization: `Bearer ${PROGRAM_KEY}` },
      body,
    });
  };
  const answers = await Promise.all(Array.from({ length: 8 }, wish));
  expect(answers.filter(({ status }) => status === 503)).toHaveLength(7);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
});

test("without room to wait a job still runs where there is a place", async () => {
  const one = await start({ GROK2API_VIDEO_CONCURRENT: "1", GROK2API_VIDEO_MAX_QUEUED: "0" });
  const first = (await (await begin(one, "sim:hang-mid")).json()) as Job;
  await reached(one, first.id, "in_progress");
  expect((await begin(one, "a cat")).status).toBe(503);
});

test("ended jobs are forgotten after video.keep_hours, running ones never", async () => {
  const documents = createMemoryDocuments();
  let now = 1_000_000;
  const book = createVideoBook({ documents, clock: { ...systemClock, now: () => now }, log: silentLog });
  const job = (id: string, status: VideoJob["status"], completedMs: number | null): VideoJob => ({
    ...{
      id,
      status,
      completedMs,
      owner: "k",
      model: "m",
      prompt: "p",
      ratio: "1:1",
      seconds: 6,
      resolution: "480p",
      edits: null,
      costTicks: null,
    },
    ...{
      preset: "custom",
      silent: false,
      size: "1:1",
      quality: "standard",
      references: 0,
      extends: null,
      startSeconds: null,
    },
    ...{ progress: 0, createdMs: 0, error: null, account: null, clipId: null, firstClipId: null, totalSeconds: 6 },
    ...{ delivered: null, file: null, thumbnail: null },
  });
  await book.add(job("old", "completed", 0));
  await book.add(job("failed", "failed", null));
  await book.add(job("fresh", "completed", 900_000));
  await book.add(job("running", "in_progress", null));
  await book.prune(500_000);
  const left = (await documents.list("video_jobs")).map(({ id }) => id).toSorted();
  expect(left).toEqual(["fresh", "running"]);
  expect(book.find("old")).toBeUndefined();
  now += 600_000;
  await book.prune(500_000);
  expect(await documents.list("video_jobs")).toHaveLength(1);
});

describe("while the upstream works in silence a client is kept alive by comments", () => {
  const textOf = async (path: string, body: object): Promise<string> => {
    program = await startProgram({
      simulation: { mediaDelayMs: 250 },
      env: { GROK2API_CHAT_HEARTBEAT_SECONDS: "0.05", GROK2API_CHAT_COMMIT_GRACE_SECONDS: "0.1" },
    });
    return (await program.post(path, { ...body, stream: true })).text();
  };
  const beats = (text: string): number => text.split("\n").filter((line) => line.startsWith(":")).length;

  test("pictures", async () => {
    const text = await textOf("/v1/images/generations", { prompt: "a cat" });
    expect(beats(text)).toBeGreaterThan(1);
    expect(text).toContain("event: image_generation.completed");
  });

  test("a clip in a chat, whose progress is no part of the answer", async () => {
    const messages = [{ role: "user", content: "a walking cat" }];
    const text = await textOf("/v1/chat/completions", { model: "grok-imagine-video", messages });
    expect(beats(text)).toBeGreaterThan(1);
    const contents = [...text.matchAll(/"content":"([^"]+)"/g)].map(([, content = ""]) => content);
    expect(contents).toHaveLength(1);
    expect(contents[0]).toContain("/v1/files/video/");
    expect(text).toContain('"reasoning_content"');
  });
});

describe("defaults of the operator", () => {
  const dataOf = async (answer: Response) =>
    ((await answer.json()) as { data: { url?: string; b64_json?: string }[] }).data;

  test("app.image_format decides where a request does not", async () => {
    const one = await start({ GROK2API_APP_IMAGE_FORMAT: "base64" });
    const [plain] = await dataOf(await one.post("/v1/images/generations", { prompt: "a cat" }));
    expect([typeof plain?.b64_json, plain?.url]).toEqual(["string", undefined]);
    const [linked] = await dataOf(
      await one.post("/v1/images/generations", { prompt: "a cat", response_format: "url" }),
    );
    expect([linked?.b64_json, typeof linked?.url]).toEqual([undefined, "string"]);
  });

  test("image.default_count is for adult requests alone", async () => {
    const pools = { ssoSuper: [{ token: "sim-super-1", tags: ["nsfw"] }] };
    const one = await start({ GROK2API_IMAGE_DEFAULT_COUNT: "2" }, pools);
    expect(await dataOf(await one.post("/v1/images/generations/nsfw", { prompt: "a cat" }))).toHaveLength(2);
    expect(await dataOf(await one.post("/v1/images/generations", { prompt: "a cat" }))).toHaveLength(1);
  });
});
