// What a search asks of a row, once as a condition in SQL and once as a test of the row itself. Knows no driver.
// Invariant: both say the same of every row; the contract test of the journal runs every filter over both.
import type { JournalFilter, JournalRow } from "./port.ts";
import type { SqlValue } from "./journal-row.ts";

export interface Condition {
  /** Without the range of time and the id, by which rows are found. */
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

const TEXT_COLUMNS = ["id", "model", "served", "key", "account", "code", "route"] as const;

/** SQLite folds only ASCII letters; so does the test below. */
const pattern = (text: string): string => `%${text.replace(/[\\%_]/g, "\\$&")}%`;

export const conditionOf = (filter: JournalFilter): Condition => {
  const parts: string[] = ["1"];
  const values: SqlValue[] = [];
  const add = (sql: string, ...more: SqlValue[]) => {
    parts.push(sql);
    values.push(...more);
  };
  for (const name of ["route", "key", "account", "outcome", "code"] as const) {
    const value = filter[name];
    if (value !== undefined) add(`${name} = ?`, value);
  }
  if (filter.model !== undefined) add("(model = ? OR served = ?)", filter.model, filter.model);
  if (filter.stream !== undefined) add("stream = ?", Number(filter.stream));
  if (filter.status !== undefined) {
    const [least, most] = statusRange(filter.status);
    add("status BETWEEN ? AND ?", least, most);
  }
  if (filter.slowerThanMs !== undefined) add("total_ms > ?", filter.slowerThanMs);
  if (filter.retried !== undefined) add(filter.retried ? "tries > 1" : "tries <= 1");
  if (filter.text !== undefined) {
    const like = pattern(filter.text);
    add(
      `(${TEXT_COLUMNS.map((column) => `${column} LIKE ? ESCAPE '\\'`).join(" OR ")})`,
      ...TEXT_COLUMNS.map(() => like),
    );
  }
  return { sql: parts.join(" AND "), values };
};

const statusRange = (status: number): readonly [number, number] =>
  status < 10 ? [status * 100, status * 100 + 99] : [status, status];

const folded = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

export const fits = (filter: JournalFilter, row: JournalRow): boolean => {
  for (const name of ["id", "route", "key", "account", "outcome", "code", "stream"] as const) {
    if (filter[name] !== undefined && row[name] !== filter[name]) return false;
  }
  if (filter.model !== undefined && row.model !== filter.model && row.served !== filter.model) return false;
  if (filter.status !== undefined) {
    const [least, most] = statusRange(filter.status);
    if (row.status < least || row.status > most) return false;
  }
  if (filter.slowerThanMs !== undefined && row.totalMs <= filter.slowerThanMs) return false;
  if (filter.retried !== undefined && row.attempts.length > 1 !== filter.retried) return false;
  if (filter.text === undefined) return true;
  const wanted = folded(filter.text);
  return TEXT_COLUMNS.some((column) => folded(row[column] ?? "").includes(wanted));
};
