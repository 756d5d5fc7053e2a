// Picture runs of the playground through the whole program: what is told, that they end when nobody reads, who may have how
// many, and that nothing of an account gets out.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { sniffMedia } from "../../src/media/sniff.ts";
import {
  beginTask,
  isPicture,
  isStatus,
  openSocket,
  PLAYGROUND_ENV,
  PLAYGROUND_KEY,
  readEvents,
  untilQuiet,
  visit,
} from "../support/playground.ts";
import { pngBytes } from "../support/pictures.ts";
import { PROGRAM_KEY, startProgram, type Program } from "../support/program.ts";
import { within } from "../support/trial.ts";

const ADMIN = "the password of the operator";
const WS = "/v1/public/imagine/ws";
const SSE = "/v1/public/imagine/sse";

const start = (env: Record<string, string> = {}, accounts = ["sim-super-1", "sim-super-2"]): Promise<Program> =>
  startProgram({
    accounts,
    simulation: { mediaDelayMs: 5 },
    env: {
      ...PLAYGROUND_ENV,
      GROK2API_APP_APP_KEY: ADMIN,
      GROK2API_IMAGE_FINAL_TIMEOUT: "1",
      GROK2API_SERVER_GRACE_SECONDS: "0",
      ...env,
    },
  });

let program: Program;
beforeAll(async () => {
  program = await start();
});
afterAll(() => program.stop());
afterEach(async () => {
  await untilQuiet(program);
  program.simulator.reset();
});

const wishes = (): { count: unknown; ratio: unknown; adult: unknown; pro: unknown }[] =>
  program.simulator
    .requests()
    .filter(({ path }) => path === "/ws/imagine/listen")
    .map(({ frames }) => {
      const [, ask] = frames as { item: { content: { properties: Record<string, unknown> }[] } }[];
      const wish = ask?.item.content[0]?.properties ?? {};
      const { num_generations: count, aspect_ratio: ratio, enable_nsfw: adult, enable_pro: pro } = wish;
      return { count, ratio, adult, pro };
    });

