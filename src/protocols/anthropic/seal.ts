// The `signature` of a thinking block whose upstream has given none: a digest of its text under the answer's id. Clients keep it
// and send it back with the history; such reasoning is left out there, so nothing here is a secret and nothing is verified.
// Invariant: the same text gives the same seal, in whatever pieces it came.

export interface Seal {
  add(text: string): void;
  readonly value: string;
}

/** What every digest begins with. */
export const DIGEST_MARK = "g2a_";

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
      return `${DIGEST_MARK}${hex(low)}${hex(high)}`;
    },
  };
};
