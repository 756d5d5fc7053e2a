// The journal in SQL tables, over a connection that sqlite.ts has opened. Knows no meaning of a row.
// Invariants: rows and roll-ups are written in one transaction; charts are added up span by span, and other work goes on
// between two of them.
import type { Clock } from "../lib/clock.ts";
import { createJournalCleaning } from "./journal-cleaning.ts";
import { breathe, createStatements, type SqlConnection } from "./journal-connection.ts";
import { encodeRow, ROW_COLUMNS } from "./journal-row.ts";
import { createJournalSearch } from "./journal-search.ts";
import type { Journal, RollupRange, Sums } from "./port.ts";
import { addSums, noSums, rollUp, SUM_FIELDS } from "./rollups.ts";

export interface SqlJournalDeps {
  readonly connection: SqlConnection;
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
  readonly isOpen: () => boolean;
}

const SUM_COLUMNS = SUM_FIELDS.map((field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
const NAMED_SUMS = SUM_COLUMNS.map((column, index) => `${column} AS ${SUM_FIELDS[index]}`).join(", ");
const ONE_SUM = `SELECT ${NAMED_SUMS} FROM rollups WHERE span = ? AND dimension = ? AND start_ms = ? AND value = ?`;
const ALL_STARTS =
  "SELECT start_ms AS start FROM rollups WHERE span = ? AND dimension = 'all' AND start_ms >= ? AND start_ms < ?";
const INSERT = `INSERT INTO requests (seq, ${ROW_COLUMNS.join(", ")}) VALUES (?, ${ROW_COLUMNS.map(() => "?").join(", ")})`;
const UPSERT = `INSERT INTO rollups (span, dimension, start_ms, value, ${SUM_COLUMNS.join(", ")})
  VALUES (?, ?, ?, ?, ${SUM_COLUMNS.map(() => "?").join(", ")})
  ON CONFLICT DO UPDATE SET ${SUM_COLUMNS.map((column) => `${column} = ${column} + excluded.${column}`).join(", ")}`;

export const createSqlJournal = ({ connection, clock, isOpen }: SqlJournalDeps) => {
  const statements = createStatements(connection, isOpen);
  const { statement, number } = statements;
  const cleaning = createJournalCleaning({ statements, clock });
  let lastSeq: number | undefined;

  /** One number for each value, one span after the other: a month of many accounts is much to add up at once. */
  const totalsOf = async (asked: RollupRange & { by: keyof Sums }): Promise<Map<string, number>> => {
    const { span, dimension, fromMs, toMs, by } = asked;
    const totals = new Map<string, number>();
    const sum = SUM_COLUMNS[SUM_FIELDS.indexOf(by)];
    const values = `SELECT value, ${sum} AS sum FROM rollups WHERE span = ? AND dimension = ? AND start_ms = ?`;
    for (const { start } of statement(ALL_STARTS).all(span, fromMs, toMs) as { start: number }[]) {
      for (const one of statement(values).all(span, dimension, start) as { value: string; sum: number }[]) {
        totals.set(one.value, (totals.get(one.value) ?? 0) + one.sum);
      }
      await breathe();
    }
    return totals;
  };

  const journal: Journal = {
    async append(rows, { dayOffsetMs }) {
      lastSeq ??= number("SELECT MAX(seq) AS value FROM requests") ?? 0;
      let seq = lastSeq;
      const insert = statement(INSERT);
      const upsert = statement(UPSERT);
      statements.inTransaction(() => {
        for (const row of rows) {
          seq = Math.max(seq + 1, Math.floor(row.endMs) * 1000);
          insert.run(seq, ...encodeRow(row));
        }
        for (const delta of rollUp(rows, dayOffsetMs)) {
          const { span, dimension, startMs, value } = delta;
          upsert.run(span, dimension, startMs, value, ...SUM_FIELDS.map((field) => delta[field]));
        }
      });
      lastSeq = seq;
      cleaning.grown(rows.length);
    },
    search: createJournalSearch({ statements, clock }),
    async series({ span, dimension, value, fromMs, toMs }) {
      const points: (Sums & { startMs: number })[] = [];
      // Every span with a request has a total, so the spans are found without walking all their values.
      const starts = statement(`${ALL_STARTS} ORDER BY start_ms`).all(span, fromMs, toMs) as { start: number }[];
      for (const { start } of starts) {
        const sums = statement(ONE_SUM).get(span, dimension, start, value) as Sums | null;
        if (sums) points.push({ startMs: start, ...sums });
      }
      return points;
    },
    async top(asked) {
      const totals = await totalsOf(asked);
      const largest = [...totals]
        .toSorted(([one, few], [other, many]) => many - few || (one < other ? -1 : 1))
        .slice(0, asked.limit)
        .map(([value]) => ({ value, ...noSums() }));
      const { span, dimension, fromMs, toMs } = asked;
      for (const { start } of statement(ALL_STARTS).all(span, fromMs, toMs) as { start: number }[]) {
        for (const total of largest) {
          const sums = statement(ONE_SUM).get(span, dimension, start, total.value) as Sums | null;
          if (sums) addSums(total, sums);
        }
        await breathe();
      }
      return largest;
    },
    prune: cleaning.prune,
    clear: cleaning.clear,
    size: cleaning.size,
  };
  return { journal, finalize: statements.finalize };
};
