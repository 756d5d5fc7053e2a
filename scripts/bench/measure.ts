// Reads what processes cost: CPU time of all threads, resident memory, and how busy the machine is with other things.
// Linux only (/proc); elsewhere the readings are null and the goals that need them are not judged.
import { readdirSync, readFileSync } from "node:fs";

const TICKS_PER_SECOND = 100;

export interface CpuReading {
  /** microseconds by thread id, from schedstat (nanosecond resolution) */
  threads: Map<string, number> | null;
  /** microseconds of the whole process, from stat (10 ms resolution), threads that have ended included */
  processUs: number;
}

export function readCpu(pid: number): CpuReading | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1");
    const after = fields.slice(fields.lastIndexOf(")") + 2).split(" ");
    const processUs = ((Number(after[11]) + Number(after[12])) * 1e6) / TICKS_PER_SECOND;
    return { threads: readThreads(pid), processUs };
  } catch {
    return null;
  }
}

function readThreads(pid: number): Map<string, number> | null {
  try {
    const threads = new Map<string, number>();
    for (const id of readdirSync(`/proc/${pid}/task`)) {
      const onCpu = Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, "latin1").split(" ")[0]);
      threads.set(id, onCpu / 1000);
    }
    return threads;
  } catch {
    return null;
  }
}

/** CPU microseconds between two readings; the fine one where the kernel has it, else the coarse one. */
export function cpuBetween(before: CpuReading | null, after: CpuReading | null): number | null {
  if (!before || !after) return null;
  const coarse = after.processUs - before.processUs;
  if (!before.threads || !after.threads) return coarse;
  let fine = 0;
  for (const [id, us] of after.threads) fine += us - (before.threads.get(id) ?? 0);
  // Threads that ended in between are missing from the fine figure; the coarse one is off by a tick at each end.
  return coarse - fine > 40_000 ? coarse : fine;
}

export function readRssMb(pid: number): number | null {
  try {
    const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
    return found ? Number(found[1]) / 1024 : null;
  } catch {
    return null;
  }
}

export interface HostReading {
  /** user + nice + system seconds of the cores in use; interrupts are nobody's and left out */
  busySeconds: number;
  stealSeconds: number;
}

export function readHost(cores: readonly number[]): HostReading | null {
  try {
    const lines = readFileSync("/proc/stat", "latin1").split("\n");
    let busySeconds = 0;
    let stealSeconds = 0;
    for (const line of lines) {
      const fields = line.split(/\s+/);
      if (!cores.some((core) => fields[0] === `cpu${core}`)) continue;
      busySeconds += (Number(fields[1]) + Number(fields[2]) + Number(fields[3])) / TICKS_PER_SECOND;
      stealSeconds += Number(fields[8] ?? 0) / TICKS_PER_SECOND;
    }
    return { busySeconds, stealSeconds };
  } catch {
    return null;
  }
}
