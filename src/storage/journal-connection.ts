// What the journal needs of a connection: statements that are prepared once, and transactions. Knows no table.
// Invariant: nothing is prepared before it is first used, so that whoever opens the store only for its documents pays nothing.
import type { SqlValue } from "./journal-row.ts";

export interface SqlStatement {
  run(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
  get(...values: SqlValue[]): unknown;
  finalize(): void;
}

/** The few words of the connection that sqlite.ts hands over. */
export interface SqlConnection {
  prepare(sql: string): SqlStatement;
  run(sql: string): unknown;
  readonly inTransaction: boolean;
}

export interface Statements {
  statement(sql: string): SqlStatement;
  /** The column `value` of the first row. */
  number(sql: string, ...values: SqlValue[]): number | null;
  /** How many rows a statement has changed. */
  changes(sql: string, ...values: SqlValue[]): number;
  inTransaction(work: () => void): void;
  readonly open: boolean;
  finalize(): void;
}

export const createStatements = (connection: SqlConnection, isOpen: () => boolean): Statements => {
  const prepared = new Map<string, SqlStatement>();
  const statement = (sql: string): SqlStatement => {
    if (!isOpen()) throw new Error("the journal is closed");
    const known = prepared.get(sql);
    if (known) return known;
    const fresh = connection.prepare(sql);
    prepared.set(sql, fresh);
    return fresh;
  };
  return {
    statement,
    number(sql, ...values) {
      const row = statement(sql).get(...values) as { value: number | null } | null;
      return row?.value ?? null;
    },
    changes: (sql, ...values) => (statement(sql).run(...values) as { changes: number }).changes,
    inTransaction(work) {
      connection.run("BEGIN IMMEDIATE");
      try {
        work();
        connection.run("COMMIT");
      } catch (thrown) {
        if (connection.inTransaction) connection.run("ROLLBACK");
        throw thrown;
      }
    },
    get open() {
      return isOpen();
    },
    finalize() {
      for (const one of prepared.values()) one.finalize();
      prepared.clear();
    },
  };
};

/** Lets other work go on. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
