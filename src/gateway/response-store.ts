// Keeps responses for later turns and for looking them up: an index of small heads in memory, bodies in storage, written
// after the fact so that no answer waits for it. Knows no protocol: bodies are JSON that others understand.
// Invariants: a response can be read from the moment it is put; nobody reads another owner's; what a kept response
// continues is kept as long as it is.
import type { Clock } from "../lib/clock.ts";
import type { JsonObject } from "../lib/json.ts";
import type { Log } from "../lib/log.ts";
import type { DocumentChange, Documents } from "../storage/port.ts";

/** Where the upstream holds the conversation. */
export interface Thread {
  readonly accountId: string;
  readonly conversationId: string;
  readonly responseId: string;
}

export interface StoredResponse {
  readonly id: string;
  /** Which caller may see it. */
  readonly owner: string;
  /** The response that it continues. */
  readonly parent: string | null;
  readonly createdMs: number;
  /** The response object as it was sent. */
  readonly body: JsonObject;
  readonly input: readonly JsonObject[];
  /** What a streamed answer was written from; null for one that was not streamed. */
  readonly events: readonly JsonObject[] | null;
  readonly thread: Thread | null;
}

export interface StoreLimits {
  readonly maxAgeMs: number;
  readonly maxCount: number;
  readonly maxBytes: number;
}

export interface ResponseStore {
  /** Reads the heads of what earlier runs have kept. */
  load(): Promise<void>;
  put(response: StoredResponse): void;
  find(id: string, owner: string): Promise<StoredResponse | null>;
  /** The response that an item belongs to, by the digits that they share. */
  findByDigits(digits: string, owner: string): Promise<StoredResponse | null>;
  /** False when there was none. */
  remove(id: string, owner: string): Promise<boolean>;
  /** Drops what is too old or too much. */
  trim(): void;
  readonly size: number;
  /** Writes everything down and stops. */
  close(): Promise<void>;
}

export interface ResponseStoreDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: () => StoreLimits;
}

const HEADS = "responses";
const BODIES = "response_bodies";
const WRITE_DELAY_MS = 200;
const RETRY_MS = 5_000;
/** While storage fails no more than this waits in memory. */
const MOST_UNWRITTEN = 500;
/** Trimming goes a little below the limits, so that it is not needed again at once. */
const TRIM_TO = 0.95;
export const SHARED_DIGITS = 28;

interface Head {
  readonly id: string;
  readonly owner: string;
  readonly parent: string | null;
  readonly createdMs: number;
  bytes: number;
  /** When it or anything that continues it was made. */
  usedMs: number;
}

const digitsOf = (id: string): string => id.slice(id.indexOf("_") + 1).slice(0, SHARED_DIGITS);

