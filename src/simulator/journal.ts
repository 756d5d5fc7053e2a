// What the simulator has seen: the last requests, hits per route and account, calls open at this moment.
// Knows nothing of the protocol. Invariant: every opened call is closed exactly once, with one outcome.
import { nowMs } from "./chance.ts";

export type Outcome = "completed" | "aborted" | "cut" | "refused";

export interface JournalEntry {
  id: number;
  at: number;
  route: string;
  method: string;
  path: string;
  query: Record<string, string>;
  /** Name of the account; "none" without a cookie, "unknown" for a token that names nobody (never the token). */
  account: string;
  headers: Record<string, string>;
  cookies: string[];
  /** `sso-rw` is there and equals `sso`. */
  ssoTwice: boolean;
  body: unknown;
  /** Frames that the client sent on this socket. */
  frames: unknown[];
  status: number;
  outcome: Outcome | "open";
}

export interface SimulatorStats {
  requests: number;
  open: { total: number; rest: number; sockets: number };
  opened: { rest: number; sockets: number };
  aborted: number;
  cut: number;
  completed: number;
  refused: number;
  /** Highest number of calls that were open at once. */
  peak: number;
  routes: Record<string, number>;
  accounts: Record<string, number>;
  tokens: number;
}

export interface OpenCall {
  close(outcome: Outcome): void;
}

export interface Journal {
  write(entry: Omit<JournalEntry, "id" | "at" | "frames" | "status" | "outcome">): JournalEntry;
  answered(entry: JournalEntry, status: number): void;
  open(entry: JournalEntry, kind: "rest" | "sockets"): OpenCall;
  frame(entry: JournalEntry, frame: unknown): void;
  countTokens(count: number): void;
  recent(limit?: number): JournalEntry[];
  stats(): SimulatorStats;
  reset(): void;
}

const MAX_STRING = 20_000;
const MAX_FRAMES = 40;

export function createJournal(capacity: number): Journal {
  let entries: JournalEntry[] = [];
  let nextId = 1;
  const open = { rest: 0, sockets: 0 };
  let counts = fresh();
  const longLived = new WeakSet<JournalEntry>();

  return {
    write(facts) {
      const body = shorten(facts.body);
      const entry: JournalEntry = { ...facts, body, id: nextId++, at: nowMs(), frames: [], status: 0, outcome: "open" };
      entries.push(entry);
      if (entries.length > capacity * 2) entries = entries.slice(-capacity);
      counts.requests += 1;
      counts.routes[facts.route] = (counts.routes[facts.route] ?? 0) + 1;
      counts.accounts[facts.account] = (counts.accounts[facts.account] ?? 0) + 1;
      return entry;
    },
    answered(entry, status) {
      entry.status = status;
      if (longLived.has(entry)) return;
      entry.outcome = status < 400 ? "completed" : "refused";
      counts[entry.outcome] += 1;
    },
    open(entry, kind) {
      open[kind] += 1;
      counts.opened[kind] += 1;
      longLived.add(entry);
      counts.peak = Math.max(counts.peak, open.rest + open.sockets);
      let closed = false;
      return {
        close(outcome) {
          if (closed) return;
          closed = true;
          open[kind] -= 1;
          entry.outcome = outcome;
          counts[outcome] += 1;
        },
      };
    },
    frame(entry, frame) {
      if (entry.frames.length < MAX_FRAMES) entry.frames.push(shorten(frame));
    },
    countTokens(count) {
      counts.tokens += count;
    },
    recent: (limit = capacity) => entries.slice(-Math.min(limit, capacity)),
    stats: () => ({
      ...structuredClone(counts),
      open: { total: open.rest + open.sockets, rest: open.rest, sockets: open.sockets },
    }),
    // Calls that are still open stay counted as open: a reset must not hide a leak.
    reset() {
      entries = [];
      counts = fresh();
    },
  };
}

function fresh(): Omit<SimulatorStats, "open"> {
  return {
    requests: 0,
    opened: { rest: 0, sockets: 0 },
    aborted: 0,
    cut: 0,
    completed: 0,
    refused: 0,
    peak: 0,
    routes: {},
    accounts: {},
    tokens: 0,
  };
}

/** Long strings (uploads in base64) are cut, so that a benchmark does not fill the memory with its own requests. */
function shorten(value: unknown): unknown {
  if (typeof value === "string") {
    return value.length > MAX_STRING ? `${value.slice(0, 200)}…(${value.length} characters)` : value;
  }
  if (Array.isArray(value)) return value.map(shorten);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shorten(inner)]));
  }
  return value;
}