describe("events", () => {
  test("batches of six until the tab is closed, each picture with its bytes and our own link", async () => {
    const before = Date.now();
    const tab = await readEvents(program, `${SSE}?task_id=${await beginTask(program, "imagine", { prompt: "a cat" })}`);
    await tab.until((_frame, frames) => frames.filter(isPicture).length === 7);
    const [first, ...rest] = tab.frames;
    expect(first).toEqual({
      ...{ type: "status", status: "running", prompt: "a cat", aspect_ratio: "2:3" },
      run_id: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    const pictures = rest.filter(isPicture);
    expect(pictures.map(({ sequence }) => sequence).slice(0, 7)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    for (const picture of pictures) {
      expect(picture).toMatchObject({ run_id: first?.["run_id"], aspect_ratio: "2:3" });
      expect(sniffMedia(Uint8Array.fromBase64(String(picture["b64_json"])))).toBe("image/jpeg");
      expect(String(picture["url"])).toStartWith(`${program.url}/v1/files/image/`);
      expect(picture["created_at"]).toBeGreaterThanOrEqual(before);
      expect(picture["elapsed_ms"]).toBeGreaterThan(0);
    }
    const [, second] = wishes();
    expect(second).toEqual({ count: 6, ratio: "2:3", adult: false, pro: false });
    tab.leave();
    expect(await untilQuiet(program)).toBeLessThan(2000);
    // Whatever ran is over: nothing new is begun afterwards.
    const asked = program.simulator.stats().opened.sockets;
    await Bun.sleep(300);
    expect(program.simulator.stats().opened.sockets).toBe(asked);
  });

  test("a tab that is closed in the middle of a picture stops the upstream within two seconds", async () => {
    const id = await beginTask(program, "imagine", { prompt: "a slow cat sim:no-final" });
    const tab = await readEvents(program, `${SSE}?task_id=${id}`);
    await tab.until(isStatus("running"));
    await within(3000, "the upstream to be asked", () => program.simulator.stats().open.sockets === 1);
    tab.leave();
    const ms = await untilQuiet(program);
    expect(ms).toBeLessThan(2000);
    expect(program.simulator.stats()).toMatchObject({ aborted: 1, open: { total: 0 } });
  });

  test("stop ends the run and its upstream, and the reader is told", async () => {
    const id = await beginTask(program, "imagine", { prompt: "a cat sim:no-final" });
    const tab = await readEvents(program, `${SSE}?task_id=${id}`);
    await within(3000, "the upstream to be asked", () => program.simulator.stats().open.sockets === 1);
    const answer = await visit(program, "/v1/public/imagine/stop", { body: { task_ids: [id, id, "nobody's", 7] } });
    expect(await answer.json()).toEqual({ status: "success", removed: 1 });
    expect((await tab.rest()).at(-1)).toMatchObject({ type: "status", status: "stopped" });
    expect(await untilQuiet(program)).toBeLessThan(2000);
    expect((await readEvents(program, `${SSE}?task_id=${id}`)).status).toBe(404);
  });

  test("a reader who comes back goes on with the count; a second one takes over", async () => {
    const id = await beginTask(program, "imagine", { prompt: "a cat" });
    const first = await readEvents(program, `${SSE}?task_id=${id}`);
    await first.until((_frame, frames) => frames.filter(isPicture).length === 2);
    const second = await readEvents(program, `${SSE}?task_id=${id}`);
    const picture = await second.until(isPicture);
    expect(picture["sequence"]).toBeGreaterThan(2);
    expect((await first.rest()).at(-1)).toMatchObject({ status: "stopped" });
    second.leave();
    await untilQuiet(program);
    const third = await readEvents(program, `${SSE}?task_id=${id}`);
    expect((await third.until(isPicture))["sequence"]).toBeGreaterThan(Number(picture["sequence"]));
    third.leave();
  });

  test("a count completes the run; quality and ratio reach the upstream", async () => {
    const body = { prompt: "a cat", count: 7, aspect_ratio: "1792x1024", quality: "quality", nsfw: false };
    const tab = await readEvents(program, `${SSE}?task_id=${await beginTask(program, "imagine", body)}`);
    const frames = await tab.rest();
    expect(frames.filter(isPicture)).toHaveLength(7);
    expect(frames.at(-1)).toMatchObject({ type: "status", status: "completed" });
    expect(frames.at(-1)).not.toHaveProperty("reason");
    const asked = { ratio: "3:2", adult: false, pro: true };
    expect(wishes()).toEqual([
      { count: 6, ...asked },
      { count: 1, ...asked },
    ]);
  });

  test("without a task, by the key in the query", async () => {
    const query = new URLSearchParams({ prompt: "a dog", aspect_ratio: "1:1", count: "1", public_key: PLAYGROUND_KEY });
    const frames = await (await readEvents(program, `${SSE}?${query.toString()}`)).rest();
    expect(frames.filter(isPicture)).toMatchObject([{ sequence: 1, aspect_ratio: "1:1" }]);
    query.set("public_key", "nonsense");
    expect((await readEvents(program, `${SSE}?${query.toString()}`)).status).toBe(401);
  });

  test("withheld pictures never appear, and a verdict on all of them ends the run", async () => {
    const some = await beginTask(program, "imagine", { prompt: "two cats sim:blocked-picture", count: 2 });
    const tab = await readEvents(program, `${SSE}?task_id=${some}`);
    await tab.until((_frame, frames) => frames.filter(isPicture).length === 1);
    tab.leave();
    await untilQuiet(program);
    program.simulator.reset();
    const all = await beginTask(program, "imagine", { prompt: "a cat sim:blocked-pictures" });
    const frames = await (await readEvents(program, `${SSE}?task_id=${all}`)).rest();
    expect(frames.filter(isPicture)).toEqual([]);
    expect(frames).toMatchObject([
      { status: "running" },
      { type: "error", code: "content_policy_violation" },
      { status: "stopped", reason: "refused" },
    ]);
    expect(program.simulator.stats().opened.sockets).toBe(1);
  });

  test.each([
    ["sim:rate-limit", "rate_limit_exceeded"],
    ["sim:500", "internal_error"],
  ])("%s is told as %s, and asked again after a pause", async (word, code) => {
    const own = await start({}, ["sim-super-1"]);
    try {
      const tab = await readEvents(
        own,
        `${SSE}?task_id=${await beginTask(own, "imagine", { prompt: `a cat ${word}` })}`,
      );
      const failed = await tab.until(({ type }) => type === "error");
      expect(failed).toMatchObject({ code, message: expect.stringMatching(/\w/) });
      const asked = own.simulator.stats().opened.sockets;
      await Bun.sleep(1000);
      expect(own.simulator.stats().opened.sockets).toBe(asked);
      await tab.until(({ type }) => type === "error");
      tab.leave();
      expect(await untilQuiet(own)).toBeLessThan(2000);
    } finally {
      await own.stop();
    }
  });

  test("asking for the headers draws nothing", async () => {
    const id = await beginTask(program, "imagine", { prompt: "a cat" });
    const response = await fetch(`${program.url}${SSE}?task_id=${id}`, { method: "HEAD" });
    expect(response.headers.get("content-type")).toStartWith("text/event-stream");
    expect(program.simulator.stats().opened.sockets).toBe(0);
  });
});

describe("a start", () => {
  test.each([
    [{}, "empty_prompt", "prompt"],
    [{ prompt: "  " }, "empty_prompt", "prompt"],
    [{ prompt: 7 }, "invalid_value", "prompt"],
    [{ prompt: "a", aspect_ratio: "7:1" }, "invalid_aspect_ratio", "aspect_ratio"],
    [{ prompt: "a", count: 0 }, "invalid_n", "count"],
    [{ prompt: "a", nsfw: "maybe" }, "invalid_value", "nsfw"],
    [{ prompt: "a", quality: "best" }, "invalid_value", "quality"],
  ])("%j is refused", async (body, code, param) => {
    const response = await visit(program, "/v1/public/imagine/start", { body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error", code, param } });
  });

  test("adult content is refused where the operator has not allowed it", async () => {
    const response = await visit(program, "/v1/public/imagine/start", { body: { prompt: "a", nsfw: true } });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: "permission_denied", param: "nsfw" } });
  });

  test("repeated under one name gives one task", async () => {
    const once = (body: object, name: string) =>
      visit(program, "/v1/public/imagine/start", { body, headers: { "idempotency-key": name } }).then((r) => r.json());
    const first = await once({ prompt: "a cat" }, "one");
    expect(await once({ prompt: "a cat" }, "one")).toEqual(first);
    expect(await once({ prompt: "a cat" }, "two")).not.toEqual(first);
  });

  test("a stop without a list is refused", async () => {
    const response = await visit(program, "/v1/public/imagine/stop", { body: { task_ids: "all" } });
    expect(await response.json()).toMatchObject({ error: { code: "invalid_value", param: "task_ids" } });
  });
});

describe("adult content", () => {
  test("where it is allowed: by accounts that are switched on for it, and a no is heard", async () => {
    const own = await startProgram({
      pools: { ssoSuper: [{ token: "sim-super-nsfw-1", tags: ["nsfw"] }] },
      simulation: { mediaDelayMs: 0 },
      env: { ...PLAYGROUND_ENV, GROK2API_IMAGE_NSFW: "true" },
    });
    try {
      for (const nsfw of [true, false, null]) {
        const id = await beginTask(own, "imagine", { prompt: "a cat", count: 1, nsfw });
        await (await readEvents(own, `${SSE}?task_id=${id}`)).rest();
      }
      const asked = own.simulator
        .requests()
        .filter(({ path }) => path === "/ws/imagine/listen")
        .map(({ frames }) => JSON.stringify(frames).includes('"enable_nsfw":true'));
      expect(asked).toEqual([true, false, true]);
    } finally {
      await own.stop();
    }
  });
});

describe("limits", () => {
  test("a visitor has so many runs at once, over events and sockets together", async () => {
    const own = await start({ GROK2API_PLAYGROUND_MAX_RUNS: "2" });
    try {
      const prompt = "a cat sim:no-final";
      const waiting = await beginTask(own, "imagine", { prompt });
      const tab = await readEvents(own, `${SSE}?task_id=${await beginTask(own, "imagine", { prompt })}`);
      await tab.until(isStatus("running"));
      const socket = await openSocket(own, `${WS}?public_key=${encodeURIComponent(PLAYGROUND_KEY)}`);
      socket.send({ type: "start", prompt });
      await socket.until(isStatus("running"));
      const full = await visit(own, "/v1/public/imagine/start", { body: { prompt } });
      expect(full.status).toBe(429);
      expect(full.headers.get("retry-after")).toBe("2");
      expect(await full.json()).toMatchObject({ error: { code: "concurrency_limit_exceeded" } });
      expect((await readEvents(own, `${SSE}?task_id=${waiting}`)).status).toBe(429);
      const other = await openSocket(own, `${WS}?task_id=${waiting}`);
      other.send({ type: "start" });
      expect(await other.until(({ type }) => type === "error")).toMatchObject({ code: "concurrency_limit_exceeded" });
      // Beginning anew on the same socket takes no further place.
      socket.send({ type: "start", prompt: "a dog sim:no-final" });
      await socket.until((frame) => isStatus("running")(frame) && frame["prompt"] === "a dog sim:no-final");
      tab.leave();
      await within(2000, "the place to be free", () => own.simulator.stats().open.sockets === 1);
      other.send({ type: "start" });
      await other.until(isStatus("running"));
      socket.leave();
      other.leave();
      expect(await untilQuiet(own)).toBeLessThan(2000);
    } finally {
      await own.stop();
    }
  });

  test("a run ends after its time, and its task with it", async () => {
    const own = await start({ GROK2API_PLAYGROUND_RUN_SECONDS: "0.5" });
    try {
      const id = await beginTask(own, "imagine", { prompt: "a cat sim:no-final" });
      const from = performance.now();
      const frames = await (await readEvents(own, `${SSE}?task_id=${id}`)).rest();
      expect(performance.now() - from).toBeWithin(400, 2000);
      expect(frames.at(-1)).toMatchObject({ status: "stopped", reason: "time_limit" });
      expect(await untilQuiet(own)).toBeLessThan(2000);
      expect((await readEvents(own, `${SSE}?task_id=${id}`)).status).toBe(404);
    } finally {
      await own.stop();
    }
  });
});

describe("the socket", () => {
  const byKey = `${WS}?public_key=${encodeURIComponent(PLAYGROUND_KEY)}`;

  test("tells a run as the events do, begins anew and stops", async () => {
    const socket = await openSocket(program, byKey);
    socket.send({ type: "ping" });
    await socket.until(({ type }) => type === "pong");
    socket.send({ type: "start", prompt: "a cat", aspect_ratio: "16:9" });
    const running = await socket.until(isStatus("running"));
    expect(running).toMatchObject({ prompt: "a cat", aspect_ratio: "16:9" });
    expect(await socket.until(isPicture)).toMatchObject({ sequence: 1, run_id: running["run_id"] });
    socket.send({ type: "start", prompt: "a dog" });
    const anew = await socket.until((frame) => isStatus("running")(frame) && frame["prompt"] === "a dog");
    const picture = await socket.until((frame) => isPicture(frame) && frame["run_id"] === anew["run_id"]);
    expect(picture).toMatchObject({ sequence: 1 });
    socket.send({ type: "stop" });
    expect(await socket.until(isStatus("stopped"))).toEqual({
      ...{ type: "status", status: "stopped" },
      run_id: anew["run_id"],
    });
    expect(await untilQuiet(program)).toBeLessThan(2000);
    socket.leave();
    await socket.closed;
  });

  test("a socket that closes stops the upstream within two seconds", async () => {
    const socket = await openSocket(program, byKey);
    socket.send({ type: "start", prompt: "a cat sim:no-final" });
    await within(3000, "the upstream to be asked", () => program.simulator.stats().open.sockets === 1);
    socket.leave();
    expect(await untilQuiet(program)).toBeLessThan(2000);
    expect(program.simulator.stats()).toMatchObject({ aborted: 1, open: { total: 0 } });
  });

  test.each([
    ["not JSON", "nope", { code: "invalid_payload" }],
    ["a list", [1], { code: "invalid_payload" }],
    ["an unknown type", { type: "dance" }, { code: "invalid_action" }],
    ["no prompt", { type: "start", prompt: " " }, { code: "invalid_prompt", param: "prompt" }],
    ["a wrong ratio", { type: "start", prompt: "a", aspect_ratio: "7:1" }, { code: "invalid_aspect_ratio" }],
    ["adult content", { type: "start", prompt: "a", nsfw: true }, { code: "permission_denied", param: "nsfw" }],
  ])("%s is refused and the socket stays", async (_what, frame, refusal) => {
    const socket = await openSocket(program, byKey);
    socket.send(frame);
    expect(await socket.until(() => true)).toMatchObject({ type: "error", ...refusal });
    socket.send({ type: "ping" });
    await socket.until(({ type }) => type === "pong");
    socket.leave();
    await socket.closed;
  });

  test.each([
    ["no key", WS],
    ["a wrong key", `${WS}?public_key=nonsense`],
    ["a key of the API", `${WS}?public_key=${PROGRAM_KEY}`],
    ["an unknown task", `${WS}?task_id=0123456789abcdef0123456789abcdef`],
  ])("%s is shown out with 1008", async (_what, path) => {
    const socket = await openSocket(program, path);
    expect((await socket.closed).code).toBe(1008);
    expect(socket.frames).toMatchObject([{ type: "error", message: expect.stringMatching(/\w/) }]);
  });

  test("a key that travels as a subprotocol, or in a header", async () => {
    const key = Buffer.from(PLAYGROUND_KEY).toString("base64url");
    const named = await openSocket(program, WS, { protocols: ["grok2api", `key.${key}`] });
    expect(named.protocol()).toBe("grok2api");
    const sent = await openSocket(program, WS, { headers: { authorization: `Bearer ${PLAYGROUND_KEY}` } });
    for (const socket of [named, sent]) {
      socket.send({ type: "ping" });
      await socket.until(({ type }) => type === "pong");
      socket.leave();
      await socket.closed;
    }
  });

  test("a task's id opens it and its wish stands where the frame has none; a stop reaches it", async () => {
    const id = await beginTask(program, "imagine", { prompt: "the task's own", aspect_ratio: "1:1" });
    const socket = await openSocket(program, `${WS}?task_id=${id}`);
    socket.send({ type: "start" });
    expect(await socket.until(isStatus("running"))).toMatchObject({ prompt: "the task's own", aspect_ratio: "1:1" });
    await visit(program, "/v1/public/imagine/stop", { body: { task_ids: [id] } });
    await socket.until(isStatus("stopped"));
    socket.send({ type: "start" });
    expect(await socket.until(({ type }) => type === "error")).toMatchObject({ code: "task_not_found" });
    socket.leave();
    await socket.closed;
  });

  test("the operator's own address takes the operator's credentials only", async () => {
    const admin = "/api/v1/admin/imagine/ws";
    for (const key of [PLAYGROUND_KEY, PROGRAM_KEY]) {
      const refused = await openSocket(program, `${admin}?api_key=${encodeURIComponent(key)}`);
      expect((await refused.closed).code).toBe(1008);
    }
    const socket = await openSocket(program, `${admin}?api_key=${encodeURIComponent(ADMIN)}`);
    socket.send({ type: "start", prompt: "a cat", count: 1 });
    await socket.until(isStatus("completed"));
    socket.leave();
    await socket.closed;
  });

  test("foreign pages are shown out where the operator names the origins", async () => {
    const own = await start({ GROK2API_SERVER_CORS_ORIGINS: "https://pages.example.com" });
    try {
      const from = (origin: string) => openSocket(own, byKey, { headers: { origin } });
      const foreign = await from("https://evil.example.net");
      expect((await foreign.closed).code).toBe(1008);
      for (const origin of ["https://pages.example.com", own.url]) {
        const socket = await from(origin);
        socket.send({ type: "ping" });
        await socket.until(({ type }) => type === "pong");
        socket.leave();
      }
    } finally {
      await own.stop();
    }
  });

  test("one that is open already begins nothing once the key has changed, or pictures are switched off", async () => {
    const own = await startProgram({ accounts: ["sim-super-1"], env: { GROK2API_APP_APP_KEY: ADMIN } });
    const set = async (body: object) => {
      const response = await visit(own, "/v1/admin/config", { body, headers: { authorization: `Bearer ${ADMIN}` } });
      expect(response.status).toBe(200);
    };
    try {
      await set({ app: { public_enabled: true, public_key: PLAYGROUND_KEY } });
      const socket = await openSocket(own, byKey);
      const begin = async () => {
        socket.send({ type: "start", prompt: "a cat", count: 1 });
        return socket.until(({ type, status }) => type === "error" || status === "completed");
      };
      expect(await begin()).toMatchObject({ status: "completed" });
      await set({ downstream: { enable_images: false } });
      expect(await begin()).toMatchObject({ code: "endpoint_disabled" });
      await set({ downstream: { enable_images: true }, app: { public_key: "another key" } });
      expect(await begin()).toMatchObject({ code: "invalid_api_key" });
      await set({ app: { public_enabled: false, public_key: "" } });
      expect(await begin()).toMatchObject({ code: "invalid_api_key" });
      socket.leave();
      await socket.closed;
    } finally {
      await own.stop();
    }
  });

  test("a plain request is told what the address is for", async () => {
    const response = await visit(program, WS);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code: "unsupported_operation" } });
  });

  test("a stop of the program ends a run and closes the socket", async () => {
    const own = await start({ GROK2API_SERVER_GRACE_SECONDS: "0.2" });
    const socket = await openSocket(own, byKey);
    socket.send({ type: "start", prompt: "a cat sim:no-final" });
    await within(3000, "the upstream to be asked", () => own.simulator.stats().open.sockets === 1);
    const from = performance.now();
    await own.stop();
    expect(performance.now() - from).toBeLessThan(4000);
    await socket.closed;
  });
});

