// Lenient reading of bodies: every access names the type it hopes for and gets an empty value otherwise.
// Knows no route. Invariant: nothing here throws.

export type Fields = Record<string, unknown>;

/** The value as an object to look into; an empty one for everything else. */
export function fieldsOf(value: unknown): Fields {
  return value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Fields) : {};
}

export function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

export function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}
