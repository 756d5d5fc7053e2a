// Owns the development loop: the program straight from the sources, restarted at every change, against the simulator, and
// the pages bundled again at every change of theirs. Invariant: it leaves no process behind when it is stopped.
import { watch } from "node:fs";
import { join } from "node:path";
import { buildPages } from "./pages.ts";

const root = join(import.meta.dir, "..");
const QUIET_MS = 100;

const bundle = async (): Promise<void> => {
  try {
    await buildPages({ root, minify: false });
  } catch (error) {
    console.error("the pages could not be bundled:", error);
  }
};
await bundle();
let soon: ReturnType<typeof setTimeout> | undefined;
watch(join(root, "static"), { recursive: true }, (_, name) => {
  if (name?.startsWith("dist") === true) return;
  clearTimeout(soon);
  soon = setTimeout(() => void bundle(), QUIET_MS);
});

const args = Bun.argv.slice(2);
const child = Bun.spawn(
  // --no-clear-screen keeps the log of the run before the restart, which usually holds the reason for the change.
  [process.execPath, "--watch", "--no-clear-screen", "src/main.ts", ...(args.length > 0 ? args : ["demo"])],
  {
    cwd: root,
    env: { LOG_LEVEL: "debug", ...process.env },
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
process.exit(await child.exited);