test("a picture is changed by the playground's own key where the API asks for another", async () => {
  const own = await start({ GROK2API_APP_PUBLIC_BYPASS_API_KEY: "false" });
  try {
    const edit = (path: string) => {
      const form = new FormData();
      form.set("prompt", "make it winter");
      form.set("image", new Blob([new Uint8Array(pngBytes())]), "fox.png");
      const headers = { authorization: `Bearer ${PLAYGROUND_KEY}` };
      return fetch(`${own.url}${path}`, { method: "POST", headers, body: form });
    };
    expect((await edit("/v1/images/edits")).status).toBe(401);
    const answer = (await (await edit("/v1/public/images/edits")).json()) as { data: { url: string }[] };
    expect(answer.data[0]?.url).toStartWith(`${own.url}/v1/files/image/`);
    const models = (await (await visit(own, "/v1/public/models")).json()) as { data: { id: string }[] };
    expect(models.data.map(({ id }) => id)).toContain("grok-imagine-video");
  } finally {
    await own.stop();
  }
});

test("every batch is a row of the journal, and nothing of an account or a key gets out", async () => {
  const own = await start({}, ["sim-super-secret-token"]);
  try {
    const admin = { headers: { authorization: `Bearer ${ADMIN}` } };
    const id = await beginTask(own, "imagine", { prompt: "a cat", count: 7 });
    const frames = await (await readEvents(own, `${SSE}?task_id=${id}`)).rest();
    const shown = JSON.stringify(frames);
    for (const secret of ["sim-super-secret-token", own.simulator.url, "imagine-public.x.ai", PLAYGROUND_KEY]) {
      expect(shown).not.toContain(secret);
    }
    const listed = await (await fetch(`${own.url}/api/v1/admin/requests`, admin)).json();
    const { items } = listed as { items: Record<string, unknown>[] };
    expect(items.map(({ route, images, status, outcome }) => ({ route, images, status, outcome }))).toEqual([
      { route: SSE, images: 1, status: 200, outcome: "finished" },
      { route: SSE, images: 6, status: 200, outcome: "finished" },
    ]);
    expect(JSON.stringify(items)).not.toContain("a cat");
  } finally {
    await own.stop();
  }
});
