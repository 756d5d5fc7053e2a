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
    let over = native === null;
    const finish = () => {
      if (over) return false;
      over = true;
      unwatch(waiter);
      options.signal.removeEventListener("abort", onAbort);
      options.onEnd();
      return true;
    };
    const stop = () => {
      if (!finish()) return;
      native?.cancel().catch(() => {});
      options.onCancel();
    };
    const onAbort = () => {
      const fail = waiter.fail;
      stop();
      fail?.(options.signal.reason);
    };
    if (native) {
      options.signal.addEventListener("abort", onAbort, { once: true });
      watch(waiter);
    } else options.onEnd();

    return {
      cancel: stop,
      read() {
        if (options.signal.aborted) {
          stop();
          return Promise.reject(options.signal.reason);
        }
        if (over || !native) return Promise.resolve(null);
        return new Promise((resolve, reject) => {
          waiter.deadline = clock.monotonic() + options.limit.ms;
          waiter.fail = (error) => {
            waiter.fail = null;
            stop();
            reject(error);
          };
          native.read().then(
            ({ done, value }) => {
              waiter.fail = null;
              if (done) finish();
              resolve(done ? null : (value ?? null));
            },
            (thrown) => {
              waiter.fail = null;
              finish();
              reject(options.signal.aborted ? options.signal.reason : options.mapError(thrown));
            },
          );
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
