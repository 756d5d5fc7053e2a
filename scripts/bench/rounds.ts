// Runs one lane: every target in turn, in rotating order, several rounds; one row of figures a target and round.
// Knows windows and CPU accounting, not goals. Invariant: all targets of a lane see the same plan in the same run.
import { drive, type LoadResult, type LoadSpec } from "./load.ts";
import { cpuBetween, readCpu, type CpuReading } from "./measure.ts";
import type { ForeignWatch } from "./noise.ts";
import { quantile } from "./samples.ts";
import { shotFor, type Target } from "./targets.ts";
import type { Plan } from "./wire.mjs";

export interface Figures {
  requests: number;
  rps: number;
  tokens: number;
  tokensPerSecond: number;
  cpuUsPerRequest: number | null;
  cpuUsPerToken: number | null;
  ttfbP50Us: number;
  ttfbP99Us: number;
  latenessP50Us: number;
  latenessP99Us: number;
  latenessP999Us: number;
  /** share of one core, in percent */
  targetPct: number | null;
  mockPct: number | null;
  selfPct: number | null;
  errors: Record<string, number>;
}
export interface LaneSpec {
  name: string;
  targets: Target[];
  rounds: number;
  plan: Partial<Plan>;
  stream: boolean;
  stamps: boolean;
  connections: number;
  /** true: closed loop of requests; false: streams that are opened over the ramp and watched through the window */
  loop: boolean;
  rampMs: number;
  settleMs: number;
  /** unmeasured load before the first round; paced streams follow the bursts that warmed everything */
  warmUpMs: number;
  windowMs: number;
  /** the lane is meant to use up the target's core; otherwise "rig-bound" is no question */
  saturating: boolean;
}
export interface LaneResult {
  name: string;
  saturating: boolean;
  rounds: Record<string, Figures>[];
  notes: string[];
}

const DRAIN_MS = 3000;

export interface LaneRunner {
  run(spec: LaneSpec): Promise<LaneResult>;
}

/** `clockOffsetUs` brings a mock's stamps onto this process's clock. */
export function createLaneRunner(deps: {
  foreign: ForeignWatch;
  clockOffsetUs(target: Target): number;
  allPids(): number[];
  expired(): boolean;
}): LaneRunner {
  async function once(spec: LaneSpec, target: Target, windowMs: number): Promise<Figures> {
    const load = loadSpec(spec, target, windowMs);
    let before = readAll(target);
    let after = before;
    deps.foreign.begin(deps.allPids());
    const result = await drive({
      ...load,
      clockOffsetUs: deps.clockOffsetUs(target),
      onWindow(edge) {
        if (edge === "open") before = readAll(target);
        else after = readAll(target);
      },
    });
    deps.foreign.end();
    return figuresOf(result, before, after);
  }

  return {
    async run(spec) {
      const lane: LaneResult = { name: spec.name, saturating: spec.saturating, rounds: [], notes: [] };
      if (spec.warmUpMs) for (const target of spec.targets) await once(spec, target, spec.warmUpMs);
      for (let round = 0; round < spec.rounds; round++) {
        if (deps.expired()) {
          lane.notes.push(`stopped after ${round} of ${spec.rounds} rounds: the run's time is up`);
          break;
        }
        const row: Record<string, Figures> = {};
        for (let turn = 0; turn < spec.targets.length; turn++) {
          const target = spec.targets[(turn + round) % spec.targets.length];
          if (target) row[target.name] = await once(spec, target, spec.windowMs);
        }
        lane.rounds.push(row);
      }
      return lane;
    },
  };
}

function loadSpec(spec: LaneSpec, target: Target, windowMs: number): LoadSpec {
  const windowStartMs = spec.rampMs + spec.settleMs;
  const plan = { ...spec.plan };
  const d = plan.d ?? 0;
  // A paced stream must outlast the window: the last one opened started at the end of the ramp, the first one at its beginning.
  if (d && !spec.loop) plan.n = Math.ceil((windowStartMs + windowMs + 250) / d);
  const streamMs = d * (plan.n ?? 0);
  return {
    shot: shotFor(target, { plan, stream: spec.stream, stamps: spec.stamps }),
    connections: spec.connections,
    rampMs: spec.rampMs,
    loop: spec.loop,
    windowStartMs,
    windowMs,
    maxRequests: Infinity,
    deadlineMs: windowStartMs + windowMs + streamMs + DRAIN_MS,
  };
}

interface Readings {
  target: CpuReading | null;
  mock: CpuReading | null;
  self: CpuReading | null;
}

function readAll(target: Target): Readings {
  return { target: readCpu(target.child.pid), mock: readCpu(target.mock.pid), self: readCpu(process.pid) };
}

function figuresOf(result: LoadResult, before: Readings, after: Readings): Figures {
  const seconds = result.windowSeconds;
  const share = (us: number | null) => (us === null ? null : us / 1e4 / seconds);
  const targetUs = cpuBetween(before.target, after.target);
  return {
    requests: result.counted,
    rps: result.counted / seconds,
    tokens: result.tokensCounted,
    tokensPerSecond: result.tokensCounted / seconds,
    cpuUsPerRequest: targetUs === null || !result.counted ? null : targetUs / result.counted,
    cpuUsPerToken: targetUs === null || !result.tokensCounted ? null : targetUs / result.tokensCounted,
    ttfbP50Us: quantile(result.ttfbUs, 0.5),
    ttfbP99Us: quantile(result.ttfbUs, 0.99),
    latenessP50Us: quantile(result.latenessUs, 0.5),
    latenessP99Us: quantile(result.latenessUs, 0.99),
    latenessP999Us: quantile(result.latenessUs, 0.999),
    targetPct: share(targetUs),
    mockPct: share(cpuBetween(before.mock, after.mock)),
    selfPct: share(cpuBetween(before.self, after.self)),
    errors: result.errors,
  };
}

/** Why a saturating round cannot be held against (or for) the target by its rate; null when it can. */
export function rigBound(figures: Figures): string | null {
  const { targetPct, mockPct, selfPct } = figures;
  if (targetPct === null || mockPct === null || selfPct === null) return null;
  if (targetPct < 90) return `gateway only ${targetPct.toFixed(0)} % busy`;
  if (mockPct + selfPct > 90) return `mock + loader ${(mockPct + selfPct).toFixed(0)} % busy`;
  return null;
}
