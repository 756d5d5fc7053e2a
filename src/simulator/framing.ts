// How the objects of a REST stream become bytes: one a line, or one of the variants that parsers must accept.
// Knows no meaning of the objects. Invariant: every variant carries the same objects in the same order.
import type { Words } from "./scenarios.ts";

export interface Framing {
  contentType: string;
  /** Bytes of one object; `index` counts from 0. */
  write(value: object, index: number): string;
  end(): string;
  /** Sizes in which the bytes are sent; undefined sends them as they come. */
  pieceSize: (() => number) | undefined;
}

export function createFraming(words: Words): Framing {
  const indent = words.has("pretty") && !words.has("sse") ? 2 : undefined;
  const json = (value: object): string => {
    const text = JSON.stringify(value, null, indent);
    return words.has("escaped") ? escapeMarkup(text) : text;
  };
  let turn = 0;
  const pieceSize = words.has("bytes") ? () => 1 + ((turn++ * 5) % 7) : undefined;
  const base = { contentType: "application/json", end: () => "", pieceSize };
  if (words.has("sse")) {
    const write = (value: object): string => `event: message\ndata: ${json(value)}\n\n`;
    return { ...base, contentType: "text/event-stream", write, end: () => "data: [DONE]\n\n" };
  }
  if (words.has("concat")) return { ...base, write: json };
  if (words.has("no-final-newline"))
    return { ...base, write: (value, index) => (index === 0 ? "" : "\n") + json(value) };
  if (words.has("blank-lines")) return { ...base, write: (value) => `${json(value)}\n\r\n\n` };
  return { ...base, write: (value) => `${json(value)}\n` };
}

export function escapeMarkup(json: string): string {
  return json.replace(/[<>&]/g, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
