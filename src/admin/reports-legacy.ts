// The statistics of earlier programs in their own shapes, made from the same reports. Knows no route.
// Invariant: the numbers are those of the reports; a caller that left counts in the total and neither as success nor failure.
import type { Clock } from "../lib/clock.ts";
import { nameOfKey } from "./report-view.ts";
import { DAY_MS, type Reports, type SeriesPoint } from "./reports.ts";
import type { ClientKeys } from "../access/client-keys.ts";
import type { JournalAttempt } from "../storage/port.ts";

export interface RequestStats {
  readonly hourly: readonly { hour: string; date: string; total: number; success: number; failed: number }[];
  readonly daily: readonly { date: string; total: number; success: number; failed: number }[];
  readonly models: readonly { model: string; count: number }[];
  readonly summary: { total: number; success: number; failed: number; success_rate: number };
}

export interface OldMetrics {
  readonly tokens: Readonly<Record<string, number>>;
  readonly cache: Readonly<Record<"local_image" | "local_video", { count: number; size_mb: number }>>;
  readonly request_stats: RequestStats;
}

export interface OldLogRow {
  readonly id: string;
  readonly time: string;
  readonly timestamp: number;
  readonly ip: string;
  readonly model: string;
  readonly duration: number;
  readonly status: number;
  readonly key_name: string;
  readonly token_suffix: string;
  readonly error: string;
}

/** The pool in numbers, as far as these pages show it. */
export interface PoolNumbers {
  readonly total: number;
  readonly active: number;
  readonly cooling: number;
  readonly expired: number;
  readonly disabled: number;
  readonly quota: number;
  readonly calls: number;
}

export interface OldReports {
  requestStats(): Promise<RequestStats>;
  metrics(): Promise<OldMetrics>;
  logs(limit: number): Promise<readonly OldLogRow[]>;
}

export interface OldReportsDeps {
  readonly reports: Reports;
  readonly pool: () => PoolNumbers;
  readonly mediaUse: () => Promise<Readonly<Record<"image" | "video", { count: number; bytes: number }>>>;
  readonly keys: Pick<ClientKeys, "get">;
  readonly clock: Pick<Clock, "now">;
  readonly dayOffsetMs: () => number;
}

const HOURS = 24;
const DAYS = 7;
const MODELS = 10;
const MOST_ROWS = 1_000;
/** "All time" is what the daily roll-ups still hold. */
const EVER_DAYS = 2_000;
const MEGABYTE = 1024 * 1024;

export const createOldReports = (deps: OldReportsDeps): OldReports => {
  const { reports, clock, dayOffsetMs } = deps;
  const local = (ms: number): string => new Date(ms + dayOffsetMs()).toISOString();
  const counts = ({ requests, served, failed }: SeriesPoint) => ({ total: requests, success: served, failed });

  const requestStats = async (): Promise<RequestStats> => {
    const now = clock.now();
    const everything = { fromMs: now - EVER_DAYS * DAY_MS, toMs: now + 1 };
    const question = { dimension: "all", value: "", toMs: now + 1 } as const;
    const hours = await reports.series({ ...question, span: "hour", fromMs: now - (HOURS - 1) * 3_600_000 });
    const days = await reports.series({ ...question, span: "day", fromMs: now - (DAYS - 1) * DAY_MS });
    const models = await reports.top({ ...everything, dimension: "model", by: "requests", limit: MODELS });
    const all = await reports.totals(everything);
    return {
      hourly: hours.points.map((point) => ({
        hour: `${local(point.start_ms).slice(11, 13)}:00`,
        date: local(point.start_ms).slice(0, 10),
        ...counts(point),
      })),
      daily: days.points.map((point) => ({ date: local(point.start_ms).slice(5, 10), ...counts(point) })),
      models: models.map(({ value, requests }) => ({ model: value, count: requests })),
      summary: {
        ...{ total: all.requests, success: all.served, failed: all.failed },
        success_rate: all.success_rate ?? 0,
      },
    };
  };
  return {
    requestStats,
    async metrics() {
      const { total, active, cooling, expired, disabled, quota, calls } = deps.pool();
      const media = await deps.mediaUse();
      const files = ({ count, bytes }: { count: number; bytes: number }) => ({
        count,
        size_mb: Math.round((bytes / MEGABYTE) * 100) / 100,
      });
      return {
        tokens: {
          ...{ total, active, cooling, expired, disabled, total_calls: calls },
          chat_quota: quota,
          image_quota: Math.floor(quota / 2),
        },
        cache: { local_image: files(media.image), local_video: files(media.video) },
        request_stats: await requestStats(),
      };
    },
    async logs(limit) {
      const { items } = await reports.requests({}, { limit: Math.min(limit, MOST_ROWS) });
      return items.map((item) => ({
        id: item.id,
        time: local(Date.parse(item.time)).slice(0, 19).replace("T", " "),
        timestamp: Date.parse(item.time) / 1000,
        // Addresses of callers are not kept.
        ip: "",
        model: item.model ?? "",
        duration: Math.round(item.total_ms) / 1000,
        status: item.status,
        key_name: nameOfKey(item.key, deps.keys),
        token_suffix: item.account?.slice(-6) ?? "",
        error: errorOf(item),
      }));
    },
  };
};

const errorOf = (item: { code: string | null; attempts: readonly Pick<JournalAttempt, "reason">[] }): string => {
  if (item.code === null) return "";
  const reason = item.attempts.at(-1)?.reason ?? null;
  return reason === null ? item.code : `${item.code}: ${reason}`;
};
