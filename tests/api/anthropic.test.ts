// /v1/messages over HTTP: headers, envelopes, toggle, streams that are silent or fail, and the model list.
import { describe, expect, test } from "bun:test";
import { GatewayError } from "../../src/core/errors.ts";
import type { EventBatch, GenerationStream } from "../../src/core/events.ts";
import { API_KEY, APP_KEY, chatBody, createHarness, FINISH, fromBatches, json, settled, START } from "./harness.ts";

const body = (more: object = {}) => chatBody({ max_tokens: 100, ...more });
const USAGE: EventBatch = [
  {
    type: "usage",
    usage: { inputTokens: 5, outputTokens: 7, reasoningTokens: 0, cachedTokens: 0, estimated: true },
  },
];
const said = (text: string): EventBatch[] => [
  [START, { type: "text-start", block: 0 }, { type: "text-delta", block: 0, text }],
  [{ type: "text-end", block: 0 }, ...USAGE, FINISH],
];

interface Envelope {
  type: string;
  error: { type: string; message: string };
  request_id: string;
}

const envelope = async (response: Response): Promise<Envelope> => {
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  const read = (await response.json()) as Envelope;
  expect(Object.keys(read).toSorted()).toEqual(["error", "request_id", "type"]);
  expect(Object.keys(read.error).toSorted()).toEqual(["message", "type"]);
  expect(read.request_id).toBe(response.headers.get("request-id") ?? "none");
  expect(read.request_id).toBe(response.headers.get("x-request-id") ?? "none");
  return read;
};

