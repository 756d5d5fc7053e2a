// Conversations in speech over keys of the official API: both ends see the other's frames and end, keys are leased for as long as
// it lasts, and a browser connects without ever seeing an upstream's credential.
import { describe, expect, test } from "bun:test";
import { ADMIN_ENV, makeKey, type MadeKey, viewKey } from "../support/keys.ts";
import { startKeys, type Keys } from "../support/official-keys.ts";
import { PROGRAM_KEY, startProgram } from "../support/program.ts";
import { within } from "../support/trial.ts";

const KEY = "xai-sim-ok-alpha-1";
const GOOD = "xai-sim-ok-beta-1";
const authorization = { authorization: `Bearer ${PROGRAM_KEY}` };

interface Event {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface Open {
  readonly socket: Bun.WebSocket;
  readonly events: Event[];
  readonly closed: Promise<{ code: number; reason: string; refused: string }>;
  say(text: string): void;
}

const Client = WebSocket as unknown as new (url: string, options?: Bun.WebSocketOptions) => Bun.WebSocket;

const open = (url: string, options: Bun.WebSocketOptions = { headers: authorization }): Open => {
  const socket = new Client(url.replace(/^http/, "ws"), options);
  const events: Event[] = [];
  let refused = "";
  const { promise: closed, resolve: onClose } = Promise.withResolvers<{
    code: number;
    reason: string;
    refused: string;
  }>();
  socket.onmessage = ({ data }: { data: unknown }) => void events.push(JSON.parse(String(data)) as Event);
  socket.onerror = (event) => (refused = "message" in event ? String(event.message) : "");
  socket.onclose = ({ code, reason }) => onClose({ code, reason, refused });
  return {
    socket,
    events,
    closed,
    say(text) {
      const item = { type: "message", role: "user", content: [{ type: "input_text", text }] };
      socket.send(JSON.stringify({ type: "conversation.item.create", item }));
      socket.send(JSON.stringify({ type: "response.create", response: { output_modalities: ["text"] } }));
    },
  };
};

const realtime = (keys: Pick<Keys, "url">, query = "?model=grok-voice-latest") => `${keys.url}/v1/realtime${query}`;

const saw = (one: Open, type: string) => within(2000, type, () => one.events.some((event) => event.type === type));

const idle = (keys: Keys) =>
  within(2000, "every lease to be back", () =>
    keys.composed.pool.all().every(({ id }) => keys.composed.pool.inFlight(id) === 0),
  );

const upgrades = (keys: Keys) => keys.simulator.requests().filter(({ path }) => path === "/xai/v1/realtime");

/** Rows of the journal for conversations, newest first. */
const rows = async (keys: Keys) => {
  await keys.composed.records.writer.flush();
  const { items } = await keys.composed.records.reports.requests({ route: "/v1/realtime" }, { limit: 100 });
  return items;
};

describe("a conversation", () => {
  test("passes frames both ways, and is one row of the journal with its length", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const one = open(realtime(keys, "?model=gpt-realtime&reasoning.effort=none"));
    await saw(one, "session.created");
    one.say("How are you?");
    await saw(one, "response.done");
    const texts = one.events
      .filter(({ type }) => type === "response.output_text.delta")
      .map(({ delta }) => String(delta));
    expect(texts.join("")).toBe("You said: How are you?");
    expect(upgrades(keys)[0]?.query).toEqual({ model: "grok-voice-latest", "reasoning.effort": "none" });
    expect(keys.composed.pool.inFlight(keys.account(KEY).id)).toBe(1);
    await Bun.sleep(120);
    one.socket.close(4001, "enough");
    expect(await one.closed).toMatchObject({ code: 4001 });
    await idle(keys);
    const [row] = await rows(keys);
    expect(row).toMatchObject({ model: "gpt-realtime", served: "grok-voice-latest", outcome: "finished" });
    expect(row?.total_ms).toBeGreaterThan(100);
    expect(row?.tokens_out).toBe(20);
    expect(await rows(keys)).toHaveLength(1);
  });

  test("is closed here when the upstream closes, and there when the caller does, within two seconds", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const cut = open(realtime(keys));
    await saw(cut, "session.created");
    const began = performance.now();
    cut.say("sim:cut");
    expect((await cut.closed).code).toBe(1011);
    expect(performance.now() - began).toBeLessThan(2000);
    const left = open(realtime(keys));
    await saw(left, "session.created");
    left.socket.terminate();
    await idle(keys);
    await within(2000, "the upstream's socket to be closed", () => keys.simulator.stats().open.sockets === 0);
    const [second, first] = await rows(keys);
    expect([first?.code, second?.code]).toEqual(["upstream_cut", null]);
  });

