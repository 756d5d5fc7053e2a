// Rows and sums of the journal as pages and scripts see them. Holds no secret: keys and accounts are ids.
// Invariant: a share of nothing is null, never a number that looks like a result.
import { TICKS_PER_USD } from "../core/usage.ts";
import type { ClientKeys } from "../access/client-keys.ts";
import type { JournalAttempt, KeptRow, Sums } from "../storage/port.ts";

export interface SumsView {
  readonly requests: number;
  readonly served: number;
  readonly failed: number;
  readonly client_closed: number;
  /** Of those that were served or failed; those that left say nothing. */
  readonly success_rate: number | null;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly tokens_reasoning: number;
  readonly images: number;
  readonly videos: number;
  /** US dollars that the official API has charged. */
  readonly cost_usd: number;
  readonly first_byte_ms: number | null;
  readonly total_ms: number | null;
}

const tenth = (value: number): number => Math.round(value * 10) / 10;
const average = (sum: number, count: number): number | null => (count === 0 ? null : tenth(sum / count));

export const sumsView = (sums: Sums | undefined): SumsView => {
  const decided = (sums?.served ?? 0) + (sums?.failed ?? 0);
  return {
    requests: sums?.requests ?? 0,
    served: sums?.served ?? 0,
    failed: sums?.failed ?? 0,
    client_closed: sums?.closed ?? 0,
    success_rate: average((sums?.served ?? 0) * 100, decided),
    tokens_in: sums?.tokensIn ?? 0,
    tokens_out: sums?.tokensOut ?? 0,
    tokens_reasoning: sums?.tokensReasoning ?? 0,
    images: sums?.images ?? 0,
    videos: sums?.videos ?? 0,
    cost_usd: (sums?.costTicks ?? 0) / TICKS_PER_USD,
    first_byte_ms: average(sums?.firstByteMs ?? 0, sums?.firstBytes ?? 0),
    total_ms: average(sums?.totalMs ?? 0, sums?.requests ?? 0),
  };
};

export interface RequestView {
  readonly seq: number;
  readonly id: string;
  /** When it began, and when it ended. */
  readonly time: string;
  readonly ended: string;
  readonly route: string;
  readonly key: string;
  readonly key_name: string;
  readonly model: string | null;
  readonly served: string | null;
  readonly mode: string | null;
  readonly account: string | null;
  readonly stream: boolean;
  readonly status: number;
  readonly outcome: string;
  readonly code: string | null;
  readonly attempts: readonly {
    readonly account: string;
    readonly start_ms: number;
    readonly ms: number;
    readonly code: string | null;
    readonly reason: string | null;
  }[];
  readonly first_byte_ms: number | null;
  readonly total_ms: number;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly tokens_reasoning: number;
  readonly tokens_estimated: boolean;
  readonly images: number;
  readonly videos: number;
  readonly cost_usd: number;
}

/** A key that is gone keeps its id. */
export const nameOfKey = (id: string, keys: Pick<ClientKeys, "get">): string => keys.get(id)?.name ?? id;

export const requestView = (row: KeptRow, keys: Pick<ClientKeys, "get">): RequestView => ({
  seq: row.seq,
  id: row.id,
  time: new Date(row.endMs - row.totalMs).toISOString(),
  ended: new Date(row.endMs).toISOString(),
  route: row.route,
  key: row.key,
  key_name: nameOfKey(row.key, keys),
  model: row.model,
  served: row.served,
  mode: row.mode,
  account: row.account,
  stream: row.stream,
  status: row.status,
  outcome: row.outcome,
  code: row.code,
  attempts: row.attempts.map(attemptView),
  first_byte_ms: row.firstByteMs,
  total_ms: row.totalMs,
  tokens_in: row.tokensIn,
  tokens_out: row.tokensOut,
  tokens_reasoning: row.tokensReasoning,
  tokens_estimated: row.tokensEstimated,
  images: row.images,
  videos: row.videos,
  cost_usd: row.costTicks / TICKS_PER_USD,
});

const attemptView = ({ account, startMs, ms, code, reason }: JournalAttempt) => ({
  ...{ account, start_ms: startMs, ms, code, reason },
});
