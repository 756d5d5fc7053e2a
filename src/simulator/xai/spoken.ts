// A text that is about to be streamed. Knows no stream. Invariant: the tokens, joined, are the text.

/** A text with its tokens, which are also kept as JSON so that a stream has nothing left to encode. */
export interface Spoken {
  tokens: string[];
  json: string[];
}

export function spoken(tokens: string[]): Spoken {
  return { tokens, json: tokens.map((token) => JSON.stringify(token)) };
}
