// The part of the composition that says which numbers Prometheus can read. Named by compose-records.ts alone.
import type { Pool } from "./accounts/pool.ts";
import type { MediaAdmin } from "./admin/media.ts";
import { createRecordMetrics } from "./gateway/record-metrics.ts";
import type { Clock } from "./lib/clock.ts";
import { watchLoopLag } from "./lib/loop-lag.ts";
import { createMetrics, type Reading } from "./lib/metrics.ts";
import type { JournalWriter } from "./storage/journal-writer.ts";

export interface ComposeMetrics {
  readonly pool: Pick<Pool, "all">;
  readonly mediaAdmin: Pick<MediaAdmin, "use">;
  readonly writer: Pick<JournalWriter, "waiting" | "dropped">;
  readonly clock: Clock;
  readonly version: { readonly version: string; readonly commit: string };
}

/** Numbers that only the HTTP side knows. */
export interface LiveNumbers {
  readonly running: number;
  readonly streams: number;
}

/** Reading the folders is not free, and a scraper asks every few seconds. */
const MEDIA_USE_MS = 60_000;
const LAG_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

const one = (value: number): Reading[] => [[[], value]];

export const composeMetrics = ({ pool, mediaAdmin, writer, clock, version }: ComposeMetrics) => {
  const metrics = createMetrics();
  const startedMs = clock.now();
  let live: LiveNumbers = { running: 0, streams: 0 };
  let media: { readonly atMs: number; readonly readings: Reading[] } | null = null;

  const record = createRecordMetrics(metrics);
  const lag = metrics.histogram({
    name: "grok2api_event_loop_lag_seconds",
    help: "How late timers of the process come.",
    bounds: LAG_SECONDS,
  });
  const loop = watchLoopLag(clock, (ms) => lag.observe([], ms / 1000));

  const accounts = (): Reading[] => {
    const counts = { active: 0, cooling: 0, expired: 0, disabled: 0 };
    for (const { status } of pool.all()) counts[status]++;
    return Object.entries(counts).map(([status, count]) => [[status], count]);
  };
  const cacheBytes = async (): Promise<Reading[]> => {
    if (media && clock.monotonic() - media.atMs < MEDIA_USE_MS) return media.readings;
    const use = await mediaAdmin.use();
    const readings: Reading[] = [
      [["image"], use.image.bytes],
      [["video"], use.video.bytes],
    ];
    media = { atMs: clock.monotonic(), readings };
    return readings;
  };
  const memory = (): Reading[] => {
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
    return [
      [["rss"], rss],
      [["heap_used"], heapUsed],
      [["heap_total"], heapTotal],
      [["external"], external],
    ];
  };

  metrics.gauge({ name: "grok2api_accounts", help: "Accounts of the pool.", labels: ["status"] }, accounts);
  metrics.gauge({ name: "grok2api_requests_in_flight", help: "Generations that run." }, () => one(live.running));
  metrics.gauge({ name: "grok2api_streams_open", help: "Open response streams." }, () => one(live.streams));
  metrics.gauge({ name: "grok2api_cache_bytes", help: "Stored pictures and clips.", labels: ["kind"] }, cacheBytes);
  metrics.gauge({ name: "grok2api_memory_bytes", help: "Memory of the process.", labels: ["area"] }, memory);
  metrics.gauge({ name: "grok2api_event_loop_lag_max_seconds", help: "Largest lag since the last scrape." }, () =>
    one(loop.takeLargestMs() / 1000),
  );
  metrics.gauge({ name: "grok2api_journal_waiting", help: "Rows that wait to be written." }, () => one(writer.waiting));
  metrics.total({ name: "grok2api_journal_dropped_total", help: "Rows that could not be kept." }, () =>
    one(writer.dropped),
  );
  metrics.gauge({ name: "grok2api_start_time_seconds", help: "When the process began, in Unix seconds." }, () =>
    one(startedMs / 1000),
  );
  metrics.gauge(
    { name: "grok2api_build_info", help: "Version of the program.", labels: ["version", "commit"] },
    (): Reading[] => [[[version.version, version.commit], 1]],
  );
  return {
    record,
    text(now: LiveNumbers): Promise<string> {
      live = now;
      return metrics.text();
    },
    stop: loop.stop,
  };
};
