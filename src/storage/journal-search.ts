// Searches in the rows of the journal: by id over the index, by everything else from the newest row down, slice by slice.
// Knows no report. Invariants: no statement looks at more than a slice; a search that takes long ends with what it has found
// and says where it can go on, so that no question waits for the whole journal.
import type { Clock } from "../lib/clock.ts";
import { breathe, type Statements } from "./journal-connection.ts";
import { type Condition, conditionOf } from "./journal-filter.ts";
import { decodeRow, type SqlRow } from "./journal-row.ts";
import type { Journal, JournalPage, KeptRow } from "./port.ts";

/** Rows that one statement looks at: about a millisecond. */
const SLICE = 4_000;
/** After so long a search comes back with what it has. */
const LONGEST_MS = 100;
const NEWEST = Number.MAX_SAFE_INTEGER;

/** The index by hour and id needs the expression word by word. */
const HOUR = "seq / 3600000000";
const HOUR_BEFORE = `SELECT ${HOUR} AS value FROM requests WHERE ${HOUR} < ? ORDER BY ${HOUR} DESC LIMIT 1`;

export interface JournalSearchDeps {
  readonly statements: Statements;
  readonly clock: Pick<Clock, "monotonic">;
}

interface Walk {
  readonly condition: Condition;
  readonly before: number;
  readonly limit: number;
}

export const createJournalSearch = ({ statements, clock }: JournalSearchDeps): Journal["search"] => {
  const { statement, number } = statements;

  const byId = async (id: string, { condition, before, limit }: Walk): Promise<JournalPage> => {
    const { sql, values } = condition;
    const rowsOf = `SELECT * FROM requests WHERE ${HOUR} = ? AND id = ? AND seq < ? AND ${sql} ORDER BY seq DESC LIMIT ?`;
    const found: KeptRow[] = [];
    let hour = number(HOUR_BEFORE, NEWEST);
    for (let hours = 1; hour !== null && found.length <= limit; hours++) {
      const rows = statement(rowsOf).all(hour, id, before, ...values, limit + 1 - found.length) as SqlRow[];
      for (const row of rows) found.push(decodeRow(row));
      if (hours % 100 === 0) await breathe();
      hour = number(HOUR_BEFORE, hour);
    }
    return pageOf(found, limit);
  };

  const byWalking = async ({ condition, before: first, limit, least }: Walk & { least: number }) => {
    const { sql, values } = condition;
    // One walk says where the slice ends and whether there is anything in it; most slices of a rare condition hold nothing.
    const newest = `SELECT seq, (${sql}) AS hit FROM requests WHERE seq < ? AND seq >= ? ORDER BY seq DESC LIMIT ${SLICE}`;
    const look = `SELECT MIN(seq) AS end, COUNT(*) AS walked, TOTAL(hit) AS hits FROM (${newest})`;
    const take = `SELECT * FROM requests WHERE seq < ? AND seq >= ? AND ${sql} ORDER BY seq DESC LIMIT ?`;
    const found: KeptRow[] = [];
    const endMs = clock.monotonic() + LONGEST_MS;
    let before = first;
    do {
      const slice = statement(look).get(...values, before, least) as { end: number; walked: number; hits: number };
      if (slice.hits > 0) {
        const rows = statement(take).all(before, slice.end, ...values, limit + 1 - found.length) as SqlRow[];
        for (const row of rows) found.push(decodeRow(row));
      }
      if (slice.walked < SLICE || found.length > limit) return pageOf(found, limit);
      before = slice.end;
      await breathe();
    } while (clock.monotonic() < endMs);
    return { rows: found, next: before };
  };

  return (filter, page) => {
    const condition = conditionOf(filter);
    const { limit } = page;
    const least = filter.fromMs === undefined ? 0 : Math.floor(filter.fromMs) * 1000;
    const most = filter.toMs === undefined ? NEWEST : Math.floor(filter.toMs) * 1000;
    const before = Math.min(page.before ?? NEWEST, most);
    if (filter.id === undefined) return byWalking({ condition, before, limit, least });
    return byId(filter.id, { condition, before: page.before ?? NEWEST, limit });
  };
};

const pageOf = (found: readonly KeptRow[], limit: number): JournalPage => {
  const rows = found.slice(0, limit);
  return { rows, next: found.length > limit ? (rows.at(-1)?.seq ?? null) : null };
};
