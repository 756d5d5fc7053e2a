// What every part of the simulator shares: options, accounts, journal, own address; and the shape of one call.
// Knows no route. Invariant: parts talk to each other through a World, never through module state.
import type { Account, AccountBook, Asset, SimulatedAccount } from "./accounts.ts";
import { nowMs } from "./chance.ts";
import type { Journal, JournalEntry } from "./journal.ts";
import type { XaiState } from "./xai/state.ts";

/** Which generations of the protocol this upstream still serves for chat. */
export type Era = "modelMode" | "modeId" | "socket";

export interface SimulatorOptions {
  hostname?: string;
  port?: number;
  accounts?: SimulatedAccount[];
  /** Default: all three. A chat of another era is refused as out of date (sockets: 404). */
  eras?: readonly Era[];
  /** False refuses `mediaGenInput` as upstream did before 2026-08: only posts and model maps make edits and videos. */
  mediaInputs?: boolean;
  /** Pause before each token; 0 sends as fast as the reader reads. */
  tokenDelayMs?: number;
  /** Pause between the frames of pictures and videos. */
  mediaDelayMs?: number;
  /** "strict" wants an x-statsig-id of 70 bytes on signed routes, "lenient" takes anything. */
  signatures?: "lenient" | "strict";
  /** Counters never run empty (benchmarks); tempers such as empty-pool still hold. */
  unlimited?: boolean;
  /** Requests kept for GET /__sim/requests. */
  journalSize?: number;
}

export interface World {
  options: Required<Omit<SimulatorOptions, "accounts">>;
  accounts: AccountBook;
  journal: Journal;
  /** The official API's own keys, answers and counts. */
  xai: XaiState;
  /** Own origin without a slash at the end; set once the server listens. */
  origin: string;
}

export interface Call {
  world: World;
  request: Request;
  url: URL;
  params: Record<string, string>;
  account: Account;
  /** Parsed JSON body; undefined when there is none. */
  body: unknown;
  entry: JournalEntry;
}

export type Handler = (call: Call) => Response | Promise<Response>;

export function jsonResponse(
  value: unknown,
  init: { status?: number; headers?: Record<string, string> } = {},
): Response {
  return new Response(JSON.stringify(value), {
    status: init.status ?? 200,
    headers: {
      "content-type": "application/json",
      server: "cloudflare",
      "cf-cache-status": "DYNAMIC",
      ...init.headers,
    },
  });
}

export function keepAsset(account: Account, asset: Omit<Asset, "createdAt">): Asset {
  const kept = { ...asset, createdAt: nowMs() };
  account.assets.set(kept.id, kept);
  // Old generated files go first, so that a long benchmark stays small.
  if (account.assets.size > 2_000) account.assets.delete(account.assets.keys().next().value ?? "");
  return kept;
}
