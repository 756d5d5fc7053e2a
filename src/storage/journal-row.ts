// A row of the journal as columns, and back. Knows no statement.
// Invariant: a row that is read equals the row that was written.
import type { JournalAttempt, JournalRow, KeptRow } from "./port.ts";

export type SqlValue = string | number | null;

export interface SqlRow {
  readonly seq: number;
  readonly id: string;
  readonly end_ms: number;
  readonly route: string;
  readonly key: string;
  readonly model: string | null;
  readonly served: string | null;
  readonly mode: string | null;
  readonly account: string | null;
  readonly stream: number;
  readonly status: number;
  readonly outcome: string;
  readonly code: string | null;
  readonly tries: number;
  readonly attempts: string | null;
  readonly first_byte_ms: number | null;
  readonly total_ms: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly tokens_reasoning: number;
  readonly tokens_estimated: number;
  readonly images: number;
  readonly videos: number;
  readonly cost_ticks: number;
}

export const ROW_COLUMNS: readonly Exclude<keyof SqlRow, "seq">[] = [
  ...(["id", "end_ms", "route", "key", "model", "served", "mode", "account", "stream", "status", "outcome"] as const),
  ...(["code", "tries", "attempts", "first_byte_ms", "total_ms", "tokens_in", "tokens_out"] as const),
  ...(["tokens_reasoning", "tokens_estimated", "images", "videos", "cost_ticks"] as const),
];

export const encodeRow = (row: JournalRow): SqlValue[] => [
  ...[row.id, row.endMs, row.route, row.key, row.model, row.served, row.mode, row.account],
  ...[Number(row.stream), row.status, row.outcome, row.code],
  ...[row.attempts.length, row.attempts.length === 0 ? null : JSON.stringify(row.attempts)],
  ...[row.firstByteMs, row.totalMs, row.tokensIn, row.tokensOut, row.tokensReasoning],
  ...[Number(row.tokensEstimated), row.images, row.videos, row.costTicks],
];

export const decodeRow = (row: SqlRow): KeptRow => ({
  seq: row.seq,
  id: row.id,
  endMs: row.end_ms,
  route: row.route,
  key: row.key,
  model: row.model,
  served: row.served,
  mode: row.mode,
  account: row.account,
  stream: row.stream === 1,
  status: row.status,
  outcome: row.outcome,
  code: row.code,
  attempts: row.attempts === null ? [] : (JSON.parse(row.attempts) as JournalAttempt[]),
  firstByteMs: row.first_byte_ms,
  totalMs: row.total_ms,
  tokensIn: row.tokens_in,
  tokensOut: row.tokens_out,
  tokensReasoning: row.tokens_reasoning,
  tokensEstimated: row.tokens_estimated === 1,
  images: row.images,
  videos: row.videos,
  costTicks: row.cost_ticks,
});
