// What stands in the waterfall: one card a picture, from waiting to done, and how the frames of a run change them. Pure.
// Invariants: newest first; a card belongs to one run and ends once; what a run never got to draw leaves no card behind.
import type { Problem } from "../media/problem.ts";

export interface Drawn {
  readonly blob: Blob;
  readonly address: string;
  /** Its number among all pictures of this visit. */
  readonly number: number;
  readonly tookMs: number;
  readonly atMs: number;
}

export type CardState =
  | { readonly kind: "waiting" }
  | { readonly kind: "drawing"; readonly sinceMs: number; readonly preview: string | null }
  | { readonly kind: "done"; readonly drawn: Drawn }
  | { readonly kind: "withheld" }
  | { readonly kind: "missing" }
  /** `count` pictures did not come; `goesOn` while the run tries again by itself. */
  | { readonly kind: "failed"; readonly problem: Problem; readonly count: number; readonly goesOn: boolean };

export interface Card {
  readonly id: number;
  readonly run: number;
  readonly prompt: string;
  /** As it was asked for; "auto" takes the form of the reference. */
  readonly ratio: string;
  readonly state: CardState;
}

export type Cards = readonly Card[];
export type About = Pick<Card, "run" | "prompt" | "ratio">;

let last = 0;

export const newCard = (about: About, state: CardState): Card => {
  last += 1;
  return { ...about, id: last, state };
};

export const fresh = (about: About, count: number): Card[] =>
  Array.from({ length: count }, () => newCard(about, { kind: "waiting" }));

const isOpen = ({ state }: Card): boolean => state.kind === "waiting" || state.kind === "drawing";

/** Changes the oldest `count` cards of the run in a state; gives how many there were. */
const change = (cards: Cards, from: { run: number; kind: CardState["kind"]; count: number }, state: CardState) => {
  let left = from.count;
  const changed = cards
    .toReversed()
    .map((card) => (card.run === from.run && card.state.kind === from.kind && left-- > 0 ? { ...card, state } : card));
  return { cards: changed.toReversed(), changed: from.count - Math.max(0, left) };
};

/** A call for pictures begins; what failed before is tried again with it. */
export const drawing = (cards: Cards, about: About & { count: number; nowMs: number }): Cards => {
  const { run, count } = about;
  const state: CardState = { kind: "drawing", sinceMs: about.nowMs, preview: null };
  const open = cards.filter((card) => !(card.run === run && card.state.kind === "failed" && card.state.goesOn));
  const { cards: begun, changed } = change(open, { run, kind: "waiting", count }, state);
  const { prompt, ratio } = about;
  return [...Array.from({ length: count - changed }, () => newCard({ run, prompt, ratio }, state)), ...begun];
};

export const arrived = (cards: Cards, about: About & { drawn: Drawn }): Cards => {
  const { run, drawn, prompt, ratio } = about;
  const state: CardState = { kind: "done", drawn };
  const { cards: next, changed } = change(cards, { run, kind: "drawing", count: 1 }, state);
  return changed > 0 ? next : [newCard({ run, prompt, ratio }, state), ...cards];
};

export const short = (cards: Cards, about: { run: number; withheld: number; missing: number }): Cards => {
  const { run, withheld, missing } = about;
  const kind = "drawing";
  const { cards: next } = change(cards, { run, kind, count: withheld }, { kind: "withheld" });
  return change(next, { run, kind, count: missing }, { kind: "missing" }).cards;
};

/** One card stands for all that the failed call was to bring. */
export const failed = (cards: Cards, about: About & { problem: Problem; goesOn: boolean }): Cards => {
  const { run, problem, goesOn, prompt, ratio } = about;
  const lost = cards.filter((card) => card.run === run && card.state.kind === "drawing").length;
  const before = cards.find((card) => card.run === run && card.state.kind === "failed" && card.state.goesOn);
  const earlier = before?.state.kind === "failed" ? before.state.count : 0;
  const state: CardState = { kind: "failed", problem, count: Math.max(1, lost + earlier), goesOn };
  const rest = cards.filter((card) => card !== before && !(card.run === run && card.state.kind === "drawing"));
  return [newCard({ run, prompt, ratio }, state), ...rest];
};

/** The run is over: nothing of it waits or goes on any more. */
export const ended = (cards: Cards, run: number): Cards =>
  cards
    .filter((card) => card.run !== run || !isOpen(card))
    .map((card) =>
      card.run === run && card.state.kind === "failed" && card.state.goesOn
        ? { ...card, state: { ...card.state, goesOn: false } }
        : card,
    );

export const pictureOf = ({ state }: Card): Drawn | null => (state.kind === "done" ? state.drawn : null);

/** How far the picture that is being drawn has come. */
export const preview = (cards: Cards, { run, address }: { run: number; address: string }): Cards =>
  cards.map((card) =>
    card.run === run && card.state.kind === "drawing" ? { ...card, state: { ...card.state, preview: address } } : card,
  );
