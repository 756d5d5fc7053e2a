// The pace of a socket: whoever sends waits for the reader, and nobody is left waiting when it drains or goes.
import { expect, test } from "bun:test";
import type { Call } from "../../src/http/context.ts";
import type { SocketPeer } from "../../src/http/socket-peer.ts";
import { openSocket, type SocketLine } from "../../src/http/sockets.ts";

/** A socket whose reader takes nothing until it is told to. */
const slowSocket = () => {
  let peer: SocketPeer | undefined;
  let line: SocketLine | undefined;
  const request = new Request("http://host/socket", { headers: { upgrade: "websocket" } });
  const server = {
    upgrade(_request: Request, options: { data: SocketPeer }) {
      peer = options.data;
      return true;
    },
  };
  openSocket({ request, server } as unknown as Call, {
    opened: (own) => (line = own),
    received: () => {},
    closed: () => {},
  });
  const socket = { send: () => -1, close: () => {}, terminate: () => {} };
  peer?.opened(socket as unknown as Parameters<SocketPeer["opened"]>[0]);
  if (!peer || !line) throw new Error("the socket was not opened");
  return { peer, line };
};

const settledSoon = (work: Promise<unknown>) => Promise.race([work, Bun.sleep(200).then(() => "still waiting")]);

test("everybody who waits goes on when the reader has room again", async () => {
  const { peer, line } = slowSocket();
  const both = Promise.all([line.send("a picture"), line.send("a pong")]);
  peer.drained();
  expect(await settledSoon(both)).toEqual([true, true]);
});

test("everybody who waits is told that the reader is gone", async () => {
  const { peer, line } = slowSocket();
  const both = Promise.all([line.send("a picture"), line.send("a pong")]);
  peer.closed(1006, "");
  expect(await settledSoon(both)).toEqual([false, false]);
  expect(await line.send("more")).toBe(false);
});
