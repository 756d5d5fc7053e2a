// Owns reading the two facts of a Linux executable that decide where it can start: the processor and the program loader.
// Must not know what the file is for. Invariant: a file that is no 64-bit little-endian ELF is refused, never guessed at.
import { closeSync, openSync, readSync } from "node:fs";

export interface ElfFacts {
  /** `e_machine`: 62 is x86-64, 183 is aarch64. */
  readonly machine: number;
  /** Null for a library. */
  readonly interpreter: string | null;
}

const PT_INTERP = 3;

export function readElf(path: string): ElfFacts {
  const file = openSync(path, "r");
  try {
    const header = bytesAt(file, { offset: 0, length: 64 });
    if (header.toString("latin1", 0, 4) !== "\x7fELF" || header[4] !== 2 || header[5] !== 1) {
      throw new Error(`${path} is not a 64-bit little-endian ELF file`);
    }
    const tableOffset = Number(header.readBigUInt64LE(32));
    const entrySize = header.readUInt16LE(54);
    const count = header.readUInt16LE(56);
    const table = bytesAt(file, { offset: tableOffset, length: entrySize * count });
    return { machine: header.readUInt16LE(18), interpreter: interpreterIn(table, { file, entrySize }) };
  } finally {
    closeSync(file);
  }
}

function interpreterIn(table: Buffer, { file, entrySize }: { file: number; entrySize: number }): string | null {
  for (let at = 0; at + entrySize <= table.length; at += entrySize) {
    if (table.readUInt32LE(at) !== PT_INTERP) continue;
    const offset = Number(table.readBigUInt64LE(at + 8));
    const length = Number(table.readBigUInt64LE(at + 32));
    return bytesAt(file, { offset, length }).toString("latin1").replace(/\0+$/, "");
  }
  return null;
}

function bytesAt(file: number, { offset, length }: { offset: number; length: number }): Buffer {
  const buffer = Buffer.alloc(length);
  if (readSync(file, buffer, 0, length, offset) !== length) throw new Error("the file ends too early");
  return buffer;
}
