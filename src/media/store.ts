// Stored pictures and clips: files in `image` and `video` below one folder, with their digests kept as documents.
// Knows no link and no upstream. Invariant: a file is whole or absent, its type comes from its bytes, and nothing outside
// the two folders is ever opened.
import { createHash } from "node:crypto";
import { open, rename, rm, writeFile } from "node:fs/promises";
import { z } from "zod";
import { GatewayError } from "../core/errors.ts";
import type { Clock } from "../lib/clock.ts";
import { hexId } from "../lib/ids.ts";
import { createGate } from "../lib/lock.ts";
import type { Log } from "../lib/log.ts";
import type { DocumentChange, Documents } from "../storage/port.ts";
import { adoptFile, type Adoption, type ForeignFile } from "./adopt.ts";
import { asDiskFull, diskFull } from "./disk-full.ts";
import { fileNames } from "./file-name.ts";
import { createMediaFolder, type FileName, type FoundFile, type MediaFolder, PART_PREFIX } from "./folder.ts";
import { checkFileName, type MediaKind } from "./links.ts";
import { hashFile, readStart } from "./read-file.ts";
import { createMediaRoom, type RoomLimits, type Trimmed } from "./room.ts";
import { kindOf, type MediaType, sniffMedia } from "./sniff.ts";

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

/** A file that lies on the same disk already and is moved. */
export interface NewMediaFile extends Omit<NewMedia, "bytes"> {
  readonly path: string;
  readonly size: number;
}

/** A file whose bytes come one after the other. */
export interface NewMediaBody extends Omit<NewMedia, "bytes"> {
  readonly body: { readonly length: number | null; read(): Promise<Uint8Array | null> };
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

export interface MediaLimits extends RoomLimits {
  readonly maxFileBytes: Readonly<Record<MediaKind, number>>;
}

export interface KindUse {
  readonly files: number;
  readonly bytes: number;
}

export interface MediaStore {
  /** Stores a file, or finds it when the same content is there under its name. Throws GatewayError. */
  put(file: NewMedia): Promise<StoredFile>;
  /** The same without ever holding the file. The body is the caller's to cancel when this fails. */
  putBody(file: NewMediaBody): Promise<StoredFile>;
  /** The same for a file that is there; it is moved, or stays where the same content is stored already. */
  putFile(file: NewMediaFile): Promise<StoredFile>;
  /** Whether so many bytes may be written; makes room first where that helps. */
  hasRoomFor(bytes: number): Promise<boolean>;
  /** Null when there is no such file, or none that may be served. Throws `invalid_file_name`. */
  find(kind: MediaKind, name: string): Promise<StoredFile | null>;
  /** Where the files lie that are there. Throws `invalid_file_name`. */
  locate(files: readonly FileName[]): Promise<(FoundFile & { readonly path: string })[]>;
  /** All files of a kind, newest first. */
  all(kind: MediaKind): Promise<FoundFile[]>;
  use(kind: MediaKind): Promise<KindUse>;
  /**
   * What was there and is gone. The documents that `along` makes of it are written before the first file goes, together
   * with the removal of the files' own documents.
   */
  remove(files: readonly FileName[], along?: (removed: readonly FoundFile[]) => DocumentChange[]): Promise<FoundFile[]>;
  /** Takes over a file of another installation under the name that it has. */
  adopt(file: ForeignFile): Promise<Adoption>;
  /** Brings all files below the limits and clears what broken writes have left; for a timer. */
  trim(): Promise<Trimmed>;
}

export interface MediaStoreDeps {
  /** The folder that holds `image` and `video`. */
  readonly directory: string;
  readonly documents: Documents;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: () => MediaLimits;
  /** Tests: another measure of the disk. */
  readonly folder?: Pick<MediaFolder, "freeBytes">;
}

const COLLECTION = "media";
/** Documents in one transaction. */
const REMOVED_AT_ONCE = 500;
/** The disk is looked at again after so many bytes of one file. */
const ROOM_STEP = 16 * 1024 * 1024;

const StoredRecord = z.object({
  mime: z.enum(["image/png", "image/jpeg", "image/webp", "image/gif", "video/mp4"]),
  bytes: z.number(),
  etag: z.string(),
  modifiedMs: z.number(),
  origin: z.string().nullable(),
  account: z.string().nullable(),
});
type StoredRecord = z.infer<typeof StoredRecord>;

const idOf = ({ kind, name }: FileName): string => `${kind}/${name}`;

export const createMediaStore = (deps: MediaStoreDeps): MediaStore => {
  const { documents, clock, limits } = deps;
  const folder: MediaFolder = { ...createMediaFolder(deps.directory), ...deps.folder };
  const { pathOf } = folder;
  // Choosing a free name and taking it must not be interleaved.
  const naming = createGate(() => 1);

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
    const seen = await folder.look(file);
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

  const present = async (files: readonly FileName[]): Promise<FoundFile[]> => {
    for (const { name } of files) checkFileName(name);
    const there: FoundFile[] = [];
    for (const { kind, name } of files) {
      const seen = await folder.look({ kind, name });
      if (seen !== null) there.push({ kind, name, ...seen });
    }
    return there;
  };

  const remove: MediaStore["remove"] = async (files, along = () => []) => {
    const there = await present(files);
    const changes = [
      ...files.map((file): DocumentChange => ({ collection: COLLECTION, id: idOf(file), remove: true })),
      ...along(there),
    ];
    for (let start = 0; start < changes.length; start += REMOVED_AT_ONCE) {
      await documents.write(changes.slice(start, start + REMOVED_AT_ONCE));
    }
    for (const file of there) await rm(pathOf(file), { force: true });
    return there;
  };
  const discard = (part: FileName) => rm(pathOf(part), { force: true });
  const room = createMediaRoom({ ...deps, folder, discard, remove: (file) => remove([file]) });

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
    // A folder that is not there tells of no disk.
    await folder.make(kind);
    if (!(await room.hasRoomFor(bytes.byteLength))) throw diskFull();
    const part = pathOf({ kind, name: hexId(PART_PREFIX) });
    try {
      await writeFile(part, bytes, { flag: "wx" }).catch(asDiskFull);
      return await settle(part, { file, mime, etag, size: bytes.byteLength });
    } finally {
      await rm(part, { force: true });
    }
  };

