// Who may use the playground and what it opens, by the operator's settings, at every address that it has.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { buildPages } from "../../scripts/pages.ts";
import { listRoutes } from "../../src/http/route-table.ts";
import { ROUTES } from "../../src/http/routes.ts";
import { PLAYGROUND_KEY } from "../support/playground.ts";
import { startProgram, type Program } from "../support/program.ts";
import { root } from "../house/sources.ts";
import { API_KEY, APP_KEY, chatBody, createHarness, json, type Harness } from "./harness.ts";

const rows = listRoutes(ROUTES).filter(({ auth }) => auth === "visitor");
const names = rows.map(({ method, path }) => [`${method} ${path}`, method, path] as const);

const harnessWith = (app: object): Harness =>
  createHarness({ settingsTree: { app: { api_key: [API_KEY], app_key: APP_KEY, ...app } } });

const ask = async (harness: Harness, at: { method: string; path: string; key?: string }) => {
  const headers = new Headers(at.key === undefined ? {} : [["authorization", `Bearer ${at.key}`]]);
  const response = await harness.request(at.path, { method: at.method, headers, address: "203.0.113.7" });
  const body = (await response.clone().text()) === "" ? {} : ((await response.json()) as { error?: object });
  return { status: response.status, error: body.error, challenge: response.headers.get("www-authenticate") };
};

const DISABLED = { message: "Public access is disabled", type: "authentication_error", code: "invalid_api_key" };
const MISSING = { message: "Missing authentication token", type: "authentication_error", code: "missing_api_key" };
const WRONG = { message: "Invalid authentication token", type: "authentication_error", code: "invalid_api_key" };

test("later programs' addresses lead to the same routes", () => {
  const canonical = rows.filter(({ path }) => path.startsWith("/v1/public/"));
  expect(canonical.map(({ method, path }) => `${method} ${path.slice("/v1/public".length)}`)).toEqual([
    ...["GET /verify", "POST /chat/completions", "GET /models", "POST /images/edits"],
    ...["POST /imagine/start", "GET /imagine/sse", "POST /imagine/stop", "GET /imagine/ws"],
    ...["POST /video/start", "GET /video/sse", "POST /video/stop", "GET /voice/token", "POST /voice/token"],
  ]);
  expect(rows).toHaveLength(canonical.length * 3);
});

describe.each(names)("%s", (_name, method, path) => {
  test("off and without a key: for nobody", async () => {
    for (const key of [undefined, API_KEY, APP_KEY, ""]) {
      const answer = await ask(harnessWith({}), { method, path, ...(key === undefined ? {} : { key }) });
      expect(answer).toMatchObject({ status: 401, error: DISABLED, challenge: "Bearer" });
    }
  });

  test.each([
    ["off with a key", { public_key: PLAYGROUND_KEY }],
    ["on with a key", { public_enabled: true, public_key: PLAYGROUND_KEY }],
    [
      "on with a key, the API closed",
      { public_enabled: true, public_key: PLAYGROUND_KEY, public_bypass_api_key: false },
    ],
  ])("%s: for that key and no other", async (_what, app) => {
    expect(await ask(harnessWith(app), { method, path })).toMatchObject({ status: 401, error: MISSING });
    for (const key of [API_KEY, APP_KEY, "nonsense"]) {
      expect(await ask(harnessWith(app), { method, path, key })).toMatchObject({ status: 401, error: WRONG });
    }
    expect((await ask(harnessWith(app), { method, path, key: PLAYGROUND_KEY })).status).not.toBe(401);
  });

  test("on and without a key: for everybody", async () => {
    expect((await ask(harnessWith({ public_enabled: true }), { method, path })).status).not.toBe(401);
  });
});

test.each(["/v1/public/imagine/config", "/v1/function/imagine/config", "/webui/api/imagine/config"])(
  "%s says what there is to choose, to everybody",
  async (path) => {
    const harness = createHarness({ settingsTree: { image: { nsfw: true, final_min_bytes: 5 } } });
    const response = await harness.request(path);
    expect(await response.json()).toEqual({
      final_min_bytes: 5,
      medium_min_bytes: 30_000,
      nsfw: true,
      max_runs: 3,
    });
  },
);

describe("the API while the playground is on", () => {
  const chat = (harness: Harness, key?: string) =>
    harness.request("/v1/chat/completions", {
      ...json(chatBody()),
      headers: {
        "content-type": "application/json",
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
    });

  test.each([
    ["off", {}, 401],
    ["off with a key", { public_key: PLAYGROUND_KEY }, 401],
    ["on", { public_enabled: true }, 200],
    ["on with a key", { public_enabled: true, public_key: PLAYGROUND_KEY }, 200],
    ["on, the API closed", { public_enabled: true, public_bypass_api_key: false }, 401],
  ])("%s", async (_what, app, status) => {
    expect((await chat(harnessWith(app))).status).toBe(status);
    expect((await chat(harnessWith(app), "nonsense")).status).toBe(status);
    expect((await chat(harnessWith(app), API_KEY)).status).toBe(200);
  });

  test("the playground's key opens the playground's door, not the API's", async () => {
    const app = { public_enabled: true, public_key: PLAYGROUND_KEY, public_bypass_api_key: false };
    const harness = harnessWith(app);
    expect((await chat(harness, PLAYGROUND_KEY)).status).toBe(401);
    const own = await harness.request("/v1/public/chat/completions", {
      ...json(chatBody()),
      headers: { "content-type": "application/json", authorization: `Bearer ${PLAYGROUND_KEY}` },
    });
    expect(own.status).toBe(200);
    expect(await own.json()).toMatchObject({ choices: [{ message: { content: "Hello there" } }] });
  });

  test("a key of the API keeps its own name in the records", async () => {
    const harness = harnessWith({ public_enabled: true });
    await (await chat(harness, API_KEY)).text();
    await (await chat(harness)).text();
    expect(harness.records.map(({ key }) => key)).toEqual([expect.stringMatching(/^key_/), "playground"]);
  });
});

describe("clips of strangers who all come without a key", () => {
  const list = (app: object, key?: string) =>
    harnessWith(app).request("/v1/videos", {
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });

  test("are listed for none of them", async () => {
    const response = await list({ public_enabled: true });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: "permission_denied" } });
    const open = await list({ public_enabled: true, api_key: [] });
    expect(open.status).toBe(403);
  });

  test("while whoever has a key sees their own, and an open API without the playground is one person's", async () => {
    // The harness has no jobs to list; what counts is that nobody is kept from asking.
    expect((await list({ public_enabled: true }, API_KEY)).status).not.toBe(403);
    expect((await list({ api_key: [] })).status).not.toBe(403);
  });
});

