// What a simulated WebSocket is to the server: three callbacks, and a sender that respects back-pressure.
// Knows no frame. Invariant: after `closed` nothing is sent.
import type { ServerWebSocket } from "bun";
import type { OpenCall } from "./journal.ts";

export interface SocketSession {
  opened(socket: ServerWebSocket<SocketSession>): void;
  received(text: string): void;
  drained(): void;
  closed(): void;
}

export interface SocketLine {
  attach(socket: ServerWebSocket<SocketSession>): void;
  /** Resolves when the frame is out of the way; false once the socket is gone. */
  send(frame: object | string): Promise<boolean>;
  sendBinary(bytes: Uint8Array): void;
  close(): void;
  /** Drops the connection without a closing handshake. */
  cut(): void;
  drained(): void;
  gone(): void;
  readonly signal: AbortSignal;
}

export function createSocketLine(call: OpenCall): SocketLine {
  const left = new AbortController();
  let socket: ServerWebSocket<SocketSession> | undefined;
  let wake: (() => void) | undefined;

  return {
    signal: left.signal,
    attach(opened) {
      socket = opened;
    },
    async send(frame) {
      if (socket === undefined || left.signal.aborted) return false;
      const sent = socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
      if (sent === -1) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return !left.signal.aborted;
    },
    sendBinary(bytes) {
      if (!left.signal.aborted) socket?.sendBinary(bytes);
    },
    close() {
      call.close("completed");
      socket?.close(1000);
    },
    cut() {
      call.close("cut");
      left.abort();
      socket?.terminate();
    },
    drained() {
      wake?.();
      wake = undefined;
    },
    gone() {
      left.abort();
      wake?.();
    },
  };
}
