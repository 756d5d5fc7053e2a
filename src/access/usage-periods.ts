// Which day and which month it is where the operator counts. Knows no counter.
// Invariant: a period is worked out once and read until its day is over, because every request asks.
import type { Clock } from "../lib/clock.ts";

export interface Periods {
  /** Such as 2026-08-31. */
  readonly day: string;
  /** Such as 2026-08. */
  readonly month: string;
  readonly dayEndsMs: number;
  readonly monthEndsMs: number;
}

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

const periodsAt = (nowMs: number, offsetMinutes: number): Periods => {
  const shift = offsetMinutes * MINUTE_MS;
  const local = new Date(nowMs + shift);
  const day = local.toISOString().slice(0, 10);
  const dayStart = Math.floor((nowMs + shift) / DAY_MS) * DAY_MS;
  return {
    day,
    month: day.slice(0, 7),
    dayEndsMs: dayStart + DAY_MS - shift,
    monthEndsMs: Date.UTC(local.getUTCFullYear(), local.getUTCMonth() + 1, 1) - shift,
  };
};

export const createPeriods = (clock: Pick<Clock, "now">, offsetMinutes: () => number): { now(): Periods } => {
  let known: (Periods & { readonly startMs: number; readonly offset: number }) | undefined;
  return {
    now() {
      const nowMs = clock.now();
      const offset = offsetMinutes();
      // A clock that was put back makes the day begin anew as well.
      if (known && known.offset === offset && nowMs < known.dayEndsMs && nowMs >= known.startMs) return known;
      const periods = periodsAt(nowMs, offset);
      known = { ...periods, startMs: periods.dayEndsMs - DAY_MS, offset };
      return known;
    },
  };
};
