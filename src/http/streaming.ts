// The only place that makes a streaming Response: pulls batches of events, encodes them, writes one chunk a batch; and pipes
// anything else that comes in pieces.
// Knows no wire format. Invariants: a slow reader stops the upstream (pull only), a lost reader aborts it at once, and
// `onEnd` is called exactly once, after the event stream has let go of what it held.
import { asGatewayError, GatewayError } from "../core/errors.ts";
import type { EventBatch, GenerationStream } from "../core/events.ts";
import type { RequestOutcome, RequestRecord } from "../gateway/record.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";

/** Quiet connections are closed after this; the server is told otherwise while an answer is made. */
export const IDLE_SECONDS = 60;

/** What is needed of Bun's server; absent when the app is called without one. */
export interface StreamServer {
  timeout(request: Request, seconds: number): void;
}

export interface StreamOptions {
  readonly request: Request;
  readonly server: StreamServer | undefined;
  readonly events: GenerationStream;
  /** Text of a batch; may be empty. Must accept a lone `failure` at any time. */
  readonly encode: (batch: EventBatch) => string;
  /** Text that tells proxies that the stream lives. */
  readonly heartbeat: string;
  readonly record: RequestRecord;
  readonly headers?: Readonly<Record<string, string>>;
  /** Ends the upstream work. */
  readonly abort: (reason: GatewayError) => void;
  readonly onEnd: () => void;
}

export interface PipeOptions {
  readonly request: Request;
  readonly server: StreamServer | undefined;
  /** Must end its wait when `return` is called. What it throws breaks the connection off, so that nobody takes it for the end. */
  readonly pieces: AsyncIterator<string | Uint8Array<ArrayBuffer>, unknown>;
  readonly headers: Readonly<Record<string, string>>;
  readonly record: RequestRecord;
  /** Written when nothing else was for that long. */
  readonly heartbeat?: { readonly text: string; readonly ms: number };
  readonly onEnd: () => void;
}

export interface Streams {
  /** Answers with the stream, or with an empty 499 when the client has already left. */
  respond(options: StreamOptions): Response;
  /** Answers with pieces as they come; they are asked for at the reader's pace. */
  pipe(options: PipeOptions): Response;
  /** Ends every open stream with an error inside the stream. */
  endAll(error: GatewayError): void;
  readonly open: number;
}

export interface StreamsDeps {
  readonly clock: Pick<Clock, "monotonic" | "every">;
  readonly heartbeatMs: () => number;
  readonly log: Pick<Log, "error">;
}

export const SSE_HEARTBEAT = ": keepalive\n\n";

/** How long an event stream may take to let go after it was told to; then its slot is taken back regardless. */
const RELEASE_LIMIT_MS = 5_000;
const LONGEST_TICK_MS = 1_000;

export const SSE_HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
};

const encoder = new TextEncoder();

/** One stream as the shared ticker sees it. */
interface Ticked {
  tick(elapsedMs: number): void;
  end(error: GatewayError): void;
}

export const createStreams = (deps: StreamsDeps): Streams => {
  const live = new Set<Ticked>();
  const ticker = createTicker(deps, live);
  const keep = (stream: Ticked) => {
    live.add(stream);
    ticker.start();
    return () => {
      live.delete(stream);
      if (live.size === 0) ticker.stop();
    };
  };
  return {
    respond: (options) => openStream(options, { ...deps, keep }),
    pipe: (options) => openPipe(options, { ...deps, keep }),
    endAll(error) {
      for (const stream of [...live]) stream.end(error);
    },
    get open() {
      return live.size;
    },
  };
};

/** One timer for all streams: a timer for each stream or chunk would cost more than the chunk. */
const createTicker = (deps: StreamsDeps, live: ReadonlySet<Ticked>) => {
  let stop: (() => void) | undefined;
  return {
    start() {
      if (stop) return;
      const tickMs = Math.max(10, Math.min(LONGEST_TICK_MS, deps.heartbeatMs() / 3));
      stop = deps.clock.every(tickMs, () => {
        for (const stream of [...live]) stream.tick(tickMs);
      });
    },
    stop() {
      stop?.();
      stop = undefined;
    },
  };
};

interface Keeper extends StreamsDeps {
  keep(stream: Ticked): () => void;
}