  /** Gives a written part its name, unless the same content is there already. */
  const settle = async (
    part: string,
    facts: { file: Omit<NewMedia, "bytes">; mime: MediaType; etag: string; size: number },
  ): Promise<StoredFile> => {
    const { file, mime, etag, size } = facts;
    const { kind, origin, account } = file;
    const names = fileNames({ origin: file.name ?? origin, mime, digest: etag });
    const leave = await naming.enter();
    try {
      const { name, there } = await choose(kind, { names, etag });
      if (there !== undefined) return there;
      await rename(part, pathOf({ kind, name }));
      const seen = await folder.look({ kind, name });
      const modifiedMs = seen?.modifiedMs ?? clock.now();
      const record = { mime, bytes: size, etag, modifiedMs, origin, account };
      await writeRecord({ kind, name }, record);
      room.wrote(size);
      return describe({ kind, name }, record);
    } finally {
      leave();
    }
  };

  const putBody: MediaStore["putBody"] = async (file) => {
    const { kind, body } = file;
    const maxBytes = limits().maxFileBytes[kind];
    if ((body.length ?? 0) > maxBytes) throw tooLarge(kind, maxBytes);
    await folder.make(kind);
    if (!(await room.hasRoomFor(body.length ?? ROOM_STEP))) throw diskFull();
    const part = pathOf({ kind, name: hexId(PART_PREFIX) });
    try {
      const { size, etag } = await writeBody(part, { body, kind, maxBytes });
      const mime = checkType(kind, await readStart(part));
      return await settle(part, { file, mime, etag, size });
    } finally {
      await rm(part, { force: true });
    }
  };

  const putFile: MediaStore["putFile"] = async (file) => {
    const { kind, path, size } = file;
    const mime = checkType(kind, await readStart(path));
    await folder.make(kind);
    return settle(path, { file, mime, etag: await hashFile(path), size });
  };

  /** Looks after the disk on the way, because not every body says how long it is. */
  const writeBody = async (
    part: string,
    { body, kind, maxBytes }: { body: NewMediaBody["body"]; kind: MediaKind; maxBytes: number },
  ): Promise<{ size: number; etag: string }> => {
    const hash = createHash("sha256");
    const handle = await open(part, "wx");
    try {
      let size = 0;
      let checked = 0;
      for (let chunk = await body.read(); chunk !== null; chunk = await body.read()) {
        size += chunk.byteLength;
        if (size > maxBytes) throw tooLarge(kind, maxBytes);
        if (size - checked >= ROOM_STEP) {
          checked = size;
          if (!(await room.hasRoomFor(ROOM_STEP))) throw diskFull();
        }
        hash.update(chunk);
        await handle.writeFile(chunk).catch(asDiskFull);
      }
      return { size, etag: hash.digest("hex") };
    } finally {
      await handle.close();
    }
  };

  const files = async (kind: MediaKind): Promise<FoundFile[]> => (await folder.scan(kind)).files;

  return {
    put,
    putBody,
    putFile,
    hasRoomFor: room.hasRoomFor,
    remove,
    async find(kind, name) {
      checkFileName(name);
      return find({ kind, name });
    },
    locate: async (files) => (await present(files)).map((file) => ({ ...file, path: pathOf(file) })),
    all: async (kind) => (await files(kind)).reverse(),
    async use(kind) {
      const found = await files(kind);
      return { files: found.length, bytes: found.reduce((sum, file) => sum + file.bytes, 0) };
    },
    async adopt(file) {
      const leave = await naming.enter();
      try {
        const adoption = await adoptFile(file, { folder, hasRoomFor: room.hasRoomFor });
        if (adoption.state === "taken") room.wrote(adoption.bytes);
        return adoption;
      } finally {
        leave();
      }
    },
    trim: room.trim,
  };
};

/** The upstream sent it: whatever is wrong with it is not the caller's fault. */
const checkContent = (file: NewMedia, maxBytes: number): MediaType => {
  if (file.bytes.byteLength > maxBytes) throw tooLarge(file.kind, maxBytes);
  return checkType(file.kind, file.bytes);
};

const checkType = (kind: MediaKind, bytes: Uint8Array): MediaType => {
  const mime = sniffMedia(bytes);
  if (mime !== null && kindOf(mime) === kind) return mime;
  throw new GatewayError("upstream_malformed", `The upstream's file is no ${kind} of a known type.`);
};

const tooLarge = (kind: MediaKind, maxBytes: number): GatewayError =>
  new GatewayError("upstream_error", `The upstream's ${kind} is larger than ${maxBytes} bytes.`);
