// The program's only voice besides the command line: one JSON or one text line an entry, on standard error.
// Knows nothing of our domain; values under a secret-looking name are masked here whatever the caller passes.

import { writeSync } from "node:fs";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFields = Record<string, unknown>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  at(level: LogLevel, message: string, fields?: LogFields): void;
  /** A log that adds `fields` to every entry. */
  with(fields: LogFields): Log;
}

export interface LogOptions {
  level: () => LogLevel;
  format: "json" | "text";
  now: () => number;
  write: (line: string) => void;
}

const RANK: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };
const SECRET_NAME = /token|cookie|secret|password|authorization|api_?key|app_?key|clearance|credential/i;
// Counts such as `tokens` or `prompt_tokens` are numbers; only texts can be secrets.
const SECRET_TEXT =
  /eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*|\b(?:sso|sso-rw|cf_clearance|__cf_bm)=[^;\s"]+|\b(?:sk|xai)-[A-Za-z0-9]{12,}/g;

/** Shows enough of a secret to tell two apart, and never enough to use it. */
export const mask = (secret: string): string =>
  secret.length >= 20 ? `${secret.slice(0, 4)}…${secret.slice(-4)}` : "****";

/** Masks whatever looks like a session cookie, a JWT or an API key inside a longer text. */
export const redact = (text: string): string => text.replace(SECRET_TEXT, "[redacted]");

const clean = (name: string, value: unknown): unknown => {
  if (value instanceof Error) return redact(value.stack ?? value.message);
  if (typeof value === "string") return SECRET_NAME.test(name) ? mask(value) : redact(value);
  if (Array.isArray(value)) return value.map((item) => clean(name, item));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, clean(key, item)]));
  }
  return value;
};

/** The same for a value that is kept instead of logged. */
export const withoutSecrets = (value: unknown): unknown => clean("", value);

const asText = (value: unknown): string => {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return typeof value === "string" && /[\s"=]/.test(value) ? JSON.stringify(text) : text;
};

export const createLog = (options: LogOptions, base: LogFields = {}): Log => {
  const at = (level: LogLevel, message: string, fields: LogFields = {}) => {
    if (RANK[level] < RANK[options.level()]) return;
    const time = new Date(options.now()).toISOString();
    const all = clean("", { ...base, ...fields }) as LogFields;
    const text = redact(message);
    options.write(
      options.format === "json"
        ? JSON.stringify({ time, level, message: text, ...all })
        : [
            time,
            level.toUpperCase().padEnd(5),
            text,
            ...Object.entries(all)
              .filter(([, v]) => v !== undefined)
              .map(([k, v]) => `${k}=${asText(v)}`),
          ].join(" "),
    );
  };
  return {
    at,
    debug: (message, fields) => at("debug", message, fields),
    info: (message, fields) => at("info", message, fields),
    warn: (message, fields) => at("warn", message, fields),
    error: (message, fields) => at("error", message, fields),
    with: (fields) => createLog(options, { ...base, ...fields }),
  };
};

export const silentLog: Log = {
  at: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  with: () => silentLog,
};

/** Where the program's log goes. */
export const standardError = {
  isTerminal: (): boolean => process.stderr.isTTY === true,
  /** Everything is handed to the system before this returns, unless a pipe is full: then the stream keeps it. */
  write: (text: string): void => {
    try {
      writeSync(process.stderr.fd, text);
    } catch {
      process.stderr.write(text);
    }
  },
};
