// Clips of the playground through the whole program: told once as a streamed chat answer, ended by whoever leaves or stops.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { pngBytes } from "../support/pictures.ts";
import { beginTask, PLAYGROUND_ENV, readEvents, untilQuiet, visit } from "../support/playground.ts";
import { startProgram, type Program } from "../support/program.ts";
import { readChatStream, within } from "../support/trial.ts";

const SSE = "/v1/public/video/sse";
const ADMIN = "the password of the operator";
const BASE = { ...PLAYGROUND_ENV, GROK2API_APP_APP_KEY: ADMIN, GROK2API_SERVER_GRACE_SECONDS: "0" };

let program: Program;
beforeAll(async () => {
  program = await startProgram({ simulation: { mediaDelayMs: 5 }, env: BASE });
});
afterAll(() => program.stop());
afterEach(async () => {
  await untilQuiet(program);
  program.simulator.reset();
});

const read = async (id: string) => {
  const response = await fetch(`${program.url}${SSE}?task_id=${id}`);
  return { response, told: readChatStream(await response.text()) };
};
const filmed = () => program.simulator.requests().filter(({ path }) => path === "/rest/app-chat/conversations/new");
const sent = () => JSON.stringify(filmed().map(({ body }) => body));

describe("a clip", () => {
  test("progress, then our own link, then the end; a second reading finds no task", async () => {
    const id = await beginTask(program, "video", { prompt: "a cat runs" });
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    const { response, told } = await read(id);
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    expect(told.text).toStartWith(`${program.url}/v1/files/video/`);
    expect(told.payloads.join("")).toMatch(/"reasoning_content":"Video \d+%\\n"/);
    expect(told.finishes).toEqual(["stop"]);
    expect(told.payloads.at(-1)).toBe("[DONE]");
    expect((await fetch(told.text)).headers.get("content-type")).toBe("video/mp4");
    const again = await fetch(`${program.url}${SSE}?task_id=${id}`);
    expect(again.status).toBe(404);
    expect(await again.json()).toMatchObject({ error: { message: "Task not found", code: "task_not_found" } });
    expect(filmed()).toHaveLength(1);
  });

  test("every field reaches the upstream, a picture too", async () => {
    const picture = `data:image/png;base64,${pngBytes().toBase64()}`;
    const body = {
      ...{ prompt: "a cat runs", aspect_ratio: "1280x720", video_length: 10, resolution_name: "720p", preset: "fun" },
      ...{ image_url: picture, reasoning_effort: "none" },
    };
    const start = await visit(program, "/v1/public/video/start", { body });
    const { task_id: id, aspect_ratio: ratio } = (await start.json()) as { task_id: string; aspect_ratio: string };
    expect(ratio).toBe("16:9");
    const { told } = await read(id);
    expect(told.text).toStartWith(`${program.url}/v1/files/video/`);
    expect(told.payloads.join("")).not.toContain("reasoning_content");
    expect(sent()).toContain('"aspectRatio":"16:9"');
    expect(sent()).toContain('"duration":10');
    expect(sent()).toContain('"resolutionName":"720p"');
    expect(sent()).toContain("imageToVideo");
  });

  test.each([
    [{}, "missing_prompt", "prompt"],
    [{ prompt: " " }, "empty_prompt", "prompt"],
    [{ prompt: "a", aspect_ratio: "4:3" }, "invalid_aspect_ratio", "aspect_ratio"],
    [{ prompt: "a", video_length: 30 }, "invalid_video_length", "video_length"],
    [{ prompt: "a", resolution_name: "8k" }, "invalid_resolution", "resolution_name"],
    [{ prompt: "a", preset: "wild" }, "invalid_preset", "preset"],
    [{ prompt: "a", reasoning_effort: "most" }, "invalid_reasoning_effort", "reasoning_effort"],
    [{ prompt: "a", image_url: "ftp://x" }, "invalid_media", "image_url"],
  ])("%j is refused", async (body, code, param) => {
    const response = await visit(program, "/v1/public/video/start", { body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code, param } });
  });

  test("adult content is refused where the operator has not allowed it", async () => {
    const response = await visit(program, "/v1/public/video/start", { body: { prompt: "a", preset: "spicy" } });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: "permission_denied", param: "preset" } });
  });

  test("a failure is told in the stream: a page that listens for events sees no status", async () => {
    const { response, told } = await read(await beginTask(program, "video", { prompt: "a cat sim:moderation" }));
    expect(response.status).toBe(200);
    expect(told.errors).toMatchObject([{ type: "invalid_request_error", code: "content_policy_violation" }]);
    expect(told.payloads.at(-1)).toBe("[DONE]");
    expect(filmed()).toHaveLength(1);
  });
});

