import { afterEach, describe, expect, test } from "bun:test";
import { connect as connectTcp } from "node:net";
import type { Simulator } from "../../src/simulator/server.ts";
import {
  connect,
  cookies,
  eventually,
  get,
  post,
  simulator,
  stopSimulators,
  typeIs,
  uuidOf,
} from "./simulator-client.ts";
import type { Json, Talk } from "./simulator-client.ts";

afterEach(stopSimulators);

interface Turn {
  token?: string;
  model?: string;
  conversation?: string;
  parent?: string;
  files?: string[];
}

async function open(sim: Simulator, turn: Turn = {}): Promise<{ talk: Talk; session: string }> {
  const token = turn.token ?? "sim-super-1";
  const talk = await connect(sim, `/ws/mgw/?uid=${await uuidOf(sim, token)}`, token);
  const continued =
    turn.conversation === undefined
      ? { is_temporary: true }
      : { conversation_id: turn.conversation, load_existing: true };
  talk.send({
    event: {
      type: "session.create",
      event_id: "evt_init_7",
      session: {
        model: turn.model ?? "fast",
        x_grok: { protocol_capabilities: ["conversation_attached"], use_chunk: true, ...continued },
      },
    },
  });
  const attached = await talk.until((frame) => typeIs("conversation.attached")(frame) || typeIs("error")(frame));
  return { talk, session: String(attached?.["session_id"]) };
}

function ask(talk: Talk, session: string, turn: { text: string; parent?: string; files?: string[] }): void {
  const files = turn.files ?? [];
  const item = {
    type: "message",
    role: "user",
    file_attachment_ids: files,
    x_grok: { client_message_id: crypto.randomUUID(), input_chunks: [{ text: { text: turn.text } }] },
  };
  const parent = turn.parent === undefined ? {} : { parent_response_id: turn.parent };
  talk.send({
    session_id: session,
    event: { type: "conversation.item.create", event_id: "evt_msg_1", ...parent, file_attachment_ids: files, item },
  });
  talk.send({ session_id: session, event: { type: "response.create", event_id: "evt_resp_1" } });
}

const ends = (frame: Json): boolean => ["response.done", "error", "session.ended"].some((type) => typeIs(type)(frame));
const eventOf = (frame: Json | undefined): Json => (frame?.["event"] ?? {}) as Json;
const chunksOf = (talk: Talk): Json[] =>
  talk.frames.filter(typeIs("response.chunk")).map((frame) => eventOf(frame)["chunk"] as Json);
const said = (talk: Talk, channel: string): string =>
  chunksOf(talk)
    .map((chunk) => chunk["text"] as Json | undefined)
    .filter((text) => text?.["channel"] === channel)
    .map((text) => text?.["text"])
    .join("");

async function turn(
  sim: Simulator,
  text: string,
  how: Turn = {},
): Promise<{ talk: Talk; last: Json | undefined; session: string }> {
  const { talk, session } = await open(sim, how);
  const extra = {
    ...(how.parent === undefined ? {} : { parent: how.parent }),
    ...(how.files === undefined ? {} : { files: how.files }),
  };
  ask(talk, session, { text, ...extra });
  return { talk, session, last: await talk.until(ends) };
}

