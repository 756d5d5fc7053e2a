// Memory lanes, each on a gateway of its own: idle, under open streams, over many requests, after many hang-ups.
// Resident memory is read from outside. Invariant: a settled figure is the lowest of the seconds after the load, because a
// collector that is still to run is not a leak.
import { drive, type LoadResult } from "./load.ts";
import { openExchange } from "./exchange.ts";
import { readRssMb } from "./measure.ts";
import { shotFor, type Target } from "./targets.ts";

export interface OpenStreamsResult {
  target: string;
  idleMb: number | null;
  /** resident megabytes with so many streams open */
  atStreams: { streams: number; open: number; mb: number | null }[];
  errors: Record<string, number>;
}

const SETTLE_MS = 6000;

async function settledMb(target: Target): Promise<number | null> {
  let lowest: number | null = null;
  for (let waited = 0; waited < SETTLE_MS; waited += 250) {
    await Bun.sleep(250);
    const now = readRssMb(target.child.pid);
    if (now !== null) lowest = lowest === null ? now : Math.min(lowest, now);
  }
  return lowest;
}

export async function runOpenStreamsLane(target: Target, steps: readonly number[]): Promise<OpenStreamsResult> {
  await Bun.sleep(1500);
  const idleMb = readRssMb(target.child.pid);
  const atStreams: OpenStreamsResult["atStreams"] = [];
  const errors: Record<string, number> = {};
  for (const streams of steps) {
    let mb: number | null = null;
    const rampMs = Math.max(300, streams * 1.5);
    const result = await drive({
      shot: shotFor(target, { plan: { n: Math.ceil((rampMs + 2800) / 100), d: 100 }, stream: true, stamps: true }),
      connections: streams,
      rampMs,
      loop: false,
      windowStartMs: rampMs + 500,
      windowMs: 1500,
      maxRequests: Infinity,
      deadlineMs: rampMs * 2 + 8000,
      onWindow(edge) {
        if (edge === "shut") mb = readRssMb(target.child.pid);
      },
    });
    atStreams.push({ streams, open: result.openAtShut, mb });
    merge(errors, result.errors);
  }
  return { target: target.name, idleMb, atStreams, errors };
}

export interface LeakResult {
  target: string;
  after10kMb: number | null;
  after20kMb: number | null;
  beforeAbortsMb: number | null;
  afterAbortsMb: number | null;
  aborts: number;
  errors: Record<string, number>;
}

export async function runLeakLane(target: Target, requests: number, aborts: number): Promise<LeakResult> {
  const errors: Record<string, number> = {};
  const batch = async () => {
    const result = await manyRequests(target, requests);
    merge(errors, result.errors);
    return settledMb(target);
  };
  const after10kMb = await batch();
  const after20kMb = await batch();
  const beforeAbortsMb = after20kMb;
  const aborted = await abortStreams(target, aborts);
  const afterAbortsMb = await settledMb(target);
  return { target: target.name, after10kMb, after20kMb, beforeAbortsMb, afterAbortsMb, aborts: aborted, errors };
}

function manyRequests(target: Target, requests: number): Promise<LoadResult> {
  return drive({
    shot: shotFor(target, { plan: { n: 8 }, stream: false, stamps: false }),
    connections: 16,
    rampMs: 0,
    loop: true,
    windowStartMs: 0,
    windowMs: 20_000,
    maxRequests: requests,
    deadlineMs: 21_000,
  });
}

/** Hangs up on streams that have begun, a hundred at a time. */
async function abortStreams(target: Target, aborts: number): Promise<number> {
  const shot = shotFor(target, { plan: { n: 500, d: 20 }, stream: true, stamps: false });
  const end = performance.now() + 25_000;
  let aborted = 0;
  while (aborted < aborts && performance.now() < end) {
    const open = await Promise.all(
      Array.from({ length: Math.min(100, aborts - aborted) }, () => openExchange(shot, 5000)),
    );
    await Promise.race([Promise.all(open.map((one) => one.streaming)), Bun.sleep(2000)]);
    for (const [index, one] of open.entries()) one.hangUp(index % 2 ? "rst" : "fin");
    aborted += open.length;
  }
  return aborted;
}

export function merge(into: Record<string, number>, from: Record<string, number>): void {
  for (const [reason, count] of Object.entries(from)) into[reason] = (into[reason] ?? 0) + count;
}

/** Least-squares slope in megabytes a minute of (seconds, megabytes) samples. */
export function slopePerMinute(samples: readonly { second: number; mb: number }[]): number {
  const count = samples.length;
  if (count < 2) return Number.NaN;
  const meanSecond = samples.reduce((sum, { second }) => sum + second, 0) / count;
  const meanMb = samples.reduce((sum, { mb }) => sum + mb, 0) / count;
  let covariance = 0;
  let variance = 0;
  for (const { second, mb } of samples) {
    covariance += (second - meanSecond) * (mb - meanMb);
    variance += (second - meanSecond) ** 2;
  }
  return (covariance / variance) * 60;
}
