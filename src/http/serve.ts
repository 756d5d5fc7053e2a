// Opens the listening socket for a server and closes it in order. Knows no route.
// Invariant: what the socket itself refuses (a body beyond every limit, a fault before the app) is answered in JSON where it can be.
import { asGatewayError } from "../core/errors.ts";
import { hexId } from "../lib/ids.ts";
import { errorResponse } from "./errors.ts";
import type { Server } from "./server.ts";
import type { SocketPeer } from "./socket-peer.ts";
import { SOCKETS } from "./sockets.ts";
import { IDLE_SECONDS } from "./streaming.ts";

export interface ServeOptions {
  readonly server: Server;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Quiet connections are closed after this; streams are exempt. */
  readonly idleTimeoutSeconds?: number;
}

export interface Listening {
  /** As a person on this machine would open it. */
  readonly url: string;
  readonly port: number;
  /** Ends what runs after the grace time, then closes every connection. */
  stop(graceMs: number): Promise<void>;
}

/** Above every value of `server.max_body_mb`: the socket's own refusal has no body, so ours must come first. */
const SOCKET_BODY_LIMIT = 1_100 * 1024 * 1024;
/** Last bytes that the kernel still holds get this long. */
const FLUSH_MS = 500;

export const serve = (options: ServeOptions): Listening => {
  const { server, host, port } = options;
  const socket = open(options);
  return {
    url: `http://${urlHost(host)}:${socket.port}`,
    port: socket.port ?? port,
    async stop(graceMs) {
      await server.drain(graceMs);
      await Promise.race([socket.stop(), Bun.sleep(FLUSH_MS)]);
      await socket.stop(true);
    },
  };
};

/** "All addresses" is no address that a browser can open. */
const urlHost = (host: string): string => {
  if (host === "0.0.0.0" || host === "::" || host === "") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
};

const open = ({ server, host, port, idleTimeoutSeconds = IDLE_SECONDS }: ServeOptions): Bun.Server<SocketPeer> => {
  try {
    return Bun.serve<SocketPeer>({
      hostname: host,
      port,
      idleTimeout: idleTimeoutSeconds,
      maxRequestBodySize: SOCKET_BODY_LIMIT,
      development: false,
      fetch: (request, own) => server.fetch(request, own),
      websocket: SOCKETS,
      error: (thrown) => errorResponse(asGatewayError(thrown), { path: "/", requestId: hexId("req_") }),
    });
  } catch (thrown) {
    throw new Error(`cannot listen on ${host}:${port}: ${whyNot(thrown)}`, { cause: thrown });
  }
};

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is taken; stop the other program or choose another port with SERVER_PORT",
  EADDRNOTAVAIL: "this machine does not have that address; check SERVER_HOST",
  EACCES: "this user may not take that port; choose one above 1023 with SERVER_PORT",
};

const whyNot = (thrown: unknown): string => {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "";
  return REASONS[code] ?? (thrown instanceof Error ? thrown.message : String(thrown));
};
