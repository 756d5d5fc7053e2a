// Judges measures by the goals and writes what was found: JSON with every round, and a table for people.
// Owns the noise rule: a goal is missed only if the median and the best round both miss it. Invariant: no figure is left out.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import goalTableJson from "./goals.json";
import { measuresOf, type Measure, type RunResults } from "./measures.ts";
import type { NoiseReport } from "./noise.ts";
import type { Figures, LaneResult } from "./rounds.ts";
import { median } from "./samples.ts";

interface Goal {
  id: string;
  goal: string;
  measure: string;
  op: string;
  must: number;
  stretch: number;
  unit: string;
  /** shown when nothing measures it */
  note?: string;
}
const goals: Goal[] = goalTableJson;

export type Verdict = "stretch" | "met" | "met by the best round" | "missed" | "not judged" | "not measured";
export interface Judged {
  id: string;
  goal: string;
  measure: string;
  median: number | null;
  best: number | null;
  unit: string;
  must: string;
  stretch: string;
  verdict: Verdict;
  note: string;
}
export interface RunReport {
  mode: string;
  date: string;
  commit: string;
  machine: string;
  seconds: number;
  noise: NoiseReport;
  foreignShare: number;
  noisy: string | null;
  goals: Judged[];
  results: RunResults;
}

export function judge(results: RunResults): Judged[] {
  const measures = measuresOf(results);
  return goals.map((goal) => {
    const measure = measures[goal.measure];
    const sign = goal.op === ">=" ? "≥" : "≤";
    return {
      id: goal.id,
      goal: goal.goal,
      measure: goal.measure,
      median: measure?.median ?? null,
      best: measure?.best ?? null,
      unit: goal.unit,
      must: `${sign} ${goal.must}`,
      stretch: `${sign} ${goal.stretch}`,
      verdict: verdictOf(goal, measure),
      note: [measure?.failed, measure?.unjudged, measure?.note, measure ? "" : goal.note].filter(Boolean).join("; "),
    };
  });
}

function verdictOf(goal: Goal, measure: Measure | undefined): Verdict {
  if (!measure) return "not measured";
  const reaches = (value: number, limit: number) => (goal.op === ">=" ? value >= limit : value <= limit);
  if (measure.failed) return "missed";
  if (measure.unjudged) return "not judged";
  if (reaches(measure.median, goal.stretch)) return "stretch";
  if (reaches(measure.median, goal.must)) return "met";
  return reaches(measure.best, goal.must) ? "met by the best round" : "missed";
}

export function writeReport(folder: string, report: RunReport): { json: string; markdown: string; text: string } {
  mkdirSync(folder, { recursive: true });
  const stem = join(folder, `${report.date.slice(0, 19).replace(/[:T]/g, "-")}-${report.commit}-${report.mode}`);
  const text = markdownOf(report);
  writeFileSync(`${stem}.json`, `${JSON.stringify(report, null, 1)}\n`);
  writeFileSync(`${stem}.md`, text);
  return { json: `${stem}.json`, markdown: `${stem}.md`, text };
}

