// The operator's questions about past requests: totals, courses over time, rankings, a search, one request's attempts.
// Knows no route. Invariant: whatever is drawn as a chart comes from roll-ups; only a search reads rows, page by page.
import type { Actor, Audit } from "../access/audit.ts";
import type { ClientKeys } from "../access/client-keys.ts";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { Dimension, Journal, JournalFilter, Span, Sums } from "../storage/port.ts";
import { nameOfKey, type RequestView, requestView, type SumsView, sumsView } from "./report-view.ts";

export interface ReportRange {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SeriesQuestion extends ReportRange {
  readonly span: Span | "auto";
  readonly dimension: Dimension;
  readonly value: string;
}

export interface TopQuestion extends ReportRange {
  readonly dimension: Exclude<Dimension, "all">;
  readonly by: keyof Sums;
  readonly limit: number;
}

export interface SeriesPoint extends SumsView {
  readonly start: string;
  readonly start_ms: number;
}

export interface TopRow extends SumsView {
  readonly value: string;
  /** What a person calls it: the name of a key. */
  readonly name: string;
}

export interface Reports {
  totals(range: ReportRange): Promise<SumsView>;
  /** Without gaps: a span without a request is there with zeros. */
  series(question: SeriesQuestion): Promise<{ readonly span: Span; readonly points: readonly SeriesPoint[] }>;
  top(question: TopQuestion): Promise<readonly TopRow[]>;
  requests(
    filter: JournalFilter,
    page: { readonly before?: number | undefined; readonly limit: number },
  ): Promise<{ readonly items: readonly RequestView[]; readonly next: number | null }>;
  /** A caller may have used the same id twice; newest first. */
  request(id: string): Promise<readonly RequestView[]>;
  size(): Promise<{ readonly rows: number; readonly bytes: number }>;
  clear(by: Actor): Promise<number>;
}

export interface ReportsDeps {
  readonly journal: Journal;
  /** Writes what waits, so that a report knows of the request before it. */
  readonly settle: () => Promise<void>;
  readonly keys: Pick<ClientKeys, "get">;
  readonly audit: Pick<Audit, "write">;
  readonly clock: Pick<Clock, "now">;
  readonly dayOffsetMs: () => number;
}

const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
/** Up to here a chart by hours can still be read. */
const MOST_HOURS = 72;
const MOST_POINTS = 2_400;
const SAME_ID = 20;

export const createReports = (deps: ReportsDeps): Reports => {
  const { journal, dayOffsetMs } = deps;

  const spanOf = ({ fromMs, toMs }: ReportRange): Span => (toMs - fromMs <= MOST_HOURS * HOUR_MS ? "hour" : "day");
  /** The beginning of the span that a moment lies in. */
  const startOf = (ms: number, span: Span): number => {
    if (span === "hour") return Math.floor(ms / HOUR_MS) * HOUR_MS;
    return Math.floor((ms + dayOffsetMs()) / DAY_MS) * DAY_MS - dayOffsetMs();
  };
  const whole = (range: ReportRange, span: Span): ReportRange => ({
    fromMs: startOf(range.fromMs, span),
    toMs: range.toMs,
  });
  return {
    async totals(range) {
      await deps.settle();
      const span = spanOf(range);
      const question = { ...whole(range, span), span, dimension: "all", by: "requests", limit: 1 } as const;
      const [total] = await journal.top(question);
      return sumsView(total);
    },
    async series({ span: wanted, dimension, value, ...range }) {
      await deps.settle();
      const span = wanted === "auto" ? spanOf(range) : wanted;
      const step = span === "hour" ? HOUR_MS : DAY_MS;
      const { fromMs, toMs } = whole(range, span);
      if ((toMs - fromMs) / step > MOST_POINTS) {
        throw new GatewayError("invalid_value", `The time asked for has more than ${MOST_POINTS} ${span}s.`, {
          param: "from",
        });
      }
      const found = await journal.series({ span, dimension, value, fromMs, toMs });
      const byStart = new Map(found.map((point) => [point.startMs, point]));
      const points: SeriesPoint[] = [];
      for (let start = fromMs; start < toMs; start += step) {
        points.push({ start: new Date(start).toISOString(), start_ms: start, ...sumsView(byStart.get(start)) });
      }
      return { span, points };
    },
    async top({ dimension, by, limit, ...range }) {
      await deps.settle();
      const span = spanOf(range);
      const rows = await journal.top({ ...whole(range, span), span, dimension, by, limit });
      return rows.map((row) => ({
        value: row.value,
        name: dimension === "key" ? nameOfKey(row.value, deps.keys) : row.value,
        ...sumsView(row),
      }));
    },
    async requests(filter, page) {
      await deps.settle();
      const { rows, next } = await journal.search(filter, page);
      return { items: rows.map((row) => requestView(row, deps.keys)), next };
    },
    async request(id) {
      await deps.settle();
      const { rows } = await journal.search({ id }, { limit: SAME_ID });
      if (rows.length > 0) return rows.map((row) => requestView(row, deps.keys));
      throw new GatewayError("not_found", "No request with this id is in the journal.", { param: "id" });
    },
    size: journal.size,
    async clear(by) {
      await deps.settle();
      const removed = await journal.clear();
      await deps.audit.write({ by, action: "journal.clear", target: `${removed} rows` });
      return removed;
    },
  };
};
