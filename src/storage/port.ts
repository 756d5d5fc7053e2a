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
