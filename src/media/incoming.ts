// Files that callers send along: written once, as they come, to a folder of their own, and removed when the last who needs
// them lets go. Knows no form and no route. Invariants: no file is ever held, a broken one is gone at once, and what a killed
// process has left is cleared before anything is received.
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ReceivedFile } from "../core/request.ts";
import { hexId } from "../lib/ids.ts";
import type { Log } from "../lib/log.ts";
import { asDiskFull, diskFull } from "./disk-full.ts";

export interface Incoming {
  /** Removes what a killed process has left; before the first file. */
  clear(): Promise<void>;
  /** Whoever wants the file keeps it before doing anything else. Throws GatewayError. */
  receive(name: string, chunks: AsyncIterable<Uint8Array>): Promise<ReceivedFile>;
}

export interface IncomingDeps {
  /** On the disk of the stored files, so that a file can be moved there. */
  readonly directory: string;
  readonly hasRoomFor: (bytes: number) => Promise<boolean>;
  readonly log: Log;
}

/** The disk is looked at again after so many bytes of one file. */
const ROOM_STEP = 16 * 1024 * 1024;

export const createIncoming = ({ directory, hasRoomFor, log }: IncomingDeps): Incoming => {
  const removed = (path: string): void => {
    rm(path, { force: true }).catch((error: unknown) => log.error("a caller's file could not be removed", { error }));
  };

  const write = async (path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> => {
    const handle = await open(path, "wx", 0o600).catch(asDiskFull);
    try {
      let unchecked = ROOM_STEP;
      for await (const chunk of chunks) {
        unchecked += chunk.byteLength;
        if (unchecked >= ROOM_STEP) {
          unchecked = 0;
          if (!(await hasRoomFor(ROOM_STEP))) throw diskFull();
        }
        await handle.writeFile(chunk).catch(asDiskFull);
      }
    } finally {
      await handle.close();
    }
  };

  return {
    async clear() {
      await rm(directory, { recursive: true, force: true });
    },
    async receive(name, chunks) {
      await mkdir(directory, { recursive: true }).catch(asDiskFull);
      const path = join(directory, hexId("incoming-"));
      try {
        await write(path, chunks);
      } catch (thrown) {
        await rm(path, { force: true });
        throw thrown;
      }
      let keepers = 0;
      return {
        name,
        path,
        content: Bun.file(path),
        keep() {
          keepers++;
          let kept = true;
          return () => {
            if (kept && --keepers === 0) removed(path);
            kept = false;
          };
        },
      };
    },
  };
};
