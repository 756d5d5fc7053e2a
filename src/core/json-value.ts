// What is known of parsed JSON before it is looked at: objects with unknown values. The vocabulary imports nothing, so it
// has its own two lines of this.

export type JsonObject = { readonly [key: string]: unknown };

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);