describe("a message", () => {
  test.each([
    ["x-api-key", { "x-api-key": API_KEY }],
    ["Bearer", { authorization: `Bearer ${API_KEY}` }],
  ] as const)("with %s, whatever its version and betas", async (_name, headers) => {
    const harness = createHarness();
    harness.answer = () => fromBatches(said("Hello"));
    const init = json(body());
    const response = await harness.request("/v1/messages?beta=true", {
      ...init,
      headers: { ...headers, "content-type": "application/json", "anthropic-beta": "a,b" },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("request-id")).toBe(response.headers.get("x-request-id") ?? "none");
    expect(response.headers.get("access-control-expose-headers")).toContain("request-id");
    expect(await response.json()).toMatchObject({
      id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
      type: "message",
      model: "grok-4",
      content: [{ type: "text", text: "Hello" }],
      usage: { input_tokens: 5, output_tokens: 7, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
    });
    expect(harness.records[0]).toMatchObject({ model: "grok-4", stream: false, outcome: "finished", status: 200 });
  });

  test("a base address that ends in /v1 is no obstacle", async () => {
    const harness = createHarness();
    harness.answer = () => fromBatches(said("Hello"));
    expect((await harness.api("/v1/v1/messages", json(body()))).status).toBe(200);
    expect((await envelope(await harness.api("/v1/v1/messages", json({})))).error.message).toMatch(/^max_tokens: /);
  });

  test("thinking is hidden unless asked for, whatever the operator's default is", async () => {
    const harness = createHarness();
    const events: EventBatch[] = [
      [START, { type: "reasoning-start", block: 0 }, { type: "reasoning-delta", block: 0, text: "hm" }],
      [
        { type: "reasoning-end", block: 0 },
        { type: "text-start", block: 1 },
      ],
      [{ type: "text-delta", block: 1, text: "yes" }, { type: "text-end", block: 1 }, ...USAGE, FINISH],
    ];
    harness.answer = () => fromBatches(events);
    const types = async (more: object) => {
      const read = (await (await harness.api("/v1/messages", json(body(more)))).json()) as {
        content: { type: string }[];
      };
      return read.content.map(({ type }) => type);
    };
    expect(await types({})).toEqual(["text"]);
    expect(await types({ thinking: { type: "adaptive" } })).toEqual(["thinking", "text"]);
    expect(await types({ thinking: { type: "disabled" } })).toEqual(["text"]);
  });
});

const PLAIN: RequestInit = { method: "POST", headers: { "content-type": "text/plain" }, body: "x" };

describe("every refusal has the envelope of this API", () => {
  const cases: readonly (readonly [string, number, string, string, RequestInit])[] = [
    ["invalid JSON", 400, "invalid_request_error", "/v1/messages", { ...json({}), body: "{" }],
    ["a field at fault", 400, "invalid_request_error", "/v1/messages", json(body({ max_tokens: 0 }))],
    ["a type that is not JSON", 415, "invalid_request_error", "/v1/messages", PLAIN],
    ["an unknown path below", 404, "not_found_error", "/v1/messages/batches", json(body())],
    ["a method that is not taken", 405, "invalid_request_error", "/v1/messages", { method: "PUT" }],
    ["counting nothing", 400, "invalid_request_error", "/v1/messages/count_tokens", json({ model: "grok-4" })],
    [
      "counting for an unknown model",
      404,
      "not_found_error",
      "/v1/messages/count_tokens",
      json({ ...body(), model: "claude-sonnet-9" }),
    ],
  ];
  test.each(cases.map(([name, ...rest]) => [name, rest] as const))("%s", async (_name, [status, type, path, init]) => {
    const harness = createHarness();
    const response = await harness.api(path, init);
    expect(response.status).toBe(status);
    expect(await envelope(response)).toMatchObject({ type: "error", error: { type } });
    if (status === 405) expect(response.headers.get("allow")).toContain("POST");
    expect(harness.asked).toEqual([]);
  });

  test("a body that is too large", async () => {
    const harness = createHarness({
      settingsTree: { app: { api_key: [API_KEY], app_key: APP_KEY }, server: { max_body_mb: 0.01 } },
    });
    const response = await harness.api("/v1/messages", json(body({ system: "x".repeat(20_000) })));
    expect(response.status).toBe(413);
    expect((await envelope(response)).error.type).toBe("request_too_large");
  });

  test("a wrong key", async () => {
    const harness = createHarness();
    const response = await harness.request("/v1/messages", { ...json(body()), headers: { "x-api-key": "wrong" } });
    expect(response.status).toBe(401);
    expect((await envelope(response)).error.type).toBe("authentication_error");
  });

  test("an endpoint that is switched off, after the key", async () => {
    const harness = createHarness({
      settingsTree: { app: { api_key: [API_KEY], app_key: APP_KEY }, downstream: { enable_messages: false } },
    });
    for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
      expect((await harness.request(path, json(body()))).status).toBe(401);
      const response = await harness.api(path, json(body()));
      expect(response.status).toBe(404);
      expect((await envelope(response)).error).toEqual({ type: "not_found_error", message: "Endpoint disabled" });
    }
    expect((await harness.api("/v1/chat/completions", json(chatBody()))).status).toBe(200);
  });

  test.each([
    ["no_available_account", 529, "overloaded_error"],
    ["upstream_rate_limited", 429, "rate_limit_error"],
    ["upstream_timeout", 504, "timeout_error"],
    ["upstream_error", 502, "api_error"],
    ["content_policy_violation", 400, "invalid_request_error"],
    ["internal_error", 500, "api_error"],
  ] as const)("%s before the first word", async (...[code, status, type]) => {
    const harness = createHarness();
    harness.answer = async () => {
      throw new GatewayError(code, "why", { retryAfterMs: 1500 });
    };
    for (const stream of [true, false]) {
      const response = await harness.api("/v1/messages", json(body({ stream })));
      expect(response.status).toBe(status);
      expect(response.headers.get("retry-after")).toBe("2");
      expect((await envelope(response)).error.type).toBe(type);
    }
  });
});

describe("a stream", () => {
  const ask = json(body({ stream: true }));

  test("is named events from message_start to message_stop", async () => {
    const harness = createHarness();
    harness.answer = () => fromBatches(said("Hello"));
    const response = await harness.api("/v1/messages", ask);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("request-id")).toMatch(/^req_/);
    const text = await response.text();
    expect([...text.matchAll(/^event: (\w+)$/gm)].map(([, name]) => name)).toEqual([
      ..."message_start ping content_block_start content_block_delta".split(" "),
      ..."content_block_stop message_delta message_stop".split(" "),
    ]);
    expect(text).not.toContain("[DONE]");
    expect(text).toContain('"usage":{"input_tokens":5,"output_tokens":1,');
    expect(text).toContain('"usage":{"output_tokens":7}');
  });

  test("pings in a silence, and only comments before the message has begun", async () => {
    const harness = createHarness();
    const gates = [Promise.withResolvers<null>(), Promise.withResolvers<null>()] as const;
    async function* slow(): GenerationStream {
      await gates[0].promise;
      yield [START, { type: "text-start", block: 0 }, { type: "text-delta", block: 0, text: "one" }];
      await gates[1].promise;
      yield [{ type: "text-end", block: 0 }, ...USAGE, FINISH];
    }
    harness.answer = () => slow();
    const response = await harness.api("/v1/messages", ask);
    const reader = (response.body ?? new ReadableStream<Uint8Array<ArrayBuffer>>()).getReader();
    const decoder = new TextDecoder();
    const next = async () => decoder.decode((await reader.read()).value);
    const silenceMs = harness.config.chat.heartbeat_seconds * 1000 + 2_000;
    const first = next();
    await harness.clock.advance(silenceMs);
    expect(await first).toBe(": keepalive\n\n");
    const begun = next();
    gates[0].resolve(null);
    expect(await begun).toStartWith("event: message_start\n");
    const ping = next();
    await settled();
    await harness.clock.advance(silenceMs);
    expect(await ping).toBe('event: ping\ndata: {"type":"ping"}\n\n');
    const last = next();
    gates[1].resolve(null);
    expect(await last).toEndWith('event: message_stop\ndata: {"type":"message_stop"}\n\n');
    expect((await reader.read()).done).toBe(true);
  });

  test("that fails midway ends with an error event", async () => {
    const harness = createHarness();
    const error = new GatewayError("upstream_cut", "The upstream's answer ended early.");
    harness.answer = () => fromBatches([...said("Half").slice(0, 1), [{ type: "failure", error }]]);
    const text = await (await harness.api("/v1/messages", ask)).text();
    expect(text).toEndWith(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"The upstream\'s answer ended early."}}\n\n',
    );
    expect(text).not.toContain("message_stop");
    await settled();
    expect(harness.records[0]?.outcome).toBe("upstream-cut");
  });
});

