// The live socket against real servers: what a refusal says, the way through a proxy, a reader that rests, and peers that do not
// close. Invariant: whatever the peer does, the socket ends within two seconds of its close.
import { afterEach, describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import { systemClock } from "../../src/lib/clock.ts";
import { createUpstreamHttp } from "../../src/providers/upstream-http.ts";
import { LiveRefused, type LiveRequest, type LiveSocket } from "../../src/providers/upstream-port.ts";
import { rejection } from "../support/events.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const http = createUpstreamHttp({ clock: systemClock, longestIdleMs: () => 60_000 });

const connect = (url: string, more: Partial<LiveRequest> & { proxy?: string } = {}): Promise<LiveSocket> =>
  http.live({
    url,
    headers: [["authorization", "Bearer xai-test"]],
    egress: { client: "fetch", proxy: more.proxy ?? null, browser: "", insecure: false },
    signal: new AbortController().signal,
    handshake: { ms: 2000, setting: "xai.timeout" },
    ...more,
  });

/** Says "hello" with the credential that it was shown, then echoes; closes with the code that it is told. */
const startEcho = () => {
  let peer: Bun.ServerWebSocket | undefined;
  const server = Bun.serve<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request, own) {
      const { pathname } = new URL(request.url);
      if (pathname === "/no") {
        return Response.json({ error: "Too many requests" }, { status: 429, headers: { "retry-after": "7" } });
      }
      return own.upgrade(request) ? undefined : new Response(null, { status: 400 });
    },
    websocket: {
      backpressureLimit: 256 * 1024 * 1024,
      open: (socket) => void (peer = socket),
      message(socket, message) {
        const text = typeof message === "string" ? message : "";
        if (text.startsWith("close ")) socket.close(Number(text.slice(6)), "as told");
        else if (text === "flood") for (let i = 0; i < 64; i++) socket.send(`${i} `.padEnd(1024 * 1024, "x"));
        else socket.send(message);
      },
    },
  });
  closers.push(() => server.stop(true));
  return { url: `ws://127.0.0.1:${server.port}`, buffered: () => peer?.getBufferedAmount() ?? 0 };
};

/** A raw server; what it hears of each connection goes to `on`. */
const startRaw = async (on: (socket: Socket, text: string) => void): Promise<number> => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", (data) => on(socket, data.toString()));
  });
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
};

describe("a live socket", () => {
  test("passes text and bytes, and tells how the peer has closed", async () => {
    const { url } = startEcho();
    const socket = await connect(url);
    socket.send("hello");
    expect(await socket.read()).toBe("hello");
    socket.send(new Uint8Array([1, 2, 3]));
    expect(await socket.read()).toEqual(new Uint8Array([1, 2, 3]));
    socket.send("close 4321");
    expect(await socket.read()).toBeNull();
    expect(await socket.ended).toEqual({ code: 4321, reason: "as told" });
    expect(socket.send("late")).toBeTrue();
    expect(http.open).toBe(0);
  });

  test("tells status, words and waiting time of a refusal", async () => {
    const { url } = startEcho();
    const refused = (await rejection(connect(`${url}/no`))) as LiveRefused;
    expect(refused).toBeInstanceOf(LiveRefused);
    expect([refused.status, refused.body, refused.retryAfter]).toEqual([429, '{"error":"Too many requests"}', "7"]);
  });

  test("is told when nobody is there, when nobody answers, and when it is no longer wanted", async () => {
    expect(await rejection(connect("ws://127.0.0.1:1"))).toMatchObject({ code: "egress_unreachable" });
    const silent = await startRaw(() => {});
    const handshake = { ms: 200, setting: "xai.timeout" };
    expect(await rejection(connect(`ws://127.0.0.1:${silent}`, { handshake }))).toMatchObject({
      code: "upstream_timeout",
      message: expect.stringContaining("xai.timeout") as string,
    });
    const leaving = new AbortController();
    const waiting = connect(`ws://127.0.0.1:${silent}`, { signal: leaving.signal });
    leaving.abort(new Error("left"));
    expect(await rejection(waiting)).toMatchObject({ message: "left" });
    expect(http.open).toBe(0);
  });

  test("goes through the configured proxy, and says so when that fails", async () => {
    const asked: string[] = [];
    const proxy = await startRaw((socket, text) => {
      asked.push(text.split("\r\n")[0] ?? "");
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    });
    const failed = await rejection(connect("ws://api.example.test/v1", { proxy: `http://127.0.0.1:${proxy}` }));
    expect(failed).toMatchObject({ code: "egress_unreachable", message: expect.stringContaining("proxy") as string });
    expect(asked).toEqual(["CONNECT api.example.test:80 HTTP/1.1"]);
  });

  test("a reader that rests stops the network, and gets everything in the end", async () => {
    const { url, buffered } = startEcho();
    const socket = await connect(url);
    socket.send("flood");
    await Bun.sleep(300);
    // What was not read yet is still the server's.
    expect(buffered()).toBeGreaterThan(32 * 1024 * 1024);
    const seen: string[] = [];
    for (let i = 0; i < 64; i++) seen.push(String(await socket.read()).split(" ")[0] ?? "");
    expect(seen).toEqual(Array.from({ length: 64 }, (_, index) => String(index)));
    socket.close({ code: 1000, reason: "" });
    expect((await socket.ended).code).toBe(1000);
  });

  test("a peer that does not answer a close is cut off within two seconds", async () => {
    const mute = await startRaw((socket, text) => {
      const key = /sec-websocket-key: (\S+)/i.exec(text)?.[1] ?? "";
      const accept = new Bun.CryptoHasher("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
      );
    });
    const socket = await connect(`ws://127.0.0.1:${mute}`);
    const began = performance.now();
    socket.close({ code: 1006, reason: "a code that no frame may carry" });
    await socket.ended;
    expect(performance.now() - began).toBeWithin(1000, 2000);
    expect(await socket.read()).toBeNull();
  });
});
