// Checks of single fields of a caller's body, worded as Anthropic words them: `messages.0.content: must be …`, because its
// error envelope has no field for the place. Knows no endpoint. Invariant: every refusal begins with the place and says what
// is allowed there.
import { type ErrorCode, GatewayError } from "../../core/errors.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";

/** Where a value stands (`messages.0.content`) and which code its violation has in the log. */
export interface Place {
  readonly param: string;
  readonly code: ErrorCode;
}

export const at = (param: string, code: ErrorCode = "invalid_value"): Place => ({ param, code });

export const refuse = (place: Place, message: string): never => {
  throw new GatewayError(place.code, `${place.param}: ${message}`, { param: place.param });
};

/** The field, with null read as absent: SDKs send null for an option that is not set. */
export const given = (body: JsonObject, key: string): unknown => body[key] ?? undefined;

export const isBlank = (value: unknown): boolean => typeof value !== "string" || value.trim() === "";

export const required = (value: unknown, param: string): unknown =>
  value ?? refuse(at(param, "missing_required_parameter"), "this field is required");

export const text = (value: unknown, place: Place): string =>
  typeof value === "string" && value.trim() !== "" ? value : refuse(place, "must be a non-empty string");

export const list = (value: unknown, place: Place): readonly unknown[] =>
  Array.isArray(value) ? value : refuse(place, "must be a list");

export const object = (value: unknown, place: Place): JsonObject =>
  isObject(value) ? value : refuse(place, "must be an object");

/** A boolean; the strings "true" and "false" are tolerated, because form-minded clients send them. */
export const flag = (value: unknown, place: Place): boolean => {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  if (value === "true") return true;
  return value === "false" ? false : refuse(place, "must be a boolean");
};

export const fraction = (value: unknown, place: Place): number | undefined => {
  if (value === undefined || (typeof value === "number" && value >= 0 && value <= 1)) return value;
  return refuse(place, "must be a number from 0 to 1");
};

export const whole = (value: unknown, rule: Place & { readonly min: number }): number => {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= rule.min) return value;
  return refuse(rule, `must be a whole number of at least ${rule.min}`);
};

export const oneOf = <T extends string>(value: unknown, rule: Place & { readonly allowed: readonly T[] }): T =>
  rule.allowed.find((item) => item === value) ?? refuse(rule, `must be one of: ${rule.allowed.join(", ")}`);
