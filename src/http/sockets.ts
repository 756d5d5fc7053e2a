// WebSockets: opening one for a route, refusing one in a way that a browser can see, and sending at the reader's pace. Knows no
// frame and no route. Invariant: after a socket has closed nothing is sent, and `closed` is told exactly once.
import type { ServerWebSocket, WebSocketHandler } from "bun";
import { GatewayError } from "../core/errors.ts";
import { baseUrl } from "./client-address.ts";
import type { Call } from "./context.ts";
import type { SocketPeer } from "./socket-peer.ts";

export interface SocketLine {
  /** Resolves when the reader has room for more; false once it is gone. */
  send(frame: string | Uint8Array<ArrayBuffer>): Promise<boolean>;
  /** One that does not close by itself is cut off. */
  close(code: number, reason: string): void;
}

/** What a route does with its socket. */
export interface SocketTalk {
  /** Commands are short unless it says otherwise. */
  readonly longestFrame?: number;
  opened(line: SocketLine): void;
  received(text: string): void;
  receivedBytes?(bytes: Uint8Array<ArrayBuffer>): void;
  closed(code: number, reason: string): void;
}

/** Commands are short; pictures are sent by us alone. */
const LONGEST_COMMAND = 256 * 1024;
/** The largest of any route: a piece of sound as OpenAI's clients may send it. */
export const LONGEST_FRAME = 16 * 1024 * 1024;
/** For the other side to answer a close. */
const CLOSE_MS = 1_500;
const TOO_LARGE = 1009;
/** Silent sockets are pinged well before this; one that does not answer is closed. */
const IDLE_SECONDS = 60;
/** The code for "the rules forbid it" (RFC 6455). */
const POLICY_VIOLATION = 1008;
const LONGEST_REASON = 120;

/** The names by which a client says that a key follows, and of which one is sent back to it. */
const PROTOCOLS = ["grok2api", "realtime"];
const KEY_PREFIX = "key.";
/** The same as the clients of OpenAI and of xAI write it. */
const PLAIN_KEY_PREFIXES = ["openai-insecure-api-key.", "xai-client-secret."];

export const SOCKETS: WebSocketHandler<SocketPeer> = {
  idleTimeout: IDLE_SECONDS,
  sendPings: true,
  maxPayloadLength: LONGEST_FRAME,
  open: (socket) => socket.data.opened(socket),
  message: (socket, message) => {
    const { data } = socket;
    if (message.length > data.longestFrame) socket.close(TOO_LARGE, "The frame is too large");
    else if (typeof message === "string") data.received(message);
    else if (data.receivedBytes) data.receivedBytes(new Uint8Array(message));
    else socket.close(1003, "Text frames only");
  },
  drain: (socket) => socket.data.drained(),
  close: (socket, code, reason) => socket.data.closed(code, reason),
};

export const isUpgrade = (request: Request): boolean =>
  request.headers.get("upgrade")?.trim().toLowerCase() === "websocket";

const protocolsOf = (request: Request): readonly string[] =>
  (request.headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());

const plainKeyPrefix = (name: string): string | undefined =>
  PLAIN_KEY_PREFIXES.find((prefix) => name.startsWith(prefix) && name.length > prefix.length);

/**
 * A key that came as a subprotocol (`grok2api`, `key.<base64url>`, or as other vendors' clients write it): a browser can set
 * no header, and an address ends up in logs and histories.
 */
export const socketKeyOf = (request: Request): string | null => {
  const plain = protocolsOf(request).find((name) => plainKeyPrefix(name) !== undefined);
  if (plain !== undefined) return plain.slice(plainKeyPrefix(plain)?.length);
  const named = protocolsOf(request).find((name) => name.startsWith(KEY_PREFIX));
  if (named === undefined) return null;
  const key = Buffer.from(named.slice(KEY_PREFIX.length), "base64url").toString();
  return key === "" ? null : key;
};

const peerOf = (talk: SocketTalk): SocketPeer => {
  let own: ServerWebSocket<SocketPeer> | null = null;
  /** One for all who wait: pictures and answers to commands may meet at a slow reader. */
  let room: Promise<void> | undefined;
  let tellRoom = () => {};
  let cutOff: ReturnType<typeof setTimeout> | undefined;
  const line: SocketLine = {
    async send(frame) {
      if (!own) return false;
      // 0: dropped, the socket is gone. -1: kept, but the reader is slow.
      const sent = own.send(frame);
      if (sent === 0) return false;
      if (sent === -1) await (room ??= new Promise((resolve) => (tellRoom = resolve)));
      return own !== null;
    },
    close(code, reason) {
      own?.close(code, reason.slice(0, LONGEST_REASON));
      cutOff ??= setTimeout(() => own?.terminate(), CLOSE_MS);
    },
  };
  const wake = () => {
    tellRoom();
    room = undefined;
  };
  const { receivedBytes } = talk;
  return {
    longestFrame: talk.longestFrame ?? LONGEST_COMMAND,
    ...(receivedBytes ? { receivedBytes: (bytes) => receivedBytes.call(talk, bytes) } : {}),
    opened(socket) {
      own = socket;
      talk.opened(line);
    },
    received: (text) => talk.received(text),
    drained: wake,
    closed(code, reason) {
      own = null;
      clearTimeout(cutOff);
      wake();
      talk.closed(code, reason);
    },
  };
};

/** Turns the request into a socket; the response is for the log alone. */
export const openSocket = (call: Call, talk: SocketTalk): Response => {
  const { request, server } = call;
  if (!isUpgrade(request)) {
    throw new GatewayError("unsupported_operation", "This address is for WebSocket connections only.");
  }
  const offered = protocolsOf(request);
  // A browser that offered some closes when none is taken; a name that holds a key is only sent back where there is no other.
  const chosen = PROTOCOLS.find((name) => offered.includes(name)) ?? offered.find((name) => plainKeyPrefix(name));
  const headers: Record<string, string> = chosen === undefined ? {} : { "sec-websocket-protocol": chosen };
  if (server?.upgrade?.(request, { data: peerOf(talk), headers }) !== true) {
    throw new GatewayError("invalid_value", "The request could not be turned into a WebSocket.");
  }
  return new Response(null, { status: 101 });
};

/** What a socket's client is told before it is shown out, where a route has no words of its own. */
const plainRefusal = ({ code, message }: GatewayError): object => ({ type: "error", message, code });

/** A browser cannot read the answer to a refused upgrade: it is let in, told why, and shown out. */
export const refuseSocket = (call: Call, error: GatewayError, words = plainRefusal): Response => {
  call.record.error = error;
  const say = async (line: SocketLine) => {
    await line.send(JSON.stringify(words(error)));
    line.close(POLICY_VIOLATION, error.message);
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
