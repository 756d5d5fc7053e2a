// Voice sessions through the whole program: what the upstream is asked, what the browser gets, and the room that it opens.
import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { PLAYGROUND_ENV, untilQuiet, visit } from "../support/playground.ts";
import { startProgram, type Program } from "../support/program.ts";
import { within } from "../support/trial.ts";

const TOKEN = "/v1/public/voice/token";
const ADMIN = "the password of the operator";

let program: Program;
beforeAll(async () => {
  program = await startProgram({
    accounts: ["sim-super-1"],
    env: { ...PLAYGROUND_ENV, GROK2API_APP_APP_KEY: ADMIN, GROK2API_VOICE_TIMEOUT: "5" },
  });
});
afterAll(() => program.stop());
afterEach(async () => {
  await untilQuiet(program);
  program.simulator.reset();
});

const asked = () =>
  program.simulator
    .requests()
    .filter(({ path }) => path === "/rest/livekit/tokens")
    .map(({ body }) => body as Record<string, unknown>);
const session = () => JSON.parse(String(asked()[0]?.["sessionPayload"])) as unknown;

describe("a token", () => {
  test("for the voice, personality and speed that were asked for", async () => {
    const response = await visit(program, `${TOKEN}?voice=eve&personality=doc&speed=1.5`);
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(await response.json()).toEqual({
      token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      url: "wss://livekit.grok.com",
      participant_name: "",
      room_name: "",
    });
    expect(asked()).toMatchObject([
      {
        requestAgentDispatch: false,
        livekitUrl: "wss://livekit.grok.com",
        params: { enable_markdown_transcript: "true" },
      },
    ]);
    expect(session()).toEqual({
      ...{ voice: "eve", personality: "doc", playback_speed: 1.5, enable_vision: false },
      turn_detection: { type: "server_vad" },
    });
  });

  test("ara, assistant and the usual speed when nothing is said", async () => {
    expect((await visit(program, TOKEN)).status).toBe(200);
    expect(session()).toMatchObject({ voice: "ara", personality: "assistant", playback_speed: 1 });
  });

  test.each(["/v1/public/voice/token", "/v1/function/voice/token", "/webui/api/voice/token"])(
    "POST %s takes an instruction in place of the personality",
    async (path) => {
      const body = { voice: "leo", personality: "custom", instruction: "Speak like a pirate.", speed: 0.5 };
      expect((await visit(program, path, { body })).status).toBe(200);
      expect(session()).toMatchObject({
        ...{ voice: "leo", personality: null, playback_speed: 0.5 },
        ...{ instructions: "Speak like a pirate.", is_raw_instructions: true },
      });
    },
  );

  test.each([
    ["voice=robot", "invalid_value", "voice"],
    ["personality=evil", "invalid_value", "personality"],
    ["personality=custom", "missing_required_parameter", "instruction"],
    ["speed=3", "invalid_value", "speed"],
    ["speed=fast", "invalid_value", "speed"],
  ])("%s is refused", async (query, code, param) => {
    const response = await visit(program, `${TOKEN}?${query}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { code, param } });
    expect(asked()).toEqual([]);
  });

  test("opens the room of the server that the settings name", async () => {
    const own = await startProgram({
      env: { ...PLAYGROUND_ENV, GROK2API_VOICE_LIVEKIT_URL: program.simulator.url.replace("http", "ws") },
      upstream: program.simulator,
      accounts: ["sim-super-1"],
    });
    try {
      const { token, url } = (await (await visit(own, TOKEN)).json()) as { token: string; url: string };
      expect(url).toBe(program.simulator.url.replace("http", "ws"));
      const socket = new WebSocket(`${url}/rtc?access_token=${token}&protocol=15`);
      socket.binaryType = "arraybuffer";
      let join = "";
      socket.addEventListener("message", ({ data }) => (join = new TextDecoder().decode(data as ArrayBuffer)));
      await within(3000, "the room", () => join !== "");
      expect(join).toContain("RM_simulated");
      socket.close();
      expect((await fetch(`${program.simulator.url}/rtc?access_token=nonsense`)).status).toBe(401);
    } finally {
      await own.stop();
    }
  });

  test("costs no question of a chat, and is a row of the journal", async () => {
    const [account] = program.composed.pool.all();
    const before = account?.quota;
    expect((await visit(program, TOKEN)).status).toBe(200);
    expect(program.composed.pool.all()[0]?.quota).toBe(before as number);
    const listed = await fetch(`${program.url}/api/v1/admin/requests?limit=1`, {
      headers: { authorization: `Bearer ${ADMIN}` },
    });
    const { items } = (await listed.json()) as { items: Record<string, unknown>[] };
    expect(items).toMatchObject([{ route: TOKEN, model: "grok-voice", status: 200, outcome: "finished" }]);
  });
});

describe("a failure", () => {
  const say = (instruction: string) => visit(program, TOKEN, { body: { instruction } });

  test("an answer without a token", async () => {
    const response = await say("sim:empty");
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ error: { code: "upstream_error" } });
  });

  test("no account that can be used", async () => {
    const own = await startProgram({ accounts: ["sim-expired-1"], env: PLAYGROUND_ENV });
    try {
      const response = await visit(own, TOKEN);
      expect(response.status).toBe(503);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ error: { type: "server_error", code: "no_token" } });
      expect(text).not.toContain("sim-expired-1");
    } finally {
      await own.stop();
    }
  });

  test("another account is asked after one that is refused", async () => {
    const own = await startProgram({ accounts: ["sim-expired-1", "sim-super-1"], env: PLAYGROUND_ENV });
    try {
      const answers = await Promise.all([visit(own, TOKEN), visit(own, TOKEN)]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    } finally {
      await own.stop();
    }
  });

  test("a browser that leaves ends the call", async () => {
    const tab = new AbortController();
    const left = visitAndLeave(tab.signal);
    await within(3000, "the upstream to be asked", () => program.simulator.stats().open.rest === 1);
    tab.abort();
    await left;
    expect(await untilQuiet(program)).toBeLessThan(2000);
  });

  const visitAndLeave = (signal: AbortSignal): Promise<void> =>
    fetch(`${program.url}${TOKEN}`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${PLAYGROUND_ENV.GROK2API_APP_PUBLIC_KEY}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ instruction: "sim:hang-headers" }),
      signal,
    }).then(
      () => {},
      () => {},
    );
});
