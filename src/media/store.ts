// Stored pictures and clips: files in `image` and `video` below one folder, with their digests kept as documents.
// Knows no link and no upstream. Invariant: a file is whole or absent, its type comes from its bytes, and nothing outside
// the two folders is ever opened.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { lstat, mkdir, open, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";
import { createGate } from "../lib/lock.ts";
import type { Log } from "../lib/log.ts";
import type { Documents } from "../storage/port.ts";
import { fileNames } from "./file-name.ts";
import { checkFileName, isFileName, type MediaKind } from "./links.ts";
import { type MediaType, SNIFF_BYTES, sniffMedia } from "./sniff.ts";

export interface NewMedia {
  readonly kind: MediaKind;
  readonly bytes: Uint8Array;
  /** Upstream path or address that the name is made from; a query string is left out. */
  readonly origin: string;
  /** Id of the account that made it. */
  readonly account: string | null;
  /** Replaces the origin in the name. */
  readonly name?: string;
}

export interface StoredFile {
  readonly kind: MediaKind;
  readonly name: string;
  readonly path: string;
  readonly mime: MediaType;
  readonly bytes: number;
  /** SHA-256 in hex: a strong entity tag without quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
}

export interface MediaLimits {
  readonly maxFileBytes: Readonly<Record<MediaKind, number>>;
  /** Of all files of a kind; what is over is trimmed, oldest first. */
  readonly maxTotalBytes: Readonly<Record<MediaKind, number>>;
}

export interface KindUse {
  readonly files: number;
  readonly bytes: number;
}

export interface MediaStore {
  /** Stores a file, or finds it when the same content is there under its name. Throws GatewayError. */
  put(file: NewMedia): Promise<StoredFile>;
  /** Null when there is no such file, or none that may be served. Throws `invalid_file_name`. */
  find(kind: MediaKind, name: string): Promise<StoredFile | null>;
  /** True when a file was there. */
  remove(kind: MediaKind, name: string): Promise<boolean>;
  use(kind: MediaKind): Promise<KindUse>;
  /** Brings both kinds below their caps and clears what broken writes have left; for a timer. */
  trim(): Promise<{ readonly files: number; readonly bytes: number }>;
}

export interface MediaStoreDeps {
  /** The folder that holds `image` and `video`. */
  readonly directory: string;
  readonly documents: Documents;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: () => MediaLimits;
}

const COLLECTION = "media";
const KINDS: readonly MediaKind[] = ["image", "video"];
/** Trimming goes below the cap, so that it does not run for every new file. */
const TRIM_TO = 0.8;
/** A link that was just handed out must work. */
const FRESH_MS = 60_000;
const PART_PREFIX = ".part-";
const PART_LIFE_MS = 3_600_000;

const StoredRecord = z.object({
  mime: z.enum(["image/png", "image/jpeg", "image/webp", "image/gif", "video/mp4"]),
  bytes: z.number(),
  etag: z.string(),
  modifiedMs: z.number(),
  origin: z.string().nullable(),
  account: z.string().nullable(),
});
type StoredRecord = z.infer<typeof StoredRecord>;

interface FileName {
  readonly kind: MediaKind;
  readonly name: string;
}

const kindOf = (mime: MediaType): MediaKind => (mime === "video/mp4" ? "video" : "image");
const idOf = ({ kind, name }: FileName): string => `${kind}/${name}`;

const isMissing = (thrown: unknown): boolean =>
  thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR");

