// Turns rounds and behaviour results into the named measures that goals.json speaks of.
// Knows lanes and targets by name, not what is good or bad. Invariant: a measure that a lane did not give is absent, never guessed.
import type { CancelTrials, SilenceResult, StallResult } from "./behaviour.ts";
import type { ColdResult } from "./cold.ts";
import type { LeakResult, OpenStreamsResult } from "./memory.ts";
import { rigBound, type Figures, type LaneResult } from "./rounds.ts";
import { median } from "./samples.ts";
import type { TidyResult } from "./tidy.ts";

export interface RunResults {
  lanes: Record<string, LaneResult>;
  cancel: CancelTrials[];
  stalled: StallResult[];
  silence: SilenceResult[];
  openStreams: OpenStreamsResult | null;
  leak: LeakResult | null;
  cold: ColdResult | null;
  tidy: TidyResult | null;
}
export interface Measure {
  median: number;
  /** the most favourable round; equals `median` where there is one */
  best: number;
  note: string;
  /** why the figure must not be judged */
  unjudged: string | null;
  /** something failed outright, whatever the figure says */
  failed: string | null;
}

type Better = "higher" | "lower";
type Pick = (figures: Figures) => number | null;

export function measuresOf(results: RunResults): Record<string, Measure> {
  const measures: Record<string, Measure | null> = {
    ...rateMeasures(results),
    ...xaiMeasures(results),
    ...pacedMeasures(results),
    ...latencyMeasures(results),
    ...memoryMeasures(results),
    ...behaviourMeasures(results),
    ...tidyMeasures(results),
  };
  return Object.fromEntries(Object.entries(measures).flatMap(([name, measure]) => (measure ? [[name, measure]] : [])));
}

function single(value: number | null | undefined, note = ""): Measure | null {
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  return { median: value, best: value, note, unjudged: null, failed: null };
}

interface RatioAsk {
  lane: LaneResult | undefined;
  target: string;
  reference: string;
  pick: Pick;
  better: Better;
}

function ratio({ lane, target, reference, pick, better }: RatioAsk): Measure | null {
  if (!lane) return null;
  const own: number[] = [];
  const other: number[] = [];
  const each: number[] = [];
  for (const row of lane.rounds) {
    const a = row[target] ? pick(row[target]) : null;
    const b = row[reference] ? pick(row[reference]) : null;
    if (a === null || b === null || Number.isNaN(a) || Number.isNaN(b) || b === 0) continue;
    own.push(a);
    other.push(b);
    each.push(a / b);
  }
  if (!each.length) return errorsOnly(lane, target);
  return {
    median: median(own) / median(other),
    best: better === "higher" ? Math.max(...each) : Math.min(...each),
    note: `${each.length} rounds`,
    unjudged: problems(lane, reference) && `errors of ${reference}: ${problems(lane, reference)}`,
    failed: problems(lane, target),
  };
}

function errorsOnly(lane: LaneResult, target: string): Measure | null {
  const failed = problems(lane, target);
  return failed ? { median: Number.NaN, best: Number.NaN, note: "", unjudged: null, failed } : null;
}

function problems(lane: LaneResult, target: string): string | null {
  const all: Record<string, number> = {};
  for (const row of lane.rounds) {
    for (const [reason, count] of Object.entries(row[target]?.errors ?? {})) all[reason] = (all[reason] ?? 0) + count;
  }
  const text = Object.entries(all)
    .map(([reason, count]) => `${count} × ${reason}`)
    .join(", ");
  return text || null;
}

/** Rates are compared where the target's core was full; where the rig was the limit, capacity is what one core would give by CPU time. */
function rate(lane: LaneResult | undefined, target: string, reference: string): Measure | null {
  if (!lane) return null;
  const bounds = lane.rounds.map((row) =>
    [target, reference].map((name) => (row[name] ? rigBound(row[name]) : null)).find((bound) => bound !== null),
  );
  const free: LaneResult = { ...lane, rounds: lane.rounds.filter((_, index) => !bounds[index]) };
  if (free.rounds.length * 2 > lane.rounds.length)
    return ratio({ lane: free, target, reference, pick: (figures) => figures.rps, better: "higher" });
  const byCpu = ratio({
    lane,
    target,
    reference,
    pick: ({ cpuUsPerRequest }) => (cpuUsPerRequest ? 1e6 / cpuUsPerRequest : null),
    better: "higher",
  });
  const why = `rig-bound (${bounds.find(Boolean)})`;
  if (byCpu) return { ...byCpu, note: `${byCpu.note}, by CPU time: ${why}` };
  const byRate = ratio({ lane, target, reference, pick: (figures) => figures.rps, better: "higher" });
  return byRate && { ...byRate, unjudged: why };
}

