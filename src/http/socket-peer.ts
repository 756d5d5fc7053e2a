// What the listening server keeps with an open WebSocket. Knows no route; sockets.ts makes it.
import type { ServerWebSocket } from "bun";

export interface SocketPeer {
  opened(socket: ServerWebSocket<SocketPeer>): void;
  received(text: string): void;
  drained(): void;
  closed(): void;
}
