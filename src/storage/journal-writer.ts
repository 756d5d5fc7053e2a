// Collects rows of the journal and writes them together, after the fact. Knows no driver and no meaning of a row.
// Invariants: adding a row never waits and never fails; rows wait for the store as long as there is room, and what had to be
// dropped is counted and told.
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Journal, JournalRow } from "./port.ts";

export interface JournalWriter {
  add(row: JournalRow): void;
  flush(): Promise<void>;
  close(): Promise<void>;
  readonly waiting: number;
  readonly dropped: number;
}

export interface JournalWriterDeps {
  readonly journal: Pick<Journal, "append">;
  readonly clock: Pick<Clock, "every">;
  readonly log: Pick<Log, "error" | "info">;
  readonly dayOffsetMs: () => number;
}

const EVERY_MS = 250;
const BATCH = 200;
/** About 30 MB; a store that is away for longer costs the oldest rows. */
const MOST_WAITING = 50_000;

export const createJournalWriter = ({ journal, clock, log, dayOffsetMs }: JournalWriterDeps): JournalWriter => {
  let waiting: JournalRow[] = [];
  let dropped = 0;
  let failing = false;
  let writing: Promise<void> | null = null;

  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH);
      await journal.append(batch, { dayOffsetMs: dayOffsetMs() });
      waiting = waiting.slice(batch.length);
    }
    if (!failing) return;
    failing = false;
    log.info("the journal can be written again", { dropped });
  };
  const flush = (): Promise<void> => {
    writing ??= writeAll().finally(() => {
      writing = null;
    });
    return writing;
  };
  const tryFlush = () => {
    if (waiting.length === 0) return;
    flush().catch((error: unknown) => {
      if (!failing) log.error("the journal cannot be written; its rows wait", { error });
      failing = true;
    });
  };
  const stop = clock.every(EVERY_MS, tryFlush);
  return {
    add(row) {
      // While a batch is on its way the front of the list must stay where it is.
      if (waiting.length >= MOST_WAITING && !writing) {
        waiting.splice(0, BATCH);
        dropped += BATCH;
      }
      waiting.push(row);
      // A store that fails is asked again by the timer, not by every request.
      if (waiting.length >= BATCH && !writing && !failing) tryFlush();
    },
    flush,
    async close() {
      stop();
      await flush();
    },
    get waiting() {
      return waiting.length;
    },
    get dropped() {
      return dropped;
    },
  };
};
