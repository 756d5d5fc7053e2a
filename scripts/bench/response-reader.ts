// Takes HTTP/1.1 responses apart byte by byte and finds the stamps in their bodies, without making strings of them.
// Knows framing, not content. Invariant: any split of the bytes gives the same result.

const AT = 64;
const STAMP_BYTES = 16;
const HEAD_END = Buffer.from("\r\n\r\n");

type Framing = "head" | "size" | "chunk" | "chunk-end" | "length" | "trailer" | "done";

/** Takes one HTTP response apart as it comes in; the body's bytes go to `onBody`. */
export interface ResponseReader {
  feed(bytes: Buffer): void;
  reset(): void;
  readonly framing: Framing;
  readonly status: number;
  readonly bodyBytes: number;
}

export function createResponseReader(onBody: (bytes: Buffer) => void): ResponseReader {
  let framing: Framing = "head";
  let head: Buffer | null = null;
  let left = 0;
  let size = 0;
  let sizeDigits = 0;
  let inExtension = false;
  let status = 0;
  let bodyBytes = 0;

  function takeHead(bytes: Buffer): number {
    const joined = head ? Buffer.concat([head, bytes]) : bytes;
    const end = joined.indexOf(HEAD_END);
    if (end < 0) {
      head = Buffer.from(joined);
      return bytes.length;
    }
    const before = head?.length ?? 0;
    head = null;
    const text = joined.toString("latin1", 0, end);
    status = Number(text.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(text);
    if (/\r\ntransfer-encoding: *chunked/i.test(text)) framing = "size";
    else if (length) {
      left = Number(length[1]);
      framing = left ? "length" : "done";
    } else framing = "done";
    return end + 4 - before;
  }

  function takeSize(bytes: Buffer, start: number): number {
    let at = start;
    while (at < bytes.length) {
      const byte = bytes[at++] ?? 0;
      if (byte === 10) {
        left = size;
        framing = size ? "chunk" : "trailer";
        size = 0;
        sizeDigits = 0;
        inExtension = false;
        break;
      }
      if (byte === 13) continue;
      if (byte === 59) inExtension = true;
      if (inExtension) continue;
      size = size * 16 + (byte <= 57 ? byte - 48 : (byte | 32) - 87);
      sizeDigits++;
    }
    return at;
  }

  function takeBody(bytes: Buffer, start: number): number {
    const end = Math.min(bytes.length, start + left);
    bodyBytes += end - start;
    onBody(bytes.subarray(start, end));
    left -= end - start;
    if (left === 0) {
      framing = framing === "length" ? "done" : "chunk-end";
      if (framing === "chunk-end") left = 2;
    }
    return end;
  }

  return {
    feed(bytes) {
      let at = 0;
      if (framing === "head") at = takeHead(bytes);
      while (at < bytes.length && framing !== "done") {
        if (framing === "size") at = takeSize(bytes, at);
        else if (framing === "chunk" || framing === "length") at = takeBody(bytes, at);
        else {
          // The CR LF after a chunk, or the empty trailer after the last one.
          if (framing === "trailer" && left === 0) left = 2;
          const skipped = Math.min(left, bytes.length - at);
          left -= skipped;
          at += skipped;
          if (left === 0) framing = framing === "trailer" ? "done" : "size";
        }
      }
    },
    reset() {
      framing = "head";
      bodyBytes = 0;
      status = 0;
    },
    get framing() {
      return framing;
    },
    get status() {
      return status;
    },
    get bodyBytes() {
      return bodyBytes;
    },
  };
}

/** Finds "@14 digits@" in a body that arrives in any pieces. */
export function createStampScanner(onStamp: (stampUs: number) => void) {
  let carry: Buffer | null = null;
  return {
    scan(piece: Buffer) {
      let bytes = piece;
      if (carry) {
        bytes = Buffer.concat([carry, piece]);
        carry = null;
      }
      let at = bytes.indexOf(AT);
      while (at >= 0) {
        if (at + STAMP_BYTES > bytes.length) {
          carry = Buffer.from(bytes.subarray(at));
          return;
        }
        if (bytes[at + STAMP_BYTES - 1] === AT) {
          let stamp = 0;
          for (let index = at + 1; index < at + STAMP_BYTES - 1; index++)
            stamp = stamp * 10 + (bytes[index] ?? 48) - 48;
          onStamp(stamp);
        }
        at = bytes.indexOf(AT, at + STAMP_BYTES);
      }
    },
    reset() {
      carry = null;
    },
  };
}
