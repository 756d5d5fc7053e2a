// Small loopback proxies for tests: HTTP (absolute form and CONNECT) and SOCKS5. They count what passes and for which host.
import { createServer as createHttpServer, request as httpRequest } from "node:http";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface TestProxy {
  readonly url: (scheme: string) => string;
  /** Host names asked for, as the client wrote them. */
  readonly asked: string[];
  close(): void;
}

const listen = (server: { listen(port: number, host: string, done: () => void): void; address(): unknown }) =>
  new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });

/** Every name leads to this machine: the tests never leave it. */
const dial = (port: number): Socket => connect(port, "127.0.0.1");

const join = (one: Socket, other: Socket) => {
  one.on("error", () => other.destroy());
  other.on("error", () => one.destroy());
  one.pipe(other).pipe(one);
};

export const startHttpProxy = async (credentials?: string): Promise<TestProxy> => {
  const asked: string[] = [];
  const expected = credentials ? `Basic ${btoa(credentials)}` : undefined;
  const server = createHttpServer((incoming, answer) => {
    if (expected && incoming.headers["proxy-authorization"] !== expected) return void answer.writeHead(407).end();
    const target = new URL(incoming.url ?? "");
    asked.push(target.hostname);
    const onward = httpRequest(
      {
        host: "127.0.0.1",
        port: target.port,
        path: target.pathname + target.search,
        method: incoming.method,
        headers: incoming.headers,
      },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 502, reply.headers);
        reply.pipe(answer);
      },
    );
    incoming.pipe(onward);
  });
  // A plain `ws:` upgrade comes in absolute form too.
  server.on("upgrade", (incoming, socket: Socket, head: Buffer) => {
    if (expected && incoming.headers["proxy-authorization"] !== expected) return void socket.destroy();
    const target = new URL(incoming.url ?? "");
    asked.push(target.hostname);
    const onward = dial(Number(target.port));
    onward.once("connect", () => {
      const lines = [`GET ${target.pathname}${target.search} HTTP/1.1`];
      for (let at = 0; at < incoming.rawHeaders.length; at += 2) {
        lines.push(`${incoming.rawHeaders[at]}: ${incoming.rawHeaders[at + 1]}`);
      }
      onward.write(`${lines.join("\r\n")}\r\n\r\n`);
      onward.write(head);
      join(socket, onward);
    });
    onward.on("error", () => socket.destroy());
  });
  server.on("connect", (incoming, socket: Socket) => {
    if (expected && incoming.headers["proxy-authorization"] !== expected) {
      return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    }
    const [host = "", port = "0"] = (incoming.url ?? "").split(":");
    asked.push(host);
    const onward = dial(Number(port));
    onward.once("connect", () => {
      socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      join(socket, onward);
    });
    onward.on("error", () => socket.destroy());
  });
  const port = await listen(server);
  const at = credentials ? `${credentials}@` : "";
  return { url: (scheme) => `${scheme}://${at}127.0.0.1:${port}`, asked, close: () => void server.close() };
};

export const startSocksProxy = async (): Promise<TestProxy> => {
  const asked: string[] = [];
  const server = createServer((socket) => {
    let state: "greeting" | "request" | "open" = "greeting";
    socket.on("error", () => socket.destroy());
    socket.on("data", (data: Buffer) => {
      if (state === "greeting") {
        state = "request";
        socket.write(Buffer.from([5, 0]));
        return;
      }
      if (state !== "request") return;
      state = "open";
      const isName = data[3] === 3;
      const length = isName ? (data[4] ?? 0) : 4;
      const start = isName ? 5 : 4;
      asked.push(isName ? data.subarray(start, start + length).toString() : [...data.subarray(4, 8)].join("."));
      const onward = dial(data.readUInt16BE(start + length));
      onward.once("connect", () => {
        socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0]));
        socket.removeAllListeners("data");
        join(socket, onward);
      });
      onward.on("error", () => socket.destroy());
    });
  });
  const port = await listen(server);
  return { url: (scheme) => `${scheme}://127.0.0.1:${port}`, asked, close: () => void server.close() };
};
