// What the fold of a response and the writers of its items work with: where an item lies, and who hears of it.
import type { GatewayError } from "../../core/errors.ts";
import type { FinishReason, Usage } from "../../core/events.ts";
import type { OutputItem } from "./responses-object.ts";

/** Where a piece belongs. */
export interface ItemPlace {
  readonly itemId: string;
  readonly outputIndex: number;
}

export interface ResponseEnd {
  readonly reason: FinishReason;
  readonly usage: Usage | null;
}

/** Called in the order of the answer; `finish` or `failure` comes last. */
export interface ResponsesSink {
  start(): void;
  /** One frame. The fields are read at once and not kept. */
  frame(type: string, fields: object): void;
  textDelta(place: ItemPlace, text: string): void;
  finish(end: ResponseEnd): void;
  failure(error: GatewayError): void;
}

/** What the writers of items share. */
export interface ItemDesk {
  readonly sink: ResponsesSink;
  /** Gives a new item its id and place; the writer then calls `added`. */
  place(type: OutputItem["type"]): ItemPlace;
  added(place: ItemPlace, item: OutputItem): void;
  done(place: ItemPlace, item: OutputItem): void;
}
