// The load client: raw TCP, keep-alive, one request at a time a connection, bounded in every direction.
// Knows HTTP/1.1 framing and the stamps in the tokens, nothing of JSON or SSE: it must stay cheaper than what it measures.
// Invariant: drive() settles before its deadline whatever the server does, and every connection is then closed.
import type { Socket } from "bun";
import { nowUs } from "./clock.ts";
import { createResponseReader, createStampScanner, type ResponseReader } from "./response-reader.ts";
import { createSamples } from "./samples.ts";

export interface Shot {
  port: number;
  /** the whole request, ready to write */
  bytes: Uint8Array;
  /** stamps that a complete body holds; null: count none (saves the client's core) */
  stamps: number | null;
  /** how many of them are the tokens themselves, in order of sending */
  tokens: number;
  /** what a complete body ends with */
  tail: string;
}
export interface LoadSpec {
  shot: Shot;
  connections: number;
  /** connections are opened evenly over this time */
  rampMs: number;
  /** true: next request as soon as one ends, until the window closes; false: one request a connection */
  loop: boolean;
  windowStartMs: number;
  windowMs: number;
  maxRequests: number;
  deadlineMs: number;
  /** subtract the stamps as (now + offset − stamp) */
  clockOffsetUs?: number;
  onWindow?: (edge: "open" | "shut") => void;
}
export interface LoadResult {
  /** complete answers inside the window, and in all */
  counted: number;
  requests: number;
  tokensCounted: number;
  windowSeconds: number;
  ttfbUs: Float64Array;
  totalUs: Float64Array;
  latenessUs: Float64Array;
  lengths: Record<number, number>;
  errors: Record<string, number>;
  openAtShut: number;
}

interface Client {
  startedUs: number;
  firstByteUs: number;
  stamps: number;
  tail: Buffer;
  reader: ResponseReader;
  reset(): void;
}

export async function drive(spec: LoadSpec): Promise<LoadResult> {
  const { shot } = spec;
  const offsetUs = spec.clockOffsetUs ?? 0;
  const ttfb = createSamples();
  const total = createSamples();
  const lateness = createSamples();
  const lengths: Record<number, number> = {};
  const errors: Record<string, number> = {};
  const sockets = new Set<Socket<Client>>();
  let started = 0;
  let requests = 0;
  let counted = 0;
  let tokensCounted = 0;
  let windowOpen = false;
  let stopped = false;
  let openedUs = 0;
  let shutUs = 0;
  let openAtShut = 0;
  let arrivalUs = 0;

  const fail = (reason: string) => {
    errors[reason] = (errors[reason] ?? 0) + 1;
  };

  function createClient(): Client {
    const scanner = createStampScanner((stampUs) => {
      client.stamps++;
      if (!windowOpen || client.stamps > shot.tokens) return;
      tokensCounted++;
      if (stampUs) lateness.add(arrivalUs - offsetUs - stampUs);
    });
    const reader = createResponseReader((piece) => {
      if (!client.firstByteUs) client.firstByteUs = arrivalUs;
      if (shot.stamps !== null) scanner.scan(piece);
      const keep = shot.tail.length;
      client.tail =
        piece.length >= keep
          ? Buffer.from(piece.subarray(piece.length - keep))
          : Buffer.concat([client.tail, piece]).subarray(-keep);
    });
    const client: Client = {
      startedUs: 0,
      firstByteUs: 0,
      stamps: 0,
      tail: Buffer.alloc(0),
      reader,
      reset() {
        client.startedUs = nowUs();
        client.firstByteUs = 0;
        client.stamps = 0;
        client.tail = Buffer.alloc(0);
        reader.reset();
        scanner.reset();
      },
    };
    return client;
  }

  function fire(socket: Socket<Client>): void {
    if (stopped || started >= spec.maxRequests) {
      sockets.delete(socket);
      socket.end();
      return;
    }
    started++;
    socket.data.reset();
    socket.write(shot.bytes);
  }

  function complete(socket: Socket<Client>): void {
    const { data } = socket;
    requests++;
    const { reader } = data;
    lengths[reader.bodyBytes] = (lengths[reader.bodyBytes] ?? 0) + 1;
    if (reader.status !== 200) fail(`status ${reader.status}`);
    else if (shot.stamps !== null && data.stamps !== shot.stamps) fail(`tokens ${data.stamps} of ${shot.stamps}`);
    else if (data.tail.toString() !== shot.tail) fail("cut short");
    else if (windowOpen) {
      counted++;
      ttfb.add(data.firstByteUs - data.startedUs);
      total.add(arrivalUs - data.startedUs);
    }
    if (spec.loop) fire(socket);
    else {
      sockets.delete(socket);
      socket.end();
    }
  }

  const handlers = {
    data(socket: Socket<Client>, bytes: Buffer) {
      arrivalUs = nowUs();
      socket.data.reader.feed(bytes);
      if (socket.data.reader.framing === "done") complete(socket);
    },
    close(socket: Socket<Client>) {
      if (sockets.delete(socket)) fail("connection closed early");
    },
    error(socket: Socket<Client>) {
      if (sockets.delete(socket)) fail("connection error");
    },
  };

  const startUs = nowUs();
  const elapsedMs = () => (nowUs() - startUs) / 1000;
  let connecting = 0;
  const connectOne = async () => {
    connecting++;
    try {
      const socket = await Bun.connect<Client>({
        hostname: "127.0.0.1",
        port: shot.port,
        data: createClient(),
        socket: handlers,
      });
      socket.setNoDelay(true);
      sockets.add(socket);
      fire(socket);
    } catch {
      fail("connect refused");
    } finally {
      connecting--;
    }
  };

  let launched = 0;
  for (;;) {
    const at = elapsedMs();
    const wanted = spec.rampMs
      ? Math.min(spec.connections, Math.ceil(((at + 1) / spec.rampMs) * spec.connections))
      : spec.connections;
    while (!stopped && launched < wanted) {
      launched++;
      void connectOne();
    }
    if (!openedUs && at >= spec.windowStartMs) {
      windowOpen = true;
      openedUs = nowUs();
      spec.onWindow?.("open");
    }
    if (openedUs && !shutUs && nowUs() - openedUs >= spec.windowMs * 1000) {
      windowOpen = false;
      shutUs = nowUs();
      openAtShut = sockets.size;
      spec.onWindow?.("shut");
      if (spec.loop) stopped = true;
    }
    const idle = launched >= spec.connections && connecting === 0 && sockets.size === 0;
    if (at >= spec.deadlineMs || (idle && (shutUs || spec.maxRequests < Infinity))) break;
    await Bun.sleep(nextPauseMs());
  }
  function nextPauseMs(): number {
    if (launched < spec.connections) return 1;
    const edge = openedUs
      ? shutUs
        ? Infinity
        : spec.windowMs - (nowUs() - openedUs) / 1000
      : spec.windowStartMs - elapsedMs();
    return Math.max(1, Math.min(10, edge));
  }
  if (!shutUs) {
    shutUs = nowUs();
    if (openedUs) spec.onWindow?.("shut");
  }
  stopped = true;
  if (sockets.size) errors["still open at the deadline"] = sockets.size;
  for (const socket of sockets) {
    sockets.delete(socket);
    socket.terminate();
  }
  return {
    counted,
    requests,
    tokensCounted,
    windowSeconds: (shutUs - openedUs) / 1e6,
    ttfbUs: ttfb.sorted(),
    totalUs: total.sorted(),
    latenessUs: lateness.sorted(),
    lengths,
    errors,
    openAtShut,
  };
}