  test("large frames pass whole, too large ones end it", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const one = open(realtime(keys));
    await saw(one, "session.created");
    const audio = Buffer.alloc(6 * 1024 * 1024, 7).toString("base64");
    one.socket.send(JSON.stringify({ type: "input_audio_buffer.append", audio }));
    one.socket.send(JSON.stringify({ type: "input_audio_buffer.commit" }));
    await saw(one, "conversation.item.added");
    expect(JSON.stringify(one.events.at(-1))).toContain("6291456 bytes of sound");
    one.socket.send("x".repeat(17 * 1024 * 1024));
    expect([1006, 1009]).toContain((await one.closed).code);
    await idle(keys);
  });

  test("a caller that does not read slows the upstream down and misses nothing", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const one = open(realtime(keys));
    await saw(one, "session.created");
    const text = `sim:echo ${"word ".repeat(40_000)}`.trim();
    one.socket.pause();
    one.say(text);
    await Bun.sleep(300);
    const before = one.events.length;
    one.socket.resume();
    await within(10_000, "the end of the answer", () => one.events.some(({ type }) => type === "response.done"));
    expect(one.events.length).toBeGreaterThan(before + 1000);
    expect(one.events.find(({ type }) => type === "response.output_text.done")?.["text"]).toBe(text);
    one.socket.close();
    await one.closed;
  });

  test("ends when the gateway stops", async () => {
    const keys = await startKeys({ keys: [KEY], env: { GROK2API_SERVER_GRACE_SECONDS: "0" } });
    const one = open(realtime(keys));
    await saw(one, "session.created");
    await keys[Symbol.asyncDispose]();
    expect((await one.closed).code).toBe(1012);
  });
});

describe("before it stands", () => {
  test.each(["no-credits", "rate-limited", "acl-text", "blocked"])(
    "a key of the kind %s is left for another team's",
    async (kind) => {
      const bad = `xai-sim-ok-alpha-1`;
      await using keys = await startKeys({ keys: [bad, GOOD] });
      keys.simulator.xai.keys.change({ key: bad, kind });
      const one = open(realtime(keys));
      await saw(one, "session.created");
      expect(upgrades(keys).map(({ account }) => account)).toEqual([bad, GOOD]);
      expect(keys.account(bad).last_fail_code).not.toBeNull();
      one.socket.close();
      await one.closed;
      await idle(keys);
    },
  );

  test("a program is told by a status, a browser by an event", async () => {
    await using keys = await startKeys({ keys: ["xai-sim-no-credits-alpha-1"] });
    expect((await open(realtime(keys)).closed).refused).toContain("503");
    const browser = open(realtime(keys), { protocols: ["realtime", `openai-insecure-api-key.${PROGRAM_KEY}`] });
    expect((await browser.closed).code).toBe(1008);
    expect(browser.events).toMatchObject([{ type: "error", error: { code: "upstream_rate_limited" } }]);
  });

  test.each([
    ["a wrong key", "?model=grok-voice-latest", "Bearer sk-wrong", "401"],
    ["no key", "?model=grok-voice-latest", "", "401"],
    ["an unknown model", "?model=grok-4.3", `Bearer ${PROGRAM_KEY}`, "404"],
  ])("%s is refused, and nobody is asked", async (_what, query, value, status) => {
    await using keys = await startKeys({ keys: [KEY] });
    const one = open(realtime(keys, query), { headers: value === "" ? {} : { authorization: value } });
    expect((await one.closed).refused).toContain(status);
    expect(upgrades(keys)).toHaveLength(0);
  });

  test("a plain GET is told what the address is for; without keys it says what to do", async () => {
    const program = await startProgram();
    try {
      const plain = await fetch(realtime(program), { headers: authorization });
      expect([plain.status, await plain.text()]).toEqual([400, expect.stringContaining("WebSocket")]);
      expect((await open(realtime(program)).closed).refused).toContain("400");
    } finally {
      await program.stop();
    }
  });
});

