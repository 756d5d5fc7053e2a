// Reads what a report is asked for from an address. Knows no report.
// Invariant: a wrong value is refused by its name; a range has a beginning before its end.
import { GatewayError } from "../../core/errors.ts";
import type { ReportRange } from "../../admin/reports.ts";

const wrong = (param: string, message: string): GatewayError => new GatewayError("invalid_value", message, { param });

const HOUR_MS = 3_600_000;
const RANGES: Readonly<Record<string, number>> = { h: HOUR_MS, d: 24 * HOUR_MS };
const LONGEST_MS = 10_000 * 24 * HOUR_MS;

export const textOf = (query: URLSearchParams, name: string): string | undefined => {
  const text = query.get(name)?.trim() ?? "";
  if (text.length > 200) throw wrong(name, `'${name}' is too long.`);
  return text === "" ? undefined : text;
};

export const numberOf = (
  query: URLSearchParams,
  name: string,
  range: { least: number; most: number },
): number | undefined => {
  const text = textOf(query, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  if (Number.isFinite(number) && number >= range.least && number <= range.most) return number;
  throw wrong(name, `'${name}' must be a number from ${range.least} to ${range.most}.`);
};

export const flagOf = (query: URLSearchParams, name: string): boolean | undefined => {
  const text = textOf(query, name);
  if (text === undefined) return undefined;
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw wrong(name, `'${name}' must be true or false.`);
};

export const oneOf = <Choice extends string>(
  query: URLSearchParams,
  name: string,
  choices: readonly Choice[],
): Choice | undefined => {
  const text = textOf(query, name);
  const found = choices.find((choice) => choice === text);
  if (text === undefined || found !== undefined) return found;
  throw wrong(name, `'${name}' must be one of ${choices.join(", ")}.`);
};

/** Unix milliseconds or seconds, or a date as ISO writes it. */
export const momentOf = (query: URLSearchParams, name: string): number | undefined => {
  const text = textOf(query, name);
  if (text === undefined) return undefined;
  const number = Number(text);
  const ms = Number.isFinite(number) ? (number < 1e11 ? number * 1000 : number) : Date.parse(text);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw wrong(name, `'${name}' must be a time in Unix seconds or as in 2026-08-31T00:00:00Z.`);
};

/** `from` and `to`, or `range` such as 24h or 30d up to now. */
export const rangeOf = (query: URLSearchParams, nowMs: number): ReportRange => {
  const toMs = momentOf(query, "to") ?? nowMs + 1;
  const range = textOf(query, "range") ?? "24h";
  const [, count, unit] = /^(\d{1,5})([hd])$/.exec(range) ?? [];
  const length = Number(count) * (RANGES[unit ?? ""] ?? Number.NaN);
  if (!(length > 0)) throw wrong("range", "'range' must be a number of hours or days, such as 24h or 30d.");
  const fromMs = momentOf(query, "from") ?? toMs - length;
  if (fromMs >= toMs || toMs - fromMs > LONGEST_MS)
    throw wrong("from", "'from' must be before 'to', and not too long.");
  return { fromMs, toMs };
};
