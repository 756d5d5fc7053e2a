// Owns the development loop: the program straight from the sources, restarted at every change, against the simulator.
// Must not know how the program is built. Invariant: it leaves no process behind when it is stopped.
const root = `${import.meta.dir}/..`;
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
process.exitCode = await child.exited;