export const createMediaStore = (deps: MediaStoreDeps): MediaStore => {
  const { directory, documents, clock, log, limits } = deps;
  const folder = (kind: MediaKind): string => join(directory, kind);
  const pathOf = (file: FileName): string => join(folder(file.kind), file.name);
  // Choosing a free name and taking it must not be interleaved.
  const naming = createGate(() => 1);

  /** Size and time of a regular file; a link to somewhere else counts as absent. */
  const look = async (path: string): Promise<{ bytes: number; modifiedMs: number } | null> => {
    try {
      const found = await lstat(path);
      return found.isFile() ? { bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) } : null;
    } catch (thrown) {
      if (isMissing(thrown)) return null;
      throw thrown;
    }
  };

  const readRecord = async (file: FileName): Promise<StoredRecord | null> => {
    const document = await documents.get(COLLECTION, idOf(file));
    return document === null ? null : (StoredRecord.safeParse(document.body).data ?? null);
  };

  const writeRecord = async (file: FileName, record: StoredRecord): Promise<void> => {
    await documents.write([{ collection: COLLECTION, id: idOf(file), body: record }]);
  };

  const describe = (file: FileName, record: StoredRecord): StoredFile => {
    const { mime, bytes, etag, modifiedMs } = record;
    return { ...file, path: pathOf(file), mime, bytes, etag, modifiedMs };
  };

  const find = async (file: FileName): Promise<StoredFile | null> => {
    const seen = await look(pathOf(file));
    if (seen === null) return null;
    const record = await readRecord(file);
    if (record !== null && record.bytes === seen.bytes && record.modifiedMs === seen.modifiedMs) {
      return describe(file, record);
    }
    // A file of an older installation, or one that was replaced by hand: its bytes tell what it is.
    const mime = sniffMedia(await readStart(pathOf(file)));
    if (mime === null || kindOf(mime) !== file.kind) return null;
    const { origin = null, account = null } = record ?? {};
    const fresh = { mime, ...seen, etag: await hashFile(pathOf(file)), origin, account };
    await writeRecord(file, fresh);
    return describe(file, fresh);
  };

  const remove = async (file: FileName): Promise<boolean> => {
    const there = (await look(pathOf(file))) !== null;
    if (there) await rm(pathOf(file), { force: true });
    await documents.write([{ collection: COLLECTION, id: idOf(file), remove: true }]);
    return there;
  };

  /** The name to store under, or the file that is already there. */
  const choose = async (kind: MediaKind, facts: { names: readonly string[]; etag: string }) => {
    for (const name of facts.names) {
      const there = await find({ kind, name });
      if (there === null) return { name };
      if (there.etag === facts.etag) return { there };
    }
    // The last name carries the content's digest: only a damaged file can stand there.
    return { name: facts.names.at(-1) ?? "" };
  };

  const put = async (file: NewMedia): Promise<StoredFile> => {
    const { kind, bytes } = file;
    const mime = checkContent(file, limits().maxFileBytes[kind]);
    const etag = createHash("sha256").update(bytes).digest("hex");
    const names = fileNames({ origin: file.name ?? file.origin, mime, digest: etag });
    const before = await choose(kind, { names, etag });
    if (before.there !== undefined) return before.there;
    await mkdir(folder(kind), { recursive: true });
    const part = join(folder(kind), hexId(PART_PREFIX));
    try {
      await writeFile(part, bytes, { flag: "wx" });
      const leave = await naming.enter();
      try {
        const { name, there } = await choose(kind, { names, etag });
        if (there !== undefined) return there;
        await rename(part, pathOf({ kind, name }));
        const seen = await look(pathOf({ kind, name }));
        const modifiedMs = seen?.modifiedMs ?? clock.now();
        const record = { mime, bytes: bytes.byteLength, etag, modifiedMs, origin: file.origin, account: file.account };
        await writeRecord({ kind, name }, record);
        return describe({ kind, name }, record);
      } finally {
        leave();
      }
    } finally {
      await rm(part, { force: true });
    }
  };

  /** All files of a kind, oldest first, and leftovers of broken writes. */
  const scan = async (kind: MediaKind) => {
    const names = await readdir(folder(kind)).catch((thrown: unknown) => {
      if (isMissing(thrown)) return [];
      throw thrown;
    });
    const files: { name: string; bytes: number; modifiedMs: number }[] = [];
    for (const name of names) {
      const seen = await look(join(folder(kind), name));
      if (seen !== null) files.push({ name, ...seen });
    }
    files.sort((a, b) => a.modifiedMs - b.modifiedMs);
    return {
      files: files.filter((file) => isFileName(file.name)),
      parts: files.filter((file) => file.name.startsWith(PART_PREFIX)),
    };
  };

  const trimKind = async (kind: MediaKind): Promise<{ files: number; bytes: number }> => {
    const { files, parts } = await scan(kind);
    const now = clock.now();
    for (const part of parts) {
      if (now - part.modifiedMs > PART_LIFE_MS) await rm(join(folder(kind), part.name), { force: true });
    }
    const cap = limits().maxTotalBytes[kind];
    let total = files.reduce((sum, file) => sum + file.bytes, 0);
    const removed = { files: 0, bytes: 0 };
    if (total <= cap) return removed;
    for (const file of files) {
      if (total <= cap * TRIM_TO || now - file.modifiedMs < FRESH_MS) break;
      await remove({ kind, name: file.name });
      total -= file.bytes;
      removed.files++;
      removed.bytes += file.bytes;
    }
    log.info("stored media trimmed", { kind, ...removed, left_bytes: total, limit_bytes: cap });
    return removed;
  };

  return {
    put,
    async find(kind, name) {
      checkFileName(name);
      return find({ kind, name });
    },
    async remove(kind, name) {
      checkFileName(name);
      return remove({ kind, name });
    },
    async use(kind) {
      const { files } = await scan(kind);
      return { files: files.length, bytes: files.reduce((sum, file) => sum + file.bytes, 0) };
    },
    async trim() {
      const all = { files: 0, bytes: 0 };
      for (const kind of KINDS) {
        const removed = await trimKind(kind);
        all.files += removed.files;
        all.bytes += removed.bytes;
      }
      return all;
    },
  };
};

/** The upstream sent it: whatever is wrong with it is not the caller's fault. */
const checkContent = (file: NewMedia, maxBytes: number): MediaType => {
  if (file.bytes.byteLength > maxBytes) {
    throw new GatewayError("upstream_error", `The upstream's ${file.kind} is larger than ${maxBytes} bytes.`);
  }
  const mime = sniffMedia(file.bytes);
  if (mime !== null && kindOf(mime) === file.kind) return mime;
  throw new GatewayError("upstream_malformed", `The upstream's file is no ${file.kind} of a known type.`);
};

const readStart = async (path: string): Promise<Uint8Array> => {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(SNIFF_BYTES), 0, SNIFF_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};

const hashFile = async (path: string): Promise<string> => {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
};
