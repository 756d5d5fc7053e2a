// Callers that vanish in mid-stream, many at once and again and again, against the executable and an upstream in a process of
// its own: the upstream is let go at once, nothing stays in flight, and the memory stays where it was.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { emptyFolder, type Gateway, startGateway, startUpstream } from "../support/binary.ts";
import { mergeSettings, tokenFile, tomlOf, upstreamAt, within } from "../support/trial.ts";

const CLIENTS = 200;
const ROUNDS = 5;
const GONE_WITHIN_MS = 2_000;
const KEY = "sk-aborts-test-0001";
const PASSWORD = "aborts-test-password";

/** Enough counters for all rounds, and places for all clients at once. */
const ACCOUNTS = Array.from({ length: 20 }, (_, index) => `sim-heavy-ok-abort-${index}`);

const openCalls = async (upstream: Gateway): Promise<number> => {
  const stats = (await (await fetch(`${upstream.url}/__sim/stats`)).json()) as { open: { total: number } };
  return stats.open.total;
};

const inFlight = async (gateway: Gateway): Promise<number> => {
  const answer = await fetch(`${gateway.url}/api/v1/admin/tokens`, {
    headers: { authorization: `Bearer ${PASSWORD}` },
  });
  const counts = [...(await answer.text()).matchAll(/"in_flight":(\d+)/g)].map(([, count]) => Number(count));
  expect(counts).toHaveLength(ACCOUNTS.length);
  return counts.reduce((sum, count) => sum + count, 0);
};

/** Only Linux tells the memory of another process without a further program. */
const residentMb = (pid: number): number | null => {
  if (process.platform !== "linux") return null;
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
};

/** A caller who has read the first words of an answer; the function breaks the connection off, by FIN or by RST. */
const listener = (gateway: Gateway, turn: number): Promise<() => void> => {
  const { hostname, port } = new URL(gateway.url);
  const body = JSON.stringify({
    model: "grok-4-fast",
    stream: true,
    messages: [{ role: "user", content: `sim:long-4000 sim:slow-20 ${turn}` }],
  });
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    `Host: ${hostname}:${port}`,
    `Authorization: Bearer ${KEY}`,
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  const { promise, resolve, reject } = Promise.withResolvers<() => void>();
  let answer = "";
  Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      open: (socket) => void socket.write(`${head.join("\r\n")}\r\n\r\n${body}`),
      data(socket, chunk) {
        answer += chunk.toString();
        if (answer.includes("word2")) resolve(() => void (turn % 2 === 0 ? socket.terminate() : socket.end()));
      },
      close: () => reject(new Error(`closed before the first words: ${answer.slice(0, 300)}`)),
      error: (_socket, error) => reject(error),
    },
  }).catch(reject);
  return promise;
};

test.each(["rest", "socket"] as const)(
  "callers that hang up are noticed, let go and forgotten, over %s",
  async (transport) => {
    using folder = emptyFolder();
    using upstreamFolder = emptyFolder();
    await using upstream = await startUpstream(upstreamFolder);
    const settings = mergeSettings(upstreamAt(upstream.url), {
      app: { api_key: [KEY], app_key: PASSWORD },
      chat: { transport },
      token: { strategy: "least_used", max_inflight: 50 },
    });
    folder.write("data/config.toml", tomlOf(settings));
    folder.write("data/token.json", tokenFile(ACCOUNTS));
    await using gateway = await startGateway({ folder });

    const resident: number[] = [];
    const goneMs: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const callers = await Promise.all(Array.from({ length: CLIENTS }, (_, turn) => listener(gateway, turn)));
      expect(await openCalls(upstream)).toBe(CLIENTS);
      for (const hangUp of callers) hangUp();
      const started = performance.now();
      // Only the upstream is asked: the gateway must notice by itself, with nobody else talking to it.
      await within(GONE_WITHIN_MS, "the upstream calls to end", async () => (await openCalls(upstream)) === 0);
      goneMs.push(Math.round(performance.now() - started));
      expect(await inFlight(gateway)).toBe(0);
      await Bun.sleep(500);
      resident.push(Math.round(residentMb(gateway.pid) ?? 0));
    }
    console.log(`${transport}: upstream let go after ${goneMs.join(", ")} ms; resident ${resident.join(", ")} MB`);
    // The first rounds fill pools that are then used again; what is left must not grow by the round.
    const [, , third = 0] = resident;
    expect((resident.at(-1) ?? 0) - third).toBeLessThan(60);

    const asked = (await (await fetch(`${upstream.url}/__sim/stats`)).json()) as { aborted: number };
    expect(asked.aborted).toBe(CLIENTS * ROUNDS);
    expect(gateway.output()).not.toContain("reported twice");
    expect(gateway.output()).not.toContain("did not end after its abort");
    expect(await gateway.stop()).toBe(0);
  },
  120_000,
);
