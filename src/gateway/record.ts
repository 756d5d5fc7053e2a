// What is remembered of one request while it runs: filled in by the route, the attempts and the answer, closed once when
// the body has ended. Never holds a body, a prompt or a credential.
import type { GatewayError } from "../core/errors.ts";
import type { EventBatch, FinishReason, Usage } from "../core/events.ts";
import type { Upstream } from "../core/models.ts";
import type { SessionOutcome } from "./session.ts";

/** How the request ended: only "upstream-cut" and "failed" say anything about the upstream. */
export type RequestOutcome = "finished" | "client-closed" | "upstream-cut" | "failed";

export interface Attempt {
  /** Account id, safe to log. */
  readonly account: string;
  readonly startedMs: number;
  readonly durationMs: number;
  /** Error code, or null when the attempt served the request. */
  readonly code: string | null;
  readonly reason: string | null;
  /** What the upstream charged, also for an answer that failed; 10,000,000,000 ticks are one US dollar. */
  readonly costTicks: number;
}

export interface RequestRecord {
  readonly id: string;
  /** Monotonic milliseconds at the start. */
  readonly startedMs: number;
  readonly method: string;
  readonly path: string;
  key: string | null;
  /** As the caller wrote it. */
  model: string | null;
  /** Its id in the catalogue; null for one that is not there. */
  served: string | null;
  stream: boolean;
  /** Attempts that have ended. */
  readonly attempts: Attempt[];
  /** Attempts that have begun: one more than have ended while an answer runs. */
  begun: number;
  account: string | null;
  mode: string | null;
  /** Whether the conversation stayed with its account; null when none has begun to answer. */
  session: SessionOutcome | null;
  /** Whether the upstream's own conversation was gone on with; null for a request that did not try. */
  continued: boolean | null;
  firstByteMs: number | null;
  status: number;
  outcome: RequestOutcome | null;
  finish: FinishReason | null;
  usage: Usage | null;
  /** False when a spending limit is reached and only accounts that cost nothing may serve. */
  mayPay: boolean;
  /** The kind of account whose model the key may not use, where only the other kind's is allowed. */
  barred: Upstream | null;
  /** Pictures and clips that were delivered. */
  images: number;
  videos: number;
  error: GatewayError | null;
}

export const createRecord = (start: Pick<RequestRecord, "id" | "startedMs" | "method" | "path">): RequestRecord => ({
  ...start,
  key: null,
  model: null,
  served: null,
  stream: false,
  attempts: [],
  begun: 0,
  account: null,
  mode: null,
  session: null,
  continued: null,
  firstByteMs: null,
  status: 0,
  outcome: null,
  finish: null,
  usage: null,
  mayPay: true,
  barred: null,
  images: 0,
  videos: 0,
  error: null,
});

/** What all attempts together have cost; known once they have ended. */
export const costOf = ({ attempts }: Pick<RequestRecord, "attempts">): number =>
  attempts.reduce((sum, { costTicks }) => sum + costTicks, 0);

/** Adds what a batch delivers. */
export const countMedia = (batch: EventBatch, record: RequestRecord): void => {
  for (const event of batch) {
    if (event.type === "image" && !event.partial) record.images++;
    else if (event.type === "video") record.videos++;
  }
};
