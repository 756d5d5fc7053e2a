// Takes a picture or clip of another installation over into our folders, under the name that it has: links that people saved
// keep working. Knows no document. Invariant: a file is never overwritten, and the original stays until the copy is whole.
import { constants, copyFile, rename, rm, utimes } from "node:fs/promises";
import { hexId } from "../lib/ids.ts";
import { lookAt, type FileName, type MediaFolder, PART_PREFIX } from "./folder.ts";
import { isFileName } from "./links.ts";
import { hashFile, readStart } from "./read-file.ts";
import { kindOf, sniffMedia } from "./sniff.ts";

export interface ForeignFile extends FileName {
  /** Where it lies now. */
  readonly path: string;
  /** True takes it away from there. */
  readonly move: boolean;
}

export type Adoption =
  | { readonly state: "taken"; readonly bytes: number }
  /** It is here already. */
  | { readonly state: "known" }
  | { readonly state: "left"; readonly reason: string };

interface Destination {
  readonly folder: MediaFolder;
  readonly hasRoomFor: (bytes: number) => Promise<boolean>;
}

const left = (reason: string): Adoption => ({ state: "left", reason });

export const adoptFile = async (file: ForeignFile, { folder, hasRoomFor }: Destination): Promise<Adoption> => {
  const { kind, name, path, move } = file;
  const seen = await lookAt(path);
  if (seen === null) return left("it is no regular file");
  if (!isFileName(name)) return left("its name has characters that are not allowed");
  const mime = sniffMedia(await readStart(path));
  if (mime === null || kindOf(mime) !== kind) return left(`it is no ${kind} of a known type`);
  const there = await folder.look(file);
  if (there !== null) {
    const same = there.bytes === seen.bytes && (await hashFile(path)) === (await hashFile(folder.pathOf(file)));
    if (!same) return left("another file has its name");
    if (move) await rm(path);
    return { state: "known" };
  }
  await folder.make(kind);
  if (move && (await renamed(path, folder.pathOf(file)))) return { state: "taken", bytes: seen.bytes };
  if (!(await hasRoomFor(seen.bytes))) return left("the disk is too full");
  await copied(file, folder);
  if (move) await rm(path);
  return { state: "taken", bytes: seen.bytes };
};

/** False when the two places are on different disks. */
const renamed = async (from: string, to: string): Promise<boolean> => {
  try {
    await rename(from, to);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && "code" in thrown && thrown.code === "EXDEV") return false;
    throw thrown;
  }
};

const copied = async (file: ForeignFile, folder: MediaFolder): Promise<void> => {
  const part = folder.pathOf({ kind: file.kind, name: hexId(PART_PREFIX) });
  try {
    await copyFile(file.path, part, constants.COPYFILE_EXCL);
    // Its age decides when it goes.
    const seen = await lookAt(file.path);
    const time = (seen?.modifiedMs ?? 0) / 1000;
    await utimes(part, time, time);
    await rename(part, folder.pathOf(file));
  } finally {
    await rm(part, { force: true });
  }
};
