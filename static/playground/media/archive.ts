// Puts files into one archive, in a file of its own because few visitors want one. Knows no page.
// Invariant: pictures and clips are packed already, so they are put together as they are.
import { Zip, ZipPassThrough } from "fflate";

export interface NamedFile {
  readonly name: string;
  readonly blob: Blob;
}

export const zipped = async (files: readonly NamedFile[]): Promise<Blob> => {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let failure: Error | null = null;
  const archive = new Zip((error, chunk) => {
    failure ??= error;
    parts.push(new Uint8Array(chunk));
  });
  for (const { name, blob } of files) {
    const entry = new ZipPassThrough(name);
    archive.add(entry);
    entry.push(new Uint8Array(await blob.arrayBuffer()), true);
  }
  archive.end();
  if (failure !== null) throw failure;
  return new Blob(parts, { type: "application/zip" });
};