describe("the chat socket", () => {
  test("shakes hands, answers, answers pings, and continues the conversation", async () => {
    const sim = simulator();
    const { talk, last, session } = await turn(sim, "[user]\nHello 你好");
    const types = talk.frames.map((frame) => eventOf(frame)["type"]);
    expect(types.slice(0, 2)).toEqual(["session.created", "conversation.attached"]);
    expect(eventOf(talk.frames[0])["client_event_id"]).toBe("evt_init_7");
    expect((eventOf(talk.frames[1])["conversation"] as Json)["id"]).toBe(session);
    expect(said(talk, "CHANNEL_ASSISTANT_RESPONSE")).toContain("“Hello 你好”");
    const done = eventOf(last)["response"] as Json;
    expect(done["status"]).toBe("completed");
    talk.send({ event: { type: "ping", event_id: "evt_hb_1" } });
    expect(await talk.until(typeIs("pong"))).toBeDefined();
    talk.socket.close();

    const later = await turn(sim, "[user]\nAgain", { conversation: session, parent: String(done["id"]) });
    expect(said(later.talk, "CHANNEL_ASSISTANT_RESPONSE")).toContain("This is turn 2");
    const lost = await open(sim, { conversation: crypto.randomUUID() });
    expect((eventOf(lost.talk.frames.at(-1))["error"] as Json)["code"]).toBe(5);
    const orphan = await turn(sim, "x", { conversation: session, parent: crypto.randomUUID() });
    expect((eventOf(orphan.last)["error"] as Json)["code"]).toBe(5);
    for (const one of [later.talk, lost.talk, orphan.talk]) one.socket.close();
    expect(await eventually(() => sim.stats().open.total === 0)).toBe(true);
    expect(sim.stats().aborted).toBe(0);
  });

  test("reasoning, searches, citations and pictures in their chunks", async () => {
    const sim = simulator();
    const { talk } = await turn(sim, "sim:thinking sim:agents sim:citation sim:code");
    expect(said(talk, "CHANNEL_ASSISTANT_THINKING")).toContain("思考中");
    expect(said(talk, "CHANNEL_ASSISTANT_NOTETAKER_HEADER")).toBe("Plan of GrokPlan of Agent 1");
    expect(said(talk, "CHANNEL_ASSISTANT_NOTETAKER_SUMMARY")).toContain("compares the sources");
    const bodies = chunksOf(talk);
    expect(bodies.every((chunk) => Object.keys(chunk).length === 1)).toBe(true);
    const kinds = new Set(bodies.flatMap((chunk) => Object.keys(chunk)));
    for (const kind of ["metadata", "text", "tool_usage_card", "tool_result", "render_citation"])
      expect(kinds).toContain(kind);
    expect(said(talk, "CHANNEL_ASSISTANT_RESPONSE")).not.toContain("grok:render");
    const drawing = await turn(sim, "Drawing: a cat");
    const steps = chunksOf(drawing.talk).flatMap((chunk) =>
      chunk["render_generated_image"] === undefined
        ? []
        : [(chunk["render_generated_image"] as Json)["image_chunk"] as Json | null],
    );
    expect(steps.map((step) => step?.["progress"])).toEqual([undefined, 50, 100]);
    expect((await get(sim, `/${String(steps[2]?.["imageUrl"])}`)).status).toBe(200);
    const card = await turn(sim, "sim:image sim:image-card");
    expect(card.talk.frames.filter(typeIs("response.grok.output"))).toHaveLength(3);
  });

  test("other event dialects", async () => {
    const sim = simulator();
    const delta = await turn(sim, "sim:delta sim:echo");
    expect(
      delta.talk.frames
        .filter(typeIs("response.output_text.delta"))
        .map((frame) => eventOf(frame)["delta"])
        .join(""),
    ).toBe("sim:delta sim:echo");
    const doneText = await turn(sim, "sim:done-text sim:echo");
    expect(said(doneText.talk, "CHANNEL_ASSISTANT_RESPONSE")).toBe("");
    expect(eventOf(doneText.talk.frames.find(typeIs("response.output_text.done")))["text"]).toBe(
      "sim:done-text sim:echo",
    );
    const search = await turn(sim, "sim:search sim:search-event");
    expect(search.talk.frames.filter(typeIs("response.search.result"))).toHaveLength(3);
    const unknown = await turn(sim, "sim:unknown-events");
    expect((eventOf(unknown.last)["response"] as Json)["status"]).toBe("completed");
    const incomplete = await turn(sim, "sim:incomplete");
    expect((eventOf(incomplete.last)["response"] as Json)["status"]).toBe("incomplete");
    const ended = await turn(sim, "sim:session-ended");
    expect(eventOf(ended.last)["type"]).toBe("session.ended");
  });

  const failures: [string, number][] = [
    ["error-first", 13],
    ["heavy-usage", 8],
    ["antibot-inband", 7],
    ["error-mid", 13],
    ["rate-limit", 8],
    ["moderation", 7],
    ["500", 13],
  ];
  test.each(failures)("error event: %s", async (word, code) => {
    const { last } = await turn(simulator(), `sim:${word}`);
    expect((eventOf(last)["error"] as Json)["code"]).toBe(code);
  });

  test("stream errors, cuts, and verdicts on the account", async () => {
    const sim = simulator();
    const long = await turn(sim, "sim:context-too-long");
    const output = eventOf(long.talk.frames.find(typeIs("response.grok.output")))["output"] as Json;
    expect(output["stream_error"]).toMatchObject({
      severity: "STREAM_ERROR_SEVERITY_FATAL",
      beyond_context_length: {},
    });
    const cut = await turn(sim, "sim:cut");
    expect(cut.last).toBeUndefined();
    expect(await cut.talk.closed).toBe(1006);
    for (const [token, code] of [
      ["sim-limited-1", 8],
      ["sim-antibot-1", 7],
      ["sim-empty-pool", 8],
    ] as const) {
      const { last } = await turn(sim, "Hi", { token });
      expect((eventOf(last)["error"] as Json)["code"]).toBe(code);
    }
    const first = await turn(sim, "Hi", { token: "sim-flaky-1" });
    const second = await turn(sim, "Hi", { token: "sim-flaky-1" });
    expect([eventOf(first.last)["type"], eventOf(second.last)["type"]]).toEqual(["error", "response.done"]);
    const above = await turn(sim, "Hi", { token: "sim-basic-1", model: "heavy" });
    expect(JSON.stringify(above.talk.frames)).toContain("model_not_available");
    expect(sim.accounts().find((account) => account.name === "sim-basic-1")?.modes.fast?.remaining).toBe(30);
  });

  test("refused upgrades", async () => {
    const sim = simulator();
    const upgrade = async (token: string, uid: string): Promise<Response> =>
      fetch(`${sim.url}/ws/mgw/?uid=${uid}`, {
        headers: {
          ...cookies(token),
          upgrade: "websocket",
          connection: "Upgrade",
          "sec-websocket-version": "13",
          "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw==",
        },
      });
    const own = await uuidOf(sim, "sim-nosocket-a");
    const challenged = await upgrade("sim-nosocket-a", own);
    expect([challenged.status, challenged.headers.get("cf-mitigated")]).toEqual([403, "challenge"]);
    expect((await upgrade("sim-nosocket-404-a", "x")).status).toBe(404);
    expect((await upgrade("sim-limited-upgrade-a", "x")).status).toBe(429);
    expect((await upgrade("nobody", own)).status).toBe(401);
    expect((await upgrade("sim-super-1", own)).status).toBe(400);
    expect((await post(sim, "/rest/rate-limits", { modelName: "fast" }, { token: "sim-nosocket-a" })).status).toBe(200);
    const late = simulator({ eras: ["modeId"] });
    const talk = await connect(late, `/ws/mgw/?uid=${await uuidOf(late, "sim-super-1")}`);
    expect(talk.socket.readyState).not.toBe(WebSocket.OPEN);
  });

  test("account scenarios reach the handshake", async () => {
    const sim = simulator({ accounts: [{ name: "sim-super-9", scenario: "sim:foreign-session sim:no-attach" }] });
    const talk = await connect(sim, `/ws/mgw/?uid=${await uuidOf(sim, "sim-super-9")}`, "sim-super-9");
    talk.send({
      event: {
        type: "session.create",
        event_id: "mine",
        session: { model: "fast", x_grok: { protocol_capabilities: ["conversation_attached"] } },
      },
    });
    await talk.until((frame) => eventOf(frame)["client_event_id"] === "mine");
    await Bun.sleep(30);
    expect(talk.frames.map((frame) => eventOf(frame)["type"])).toEqual(["session.created", "session.created"]);
    talk.socket.close();
  });

  test("leaving mid-answer is an abort; an idle socket stays open", async () => {
    const sim = simulator();
    const { talk, session } = await open(sim);
    ask(talk, session, { text: "sim:slow-20" });
    await talk.until(typeIs("response.chunk"));
    expect(sim.stats().open.sockets).toBe(1);
    talk.socket.close();
    expect(await eventually(() => sim.stats().open.sockets === 0, 100)).toBe(true);
    expect(sim.stats().aborted).toBe(1);
    const idle = await turn(sim, "Hi");
    await Bun.sleep(30);
    expect(sim.stats().open.sockets).toBe(1);
    idle.talk.socket.close();
    expect(await eventually(() => sim.stats().open.sockets === 0)).toBe(true);
    expect(sim.stats()).toMatchObject({ aborted: 1, completed: 3 });
  });
});

