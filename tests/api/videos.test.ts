// Clips as jobs through the whole program, mostly with OpenAI's own client: begun at once, told while they run, fetched with
// ranges, kept over restarts, and refused by name where the upstream has nothing.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import OpenAI, { APIError, toFile } from "openai";
import { sniffMedia } from "../../src/media/sniff.ts";
import { createSimulator } from "../../src/simulator/server.ts";
import { stillVideo } from "../../src/simulator/video-file.ts";
import { openSqlite } from "../../src/storage/sqlite.ts";
import { rejection } from "../support/events.ts";
import { pngBytes } from "../support/pictures.ts";
import { PROGRAM_KEY, startProgram, type Program } from "../support/program.ts";

const OTHER_KEY = "sk-somebody-else";
let program: Program;
let client: OpenAI;
beforeAll(async () => {
  program = await startProgram({
    pools: { ssoSuper: ["sim-super-1", "sim-super-2"], ssoBasic: [{ token: "sim-basic-1", tags: ["nsfw"] }] },
    simulation: { mediaDelayMs: 0 },
    env: { GROK2API_APP_API_KEY: `${PROGRAM_KEY},${OTHER_KEY}` },
  });
  client = new OpenAI({ apiKey: PROGRAM_KEY, baseURL: `${program.url}/v1`, maxRetries: 0 });
});
afterAll(() => program.stop());
afterEach(() => program.simulator.reset());