describe("the end", () => {
  // A real upstream tells its progress about once a second while it films.
  let slow: Program;
  beforeAll(async () => {
    slow = await startProgram({
      accounts: ["sim-super-1", "sim-super-2", "sim-super-3"],
      simulation: { mediaDelayMs: 700 },
      env: BASE,
    });
  });
  afterAll(() => slow.stop());
  afterEach(async () => {
    await untilQuiet(slow);
    slow.simulator.reset();
  });

  const begin = async () => {
    const id = await beginTask(slow, "video", { prompt: "a cat" });
    const open = slow.simulator.stats().open.rest;
    const tab = await readEvents(slow, `${SSE}?task_id=${id}`);
    await within(3000, "the upstream to be asked", () => slow.simulator.stats().open.rest > open);
    return { id, tab };
  };

  test("a tab that is closed stops the upstream within two seconds, and the task is gone", async () => {
    const { id, tab } = await begin();
    tab.leave();
    expect(await untilQuiet(slow)).toBeLessThan(2000);
    expect(slow.simulator.stats()).toMatchObject({ aborted: 1, open: { total: 0 } });
    expect((await fetch(`${slow.url}${SSE}?task_id=${id}`)).status).toBe(404);
  });

  test("a stop aborts the filming, not only the task", async () => {
    const { id, tab } = await begin();
    const second = await fetch(`${slow.url}${SSE}?task_id=${id}`);
    expect(second.status).toBe(409);
    const answer = await visit(slow, "/v1/public/video/stop", { body: { task_ids: [id, "nobody's"] } });
    expect(await answer.json()).toEqual({ status: "success", removed: 1 });
    expect(await untilQuiet(slow)).toBeLessThan(2000);
    expect(slow.simulator.stats().aborted).toBe(1);
    expect((await tab.rest()).at(-1)).toMatchObject({ error: { code: "client_closed" } });
  });

  test("a visitor has so many clips at once", async () => {
    const tabs = [await begin(), await begin(), await begin()];
    const full = await visit(slow, "/v1/public/video/start", { body: { prompt: "a cat" } });
    expect(full.status).toBe(429);
    expect(await full.json()).toMatchObject({ error: { code: "concurrency_limit_exceeded" } });
    for (const { tab } of tabs) tab.leave();
    expect(await untilQuiet(slow)).toBeLessThan(2000);
    expect(slow.simulator.stats().aborted).toBe(3);
  });

  test("a reader of a silent upstream is connected at once", async () => {
    const own = await startProgram({ env: { ...BASE, GROK2API_GROK_HTTP_CLIENT: "fetch" } });
    try {
      const id = await beginTask(own, "video", { prompt: "a cat sim:hang" });
      const from = performance.now();
      const tab = await readEvents(own, `${SSE}?task_id=${id}`);
      await tab.until(() => true);
      expect(performance.now() - from).toBeLessThan(2000);
      await within(3000, "the upstream to be asked", () => own.simulator.stats().open.rest === 1);
      tab.leave();
      expect(await untilQuiet(own)).toBeLessThan(2000);
    } finally {
      await own.stop();
    }
  });
});

test("a clip is one row of the journal", async () => {
  const own = await startProgram({ simulation: { mediaDelayMs: 0 }, env: BASE });
  try {
    const id = await beginTask(own, "video", { prompt: "a cat runs" });
    await (await fetch(`${own.url}${SSE}?task_id=${id}`)).text();
    const listed = await fetch(`${own.url}/api/v1/admin/requests`, { headers: { authorization: `Bearer ${ADMIN}` } });
    const { items } = (await listed.json()) as { items: Record<string, unknown>[] };
    expect(items).toMatchObject([{ route: SSE, videos: 1, status: 200, outcome: "finished" }]);
  } finally {
    await own.stop();
  }
});
