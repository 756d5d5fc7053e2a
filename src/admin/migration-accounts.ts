// Reads the accounts of an old installation, from its token file and its account database, and puts them into the pool.
// Knows no SQL. Invariant: only adds and fills gaps: what the pool knows of an account stays, its state included.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Actor, Audit } from "../access/audit.ts";
import { accountId } from "../accounts/account.ts";
import { parseImport, parseImportValue, type ParsedImport } from "../accounts/import.ts";
import type { ImportedAccount } from "../accounts/imported.ts";
import type { Pool } from "../accounts/pool.ts";
import { isObject, type JsonObject, parseObject } from "../lib/json.ts";
import type { AccountsTaken, Left } from "./migration-report.ts";

/** Rows of a table of a foreign database; null when there is no such table. Throws when the file is no database. */
export type ReadTable = (path: string, table: string) => Promise<JsonObject[] | null>;

export interface AccountsSource {
  readonly folder: string;
  readonly names: ReadonlySet<string>;
  readonly pool: Pool;
  readonly readTable: ReadTable;
  readonly audit: Pick<Audit, "row">;
  readonly by: Actor;
  readonly left: Left[];
}

export const TOKEN_FILE = "token.json";
export const ACCOUNT_DATABASE = "accounts.db";

export const takeAccounts = async (source: AccountsSource): Promise<AccountsTaken> => {
  const found = [await fromFile(source), await fromDatabase(source)];
  const problems = found.flatMap(({ name, parsed }) =>
    parsed.problems.map(({ line, where, reason }) => `${name} ${where ?? `line ${line}`}: ${reason}`),
  );
  const items = found.flatMap(({ parsed }) => parsed.accounts).map((item) => keepingState(source.pool, item));
  if (items.length === 0) return { added: 0, updated: 0, unchanged: 0, problems };
  const row = source.audit.row({
    by: source.by,
    action: "accounts.import",
    target: `${items.length} accounts`,
    after: { ids: items.map(({ token }) => accountId(token)) },
  });
  const { added, updated, unchanged } = await source.pool.recording([row]).upsert(items);
  return { added: added.length, updated: updated.length, unchanged: unchanged.length, problems };
};

interface Found {
  readonly name: string;
  readonly parsed: ParsedImport;
}

const NONE: ParsedImport = { accounts: [], problems: [] };

const fromFile = async ({ folder, names, left }: AccountsSource): Promise<Found> => {
  const name = TOKEN_FILE;
  if (!names.has(name)) return { name, parsed: NONE };
  try {
    return { name, parsed: parseImport(await readFile(join(folder, name), "utf8")) };
  } catch (thrown) {
    left.push({ name, reason: `it cannot be read: ${messageOf(thrown)}` });
    return { name, parsed: NONE };
  }
};

const fromDatabase = async ({ folder, names, left, readTable }: AccountsSource): Promise<Found> => {
  const name = ACCOUNT_DATABASE;
  if (!names.has(name)) return { name, parsed: NONE };
  try {
    const rows = await readTable(join(folder, name), "accounts");
    if (rows === null) {
      left.push({ name, reason: "it has no table of accounts" });
      return { name, parsed: NONE };
    }
    const removed = rows.filter(isRemoved).length;
    if (removed > 0) left.push({ name, reason: `${removed} of its accounts were deleted there` });
    return { name, parsed: parseImportValue(rows.filter((row) => !isRemoved(row)).map(accountOf)) };
  } catch (thrown) {
    left.push({ name, reason: messageOf(thrown) });
    return { name, parsed: NONE };
  }
};

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

/** What an operator has switched off here since stays off, and an expired account stays expired. */
const keepingState = (pool: Pool, item: ImportedAccount): ImportedAccount => {
  const known = pool.get(accountId(item.token));
  return known ? { ...item, status: known.status } : item;
};

const isRemoved = (row: JsonObject): boolean => row["deleted_at"] !== null && row["deleted_at"] !== undefined;

/** Bookkeeping of the other database, which means nothing here. */
const OTHERS_OWN = new Set(["deleted_at", "revision", "updated_at"]);

/** Columns hold JSON as text, and one column a mode what is a map here. */
const accountOf = (row: JsonObject): JsonObject => {
  const account: Record<string, unknown> = {};
  const windows: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(row)) {
    if (OTHERS_OWN.has(column)) continue;
    const mode = /^quota_(?!type|known)(.+)$/.exec(column)?.[1];
    const object = typeof value === "string" && value.startsWith("{") ? parseObject(value) : undefined;
    if (mode === undefined) account[column] = object ?? value;
    else if (object !== undefined && Object.keys(object).length > 0) windows[mode] = object;
  }
  const ext = isObject(account["ext"]) ? account["ext"] : {};
  return {
    ...account,
    ...("cooldown_until" in ext ? { cooldown_until: ext["cooldown_until"] } : {}),
    ...(Object.keys(windows).length > 0 ? { quota: windows } : {}),
  };
};
