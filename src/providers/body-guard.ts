// Deadlines and aborts for everything that waits for upstream bytes. One shared ticker compares timestamps, because a
// timer per chunk would live on for its whole window. Knows no client and no protocol.
// Invariant: a waiting read settles at once on abort, and soon after its limit; the underlying body is then cancelled.
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";

/** A time limit and the setting that an operator would change to move it. */
export interface Limit {
  readonly ms: number;
  readonly setting: string;
}

export interface ByteReader {
  /** The next chunk, or null at the end. */
  read(): Promise<Uint8Array<ArrayBuffer> | null>;
  cancel(): void;
}

interface NativeReader {
  read(): Promise<{ done: boolean; value?: Uint8Array<ArrayBuffer> | undefined }>;
  cancel(reason?: unknown): Promise<void>;
}

interface Waiter {
  deadline: number;
  fail: ((error: unknown) => void) | null;
  readonly expired: () => GatewayError;
}

export interface RaceOptions {
  readonly limit: Limit;
  readonly what: string;
  readonly signal: AbortSignal;
  readonly cancel: () => void;
}

export interface ReaderOptions {
  readonly limit: Limit;
  readonly signal: AbortSignal;
  readonly mapError: (thrown: unknown) => unknown;
  /** Called once, when the body has ended, failed or was cancelled. */
  readonly onEnd: () => void;
  readonly onCancel: () => void;
}

export interface FrameQueue {
  /** False when the queue is over its size limit; it then fails its reader. */
  push(frame: string): boolean;
  read(): Promise<string | null>;
  drain(): string[];
  close(): void;
  fail(error: unknown): void;
}

/** A burst is handed on in pieces of about this time: one write for many chunks. A chunk after a pause goes at once. */
const GATHER_MS = 1;
/** At most so much is handed on at once, so that a huge chunk does not become a huge text for a reader that has stalled. */
const MAX_DELIVERY = 64 * 1024;
/** At most so much is read before somebody asks for it. */
const MAX_AHEAD = 64 * 1024;

/** Chunks that wait, taken as one. */
const createChunkStore = () => {
  let chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  return {
    get size() {
      return size;
    },
    add(chunk: Uint8Array<ArrayBuffer>) {
      chunks.push(chunk);
      size += chunk.byteLength;
    },
    clear() {
      chunks = [];
      size = 0;
    },
    /** At most `limit` bytes, or null when there are none. */
    take(limit: number): Uint8Array<ArrayBuffer> | null {
      const [first] = chunks;
      if (!first) return null;
      if (chunks.length === 1 && size <= limit) {
        chunks = [];
        size = 0;
        return first;
      }
      const part = new Uint8Array(Math.min(size, limit));
      let filled = 0;
      while (filled < part.byteLength) {
        const chunk = chunks[0] as Uint8Array<ArrayBuffer>; // there is one: `size` counts what `chunks` hold
        const piece = chunk.subarray(0, part.byteLength - filled);
        part.set(piece, filled);
        filled += piece.byteLength;
        if (piece.byteLength === chunk.byteLength) chunks.shift();
        else chunks[0] = chunk.subarray(piece.byteLength);
      }
      size -= filled;
      return part;
    },
  };
};

/** How often deadlines are compared; a limit fires at most this late. */
const TICK_MS = 250;

const silence = (limit: Limit, what: string) =>
  new GatewayError("upstream_timeout", `The limit ${limit.setting} (${limit.ms / 1000} s) fired: ${what}.`);

export interface BodyGuard {
  race<T>(work: Promise<T>, options: RaceOptions): Promise<T>;
  reader(native: NativeReader | null, options: ReaderOptions): ByteReader;
  queue(options: { limit: Limit; signal: AbortSignal; maxSize: number }): FrameQueue;
  collect(body: ByteReader, maxBytes: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): void;
}

