// What the journal keeps of a closed request. Knows no store.
// Invariant: no text of a caller gets in but the name of the model, and that one is cut and cleaned.
import { redact } from "../lib/log.ts";
import type { JournalRow } from "../storage/port.ts";
import { costOf, type RequestRecord } from "./record.ts";

export interface ClosedAt {
  readonly route: string;
  readonly endMs: number;
  /** Monotonic milliseconds of the end. */
  readonly closedMs: number;
}

const LONGEST_NAME = 100;
const LONGEST_REASON = 200;

const cut = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most)}…` : text);
const tenths = (ms: number): number => Math.round(ms * 10) / 10;

export const journalRow = (record: RequestRecord, { route, endMs, closedMs }: ClosedAt): JournalRow => ({
  id: record.id,
  endMs,
  route,
  key: record.key ?? "",
  model: record.model === null ? null : cut(redact(record.model), LONGEST_NAME),
  served: record.served,
  mode: record.mode,
  account: record.account,
  stream: record.stream,
  // Work in the background has no answer of its own.
  status: record.status === 0 ? (record.error?.row.status ?? 200) : record.status,
  outcome: record.outcome ?? "finished",
  code: record.error?.code ?? (record.outcome === "client-closed" ? "client_closed" : null),
  attempts: record.attempts.map(({ account, startedMs, durationMs, code, reason }) => ({
    account,
    startMs: tenths(startedMs - record.startedMs),
    ms: tenths(durationMs),
    code,
    reason: reason === null ? null : cut(redact(reason), LONGEST_REASON),
  })),
  firstByteMs: record.firstByteMs === null ? null : tenths(record.firstByteMs),
  totalMs: tenths(closedMs - record.startedMs),
  tokensIn: record.usage?.inputTokens ?? 0,
  tokensOut: record.usage?.outputTokens ?? 0,
  tokensReasoning: record.usage?.reasoningTokens ?? 0,
  tokensEstimated: record.usage?.estimated ?? false,
  images: record.images,
  videos: record.videos,
  costTicks: costOf(record),
});
