// The upstream is cut at every byte of every recorded answer, with a clean end and with a broken connection, and all three
// protocols are written from what the provider makes of it. What must hold: each stream obeys its protocol, a failure has the
// protocol's own form, nothing is said that the whole answer does not say, and a cut answer never looks complete.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { configSchema } from "../../src/config/schema.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { GenerationEvent } from "../../src/core/events.ts";
import { findModel, type WebModel } from "../../src/core/models.ts";
import { createToolCalls } from "../../src/core/tool-calls.ts";
import { createVerifier } from "../../src/core/verify.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { silentLog } from "../../src/lib/log.ts";
import { createGrokWeb } from "../../src/providers/grok-web/index.ts";
import type { UpstreamHttp, UpstreamSocket } from "../../src/providers/upstream-port.ts";
import { createSimulator } from "../../src/simulator/server.ts";
import { PROTOCOLS, type WrittenProtocol } from "../golden/answers.ts";
import { gather } from "../support/events.ts";
import { pngBytes } from "../support/pictures.ts";
import { type Program, startProgram } from "../support/program.ts";

type Ending = "clean end" | "broken connection";

const unreachable = (what: string) => () => {
  throw new Error(`${what} was not to be called`);
};

/** A network on which one answer waits: its bytes over REST, or its lines as frames of the socket. */
const networkWith = (bytes: Uint8Array<ArrayBuffer>, ending: Ending): UpstreamHttp => {
  const pieces = <T>(all: T[]) => {
    const left = [...all];
    return async (): Promise<T | null> => {
      const next = left.shift();
      if (next === undefined && ending === "broken connection") {
        throw new GatewayError("upstream_cut", "The upstream's connection broke.");
      }
      return next ?? null;
    };
  };
  return {
    request: async () => ({
      status: 200,
      header: () => null,
      setCookies: [],
      body: { read: pieces(bytes.byteLength > 0 ? [bytes] : []), cancel: () => {} },
      bytes: unreachable("bytes"),
      text: unreachable("text"),
    }),
    connect: async (): Promise<UpstreamSocket> => ({
      send: () => {},
      read: pieces(new TextDecoder().decode(bytes).split("\n").filter(Boolean)),
      drain: () => [],
      close: () => {},
    }),
    live: unreachable("live"),
    warmUp: async () => {},
    reset: () => {},
    open: 0,
    close: async () => {},
  };
};

