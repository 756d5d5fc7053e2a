// The load client: raw TCP, keep-alive, one request at a time a connection, bounded in every direction.
// Knows HTTP/1.1 framing and the stamps in the tokens, nothing of JSON or SSE: it must stay cheaper than what it measures.
// Invariant: drive() settles before its deadline whatever the server does, and every connection is then closed.
import type { Socket } from "bun";
import { nowUs } from "./clock.ts";
import { createResponseReader, createStampScanner, type ResponseReader } from "./response-reader.ts";
import { createSamples, type Samples } from "./samples.ts";

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

/** One connection's state: the answer that it is in the middle of. */
interface Client {
  startedUs: number;
  firstByteUs: number;
  stamps: number;
  tail: Buffer;
  reader: ResponseReader;
  reset(): void;
}

/** What is counted while a load runs. */
interface Tally {
  windowOpen: boolean;
  /** when the bytes being read arrived */
  arrivalUs: number;
  counted: number;
  requests: number;
  tokensCounted: number;
  readonly lengths: Record<number, number>;
  readonly errors: Record<string, number>;
  readonly ttfb: Samples;
  readonly total: Samples;
  readonly lateness: Samples;
}

function createTally(): Tally {
  return {
    windowOpen: false,
    arrivalUs: 0,
    counted: 0,
    requests: 0,
    tokensCounted: 0,
    lengths: {},
    errors: {},
    ttfb: createSamples(),
    total: createSamples(),
    lateness: createSamples(),
  };
}

function fail(tally: Tally, reason: string, count = 1): void {
  tally.errors[reason] = (tally.errors[reason] ?? 0) + count;
}

function createClient({ shot, clockOffsetUs = 0 }: LoadSpec, tally: Tally): Client {
  const scanner = createStampScanner((stampUs) => {
    client.stamps++;
    if (!tally.windowOpen || client.stamps > shot.tokens) return;
    tally.tokensCounted++;
    if (stampUs) tally.lateness.add(tally.arrivalUs - clockOffsetUs - stampUs);
  });
  const keep = shot.tail.length;
  const reader = createResponseReader((piece) => {
    if (!client.firstByteUs) client.firstByteUs = tally.arrivalUs;
    if (shot.stamps !== null) scanner.scan(piece);
    // A copy, because the socket's buffer is used again.
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

function countAnswer(shot: Shot, client: Client, tally: Tally): void {
  const { reader } = client;
  tally.requests++;
  tally.lengths[reader.bodyBytes] = (tally.lengths[reader.bodyBytes] ?? 0) + 1;
  if (reader.status !== 200) fail(tally, `status ${reader.status}`);
  else if (shot.stamps !== null && client.stamps !== shot.stamps)
    fail(tally, `tokens ${client.stamps} of ${shot.stamps}`);
  else if (client.tail.toString() !== shot.tail) fail(tally, "cut short");
  else if (tally.windowOpen) {
    tally.counted++;
    tally.ttfb.add(client.firstByteUs - client.startedUs);
    tally.total.add(tally.arrivalUs - client.startedUs);
  }
}

/** The connections of one load: opened on demand, each with a request under way until told to stop. */
function createConnections(spec: LoadSpec, tally: Tally) {
  const sockets = new Set<Socket<Client>>();
  let started = 0;
  let connecting = 0;
  let stopped = false;
  const retire = (socket: Socket<Client>) => {
    sockets.delete(socket);
    socket.end();
  };
  const fire = (socket: Socket<Client>) => {
    if (stopped || started >= spec.maxRequests) return retire(socket);
    started++;
    socket.data.reset();
    socket.write(spec.shot.bytes);
  };
  const handlers = {
    data(socket: Socket<Client>, bytes: Buffer) {
      tally.arrivalUs = nowUs();
      socket.data.reader.feed(bytes);
      if (socket.data.reader.framing !== "done") return;
      countAnswer(spec.shot, socket.data, tally);
      if (spec.loop) fire(socket);
      else retire(socket);
    },
    close(socket: Socket<Client>) {
      if (sockets.delete(socket)) fail(tally, "connection closed early");
    },
    error(socket: Socket<Client>) {
      if (sockets.delete(socket)) fail(tally, "connection error");
    },
  };
  return {
    async connect() {
      connecting++;
      try {
        const data = createClient(spec, tally);
        const socket = await Bun.connect<Client>({
          hostname: "127.0.0.1",
          port: spec.shot.port,
          data,
          socket: handlers,
        });
        socket.setNoDelay(true);
        sockets.add(socket);
        fire(socket);
      } catch {
        fail(tally, "connect refused");
      } finally {
        connecting--;
      }
    },
    stop() {
      stopped = true;
    },
    /** Ends what is still open; returns how much that was. */
    abandon(): number {
      const open = sockets.size;
      for (const socket of sockets) {
        sockets.delete(socket);
        socket.terminate();
      }
      return open;
    },
    get open() {
      return sockets.size;
    },
    get idle() {
      return connecting === 0 && sockets.size === 0;
    },
  };
}

export async function drive(spec: LoadSpec): Promise<LoadResult> {
  const tally = createTally();
  const connections = createConnections(spec, tally);
  const startUs = nowUs();
  const elapsedMs = () => (nowUs() - startUs) / 1000;
  let launched = 0;
  let openedUs = 0;
  let shutUs = 0;
  let openAtShut = 0;

  const launch = (atMs: number) => {
    const share = spec.rampMs ? Math.min(1, (atMs + 1) / spec.rampMs) : 1;
    for (; launched < Math.ceil(share * spec.connections); launched++) void connections.connect();
  };
  const moveWindow = (atMs: number) => {
    if (!openedUs && atMs >= spec.windowStartMs) {
      tally.windowOpen = true;
      openedUs = nowUs();
      spec.onWindow?.("open");
    } else if (openedUs && !shutUs && nowUs() - openedUs >= spec.windowMs * 1000) shut();
  };
  const shut = () => {
    tally.windowOpen = false;
    shutUs = nowUs();
    openAtShut = connections.open;
    if (openedUs) spec.onWindow?.("shut");
    if (spec.loop) connections.stop();
  };
  const pauseMs = () => {
    if (launched < spec.connections) return 1;
    const edge = openedUs ? spec.windowMs - (nowUs() - openedUs) / 1000 : spec.windowStartMs - elapsedMs();
    return shutUs ? 5 : Math.max(1, Math.min(10, edge));
  };

  for (let at = 0; at < spec.deadlineMs; at = elapsedMs()) {
    if (!shutUs || !spec.loop) launch(at);
    moveWindow(at);
    if (launched >= spec.connections && connections.idle && (shutUs || spec.maxRequests < Infinity)) break;
    await Bun.sleep(pauseMs());
  }
  if (!shutUs) shut();
  connections.stop();
  const left = connections.abandon();
  if (left) fail(tally, "still open at the deadline", left);
  return {
    counted: tally.counted,
    requests: tally.requests,
    tokensCounted: tally.tokensCounted,
    windowSeconds: (shutUs - openedUs) / 1e6,
    ttfbUs: tally.ttfb.sorted(),
    totalUs: tally.total.sorted(),
    latenessUs: tally.lateness.sorted(),
    lengths: tally.lengths,
    errors: tally.errors,
    openAtShut,
  };
}
