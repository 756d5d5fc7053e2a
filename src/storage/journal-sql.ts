// The journal in SQL tables, over a connection that sqlite.ts has opened. Knows no meaning of a row.
// Invariants: rows and roll-ups are written in one transaction; no statement walks more than a slice of the rows, and other
// work goes on between two slices.
import type {
  Journal,
  JournalFilter,
  JournalKeeping,
  JournalPage,
  JournalPruned,
  KeptRow,
  RollupRange,
  Sums,
} from "./port.ts";
import { conditionOf } from "./journal-filter.ts";
import { decodeRow, encodeRow, ROW_COLUMNS, type SqlRow, type SqlValue } from "./journal-row.ts";
import { addSums, noSums, rollUp, SUM_FIELDS } from "./rollups.ts";

export interface SqlStatement {
  run(...values: SqlValue[]): unknown;
  all(...values: SqlValue[]): unknown[];
  get(...values: SqlValue[]): unknown;
  finalize(): void;
}

/** What is needed of the connection. */
export interface SqlConnection {
  prepare(sql: string): SqlStatement;
  run(sql: string): unknown;
  readonly inTransaction: boolean;
}

/** Rows that one statement looks at or removes: a few milliseconds. */
const SLICE = 4_000;
const PRUNE_SLICE = 200;
const VACUUM_PAGES = 100;
/** A search that has found too little after so many rows says where it can go on. */
const MOST_SEARCHED = 2_000_000;
const SAMPLE = 1_000;
/** Cell, page and index entry of a row beside its own bytes. */
const ROW_OVERHEAD = 100;

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const SUM_COLUMNS = SUM_FIELDS.map((field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
const NAMED_SUMS = SUM_COLUMNS.map((column, index) => `${column} AS ${SUM_FIELDS[index]}`).join(", ");
const ONE_SUM = `SELECT ${NAMED_SUMS} FROM rollups WHERE span = ? AND dimension = ? AND start_ms = ? AND value = ?`;
const ALL_STARTS =
  "SELECT start_ms AS start FROM rollups WHERE span = ? AND dimension = 'all' AND start_ms >= ? AND start_ms < ?";

export const createSqlJournal = (connection: SqlConnection, isOpen: () => boolean) => {
  const prepared = new Map<string, SqlStatement>();
  let lastSeq: number | undefined;
  let count: number | undefined;

  /** Prepared on first use: whoever opens the store only for its documents pays nothing. */
  const statement = (sql: string): SqlStatement => {
    if (!isOpen()) throw new Error("the journal is closed");
    const known = prepared.get(sql);
    if (known) return known;
    const fresh = connection.prepare(sql);
    prepared.set(sql, fresh);
    return fresh;
  };
  const number = (sql: string, ...values: SqlValue[]): number | null => {
    const row = statement(sql).get(...values) as { value: number | null } | null;
    return row?.value ?? null;
  };
  const inTransaction = (work: () => void) => {
    connection.run("BEGIN IMMEDIATE");
    try {
      work();
      connection.run("COMMIT");
    } catch (thrown) {
      if (connection.inTransaction) connection.run("ROLLBACK");
      throw thrown;
    }
  };
  const countRows = async (): Promise<number> => {
    if (count !== undefined) return count;
    let total = 0;
    let before = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const slice = statement(
        "SELECT COUNT(*) AS rows, MIN(seq) AS least FROM (SELECT seq FROM requests WHERE seq < ? ORDER BY seq DESC LIMIT ?)",
      ).get(before, SLICE * 5) as { rows: number; least: number | null };
      total += slice.rows;
      if (slice.least === null || slice.rows < SLICE * 5) break;
      before = slice.least;
      await breathe();
    }
    count = total;
    return total;
  };
  const rowBytes = (): number => {
    const lengths = ROW_COLUMNS.map((column) => `COALESCE(LENGTH(${column}), 0)`).join(" + ");
    const newest = `SELECT ${lengths} AS bytes FROM requests ORDER BY seq DESC LIMIT ${SAMPLE}`;
    return (number(`SELECT AVG(bytes) AS value FROM (${newest})`) ?? 0) + ROW_OVERHEAD;
  };
  /** Removes the oldest rows below `seq`, in steps. */
  const removeBelow = async (seq: number): Promise<number> => {
    let removed = 0;
    for (;;) {
      const oldest = "SELECT seq FROM requests WHERE seq < ? ORDER BY seq LIMIT ?";
      const { changes } = statement(`DELETE FROM requests WHERE seq IN (${oldest})`).run(seq, PRUNE_SLICE) as {
        changes: number;
      };
      removed += changes;
      if (count !== undefined) count -= changes;
      if (changes < PRUNE_SLICE) return removed;
      await breathe();
    }
  };
  /** The first row that may stay when only so many may. */
  const seqAtDepth = async (rows: number): Promise<number> => {
    let before = Number.MAX_SAFE_INTEGER;
    for (let left = rows; left > 0; left -= SLICE * 5) {
      const skip = Math.min(left, SLICE * 5) - 1;
      const seq = number(
        "SELECT seq AS value FROM requests WHERE seq < ? ORDER BY seq DESC LIMIT 1 OFFSET ?",
        before,
        skip,
      );
      if (seq === null) return 0;
      before = seq;
      await breathe();
    }
    return before;
  };

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
  const giveBackPages = async (): Promise<void> => {
    const free = statement("PRAGMA freelist_count");
    for (;;) {
      const { freelist_count: pages } = free.get() as { freelist_count: number };
      if (pages === 0) return;
      statement(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`).all();
      await breathe();
      const after = free.get() as { freelist_count: number };
      // A file from another maker may keep its pages.
      if (after.freelist_count >= pages) return;
    }
  };

  const journal: Journal = {
    async append(rows, { dayOffsetMs }) {
      lastSeq ??= number("SELECT MAX(seq) AS value FROM requests") ?? 0;
      let seq = lastSeq;
      const insert = statement(INSERT);
      const upsert = statement(UPSERT);
      inTransaction(() => {
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
      if (count !== undefined) count += rows.length;
    },
    async search(filter: JournalFilter, page): Promise<JournalPage> {
      const { sql, values } = conditionOf(filter);
      if (filter.id !== undefined) {
        const rows = statement(
          `SELECT * FROM requests WHERE id = ? AND seq < ? AND ${sql} ORDER BY seq DESC LIMIT ?`,
        ).all(filter.id, page.before ?? Number.MAX_SAFE_INTEGER, ...values, page.limit + 1) as SqlRow[];
        return pageOf(rows.map(decodeRow), page.limit);
      }
      const least = filter.fromMs === undefined ? 0 : Math.floor(filter.fromMs) * 1000;
      const most = filter.toMs === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(filter.toMs) * 1000;
      let before = Math.min(page.before ?? Number.MAX_SAFE_INTEGER, most);
      const found: KeptRow[] = [];
      for (let searched = 0; searched < MOST_SEARCHED; searched += SLICE) {
        const end = number(
          "SELECT seq AS value FROM requests WHERE seq < ? AND seq >= ? ORDER BY seq DESC LIMIT 1 OFFSET ?",
          before,
          least,
          SLICE - 1,
        );
        const slice = statement(
          `SELECT * FROM requests WHERE seq < ? AND seq >= ? AND ${sql} ORDER BY seq DESC LIMIT ?`,
        ).all(before, end ?? least, ...values, page.limit + 1 - found.length) as SqlRow[];
        for (const row of slice) found.push(decodeRow(row));
        if (end === null || found.length > page.limit) return pageOf(found, page.limit);
        before = end;
        await breathe();
      }
      return { rows: found, next: before };
    },
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
    async prune(keeping: JournalKeeping): Promise<JournalPruned> {
      let rows = await removeBelow(Math.floor(keeping.beforeMs) * 1000);
      const allowed = Math.floor(keeping.maxBytes / rowBytes());
      if ((await countRows()) > allowed) rows += await removeBelow(await seqAtDepth(allowed));
      let rollups = 0;
      for (const [span, beforeMs] of [
        ["hour", keeping.hoursBeforeMs],
        ["day", keeping.daysBeforeMs],
      ] as const) {
        for (const dimension of ["all", "model", "key", "account"] as const) {
          rollups += await removeRollups({ span, dimension, beforeMs });
        }
      }
      if (rows + rollups > 0) await giveBackPages();
      return { rows, rollups };
    },
    async clear() {
      const removed = await removeBelow(Number.MAX_SAFE_INTEGER);
      await giveBackPages();
      return removed;
    },
    async size() {
      const rows = await countRows();
      return { rows, bytes: Math.round(rows * rowBytes()) };
    },
  };

  const removeRollups = async (old: { span: string; dimension: string; beforeMs: number }): Promise<number> => {
    const { span, dimension, beforeMs } = old;
    let removed = 0;
    for (;;) {
      // A table without row ids: the oldest spans are found by the beginning of its key.
      const oldest = statement(
        "SELECT start_ms AS value FROM rollups WHERE span = ? AND dimension = ? AND start_ms < ? ORDER BY start_ms LIMIT 1",
      ).get(span, dimension, beforeMs) as { value: number } | null;
      if (oldest === null) return removed;
      const { changes } = statement("DELETE FROM rollups WHERE span = ? AND dimension = ? AND start_ms = ?").run(
        ...[span, dimension, oldest.value],
      ) as { changes: number };
      removed += changes;
      await breathe();
    }
  };

  return {
    journal,
    finalize() {
      for (const one of prepared.values()) one.finalize();
      prepared.clear();
    },
  };
};

const pageOf = (found: readonly KeptRow[], limit: number): JournalPage => {
  const rows = found.slice(0, limit);
  return { rows, next: found.length > limit ? (rows.at(-1)?.seq ?? null) : null };
};

const INSERT = `INSERT INTO requests (seq, ${ROW_COLUMNS.join(", ")}) VALUES (?, ${ROW_COLUMNS.map(() => "?").join(", ")})`;

const UPSERT = `INSERT INTO rollups (span, dimension, start_ms, value, ${SUM_COLUMNS.join(", ")})
  VALUES (?, ?, ?, ?, ${SUM_COLUMNS.map(() => "?").join(", ")})
  ON CONFLICT DO UPDATE SET ${SUM_COLUMNS.map((column) => `${column} = ${column} + excluded.${column}`).join(", ")}`;
