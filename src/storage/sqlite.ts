// Durable documents in one SQLite file; the only importer of bun:sqlite.
// Knows no meaning of a document. Invariant: a write is one transaction that is either whole or absent, also after kill -9,
// and a database from a newer program is never touched.
import { Database, type Statement } from "bun:sqlite";
import { chmodSync, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, type Clock } from "../lib/clock.ts";
import { encodeBody } from "./document-json.ts";
import { explainOpenFailure, prepareFolder } from "./folder.ts";
import type { SqlValue } from "./journal-row.ts";
import type { SqlConnection } from "./journal-connection.ts";
import { createSqlJournal } from "./journal-sql.ts";
import { migrations as releasedMigrations } from "./migrations.ts";
import type { DocumentChange, DocumentName, Documents, Journal, StoredDocument, WriteResult } from "./port.ts";

export interface SqliteOptions {
  path: string;
  /** Tests only: another list of steps. */
  migrations?: readonly string[];
  clock?: Pick<Clock, "monotonic" | "sleep">;
}

/** "G2AP": marks the file as ours, so that another program's database is refused instead of migrated. */
const applicationId = 0x47324150;

/** Whoever fills so much of the write-ahead log moves it into the file at once: one megabyte is a few milliseconds. */
const CHECKPOINT_PAGES = 250;

interface Row {
  id: string;
  revision: number;
  body: string;
}

export interface SqliteStore extends Documents {
  readonly journal: Journal;
}

