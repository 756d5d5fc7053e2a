// The entry: gives the process to the command line and its exit code back.
import { runCli } from "./cli.ts";
import { compose } from "./compose.ts";
import { readEnvironment } from "./config/environment.ts";
import { redact } from "./lib/log.ts";

// A stray rejection is a fault to be fixed, not a reason to cut everybody's streams.
process.on("unhandledRejection", (reason) => {
  const text = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  console.error(`unhandled rejection: ${redact(text)}`);
});

const code = await runCli(process.argv.slice(2), {
  env: readEnvironment(),
  compose,
  out: (text) => console.log(text),
  err: (text) => console.error(text),
  input: () => Bun.stdin.text(),
  onSignal(listener) {
    const names = ["SIGINT", "SIGTERM"] as const;
    for (const name of names) process.on(name, listener);
    return () => {
      for (const name of names) process.off(name, listener);
    };
  },
  exit: (status) => process.exit(status),
});
process.exit(code);