function markdownOf(report: RunReport): string {
  const { noise } = report;
  const parts = [
    `# Benchmark ${report.date.slice(0, 10)}, ${report.commit}, ${report.mode}`,
    `${report.machine}; ${report.seconds.toFixed(0)} s. Host: ${percent(noise.lostShare)} of a busy loop lost, ${noise.gapsOver3Ms} gaps over 3 ms (worst ${noise.worstGapMs.toFixed(1)} ms), steal ${percent(noise.stealShare)}, other programs ${percent(report.foreignShare)} of both cores.`,
  ];
  if (report.noisy) parts.push(`**Noisy, no verdict:** ${report.noisy}.`);
  if (report.goals.length) parts.push(goalTable(report));
  parts.push(...Object.values(report.results.lanes).map(laneTable), behaviourTables(report.results));
  return `${parts.filter(Boolean).join("\n\n")}\n`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function digits(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 100
    ? value.toFixed(0)
    : size >= 10
      ? value.toFixed(1)
      : size >= 0.1
        ? value.toFixed(2)
        : value.toFixed(3);
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function goalTable({ goals: judged, noisy }: RunReport): string {
  return table(
    ["", "goal", "median", "best round", "must", "stretch", "verdict", "note"],
    judged.map((goal) => [
      goal.id,
      goal.goal,
      `${digits(goal.median)} ${goal.median === null ? "" : goal.unit}`.trim(),
      digits(goal.best),
      goal.must,
      goal.stretch,
      noisy && goal.verdict !== "not measured" ? `(${goal.verdict})` : goal.verdict,
      goal.note,
    ]),
  );
}

/** Medians of the rounds, beside the reference that the ratios use. */
function laneTable(lane: LaneResult): string {
  const names = [...new Set(lane.rounds.flatMap((row) => Object.keys(row)))];
  const middle = (name: string, pick: (figures: Figures) => number | null) =>
    digits(
      median(
        lane.rounds.flatMap((row) => {
          const value = row[name] ? pick(row[name]) : null;
          return value === null ? [] : [value];
        }),
      ),
    );
  const rows = names.map((name) => [
    name,
    middle(name, (f) => f.rps || null),
    middle(name, (f) => f.cpuUsPerRequest),
    middle(name, (f) => f.tokensPerSecond || null),
    middle(name, (f) => f.cpuUsPerToken),
    middle(name, (f) => f.ttfbP50Us),
    middle(name, (f) => f.ttfbP99Us),
    middle(name, (f) => f.latenessP50Us),
    middle(name, (f) => f.latenessP99Us),
    middle(name, (f) => f.latenessP999Us),
    `${middle(name, (f) => f.targetPct)} / ${middle(name, (f) => f.mockPct)} / ${middle(name, (f) => f.selfPct)}`,
    errorText(lane, name),
  ]);
  const head = [
    "target",
    "req/s",
    "CPU µs/req",
    "tok/s",
    "CPU µs/tok",
    "first p50 µs",
    "p99",
    "late p50 µs",
    "p99",
    "p99.9",
    "gw / mock / self %",
    "errors",
  ];
  return [`## ${lane.name} (${lane.rounds.length} rounds, medians)`, table(head, rows), ...lane.notes].join("\n\n");
}

function errorText(lane: LaneResult, name: string): string {
  const counts = lane.rounds.flatMap((row) => Object.entries(row[name]?.errors ?? {}));
  return counts.map(([reason, count]) => `${count} × ${reason}`).join(", ");
}

function behaviourTables({ cancel, stalled, silence, openStreams, leak, cold, tidy }: RunResults): string {
  const parts: string[] = [];
  if (cancel.length) {
    const rows = cancel.map((row) => [
      row.target,
      row.protocol,
      row.state,
      `${row.closed} of ${row.trials}`,
      digits(row.medianSeconds),
      digits(row.worstSeconds),
    ]);
    parts.push(`## Hang-ups\n\n${table(["target", "upstream", "state", "closed", "median s", "worst s"], rows)}`);
  }
  if (stalled.length) {
    const rows = stalled.map((row) => [
      row.target,
      String(row.clients),
      digits(row.beforeMb),
      digits(row.worstMb),
      digits(row.afterMb),
    ]);
    parts.push(`## Stalled clients\n\n${table(["target", "clients", "before MB", "peak", "after 4 s"], rows)}`);
  }
  if (silence.length) {
    const rows = silence.map((row) => [
      row.target,
      String(row.silenceMs / 1000),
      `${row.complete} of ${row.streams}`,
      row.problem,
    ]);
    parts.push(`## Silence\n\n${table(["target", "seconds", "complete", "problem"], rows)}`);
  }
  if (openStreams) {
    const rows = openStreams.atStreams.map((row) => [String(row.streams), String(row.open), digits(row.mb)]);
    parts.push(
      `## Memory with open streams (idle ${digits(openStreams.idleMb)} MB)\n\n${table(["streams", "open", "MB"], rows)}`,
    );
  }
  if (leak)
    parts.push(
      `## Leak\n\n${digits(leak.after10kMb)} MB after 10k requests, ${digits(leak.after20kMb)} after 20k, ${digits(leak.afterAbortsMb)} after ${leak.aborts} hang-ups.`,
    );
  if (cold)
    parts.push(
      `## Cold start\n\nbare ${digits(median(cold.bareMs))} ms, gateway ${digits(median(cold.gatewayMs))} ms (${cold.gatewayMs.length} starts).`,
    );
  if (tidy) {
    const rows = tidy.cleaning.map((round, index) => [
      String(index + 1),
      ...[tidy.idle[index]?.p50Us, round.p50Us, tidy.idle[index]?.p99Us, round.p99Us].map(digits),
    ]);
    const head = ["round", "p50 µs without", "p50 beside it", "p99 without", "p99 beside it"];
    parts.push(`## Chats beside a clean-up of the journal (${tidy.rows} rows)\n\n${table(head, rows)}`);
  }
  return parts.join("\n\n");
}
