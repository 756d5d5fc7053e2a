// Adds rows of the journal up by hour and day, in total and for each model, key and account. Knows no driver.
// Invariant: a row adds the same to every dimension, so that each of them sums up to the total.
import type { Dimension, JournalRow, Span, Sums } from "./port.ts";

export interface Delta extends Sums {
  readonly span: Span;
  readonly dimension: Dimension;
  readonly value: string;
  readonly startMs: number;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

export const SUM_FIELDS = [
  ...["requests", "served", "failed", "closed", "tokensIn", "tokensOut"],
  ...["tokensReasoning", "images", "videos", "costTicks", "firstBytes", "firstByteMs", "totalMs"],
] as readonly (keyof Sums)[];

export type MutableSums = { -readonly [Field in keyof Sums]: number };

export const noSums = (): MutableSums => ({
  requests: 0,
  served: 0,
  failed: 0,
  closed: 0,
  tokensIn: 0,
  tokensOut: 0,
  tokensReasoning: 0,
  images: 0,
  videos: 0,
  costTicks: 0,
  firstBytes: 0,
  firstByteMs: 0,
  totalMs: 0,
});

export const addSums = (to: MutableSums, from: Sums): void => {
  for (const field of SUM_FIELDS) to[field] += from[field];
};

const add = (sums: MutableSums, row: JournalRow): void => {
  sums.requests++;
  if (row.outcome === "finished" && row.status < 400) sums.served++;
  else if (row.outcome === "client-closed") sums.closed++;
  else sums.failed++;
  sums.tokensIn += row.tokensIn;
  sums.tokensOut += row.tokensOut;
  sums.tokensReasoning += row.tokensReasoning;
  sums.images += row.images;
  sums.videos += row.videos;
  sums.costTicks += row.costTicks;
  sums.totalMs += row.totalMs;
  if (row.firstByteMs === null) return;
  sums.firstBytes++;
  sums.firstByteMs += row.firstByteMs;
};

/** A name that is in no catalogue counts as one model, or callers could fill the table with names. */
const modelOf = (row: JournalRow): string => row.served ?? (row.model === null ? "" : "unknown");

export const rollUp = (rows: readonly JournalRow[], dayOffsetMs: number): readonly Delta[] => {
  const deltas = new Map<string, Delta & MutableSums>();
  for (const row of rows) {
    const starts = [
      ["hour", Math.floor(row.endMs / HOUR_MS) * HOUR_MS],
      ["day", Math.floor((row.endMs + dayOffsetMs) / DAY_MS) * DAY_MS - dayOffsetMs],
    ] as const;
    const values = [
      ["all", ""],
      ["model", modelOf(row)],
      ["key", row.key],
      ["account", row.account ?? ""],
    ] as const;
    for (const [span, startMs] of starts) {
      for (const [dimension, value] of values) {
        if (value === "" && dimension !== "all") continue;
        const name = `${span} ${dimension} ${startMs} ${value}`;
        let delta = deltas.get(name);
        if (!delta) deltas.set(name, (delta = { span, dimension, value, startMs, ...noSums() }));
        add(delta, row);
      }
    }
  }
  return [...deltas.values()];
};
