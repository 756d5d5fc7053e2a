// What visitors of the playground ask for beside what the API knows: picture runs that go on until somebody stops them, and
// voice sessions. Protocols build the wishes and write the events, the gateway reads and tells them. Values are checked already.
import type { GatewayError } from "./errors.ts";

export interface ImagineWish {
  readonly prompt: string;
  readonly ratio: string;
  /** Null leaves it to the operator's default. */
  readonly adult: boolean | null;
  /** The slower mode with finer pictures. */
  readonly quality: boolean;
  /** Pictures after which the run is complete; null goes on until it is stopped. */
  readonly count: number | null;
  /** The reader wants to know of every call what was asked of it and what did not come. */
  readonly batches?: boolean;
}

/** Why a run ended that nobody stopped. */
export type RunEnd = "time_limit" | "errors" | "refused";

export type ImagineEvent =
  | { readonly type: "running"; readonly runId: string; readonly wish: ImagineWish }
  | {
      readonly type: "picture";
      readonly runId: string;
      readonly ratio: string;
      readonly base64: string;
      readonly link: string;
      /** Counts on over all runs of a task. */
      readonly sequence: number;
      /** Unix milliseconds. */
      readonly createdMs: number;
      readonly elapsedMs: number;
    }
  | { readonly type: "batch-begun"; readonly runId: string; readonly count: number }
  /** Of a call that did not fail: pictures that the upstream kept back, and others that did not come. */
  | { readonly type: "batch-over"; readonly runId: string; readonly withheld: number; readonly missing: number }
  | { readonly type: "failed"; readonly runId: string; readonly error: GatewayError }
  | {
      readonly type: "ended";
      readonly runId: string;
      readonly how: "stopped" | "completed";
      readonly reason?: RunEnd;
    };

export interface VoiceWish {
  readonly voice: string;
  /** Null where the instruction stands for it. */
  readonly personality: string | null;
  readonly instruction: string | null;
  readonly speed: number;
}

/** What a browser needs to join a voice session; the token opens nothing else of the account. */
export interface VoiceSession {
  readonly token: string;
  readonly url: string;
  readonly participantName: string;
  readonly roomName: string;
}

export const VOICES: readonly string[] = ["ara", "eve", "leo", "rex", "sal", "gork"];

export const CUSTOM_PERSONALITY = "custom";

export const PERSONALITIES: readonly string[] = [
  ...["assistant", CUSTOM_PERSONALITY, "therapist", "storyteller", "kids_story_time", "kids_trivia_game", "meditation"],
  ...["doc", "unhinged", "sexy", "motivation", "conspiracy", "romantic", "argumentative"],
];
