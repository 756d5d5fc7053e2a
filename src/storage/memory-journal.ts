// The journal for tests and throw-away runs: rows in an array, gone with the process.
// Invariant: answers exactly as a database driver would.
import { fits } from "./journal-filter.ts";
import type { Journal, KeptRow } from "./port.ts";
import { addSums, type Delta, type MutableSums, noSums, rollUp } from "./rollups.ts";

/** What a row takes in the store that this one stands for. */
const ROW_BYTES = 300;

export const createMemoryJournal = (): Journal => {
  let rows: KeptRow[] = [];
  const sums = new Map<string, Delta & MutableSums>();
  let lastSeq = 0;

  const inRange = (range: { span: string; dimension: string; fromMs: number; toMs: number }) =>
    [...sums.values()].filter(
      ({ span, dimension, startMs }) =>
        span === range.span && dimension === range.dimension && startMs >= range.fromMs && startMs < range.toMs,
    );
  const keepFrom = (least: number): number => {
    const before = rows.length;
    rows = rows.filter(({ seq }) => seq >= least);
    return before - rows.length;
  };
  return {
    async append(more, { dayOffsetMs }) {
      for (const row of more) {
        lastSeq = Math.max(lastSeq + 1, Math.floor(row.endMs) * 1000);
        rows.push({ ...structuredClone(row), seq: lastSeq });
      }
      for (const delta of rollUp(more, dayOffsetMs)) {
        const name = `${delta.span} ${delta.dimension} ${delta.startMs} ${delta.value}`;
        const known = sums.get(name);
        if (known) addSums(known, delta);
        else sums.set(name, delta);
      }
    },
    async search(filter, { before = Number.MAX_SAFE_INTEGER, limit }) {
      const least = filter.fromMs === undefined ? 0 : Math.floor(filter.fromMs) * 1000;
      const most = filter.toMs === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(filter.toMs) * 1000;
      const found = rows
        .filter((row) => row.seq < before && row.seq >= least && row.seq < most && fits(filter, row))
        .toReversed();
      const page = found.slice(0, limit);
      return { rows: structuredClone(page), next: found.length > limit ? (page.at(-1)?.seq ?? null) : null };
    },
    async series(range) {
      return inRange(range)
        .filter(({ value }) => value === range.value)
        .toSorted((one, other) => one.startMs - other.startMs)
        .map((delta) => {
          const point = { startMs: delta.startMs, ...noSums() };
          addSums(point, delta);
          return point;
        });
    },
    async top({ by, limit, ...range }) {
      const byValue = new Map<string, MutableSums & { value: string }>();
      for (const delta of inRange(range)) {
        const total = byValue.get(delta.value) ?? { value: delta.value, ...noSums() };
        addSums(total, delta);
        byValue.set(delta.value, total);
      }
      return [...byValue.values()]
        .toSorted((one, other) => other[by] - one[by] || (one.value < other.value ? -1 : 1))
        .slice(0, limit);
    },
    async prune({ beforeMs, maxBytes, hoursBeforeMs, daysBeforeMs }) {
      let gone = keepFrom(Math.floor(beforeMs) * 1000);
      const tooMany = rows.length - Math.floor(maxBytes / ROW_BYTES);
      if (tooMany > 0) gone += keepFrom((rows[tooMany - 1]?.seq ?? 0) + 1);
      let rollups = 0;
      for (const [name, { span, startMs }] of sums) {
        if (startMs >= (span === "hour" ? hoursBeforeMs : daysBeforeMs)) continue;
        sums.delete(name);
        rollups++;
      }
      return { rows: gone, rollups };
    },
    clear: async () => keepFrom(Number.MAX_SAFE_INTEGER),
    size: async () => ({ rows: rows.length, bytes: rows.length * ROW_BYTES }),
  };
};
