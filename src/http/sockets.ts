// WebSockets: opening one for a route, refusing one in a way that a browser can see, and sending at the reader's pace. Knows no
// frame and no route. Invariant: after a socket has closed nothing is sent, and `closed` is told exactly once.
import type { ServerWebSocket, WebSocketHandler } from "bun";
import { GatewayError } from "../core/errors.ts";
import { baseUrl } from "./client-address.ts";
import type { Call } from "./context.ts";
import type { SocketPeer } from "./socket-peer.ts";

export interface SocketLine {
  /** Resolves when the reader has room for more; false once it is gone. */
  send(text: string): Promise<boolean>;
  close(code: number, reason: string): void;
}

/** What a route does with its socket. */
export interface SocketTalk {
  opened(line: SocketLine): void;
  received(text: string): void;
  closed(): void;
}

/** Commands are short; pictures are sent by us alone. */
const LONGEST_FRAME = 256 * 1024;
/** Silent sockets are pinged well before this; one that does not answer is closed. */
const IDLE_SECONDS = 60;
/** The code for "the rules forbid it" (RFC 6455). */
const POLICY_VIOLATION = 1008;
const LONGEST_REASON = 120;

/** The name by which a client says that a key follows, and which is sent back to it. */
const PROTOCOL = "grok2api";
const KEY_PREFIX = "key.";

export const SOCKETS: WebSocketHandler<SocketPeer> = {
  idleTimeout: IDLE_SECONDS,
  sendPings: true,
  maxPayloadLength: LONGEST_FRAME,
  open: (socket) => socket.data.opened(socket),
  message: (socket, message) => {
    if (typeof message === "string") socket.data.received(message);
    else socket.close(1003, "Text frames only");
  },
  drain: (socket) => socket.data.drained(),
  close: (socket) => socket.data.closed(),
};

export const isUpgrade = (request: Request): boolean =>
  request.headers.get("upgrade")?.trim().toLowerCase() === "websocket";

const protocolsOf = (request: Request): readonly string[] =>
  (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());

/**
 * A key that came as a subprotocol (`grok2api`, `key.<base64url>`): a browser can set no header, and an address ends up in
 * logs and histories.
 */
export const socketKeyOf = (request: Request): string | null => {
  const named = protocolsOf(request).find((name) => name.startsWith(KEY_PREFIX));
  if (named === undefined) return null;
  const key = Buffer.from(named.slice(KEY_PREFIX.length), "base64url").toString();
  return key === "" ? null : key;
};

const peerOf = (talk: SocketTalk): SocketPeer => {
  let own: ServerWebSocket<SocketPeer> | null = null;
  let wake: (() => void) | undefined;
  const line: SocketLine = {
    async send(text) {
      if (!own) return false;
      // 0: dropped, the socket is gone. -1: kept, but the reader is slow.
      const sent = own.send(text);
      if (sent === 0) return false;
      if (sent === -1) await new Promise<void>((resolve) => (wake = resolve));
      return own !== null;
    },
    close: (code, reason) => own?.close(code, reason.slice(0, LONGEST_REASON)),
  };
  return {
    opened(socket) {
      own = socket;
      talk.opened(line);
    },
    received: (text) => talk.received(text),
    drained() {
      wake?.();
      wake = undefined;
    },
    closed() {
      own = null;
      wake?.();
      talk.closed();
    },
  };
};

/** Turns the request into a socket; the response is for the log alone. */
export const openSocket = (call: Call, talk: SocketTalk): Response => {
  const { request, server } = call;
  if (!isUpgrade(request)) {
    throw new GatewayError("unsupported_operation", "This address is for WebSocket connections only.");
  }
  const headers: Record<string, string> = protocolsOf(request).includes(PROTOCOL)
    ? { "sec-websocket-protocol": PROTOCOL }
    : {};
  if (server?.upgrade?.(request, { data: peerOf(talk), headers }) !== true) {
    throw new GatewayError("invalid_value", "The request could not be turned into a WebSocket.");
  }
  return new Response(null, { status: 101 });
};

/** A browser cannot read the answer to a refused upgrade: it is let in, told why, and shown out. */
export const refuseSocket = (call: Call, error: GatewayError): Response => {
  const { code, message } = error;
  call.record.error = error;
  const say = async (line: SocketLine) => {
    await line.send(JSON.stringify({ type: "error", message, code }));
    line.close(POLICY_VIOLATION, message);
  };
  return openSocket(call, { opened: (line) => void say(line), received: () => {}, closed: () => {} });
};

/** Whether the page that opens the socket may: browsers do not ask before, as they do for other requests. */
export const checkOrigin = (call: Call, origins: readonly string[]): void => {
  const origin = call.request.headers.get("origin");
  if (origin === null || origins.includes("*") || origins.includes(origin)) return;
  const own = [new URL(baseUrl(call)).host, call.request.headers.get("host")];
  if (URL.canParse(origin) && own.includes(new URL(origin).host)) return;
  throw new GatewayError("permission_denied", "Pages of this origin may not connect (server.cors_origins).");
};
