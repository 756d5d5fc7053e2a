// Takes away what is too old or too much in the journal, and gives the freed pages back to the system. Knows no setting.
// Invariants: it works in steps of about a millisecond and rests much longer after each, so that requests do not notice; it
// holds no more than a step in memory; a store that is closed meanwhile ends it without an error.
import type { Clock } from "../lib/clock.ts";
import { breathe, type Statements } from "./journal-connection.ts";
import { ROW_COLUMNS } from "./journal-row.ts";
import type { Journal } from "./port.ts";

/** Each of them is a step. */
const ROWS = 50;
const SUMS = 100;
const PAGES = 25;
/** How much longer than its steps a clean-up rests: it has a fortieth of the time. */
const REST = 40;
/** Somebody waits for the end of it. */
const SHORT_REST = 1;
const WALKED = 4_000;
const SAMPLE = 1_000;
/** Cell, page and index entry of a row beside its own bytes. */
const ROW_OVERHEAD = 100;
const NEWEST = Number.MAX_SAFE_INTEGER;

/** Word by word as in the index, which is much smaller than the table. */
const HOUR = "seq / 3600000000";
const OLDEST = "SELECT seq FROM requests WHERE seq < ? ORDER BY seq LIMIT ?";
const OLDEST_SPAN =
  "SELECT start_ms AS value FROM rollups WHERE span = ? AND dimension = ? AND start_ms < ? ORDER BY start_ms LIMIT 1";
const OF_SPAN = "span = ? AND dimension = ? AND start_ms = ?";

export interface JournalCleaningDeps {
  readonly statements: Statements;
  readonly clock: Pick<Clock, "monotonic" | "sleep">;
}

export interface JournalCleaning extends Pick<Journal, "prune" | "clear" | "size"> {
  /** So many rows were added. */
  grown(rows: number): void;
}

export const createJournalCleaning = ({ statements, clock }: JournalCleaningDeps): JournalCleaning => {
  const { statement, number, changes } = statements;
  let count: number | undefined;

  /** Does `step` again and again until it has nothing left to do or the store is closed; the result is what it did in all. */
  const inSteps = async (step: () => { done: number; last: boolean }, rest: number): Promise<number> => {
    let total = 0;
    while (statements.open) {
      const beganMs = clock.monotonic();
      const { done, last } = step();
      total += done;
      if (last) break;
      await clock.sleep((clock.monotonic() - beganMs) * rest);
    }
    return total;
  };
  const countRows = async (): Promise<number> => {
    if (count !== undefined) return count;
    let total = 0;
    let hour = number(`SELECT ${HOUR} AS value FROM requests ORDER BY ${HOUR} LIMIT 1`);
    while (hour !== null) {
      total += number(`SELECT COUNT(*) AS value FROM requests WHERE ${HOUR} = ?`, hour) ?? 0;
      hour = number(`SELECT ${HOUR} AS value FROM requests WHERE ${HOUR} > ? ORDER BY ${HOUR} LIMIT 1`, hour);
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
  const removeBelow = (seq: number, rest: number): Promise<number> =>
    inSteps(() => {
      const done = changes(`DELETE FROM requests WHERE seq IN (${OLDEST})`, seq, ROWS);
      if (count !== undefined) count -= done;
      return { done, last: done < ROWS };
    }, rest);
  /** The first row that may stay when only so many may. */
  const seqAtDepth = async (rows: number): Promise<number> => {
    let before = NEWEST;
    for (let left = rows; left > 0; left -= WALKED) {
      const skip = Math.min(left, WALKED) - 1;
      const at = "SELECT seq AS value FROM requests WHERE seq < ? ORDER BY seq DESC LIMIT 1 OFFSET ?";
      const seq = number(at, before, skip);
      if (seq === null) return 0;
      before = seq;
      await breathe();
    }
    return before;
  };
  const removeRollups = (old: { span: string; dimension: string; beforeMs: number }): Promise<number> =>
    inSteps(() => {
      const { span, dimension, beforeMs } = old;
      // A table without row ids: the oldest spans are found by the beginning of its key.
      const start = number(OLDEST_SPAN, span, dimension, beforeMs);
      if (start === null) return { done: 0, last: true };
      const some = `SELECT value FROM rollups WHERE ${OF_SPAN} LIMIT ${SUMS}`;
      const place = [span, dimension, start];
      return {
        done: changes(`DELETE FROM rollups WHERE ${OF_SPAN} AND value IN (${some})`, ...place, ...place),
        last: false,
      };
    }, REST);
  const freePages = (): number => {
    const { freelist_count: pages } = statement("PRAGMA freelist_count").get() as { freelist_count: number };
    return pages;
  };
  const giveBackPages = (rest: number): Promise<number> =>
    inSteps(() => {
      const pages = freePages();
      if (pages > 0) statement(`PRAGMA incremental_vacuum(${PAGES})`).all();
      const done = pages - freePages();
      // A file from another maker may keep its pages.
      return { done, last: done <= 0 };
    }, rest);

  return {
    async prune(keeping) {
      const gone = { rows: 0, rollups: 0 };
      try {
        gone.rows += await removeBelow(Math.floor(keeping.beforeMs) * 1000, REST);
        const allowed = Math.floor(keeping.maxBytes / rowBytes());
        if ((await countRows()) > allowed) gone.rows += await removeBelow(await seqAtDepth(allowed), REST);
        for (const [span, beforeMs] of [
          ["hour", keeping.hoursBeforeMs],
          ["day", keeping.daysBeforeMs],
        ] as const) {
          for (const dimension of ["all", "model", "key", "account"] as const) {
            gone.rollups += await removeRollups({ span, dimension, beforeMs });
          }
        }
        if (gone.rows + gone.rollups > 0) await giveBackPages(REST);
      } catch (thrown) {
        // Closed between two steps: the rest waits for the next start.
        if (statements.open) throw thrown;
      }
      return gone;
    },
    async clear() {
      const removed = await removeBelow(NEWEST, SHORT_REST);
      await giveBackPages(SHORT_REST);
      return removed;
    },
    async size() {
      const rows = await countRows();
      return { rows, bytes: Math.round(rows * rowBytes()) };
    },
    grown(rows) {
      if (count !== undefined) count += rows;
    },
  };
};