interface Recorded {
  readonly name: string;
  readonly transport: "rest" | "socket";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const fixture = (name: string, transport: Recorded["transport"] = "rest"): Recorded => ({
  name,
  transport,
  bytes: new Uint8Array(readFileSync(join(import.meta.dir, "../fixtures/grok-web", name))),
});

/** An answer of the same form whose text is two calls, in tokens of a few characters. */
const withCalls = (): Recorded => {
  const call = (name: string, json: string) =>
    `<tool_call><tool_name>${name}</tool_name><parameters>${json}</parameters></tool_call>`;
  const said = `Let me look. 👋\n\n<tool_calls>\n${call("get_weather", '{"city": "Pāris", "days": {"n": 2}}')}\n${call("get_time", "{}")}\n</tool_calls>`;
  const frame = (fields: object) => JSON.stringify({ result: { response: { isThinking: false, ...fields } } });
  const tokens = (said.match(/[\s\S]{1,9}/gu) ?? []).map((token) =>
    frame({ token, isSoftStop: false, messageTag: "final" }),
  );
  const lines = [
    ...tokens,
    frame({ token: "", isSoftStop: true, messageTag: "final" }),
    frame({ modelResponse: { responseId: "r", message: said } }),
  ];
  return { name: "two written calls", transport: "rest", bytes: new TextEncoder().encode(`${lines.join("\n")}\n`) };
};

const TOOLS = ["get_weather", "get_time"].map((name) => ({ name, parameters: {} }));

/** What the provider and the step for calls make of the bytes; pictures are given a link as if they had been stored. */
const answerTo = async ({ transport, bytes }: Recorded, ending: Ending): Promise<GenerationEvent[]> => {
  const config = configSchema.parse({ chat: { transport } });
  const provider = createGrokWeb({ http: networkWith(bytes, ending), config: () => config, clock: systemClock });
  const stream = provider.generate(
    { model: "grok-4", stream: true, messages: [{ role: "user", content: [{ type: "text", text: "x" }] }] },
    {
      credential: { accountId: "acc_test", token: "t", tier: "super", userId: "user-1" },
      signal: new AbortController().signal,
      log: silentLog,
      learn: () => {},
      model: findModel("grok-4") as WebModel,
      id: "answer-1",
      created: 1,
      files: [],
    },
  );
  let count = 0;
  const calls = createToolCalls({ tools: TOOLS, parallel: true, callId: () => `call_${++count}` });
  return [...calls.push(await gather(stream))].map((event) =>
    event.type === "image" ? { ...event, source: { link: "https://gw.example/v1/files/image/a.jpg" } } : event,
  );
};

const obeysGrammar = (events: readonly GenerationEvent[]): void => {
  const verifier = createVerifier();
  for (const event of events) verifier.accept(event);
  verifier.end();
};

/** One protocol's stream and body of a cut answer, against those of the whole one. */
const check = async (
  protocol: WrittenProtocol,
  events: readonly GenerationEvent[],
  all: readonly GenerationEvent[],
) => {
  const last = events.at(-1);
  const read = protocol.read(protocol.stream(events));
  const full = protocol.read(protocol.stream(all));
  const { status, body } = await protocol.whole(events);
  if (last?.type === "finish") {
    expect(read).toEqual(full);
    expect(status).toBe(200);
    return;
  }
  expect(read).toMatchObject({ outcome: "failed", finish: null, tokens: null });
  expect(full.text).toStartWith(read.text);
  expect(full.reasoning).toStartWith(read.reasoning);
  expect(full.calls.slice(0, read.calls.length)).toEqual([...read.calls]);
  expect(status).toBeGreaterThanOrEqual(500);
  expect(body).toMatchObject({ error: { message: expect.any(String) } });
};

const socketDone = `${JSON.stringify({ event: { type: "response.done", response: { id: "r1", status: "completed" } } })}\n`;
const ANSWERS: readonly Recorded[] = [
  ...["chat-new", "chat-followup", "chat-tool-card", "chat-citations", "chat-image.sse"].map((name) =>
    fixture(`${name}.ndjson`),
  ),
  // The recording has no end of its own.
  (() => {
    const { bytes, ...recorded } = fixture("socket-search.ndjson", "socket");
    return { ...recorded, bytes: new Uint8Array([...bytes, ...new TextEncoder().encode(socketDone)]) };
  })(),
  withCalls(),
];

describe.each(ANSWERS)("$name", (recorded) => {
  test.each(["clean end", "broken connection"] as const)(
    "cut at every byte: %s",
    async (ending) => {
      const all = await answerTo(recorded, "clean end");
      expect(all.at(-1)?.type).toBe("finish");
      let before = "";
      let failures = 0;
      for (let size = 0; size <= recorded.bytes.length; size++) {
        const events = await answerTo({ ...recorded, bytes: recorded.bytes.subarray(0, size) }, ending);
        // Most bytes change nothing: what follows from the same events has been seen.
        const seen = JSON.stringify(events);
        if (seen === before) continue;
        before = seen;
        try {
          obeysGrammar(events);
          for (const protocol of PROTOCOLS) await check(protocol, events, all);
        } catch (thrown) {
          throw new Error(`cut after ${size} bytes`, { cause: thrown });
        }
        if (events.at(-1)?.type === "failure") failures++;
      }
      expect(failures).toBeGreaterThan(2);
    },
    60_000,
  );
});

describe("over the whole program", () => {
  /** What the upstream answers to the next conversations. */
  let answer: { readonly bytes: Uint8Array<ArrayBuffer>; readonly ending: Ending } | null = null;
  const simulator = createSimulator({ tokenDelayMs: 0 });
  const upstream = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    // Otherwise every cut is printed.
    development: false,
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      if (pathname.startsWith("/users/")) return new Response(pngBytes());
      if (answer === null || !pathname.endsWith("/conversations/new")) {
        return fetch(`${simulator.url}${pathname}${search}`, request);
      }
      const { bytes, ending } = answer;
      let sent = false;
      const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
        // A turn of the event loop lets what was written leave before the connection breaks.
        await Bun.sleep(1);
        if (!sent && bytes.byteLength > 0) controller.enqueue(bytes);
        else if (ending === "clean end") controller.close();
        else controller.error(new Error("cut"));
        sent = true;
      };
      return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }));
    },
  });
  const at = upstream.url.origin;
  let program: Program;
  beforeAll(async () => {
    program = await startProgram({
      upstream: simulator,
      env: {
        GROK2API_GROK_BASE_URL: at,
        GROK2API_GROK_ASSETS_URL: at,
        GROK2API_GROK_ACCOUNTS_URL: at,
      },
    });
  });
  afterAll(async () => {
    await program.stop();
    await upstream.stop(true);
    await simulator.stop(true);
  });

  const tools = [{ name: "get_weather" }, { name: "get_time" }];
  const turn = [{ role: "user", content: "x" }];
  const ASKS: Readonly<Record<WrittenProtocol["name"], readonly [path: string, body: object]>> = {
    chat: [
      "/v1/chat/completions",
      { messages: turn, tools: tools.map((one) => ({ type: "function", function: one })) },
    ],
    responses: ["/v1/responses", { input: turn, tools: tools.map((one) => ({ type: "function", ...one })) }],
    messages: [
      "/v1/messages",
      { messages: turn, max_tokens: 1000, tools: tools.map((one) => ({ ...one, input_schema: { type: "object" } })) },
    ],
  };
  const send = async ({ name, read }: WrittenProtocol, stream: boolean) => {
    const [path, body] = ASKS[name];
    const response = await program.post(path, { model: "grok-4", stream, ...body });
    const text = await response.text();
    if (response.headers.get("content-type")?.startsWith("text/event-stream")) return read(text);
    const shown = JSON.parse(text) as { error?: { message: string; code?: string; type: string } };
    expect(response.status === 200).toBe(!shown.error);
    if (shown.error) expect(response.status).toBeGreaterThanOrEqual(500);
    return { outcome: shown.error ? "failed" : "complete", text: null };
  };

  test.each(ANSWERS.filter(({ transport }) => transport === "rest").map((one) => [one.name, one] as const))(
    "%s",
    async (_, { bytes }) => {
      const outcomes = new Set<string>();
      for (const protocol of PROTOCOLS) {
        answer = { bytes, ending: "clean end" };
        const whole = await send(protocol, true);
        expect(whole.outcome).toBe("complete");
        for (let part = 0; part < 12; part++) {
          const size = Math.floor((bytes.length * part) / 12);
          for (const ending of ["clean end", "broken connection"] as const) {
            answer = { bytes: bytes.subarray(0, size), ending };
            const streamed = await send(protocol, true);
            if (streamed.outcome === "complete") expect(streamed.text).toBe(whole.text);
            else if (streamed.text !== null) expect(whole.text).toStartWith(streamed.text);
            outcomes.add(streamed.text === null ? "refused" : streamed.outcome);
            expect((await send(protocol, false)).outcome, `${protocol.name} after ${size} bytes`).toBe(
              streamed.outcome,
            );
          }
        }
      }
      expect(outcomes).toContain("refused");
    },
    60_000,
  );
});
