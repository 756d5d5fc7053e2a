// `import` and `reset-admin-password`: verbs on the store of a gateway that need no running gateway.
// Invariant: no token is printed.
import { readFile, stat } from "node:fs/promises";
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

type Source = { readonly name: string } & (
  { readonly kind: "text"; readonly text: string } | { readonly kind: "folder" }
);

/** `-` stands for standard input; a folder is one with the data of an earlier program. */
export const importCommand = async (io: Io, names: readonly string[]): Promise<number> => {
  const sources: Source[] = [];
  // All are read before the first is imported: a wrong name must not leave half a job.
  for (const name of names) sources.push(await readSource(io, name));
  return withApp(io, async (app) => {
    let took = false;
    for (const source of sources) {
      const work = source.kind === "folder" ? importFolder({ io, app }, source.name) : importText({ io, app }, source);
      took = (await work) || took;
    }
    if (took) io.out(SEEN_AFTER);
    return took ? 0 : 1;
  });
};

/** The pool lives in the memory of the gateway. */
const SEEN_AFTER =
  "A gateway that runs on this data folder sees it after a restart; accounts also after POST /api/v1/admin/sync.";

interface Place {
  readonly io: Io;
  readonly app: App;
}

const importText = async ({ io, app }: Place, { name, text }: { name: string; text: string }): Promise<boolean> => {
  const { added, merged, refused } = await app.importAccounts(text);
  for (const reason of refused) io.err(`${name}: ${reason}`);
  io.out(`${name}: ${added} added, ${merged} known already, ${refused.length} not taken`);
  return added + merged > 0;
};

const importFolder = async ({ io, app }: Place, name: string): Promise<boolean> => {
  const { took, lines } = await app.importFolder(name);
  io.out(lines.join("\n"));
  return took;
};

const readSource = async (io: Io, name: string): Promise<Source> => {
  if (name === "-") return { name, kind: "text", text: await io.input() };
  const isFolder = await stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
  return isFolder ? { name, kind: "folder" } : { name, kind: "text", text: await readText(name) };
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