const asked = (path: string) => program.simulator.requests().filter((entry) => entry.path.startsWith(path));
const NEW = "/rest/app-chat/conversations/new";
const failed = async (work: Promise<unknown>): Promise<APIError> => {
  const error = await rejection(work);
  if (error instanceof APIError) return error;
  throw error;
};
/** The client marks its video calls as deprecated, because OpenAI ends its own; they work as before. */
interface Videos {
  create(body: object): Promise<Video>;
  extend(body: object): Promise<Video>;
  retrieve(id: string): Promise<Video>;
  list(query: object): Promise<AsyncIterable<Video> & { has_more: boolean; last_id: string }>;
  delete(id: string): Promise<object>;
  downloadContent(id: string, query?: object): Promise<Response>;
}
interface Video {
  readonly id: string;
  readonly status: string;
  readonly created_at: number;
  readonly completed_at: number;
}
const videos = (): Videos => Reflect.get(client, "videos") as unknown as Videos;
const wish = (more: object) => ({ model: "grok-imagine-1.0-video", ...more });
interface Job {
  readonly status: string;
  readonly progress: number;
  readonly error: { readonly code: string; readonly message: string } | null;
}
/** A caller that speaks to one program. */
const callsTo = (url: string, key = PROGRAM_KEY) => {
  const get = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${url}${path}`, { headers: { authorization: `Bearer ${key}`, ...headers } });
  const until = async (id: string, met: (job: Job) => boolean): Promise<Job> => {
    for (let count = 0; count < 300; count++) {
      const job = (await (await get(`/v1/videos/${id}`)).json()) as Job;
      if (met(job)) return job;
      await Bun.sleep(20);
    }
    throw new Error(`the job ${id} did not get there`);
  };
  const ended = (id: string) => until(id, ({ status }) => status === "completed" || status === "failed");
  return { get, until, ended };
};
const finished = (id: string) => callsTo(program.url).ended(id);
const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

describe("a job", () => {
  test("answers at once as queued and ends with a file that plays", async () => {
    const job = await videos().create(wish({ prompt: "an asteroid", seconds: "8", size: "1280x720" }));
    expect(job).toMatchObject({
      object: "video",
      status: "queued",
      progress: 0,
      model: "grok-imagine-1.0-video",
      prompt: "an asteroid",
      seconds: "10",
      size: "1280x720",
      error: null,
      completed_at: null,
    });
    expect(job.id).toMatch(/^video_[0-9a-f]{32}$/);
    await finished(job.id);
    const done = await videos().retrieve(job.id);
    expect(done).toMatchObject({ status: "completed", progress: 100 });
    expect(done.completed_at).toBeGreaterThanOrEqual(done.created_at);
    const file = await videos().downloadContent(job.id);
    expect(file.headers.get("content-type")).toBe("video/mp4");
    expect(file.headers.get("content-disposition")).toContain(`${job.id}.mp4`);
    expect(sniffMedia(await bytesOf(file))).toBe("video/mp4");
    const still = await videos().downloadContent(job.id, { variant: "thumbnail" });
    expect(sniffMedia(await bytesOf(still))).toBe("image/jpeg");
    expect(JSON.stringify(done)).not.toContain("acc_");
  });

  test("ranges of the file", async () => {
    const { id } = await videos().create(wish({ prompt: "a river" }));
    await finished(id);
    const { get } = callsTo(program.url);
    const whole = await bytesOf(await get(`/v1/videos/${id}/content`));
    const part = await get(`/v1/videos/${id}/content`, { range: "bytes=4-11" });
    expect(part.status).toBe(206);
    expect(part.headers.get("content-range")).toBe(`bytes 4-11/${whole.length}`);
    expect(await bytesOf(part)).toEqual(whole.slice(4, 12));
    expect((await get(`/v1/videos/${id}/content`, { range: `bytes=${whole.length}-` })).status).toBe(416);
  });

  test("a form without a file, a file, a data URI and JSON are the same", async () => {
    const picture = `data:image/png;base64,${pngBytes().toBase64()}`;
    const made = await videos().create(
      wish({ prompt: "it moves", input_reference: await toFile(pngBytes(), "a.png") }),
    );
    const linked = await videos().create(wish({ prompt: "it moves", input_reference: { image_url: picture } }));
    const json = await program.post("/v1/videos", { prompt: "it moves", input_reference: { image_url: picture } });
    const { id } = (await json.json()) as { id: string };
    for (const one of [made.id, linked.id, id]) expect((await finished(one)).status).toBe("completed");
    const bodies = asked(NEW).map(({ body }) => JSON.stringify(body));
    expect(bodies).toHaveLength(3);
    for (const body of bodies) expect(body).toContain('"imageToVideo"');
  });

  test.each([
    [{ size: "1792x1024" }, { aspectRatio: "3:2", duration: 6, resolutionName: "480p" }],
    [
      { size: "9:16", seconds: 15 },
      { aspectRatio: "9:16", duration: 15, resolutionName: "480p" },
    ],
    [{ quality: "high" }, { aspectRatio: "9:16", duration: 6, resolutionName: "720p" }],
    [
      { resolution_name: "SD", aspect_ratio: "1:1" },
      { aspectRatio: "1:1", duration: 6, resolutionName: "480p" },
    ],
    [{ seconds: "4" }, { aspectRatio: "9:16", duration: 6, resolutionName: "480p" }],
  ])("%j reaches the upstream as %j", async (fields, expected) => {
    const answer = await program.post("/v1/videos", { prompt: "a river", ...fields });
    await finished(((await answer.json()) as { id: string }).id);
    expect(asked(NEW)[0]?.body).toMatchObject({ mediaGenInput: { textToVideo: { prompt: "a river", ...expected } } });
  });

  test.each([
    ["sim:video-moderated", "content_policy_violation"],
    ["sim:moderation", "content_policy_violation"],
    ["sim:video-missing", "video_generation_failed"],
  ])("%s fails as %s, after one call, and has no content", async (prompt, code) => {
    const { id } = await videos().create(wish({ prompt }));
    expect((await finished(id)).error?.code).toBe(code);
    expect(asked(NEW)).toHaveLength(1);
    for (const variant of ["video", "thumbnail"] as const) {
      const error = await failed(videos().downloadContent(id, { variant }));
      expect([error.status, error.code]).toEqual([409, "video_not_ready"]);
      expect(error.headers?.get("x-should-retry")).toBe("false");
    }
  });

  test("progress is told, and deleting stops the upstream", async () => {
    const pace = (mediaDelayMs: number) =>
      fetch(`${program.simulator.url}/__sim/options`, { method: "POST", body: JSON.stringify({ mediaDelayMs }) });
    await pace(300);
    const { id } = await videos().create(wish({ prompt: "a slow river" }));
    await callsTo(program.url).until(id, ({ progress }) => progress === 33);
    expect((await failed(videos().downloadContent(id))).status).toBe(409);
    expect(program.simulator.stats().open.rest).toBe(1);
    expect(await videos().delete(id)).toMatchObject({ id, object: "video.deleted", deleted: true });
    for (let count = 0; count < 200 && program.simulator.stats().open.rest > 0; count++) await Bun.sleep(20);
    await pace(0);
    expect(program.simulator.stats()).toMatchObject({ open: { rest: 0 }, aborted: 1 });
    expect((await failed(videos().retrieve(id))).status).toBe(404);
  });

  test("deleting takes the files along", async () => {
    const { id } = await videos().create(wish({ prompt: "a river" }));
    await finished(id);
    const [clip] = asked("/users/").filter(({ path }) => path.endsWith(".mp4"));
    const name = clip?.path.slice(1).replaceAll("/", "-") ?? "";
    expect((await fetch(`${program.url}/v1/files/video/${name}`)).status).toBe(200);
    await videos().delete(id);
    expect((await fetch(`${program.url}/v1/files/video/${name}`)).status).toBe(404);
  });

  test("another key does not see it", async () => {
    const { id } = await videos().create(wish({ prompt: "a river" }));
    const other = callsTo(program.url, OTHER_KEY);
    for (const path of [`/v1/videos/${id}`, `/v1/videos/${id}/content`]) {
      const answer = await other.get(path);
      expect(answer.status).toBe(404);
      expect(((await answer.json()) as { error: { code: string } }).error.code).toBe("video_not_found");
    }
    expect(((await (await other.get("/v1/videos")).json()) as { data: unknown[] }).data).toEqual([]);
    await finished(id);
  });

  test("pages go from one to the next", async () => {
    const ids = [];
    for (const prompt of ["one", "two", "three"]) {
      const { id } = await videos().create(wish({ prompt }));
      await finished(id);
      ids.unshift(id);
    }
    const seen = [];
    for await (const job of await videos().list({ limit: 2 })) {
      seen.push(job.id);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(ids);
    const first = await videos().list({ limit: 2 });
    expect(first.has_more).toBe(true);
    expect(first.last_id).toBe(ids[1] as string);
  });
});

test("720p goes to a paid account; where there is none it is filmed small and enlarged", async () => {
  const { id } = await videos().create(wish({ prompt: "a river", quality: "high" }));
  expect(await finished(id)).toMatchObject({ status: "completed", resolution_name: "720p" });
  expect(asked(NEW)[0]?.account).toMatch(/^sim-super/);
  program.simulator.reset();
  const basic = await startProgram({ pools: { ssoBasic: ["sim-basic-2"] }, upstream: program.simulator });
  const answer = await basic.post("/v1/videos", { prompt: "a river", resolution_name: "720p" });
  const job = (await answer.json()) as { id: string };
  expect(await callsTo(basic.url).ended(job.id)).toMatchObject({ status: "completed", resolution_name: "720p" });
  expect(asked(NEW)[0]?.body).toMatchObject({ mediaGenInput: { textToVideo: { resolutionName: "480p" } } });
  expect(asked("/rest/media/video/upscale")).toHaveLength(1);
  await basic.stop();
});

test("a finished clip is carried on by the account that made it", async () => {
  const base = await videos().create(wish({ prompt: "a river" }));
  await finished(base.id);
  const [made] = asked(NEW);
  const next = await videos().extend({ prompt: "then the sea", seconds: "4", video: { id: base.id } });
  expect(next).toMatchObject({ status: "queued", extended_from_video_id: base.id });
  await finished(next.id);
  const [, carried] = asked(NEW);
  expect(carried?.account).toBe(made?.account as string);
  expect(JSON.stringify(carried?.body)).toContain('"isVideoExtension":true,"videoExtensionStartTime":6.041667');
  const older = await program.post("/v1/video/extend", { prompt: "and on", reference_id: next.id, length: 6 });
  await finished(((await older.json()) as { id: string }).id);
  expect(JSON.stringify(asked(NEW)[2]?.body)).toContain('"videoExtensionStartTime":12.041667');
});

describe("what cannot be served is refused by name", () => {
  test.each([
    [{}, 400, "missing_prompt", "prompt"],
    [{ prompt: "" }, 400, "empty_prompt", "prompt"],
    [{ prompt: "a", size: "640x480" }, 400, "invalid_size", "size"],
    [{ prompt: "a", seconds: "20" }, 400, "invalid_video_length", "seconds"],
    [{ prompt: "a", seconds: "soon" }, 400, "invalid_video_length", "seconds"],
    [{ prompt: "a", quality: "ultra" }, 400, "invalid_resolution", "quality"],
    [{ prompt: "a", resolution_name: "1080p" }, 400, "invalid_resolution", "resolution_name"],
    [{ prompt: "a", preset: "wild" }, 400, "invalid_preset", "preset"],
    [{ prompt: "a", model: "sora-2" }, 404, "model_not_found", "model"],
    [{ prompt: "a", model: "grok-4" }, 400, "model_not_supported", "model"],
    [{ prompt: "a", input_reference: "nonsense" }, 400, "invalid_media", "input_reference"],
    [{ prompt: "a", input_reference: { file_id: "f" } }, 400, "unsupported_parameter", "input_reference.file_id"],
    [{ prompt: "a", input_reference: { image_url: "data:image/png;base64,aGVsbG8=" } }, 400, "invalid_image_type"],
    [
      { prompt: "a", preset: "spicy", input_reference: `data:image/png;base64,${pngBytes().toBase64()}` },
      400,
      "adult_with_picture",
    ],
  ] as const)("%j", async (body, status, code, ...[param]) => {
    const answer = await program.post("/v1/videos", body);
    const { error } = (await answer.json()) as { error: { param: string } };
    expect({ status: answer.status, ...error }).toMatchObject({ status, code, ...(param ? { param } : {}) });
    expect(asked(NEW)).toHaveLength(0);
  });

  test("a form's file id", async () => {
    const body = new FormData();
    body.append("prompt", "a");
    body.append("input_reference[file_id]", "file-1");
    const headers = { authorization: `Bearer ${PROGRAM_KEY}` };
    const answer = await fetch(`${program.url}/v1/videos`, { method: "POST", headers, body });
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: { code: string } }).error.code).toBe("unsupported_parameter");
  });

  test.each([
    ["/v1/videos/video_x/remix", {}, 400, "unsupported_operation"],
    ["/v1/videos/edits", {}, 400, "unsupported_operation"],
    ["/v1/videos/extensions", { prompt: "a" }, 400, "missing_required_parameter"],
    ["/v1/videos/extensions", { prompt: "a", video: { id: "video_x" } }, 404, "video_not_found"],
  ])("%s %j", async (path, body, status, code) => {
    const answer = await program.post(path, body);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: { code: string } }).error.code).toBe(code);
  });

  test("lists and variants", async () => {
    const { get } = callsTo(program.url);
    expect((await get("/v1/videos?limit=0")).status).toBe(400);
    expect((await get("/v1/videos?order=up")).status).toBe(400);
    expect((await get("/v1/videos?after=video_none")).status).toBe(404);
    const { id } = await videos().create(wish({ prompt: "a river" }));
    await finished(id);
    expect((await get(`/v1/videos/${id}/content?variant=spritesheet`)).status).toBe(400);
  });
});

describe("over a restart", () => {
  const simulator = createSimulator({ tokenDelayMs: 0, mediaDelayMs: 0 });
  const folder = mkdtempSync(join(tmpdir(), "grok2api-videos-"));
  const env = {
    GROK2API_VIDEO_RESUME_TIMEOUT: "0",
    GROK2API_VIDEO_CONCURRENT: "1",
    GROK2API_SERVER_GRACE_SECONDS: "1",
  };
  /** The upstream goes on by itself with what it was asked for. */
  const finishUpstream = (id: string) => {
    const account = simulator.accounts().find(({ name }) => name === "sim-super-1");
    const bytes = stillVideo({ seed: id, seconds: 6 });
    account?.assets.set(id, {
      id,
      name: "generated_video.mp4",
      mimeType: "video/mp4",
      sizeBytes: bytes.length,
      key: `users/${account.uuid}/generated/${id}/generated_video.mp4`,
      fileSource: "IMAGINE_GENERATED_FILE_SOURCE",
      createdAt: 0,
      generated: true,
      bytes: () => bytes,
      extra: {},
    });
  };
  const start = () => startProgram({ upstream: simulator, folder, env });
  afterAll(async () => {
    await simulator.stop(true);
    rmSync(folder, { recursive: true, force: true });
  });

  test("finished jobs stay, interrupted ones are found again or end with the reason, waiting ones run", async () => {
    const before = await start();
    const begin = async (prompt: string, more: object = {}) => {
      const answer = await before.post("/v1/videos", { prompt, ...more });
      return ((await answer.json()) as { id: string }).id;
    };
    const calls = callsTo(before.url);
    const done = await begin("a river");
    await calls.ended(done);
    const interrupted = await begin("sim:hang-mid");
    await calls.until(interrupted, ({ progress }) => progress === 33);
    const waiting = await begin("a waiting river");
    const withPicture = await begin("a waiting picture", {
      input_reference: `data:image/png;base64,${pngBytes().toBase64()}`,
    });
    await before.stop();

    const after = await start();
    const { get, ended } = callsTo(after.url);
    expect((await get(`/v1/videos/${done}/content`)).status).toBe(200);
    const lost = await ended(interrupted);
    expect(lost).toMatchObject({ status: "failed", error: { code: "video_generation_failed" } });
    expect(lost.error?.message).toContain("restarted while the job ran, and the upstream does not have the clip");
    expect(await ended(waiting)).toMatchObject({ status: "completed" });
    const unmade = await ended(withPicture);
    expect(unmade.error?.message).toContain("what the job was to be made from was not kept");
    await after.stop();
  }, 20_000);

  test("what the upstream finished meanwhile is fetched", async () => {
    const before = await start();
    const answer = await before.post("/v1/videos", { prompt: "sim:hang-mid" });
    const { id } = (await answer.json()) as { id: string };
    await callsTo(before.url).until(id, ({ progress }) => progress === 33);
    await before.stop();

    const documents = openSqlite({ path: join(folder, "grok2api.db") });
    const stored = await documents.get("video_jobs", id);
    const clipId = String(Reflect.get(Object(stored?.body), "clipId"));
    await documents.close();
    finishUpstream(clipId);

    const after = await start();
    expect(await callsTo(after.url).ended(id)).toMatchObject({ status: "completed", progress: 100 });
    const file = await callsTo(after.url).get(`/v1/videos/${id}/content`);
    expect(sniffMedia(await bytesOf(file))).toBe("video/mp4");
    await after.stop();
  }, 20_000);
});
