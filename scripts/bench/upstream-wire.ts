// What a mock has to know of an upstream's wire to send an answer by a plan: its frames before, for and after the tokens.
// Knows no sockets. Invariant: the frames of one count are the same bytes every time, stamps apart.
import { closingFrames, expectedText, openingFrame, tokenFrame, tokenText } from "./wire.mjs";

export interface UpstreamWire {
  name: "web" | "xai";
  contentType: string;
  opening(): string;
  token(index: number, text: string): string;
  closing(count: number, message: string): string;
}

export const webWire: UpstreamWire = {
  name: "web",
  contentType: "application/json",
  opening: openingFrame,
  token: (_, text) => tokenFrame(text),
  closing: closingFrames,
};

/** The parts of an unpaced answer: token by token, the opening glued to the first one and the closing standing alone. */
export function answerPieces(wire: UpstreamWire, count: number): string[] {
  const pieces: string[] = [];
  for (let index = 0; index < count; index++) pieces.push(wire.token(index, tokenText(index)));
  pieces.push(wire.closing(count, expectedText(count)));
  pieces[0] = wire.opening() + pieces[0];
  return pieces;
}
