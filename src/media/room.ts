// Keeps stored media within its limits: the oldest files go when all together are too large or the disk is nearly full.
// Knows no document; how a file is removed is given. Invariant: a file whose link was just handed out stays, and two runs
// never overlap.
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import { type FileName, type FoundFile, KINDS, type MediaFolder, oldestFirst } from "./folder.ts";

export interface RoomLimits {
  /** Of all files of both kinds together. */
  readonly maxTotalBytes: number;
  /** Of the disk: below it nothing is stored. */
  readonly minFreeBytes: number;
  /** Whether files may be removed at all to keep the limits. */
  readonly autoClean: boolean;
}

export interface Trimmed {
  readonly files: number;
  readonly bytes: number;
}

export interface MediaRoom {
  /** Brings everything below the limits and clears what broken writes have left. Joins a run that is under way. */
  trim(): Promise<Trimmed>;
  /** Whether so many bytes may be written; makes room first when that helps. */
  hasRoomFor(bytes: number): Promise<boolean>;
  /** Told after each write; begins a run in the background when the limit is passed. */
  wrote(bytes: number): void;
}

export interface MediaRoomDeps {
  readonly folder: MediaFolder;
  readonly limits: () => RoomLimits;
  readonly remove: (file: FileName) => Promise<unknown>;
  readonly discard: (part: FileName) => Promise<void>;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
}

/** Trimming goes below the cap, so that it does not run for every new file. */
const TRIM_TO = 0.8;
const FRESH_MS = 60_000;
const PART_LIFE_MS = 3_600_000;

const sizeOf = (files: readonly FoundFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0);

export const createMediaRoom = (deps: MediaRoomDeps): MediaRoom => {
  const { folder, limits, clock, log } = deps;
  let running: Promise<Trimmed> | null = null;
  /** What all files together have, as far as it is known; counted anew by every run. */
  let total: number | null = null;

  const survey = async (): Promise<FoundFile[]> => {
    const files: FoundFile[] = [];
    for (const kind of KINDS) {
      const found = await folder.scan(kind);
      files.push(...found.files);
      for (const part of found.parts) {
        if (clock.now() - part.modifiedMs > PART_LIFE_MS) await deps.discard(part);
      }
    }
    return files.sort(oldestFirst);
  };

  /** How many bytes have to go, so that `more` can come. */
  const surplus = async (present: number, more: number): Promise<number> => {
    const { maxTotalBytes, minFreeBytes, autoClean } = limits();
    if (!autoClean) return 0;
    const over = present > maxTotalBytes ? present - maxTotalBytes * TRIM_TO : 0;
    const short = minFreeBytes + more - (await folder.freeBytes());
    // When all files together would not do, something else fills the disk: they would go for nothing.
    return short > present ? over : Math.max(over, short);
  };

  const run = async (more: number): Promise<Trimmed> => {
    const files = await survey();
    const present = sizeOf(files);
    const wanted = await surplus(present, more);
    const removed = { files: 0, bytes: 0 };
    for (const file of files) {
      if (removed.bytes >= wanted || clock.now() - file.modifiedMs < FRESH_MS) break;
      await deps.remove(file);
      removed.files++;
      removed.bytes += file.bytes;
    }
    total = present - removed.bytes;
    if (removed.files > 0) log.info("stored media trimmed", { ...removed, left_bytes: total });
    if (wanted > removed.bytes)
      log.warn("stored media cannot be trimmed far enough", { missing: wanted - removed.bytes });
    return removed;
  };

  const trim = (more = 0): Promise<Trimmed> => {
    running ??= run(more).finally(() => {
      running = null;
    });
    return running;
  };

  return {
    trim: () => trim(),
    async hasRoomFor(bytes) {
      const isFree = async () => (await folder.freeBytes()) - bytes >= limits().minFreeBytes;
      if (await isFree()) return true;
      if (!limits().autoClean) return false;
      // A run that is under way knows nothing of these bytes.
      await running?.catch(() => {});
      await trim(bytes);
      return isFree();
    },
    wrote(bytes) {
      if (total !== null) total += bytes;
      const { autoClean, maxTotalBytes } = limits();
      if (!autoClean || running !== null || (total !== null && total <= maxTotalBytes)) return;
      trim().catch((error: unknown) => log.error("stored media could not be trimmed", { error }));
    },
  };
};
