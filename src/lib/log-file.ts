// Log lines in a file that is closed and put aside when it is full. Knows nothing of what a line says.
// Invariants: writing never throws and never loses the order; a file never grows beyond its limit by more than one write;
// never more than so many files are kept.
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "./clock.ts";
import { createLog, type Log, type LogFields, type LogLevel } from "./log.ts";

export interface LogFile {
  write(text: string): void;
  close(): void;
}

export interface LogFileOptions {
  readonly folder: string;
  readonly maxBytes: () => number;
  readonly maxFiles: () => number;
  readonly clock: Pick<Clock, "now">;
  /** Told of the first failure after a success. */
  readonly failed: (error: unknown) => void;
}

/** The file that is written now; full ones have a date in their name. */
export const CURRENT_LOG = "grok2api.log";
const FULL_LOG = /^grok2api-[\w.-]+\.log$/;

export const createLogFile = (options: LogFileOptions): LogFile => {
  const { folder, maxBytes, maxFiles, clock } = options;
  const path = join(folder, CURRENT_LOG);
  let file: { readonly descriptor: number; bytes: number } | null = null;
  let failing = false;
  let closed = false;

  const open = () => {
    mkdirSync(folder, { recursive: true });
    const descriptor = openSync(path, "a", 0o600);
    return { descriptor, bytes: fstatSync(descriptor).size };
  };
  const close = () => {
    if (file) closeSync(file.descriptor);
    file = null;
  };
  const rotate = () => {
    close();
    const stamp = new Date(clock.now()).toISOString().replace(/[-:]/g, "").replace(".", "-").replace("Z", "");
    const known = new Set(readdirSync(folder));
    let name = `grok2api-${stamp}.log`;
    for (let number = 2; known.has(name); number++) name = `grok2api-${stamp}.${number}.log`;
    renameSync(path, join(folder, name));
    // The names sort by time; the file that is written now is one of those that are kept.
    const full = [...known, name].filter((one) => FULL_LOG.test(one)).toSorted();
    for (const old of full.slice(0, Math.max(0, full.length - (maxFiles() - 1))))
      rmSync(join(folder, old), { force: true });
  };
  return {
    write(text) {
      if (closed) return;
      try {
        file ??= open();
        const bytes = Buffer.from(text);
        if (file.bytes > 0 && file.bytes + bytes.length > maxBytes()) {
          rotate();
          file = open();
        }
        writeSync(file.descriptor, bytes);
        file.bytes += bytes.length;
        failing = false;
      } catch (error) {
        close();
        if (!failing) options.failed(error);
        failing = true;
      }
    },
    close() {
      close();
      closed = true;
    },
  };
};

/** A log that writes into both, into the second while it is on. */
export const bothLogs = (first: Log, second: Log, isOn: () => boolean): Log => {
  const at = (level: LogLevel, message: string, fields?: LogFields) => {
    first.at(level, message, fields);
    if (isOn()) second.at(level, message, fields);
  };
  return {
    at,
    debug: (message, fields) => at("debug", message, fields),
    info: (message, fields) => at("info", message, fields),
    warn: (message, fields) => at("warn", message, fields),
    error: (message, fields) => at("error", message, fields),
    with: (fields) => bothLogs(first.with(fields), second.with(fields), isOn),
  };
};

/** Files are read by programs, so their lines are JSON. */
export const createFileLog = (about: {
  level: () => LogLevel;
  now: () => number;
  write: (line: string) => void;
}): Log => createLog({ ...about, format: "json" });
