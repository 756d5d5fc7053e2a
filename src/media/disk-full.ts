// How a disk without room is told. Knows no file. Invariant: whatever was measured before, the disk has the last word.
import { GatewayError } from "../core/errors.ts";

export const diskFull = (): GatewayError =>
  new GatewayError("storage_full", "The disk of the data folder is too full to keep another file (cache.min_free_mb).");

/** Rethrows what a write has thrown. */
export const asDiskFull = (thrown: unknown): never => {
  const code: unknown = thrown instanceof Error ? Reflect.get(thrown, "code") : undefined;
  throw code === "ENOSPC" || code === "EDQUOT" ? diskFull() : thrown;
};
