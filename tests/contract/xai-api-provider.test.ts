// The provider of the official API against the simulated one: what each scenario becomes, what is sent, what a key may use,
// and that leaving early closes the upstream.
import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { configSchema } from "../../src/config/schema.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { XaiModel } from "../../src/core/models.ts";
import type { GenerationRequest, Message, UploadFile } from "../../src/core/request.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createLog, silentLog } from "../../src/lib/log.ts";
import type { ChatCall, Learned } from "../../src/providers/port.ts";
import { createUpstreamHttp } from "../../src/providers/upstream-http.ts";
import { createXaiApi } from "../../src/providers/xai-api/index.ts";
import { createSimulator } from "../../src/simulator/server.ts";
import { gather, rejection, tell } from "../support/events.ts";

const simulator = createSimulator({ tokenDelayMs: 0 });
const http = createUpstreamHttp({ clock: systemClock, longestIdleMs: () => 5000 });
afterAll(async () => {
  await http.close();
  await simulator.stop(true);
});
beforeEach(() => simulator.reset());

const providerWith = (xai: object = {}, extra: object = {}) => {
  const config = configSchema.parse({
    xai: { base_url: `${simulator.url}/xai/v1/`, first_byte_timeout: 2, stream_timeout: 1, timeout: 2, ...xai },
    ...extra,
  });
  return createXaiApi({ http, config: () => config, clock: systemClock });
};

const model: XaiModel = {
  upstream: "xai",
  id: "grok-4.5",
  aliases: [],
  kind: "chat",
  name: "Grok 4.5",
  description: "",
  reasoning: true,
  created: 1,
  xai: { contextLength: null, prices: null, longContext: null, imagePrice: null, efforts: ["low", "medium", "high"] },
};

const OK = "xai-sim-ok-alpha-1";
const callAs = (token = OK, over: Partial<ChatCall<XaiModel>> = {}): ChatCall<XaiModel> => ({
  credential: { accountId: "acc_test", token, tier: "basic", teamId: "alpha" },
  signal: new AbortController().signal,
  log: silentLog,
  learn: () => {},
  model,
  id: "chatcmpl-1",
  created: 1,
  files: [],
  ...over,
});

const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });
const ask = (text: string, over: Partial<GenerationRequest> = {}): GenerationRequest => ({
  model: "grok-4.5",
  stream: true,
  messages: [user(text)],
  wantsSealedReasoning: true,
  ...over,
});

const events = (request: GenerationRequest, call = callAs()) => gather(providerWith().generate(request, call));
const run = async (text: string, over: Partial<GenerationRequest> = {}, call = callAs()) =>
  tell(await events(ask(text, over), call));
const calls = (label: string) => simulator.requests().filter(({ route }) => route.includes(label));

