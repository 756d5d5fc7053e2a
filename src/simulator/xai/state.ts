// What the simulated xAI API remembers: keys, stored answers, caches, jobs and files; and how often it was called.
// Knows no route. Invariant: nothing grows without bound, and a reset empties everything.
import { createBoundedMap } from "../../lib/bounded-map.ts";
import type { BoundedMap } from "../../lib/bounded-map.ts";
import { nowMs } from "../chance.ts";
import type { Fields } from "../fields.ts";
import { createXaiKeyBook } from "./keys.ts";
import type { XaiKeyBook } from "./keys.ts";
import type { Spoken } from "./spoken.ts";

export interface StoredResponse {
  teamId: string;
  /** As it was answered. */
  response: Fields;
  input: Fields[];
  /** Turns before and with this answer; what a follow-up is billed for. */
  history: Fields[];
  oldUsage: boolean;
  /** What a follow-up finds its cached prompt by. */
  conversation: string;
}

export interface DeferredAnswer {
  teamId: string;
  polls: number;
  answer: Fields;
}

export interface VideoJob {
  teamId: string;
  polls: number;
  pendingBody: boolean;
  /** undefined stays pending for ever. */
  result: Fields | undefined;
}

export interface XaiFile {
  id: string;
  teamId: string;
  filename: string;
  mimeType: string;
  purpose: string;
  createdAt: number;
  expiresAt: number | undefined;
  bytes: Uint8Array;
}

/** A finished picture or clip behind an address without credentials. */
export interface PublicFile {
  mimeType: string;
  refused: boolean;
  bytes: () => Uint8Array | Promise<Uint8Array>;
}

export interface XaiCallCount {
  key: string;
  route: string;
  calls: number;
  /** How often each status was answered. */
  statuses: Record<string, number>;
}

export interface XaiState {
  keys: XaiKeyBook;
  responses: BoundedMap<StoredResponse>;
  deferred: BoundedMap<DeferredAnswer>;
  videos: BoundedMap<VideoJob>;
  files: BoundedMap<XaiFile>;
  publicFiles: BoundedMap<PublicFile>;
  /** Prompt tokens of the last call of a conversation, by team, model and conversation. */
  cached: BoundedMap<number>;
  clientSecrets: BoundedMap<string>;
  /** Long answers by their length, encoded once. */
  longTexts: BoundedMap<Spoken>;
  fileIds(teamId: string): string[];
  rememberFile(file: XaiFile): void;
  count(key: string, route: string, status: number): void;
  counts(): XaiCallCount[];
  reset(): void;
}

const HOUR_MS = 3_600_000;

export function createXaiState(): XaiState {
  const keys = createXaiKeyBook();
  let counts = new Map<string, XaiCallCount>();
  let order: { id: string; teamId: string }[] = [];

  function bounded<T>(capacity: number, lifeMs: number): BoundedMap<T> {
    return createBoundedMap<T>({ capacity, lifeMs: () => lifeMs, nowMs });
  }
  function empty(): Omit<XaiState, "keys" | "fileIds" | "rememberFile" | "count" | "counts" | "reset"> {
    return {
      responses: bounded(2_000, 30 * 24 * HOUR_MS),
      deferred: bounded(200, 24 * HOUR_MS),
      videos: bounded(500, 24 * HOUR_MS),
      files: bounded(500, 30 * 24 * HOUR_MS),
      publicFiles: bounded(2_000, HOUR_MS),
      cached: bounded(5_000, HOUR_MS),
      clientSecrets: bounded(500, HOUR_MS),
      longTexts: bounded(8, HOUR_MS),
    };
  }
  const state: XaiState = {
    keys,
    ...empty(),
    fileIds: (teamId) => order.filter((file) => file.teamId === teamId).map(({ id }) => id),
    rememberFile(file) {
      state.files.set(file.id, file);
      order.push({ id: file.id, teamId: file.teamId });
      if (order.length > 500) order = order.slice(-500);
    },
    count(key, route, status) {
      const name = `${key} ${route}`;
      const known = counts.get(name) ?? { key, route, calls: 0, statuses: {} };
      known.calls += 1;
      known.statuses[status] = (known.statuses[status] ?? 0) + 1;
      counts.set(name, known);
    },
    counts: () => structuredClone([...counts.values()]),
    reset() {
      keys.reset();
      counts = new Map();
      order = [];
      Object.assign(state, empty());
    },
  };
  return state;
}