describe("a client's key", () => {
  test("is held to its places, its requests of a minute, its models and its chats of a day", async () => {
    await using keys = await startKeys({ keys: [KEY], env: ADMIN_ENV });
    const refusal = async (key: MadeKey) =>
      (await open(realtime(keys), { headers: { authorization: `Bearer ${key.key}` } }).closed).refused;
    const single = await makeKey(keys, { name: "single", concurrency: 1 });
    const one = open(realtime(keys), { headers: { authorization: `Bearer ${single.key}` } });
    await saw(one, "session.created");
    expect(await refusal(single)).toContain("429");
    one.socket.close();
    await one.closed;
    await idle(keys);
    expect((await viewKey(keys, single.id)).usage_today).toMatchObject({ chat_used: 1 });
    expect(await refusal(await makeKey(keys, { name: "chatless", chat_limit: 0 }))).toContain("429");
    expect(await refusal(await makeKey(keys, { name: "texts", models: ["grok-4.3"] }))).toContain("403");
    const slow = await makeKey(keys, { name: "slow", rpm: 1, models: ["grok-voice-latest", "grok-tts"] });
    const first = open(realtime(keys), { headers: { authorization: `Bearer ${slow.key}` } });
    await saw(first, "session.created");
    first.socket.close();
    expect(await refusal(slow)).toContain("429");
  });
});

describe("a browser's secret", () => {
  const issue = async (keys: Keys, body: object = {}) => {
    const response = await keys.post("/v1/realtime/client_secrets", body);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> & { value: string } };
  };

  test("is the gateway's own, opens a conversation and nothing else, with its own model", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const { body } = await issue(keys, {
      expires_after: { seconds: 60 },
      session: { type: "realtime", model: "grok-voice-think-fast-2.0" },
    });
    expect(body.value).toStartWith("ek_");
    expect(body["expires_at"]).toBeWithin(Date.now() / 1000 + 50, Date.now() / 1000 + 61);
    expect(keys.simulator.requests().filter(({ path }) => path.includes("client_secrets"))).toHaveLength(0);
    const one = open(realtime(keys, "?model=gpt-realtime"), { protocols: [`xai-client-secret.${body.value}`] });
    await saw(one, "session.created");
    expect(upgrades(keys)[0]?.query["model"]).toBe("grok-voice-think-fast-2.0");
    one.socket.close();
    await one.closed;
    const chat = await fetch(`${keys.url}/v1/models`, { headers: { authorization: `Bearer ${body.value}` } });
    expect(chat.status).toBe(401);
  });

  test("is over when its time is, and a made-up one opens nothing", async () => {
    await using keys = await startKeys({ keys: [KEY] });
    const made = open(realtime(keys), { protocols: ["realtime", "openai-insecure-api-key.ek_made_up"] });
    expect(await made.closed).toMatchObject({ code: 1008 });
    expect(made.events).toMatchObject([{ error: { code: "invalid_api_key" } }]);
    expect((await issue(keys, { expires_after: { seconds: 1 } })).body).toMatchObject({
      error: { param: "expires_after.seconds" },
    });
    expect((await issue(keys, { session: { voice: "eve" } })).body).toMatchObject({
      error: { param: "session.voice" },
    });
  });
});