describe("counting tokens", () => {
  test("asks nobody and agrees with the message's own count", async () => {
    const harness = createHarness();
    harness.answer = () => fromBatches(said("Hello"));
    const tools = [{ name: "f", description: "Does it.", input_schema: { type: "object", properties: {} } }];
    const counted = chatBody({ tools, system: "Be brief." });
    const request = { ...counted, max_tokens: 100, stream: true };
    const response = await harness.api("/v1/messages/count_tokens", json(counted));
    expect(response.status).toBe(200);
    const { input_tokens: tokens, ...rest } = (await response.json()) as { input_tokens: number };
    expect(rest).toEqual({});
    expect(harness.asked).toEqual([]);
    expect(tokens).toBeGreaterThan(10);
    const text = await (await harness.api("/v1/messages", json(request))).text();
    expect(text).toContain(`"usage":{"input_tokens":${tokens},`);
  });
});

describe("the model list", () => {
  const headers = { "anthropic-version": "2023-06-01" };

  test("in the shape of this API for clients that say its version", async () => {
    const harness = createHarness();
    const response = await harness.api("/v1/models", { headers });
    expect(response.headers.get("request-id")).toMatch(/^req_/);
    const page = (await response.json()) as { data: Record<string, string>[]; first_id: string; last_id: string };
    expect(page).toMatchObject({ has_more: false, first_id: page.data[0]?.["id"], last_id: page.data.at(-1)?.["id"] });
    for (const model of page.data) {
      expect(Object.keys(model).toSorted()).toEqual(["created_at", "display_name", "id", "type"]);
      expect(model["created_at"]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
    expect(page.data.map((model) => model["id"])).toContain("grok-4");
    expect(page.data.map((model) => model["id"])).not.toContain("grok-imagine-image");
  });

  test("one model, by alias too", async () => {
    const harness = createHarness();
    const response = await harness.api("/v1/models/grok-4.20", { headers });
    expect(await response.json()).toMatchObject({ type: "model", id: "grok-4.20", display_name: "Grok 4.20 Beta" });
    expect((await harness.api("/v1/models/nothing", { headers })).status).toBe(404);
  });

  test("as ever for everybody else", async () => {
    const harness = createHarness();
    const response = await harness.api("/v1/models");
    expect(await response.json()).toMatchObject({ object: "list" });
    expect(response.headers.has("request-id")).toBe(false);
  });
});
