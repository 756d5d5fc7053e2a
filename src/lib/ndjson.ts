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

export const createObjectSplitter = (): ObjectSplitter => {
  const decoder = new TextDecoder("utf-8");
  let buffer = "";
  // The scan of an unfinished object goes on where it stopped, else a large object would be scanned once a chunk.
  let scan = { at: 0, depth: 0, inString: false, escaped: false };
  const restartScan = () => {
    scan = { at: 0, depth: 0, inString: false, escaped: false };
  };

  /** Index after the closing brace of the object that starts the buffer, or -1. */
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

  const tryParse = (text: string): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  };

  /** Drops everything before the next object; false when no object has begun. */
  const skipToObject = (): boolean => {
    const first = buffer.charCodeAt(0);
    if (first === OPEN) return true;
    const match = /^(?:\s+|\uFEFF|data:|\[DONE\]|(?:event|id|retry):[^\n]*\n|:[^\n]*\n)+/.exec(buffer);
    if (match) {
      buffer = buffer.slice(match[0].length);
      restartScan();
    }
    return buffer.charCodeAt(0) === OPEN;
  };

  /** Takes one object off the buffer, or says that more bytes are needed. */
  const take = (final: boolean): { object: unknown } | undefined => {
    if (!skipToObject()) {
      // A line that is no object (a stray word): drop it once it is whole.
      const lineEnd = buffer.indexOf("\n");
      if (lineEnd < 0) return undefined;
      buffer = buffer.slice(lineEnd + 1);
      restartScan();
      return buffer === "" ? undefined : take(final);
    }
    const lineEnd = scan.at === 0 ? buffer.indexOf("\n") : -1;
    if (lineEnd > 0) {
      const object = tryParse(buffer.slice(0, lineEnd));
      if (object !== undefined) {
        buffer = buffer.slice(lineEnd + 1);
        return { object };
      }
    } else if (!final && scan.at === 0 && buffer.charCodeAt(buffer.length - 1) !== CLOSE) {
      return undefined;
    }
    const end = balancedEnd();
    if (end < 0) return undefined;
    const object = tryParse(buffer.slice(0, end));
    buffer = buffer.slice(end);
    restartScan();
    return object === undefined ? take(final) : { object };
  };

  const drain = (final: boolean): unknown[] => {
    const objects: unknown[] = [];
    while (buffer !== "") {
      const taken = take(final);
      if (!taken) break;
      objects.push(taken.object);
    }
    if (buffer.length > MAX_FRAME) throw new FrameTooLarge(`a frame is larger than ${MAX_FRAME} characters`);
    return objects;
  };

  return {
    push(chunk) {
      buffer += decoder.decode(chunk, { stream: true });
      return drain(false);
    },
    end() {
      buffer += decoder.decode();
      const objects = drain(true);
      return { objects, rest: buffer.trim() };
    },
  };
};
