// Types of wire.mjs, which has to be plain JavaScript because node runs it.
export interface Plan {
  /** tokens */
  n: number;
  /** milliseconds between tokens; 0 sends all at once */
  d: number;
  /** bytes a write; 0 leaves frames whole */
  split: number;
  /** milliseconds of silence after half of the tokens */
  pause: number;
  /** milliseconds before the response headers */
  hdelay: number;
  /** 1: an unpaced answer is one body write instead of one a frame */
  merged: number;
  /** name under which /closed reports the stream */
  tag: string;
}
export interface LedgerRow {
  tag: string;
  state: "open" | "ended" | "closed";
  startedUs: number;
  lastSentUs: number;
  endedUs: number;
}
export interface LedgerTotals {
  started: number;
  ended: number;
  closed: number;
  tokens: number;
  open: number;
}
export interface Ledger {
  totals: LedgerTotals;
  started(tag: string): void;
  sent(tag: string, count?: number): void;
  finished(tag: string, state: "ended" | "closed"): void;
  tagged(prefix: string): LedgerRow[];
  reset(): void;
}
export function planFromText(text: string): Plan | null;
export function planFromQuery(query: string): Plan | null;
export function defaultPlan(): Plan;
export function promptFor(plan: Partial<Plan>): string;
export function tokenText(index: number, stampUs?: number): string;
export function tokenFrame(text: string): string;
export function openingFrame(): string;
export function closingFrames(count: number, message: string): string;
export function burstPieces(count: number): string[];
export function expectedText(count: number): string;
export function withoutStamps(text: string): string;
export function stampsUpstream(count: number): number;
export function createLedger(nowUs: () => number): Ledger;
export function controlAnswer(ask: { path: string; query: string; ledger: Ledger; nowUs: () => number }): string | null;