test("a socket that does not read stops the writer", async () => {
  const sim = simulator();
  const uid = await uuidOf(sim, "sim-super-1");
  const raw = connectTcp(sim.port, "127.0.0.1");
  const head = `GET /ws/mgw/?uid=${uid} HTTP/1.1\r\nHost: x\r\nCookie: ${cookies("sim-super-1").cookie}\r\nUpgrade: websocket\r\n`;
  raw.write(
    `${head}Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n`,
  );
  const session = { type: "session.create", event_id: "e", session: { model: "fast", x_grok: {} } };
  const item = { x_grok: { input_chunks: [{ text: { text: "sim:long-1000000" } }] } };
  raw.once("data", () => {
    raw.pause();
    const events = [session, { type: "conversation.item.create", item }, { type: "response.create" }];
    for (const event of events) raw.write(masked(JSON.stringify({ event })));
  });
  expect(await eventually(() => sim.stats().tokens > 0)).toBe(true);
  await Bun.sleep(300);
  const written = sim.stats().tokens;
  await Bun.sleep(200);
  expect(sim.stats().tokens).toBe(written);
  expect(written).toBeLessThan(200_000);
  raw.destroy();
  expect(await eventually(() => sim.stats().open.total === 0)).toBe(true);
  expect(sim.stats().aborted).toBe(1);
});

