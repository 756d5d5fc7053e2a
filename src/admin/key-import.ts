// Reads the key file and the usage file of earlier programs. Knows no store.
// Invariant: a row that cannot be read is told by its place, never with its content.
import { type KeyFields, UNLIMITED } from "../access/client-keys.ts";
import type { Bucket } from "../access/usage.ts";
import { isObject, type JsonObject, numberAt, stringAt } from "../lib/json.ts";

export interface ImportedKey {
  readonly secret: string;
  readonly createdMs: number | null;
  readonly fields: KeyFields;
}

export interface ParsedKeys {
  readonly keys: readonly ImportedKey[];
  readonly problems: readonly string[];
}

/** Undefined for what is not JSON. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

const limitAt = (row: JsonObject, name: string): number => {
  const value = row[name];
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= 0 ? number : -1;
};

const keyOf = (row: JsonObject): ImportedKey | null => {
  const secret = stringAt(row, "key")?.trim() ?? "";
  if (!/^[\x21-\x7e]{4,300}$/.test(secret)) return null;
  const active = row["is_active"];
  const created = numberAt(row, "created_at");
  return {
    secret,
    createdMs: created === undefined ? null : created < 1e11 ? created * 1000 : created,
    fields: {
      ...UNLIMITED,
      name: (stringAt(row, "name") ?? "").trim().slice(0, 100) || `key-${secret.slice(-4)}`,
      enabled: active !== false && active !== 0,
      chat: limitAt(row, "chat_limit"),
      heavy: limitAt(row, "heavy_limit"),
      image: limitAt(row, "image_limit"),
      video: limitAt(row, "video_limit"),
    },
  };
};

/** A list of keys, or the answer of the old `/keys` route around one. */
export const parseKeyFile = (value: unknown): ParsedKeys => {
  const rows: unknown = isObject(value) ? (value["keys"] ?? value["data"]) : value;
  if (!Array.isArray(rows)) return { keys: [], problems: ["the file is no list of keys"] };
  const keys: ImportedKey[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  (rows as readonly unknown[]).forEach((row, index) => {
    const key = isObject(row) ? keyOf(row) : typeof row === "string" ? keyOf({ key: row }) : null;
    if (!key) problems.push(`row ${index + 1} holds no usable key`);
    else if (seen.has(key.secret)) problems.push(`row ${index + 1} is there twice`);
    else {
      seen.add(key.secret);
      keys.push(key);
    }
  });
  return { keys, problems };
};

export interface ImportedUsage {
  readonly secret: string;
  readonly day: string;
  readonly counted: Partial<Record<Bucket, number>>;
}

/** Day → key → counters. */
export const parseUsageFile = (value: unknown): ImportedUsage[] => {
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([day, keys]) =>
    !isObject(keys)
      ? []
      : Object.entries(keys).flatMap(([secret, row]) =>
          isObject(row)
            ? [
                {
                  secret,
                  day,
                  counted: {
                    chat: numberAt(row, "chat_used") ?? 0,
                    heavy: numberAt(row, "heavy_used") ?? 0,
                    image: numberAt(row, "image_used") ?? 0,
                    video: numberAt(row, "video_used") ?? 0,
                  },
                },
              ]
            : [],
        ),
  );
};