export function openSqlite(options: SqliteOptions): SqliteStore {
  const { path } = options;
  prepareFolder(path);
  const isNew = !existsSync(path);
  let database: Database | undefined;
  try {
    database = new Database(path, { create: true, strict: true });
    // The documents hold session cookies; SQLite gives its side files the same mode.
    if (isNew) chmodSync(path, 0o600);
    database.run("PRAGMA busy_timeout = 5000");
    const steps = options.migrations ?? releasedMigrations;
    const version = checkOwnership(database, path, steps.length);
    // Before the first table: freed pages can then be given back a few at a time.
    if (version === 0) database.run("PRAGMA auto_vacuum = INCREMENTAL");
    database.run("PRAGMA journal_mode = WAL");
    database.run("PRAGMA synchronous = NORMAL");
    database.run(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    migrate(database, steps, { path, version });
    // A file from before the journal is written anew once, which is what it takes to change this.
    if (version > 0 && version < steps.length && readPragma(database, "auto_vacuum") === 0) {
      database.run("PRAGMA auto_vacuum = INCREMENTAL");
      database.run("VACUUM");
    }
    return createDocuments(database, options.clock ?? systemClock);
  } catch (thrown) {
    database?.close();
    if (thrown instanceof Error && thrown.name === "SQLiteError") {
      throw new Error(explainOpenFailure(path, thrown), { cause: thrown });
    }
    throw thrown;
  }
}

/** Runs before anything writes; returns how many steps the database has taken. */
function checkOwnership(database: Database, path: string, knownSteps: number): number {
  if (hasTables(database) && readPragma(database, "application_id") !== applicationId) {
    throw new Error(`${path} is a database of another program; it stays untouched`);
  }
  const version = readPragma(database, "user_version");
  if (version <= knownSteps) return version;
  throw new Error(
    `${path} was written by a newer version of this program (database version ${version}, this program knows up to ${knownSteps}); ` +
      "run the newer version, or restore the backup copy that it made beside the database",
  );
}

function migrate(database: Database, steps: readonly string[], from: { path: string; version: number }): void {
  const { path, version } = from;
  if (version > 0 && version < steps.length) backUp(database, `${path}.v${version}.bak`);
  steps.slice(version).forEach((step, index) => {
    database
      .transaction(() => {
        // Another process may have taken the step while this one waited for the lock.
        if (readPragma(database, "user_version") !== version + index) return;
        database.run(step);
        database.run(`PRAGMA application_id = ${applicationId}`);
        database.run(`PRAGMA user_version = ${version + index + 1}`);
      })
      .immediate();
  });
}

/** The copy is complete before it gets its name, so that a .bak file is always usable. */
function backUp(database: Database, target: string): void {
  const partial = `${target}.partial`;
  rmSync(partial, { force: true });
  database.run("VACUUM INTO ?", [partial]);
  chmodSync(partial, 0o600);
  renameSync(partial, target);
}

function readPragma(database: Database, name: "user_version" | "application_id" | "auto_vacuum"): number {
  using statement = database.prepare<Record<string, number>, []>(`PRAGMA ${name}`);
  return statement.get()?.[name] ?? 0;
}

function hasTables(database: Database): boolean {
  using statement = database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1");
  return statement.get() !== null;
}

function createDocuments(database: Database, clock: Pick<Clock, "monotonic" | "sleep">): SqliteStore {
  const statements = prepareStatements(database);
  let closed = false;
  const { journal, finalize: finalizeJournal } = createSqlJournal({
    connection: connectionOf(database),
    clock,
    isOpen: () => !closed,
  });
  const open = (): Statements => {
    if (closed) throw new Error("the document store is closed");
    return statements;
  };
  return {
    journal,
    async list(collection) {
      return open().list.all(collection).map(decodeRow);
    },
    async get(collection, id) {
      const row = open().get.get(collection, id);
      return row === null ? null : decodeRow(row);
    },
    async write(changes) {
      const prepared = open();
      database.run("BEGIN IMMEDIATE");
      try {
        const result = applyChanges(prepared, changes);
        database.run(result.ok ? "COMMIT" : "ROLLBACK");
        return result;
      } catch (thrown) {
        // A full disk makes SQLite roll back by itself.
        if (database.inTransaction) database.run("ROLLBACK");
        throw thrown;
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      finalize(statements);
      finalizeJournal();
      database.run("PRAGMA wal_checkpoint(TRUNCATE)");
      database.close(true);
    },
  };
}

/** The few words of the connection that the journal speaks. */
function connectionOf(database: Database): SqlConnection {
  return {
    prepare: (sql) => database.prepare<unknown, SqlValue[]>(sql),
    run: (sql) => database.run(sql),
    get inTransaction() {
      return database.inTransaction;
    },
  };
}

interface Statements {
  list: Statement<Row, [string]>;
  get: Statement<Row, [string, string]>;
  put: Statement<{ revision: number }, [string, string, string]>;
  create: Statement<{ revision: number }, [string, string, string]>;
  update: Statement<{ revision: number }, [string, string, string, number]>;
  remove: Statement<unknown, [string, string]>;
}

function finalize({ list, get, put, create, update, remove }: Statements): void {
  for (const statement of [list, get, put, create, update, remove]) statement.finalize();
}

function prepareStatements(database: Database): Statements {
  const insert = "INSERT INTO documents (collection, id, revision, body) VALUES (?, ?, 1, ?)";
  return {
    list: database.prepare("SELECT id, revision, body FROM documents WHERE collection = ?"),
    get: database.prepare("SELECT id, revision, body FROM documents WHERE collection = ? AND id = ?"),
    put: database.prepare(
      `${insert} ON CONFLICT DO UPDATE SET revision = revision + 1, body = excluded.body RETURNING revision`,
    ),
    create: database.prepare(`${insert} ON CONFLICT DO NOTHING RETURNING revision`),
    update: database.prepare(
      "UPDATE documents SET revision = revision + 1, body = ?3 WHERE collection = ?1 AND id = ?2 AND revision = ?4 RETURNING revision",
    ),
    remove: database.prepare("DELETE FROM documents WHERE collection = ? AND id = ?"),
  };
}

function applyChanges(statements: Statements, changes: DocumentChange[]): WriteResult {
  const revisions: number[] = [];
  const conflicts: DocumentName[] = [];
  for (const change of changes) {
    const revision = applyChange(statements, change);
    if (revision === null) conflicts.push({ collection: change.collection, id: change.id });
    else revisions.push(revision);
  }
  return conflicts.length === 0 ? { ok: true, revisions } : { ok: false, conflicts };
}

/** The new revision, or null when the expectation is not met. */
function applyChange(statements: Statements, change: DocumentChange): number | null {
  const { collection, id, expect } = change;
  if ("remove" in change) {
    if (expect !== undefined && expect !== (statements.get.get(collection, id)?.revision ?? 0)) return null;
    statements.remove.run(collection, id);
    return 0;
  }
  const body = encodeBody(change);
  if (expect === undefined) return statements.put.get(collection, id, body)?.revision ?? null;
  if (expect === 0) return statements.create.get(collection, id, body)?.revision ?? null;
  return statements.update.get(collection, id, body, expect)?.revision ?? null;
}

function decodeRow(row: Row): StoredDocument {
  return { id: row.id, revision: row.revision, body: JSON.parse(row.body) };
}

/**
 * All rows of a table of another program's database; null when there is no such table. Reads a copy, so that neither the file
 * nor its folder is touched, not even by the side files that reading would leave.
 */
export async function readForeignTable(path: string, table: string): Promise<Record<string, unknown>[] | null> {
  const folder = mkdtempSync(join(tmpdir(), "grok2api-read-"));
  const copy = join(folder, "copy.db");
  try {
    copyFileSync(path, copy);
    // What has not been moved into the database file yet.
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, `${copy}-wal`);
    using database = new Database(copy, { readwrite: true });
    using tables = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
    if (tables.get(table) === null) return null;
    using rows = database.prepare<Record<string, unknown>, []>(`SELECT * FROM "${table.replaceAll('"', '""')}"`);
    return rows.all();
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown;
    throw new Error(`the database cannot be read: ${thrown.message}`, { cause: thrown });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