/** A client's text frame whose mask is zero. */
function masked(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const size = length < 126 ? [0x80 | length] : [0x80 | 126, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([0x81, ...size, 0, 0, 0, 0]), Buffer.from(text)]);
}

describe("the picture socket", () => {
  const request = (text: string, properties: Json = {}): Json => ({
    type: "conversation.item.create",
    timestamp: 1,
    item: {
      type: "message",
      content: [
        {
          requestId: "r-1",
          text,
          type: "input_text",
          properties: { aspect_ratio: "16:9", enable_nsfw: true, num_generations: 2, ...properties },
        },
      ],
    },
  });
  const reset = {
    type: "conversation.item.create",
    timestamp: 1,
    item: { type: "message", content: [{ type: "reset" }] },
  };

  async function draw(sim: Simulator, text: string, properties: Json = {}, slots = 2): Promise<Talk> {
    const talk = await connect(sim, "/ws/imagine/listen", "sim-basic-1");
    talk.send(reset);
    talk.send(request(text, properties));
    let completed = 0;
    await talk.until(
      (frame) => frame["type"] === "error" || (frame["current_status"] === "completed" && ++completed === slots),
    );
    talk.socket.close();
    return talk;
  }

  test("slots, previews, finished pictures, quota", async () => {
    const sim = simulator();
    const talk = await draw(sim, "a lighthouse");
    expect(
      talk.frames.map((frame) => frame["current_status"] ?? frame["percentage_complete"] ?? frame["type"]),
    ).toEqual(["session", "start_stage", "start_stage", 50, 50, 100, "completed", 100, "completed"]);
    const images = talk.frames.filter((frame) => frame["type"] === "image");
    const lengths = images.map((frame) => String(frame["blob"]).length);
    expect(lengths.slice(0, 2).every((length) => length > 30_000 && length < 100_000)).toBe(true);
    expect(lengths.slice(2).every((length) => length > 100_000)).toBe(true);
    const bytes = Buffer.from(String(images[2]?.["blob"]), "base64");
    expect(await new Bun.Image(bytes).metadata()).toMatchObject({ width: 1280, height: 720, format: "jpeg" });
    const open = await fetch(String(images[2]?.["url"]));
    expect(open.headers.get("content-type")).toBe("image/jpeg");
    for (let round = 0; round < 3; round++) await draw(sim, "more");
    const limited = await draw(sim, "too much");
    expect(limited.frames.at(-1)).toMatchObject({ type: "error", err_code: "rate_limit_exceeded", request_id: "r-1" });
    const quota = (await (
      await post(sim, "/rest/media/imagine/quota_info", {}, { token: "sim-basic-1" })
    ).json()) as Json;
    expect(quota["imagePro"]).toMatchObject({ available: true, remainingQueries: 0 });
    expect(quota["imageEdit"]).toBeNull();
  });

  test("moderation: one slot, all slots, by the nsfw switches", async () => {
    const sim = simulator({ unlimited: true });
    const moderated = async (text: string, properties: Json = {}): Promise<unknown[]> =>
      (await draw(sim, text, properties)).frames
        .filter((frame) => frame["current_status"] === "completed")
        .map((frame) => frame["moderated"]);
    expect(await moderated("sim:blocked-picture")).toEqual([false, true]);
    expect(await moderated("sim:blocked-pictures")).toEqual([true, true]);
    expect(await moderated("sim:nsfw")).toEqual([true, true]);
    await post(sim, "/__sim/accounts/sim-basic-1", { flags: { nsfw: true } });
    expect(await moderated("sim:nsfw")).toEqual([false, false]);
    expect(await moderated("sim:nsfw", { enable_nsfw: false })).toEqual([true, true]);
  });
});
