// The two folders of stored media as the file system has them: what lies there, how large it is, how much room is left.
// Knows no document and no content. Invariant: only regular files with harmless names are seen; a link to somewhere else
// counts as absent.
import { lstat, mkdir, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { mapLimited } from "../lib/lock.ts";
import { isFileName, type MediaKind } from "./links.ts";

export const KINDS: readonly MediaKind[] = ["image", "video"];
export const PART_PREFIX = ".part-";

export interface FileName {
  readonly kind: MediaKind;
  readonly name: string;
}

export interface FileSize {
  readonly bytes: number;
  readonly modifiedMs: number;
}

export interface FoundFile extends FileName, FileSize {}

export interface MediaFolder {
  pathOf(file: FileName): string;
  /** Makes the folder of a kind. */
  make(kind: MediaKind): Promise<void>;
  look(file: FileName): Promise<FileSize | null>;
  /** Oldest first, and leftovers of broken writes apart. */
  scan(kind: MediaKind): Promise<{ readonly files: FoundFile[]; readonly parts: FoundFile[] }>;
  /** What this program may still write; Infinity where the system does not tell. */
  freeBytes(): Promise<number>;
}

/** Looking at files is waiting for the disk: some at once, but not thousands. */
const LOOKS_AT_ONCE = 32;

export const isMissing = (thrown: unknown): boolean =>
  thrown instanceof Error && "code" in thrown && (thrown.code === "ENOENT" || thrown.code === "ENOTDIR");

export const lookAt = async (path: string): Promise<FileSize | null> => {
  try {
    const found = await lstat(path);
    return found.isFile() ? { bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) } : null;
  } catch (thrown) {
    if (isMissing(thrown)) return null;
    throw thrown;
  }
};

/** Names in a folder; none when it is not there. */
export const namesIn = async (folder: string): Promise<string[]> => {
  try {
    return await readdir(folder);
  } catch (thrown) {
    if (isMissing(thrown)) return [];
    throw thrown;
  }
};

export const createMediaFolder = (directory: string): MediaFolder => {
  const pathOf = ({ kind, name }: FileName): string => join(directory, kind, name);
  return {
    pathOf,
    async make(kind) {
      await mkdir(join(directory, kind), { recursive: true });
    },
    look: (file) => lookAt(pathOf(file)),
    async scan(kind) {
      const names = await namesIn(join(directory, kind));
      const found: FoundFile[] = [];
      await mapLimited(names, LOOKS_AT_ONCE, async (name) => {
        const seen = await lookAt(pathOf({ kind, name }));
        if (seen !== null) found.push({ kind, name, ...seen });
      });
      found.sort(oldestFirst);
      return {
        files: found.filter(({ name }) => isFileName(name)),
        parts: found.filter(({ name }) => name.startsWith(PART_PREFIX)),
      };
    },
    async freeBytes() {
      try {
        const { bavail, bsize } = await statfs(directory);
        return bavail * bsize;
      } catch {
        // The folder is made with the first file, and some file systems do not count.
        return Number.POSITIVE_INFINITY;
      }
    },
  };
};

export const oldestFirst = (one: FoundFile, other: FoundFile): number =>
  one.modifiedMs - other.modifiedMs || (one.name < other.name ? -1 : 1);
