// The load client: raw TCP, keep-alive, one request at a time a connection, bounded in every direction.
// Knows HTTP/1.1 framing and the stamps in the tokens, nothing of JSON or SSE: it must stay cheaper than what it measures.
// Invariant: drive() settles before its deadline whatever the server does, and every connection is then closed.
import type { Socket } from "bun";
import { nowUs } from "./clock.ts";

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

const AT = 64;
const STAMP_BYTES = 16;
const HEAD_END = Buffer.from("\r\n\r\n");

/** Growing sample store; sorted once at the end. */
function createSamples() {
  let values = new Float64Array(4096);
  let count = 0;
  return {
    add(value: number) {
      if (count === values.length) {
        const larger = new Float64Array(values.length * 2);
        larger.set(values);
        values = larger;
      }
      values[count++] = value;
    },
    sorted: () => values.slice(0, count).sort(),
  };
}

export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (!sorted.length) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

type Framing = "head" | "size" | "chunk" | "chunk-end" | "length" | "trailer" | "done";

/** Takes one HTTP response apart as it comes in; the body's bytes go to `onBody`. */
export interface ResponseReader {
  feed(bytes: Buffer): void;
  reset(): void;
  readonly framing: Framing;
  readonly status: number;
  readonly bodyBytes: number;
}

export function createResponseReader(onBody: (bytes: Buffer) => void): ResponseReader {
  let framing: Framing = "head";
  let head: Buffer | null = null;
  let left = 0;
  let size = 0;
  let sizeDigits = 0;
  let inExtension = false;
  let status = 0;
  let bodyBytes = 0;

  function takeHead(bytes: Buffer): number {
    const joined = head ? Buffer.concat([head, bytes]) : bytes;
    const end = joined.indexOf(HEAD_END);
    if (end < 0) {
      head = Buffer.from(joined);
      return bytes.length;
    }
    const before = head?.length ?? 0;
    head = null;
    const text = joined.latin1Slice(0, end);
    status = Number(text.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(text);
    if (/\r\ntransfer-encoding: *chunked/i.test(text)) framing = "size";
    else if (length) {
      left = Number(length[1]);
      framing = left ? "length" : "done";
    } else framing = "done";
    return end + 4 - before;
  }

  function takeSize(bytes: Buffer, start: number): number {
    let at = start;
    while (at < bytes.length) {
      const byte = bytes[at++] ?? 0;
      if (byte === 10) {
        left = size;
        framing = size ? "chunk" : "trailer";
        size = 0;
        sizeDigits = 0;
        inExtension = false;
        break;
      }
      if (byte === 13) continue;
      if (byte === 59) inExtension = true;
      if (inExtension) continue;
      size = size * 16 + (byte <= 57 ? byte - 48 : (byte | 32) - 87);
      sizeDigits++;
    }
    return at;
  }

  function takeBody(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + left);
    bodyBytes += end - start;
    onBody(bytes.subarray(start, end));
    left -= end - start;
    if (left === 0) {
      framing = framing === "length" ? "done" : "chunk-end";
      if (framing === "chunk-end") left = 2;
    }
    return end;
  }

  return {
    feed(bytes) {
      let at = 0;
      if (framing === "head") at = takeHead(bytes);
      while (at < bytes.length && framing !== "done") {
        if (framing === "size") at = takeSize(bytes, at);
        else if (framing === "chunk" || framing === "length") at = takeBody(bytes, at);
        else {
          // The CR LF after a chunk, or the empty trailer after the last one.
          if (framing === "trailer" && left === 0) left = 2;
          const skipped = Math.min(left, bytes.length - at);
          left -= skipped;
          at += skipped;
          if (left === 0) framing = framing === "trailer" ? "done" : "size";
        }
      }
    },
    reset() {
      framing = "head";
      bodyBytes = 0;
      status = 0;
    },
    get framing() {
      return framing;
    },
    get status() {
      return status;
    },
    get bodyBytes() {
      return bodyBytes;
    },
  };
}

/** Finds "@14 digits@" in a body that arrives in any pieces. */
function createStampScanner(onStamp: (stampUs: number) => void) {
  let carry: Buffer | null = null;
  return {
    scan(piece: Buffer) {
      let bytes = piece;
      if (carry) {
        bytes = Buffer.concat([carry, piece]);
        carry = null;
      }
      let at = bytes.indexOf(AT);
      while (at >= 0) {
        if (at + STAMP_BYTES > bytes.length) {
          carry = Buffer.from(bytes.subarray(at));
          return;
        }
        if (bytes[at + STAMP_BYTES - 1] === AT) {
          let stamp = 0;
          for (let index = at + 1; index < at + STAMP_BYTES - 1; index++) stamp = stamp * 10 + (bytes[index] ?? 48) - 48;
          onStamp(stamp);
        }
        at = bytes.indexOf(AT, at + STAMP_BYTES);
      }
    },
    reset() {
      carry = null;
    },
  };
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
      client.tail = piece.length >= keep ? Buffer.from(piece.subarray(piece.length - keep)) : Buffer.concat([client.tail, piece]).subarray(-keep);
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
      const socket = await Bun.connect<Client>({ hostname: "127.0.0.1", port: shot.port, data: createClient(), socket: handlers });
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
    const wanted = spec.rampMs ? Math.min(spec.connections, Math.ceil(((at + 1) / spec.rampMs) * spec.connections)) : spec.connections;
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
    const edge = openedUs ? (shutUs ? Infinity : spec.windowMs - (nowUs() - openedUs) / 1000) : spec.windowStartMs - elapsedMs();
    return Math.max(1, Math.min(10, edge));
  }
  if (!shutUs) {
    shutUs = nowUs();
    if (openedUs) spec.onWindow?.("shut");
  }
  stopped = true;
  if (sockets.size) errors["still open at the deadline"] = sockets.size;
  for (const socket of [...sockets]) {
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