export const createResponseStore = (deps: ResponseStoreDeps): ResponseStore => {
  const { documents, clock, log, limits } = deps;
  const heads = new Map<string, Head>();
  const byDigits = new Map<string, string>();
  const unwritten = new Map<string, StoredResponse>();
  const removals = new Set<string>();
  const stopped = new AbortController();
  let bytes = 0;
  let timed = false;
  let last: Promise<void> = Promise.resolve();

  const index = (head: Head) => {
    heads.set(head.id, head);
    byDigits.set(digitsOf(head.id), head.id);
    bytes += head.bytes;
    const seen = new Set<string>();
    for (let up = head.parent; up !== null && !seen.has(up);) {
      seen.add(up);
      const ancestor = heads.get(up);
      if (ancestor === undefined) break;
      ancestor.usedMs = Math.max(ancestor.usedMs, head.createdMs);
      up = ancestor.parent;
    }
  };
  const drop = (id: string) => {
    const head = heads.get(id);
    if (head === undefined) return;
    heads.delete(id);
    byDigits.delete(digitsOf(id));
    bytes -= head.bytes;
    unwritten.delete(id);
    removals.add(id);
    writeSoon(WRITE_DELAY_MS);
  };

  const changesFor = (batch: readonly StoredResponse[], gone: readonly string[]): DocumentChange[] => [
    ...gone.flatMap((id): DocumentChange[] => [
      { collection: HEADS, id, remove: true },
      { collection: BODIES, id, remove: true },
    ]),
    ...batch.flatMap((response): DocumentChange[] => {
      const { id, owner, parent, createdMs, ...content } = response;
      const size = heads.get(id)?.bytes ?? 0;
      return [
        { collection: HEADS, id, body: { owner, parent, created_ms: createdMs, bytes: size } },
        { collection: BODIES, id, body: content },
      ];
    }),
  ];
  /** Counted here and not in `put`, which is part of the answer's path. */
  const weigh = ({ id, owner: _owner, ...rest }: StoredResponse) => {
    const head = heads.get(id);
    if (head === undefined) return;
    const weight = JSON.stringify(rest).length;
    bytes += weight - head.bytes;
    head.bytes = weight;
  };

  const write = async () => {
    const batch = [...unwritten.values()];
    const gone = [...removals];
    if (batch.length + gone.length === 0) return;
    removals.clear();
    for (const response of batch) weigh(response);
    try {
      await documents.write(changesFor(batch, gone));
    } catch (thrown) {
      for (const id of gone) removals.add(id);
      throw thrown;
    }
    // One that was put again or removed meanwhile is another matter.
    for (const response of batch) if (unwritten.get(response.id) === response) unwritten.delete(response.id);
    trim();
  };
  const flush = (): Promise<void> => {
    const run = last.then(write);
    last = run.catch(() => {});
    return run;
  };
  const writeSoon = (ms: number) => {
    if (timed) return;
    timed = true;
    const go = () => {
      timed = false;
      flush().catch((thrown: unknown) => {
        log.error("responses could not be stored and will be tried again", { error: thrown });
        for (const id of [...unwritten.keys()].slice(0, Math.max(0, unwritten.size - MOST_UNWRITTEN))) drop(id);
        writeSoon(RETRY_MS);
      });
    };
    clock.sleep(ms, stopped.signal).then(go, () => {});
  };

  const trim = () => {
    const { maxAgeMs, maxCount, maxBytes } = limits();
    const oldest = clock.now() - maxAgeMs;
    for (const head of [...heads.values()]) if (head.usedMs < oldest) drop(head.id);
    if (heads.size <= maxCount && bytes <= maxBytes) return;
    // Of those last used at the same time the newest goes first: what continues something before what it continues.
    const leaving = [...heads.values()].toReversed().toSorted((one, other) => one.usedMs - other.usedMs);
    for (const head of leaving) {
      if (heads.size <= maxCount * TRIM_TO && bytes <= maxBytes * TRIM_TO) return;
      drop(head.id);
    }
  };

  const find = async (id: string, owner: string): Promise<StoredResponse | null> => {
    const head = heads.get(id);
    if (head === undefined || head.owner !== owner) return null;
    const waiting = unwritten.get(id);
    if (waiting !== undefined) return waiting;
    const stored = await documents.get(BODIES, id);
    if (stored === null) return null;
    const { parent, createdMs } = head;
    return { id, owner, parent, createdMs, ...(stored.body as Content) };
  };

  return {
    async load() {
      const stored = await documents.list(HEADS);
      const found = stored.flatMap(({ id, body }) => readHead(id, body));
      for (const head of found.toSorted((one, other) => one.createdMs - other.createdMs)) index(head);
      trim();
    },
    put(response) {
      const { id, owner, parent, createdMs } = response;
      unwritten.set(id, response);
      index({ id, owner, parent, createdMs, bytes: 0, usedMs: createdMs });
      writeSoon(WRITE_DELAY_MS);
    },
    find,
    async findByDigits(digits, owner) {
      const id = byDigits.get(digits);
      return id === undefined ? null : find(id, owner);
    },
    async remove(id, owner) {
      if (heads.get(id)?.owner !== owner) return false;
      drop(id);
      await flush();
      return true;
    },
    trim,
    get size() {
      return heads.size;
    },
    async close() {
      await flush();
      stopped.abort();
    },
  };
};

/** The body document is written by this file alone, so its shape is known. */
type Content = Pick<StoredResponse, "body" | "input" | "events" | "thread">;

const readHead = (id: string, body: unknown): Head[] => {
  const { owner, parent, created_ms: createdMs, bytes } = body as { [key: string]: unknown };
  if (typeof owner !== "string" || typeof createdMs !== "number") return [];
  return [
    {
      id,
      owner,
      parent: typeof parent === "string" ? parent : null,
      createdMs,
      bytes: typeof bytes === "number" ? bytes : 0,
      usedMs: createdMs,
    },
  ];
};
