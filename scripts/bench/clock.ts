// One microsecond clock for all processes of the rig. Bun counts from the start of each process, so token lateness measured
// across processes needs CLOCK_MONOTONIC itself; where libc cannot be reached the caller calibrates over TCP instead.
import { dlopen, FFIType, ptr } from "bun:ffi";

const CLOCKS: Partial<Record<NodeJS.Platform, { library: string; id: number }>> = {
  linux: { library: "libc.so.6", id: 1 },
  darwin: { library: "libSystem.B.dylib", id: 6 },
};

const sharedOffsetUs = readOffset();

/** True when nowUs() of two processes can be subtracted from each other. */
export const clockIsShared = sharedOffsetUs !== null;

export function nowUs(): number {
  return Bun.nanoseconds() / 1000 + (sharedOffsetUs ?? 0);
}

function readOffset(): number | null {
  const clock = CLOCKS[process.platform];
  if (!clock) return null;
  try {
    const libc = dlopen(clock.library, { clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 } });
    const time = new BigInt64Array(2);
    const address = ptr(time);
    let best = { width: Infinity, offset: 0 };
    // The narrowest of a few bracketed readings: one reading may straddle a pre-emption.
    for (let attempt = 0; attempt < 20; attempt++) {
      const before = Bun.nanoseconds();
      if (libc.symbols.clock_gettime(clock.id, address) !== 0) return null;
      const after = Bun.nanoseconds();
      const us = Number(time[0]) * 1e6 + Number(time[1]) / 1e3;
      if (after - before < best.width) best = { width: after - before, offset: us - (before + after) / 2000 };
    }
    return best.offset;
  } catch {
    return null;
  }
}

/** Microseconds to add to a remote stamp to bring it onto this process's clock; the quickest of 25 exchanges decides. */
export async function remoteOffsetUs(readRemoteUs: () => Promise<number>): Promise<number> {
  let best = { width: Infinity, offset: 0 };
  for (let attempt = 0; attempt < 25; attempt++) {
    const before = nowUs();
    const remote = await readRemoteUs();
    const after = nowUs();
    if (after - before < best.width) best = { width: after - before, offset: (before + after) / 2 - remote };
  }
  return best.offset;
}
