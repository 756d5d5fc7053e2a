// The `signature` of a thinking block: a digest of its text under the answer's id. Clients keep it and send it back with the
// history; reasoning that comes back is left out, so nothing here is a secret and nothing is verified.
// Invariant: the same text gives the same seal, in whatever pieces it came.

export interface Seal {
  add(text: string): void;
  readonly value: string;
}

/** Two lanes of FNV-1a with different offsets: 64 bits, cheap enough for every piece of a stream. */
export const createSeal = (answerId: string): Seal => {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  const add = (text: string) => {
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      low = Math.imul(low ^ code, 0x01000193);
      high = Math.imul(high ^ code, 0x85ebca6b);
    }
  };
  add(answerId);
  return {
    add,
    get value() {
      const hex = (lane: number) => (lane >>> 0).toString(16).padStart(8, "0");
      return `g2a_${hex(low)}${hex(high)}`;
    },
  };
};
