// The log files as the operator sees them: which there are, and the end of one. Writes none.
// Invariants: a name is one of the folder's own log files or it is refused; never more than the last part of a file is read.
import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { GatewayError } from "../core/errors.ts";
import { type JsonObject, parseObject, stringAt } from "../lib/json.ts";

export interface LogFileInfo {
  readonly name: string;
  readonly size_bytes: number;
  readonly mtime_ms: number;
}

export interface LogTail {
  readonly file: string | null;
  readonly lines: readonly string[];
}

export interface LogFiles {
  /** Newest first. */
  list(): Promise<readonly LogFileInfo[]>;
  /** The newest file when none is named. */
  tail(name: string | null, lines: number): Promise<LogTail>;
}

const MOST_READ_BYTES = 1024 * 1024;
const NAME = /^[\w][\w.-]{0,200}\.log$/;

export const createLogFiles = (folder: string): LogFiles => {
  const list = async (): Promise<LogFileInfo[]> => {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    const found = await Promise.all(
      names
        .filter((name) => NAME.test(name))
        .map(async (name) => {
          // Put aside meanwhile; it comes back under its other name.
          const info = await stat(join(folder, name)).catch(() => null);
          return info?.isFile() ? [{ name, size_bytes: info.size, mtime_ms: Math.floor(info.mtimeMs) }] : [];
        }),
    );
    return found.flat().toSorted((one, other) => other.mtime_ms - one.mtime_ms || (one.name < other.name ? -1 : 1));
  };
  return {
    list,
    async tail(name, lines) {
      if (name !== null && !NAME.test(name)) {
        throw new GatewayError("invalid_file_name", "This is no name of a log file.", { param: "file" });
      }
      const files = await list();
      const file = name === null ? files[0] : files.find((one) => one.name === name);
      if (!file) {
        if (name === null) return { file: null, lines: [] };
        throw new GatewayError("file_not_found", "There is no such log file.", { param: "file" });
      }
      const text = await readEnd(join(folder, file.name));
      return { file: file.name, lines: text.split("\n").slice(-lines).map(shown) };
    },
  };
};

/** Whole lines from the last part of the file. */
const readEnd = async (path: string): Promise<string> => {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - MOST_READ_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    const text = buffer.toString("utf8", 0, bytesRead).replace(/\n$/, "");
    return start === 0 ? text : text.slice(text.indexOf("\n") + 1);
  } finally {
    await file.close();
  }
};

/** A JSON line as people read it; any other line as it is. */
const shown = (line: string): string => {
  const entry = parseObject(line);
  const time = stringAt(entry, "time");
  const level = stringAt(entry, "level");
  if (!entry || time === undefined || level === undefined) return line;
  const place = stringAt(entry, "route") ?? stringAt(entry, "path") ?? "grok2api";
  const message = stringAt(entry, "message") ?? "";
  return `${time.slice(0, 19).replace("T", " ")} | ${level.toUpperCase().padEnd(8)} | ${place} - ${message}${rest(entry)}`;
};

const KNOWN = new Set(["time", "level", "message"]);

const rest = (entry: JsonObject): string =>
  Object.entries(entry)
    .filter(([name]) => !KNOWN.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join("");
