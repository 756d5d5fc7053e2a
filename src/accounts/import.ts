// Reads accounts out of a file or a pasted text: one token a line, cookie lines, and the JSON shapes that gateways of this
// kind have written over the years. Pure. Invariant: every row ends up as an account or as a problem, and no problem
// quotes a secret.
import { isObject, type JsonObject } from "../lib/json.ts";
import type { ImportedAccount } from "./imported.ts";
import { readFields } from "./import-fields.ts";
import { canonicalPool } from "./pools.ts";
import { cleanText, readToken } from "./tokens.ts";

export interface ImportProblem {
  /** Line of a text, or number of the row in a JSON file; both from 1. */
  readonly line: number;
  /** Where in the JSON, e.g. `ssoBasic[3]`. */
  readonly where?: string;
  readonly kind: "unreadable" | "repeated";
  readonly reason: string;
}

export interface ParsedImport {
  readonly accounts: readonly ImportedAccount[];
  readonly problems: readonly ImportProblem[];
}

interface RawRow {
  readonly line: number;
  readonly where?: string;
  readonly pool: string | null;
  readonly value: unknown;
}

/** `pool` is for rows that name none; leave it out to let the quota decide. */
export const parseImport = (text: string, options: { readonly pool?: string } = {}): ParsedImport => {
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  const json = /^[[{]/.test(trimmed) ? parseJson(trimmed) : undefined;
  if (json !== undefined) return parseImportValue(json, options);
  const rows = linesOf(text);
  const broken = /^[[{]/.test(trimmed) && !rows.some(({ value }) => isObject(value));
  if (broken) {
    const reason = "the JSON is malformed or ends early; nothing was read from it";
    return { accounts: [], problems: [{ line: 1, kind: "unreadable", reason }] };
  }
  return collect(rows, options);
};

/** The same for JSON that is parsed already, such as a request's body. */
export const parseImportValue = (value: unknown, options: { readonly pool?: string } = {}): ParsedImport => {
  const rows: RawRow[] = [];
  for (const row of rowsOf(value, { pool: null, where: "" })) rows.push({ ...row, line: rows.length + 1 });
  return collect(rows, options);
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
};

/** Lines of a text; a line may itself be a JSON object. Blank lines and comments are no rows. */
const linesOf = (text: string): RawRow[] =>
  text.split(/\r\n|\r|\n/).flatMap((raw, index) => {
    const line = cleanText(raw).trim();
    if (line === "" || line.startsWith("#") || line.startsWith("//")) return [];
    const value = line.startsWith("{") ? (parseJson(raw.replace(/^\uFEFF/, "").trim()) ?? line) : raw;
    return [{ line: index + 1, pool: null, value }];
  });

interface Place {
  readonly pool: string | null;
  readonly where: string;
}
type Row = Omit<RawRow, "line">;

/** Whether the object is an account rather than a map of accounts. */
const tokenIn = (value: JsonObject): string | undefined =>
  [value.token, value.sso_token, value.ssoToken, value.sso].find((found) => typeof found === "string");

const isAccount = (value: unknown): boolean =>
  typeof value === "string" || (isObject(value) && tokenIn(value) !== undefined);

function* rowsOf(value: unknown, place: Place): Generator<Row> {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield { ...place, where: `${place.where}[${index}]`, value: item };
    return;
  }
  if (!isObject(value) || isAccount(value)) {
    yield { ...place, value };
    return;
  }
  const wrapped = value.accounts ?? value.tokens;
  if (Array.isArray(wrapped) || isObject(wrapped)) {
    yield* rowsOf(wrapped, { ...place, where: value.accounts === undefined ? "tokens" : "accounts" });
    return;
  }
  for (const [name, content] of Object.entries(value)) yield* poolRows(name, content);
}

/** A pool is a list of accounts, or a map from token to what is known about it. */
function* poolRows(name: string, content: unknown): Generator<Row> {
  const place = { pool: name, where: name };
  if (Array.isArray(content)) yield* rowsOf(content, place);
  else if (isObject(content) && tokenIn(content) === undefined) {
    let index = 0;
    for (const [token, fields] of Object.entries(content)) {
      const known = isObject(fields) ? fields : {};
      yield { pool: name, where: `${name}{${index++}}`, value: { ...known, token } };
    }
  } else if (isObject(content) || typeof content === "string") {
    // A text where a list should be is no token, but it must not vanish either.
    yield { ...place, value: isObject(content) ? content : null };
  }
}

const readRow = (row: RawRow, defaultPool: string | null): ImportedAccount | { readonly reason: string } => {
  const { value } = row;
  const fields = isObject(value) ? value : {};
  const raw = typeof value === "string" ? value : tokenIn(fields);
  if (raw === undefined) return { reason: isObject(value) ? "has no token" : "is neither a text nor an object" };
  const reading = readToken(raw);
  if ("reason" in reading) return reading;
  const read = readFields(fields);
  const pool = canonicalPool(row.pool) ?? read.pool;
  return { ...read, token: reading.token, pool: pool ?? (read.tier ? null : defaultPool) };
};

const collect = (rows: readonly RawRow[], options: { readonly pool?: string }): ParsedImport => {
  const defaultPool = canonicalPool(options.pool);
  const accounts = new Map<string, ImportedAccount>();
  const firstLine = new Map<string, number>();
  const problems: ImportProblem[] = [];
  for (const row of rows) {
    const place = { line: row.line, ...(row.where ? { where: row.where } : {}) };
    const read = readRow(row, defaultPool);
    if ("reason" in read) {
      problems.push({ ...place, kind: "unreadable", reason: read.reason });
      continue;
    }
    const earlier = accounts.get(read.token);
    accounts.set(read.token, earlier ? combined(earlier, read) : read);
    if (earlier) {
      const reason = `is the same account as row ${firstLine.get(read.token) ?? 0}; what it adds was kept`;
      problems.push({ ...place, kind: "repeated", reason });
    } else firstLine.set(read.token, row.line);
  }
  return { accounts: [...accounts.values()], problems };
};

/** The first row of a token wins; a later one fills what the first left open. */
const combined = (first: ImportedAccount, second: ImportedAccount): ImportedAccount => {
  const tags = [first.fields.tags, second.fields.tags].flatMap((list): unknown[] => (Array.isArray(list) ? list : []));
  return {
    token: first.token,
    pool: first.pool ?? second.pool,
    tier: first.tier ?? second.tier,
    status: first.status ?? second.status,
    fields: { ...second.fields, ...first.fields, ...(tags.length > 0 ? { tags: [...new Set(tags)] } : {}) },
  };
};
