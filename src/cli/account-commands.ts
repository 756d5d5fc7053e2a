// `import` and `reset-admin-password`: verbs on the store of a gateway that need no running gateway.
// Invariant: no token is printed.
import { readFile } from "node:fs/promises";
import type { App, Io } from "./port.ts";
import { readVersion } from "./version.ts";

const withApp = async (io: Io, work: (app: App) => Promise<number>): Promise<number> => {
  const app = await io.compose({ env: io.env, version: readVersion(), purpose: "tool" });
  try {
    return await work(app);
  } finally {
    await app.stop();
  }
};

/** `-` stands for standard input. */
export const importCommand = async (io: Io, files: readonly string[]): Promise<number> => {
  const texts: string[] = [];
  // All are read before the first is imported: a wrong name must not leave half a job.
  for (const file of files) texts.push(file === "-" ? await io.input() : await readText(file));
  return withApp(io, async (app) => {
    let found = 0;
    for (const [index, text] of texts.entries()) {
      const { added, merged, refused } = await app.importAccounts(text);
      found += added + merged;
      for (const reason of refused) io.err(`${files[index]}: ${reason}`);
      io.out(`${files[index]}: ${added} added, ${merged} known already, ${refused.length} not taken`);
    }
    return found > 0 ? 0 : 1;
  });
};

const readText = async (file: string): Promise<string> => {
  try {
    return await readFile(file, "utf8");
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(`cannot read ${file}: ${reason}`, { cause: thrown });
  }
};

export const resetPasswordCommand = (io: Io): Promise<number> =>
  withApp(io, async (app) => {
    const made = await app.resetAdminPassword();
    io.out(`Admin password: ${made}`);
    io.out("It acts at once; every session has ended.");
    return 0;
  });
