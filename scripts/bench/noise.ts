// Judges the host before and after the gateway: a machine that takes the processor away gives no verdict.
// Owns the limits; knows no lanes. Invariant: noise can only withhold a verdict, never change a figure.
import { cpuBetween, readCpu, readHost, type CpuReading, type HostReading } from "./measure.ts";
import { CORES, pinSelf } from "./processes.ts";

const LOOP_MS = 1500;
const GAP_MS = 3;
const SMALL_GAP_MS = 0.1;
export const LOST_LIMIT = 0.05;

export interface NoiseReport {
  lostShare: number;
  gapsOver3Ms: number;
  worstGapMs: number;
  stealShare: number;
}

/** Three seconds of busy loop, half on each core: whatever the loop did not get, somebody else had. */
export function measureNoise(): NoiseReport {
  const cores = CORES ? [CORES.gateway, CORES.rig] : [undefined, undefined];
  const before = readHost([0, 1]);
  let lostMs = 0;
  let gapsOver3Ms = 0;
  let worstGapMs = 0;
  for (const core of cores) {
    pinSelf(core);
    const end = performance.now() + LOOP_MS;
    let last = performance.now();
    while (last < end) {
      const now = performance.now();
      const gap = now - last;
      last = now;
      if (gap < SMALL_GAP_MS) continue;
      lostMs += gap;
      if (gap > GAP_MS) gapsOver3Ms++;
      worstGapMs = Math.max(worstGapMs, gap);
    }
  }
  const after = readHost([0, 1]);
  const steal =
    before && after ? (after.stealSeconds - before.stealSeconds) / ((2 * cores.length * LOOP_MS) / 1000) : 0;
  return { lostShare: lostMs / (cores.length * LOOP_MS), gapsOver3Ms, worstGapMs, stealShare: steal };
}

export interface ForeignWatch {
  begin(pids: readonly number[]): void;
  end(): void;
  /** of the time watched, both cores together */
  share(): number;
}

/** Counts the processor time on the rig's cores that none of the rig's own processes used. */
export function createForeignWatch(): ForeignWatch {
  let pids: { pid: number; before: CpuReading | null }[] = [];
  let host: HostReading | null = null;
  let sinceMs = 0;
  let foreignSeconds = 0;
  let watchedSeconds = 0;
  return {
    begin(watched: readonly number[]) {
      if (!CORES) return;
      pids = watched.map((pid) => ({ pid, before: readCpu(pid) }));
      host = readHost([CORES.rig, CORES.gateway]);
      sinceMs = performance.now();
    },
    end() {
      if (!CORES || !host) return;
      const now = readHost([CORES.rig, CORES.gateway]);
      if (!now) return;
      let own = 0;
      for (const { pid, before } of pids) own += (cpuBetween(before, readCpu(pid)) ?? 0) / 1e6;
      foreignSeconds += Math.max(0, now.busySeconds - host.busySeconds - own) + (now.stealSeconds - host.stealSeconds);
      watchedSeconds += (2 * (performance.now() - sinceMs)) / 1000;
      host = null;
    },
    share: () => (watchedSeconds ? foreignSeconds / watchedSeconds : 0),
  };
}
