import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { GatewayError } from "../../src/core/errors.ts";
import type { GenerationStream } from "../../src/core/events.ts";
import { type Listening, serve } from "../../src/http/serve.ts";
import { systemClock } from "../../src/lib/clock.ts";
import {
  API_KEY,
  chatBody,
  createHarness,
  FINISH,
  type Harness,
  json,
  settled,
  START,
  textBatches,
} from "./harness.ts";

const open: Listening[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.stop(0);
});

const listen = (harness: Harness): Listening => {
  const listening = serve({ server: harness.server, host: "127.0.0.1", port: 0, idleTimeoutSeconds: 1 });
  open.push(listening);
  return listening;
};

const post = (listening: Listening, signal?: AbortSignal): Promise<Response> =>
  fetch(`${listening.url}/v1/chat/completions`, {
    ...json(chatBody({ stream: true })),
    headers: { "content-type": "application/json", authorization: `Bearer ${API_KEY}` },
    ...(signal ? { signal } : {}),
  });

/** An endless answer whose waits end by the call's signal, as a provider's do. */
const endless = (chunk: string, counts: { pulled: number; released: number }) =>
  async function* (signal: AbortSignal): GenerationStream {
    try {
      yield [START, { type: "text-start", block: 0 }];
      while (!signal.aborted) {
        counts.pulled++;
        yield [{ type: "text-delta", block: 0, text: chunk }];
      }
    } finally {
      counts.released++;
    }
  };

/** Says one word, then is silent until the signal aborts. */
async function* silent(signal: AbortSignal, released: () => void): GenerationStream {
  try {
    yield [START, { type: "text-start", block: 0 }, { type: "text-delta", block: 0, text: "word" }];
    await new Promise<void>((resolve) => {
      signal.addEventListener("abort", () => resolve());
    });
    const reason: unknown = signal.reason;
    yield [{ type: "failure", error: reason as GatewayError }];
  } finally {
    released();
  }
}

const until = async (check: () => boolean, limitMs = 2_000): Promise<number> => {
  const start = performance.now();
  while (!check()) {
    if (performance.now() - start > limitMs) throw new Error("waited too long");
    await Bun.sleep(1);
  }
  return performance.now() - start;
};

