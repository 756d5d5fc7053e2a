// The one door to durable state: revisioned JSON documents in named collections.
// Knows no driver and no meaning of a document. Bodies are plain JSON and travel by value: changing a body that was read
// changes nothing in the store. Invariant: a document's revision grows by exactly one with every write.

export interface StoredDocument {
  id: string;
  /** 1 for a new document. */
  revision: number;
  body: unknown;
}

/**
 * `expect` is the revision that the writer has seen; 0 means that the document must not exist yet, and without it the last
 * writer wins. A document that is removed and made again starts at 1 again.
 */
export type DocumentChange =
  | { collection: string; id: string; body: unknown; expect?: number }
  | { collection: string; id: string; remove: true; expect?: number };

export interface DocumentName {
  collection: string;
  id: string;
}

/** `revisions` has one entry a change, in order; 0 stands for a removed document. */
export type WriteResult = { ok: true; revisions: number[] } | { ok: false; conflicts: DocumentName[] };

export interface Documents {
  /** All documents of a collection, in no promised order. */
  list(collection: string): Promise<StoredDocument[]>;
  get(collection: string, id: string): Promise<StoredDocument | null>;
  /** One transaction: all changes or, when any `expect` is not met, none. Later changes see the earlier ones. */
  write(changes: DocumentChange[]): Promise<WriteResult>;
  close(): Promise<void>;
}

/** One try at an answer, by one account. */
export interface JournalAttempt {
  /** An id that is safe to show. */
  readonly account: string;
  /** Milliseconds after the request's beginning. */
  readonly startMs: number;
  readonly ms: number;
  /** Null for the attempt that served the request. */
  readonly code: string | null;
  readonly reason: string | null;
}

/** What is kept of one request: never a body, a prompt or a credential. */
export interface JournalRow {
  readonly id: string;
  /** When it ended, in Unix milliseconds. */
  readonly endMs: number;
  readonly route: string;
  readonly key: string;
  /** The model as the caller wrote it, and its id in the catalogue. */
  readonly model: string | null;
  readonly served: string | null;
  readonly mode: string | null;
  readonly account: string | null;
  readonly stream: boolean;
  readonly status: number;
  readonly outcome: string;
  readonly code: string | null;
  readonly attempts: readonly JournalAttempt[];
  readonly firstByteMs: number | null;
  readonly totalMs: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly tokensReasoning: number;
  readonly tokensEstimated: boolean;
  readonly images: number;
  readonly videos: number;
  /** What the upstream charged; 10,000,000,000 ticks are one US dollar. */
  readonly costTicks: number;
}

export interface KeptRow extends JournalRow {
  /** Grows with time; tells where a page ended. */
  readonly seq: number;
}

/** All that is stated must hold. */
export interface JournalFilter {
  readonly id?: string | undefined;
  readonly route?: string | undefined;
  readonly key?: string | undefined;
  /** As asked or as served. */
  readonly model?: string | undefined;
  readonly account?: string | undefined;
  readonly outcome?: string | undefined;
  readonly code?: string | undefined;
  readonly stream?: boolean | undefined;
  /** A status, or the first digit of several: 4 stands for 400 to 499. */
  readonly status?: number | undefined;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly slowerThanMs?: number | undefined;
  /** Requests with more than one attempt. */
  readonly retried?: boolean | undefined;
  /** Part of the id, a model, the key, the account, the code or the route, in any capitalisation. */
  readonly text?: string | undefined;
}

export interface JournalPage {
  /** Newest first. */
  readonly rows: readonly KeptRow[];
  /** Rows older than this one are left; null when none is. */
  readonly next: number | null;
}

/** What roll-ups add up. */
export interface Sums {
  readonly requests: number;
  readonly served: number;
  /** Failures on either side of the gateway; not those of callers that left. */
  readonly failed: number;
  readonly closed: number;
  readonly tokensIn: number;
  readonly tokensOut: number;
  readonly tokensReasoning: number;
  readonly images: number;
  readonly videos: number;
  readonly costTicks: number;
  /** How many had a first byte, and how long they took to it together. */
  readonly firstBytes: number;
  readonly firstByteMs: number;
  readonly totalMs: number;
}

export type Span = "hour" | "day";
/** "all" has one value, the empty text. */
export type Dimension = "all" | "model" | "key" | "account";

export interface RollupRange {
  readonly span: Span;
  readonly dimension: Dimension;
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

/** What is older or more than this goes. */
export interface JournalKeeping {
  readonly beforeMs: number;
  readonly maxBytes: number;
  readonly hoursBeforeMs: number;
  readonly daysBeforeMs: number;
}

export interface JournalPruned {
  readonly rows: number;
  readonly rollups: number;
}

/**
 * Rows of requests and what they add up to by hour and day. Work that grows with the number of rows is done in short steps
 * between which other work goes on.
 */
export interface Journal {
  /** One transaction with the roll-ups. The offset says how far the day is ahead of UTC's. */
  append(rows: readonly JournalRow[], options: { readonly dayOffsetMs: number }): Promise<void>;
  search(
    filter: JournalFilter,
    page: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<JournalPage>;
  /** Oldest first; spans without a request are left out. */
  series(range: RollupRange & { readonly value: string }): Promise<readonly (Sums & { readonly startMs: number })[]>;
  /** The largest first. */
  top(
    range: RollupRange & { readonly by: keyof Sums; readonly limit: number },
  ): Promise<readonly (Sums & { readonly value: string })[]>;
  prune(keeping: JournalKeeping): Promise<JournalPruned>;
  /** Removes every row; what they added up to stays. */
  clear(): Promise<number>;
  /** About. */
  size(): Promise<{ readonly rows: number; readonly bytes: number }>;
}
