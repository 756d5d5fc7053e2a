// What a run knows of the page: its cards, and where it tells what comes. Knows no run's kind.
import type { About, Cards, Drawn } from "./cards.ts";

export type LineKind = "ws" | "sse" | "http";

export interface Easel {
  readonly about: About;
  readonly signal: AbortSignal;
  update(change: (cards: Cards) => Cards): void;
  /** A picture has come; gives it its number and an address in this document. */
  arrive(blob: Blob, tookMs: number): Drawn;
  openedOver(kind: LineKind): void;
  /** Why the run ended that nobody stopped. */
  tellEnd(reason: string): void;
}
