// The driver for tests and throw-away runs: documents in a map, gone with the process.
// Keeps bodies as JSON text, so that it refuses and copies exactly what a database driver would.
import type { DocumentChange, DocumentName, Documents, StoredDocument, WriteResult } from "./port.ts";
import { encodeBody } from "./document-json.ts";

interface Row {
  revision: number;
  body: string;
}

type Collections = Map<string, Map<string, Row>>;

export function createMemoryDocuments(): Documents {
  const collections: Collections = new Map();
  let closed = false;
  const open = (): Collections => {
    if (closed) throw new Error("the document store is closed");
    return collections;
  };
  return {
    async list(collection) {
      return [...(open().get(collection) ?? [])].map(([id, row]) => decodeRow(id, row));
    },
    async get(collection, id) {
      const row = open().get(collection)?.get(id);
      return row === undefined ? null : decodeRow(id, row);
    },
    async write(changes) {
      return applyChanges(open(), changes);
    },
    async close() {
      closed = true;
    },
  };
}

function decodeRow(id: string, row: Row): StoredDocument {
  return { id, revision: row.revision, body: JSON.parse(row.body) };
}

function applyChanges(collections: Collections, changes: DocumentChange[]): WriteResult {
  const bodies = changes.map((change) => ("remove" in change ? "" : encodeBody(change)));
  const undo: (() => void)[] = [];
  const conflicts: DocumentName[] = [];
  const revisions: number[] = [];
  changes.forEach((change, index) => {
    const rows = collections.get(change.collection) ?? new Map<string, Row>();
    collections.set(change.collection, rows);
    const before = rows.get(change.id);
    if (change.expect !== undefined && change.expect !== (before?.revision ?? 0)) {
      conflicts.push({ collection: change.collection, id: change.id });
      return;
    }
    undo.push(() => (before === undefined ? rows.delete(change.id) : rows.set(change.id, before)));
    const revision = "remove" in change ? 0 : (before?.revision ?? 0) + 1;
    if (revision === 0) rows.delete(change.id);
    else rows.set(change.id, { revision, body: bodies[index] ?? "" });
    revisions.push(revision);
  });
  if (conflicts.length === 0) return { ok: true, revisions };
  for (const step of undo.reverse()) step();
  return { ok: false, conflicts };
}
