// How many generations run at once, and whether new ones are let in at all. Knows no route.
// Invariant: every place that was taken is given back once, however often it is returned.
import { GatewayError } from "../core/errors.ts";

/** A running generation that can be told to end. */
export interface Running {
  abort(reason: GatewayError): void;
}

export interface Admission {
  /** Throws `server_overloaded` or `shutting_down`; the result gives the place back. */
  enter(running: Running): () => void;
  /** From now on nothing new is let in. */
  stop(): void;
  readonly stopping: boolean;
  readonly running: number;
  /** Resolves as soon as nothing runs. */
  idle(): Promise<void>;
  /** Tells everything that runs to end. */
  abortAll(reason: GatewayError): void;
}

export const shuttingDown = (): GatewayError =>
  new GatewayError("shutting_down", "The gateway is stopping; try again in a moment.", { retryAfterMs: 5_000 });

export const createAdmission = (limit: () => number): Admission => {
  const inside = new Set<Running>();
  let stopping = false;
  let waiting: (() => void)[] = [];
  const leave = (running: Running) => {
    if (!inside.delete(running) || inside.size > 0) return;
    for (const resolve of waiting) resolve();
    waiting = [];
  };
  return {
    enter(running) {
      if (stopping) throw shuttingDown();
      if (inside.size >= limit()) {
        throw new GatewayError("server_overloaded", "The gateway is serving as many requests as it may.", {
          retryAfterMs: 1_000,
        });
      }
      inside.add(running);
      return () => leave(running);
    },
    stop() {
      stopping = true;
    },
    get stopping() {
      return stopping;
    },
    get running() {
      return inside.size;
    },
    idle() {
      if (inside.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        waiting.push(resolve);
      });
    },
    abortAll(reason) {
      for (const running of [...inside]) running.abort(reason);
    },
  };
};