test("guesses from one address are slowed, and the right key waits as well", async () => {
  const harness = harnessWith({ public_enabled: true, public_key: PLAYGROUND_KEY });
  const guess = (key: string, address = "203.0.113.9") =>
    harness.request("/v1/public/verify", { headers: { authorization: `Bearer ${key}` }, address });
  for (let count = 0; count < 5; count++) expect((await guess(`guess ${count}`)).status).toBe(401);
  const locked = await guess(PLAYGROUND_KEY);
  expect(locked.status).toBe(429);
  expect(locked.headers.get("retry-after")).toBe("30");
  expect((await guess(PLAYGROUND_KEY, "203.0.113.10")).status).toBe(200);
  await harness.clock.advance(31_000);
  expect((await guess(PLAYGROUND_KEY)).status).toBe(200);
});

test("a key in an address or a header is in no line of the log", async () => {
  const harness = harnessWith({ public_enabled: true, public_key: PLAYGROUND_KEY });
  const query = new URLSearchParams({ public_key: PLAYGROUND_KEY, function_key: PLAYGROUND_KEY });
  await harness.request(`/v1/public/imagine/sse?${query.toString()}`);
  await harness.request("/v1/public/verify", { headers: { authorization: `Bearer ${PLAYGROUND_KEY}` } });
  await harness.request("/v1/public/verify", { headers: { authorization: "Bearer another-guess" } });
  expect(harness.lines.length).toBeGreaterThan(2);
  const text = JSON.stringify([harness.lines, harness.records]);
  for (const secret of [PLAYGROUND_KEY, "another-guess", encodeURIComponent(PLAYGROUND_KEY)]) {
    expect(text).not.toContain(secret);
  }
});

describe("adult content through the playground's door to the chat", () => {
  const ask = (body: object, settings: object = {}, path = "/v1/public/chat/completions") =>
    createHarness({ settingsTree: { app: { public_enabled: true }, ...settings } }).request(path, {
      ...json({ ...chatBody(), ...body }),
    });
  const picture = { model: "grok-imagine-1.0", image_config: { nsfw: true } };
  const clip = { model: "grok-imagine-1.0-video", video_config: { preset: "spicy" } };

  test.each([
    ["image_config.nsfw", picture],
    ["video_config.preset", clip],
  ])("%s is refused where the operator has not allowed it", async (param, body) => {
    const response = await ask(body);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ error: { code: "permission_denied", param } });
    expect((await ask(body, { image: { nsfw: true } })).status).not.toBe(403);
    expect((await ask(body, {}, "/v1/chat/completions")).status).not.toBe(403);
  });

  test("what does not ask for it is not refused", async () => {
    expect((await ask({ ...picture, image_config: { nsfw: false } })).status).not.toBe(403);
    expect((await ask({ ...clip, video_config: { preset: "normal" } })).status).not.toBe(403);
  });
});

describe("toggles", () => {
  test.each([
    ["enable_images", "POST", "/v1/public/imagine/start"],
    ["enable_images", "GET", "/v1/public/imagine/config"],
    ["enable_images", "GET", "/v1/public/imagine/ws"],
    ["enable_images", "POST", "/v1/public/images/edits"],
    ["enable_videos", "POST", "/v1/public/video/start"],
    ["enable_audio", "GET", "/v1/public/voice/token"],
    ["enable_chat_completions", "POST", "/v1/public/chat/completions"],
    ["enable_models", "GET", "/v1/public/models"],
  ])("%s switches %s %s off", async (toggle, method, path) => {
    const harness = createHarness({ settingsTree: { app: { public_enabled: true }, downstream: { [toggle]: false } } });
    expect(await ask(harness, { method, path })).toMatchObject({ status: 404, error: { code: "endpoint_disabled" } });
  });
});

test("the pages may use the microphone, and nothing else of the gateway may", async () => {
  // They are built for the executable; a fresh checkout has none yet.
  if (!(await Bun.file(join(root, "static/dist/playground.html")).exists())) await buildPages({ root });
  const own = await startProgram({ env: { GROK2API_APP_PUBLIC_ENABLED: "true" } });
  try {
    const policy = async (path: string) => (await fetch(`${own.url}${path}`)).headers.get("permissions-policy");
    expect(await policy("/voice")).toContain("microphone=(self)");
    for (const path of ["/admin", "/v1/public/verify"]) expect(await policy(path)).toContain("microphone=()");
  } finally {
    await own.stop();
  }
});

describe("the pages", () => {
  let program: Program;
  beforeAll(async () => {
    program = await startProgram();
  });
  afterAll(() => program.stop());

  test.each(["/chat", "/imagine", "/video", "/voice"])("%s is not found while the playground is off", async (path) => {
    expect((await fetch(`${program.url}${path}`)).status).toBe(404);
  });
});