describe("a generation", () => {
  test("is told with its reasoning, its cost, and its sealed form", async () => {
    const all = await events(ask("hello there"));
    const told = tell(all);
    expect(told.text).toContain("hello there");
    expect(told.reasoning).toContain("思考中");
    expect(told).toMatchObject({ finish: "stop", failure: null });
    expect(all.find((event) => event.type === "reasoning-end")?.sealed).toStartWith("xai1.");
    expect(all.find((event) => event.type === "usage")?.usage).toMatchObject({
      estimated: false,
      reasoningTokens: 256,
    });
    const [sent] = calls("/responses");
    expect(sent?.body).toMatchObject({ store: false, stream: true, reasoning: { summary: "auto" } });
    const conversation = sent?.headers["x-grok-conv-id"];
    expect(conversation).toMatch(/^[0-9a-f]{32}$/);
    expect(sent?.body).toMatchObject({ prompt_cache_key: conversation });
    expect(sent?.account).toBe(OK);
  });

  test("has the cost of the recorded sample", async () => {
    const all = await events(ask("sim:sample-x-search", { serverTools: [{ type: "x_search", options: {} }] }));
    expect(all.find((event) => event.type === "usage")?.usage).toEqual({
      inputTokens: 10_926,
      outputTokens: 702,
      reasoningTokens: 615,
      cachedTokens: 4736,
      estimated: false,
      costTicks: 289_600_000,
    });
  });

  test.each([
    ["sim:bytes sim:echo 你好 🚀", "sim:bytes sim:echo 你好 🚀"],
    ["sim:done-event sim:echo x", "sim:done-event sim:echo x"],
    ["sim:unknown-events sim:echo x", "sim:unknown-events sim:echo x"],
    ["sim:two-messages sim:echo x", "sim:two-messages sim:echo x"],
    ["sim:thinking-text sim:echo x", "sim:thinking-text sim:echo x"],
  ])("%s", async (prompt, text) => {
    expect(await run(prompt)).toMatchObject({ text, finish: "stop", failure: null });
  });

  test("counts a conversation's cached prompt from its second turn on", async () => {
    const usage = async (messages: Message[]) => {
      const all = await events(ask("", { messages, sessionKey: "s1" }));
      return all.find((event) => event.type === "usage")?.usage.cachedTokens;
    };
    expect(await usage([user("one")])).toBe(0);
    expect(
      await usage([user("one"), { role: "assistant", content: [{ type: "text", text: "1" }] }, user("two")]),
    ).toBeGreaterThan(0);
  });

  test("takes a limit on tokens", async () => {
    const limited = await run("sim:long-50", { maxTokens: 266 });
    expect(limited).toMatchObject({ finish: "length", failure: null });
  });

  test("structured output said twice comes once", async () => {
    const responseFormat = {
      type: "json_schema",
      name: "city",
      strict: true,
      schema: { type: "OBJECT", properties: { city: { type: "STRING" } } },
    } as const;
    expect((await run("sim:two-messages", { responseFormat })).text).toBe('{"city":"Paris"}');
  });

  test("calls tools and reads their outputs", async () => {
    const tools = [{ name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } } } }];
    const all = await events(ask("sim:tool-text", { tools }));
    const start = all.find((event) => event.type === "tool-start");
    const end = all.find((event) => event.type === "tool-end");
    expect(start?.name).toBe("get_weather");
    expect(end?.arguments).toBe('{"city":"Paris"}');
    expect(tell(all)).toMatchObject({ finish: "tool-calls" });
    const toolCalls = [{ id: start?.callId ?? "", name: "get_weather", arguments: end?.arguments ?? "" }];
    const messages: Message[] = [
      user("sim:tool-text"),
      { role: "assistant", content: [], toolCalls },
      { role: "tool", toolCallId: start?.callId ?? "", content: [{ type: "text", text: "21 degrees" }] },
    ];
    expect((await run("", { messages, tools })).text).toBe("The tool answered: 21 degrees");
    expect((await run("hi", { tools, toolChoice: { mode: "forced", name: "get_weather" } })).finish).toBe("tool-calls");
  });

  test.each([
    ["sim:search", { webSearch: true }, "web-search: simulated search"],
    ["sim:citation-bare", { webSearch: true }, "web-search: simulated search"],
    ["sim:citation-markup", { webSearch: true }, "web-search: simulated search"],
    ["sim:x-search", { serverTools: [{ type: "x_search", options: {} }] }, "x-search: from:examplebird"],
    ["sim:x-search-call", { serverTools: [{ type: "x_search", options: {} }] }, "x-search: from:examplebird"],
    ["sim:code", { serverTools: [{ type: "code_interpreter", options: {} }] }, 'code: print("2+2 is", 2+2)'],
  ] as const)("%s shows what the upstream's tool does and calls nothing", async (prompt, over, activity) => {
    const all = await events(ask(prompt, over));
    const told = tell(all);
    expect(told).toMatchObject({ finish: "stop", activities: [activity, activity] });
    expect(told.text).not.toMatch(/[\ue200-\ue202]/);
    expect(all.some((event) => event.type === "tool-start")).toBe(false);
  });

  test("cites with the link's place in the text", async () => {
    const told = await run("sim:search", { webSearch: true });
    const [cited] = told.citations;
    expect(told.text.slice(...(cited?.range ?? [0, 0]))).toBe(`[[1]](${cited?.url})`);
  });

  test("the operator's standing instruction comes first", async () => {
    const provider = providerWith({}, { app: { custom_instruction: "Speak plainly." } });
    const told = tell(await gather(provider.generate(ask("sim:prompt"), callAs())));
    expect(told.text).toStartWith("[system] Speak plainly.\n[user]");
  });

  test("files are uploaded for an hour, pictures and texts are not", async () => {
    const source = { kind: "data", mime: "application/pdf", data: "" } as const;
    const part = (type: "image" | "file") => ({ type, source, param: "messages.0" }) as const;
    const png = new Uint8Array([
      137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 13, 73, 72, 68, 82, 0, 0, 0, 64, 0, 0, 0, 64,
    ]);
    const files: UploadFile[] = [
      { name: "a.png", mime: "image/png", content: new Blob([png]) },
      { name: "b.txt", mime: "text/plain", content: new Blob(["words"]) },
      { name: "c.pdf", mime: "application/pdf", content: new Blob(["%PDF-1.7"]) },
    ];
    const content = [{ type: "text", text: "look" } as const, part("image"), part("file"), part("file")];
    const told = await run("", { messages: [{ role: "user", content }] }, callAs(OK, { files }));
    expect(told.text).toContain("I received 2 attachments");
    expect(calls("/files").map(({ body }) => body)).toEqual([
      { expires_after: "3600", purpose: "assistants", file: expect.anything() },
    ]);
  });

  test("a team that keeps no files says so for the file alone", async () => {
    const source = { kind: "data", mime: "application/pdf", data: "" } as const;
    const messages: Message[] = [{ role: "user", content: [{ type: "file", source, param: "messages.0.content.0" }] }];
    const files = [{ name: "c.pdf", mime: "application/pdf", content: new Blob(["%PDF"]) }];
    const { failure } = await run("", { messages }, callAs("xai-sim-zdr-beta-1", { files }));
    expect(failure).toMatchObject({ code: "unsupported_value", param: "messages.0.content.0" });
    expect((await run("hello", {}, callAs("xai-sim-zdr-beta-1"))).finish).toBe("stop");
  });
});

