// Checks of single fields of a caller's body: each returns the value, `undefined` for an absent or null field, or throws
// the GatewayError that names the field. Knows no endpoint; the code of a violation is the caller's choice.
import { type ErrorCode, GatewayError } from "../../core/errors.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";

/** Where a value stands (`messages.0.content`) and which code its violation has. */
export interface Place {
  readonly param: string;
  readonly code: ErrorCode;
}

export const refuse = (place: Place, message: string): never => {
  throw new GatewayError(place.code, message, { param: place.param });
};

/** The field, with null read as absent: SDKs send null for an option that is not set. */
export const given = (body: JsonObject, key: string): unknown => body[key] ?? undefined;

export const isBlank = (value: unknown): boolean => typeof value !== "string" || value.trim() === "";

export const requiredText = (body: JsonObject, key: string): string => {
  const value = given(body, key);
  if (value === undefined || value === "") {
    return refuse({ code: "missing_required_parameter", param: key }, `Missing required parameter: '${key}'.`);
  }
  if (typeof value !== "string" || value.trim() === "") {
    return refuse({ code: "invalid_value", param: key }, `'${key}' must be a non-empty string.`);
  }
  return value;
};

/** A boolean; the strings "true" and "false" are tolerated, because form-minded clients send them. */
export const looseBoolean = (value: unknown, place: Place): boolean => {
  if (value === undefined) return false;
  if (typeof value === "boolean") return value;
  if (value === "true") return true;
  if (value === "false") return false;
  return refuse(place, `'${place.param}' must be a boolean.`);
};

export const numberWithin = (
  value: unknown,
  rule: Place & { readonly min: number; readonly max: number },
): number | undefined => {
  if (value === undefined) return undefined;
  if (typeof value === "number" && value >= rule.min && value <= rule.max) return value;
  return refuse(rule, `'${rule.param}' must be a number from ${rule.min} to ${rule.max}.`);
};

export const positiveInteger = (value: unknown, place: Place): number | undefined => {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  return refuse(place, `'${place.param}' must be a whole number of at least 1.`);
};

export const objectValue = (value: unknown, place: Place): JsonObject => {
  if (isObject(value)) return value;
  return refuse(place, `'${place.param}' must be an object.`);
};

export const oneOf = <T extends string>(value: unknown, rule: Place & { readonly allowed: readonly T[] }): T => {
  const found = rule.allowed.find((item) => item === value);
  return found ?? refuse(rule, `'${rule.param}' must be one of: ${rule.allowed.join(", ")}.`);
};
