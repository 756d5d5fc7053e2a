// The part of the composition that writes the log: to standard error, and to files while the operator wants them.
// Named by compose.ts alone. Invariant: what is logged before the settings are known is written as the first ones say.
import { join } from "node:path";
import type { Config } from "./config/schema.ts";
import type { Clock } from "./lib/clock.ts";
import { createLineSink } from "./lib/line-sink.ts";
import { bothLogs, createFileLog, createLogFile } from "./lib/log-file.ts";
import { createLog, type Log, standardError } from "./lib/log.ts";

/** Log lines of one moment are written together; a person does not notice, and a burst of requests costs one write. */
const DELAY_MS = 20;
const MAX_PENDING = 64 * 1024;
const MEGABYTE = 1024 * 1024;

/** A person at a terminal reads text; a collector reads JSON. */
const format = (): "json" | "text" => (standardError.isTerminal() ? "text" : "json");

export const logFolder = ({ log, server }: Config): string =>
  log.dir === "" ? join(server.data_dir, "logs") : log.dir;

export const composeLog = (about: { initial: Config; clock: Clock; given?: Log | undefined }) => {
  const { clock } = about;
  let config = about.initial;
  const level = () => config.server.log_level;
  const sink = createLineSink({ out: standardError.write, delayMs: DELAY_MS, maxPending: MAX_PENDING });
  const spoken = about.given ?? createLog({ level, format: format(), now: clock.now, write: sink.write });
  const folder = logFolder(about.initial);
  const file = createLogFile({
    folder,
    maxBytes: () => config.log.max_file_size_mb * MEGABYTE,
    maxFiles: () => config.log.max_files,
    clock,
    failed: (error) => spoken.error("the log file cannot be written; lines go to standard error alone", { error }),
  });
  const fileSink = createLineSink({ out: file.write, delayMs: DELAY_MS, maxPending: MAX_PENDING });
  const written = createFileLog({ level, now: clock.now, write: fileSink.write });
  const flush = () => {
    fileSink.flush();
    sink.flush();
  };
  process.once("exit", flush);
  return {
    log: bothLogs(spoken, written, () => config.log.file_enabled),
    folder,
    /** From now on these settings hold. */
    use(next: Config) {
      config = next;
    },
    /** Lines that still come go to standard error alone. */
    close() {
      flush();
      file.close();
    },
  };
};
