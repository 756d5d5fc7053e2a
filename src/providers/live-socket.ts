// One live socket over Bun's own client: frames wait in a short queue, and while it is full nothing more is read from the
// network, so that the peer is slowed down. Knows no frame. Invariants: nothing is sent after the end, `ended` resolves
// exactly once, and a peer that does not close is cut off.
import type { Frame, SocketEnd } from "../core/speech.ts";
import { isObject } from "../lib/json.ts";
import { LiveRefused, type LiveRequest, type LiveSocket } from "./upstream-port.ts";

export type Dial = (url: string, options: Bun.WebSocketOptions) => Bun.WebSocket;

/** Waiting to be read: above the first the network is left alone, below the second it is read again. */
const QUEUE_FULL = 1024 * 1024;
const QUEUE_LOW = 256 * 1024;
/** Waiting to be sent; a minute of uncompressed speech is 3 MB. */
const SEND_LIMIT = 16 * 1024 * 1024;
/** For the peer to answer our close. */
const CLOSE_MS = 1_500;
const ABNORMAL = 1006;

/** The code that a frame may carry; others only say how a connection ended (RFC 6455). */
const sendable = ({ code, reason }: SocketEnd): SocketEnd => {
  const isSendable = (code >= 1000 && code <= 1014 && ![1004, 1005, ABNORMAL].includes(code)) || code >= 3000;
  return isSendable && code <= 4999 ? { code, reason } : { code: 1000, reason: "" };
};

/** What Bun tells of an answer that is no upgrade; its error names the status only. */
const refusalIn = (data: unknown): LiveRefused | null => {
  if (!isObject(data)) return null;
  const { statusCode: status, body, rawHeaders } = data;
  if (typeof status !== "number" || status === 101) return null;
  const headers = Array.isArray(rawHeaders) ? rawHeaders.map(String) : [];
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "retry-after");
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : "";
  return new LiveRefused({ status, body: text, retryAfter: at < 0 ? null : (headers[at + 1] ?? null) });
};

const refusalOf = (message: string): LiveRefused | null => {
  const status = /expected 101 status code: (\d{3})/i.exec(message)?.[1];
  return status === undefined ? null : new LiveRefused({ status: Number(status), body: "", retryAfter: null });
};

export const openLiveSocket = (dial: Dial, { url, headers, egress, signal }: LiveRequest): Promise<LiveSocket> => {
  const { promise, resolve, reject } = Promise.withResolvers<LiveSocket>();
  const { promise: ended, resolve: end } = Promise.withResolvers<SocketEnd>();
  const socket = dial(url, {
    headers: Object.fromEntries(headers),
    perMessageDeflate: false,
    ...(egress.proxy ? { proxy: egress.proxy } : {}),
    ...(egress.insecure ? { tls: { rejectUnauthorized: false } } : {}),
  });
  socket.binaryType = "arraybuffer";
  const queue: Frame[] = [];
  let waiting = 0;
  let over = false;
  let wake: (() => void) | undefined;
  let refusal: LiveRefused | null = null;

  const finish = (how: SocketEnd) => {
    over = true;
    end(how);
    wake?.();
  };
  const sizeOf = (frame: Frame) => (typeof frame === "string" ? frame.length : frame.byteLength);
  const close: LiveSocket["close"] = (how) => {
    if (over || socket.readyState >= 2) return;
    // The peer's own close lies behind what was not read yet.
    socket.resume();
    const { code, reason } = sendable(how);
    socket.close(code, reason.slice(0, 120));
    const timer = setTimeout(() => {
      socket.terminate();
      finish({ code: ABNORMAL, reason: "" });
    }, CLOSE_MS);
    void ended.then(() => clearTimeout(timer));
  };

  socket.addEventListener("handshake", (event: Event) => {
    refusal ??= refusalIn("data" in event ? event.data : undefined);
  });
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    // After our own close nobody reads any more.
    if (over || socket.readyState !== 1) return;
    const frame = typeof data === "string" ? data : new Uint8Array(data);
    queue.push(frame);
    waiting += sizeOf(frame);
    if (waiting > QUEUE_FULL) socket.pause();
    wake?.();
  };
  socket.onerror = (event) => {
    const message = "message" in event ? String(event.message) : "the socket broke";
    reject(refusal ?? refusalOf(message) ?? new Error(`Unable to connect: ${message}`));
  };
  socket.onclose = ({ code, reason }) => {
    reject(refusal ?? new Error("Unable to connect: the socket closed before it was open"));
    finish({ code, reason });
  };
  socket.onopen = () => {
    if (signal.aborted) close({ code: 1000, reason: "" });
    resolve({
      async read() {
        while (queue.length === 0 && !over) {
          await new Promise<void>((ready) => (wake = ready));
          wake = undefined;
        }
        const frame = queue.shift();
        if (frame === undefined) return null;
        waiting -= sizeOf(frame);
        if (socket.isPaused && waiting < QUEUE_LOW) socket.resume();
        return frame;
      },
      send(frame) {
        if (over || socket.readyState !== 1) return true;
        if (socket.bufferedAmount > SEND_LIMIT) return false;
        socket.send(frame);
        return true;
      },
      close,
      ended,
    });
  };
  return promise;
};
