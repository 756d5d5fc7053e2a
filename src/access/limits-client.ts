// How often and how much at once a handed-out key may ask: requests in any minute, and requests that run together.
// Knows no route; what a key may use up in a day is counted in usage.ts. Invariants: never more than allowed, also for
// requests of the same moment; a place that was taken is given back once, however often it is returned.
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import type { ClientKey } from "./client-keys.ts";

/** What a request asks of the limits. */
export interface Entry {
  /** Counts as one of the minute's requests. */
  readonly counts: boolean;
  /** Takes a place until it has ended. */
  readonly holds: boolean;
}

export type RateHeaders = readonly (readonly [name: string, value: string])[];

export interface ClientLimits {
  /** Throws `rate_limit_exceeded` or `concurrency_limit_exceeded`; the result gives the place back. */
  enter(key: ClientKey, entry: Entry): () => void;
  headers(key: ClientKey): RateHeaders;
  /** Requests that run now, of all keys. */
  readonly running: number;
}

const MINUTE_MS = 60_000;
/** A key that was quiet for a minute has nothing to remember; this many are kept before the quiet ones are looked for. */
const SWEEP_ABOVE = 1_000;
const NOTHING = () => {};

interface State {
  /** Times of the last minute's requests, oldest first from `head`. */
  times: number[];
  head: number;
  running: number;
}

export const createClientLimits = (clock: Pick<Clock, "monotonic">): ClientLimits => {
  const states = new Map<string, State>();
  let running = 0;

  const stateOf = (id: string): State => {
    const known = states.get(id);
    if (known) return known;
    if (states.size >= SWEEP_ABOVE) sweep(states, clock.monotonic());
    const state: State = { times: [], head: 0, running: 0 };
    states.set(id, state);
    return state;
  };
  const checkRate = (key: ClientKey, state: State, now: number) => {
    forgetOld(state, now);
    if (state.times.length - state.head < key.rpm) return;
    // The request that has to be forgotten first may not be the oldest, when the limit was lowered meanwhile.
    const blocking = state.times[state.times.length - key.rpm] ?? now;
    throw new GatewayError(
      "rate_limit_exceeded",
      `This API key may send ${key.rpm} requests a minute and has sent ${state.times.length - state.head}.`,
      { retryAfterMs: Math.max(1, blocking + MINUTE_MS - now) },
    );
  };
  return {
    enter(key, { counts, holds }) {
      const limitsRate = counts && key.rpm > 0;
      if (!limitsRate && !holds) return NOTHING;
      const state = stateOf(key.id);
      const now = clock.monotonic();
      if (limitsRate) checkRate(key, state, now);
      if (holds && key.concurrency > 0 && state.running >= key.concurrency) {
        throw new GatewayError(
          "concurrency_limit_exceeded",
          `This API key may have ${key.concurrency} requests running at once, and they are.`,
          { retryAfterMs: 1_000 },
        );
      }
      if (limitsRate) state.times.push(now);
      if (!holds) return NOTHING;
      state.running++;
      running++;
      let held = true;
      return () => {
        if (!held) return;
        held = false;
        state.running--;
        running--;
      };
    },
    headers(key) {
      const state = states.get(key.id);
      const headers: (readonly [string, string])[] = [];
      if (key.rpm > 0) {
        const now = clock.monotonic();
        if (state) forgetOld(state, now);
        const sent = state ? state.times.length - state.head : 0;
        const last = state?.times.at(-1);
        headers.push(
          ["x-ratelimit-limit-requests", String(key.rpm)],
          ["x-ratelimit-remaining-requests", String(Math.max(0, key.rpm - sent))],
          ["x-ratelimit-reset-requests", seconds(sent === 0 || last === undefined ? 0 : last + MINUTE_MS - now)],
        );
      }
      if (key.concurrency > 0) {
        headers.push(
          ["x-ratelimit-limit-concurrency", String(key.concurrency)],
          ["x-ratelimit-remaining-concurrency", String(Math.max(0, key.concurrency - (state?.running ?? 0)))],
        );
      }
      return headers;
    },
    get running() {
      return running;
    },
  };
};

const forgetOld = (state: State, now: number): void => {
  const { times } = state;
  while (state.head < times.length && (times[state.head] ?? 0) <= now - MINUTE_MS) state.head++;
  // Cut off now and then, so that a request costs no copy of the list.
  if (state.head > 1_000 && state.head * 2 > times.length) {
    state.times = times.slice(state.head);
    state.head = 0;
  }
};

const sweep = (states: Map<string, State>, now: number): void => {
  for (const [id, state] of states) {
    forgetOld(state, now);
    if (state.running === 0 && state.head === state.times.length) states.delete(id);
  }
};

/** Durations as OpenAI's rate headers write them. */
export const seconds = (ms: number): string => `${Math.ceil(Math.max(0, ms) / 1000)}s`;
