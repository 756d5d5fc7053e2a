// What the listening server keeps with an open WebSocket. Knows no route; sockets.ts makes it.
import type { ServerWebSocket } from "bun";

export interface SocketPeer {
  /** The largest frame that is taken. */
  readonly longestFrame: number;
  opened(socket: ServerWebSocket<SocketPeer>): void;
  received(text: string): void;
  /** Absent where there are text frames only. */
  receivedBytes?(bytes: Uint8Array<ArrayBuffer>): void;
  drained(): void;
  closed(code: number, reason: string): void;
}
