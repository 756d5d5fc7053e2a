// The only door to the network: one port over two HTTP clients, and the only importer of wreq-js.
// wreq looks like a browser (TLS, HTTP/2 and header order); Bun's own fetch serves hosts that do not look at that.
// Owns what the clients lack: cancelling that reaches the upstream, limits that name their setting, transport sharding.
// Knows no upstream's protocol. Facts about wreq-js were measured on 3.1.0, 2026-11.
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { createBodyGuard } from "./body-guard.ts";
import { openLiveSocket } from "./live-socket.ts";
import {
  LiveRefused,
  UpgradeRefused,
  type Egress,
  type SocketRequest,
  type UpstreamHttp,
  type UpstreamRequest,
  type UpstreamResponse,
  type UpstreamSocket,
} from "./upstream-port.ts";

type Wreq = typeof import("wreq-js");
type WreqTransport = Awaited<ReturnType<Wreq["createTransport"]>>;

/** Below the 100 streams that servers commonly allow one HTTP/2 connection; request 101 would wait in silence. */
const STREAMS_PER_TRANSPORT = 80;
const CONNECT_TIMEOUT_MS = 10_000;
/** wreq drops a body after 300 s of silence; a cancelled read of a silent upstream lives on until this limit. */
const MAX_READ_TIMEOUT_MS = 290_000;
/** Our own idle limits fire first and name their setting. */
const READ_TIMEOUT_MARGIN_MS = 10_000;
/** Frames waiting unread in one socket; chat text never comes near it. */
const SOCKET_BUFFER_LIMIT = 64 * 1024 * 1024;
const MAX_SOCKET_FRAME = 16 * 1024 * 1024;
const REAP_FOR_MS = 60_000;

/** What both clients' responses have in common. */
interface ClientResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null; getSetCookie(): string[] };
  readonly body: unknown;
}

interface Opened {
  readonly response: ClientResponse;
  /** Gives the place on the connection back. */
  readonly release: () => void;
}

interface Shard {
  readonly transport: Promise<WreqTransport>;
  busy: number;
  retired: boolean;
}

/** Both clients give a web stream of bytes; their declared types differ only in where they import it from. */
const bodyOf = (response: ClientResponse) => response.body as ReadableStream<Uint8Array<ArrayBuffer>> | null;

/** An answer that came after nobody wanted it any more. */
const discard = ({ response, release }: Opened) => {
  bodyOf(response)
    ?.cancel()
    .catch(() => {});
  release();
};

const egressKey = (egress: Egress): string => `${egress.proxy ?? ""}|${egress.browser}|${egress.insecure}`;

