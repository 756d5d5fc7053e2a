// Lenient reading of foreign JSON: upstream frames are undocumented, so every access names the type it hopes for
// and gets `undefined` otherwise. Strict checking of callers' bodies is done elsewhere, with zod.

export type JsonObject = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const objectAt = (value: JsonObject | undefined, key: string): JsonObject | undefined => {
  const item = value?.[key];
  return isObject(item) ? item : undefined;
};

export const stringAt = (value: JsonObject | undefined, key: string): string | undefined => {
  const item = value?.[key];
  return typeof item === "string" ? item : undefined;
};

export const numberAt = (value: JsonObject | undefined, key: string): number | undefined => {
  const item = value?.[key];
  return typeof item === "number" && Number.isFinite(item) ? item : undefined;
};

export const arrayAt = (value: JsonObject | undefined, key: string): readonly unknown[] => {
  const item = value?.[key];
  return Array.isArray(item) ? item : [];
};

/** The objects of an array, others left out. */
export const objectsAt = (value: JsonObject | undefined, key: string): readonly JsonObject[] =>
  arrayAt(value, key).filter(isObject);

/** Parses a JSON object; anything else is `undefined`. */
export const parseObject = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
};