function rateMeasures({ lanes }: RunResults): Record<string, Measure | null> {
  return {
    "burst.wreq": rate(lanes["burst"], "gateway-wreq", "pass-wreq"),
    "burst.fetch": rate(lanes["burst"], "gateway-fetch", "pass-fetch"),
    "burst-h2.wreq": rate(lanes["burst-h2"], "gateway-wreq", "pass-wreq"),
    "json.wreq": rate(lanes["json"], "gateway-wreq", "pass-wreq"),
    "json.fetch": rate(lanes["json"], "gateway-fetch", "pass-fetch"),
  };
}

/** The official API: the client is fetch, so that the goals are those of the fetch lanes. */
function xaiMeasures({ lanes }: RunResults): Record<string, Measure | null> {
  const own = { target: "gateway-xai", reference: "pass-xai", better: "lower" } as const;
  const request: Pick = (figures) => figures.cpuUsPerRequest;
  const token: Pick = (figures) => figures.cpuUsPerToken;
  return {
    "burst-xai.rate": rate(lanes["burst-xai"], own.target, own.reference),
    "burst-xai.cpu": ratio({ ...own, lane: lanes["burst-xai"], pick: request }),
    "json-xai.rate": rate(lanes["json-xai"], own.target, own.reference),
    "json-xai.cpu": ratio({ ...own, lane: lanes["json-xai"], pick: request }),
    "paced-xai.cpu": ratio({ ...own, lane: lanes["paced-xai"], pick: token }),
  };
}

function pacedMeasures({ lanes }: RunResults): Record<string, Measure | null> {
  const paced = lanes["paced200"] ?? lanes["paced50"];
  const wreq = { target: "gateway-wreq", reference: "pass-wreq", better: "lower" } as const;
  const cpu: Pick = (figures) => figures.cpuUsPerToken;
  const lateness: Pick = (figures) => figures.latenessP50Us;
  return {
    "paced.wreq.cpu": ratio({ ...wreq, lane: paced, pick: cpu }),
    "paced-h2.wreq.cpu": ratio({ ...wreq, lane: lanes["paced200-h2"], pick: cpu }),
    "paced.fetch.cpu": ratio({
      lane: paced,
      target: "gateway-fetch",
      reference: "pass-fetch",
      pick: cpu,
      better: "lower",
    }),
    "paced.wreq.lateness": ratio({ ...wreq, lane: paced, pick: lateness }),
    "naive.wreq.cpu": ratio({ ...wreq, lane: paced, reference: "naive-wreq", pick: cpu }),
    "paced400.errors": errorCount(lanes["paced400"], "gateway-wreq"),
    "paced400.added": added({ lane: lanes["paced400"], target: "gateway-wreq", reference: "direct", pick: lateness }),
    "stall.p999": added({
      lane: paced,
      target: "gateway-wreq",
      reference: "pass-wreq",
      pick: (figures) => figures.latenessP999Us,
    }),
  };
}