/** Says what went wrong on the way, without the address: a proxy URL may hold a password. */
const networkError = (thrown: unknown, egress: Egress): GatewayError => {
  if (thrown instanceof GatewayError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  if (
    /\(Connect\)|dns|resolve|proxy|socks|tunnel|ConnectionRefused|Unable to connect|certificate|handshake/i.test(text)
  ) {
    const way = egress.proxy ? "through the configured proxy" : "directly";
    return new GatewayError("egress_unreachable", `The upstream could not be reached ${way}.`, { cause: thrown });
  }
  return new GatewayError("upstream_error", "The connection to the upstream broke.", { cause: thrown });
};

/** Bun's fetch for the guarded fetcher of callers' links, which decides where it may go. */
export const fetchPinned = (url: string, init: RequestInit): Promise<Response> => fetch(url, init);

/** Bun's WebSocket; it can be slowed down, goes through http proxies and takes headers. */
const dial = (url: string, options: Bun.WebSocketOptions): Bun.WebSocket => {
  // A browser's declaration of the same name hides Bun's own.
  const Client = WebSocket as unknown as new (address: string, how: Bun.WebSocketOptions) => Bun.WebSocket;
  return new Client(url, options);
};

export interface UpstreamHttpDeps {
  readonly clock: Clock;
  /** The longest silence that any caller allows, in milliseconds. */
  readonly longestIdleMs: () => number;
}

export const createUpstreamHttp = (deps: UpstreamHttpDeps): UpstreamHttp => {
  const { clock } = deps;
  const guard = createBodyGuard(clock);
  const shards = new Map<string, Shard[]>();
  let open = 0;
  let loading: Promise<Wreq> | null = null;
  let reapUntil = 0;
  let stopReaping: (() => void) | null = null;

  // Loaded on first use: the addon costs a third of the start-up time.
  const wreq = () => (loading ??= import("wreq-js"));

  // A cancelled wreq body lives on in a native cache until the cache is next touched. Reading a body that never
  // existed touches it; one shared ticker does so for a minute after the last cancel.
  const reap = async () => {
    const { Response } = await wreq();
    const ghost = {
      status: 200,
      headers: [],
      cookies: [],
      bodyHandle: 0,
      bodyBytes: null,
      url: "http://ghost/",
      contentLength: null,
    };
    new Response(ghost, "http://ghost/").body
      ?.getReader()
      .read()
      .catch(() => {});
  };
  const reapSoon = () => {
    reapUntil = clock.monotonic() + REAP_FOR_MS;
    stopReaping ??= clock.every(250, () => {
      if (clock.monotonic() < reapUntil) return void reap();
      stopReaping?.();
      stopReaping = null;
    });
  };

  const newShard = async (egress: Egress): Promise<WreqTransport> => {
    const { createTransport } = await wreq();
    return createTransport({
      browser: egress.browser as never, // checked by wreq itself; names come from the settings
      os: "macos",
      trustStore: "mozilla",
      insecure: egress.insecure,
      connectTimeout: CONNECT_TIMEOUT_MS,
      readTimeout: Math.min(deps.longestIdleMs() + READ_TIMEOUT_MARGIN_MS, MAX_READ_TIMEOUT_MS),
      ...(egress.proxy ? { proxy: egress.proxy } : {}),
    });
  };

  const shardFor = (egress: Egress): Shard => {
    const key = egressKey(egress);
    const list = shards.get(key) ?? [];
    shards.set(key, list);
    let best: Shard | undefined;
    for (const shard of list) if (!best || shard.busy < best.busy) best = shard;
    if (!best || best.busy >= STREAMS_PER_TRANSPORT) {
      best = { transport: newShard(egress), busy: 0, retired: false };
      list.push(best);
      best.transport.catch(() => shards.delete(key));
    }
    return best;
  };

  const leave = (shard: Shard) => {
    shard.busy--;
    if (shard.retired && shard.busy === 0) void shard.transport.then((transport) => transport.close()).catch(() => {});
  };

  const viaWreq = async (request: UpstreamRequest): Promise<Opened> => {
    const shard = shardFor(request.egress);
    shard.busy++;
    let left = false;
    const release = () => {
      if (left) return;
      left = true;
      leave(shard);
    };
    try {
      const [{ fetch: wreqFetch }, transport] = await Promise.all([wreq(), shard.transport]);
      const response = await wreqFetch(request.url, {
        method: request.method,
        headers: request.headers.map(([name, value]): [string, string] => [name, value]),
        body: request.body ?? null,
        transport,
        signal: request.signal,
        redirect: "manual",
        timeout: 0,
        disableDefaultHeaders: true,
      });
      return { response, release };
    } catch (thrown) {
      release();
      throw thrown;
    }
  };

  const viaFetch = async (request: UpstreamRequest): Promise<Opened> => {
    const secure = request.url.startsWith("https:");
    const response = await fetch(request.url, {
      method: request.method,
      headers: request.headers.map(([name, value]): [string, string] => [name, value]),
      body: request.body ?? null,
      signal: request.signal,
      redirect: "manual",
      // HTTP/2 opens further connections by itself when streams run out.
      ...(secure ? { protocol: "http2" } : {}),
      ...(request.egress.insecure ? { tls: { rejectUnauthorized: false } } : {}),
      ...(request.egress.proxy ? { proxy: request.egress.proxy } : {}),
      timeout: false,
    } as RequestInit);
    return { response, release: () => {} };
  };

  const request = async (wanted: UpstreamRequest): Promise<UpstreamResponse> => {
    wanted.signal.throwIfAborted();
    const { egress } = wanted;
    const attempt = new AbortController();
    const onAbort = () => attempt.abort(wanted.signal.reason);
    wanted.signal.addEventListener("abort", onAbort, { once: true });
    const inner = { ...wanted, signal: attempt.signal };
    open++;
    let closed = false;
    const settle = (release?: () => void) => {
      if (closed) return;
      closed = true;
      open--;
      wanted.signal.removeEventListener("abort", onAbort);
      release?.();
    };
    try {
      const opening = egress.client === "fetch" ? viaFetch(inner) : viaWreq(inner);
      const { response, release } = await guard.race(opening, {
        limit: wanted.firstByte,
        what: "the upstream did not answer",
        signal: wanted.signal,
        cancel: () => {
          attempt.abort(new Error("no longer wanted"));
          opening.then(discard, () => {});
        },
      });
      const reader = bodyOf(response)?.getReader() ?? null;
      const body = guard.reader(reader, {
        limit: wanted.idle,
        signal: wanted.signal,
        mapError: (thrown) =>
          new GatewayError("upstream_cut", "The connection to the upstream broke in the middle of its answer.", {
            cause: thrown,
          }),
        onEnd: () => settle(release),
        onCancel: () => {
          if (egress.client === "wreq") reapSoon();
        },
      });
      return {
        status: response.status,
        header: (name) => response.headers.get(name),
        setCookies: response.headers.getSetCookie(),
        body,
        bytes: (maxBytes) => guard.collect(body, maxBytes),
        text: async (maxBytes) => new TextDecoder().decode(await guard.collect(body, maxBytes)),
      };
    } catch (thrown) {
      settle();
      wanted.signal.throwIfAborted();
      throw networkError(thrown, egress);
    }
  };

  const openSocket = async (wanted: SocketRequest) => {
    const { websocket, createSession } = await wreq();
    const options = {
      headers: wanted.headers.map(([name, value]): [string, string] => [name, value]),
      maxFrameSize: MAX_SOCKET_FRAME,
      maxMessageSize: MAX_SOCKET_FRAME,
    };
    const client = {
      browser: wanted.egress.browser as never,
      os: "macos" as const,
      ...(wanted.egress.proxy ? { proxy: wanted.egress.proxy } : {}),
    };
    if (!wanted.egress.insecure) {
      return { socket: await websocket(wanted.url, { ...client, ...options }), done: () => {} };
    }
    // Only a session can skip certificate checks; one a socket, because a session shares its cookies.
    const session = await createSession({ ...client, insecure: true, trustStore: "mozilla" });
    const socket = await session.websocket(wanted.url, options);
    return { socket, done: () => void session.close().catch(() => {}) };
  };

  const connect = async (wanted: SocketRequest): Promise<UpstreamSocket> => {
    wanted.signal.throwIfAborted();
    open++;
    let opened: Awaited<ReturnType<typeof openSocket>>;
    try {
      const opening = openSocket(wanted);
      opened = await guard.race(opening, {
        limit: wanted.handshake,
        what: "the upstream did not answer the WebSocket handshake",
        signal: wanted.signal,
        cancel: () =>
          void opening.then(
            ({ socket }) => socket.close(),
            () => {},
          ),
      });
    } catch (thrown) {
      open--;
      wanted.signal.throwIfAborted();
      const refused = /unexpected status code: (\d{3})/.exec(thrown instanceof Error ? thrown.message : "");
      if (refused) throw new UpgradeRefused(Number(refused[1]));
      throw networkError(thrown, wanted.egress);
    }
    const { socket, done } = opened;
    const queue = guard.queue({ limit: wanted.idle, signal: wanted.signal, maxSize: SOCKET_BUFFER_LIMIT });
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      open--;
      queue.close();
      try {
        socket.close();
      } catch {
        // wreq throws when the connection has broken by itself: it is closed then, as wanted.
      }
      done();
    };
    socket.onmessage = (event) => {
      if (typeof event.data === "string" && !queue.push(event.data)) end();
    };
    socket.onclose = () => {
      queue.close();
      end();
    };
    socket.onerror = () => queue.fail(new GatewayError("upstream_cut", "The upstream's socket broke."));
    wanted.signal.addEventListener("abort", end, { once: true });
    return {
      send: (text) => socket.send(text),
      read: queue.read,
      drain: queue.drain,
      close: () => {
        wanted.signal.removeEventListener("abort", end);
        end();
      },
    };
  };

  const retire = (list: Shard[]) => {
    for (const shard of list) {
      shard.retired = true;
      if (shard.busy === 0) void shard.transport.then((transport) => transport.close()).catch(() => {});
    }
  };

  const live: UpstreamHttp["live"] = async (wanted) => {
    wanted.signal.throwIfAborted();
    const opening = openLiveSocket(dial, wanted);
    try {
      const socket = await guard.race(opening, {
        limit: wanted.handshake,
        what: "the upstream did not answer the WebSocket handshake",
        signal: wanted.signal,
        cancel: () =>
          void opening.then(
            (late) => late.close({ code: 1000, reason: "" }),
            () => {},
          ),
      });
      open++;
      void socket.ended.then(() => open--);
      return socket;
    } catch (thrown) {
      wanted.signal.throwIfAborted();
      throw thrown instanceof LiveRefused ? thrown : networkError(thrown, wanted.egress);
    }
  };

  return {
    request,
    connect,
    live,
    get open() {
      return open;
    },
    async warmUp(egress) {
      if (egress.client === "fetch") return;
      await shardFor(egress).transport;
    },
    reset(egress) {
      const key = egressKey(egress);
      retire(shards.get(key) ?? []);
      shards.delete(key);
    },
    async close() {
      stopReaping?.();
      guard.close();
      for (const list of shards.values()) retire(list);
      shards.clear();
    },
  };
};