describe("a stream", () => {
  test("has SSE headers, one chunk a batch and [DONE]", async () => {
    const harness = createHarness();
    const response = await harness.api("/v1/chat/completions", json(chatBody({ stream: true })));
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
    expect(response.headers.get("x-accel-buffering")).toBe("no");
    expect(response.headers.get("x-request-id")).toMatch(/^req_[0-9a-f]{32}$/);
    const text = await response.text();
    expect(text.split("\n\n").at(-2)).toBe("data: [DONE]");
    expect(text).toContain('"content":"Hello"');
    await settled();
    expect(harness.records).toMatchObject([{ status: 200, outcome: "finished", finish: "stop", stream: true }]);
  });

  test("is not started before the first read and is pulled one batch a read", async () => {
    const counts = { pulled: 0, released: 0 };
    const harness = createHarness();
    harness.answer = ({ context }) => endless("x", counts)(context.signal);
    const response = await harness.api("/v1/chat/completions", json(chatBody({ stream: true })));
    await settled();
    expect(counts.pulled).toBe(0);
    const reader = response.body?.getReader();
    for (let read = 0; read < 5; read++) await reader?.read();
    await settled();
    expect(counts.pulled).toBeLessThanOrEqual(5);
    await reader?.cancel();
    await settled();
    expect(counts.released).toBe(1);
    expect(harness.server.running).toBe(0);
    expect(harness.records).toMatchObject([{ outcome: "client-closed", error: null }]);
  });

  test("sends heartbeats into silence only, and stops the ticker after the last stream", async () => {
    const harness = createHarness();
    harness.answer = ({ context }) => silent(context.signal, () => {});
    const response = await harness.api("/v1/chat/completions", json(chatBody({ stream: true })));
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    const read = async () => decoder.decode((await reader?.read())?.value);
    expect(await read()).toContain("word");
    const next = read();
    await harness.clock.advance(14_000);
    let came = false;
    void next.then(() => (came = true));
    await settled();
    expect(came).toBe(false);
    await harness.clock.advance(2_000);
    expect(await next).toBe(": keepalive\n\n");
    // Nobody reads now: one heartbeat may wait, not a pile of them.
    await harness.clock.advance(300_000);
    await reader?.cancel();
    await settled();
    expect(harness.clock.tickers).toBe(0);
    expect(harness.server.running).toBe(0);
  });

  test("writes a failure in-band, with the outcome in the record", async () => {
    const harness = createHarness();
    harness.answer = async function* () {
      yield* textBatches("half").slice(0, 2);
      yield [{ type: "failure", error: new GatewayError("upstream_cut", "The upstream's answer ended early.") }];
    };
    const response = await harness.api("/v1/chat/completions", json(chatBody({ stream: true })));
    const text = await response.text();
    expect(text).toContain('"code":"upstream_cut"');
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    await settled();
    expect(harness.records).toMatchObject([{ status: 200, outcome: "upstream-cut" }]);
    expect(harness.lines.at(-1)).toMatchObject({ level: "warn", code: "upstream_cut" });
  });

  test.each([
    ["ends without a last event", () => {}, "upstream_cut"],
    [
      "throws",
      () => {
        throw new Error("secret detail");
      },
      "internal_error",
    ],
  ])("is never a clean end when the events %s", async (_name, end, code) => {
    const harness = createHarness();
    harness.answer = async function* () {
      yield* textBatches("half").slice(0, 2);
      end();
    };
    const response = await harness.api("/v1/chat/completions", json(chatBody({ stream: true })));
    const text = await response.text();
    expect(text).toContain(`"code":"${code}"`);
    expect(text).not.toContain("secret detail");
    expect(text).not.toContain('"finish_reason":"stop"');
    await settled();
    expect(harness.server.running).toBe(0);
  });

  test("is answered with 499 and released when the client left before the answer", async () => {
    const harness = createHarness();
    const counts = { pulled: 0, released: 0 };
    const gone = new AbortController();
    harness.answer = async ({ context }) => {
      const events = endless("x", counts)(context.signal);
      await events.next();
      gone.abort();
      return events;
    };
    const response = await harness.api("/v1/chat/completions", {
      ...json(chatBody({ stream: true })),
      signal: gone.signal,
    });
    await settled();
    expect(response.status).toBe(499);
    expect(counts).toEqual({ pulled: 0, released: 1 });
    expect(harness.records).toMatchObject([{ status: 499, outcome: "client-closed" }]);
    expect(harness.server.running).toBe(0);
  });

  test("gives its place back when the events never let go", async () => {
    const harness = createHarness();
    harness.answer = async function* () {
      yield [START, { type: "text-start", block: 0 }, { type: "text-delta", block: 0, text: "word" }];
      await new Promise(() => {});
    };
    const response = await harness.api("/v1/chat/completions", json(chatBody({ stream: true })));
    const reader = response.body?.getReader();
    await reader?.read();
    const parked = reader?.read();
    await settled();
    await reader?.cancel();
    await parked;
    expect(harness.server.running).toBe(1);
    await harness.clock.advance(6_000);
    expect(harness.server.running).toBe(0);
    expect(harness.records).toHaveLength(1);
  });
});

test.each([true, false])("the idle limit is lifted for an answer only (stream: %p)", async (stream) => {
  const harness = createHarness({ settingsTree: {} });
  const ask = () => harness.request("/v1/chat/completions", { ...json(chatBody({ stream })), address: "203.0.113.9" });
  await (await ask()).text();
  expect(harness.idleLimits[0]).toBe(0);
  expect(harness.idleLimits.at(-1)).toBe(60);
  harness.answer = () => {
    throw new GatewayError("no_available_account", "none");
  };
  await (await ask()).text();
  expect(harness.idleLimits.at(-1)).toBe(60);
});