function errorCount(lane: LaneResult | undefined, target: string): Measure | null {
  if (!lane?.rounds.some((row) => row[target])) return null;
  const counts = lane.rounds.map((row) =>
    Object.values(row[target]?.errors ?? {}).reduce((sum, count) => sum + count, 0),
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  // Errors are not noise: the best round does not excuse another.
  return { median: total, best: total, note: problems(lane, target) ?? "", unjudged: null, failed: null };
}

/** Milliseconds that the target adds to the reference, round by round. */
function added({ lane, target, reference, pick }: Omit<RatioAsk, "better">): Measure | null {
  if (!lane) return null;
  const each = lane.rounds.flatMap((row) => {
    const a = row[target] ? pick(row[target]) : null;
    const b = row[reference] ? pick(row[reference]) : null;
    return a === null || b === null || Number.isNaN(a - b) ? [] : [Math.max(0, a - b) / 1000];
  });
  if (!each.length) return errorsOnly(lane, target);
  return {
    median: median(each),
    best: Math.min(...each),
    note: `${each.length} rounds`,
    unjudged: null,
    failed: problems(lane, target),
  };
}

function latencyMeasures({ lanes, cold }: RunResults): Record<string, Measure | null> {
  const lane = lanes["lat1"];
  const wreq = { lane, target: "gateway-wreq", reference: "pass-wreq", better: "lower" } as const;
  const p99 = ratio({ ...wreq, pick: (figures) => figures.ttfbP99Us });
  const lowest = (name: string) => Math.min(...(lane?.rounds ?? []).map((row) => row[name]?.ttfbP99Us ?? Infinity));
  return {
    "lat1.wreq.p50": ratio({ ...wreq, pick: (figures) => figures.ttfbP50Us }),
    "lat1.wreq.p99": p99 && {
      ...p99,
      median: lowest("gateway-wreq") / lowest("pass-wreq"),
      note: "best round of each",
    },
    "cold.ratio": cold && coldMeasure(cold),
  };
}

function coldMeasure({ bareMs, gatewayMs }: ColdResult): Measure {
  const each = gatewayMs.map((ms, index) => ms / (bareMs[index] ?? Number.NaN));
  const note = `${median(gatewayMs).toFixed(1)} ms against ${median(bareMs).toFixed(1)} ms`;
  return { median: median(gatewayMs) / median(bareMs), best: Math.min(...each), note, unjudged: null, failed: null };
}

function memoryMeasures({ openStreams, leak, stalled }: RunResults): Record<string, Measure | null> {
  const last = openStreams?.atStreams.at(-1);
  const full = last && last.open >= last.streams * 0.98;
  const perStreamKb =
    openStreams && last?.mb && openStreams.idleMb !== null
      ? ((last.mb - openStreams.idleMb) * 1024) / last.streams
      : null;
  const growth = stalled.map((row) => row.growthMb).filter((mb) => mb !== null);
  const shortfall = last && !full ? `only ${last.open} of ${last.streams} streams were open` : null;
  const withShortfall = (measure: Measure | null) => measure && { ...measure, failed: shortfall };
  return {
    "rss.idle": single(openStreams?.idleMb),
    "rss.per-stream": withShortfall(single(perStreamKb)),
    "rss.at-1000": withShortfall(single(last?.mb)),
    "leak.requests": single(
      quotient(leak?.after20kMb, leak?.after10kMb),
      leak ? `${leak.after10kMb?.toFixed(0)} → ${leak.after20kMb?.toFixed(0)} MB` : "",
    ),
    "leak.aborts": single(
      quotient(leak?.afterAbortsMb, leak?.beforeAbortsMb),
      leak ? `${leak.beforeAbortsMb?.toFixed(0)} → ${leak.afterAbortsMb?.toFixed(0)} MB, ${leak.aborts} hang-ups` : "",
    ),
    "stalled.growth": growth.length
      ? single(
          Math.max(...growth),
          stalled
            .map((row) => `${row.target} ${row.growthMb?.toFixed(0)}, peak ${row.worstMb?.toFixed(0)} MB`)
            .join("; "),
        )
      : null,
  };
}

function quotient(a: number | null | undefined, b: number | null | undefined): number | null {
  return a && b ? a / b : null;
}

function behaviourMeasures({ cancel, silence }: RunResults): Record<string, Measure | null> {
  const trials = cancel.reduce((sum, row) => sum + row.trials, 0);
  const closed = cancel.reduce((sum, row) => sum + row.closed, 0);
  const open = cancel
    .filter((row) => row.closed < row.trials)
    .map((row) => `${row.target} ${row.protocol} ${row.state}: ${row.closed} of ${row.trials}`);
  const slowest = cancel.toSorted((a, b) => b.worstSeconds - a.worstSeconds)[0];
  const streams = silence.reduce((sum, row) => sum + row.streams, 0);
  const complete = silence.reduce((sum, row) => sum + row.complete, 0);
  return {
    "cancel.closed": trials ? single(closed / trials, open.join("; ") || `${trials} hang-ups`) : null,
    "cancel.worst":
      closed && slowest ? single(slowest.worstSeconds, `${slowest.target} ${slowest.protocol} ${slowest.state}`) : null,
    "silence.complete": streams
      ? single(complete / streams, silence.map((row) => row.problem).find(Boolean) ?? `${streams} streams`)
      : null,
  };
}

/** Round by round, what chats take beside a clean-up against what they take without one. */
function tidyMeasures({ tidy }: RunResults): Record<string, Measure | null> {
  if (!tidy) return {};
  const errors = Object.entries(tidy.errors).map(([reason, count]) => `${count} × ${reason}`);
  const failed = tidy.removed === 0 ? "nothing was removed" : errors.join(", ") || null;
  const compare = (pick: "p50Us" | "p99Us"): Measure => {
    const each = tidy.cleaning.map((round, index) => round[pick] / (tidy.idle[index]?.[pick] ?? Number.NaN));
    const note = `${(median(tidy.cleaning.map((round) => round[pick])) / 1000).toFixed(2)} ms against ${(median(tidy.idle.map((round) => round[pick])) / 1000).toFixed(2)} ms; ${tidy.removed} rows removed meanwhile`;
    return { median: median(each), best: Math.min(...each), note, unjudged: null, failed };
  };
  const { cleaning, idle } = tidy.memoryMb;
  const grown = ([before, later]: [number | null, number | null]) =>
    before === null || later === null ? null : Math.max(0, later - before);
  const [own, other] = [grown(cleaning), grown(idle)];
  const memoryNote = `${cleaning[0]?.toFixed(0)} → ${cleaning[1]?.toFixed(0)} MB against ${idle[0]?.toFixed(0)} → ${idle[1]?.toFixed(0)} MB`;
  return {
    "tidy.p50": compare("p50Us"),
    "tidy.p99": compare("p99Us"),
    "tidy.memory": single(own === null || other === null ? null : Math.max(0, own - other), memoryNote),
  };
}
