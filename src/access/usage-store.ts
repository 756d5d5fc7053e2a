// Keeps the counters of the running day and month in memory and writes them behind: one document a key. Knows no limit.
// Invariants: reading a counter never waits; a counter of a period that is over reads as zero; a failed write is repeated.
import { z } from "zod";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { DocumentChange, Documents } from "../storage/port.ts";
import type { Periods } from "./usage-periods.ts";

export interface Counters {
  chat: number;
  heavy: number;
  image: number;
  video: number;
  tokens: number;
  /** Money spent on the official API; 10,000,000,000 ticks are one US dollar. */
  ticks: number;
}

export interface UsageState {
  readonly id: string;
  periods: Periods;
  day: Counters;
  month: { tokens: number; ticks: number };
  /** Held for requests that run; never stored. */
  heldTokens: number;
  heldTicks: number;
  lastUsedMs: number | null;
}

export interface UsageDeps {
  readonly documents: Documents;
  readonly clock: Pick<Clock, "now" | "every">;
  readonly log: Pick<Log, "error">;
  /** Minutes that the operator's day is ahead of UTC's. */
  readonly offsetMinutes: () => number;
}

const USAGE = "key_usage";
const WRITE_EVERY_MS = 250;
/** One transaction holds the event loop for as long as it takes. */
const WRITE_AT_ONCE = 500;

const count = z.number().min(0).catch(0);
const storedUsage = z.object({
  day: z.string(),
  month: z.string(),
  chat: count,
  heavy: count,
  image: count,
  video: count,
  tokens: count,
  monthTokens: count,
  ticks: count,
  monthTicks: count,
  lastUsedMs: z.number().nullable().catch(null),
});

const none = (): Counters => ({ chat: 0, heavy: 0, image: 0, video: 0, tokens: 0, ticks: 0 });
const noMonth = () => ({ tokens: 0, ticks: 0 });

export const createUsageStore = (deps: UsageDeps, periods: { now(): Periods }) => {
  const { documents, clock, log } = deps;
  const states = new Map<string, UsageState>();
  const dirty = new Set<UsageState>();
  const gone = new Set<string>();
  let writing: Promise<void> = Promise.resolve();

  const stateOf = (id: string): UsageState => {
    const now = periods.now();
    let state = states.get(id);
    if (!state) {
      state = { id, periods: now, day: none(), month: noMonth(), heldTokens: 0, heldTicks: 0, lastUsedMs: null };
      states.set(id, state);
    }
    if (state.periods !== now) {
      if (state.periods.day !== now.day) state.day = none();
      if (state.periods.month !== now.month) state.month = noMonth();
      state.periods = now;
    }
    return state;
  };
  const takeChanges = (): { changes: DocumentChange[]; undo: () => void } => {
    const batch = [...dirty].slice(0, WRITE_AT_ONCE);
    const removed = [...gone];
    for (const state of batch) dirty.delete(state);
    gone.clear();
    return {
      changes: [
        ...batch.map((state) => ({ collection: USAGE, id: state.id, body: bodyOf(state) })),
        ...removed.map((id) => ({ collection: USAGE, id, remove: true as const })),
      ],
      undo() {
        for (const state of batch) dirty.add(state);
        for (const id of removed) gone.add(id);
      },
    };
  };
  const writeAll = async () => {
    while (dirty.size > 0 || gone.size > 0) {
      const { changes, undo } = takeChanges();
      try {
        await documents.write(changes);
      } catch (thrown) {
        undo();
        throw thrown;
      }
    }
  };
  const flush = (): Promise<void> => {
    writing = writing.then(writeAll, writeAll);
    return writing;
  };
  const stop = clock.every(WRITE_EVERY_MS, () => {
    if (dirty.size === 0 && gone.size === 0) return;
    flush().catch((error: unknown) =>
      log.error("usage of API keys could not be written; it is tried again", { error }),
    );
  });

  return {
    stateOf,
    mark: (state: UsageState) => void dirty.add(state),
    forget(id: string) {
      const state = states.get(id);
      if (state) dirty.delete(state);
      states.delete(id);
      gone.add(id);
    },
    async load() {
      for (const { id, body } of await documents.list(USAGE)) {
        const parsed = storedUsage.safeParse(body);
        if (!parsed.success) continue;
        const { day, month, monthTokens, monthTicks, lastUsedMs, ...counters } = parsed.data;
        const state = stateOf(id);
        if (day === state.periods.day) state.day = counters;
        if (month === state.periods.month) state.month = { tokens: monthTokens, ticks: monthTicks };
        state.lastUsedMs = lastUsedMs;
      }
    },
    flush,
    async close() {
      stop();
      await flush();
    },
  };
};

const bodyOf = ({ periods, day, month, lastUsedMs }: UsageState) => ({
  day: periods.day,
  month: periods.month,
  ...day,
  monthTokens: month.tokens,
  monthTicks: month.ticks,
  lastUsedMs,
});
