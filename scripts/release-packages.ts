// Owns reading what npm wrote down: a package's own manifest and its line in the lockfile.
// Must not know what is released. Invariant: a version that the lockfile does not name has no hash.
import { join } from "node:path";
import { z } from "zod";

const manifestShape = z.object({ version: z.string(), license: z.string().optional() });
const lockShape = z.object({
  packages: z.record(z.string(), z.object({ version: z.string().optional(), integrity: z.string().optional() })),
});

export async function readManifest(folder: string): Promise<{ version: string; license?: string | undefined }> {
  return manifestShape.parse(await Bun.file(join(folder, "package.json")).json());
}

/** npm leaves packages out of the lockfile that it could not see where the lockfile was made. */
export async function lockedIntegrity(root: string, wanted: { name: string; version: string }): Promise<string | null> {
  const { packages } = lockShape.parse(await Bun.file(join(root, "package-lock.json")).json());
  const entry = packages[`node_modules/${wanted.name}`];
  return entry?.version === wanted.version ? (entry.integrity ?? null) : null;
}