describe("sealed reasoning", () => {
  const sealedOf = async (call = callAs()) =>
    (await events(ask("hello"), call)).find((event) => event.type === "reasoning-end")?.sealed ?? "";
  const goingOn = (sealed: string): Message[] => [
    user("hello"),
    { role: "assistant", content: [{ type: "text", text: "Hi" }], sealedReasoning: [sealed] },
    user("and now?"),
  ];
  const blobs = () =>
    calls("/responses").map(({ body }) => JSON.stringify(body).match(/"encrypted_content":"[^"]+"/g)?.length ?? 0);

  test("goes back and is read", async () => {
    const messages = goingOn(await sealedOf());
    expect((await run("", { messages })).finish).toBe("stop");
    expect(blobs()).toEqual([0, 1]);
  });

  test("that the upstream does not read is left out and the question asked once more", async () => {
    const sealed = await sealedOf();
    const damaged = `${sealed.slice(0, -8)}AAAAAAA=`;
    expect((await run("", { messages: goingOn(damaged) })).finish).toBe("stop");
    expect(blobs()).toEqual([0, 1, 0]);
  });

  test("of another team never leaves", async () => {
    const sealed = await sealedOf();
    const credential = { accountId: "acc_other", token: "xai-sim-ok-beta-1", tier: "basic", teamId: "beta" } as const;
    expect((await run("", { messages: goingOn(sealed) }, callAs(OK, { credential }))).finish).toBe("stop");
    expect(blobs()).toEqual([0, 0]);
  });

  test("a refusal without any of it is the caller's to hear", async () => {
    const { failure } = await run("sim:blob-refused");
    expect(failure?.code).toBe("upstream_rejected");
    expect(calls("/responses")).toHaveLength(1);
  });
});

describe("what goes wrong", () => {
  test.each([
    ["sim:moderation", "content_policy_violation"],
    ["sim:no-credits", "account_no_credits"],
    ["sim:rate-limit", "upstream_rate_limited"],
    ["sim:rate-limit-rpm", "upstream_rate_limited"],
    ["sim:overload", "upstream_unavailable"],
    ["sim:capacity-200", "upstream_unavailable"],
    ["sim:timeout-200", "upstream_unavailable"],
    ["sim:400", "upstream_rejected"],
    ["sim:401", "internal_error"],
    ["sim:403", "account_refused"],
    ["sim:404", "account_model_denied"],
    ["sim:422", "upstream_rejected"],
    ["sim:500", "upstream_unavailable"],
    ["sim:502", "upstream_unavailable"],
    ["sim:503", "upstream_unavailable"],
    ["sim:empty", "upstream_empty"],
    ["sim:thinking-only", "upstream_empty"],
    ["sim:no-terminal", "upstream_cut"],
    ["sim:cut", "upstream_cut"],
    ["sim:error-first", "upstream_error"],
    ["sim:error-mid", "upstream_error"],
    ["sim:failed", "upstream_error"],
    ["sim:hang", "upstream_timeout"],
    ["sim:hang-mid", "upstream_timeout"],
    ["sim:hang-headers", "upstream_timeout"],
  ])("%s → %s, asked once", async (prompt, code) => {
    const { failure } = await run(prompt);
    expect(failure?.code).toBe(code as never);
    expect(calls("/responses")).toHaveLength(1);
  });

  test.each([
    ["xai-sim-wrong-alpha-1", "account_key_invalid"],
    ["xai-sim-wrong-old-alpha-1", "account_key_invalid"],
    ["xai-sim-blocked-alpha-1", "account_blocked"],
    ["xai-sim-team-blocked-alpha-1", "account_blocked"],
    ["xai-sim-disabled-alpha-1", "account_blocked"],
    ["xai-sim-acl-alpha-1", "account_model_denied"],
    ["xai-sim-no-model-alpha-1", "account_model_denied"],
    ["xai-sim-small-alpha-1", "account_model_denied"],
    ["xai-sim-no-credits-alpha-1", "account_no_credits"],
    ["xai-sim-no-credits-old-alpha-1", "account_no_credits"],
    ["xai-sim-rate-limited-old-alpha-1", "upstream_rate_limited"],
    ["xai-sim-safety-old-alpha-1", "content_policy_violation"],
    ["xai-sim-5xx-alpha-1", "upstream_unavailable"],
    ["xai-nobody-has-this-key", "account_key_invalid"],
  ])("the key %s → %s", async (token, code) => {
    const { failure } = await run("hello", {}, callAs(token));
    expect(failure?.code).toBe(code as never);
    expect(JSON.stringify([failure?.message, failure?.detail])).not.toContain(token.slice(4));
  });

  test("a dropped connection is a failure, not an answer", async () => {
    const { failure } = await run("hello", {}, callAs("xai-sim-down-alpha-1"));
    expect(failure?.row.blame).not.toBe("account");
    expect((await run("sim:cut-first")).failure).not.toBeNull();
  });

  test("a rate limit says how long to wait", async () => {
    expect((await run("sim:rate-limit-rpm")).failure?.detail.retryAfterMs).toBe(184_000);
    expect((await run("sim:rate-limit")).failure?.detail.retryAfterMs).toBe(2000);
  });

  test("what is our own fault is logged without the key", async () => {
    const lines: string[] = [];
    const options = {
      level: () => "info" as const,
      format: "json",
      now: () => 0,
      write: (line: string) => lines.push(line),
    } as const;
    await run("sim:401", {}, callAs(OK, { log: createLog(options) }));
    expect(lines.join("\n")).toContain("cannot take our request");
    expect(lines.join("\n")).not.toContain(OK);
  });

  test("silence names the setting that ended it", async () => {
    expect((await run("sim:hang-mid")).failure?.message).toContain("xai.stream_timeout (1 s)");
    expect((await run("sim:hang-headers")).failure?.message).toContain("xai.first_byte_timeout (2 s)");
  });

  test("a caller who leaves closes the upstream's answer", async () => {
    const leaving = new AbortController();
    const stream = providerWith().generate(ask("sim:slow-50 sim:long-200"), callAs(OK, { signal: leaving.signal }));
    await stream.next();
    expect(http.open).toBe(1);
    leaving.abort();
    const told = await gather(stream);
    expect(told.at(-1)).toMatchObject({ type: "failure", error: { code: "client_closed" } });
    expect(http.open).toBe(0);
  });
});

describe("what a key is", () => {
  test("whose it is, is learned", async () => {
    const learned: Learned[] = [];
    const call = callAs(OK, { learn: (facts) => learned.push(facts) });
    expect(await providerWith().quota(call)).toEqual({ windows: {}, tier: null });
    expect(learned).toEqual([{ teamId: expect.stringMatching(/^[0-9a-f-]{36}$/), userId: expect.any(String) }]);
  });

  test.each([
    ["xai-sim-blocked-alpha-1", "account_blocked"],
    ["xai-sim-team-blocked-alpha-1", "account_blocked"],
    ["xai-sim-disabled-alpha-1", "account_blocked"],
    ["xai-sim-wrong-alpha-1", "account_key_invalid"],
    ["xai-sim-5xx-alpha-1", "upstream_unavailable"],
  ])("%s → %s", async (token, code) => {
    expect(await rejection(providerWith().quota(callAs(token)))).toMatchObject({ code });
  });
});

describe("models", () => {
  const list = async (token = OK) => new Map((await providerWith().models(callAs(token))).map((one) => [one.id, one]));

  test("have what their listings tell: prices in ticks, window, efforts, aliases", async () => {
    const found = await list();
    expect(found.get("grok-4.5")).toEqual({
      upstream: "xai",
      id: "grok-4.5",
      aliases: ["grok-4.5-latest", "grok-build-latest"],
      kind: "chat",
      name: "Grok 4.5",
      description: "Served over the official API; reads up to 500,000 tokens.",
      reasoning: true,
      created: 1_782_691_200,
      xai: {
        contextLength: 500_000,
        prices: { input: 20_000, cachedInput: 3000, output: 60_000 },
        longContext: { input: 40_000, cachedInput: 6000, output: 120_000, threshold: 200_000 },
        imagePrice: null,
        efforts: ["low", "medium", "high"],
      },
    });
    expect(found.get("grok-4.20-0309-non-reasoning")).toMatchObject({ reasoning: false, xai: { efforts: [] } });
    expect(found.get("grok-4.6")?.aliases).toEqual([]);
  });

  test("that draw and film are there too", async () => {
    const found = await list();
    expect(found.get("grok-imagine-image-2.0")).toMatchObject({
      kind: "image",
      xai: { imagePrice: 400_000_000, prices: null },
    });
    expect(found.get("grok-imagine-video-1.5")).toMatchObject({ kind: "video", xai: { efforts: [], prices: null } });
  });

  test("are those of the key", async () => {
    const found = await list("xai-sim-small-alpha-1");
    expect([...found.values()].filter(({ kind }) => kind === "chat").map(({ id }) => id)).toEqual(["grok-4.3"]);
  });

  test.each(["xai-sim-wrong-alpha-1", "xai-sim-wrong-old-alpha-1"])("of %s are none", async (token) => {
    expect(await rejection(list(token))).toMatchObject({ code: "account_key_invalid" });
  });
});

describe("files", () => {
  const download = (url: string) => providerWith().download({ url }, { ...callAs(), maxBytes: 1000 });
  test.each(["https://evil.example/a.png", "file:///etc/passwd", "nonsense"])("%s is not fetched", async (url) => {
    const refused = await rejection(download(url));
    expect(refused).toBeInstanceOf(GatewayError);
    expect(refused).toMatchObject({ code: "upstream_malformed" });
  });

  test("inline bytes are what they are", async () => {
    const found = await providerWith().download({ base64: "QUI=", mime: "image/png" }, { ...callAs(), maxBytes: 10 });
    expect(found).toEqual({ bytes: new Uint8Array([65, 66]), mime: "image/png" });
  });
});
