// The commit point: an answer is held back until something of it is visible, so that an early failure is an HTTP error instead
// of a broken stream. Knows no use case. Invariant: no batch is lost or told twice.
import { isVisible, type EventBatch, type GenerationStream } from "../core/events.ts";
import type { Clock } from "../lib/clock.ts";
import { pullStream, readFrom } from "../lib/pull.ts";

export interface CommitOptions {
  /** How long a stream may be held back; null waits for its first batch however long that takes. */
  readonly graceMs: number | null;
  readonly clock: Clock;
}

/** Waits for the first visible event (or the grace time of a stream); an early failure is thrown instead. */
export const commit = async (
  events: GenerationStream,
  { graceMs, clock }: CommitOptions,
): Promise<GenerationStream> => {
  const first = readFrom(events);
  const early = graceMs === null ? await first : await orAfter(first, graceMs, clock);
  const last = early?.[early.length - 1];
  if (last?.type === "failure" && !early?.some(isVisible)) {
    await events.return();
    throw last.error;
  }
  return resume(first, events);
};

const orAfter = async <T>(work: Promise<T>, ms: number, clock: Clock): Promise<T | null> => {
  const waiting = new AbortController();
  const timer = clock.sleep(ms, waiting.signal).then(
    () => null,
    () => null,
  );
  try {
    return await Promise.race([work, timer]);
  } finally {
    waiting.abort();
  }
};

/** Puts the batch that has been waited for back in front. */
const resume = (first: Promise<EventBatch | null>, rest: GenerationStream): GenerationStream => {
  let waiting: typeof first | null = first;
  const pull = (): Promise<EventBatch | null> => {
    const next = waiting ?? readFrom(rest);
    waiting = null;
    return next;
  };
  return pullStream(pull, () => void rest.return());
};
