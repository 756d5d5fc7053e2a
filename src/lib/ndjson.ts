// Cuts a byte stream into JSON objects, whatever stands between them: newlines, nothing, pretty-printing over many
// lines, `data:` prefixes, `event:` lines, `[DONE]`. Knows no frame's meaning. Invariant: the same objects come out for
// every way of cutting the bytes.

export class FrameTooLarge extends Error {}

/** Characters, not bytes; the largest frame seen upstream is a few hundred kilobytes. */
const MAX_FRAME = 8 * 1024 * 1024;

const OPEN = 123; // {
const CLOSE = 125; // }
const QUOTE = 34;
const BACKSLASH = 92;

export interface ObjectSplitter {
  /** Takes a chunk; returns the objects it completes, in order. */
  push(chunk: Uint8Array): unknown[];
  /** The stream's end. `rest` is what could not be read as an object (empty when all was well). */
  end(): { objects: unknown[]; rest: string };
}

/** Whatever may stand between two objects: white space, a byte order mark, server-sent-event fields, the end word. */
const BETWEEN = /(?:\s+|\uFEFF|data:|\[DONE\]|(?:event|id|retry):[^\n]*\n|:[^\n]*\n)+/y;

const tryParse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const createObjectSplitter = (): ObjectSplitter => {
  const decoder = new TextDecoder("utf-8");
  let buffer = "";
  /** Where the unread part of the buffer begins. */
  let from = 0;
  // The scan of an unfinished object goes on where it stopped, else a large object would be scanned once a chunk.
  let scan = { at: 0, depth: 0, inString: false, escaped: false };
  const advance = (to: number) => {
    from = to;
    scan = { at: to, depth: 0, inString: false, escaped: false };
  };

  /** Index after the closing brace of the object at `from`, or -1. */
  const balancedEnd = (): number => {
    let { at, depth, inString, escaped } = scan;
    for (; at < buffer.length; at++) {
      const code = buffer.charCodeAt(at);
      if (inString) {
        if (escaped) escaped = false;
        else if (code === BACKSLASH) escaped = true;
        else if (code === QUOTE) inString = false;
      } else if (code === QUOTE) inString = true;
      else if (code === OPEN) depth++;
      else if (code === CLOSE && --depth === 0) return at + 1;
    }
    scan = { at, depth, inString, escaped };
    return -1;
  };

  /** Moves to the next object; false when none has begun. A stray word is dropped once its line is whole. */
  const skipToObject = (): boolean => {
    while (from < buffer.length && buffer.charCodeAt(from) !== OPEN) {
      BETWEEN.lastIndex = from;
      if (BETWEEN.test(buffer)) {
        advance(BETWEEN.lastIndex);
        continue;
      }
      const lineEnd = buffer.indexOf("\n", from);
      if (lineEnd < 0) return false;
      advance(lineEnd + 1);
    }
    return from < buffer.length;
  };

  /** Takes one object off the buffer, or says that more bytes are needed. */
  const take = (final: boolean): { object: unknown } | undefined => {
    while (skipToObject()) {
      // Nearly always an object is a line.
      const lineEnd = scan.at === from ? buffer.indexOf("\n", from) : -1;
      if (lineEnd > 0) {
        const object = tryParse(buffer.slice(from, lineEnd));
        if (object !== undefined) {
          advance(lineEnd + 1);
          return { object };
        }
      } else if (!final && scan.at === from && buffer.charCodeAt(buffer.length - 1) !== CLOSE) {
        return undefined;
      }
      const end = balancedEnd();
      if (end < 0) return undefined;
      const object = tryParse(buffer.slice(from, end));
      advance(end);
      if (object !== undefined) return { object };
    }
    return undefined;
  };

  const drain = (text: string, final: boolean): unknown[] => {
    const rest = from < buffer.length ? buffer.slice(from) : "";
    buffer = rest + text;
    scan.at -= from;
    from = 0;
    const objects: unknown[] = [];
    for (let taken = take(final); taken; taken = take(final)) objects.push(taken.object);
    if (buffer.length - from > MAX_FRAME) throw new FrameTooLarge(`a frame is larger than ${MAX_FRAME} characters`);
    return objects;
  };

  return {
    push: (chunk) => drain(decoder.decode(chunk, { stream: true }), false),
    end() {
      const objects = drain(decoder.decode(), true);
      return { objects, rest: buffer.slice(from).trim() };
    },
  };
};
