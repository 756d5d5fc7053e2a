// The event vocabulary between providers and protocols: every upstream answer becomes this stream, every downstream
// format is written from it. Events travel in batches (one batch an upstream read), so that a burst costs one turn.
// Invariant: `start`, then closed blocks and loose events, then exactly one `finish` or `failure`, and nothing after.
import type { GatewayError } from "./errors.ts";

/** Token counts; `estimated` where the upstream reports none. */
export interface Usage {
  readonly inputTokens: number;
  /** Includes reasoning tokens. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly cachedTokens: number;
  readonly estimated: boolean;
  /** What the upstream charged, its tools included; 10,000,000,000 ticks are one US dollar. */
  readonly costTicks?: number;
}

export type FinishReason = "stop" | "length" | "tool-calls" | "content-filter" | "other";

export type ActivityKind = "web-search" | "x-search" | "code" | "browse" | "image-search" | "agent" | "other";

/** Where a picture or clip lies upstream, and once stored, under which name here. */
export interface MediaSource {
  /** Absolute upstream URL; may need the account's cookie, so it never reaches a caller. */
  readonly url?: string;
  /** Bytes that came with the frame, base64 without a prefix. */
  readonly base64?: string;
  readonly title?: string;
  /** The upstream's own id of the file, for follow-up calls. */
  readonly id?: string;
  readonly mime?: string;
  /** Set by the gateway after storing: the name of the stored file. */
  readonly name?: string;
  /** Set by the gateway after storing: the public link or data URI. */
  readonly link?: string;
}

export type GenerationEvent =
  | { readonly type: "start"; readonly id: string; readonly model: string; readonly created: number }
  | { readonly type: "reasoning-start"; readonly block: number }
  | { readonly type: "reasoning-delta"; readonly block: number; readonly text: string }
  | {
      readonly type: "reasoning-end";
      readonly block: number;
      /** The reasoning in a form that only its upstream can read, for the caller to send back with the conversation. */
      readonly sealed?: string;
    }
  | { readonly type: "text-start"; readonly block: number }
  | { readonly type: "text-delta"; readonly block: number; readonly text: string }
  | { readonly type: "text-end"; readonly block: number }
  | { readonly type: "tool-start"; readonly block: number; readonly callId: string; readonly name: string }
  | { readonly type: "tool-delta"; readonly block: number; readonly text: string }
  | { readonly type: "tool-end"; readonly block: number; readonly arguments: string }
  | {
      readonly type: "activity";
      readonly kind: ActivityKind;
      readonly phase: "start" | "end";
      readonly detail: string;
      readonly agent?: string;
    }
  | {
      readonly type: "citation";
      readonly url: string;
      readonly title: string;
      /** Character range of the link inside the answer text so far; absent for sources that are only listed. */
      readonly range?: readonly [start: number, end: number];
    }
  | { readonly type: "image"; readonly index: number; readonly source: MediaSource; readonly partial: boolean }
  | {
      readonly type: "video";
      readonly source: MediaSource;
      readonly thumbnail?: MediaSource;
      /** What was delivered, e.g. "720p". */
      readonly resolution?: string;
      readonly seconds?: number;
    }
  /** A piece of sound, in the order in which it is heard. */
  | { readonly type: "audio"; readonly bytes: Uint8Array<ArrayBuffer>; readonly mime: string }
  /** A live connection stands; what passes through it is told elsewhere. */
  | { readonly type: "connected" }
  | { readonly type: "progress"; readonly value: number; readonly note: string }
  | {
      readonly type: "upstream";
      readonly conversationId?: string;
      readonly responseId?: string;
      /** The clip in the making and the account that makes it, told before it is finished. */
      readonly clipId?: string;
      readonly accountId?: string;
    }
  | { readonly type: "usage"; readonly usage: Usage }
  | { readonly type: "finish"; readonly reason: FinishReason; readonly raw: string | null }
  | { readonly type: "failure"; readonly error: GatewayError };

export type EventBatch = readonly GenerationEvent[];

/** What a provider returns: batches until `finish` or `failure`; ends by itself when the call's signal aborts. */
export type GenerationStream = AsyncGenerator<EventBatch, void, void>;

/** True for the first event that a caller could see: from then on a failure can no longer become a retry. */
export const isVisible = (event: GenerationEvent): boolean => {
  switch (event.type) {
    case "text-delta":
    case "reasoning-delta":
      return event.text !== "";
    case "tool-start":
    case "image":
    case "video":
    case "activity":
    case "audio":
    case "connected":
      return true;
    default:
      return false;
  }
};

export const isLast = (event: GenerationEvent): boolean => event.type === "finish" || event.type === "failure";