describe("a stream over a socket", () => {
  test("stops the upstream while the client does not read", async () => {
    const counts = { pulled: 0, released: 0 };
    const harness = createHarness({ clock: systemClock });
    harness.answer = ({ context }) => endless("x".repeat(65_536), counts)(context.signal);
    const listening = listen(harness);
    const socket = await stalledClient(listening.port);
    await until(() => counts.pulled > 0);
    await Bun.sleep(300);
    const before = counts.pulled;
    await Bun.sleep(300);
    expect(counts.pulled).toBe(before);
    // What the kernel's buffers hold, not what memory holds.
    expect(counts.pulled * 65_536).toBeLessThan(16 * 1024 * 1024);
    socket.destroy();
    await until(() => counts.released === 1);
    await until(() => harness.server.running === 0);
  });

  test("releases everything at once when the client leaves a silent stream", async () => {
    const harness = createHarness({ clock: systemClock });
    let released = 0;
    harness.answer = ({ context }) => silent(context.signal, () => released++);
    const listening = listen(harness);
    const gone = new AbortController();
    const response = await post(listening, gone.signal);
    await response.body?.getReader().read();
    gone.abort();
    const tookMs = await until(() => harness.records.length === 1);
    expect(tookMs).toBeLessThan(250);
    expect(released).toBe(1);
    expect(harness.server.running).toBe(0);
    expect(harness.records[0]).toMatchObject({ outcome: "client-closed" });
  });

  test("outlives the socket's idle limit", async () => {
    const harness = createHarness({ clock: systemClock });
    harness.answer = async function* () {
      yield [START, { type: "text-start", block: 0 }, { type: "text-delta", block: 0, text: "one" }];
      await Bun.sleep(5_500);
      yield [{ type: "text-delta", block: 0, text: "two" }];
      yield [{ type: "text-end", block: 0 }, FINISH];
    };
    const listening = listen(harness);
    const whole = fetch(`${listening.url}/v1/chat/completions`, {
      ...json(chatBody()),
      headers: { "content-type": "application/json", authorization: `Bearer ${API_KEY}` },
    });
    const response = await post(listening);
    expect(await response.text()).toContain('"content":"two"');
    expect(await (await whole).json()).toMatchObject({ choices: [{ message: { content: "onetwo" } }] });
  }, 20_000);

  test("is ended with an error inside the stream when the server stops", async () => {
    const harness = createHarness({ clock: systemClock });
    let released = 0;
    harness.answer = ({ context }) => silent(context.signal, () => released++);
    const listening = listen(harness);
    const response = await post(listening);
    const reader = response.body?.getReader();
    await reader?.read();
    const stopping = listening.stop(200);
    const refused = await fetch(`${listening.url}/v1/chat/completions`, {
      ...json(chatBody()),
      headers: { "content-type": "application/json", authorization: `Bearer ${API_KEY}` },
    });
    expect(refused.status).toBe(503);
    expect(refused.headers.get("connection")).toBe("close");
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refused.json()).toMatchObject({ error: { code: "shutting_down" } });
    expect((await fetch(`${listening.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${listening.url}/health`)).status).toBe(200);
    let rest = "";
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) break;
      rest += new TextDecoder().decode(value);
    }
    expect(rest).toContain('"code":"shutting_down"');
    await stopping;
    expect(released).toBe(1);
    expect(harness.server.running).toBe(0);
  });

  test("may finish within the grace time", async () => {
    const harness = createHarness({ clock: systemClock });
    harness.answer = async function* () {
      yield [START, { type: "text-start", block: 0 }, { type: "text-delta", block: 0, text: "one" }];
      await Bun.sleep(100);
      yield [{ type: "text-delta", block: 0, text: "two" }];
      yield [{ type: "text-end", block: 0 }, FINISH];
    };
    const listening = listen(harness);
    const response = await post(listening);
    const started = performance.now();
    const stopping = listening.stop(10_000);
    const text = await response.text();
    expect(text).toContain('"finish_reason":"stop"');
    await stopping;
    expect(performance.now() - started).toBeLessThan(3_000);
  });
});

const stalledClient = (port: number): Promise<Socket> =>
  new Promise((resolve) => {
    const body = JSON.stringify(chatBody({ stream: true }));
    const socket = connect(port, "127.0.0.1", () => {
      socket.write(
        `POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${API_KEY}\r\n` +
          `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
      );
      socket.pause();
      resolve(socket);
    });
    socket.on("error", () => {});
  });
