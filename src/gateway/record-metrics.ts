// What metrics count of every closed request. Knows no format and no route table.
// Invariant: labels are routes, models of the catalogue, statuses and error codes; never a key, an account or a text.
import type { Metrics } from "../lib/metrics.ts";
import { TICKS_PER_USD } from "../core/usage.ts";
import { costOf, type RequestRecord } from "./record.ts";

export interface CountedRequest {
  readonly route: string;
  /** Monotonic milliseconds of the end. */
  readonly closedMs: number;
}

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const OVERHEAD_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1];
const NONE = "none";

export const createRecordMetrics = (metrics: Metrics) => {
  const requests = metrics.counter({
    name: "grok2api_requests_total",
    help: "Answered requests.",
    labels: ["route", "model", "status"],
  });
  const outcomes = metrics.counter({
    name: "grok2api_request_outcomes_total",
    help: "How requests ended; only upstream-cut and failed are failures.",
    labels: ["outcome", "code"],
  });
  const duration = metrics.histogram({
    name: "grok2api_request_duration_seconds",
    help: "Time until the body has ended.",
    labels: ["route"],
    bounds: SECONDS,
  });
  const firstToken = metrics.histogram({
    name: "grok2api_first_token_seconds",
    help: "Time until the first visible piece of an answer.",
    labels: ["model"],
    bounds: SECONDS,
  });
  const overhead = metrics.histogram({
    name: "grok2api_overhead_seconds",
    help: "Time of a request that was not spent on attempts upstream.",
    bounds: OVERHEAD_SECONDS,
  });
  const tokens = metrics.counter({
    name: "grok2api_tokens_total",
    help: "Tokens of requests and answers; estimated for the web upstream.",
    labels: ["model", "direction"],
  });
  const media = metrics.counter({
    name: "grok2api_media_total",
    help: "Delivered pictures and clips.",
    labels: ["kind"],
  });
  const cost = metrics.counter({
    name: "grok2api_upstream_cost_usd_total",
    help: "What the official API has charged, in US dollars.",
    labels: ["model"],
  });
  const attempts = metrics.counter({
    name: "grok2api_upstream_attempts_total",
    help: "Attempts upstream by error code; served is none.",
    labels: ["code"],
  });

  return (record: RequestRecord, { route, closedMs }: CountedRequest): void => {
    const model = record.served ?? NONE;
    const totalMs = closedMs - record.startedMs;
    requests.add([route, model, String(record.status)]);
    outcomes.add([record.outcome ?? "finished", record.error?.code ?? NONE]);
    duration.observe([route], totalMs / 1000);
    if (record.firstByteMs !== null && record.served !== null) firstToken.observe([model], record.firstByteMs / 1000);
    let upstreamMs = 0;
    for (const { code, durationMs } of record.attempts) {
      attempts.add([code ?? "served"]);
      upstreamMs += durationMs;
    }
    if (record.attempts.length > 0) overhead.observe([], Math.max(0, totalMs - upstreamMs) / 1000);
    if (record.usage) {
      tokens.add([model, "in"], record.usage.inputTokens);
      tokens.add([model, "out"], record.usage.outputTokens);
      if (record.usage.reasoningTokens > 0) tokens.add([model, "reasoning"], record.usage.reasoningTokens);
    }
    const ticks = costOf(record);
    if (ticks > 0) cost.add([model], ticks / TICKS_PER_USD);
    if (record.images > 0) media.add(["image"], record.images);
    if (record.videos > 0) media.add(["video"], record.videos);
  };
};
