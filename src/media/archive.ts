// Writes many files as one zip while it is sent: stored, not compressed, because pictures and clips are compressed already.
// Each file is read twice, once for its checksum, so that every header is complete and any reader can stream it.
// Invariant: never more than one piece of a file is in memory; files that have gone meanwhile are left out.
import { open, type FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { isMissing } from "./folder.ts";

export interface ZipEntry {
  readonly name: string;
  readonly path: string;
  readonly modifiedMs: number;
}

export interface ZipLimits {
  /** From here on a size or an offset needs 64 bits. */
  readonly wideFrom: number;
  /** From here on the number of entries does. */
  readonly manyFrom: number;
}

const FORMAT_LIMITS: ZipLimits = { wideFrom: 0xffff_ffff, manyFrom: 0xffff };
const PIECE_BYTES = 256 * 1024;
const UTF8_NAMES = 0x0800;
const VERSION = 20;
const VERSION_64 = 45;
const MADE_ON_UNIX = 3 << 8;
const REGULAR_FILE = 0o100644;

/** What the directory at the end says about one file. */
interface Written {
  readonly name: Uint8Array;
  readonly stamp: number;
  readonly crc: number;
  readonly bytes: number;
  readonly offset: number;
}

type Bytes = Uint8Array<ArrayBuffer>;

export async function* zipFiles(
  entries: readonly ZipEntry[],
  limits: ZipLimits = FORMAT_LIMITS,
): AsyncGenerator<Bytes, void> {
  const written: Written[] = [];
  let offset = 0;
  for (const entry of entries) {
    const file = await openIfThere(entry.path);
    if (file === null) continue;
    try {
      const { crc, bytes } = await checksumOf(file);
      const name = new TextEncoder().encode(entry.name);
      const about = { name, stamp: dosTime(entry.modifiedMs), crc, bytes, offset };
      const head = localHeader(about, limits);
      yield head;
      yield* contentOf(file, bytes);
      written.push(about);
      offset += head.byteLength + bytes;
    } finally {
      await file.close();
    }
  }
  const start = offset;
  for (const about of written) {
    const line = directoryLine(about, limits);
    yield line;
    offset += line.byteLength;
  }
  yield endOf({ count: written.length, start, bytes: offset - start }, limits);
}

const openIfThere = async (path: string): Promise<FileHandle | null> => {
  try {
    return await open(path, "r");
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw thrown;
  }
};

const checksumOf = async (file: FileHandle): Promise<{ crc: number; bytes: number }> => {
  const buffer = new Uint8Array(PIECE_BYTES);
  let crc = 0;
  let bytes = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, PIECE_BYTES, bytes);
    if (bytesRead === 0) return { crc, bytes };
    crc = crc32(buffer.subarray(0, bytesRead), crc);
    bytes += bytesRead;
  }
};

async function* contentOf(file: FileHandle, bytes: number): AsyncGenerator<Bytes, void> {
  for (let at = 0; at < bytes;) {
    // A new one each time: the last may still be on its way to the reader.
    const piece = new Uint8Array(Math.min(PIECE_BYTES, bytes - at));
    const { bytesRead } = await file.read(piece, 0, piece.byteLength, at);
    if (bytesRead === 0) throw new Error("a file became shorter while it was sent");
    yield piece.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** Two seconds a step, local time, from 1980: the format's own clock. */
const dosTime = (ms: number): number => {
  const time = new Date(ms);
  const year = Math.min(127, Math.max(0, time.getFullYear() - 1980));
  const date = (year << 9) | ((time.getMonth() + 1) << 5) | time.getDate();
  const clock = (time.getHours() << 11) | (time.getMinutes() << 5) | (time.getSeconds() >> 1);
  return ((date << 16) | clock) >>> 0;
};

/** Numbers of the format are little-endian and of two, four or eight bytes. */
const record = (
  fields: readonly (readonly [size: 2 | 4 | 8, value: number])[],
  ...rest: readonly Uint8Array[]
): Bytes => {
  const fixed = fields.reduce((sum, [size]) => sum + size, 0);
  const bytes = new Uint8Array(rest.reduce((sum, { byteLength }) => sum + byteLength, fixed));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += size;
  }
  for (const part of rest) {
    bytes.set(part, at);
    at += part.byteLength;
  }
  return bytes;
};

const WIDE = 0xffff_ffff;
/** The field that holds numbers too large for their place. */
const wideField = (values: readonly number[]): Bytes =>
  values.length === 0
    ? new Uint8Array(0)
    : record([[2, 1], [2, values.length * 8], ...values.map((value) => [8, value] as const)]);

const localHeader = ({ name, stamp, crc, bytes }: Written, { wideFrom }: ZipLimits): Bytes => {
  const wide = bytes >= wideFrom;
  const extra = wideField(wide ? [bytes, bytes] : []);
  const size = wide ? WIDE : bytes;
  return record(
    [
      [4, 0x0403_4b50],
      [2, wide ? VERSION_64 : VERSION],
      [2, UTF8_NAMES],
      [2, 0],
      [4, stamp],
      [4, crc],
      [4, size],
      [4, size],
      [2, name.byteLength],
      [2, extra.byteLength],
    ],
    name,
    extra,
  );
};

const directoryLine = ({ name, stamp, crc, bytes, offset }: Written, { wideFrom }: ZipLimits): Bytes => {
  const wide = bytes >= wideFrom;
  const far = offset >= wideFrom;
  const extra = wideField([...(wide ? [bytes, bytes] : []), ...(far ? [offset] : [])]);
  const size = wide ? WIDE : bytes;
  const version = wide || far ? VERSION_64 : VERSION;
  return record(
    [
      [4, 0x0201_4b50],
      [2, MADE_ON_UNIX | version],
      [2, version],
      [2, UTF8_NAMES],
      [2, 0],
      [4, stamp],
      [4, crc],
      [4, size],
      [4, size],
      [2, name.byteLength],
      [2, extra.byteLength],
      [2, 0],
      [2, 0],
      [2, 0],
      [4, (REGULAR_FILE << 16) >>> 0],
      [4, far ? WIDE : offset],
    ],
    name,
    extra,
  );
};

const endOf = (directory: { count: number; start: number; bytes: number }, limits: ZipLimits): Bytes => {
  const { count, start, bytes } = directory;
  const many = count >= limits.manyFrom;
  const wide = many || start >= limits.wideFrom || bytes >= limits.wideFrom;
  const wideEnd = record([
    [4, 0x0606_4b50],
    [8, 44],
    [2, MADE_ON_UNIX | VERSION_64],
    [2, VERSION_64],
    [4, 0],
    [4, 0],
    [8, count],
    [8, count],
    [8, bytes],
    [8, start],
    // The way to the record above.
    [4, 0x0706_4b50],
    [4, 0],
    [8, start + bytes],
    [4, 1],
  ]);
  const end = record([
    [4, 0x0605_4b50],
    [2, 0],
    [2, 0],
    [2, many ? 0xffff : count],
    [2, many ? 0xffff : count],
    [4, wide ? WIDE : bytes],
    [4, wide ? WIDE : start],
    [2, 0],
  ]);
  return wide ? record([], wideEnd, end) : end;
};