const openStream = (options: StreamOptions, deps: Keeper): Response => {
  const { request, events, encode, record } = options;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let open = true;
  let silentMs = 0;
  let releasingMs = 0;

  let forget: (() => void) | undefined;
  const released = () => {
    if (!forget) return;
    forget();
    forget = undefined;
    options.onEnd();
  };
  const settle = (outcome: RequestOutcome) => {
    open = false;
    record.outcome = outcome;
    request.signal.removeEventListener("abort", leave);
    events.return().then(released, (thrown: unknown) => {
      deps.log.error("an event stream failed while it was closed", { id: record.id, error: thrown });
      released();
    });
  };
  const close = () => {
    try {
      controller?.close();
    } catch {
      // The reader closed it first.
    }
  };
  /** The connection stays open for the next request, and the limit that was lifted would stay lifted with it. */
  const finish = () => {
    options.server?.timeout(request, IDLE_SECONDS);
    close();
  };
  const write = (text: string) => {
    silentMs = 0;
    controller?.enqueue(encoder.encode(text));
  };

  const leave = () => {
    if (!open) return;
    options.abort(new GatewayError("client_closed", "The client closed the connection."));
    settle("client-closed");
    close();
  };
  const fail = (error: GatewayError) => {
    if (!open) return;
    record.error ??= error;
    options.abort(error);
    try {
      write(encode([{ type: "failure", error }]));
    } catch (thrown) {
      deps.log.error("a failure could not be written into its stream", { id: record.id, error: thrown });
    }
    settle(outcomeOf(error));
    finish();
  };
  const pull = async () => {
    while (open) {
      const next = await events.next();
      if (!open) return;
      if (next.done) return fail(new GatewayError("upstream_cut", "The answer ended early."));
      const text = encode(next.value);
      const outcome = noteBatch(next.value, record);
      if (text !== "") {
        record.firstByteMs ??= deps.clock.monotonic() - record.startedMs;
        write(text);
      }
      if (outcome) {
        settle(outcome);
        finish();
      } else if (text !== "") return;
    }
  };

  forget = deps.keep({
    end: fail,
    tick(elapsedMs) {
      if (!open) {
        releasingMs += elapsedMs;
        if (releasingMs < RELEASE_LIMIT_MS) return;
        deps.log.error("an event stream did not end after its abort", { id: record.id });
        return released();
      }
      silentMs += elapsedMs;
      // Nothing is added for a reader that has not taken the last chunk.
      if (silentMs >= deps.heartbeatMs() && (controller?.desiredSize ?? -1) >= 0) write(options.heartbeat);
    },
  });
  // Checked here because a stream that is returned after the client has left is never pulled and never cancelled.
  if (request.signal.aborted) {
    leave();
    return new Response(null, { status: 499 });
  }
  request.signal.addEventListener("abort", leave, { once: true });
  options.server?.timeout(request, 0);
  const body = new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own;
      },
      pull: () => pull().catch((thrown: unknown) => fail(asGatewayError(thrown))),
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { ...SSE_HEADERS, ...options.headers } });
};

const openPipe = (options: PipeOptions, deps: Keeper): Response => {
  const { request, pieces, heartbeat, record } = options;
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let open = true;
  let silentMs = 0;

  const settle = (outcome: RequestOutcome) => {
    open = false;
    forget();
    request.signal.removeEventListener("abort", leave);
    record.outcome = outcome;
    const released = pieces.return?.() ?? Promise.resolve();
    released
      .catch((thrown: unknown) =>
        deps.log.error("a stream failed while it was closed", { id: record.id, error: thrown }),
      )
      .finally(options.onEnd);
  };
  const leave = () => {
    if (!open) return;
    settle("client-closed");
    try {
      controller?.close();
    } catch {
      // The reader closed it first.
    }
  };
  const fail = (thrown: unknown) => {
    if (!open) return;
    record.error ??= asGatewayError(thrown);
    settle(outcomeOf(record.error));
    controller?.error(thrown);
  };
  const write = (piece: string | Uint8Array<ArrayBuffer>) => {
    silentMs = 0;
    controller?.enqueue(typeof piece === "string" ? encoder.encode(piece) : piece);
  };
  const pull = async () => {
    const next = await pieces.next();
    if (!open) return;
    if (!next.done) return write(next.value);
    settle("finished");
    options.server?.timeout(request, IDLE_SECONDS);
    controller?.close();
  };

  const forget = deps.keep({
    end: fail,
    tick(elapsedMs) {
      silentMs += elapsedMs;
      if (heartbeat && silentMs >= heartbeat.ms && (controller?.desiredSize ?? -1) >= 0) write(heartbeat.text);
    },
  });
  if (request.signal.aborted) {
    leave();
    return new Response(null, { status: 499 });
  }
  request.signal.addEventListener("abort", leave, { once: true });
  options.server?.timeout(request, 0);
  const body = new ReadableStream<Uint8Array>(
    {
      start(own) {
        controller = own;
      },
      pull: () => pull().catch(fail),
      cancel: leave,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: options.headers });
};

/** Copies what the batch says about the request; the outcome once the last event has come. */
const noteBatch = (batch: EventBatch, record: RequestRecord): RequestOutcome | null => {
  for (const event of batch) {
    if (event.type === "usage") record.usage = event.usage;
    else if (event.type === "finish") {
      record.finish = event.reason;
      return "finished";
    } else if (event.type === "failure") {
      record.error ??= event.error;
      return outcomeOf(event.error);
    }
  }
  return null;
};

/** Only failures on the far side of the gateway count as a cut. */
export const outcomeOf = (error: GatewayError): RequestOutcome => {
  if (error.code === "client_closed") return "client-closed";
  return error.row.blame === "request" || error.row.blame === "gateway" ? "failed" : "upstream-cut";
};