export const createBodyGuard = (clock: Clock): BodyGuard => {
  const waiters = new Set<Waiter>();
  let stopTicking: (() => void) | null = null;

  const tick = () => {
    const now = clock.monotonic();
    for (const waiter of waiters) {
      if (waiter.fail && now >= waiter.deadline) waiter.fail(waiter.expired());
    }
  };
  const watch = (waiter: Waiter) => {
    waiters.add(waiter);
    stopTicking ??= clock.every(TICK_MS, tick);
  };
  const unwatch = (waiter: Waiter) => {
    waiters.delete(waiter);
    if (waiters.size > 0) return;
    stopTicking?.();
    stopTicking = null;
  };

  const race: BodyGuard["race"] = (work, { limit, what, signal, cancel }) =>
    new Promise((resolve, reject) => {
      const waiter: Waiter = {
        deadline: clock.monotonic() + limit.ms,
        fail: (error) => {
          done();
          cancel();
          reject(error);
        },
        expired: () => silence(limit, what),
      };
      const onAbort = () => waiter.fail?.(signal.reason);
      const done = () => {
        waiter.fail = null;
        unwatch(waiter);
        signal.removeEventListener("abort", onAbort);
      };
      watch(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
      work.then(
        (value) => {
          done();
          resolve(value);
        },
        (thrown) => {
          done();
          reject(thrown);
        },
      );
    });

  const reader: BodyGuard["reader"] = (native, options) => {
    const waiter: Waiter = {
      deadline: Number.POSITIVE_INFINITY,
      fail: null,
      expired: () => silence(options.limit, "the upstream went silent in the middle of its answer"),
    };
    const store = createChunkStore();
    let reading = false;
    let ended = native === null;
    let failure: unknown;
    let deliver: ((chunk: Uint8Array<ArrayBuffer> | null) => void) | null = null;
    let lastDelivery = Number.NEGATIVE_INFINITY;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let open = native !== null;

    const finish = () => {
      if (!open) return false;
      open = false;
      unwatch(waiter);
      if (timer) clearTimeout(timer);
      timer = null;
      options.signal.removeEventListener("abort", onAbort);
      options.onEnd();
      return true;
    };
    const stop = () => {
      ended = true;
      store.clear();
      if (!finish()) return;
      native?.cancel().catch(() => {});
      options.onCancel();
    };
    const onAbort = () => {
      const fail = waiter.fail;
      stop();
      fail?.(options.signal.reason);
    };

    /** Hands out what is there; right after the last time it first waits a moment for more. */
    const settle = () => {
      if (!deliver || timer || (store.size === 0 && !ended)) return;
      const now = clock.monotonic();
      const early = lastDelivery + GATHER_MS - now;
      if (early > 0 && !ended && store.size < MAX_DELIVERY) {
        timer = setTimeout(() => {
          timer = null;
          lastDelivery = Number.NEGATIVE_INFINITY;
          settle();
        }, early);
        return;
      }
      const take = deliver;
      deliver = null;
      waiter.fail = null;
      lastDelivery = now;
      take(store.take(MAX_DELIVERY));
      pump();
    };
    // Reads one chunk ahead all the time: the client's thread fetches the next while this one is worked on.
    const pump = () => {
      if (reading || ended || !native || store.size >= MAX_AHEAD) return;
      reading = true;
      native.read().then(
        ({ done, value }) => {
          reading = false;
          if (done) {
            ended = true;
            finish();
          } else if (value) store.add(value);
          pump();
          settle();
        },
        (thrown: unknown) => {
          reading = false;
          if (ended) return;
          ended = true;
          failure = options.mapError(thrown);
          finish();
          if (store.size === 0) waiter.fail?.(failure);
          else settle();
        },
      );
    };

    if (native) {
      options.signal.addEventListener("abort", onAbort, { once: true });
      watch(waiter);
    } else options.onEnd();

    return {
      cancel: stop,
      async read() {
        if (options.signal.aborted) {
          stop();
          throw options.signal.reason;
        }
        if (store.size === 0 && ended) {
          if (failure !== undefined) throw failure;
          return null;
        }
        return new Promise((resolve, reject) => {
          waiter.deadline = clock.monotonic() + options.limit.ms;
          waiter.fail = (error) => {
            waiter.fail = null;
            deliver = null;
            stop();
            reject(error);
          };
          deliver = resolve;
          pump();
          settle();
        });
      },
    };
  };

  const queue: BodyGuard["queue"] = ({ limit, signal, maxSize }) => {
    let frames: string[] = [];
    let size = 0;
    let closed = false;
    let failure: unknown;
    let wake: (() => void) | null = null;
    const waiter: Waiter = {
      deadline: Number.POSITIVE_INFINITY,
      fail: null,
      expired: () => silence(limit, "the upstream's socket went silent"),
    };
    const fail = (error: unknown) => {
      failure ??= error;
      wake?.();
    };
    const onAbort = () => fail(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    watch(waiter);
    const take = (): string | null | undefined => {
      if (failure !== undefined) return undefined;
      const frame = frames.shift();
      if (frame !== undefined) size -= frame.length;
      return frame ?? (closed ? null : undefined);
    };
    return {
      push(frame) {
        if (closed) return true;
        size += frame.length;
        if (size > maxSize) {
          fail(new GatewayError("upstream_malformed", "The upstream sent more than the gateway is willing to hold."));
          return false;
        }
        frames.push(frame);
        wake?.();
        return true;
      },
      async read() {
        for (;;) {
          const frame = take();
          if (frame !== undefined) return frame;
          if (failure !== undefined) throw failure;
          await new Promise<void>((resolve) => {
            wake = resolve;
            waiter.deadline = clock.monotonic() + limit.ms;
            waiter.fail = fail;
          });
          wake = null;
          waiter.fail = null;
        }
      },
      drain() {
        const waiting = frames;
        frames = [];
        size = 0;
        return waiting;
      },
      close() {
        closed = true;
        unwatch(waiter);
        signal.removeEventListener("abort", onAbort);
        wake?.();
      },
      fail,
    };
  };

  const collect: BodyGuard["collect"] = async (body, maxBytes) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const chunk = await body.read();
      if (!chunk) break;
      chunks.push(chunk);
      size += chunk.byteLength;
      if (size >= maxBytes) {
        body.cancel();
        break;
      }
    }
    const whole = new Uint8Array(Math.min(size, maxBytes));
    let offset = 0;
    for (const chunk of chunks) {
      const part = chunk.subarray(0, whole.byteLength - offset);
      whole.set(part, offset);
      offset += part.byteLength;
    }
    return whole;
  };

  return { race, reader, queue, collect, close: () => stopTicking?.() };
};
