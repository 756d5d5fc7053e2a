// Checks a value against the part of JSON Schema that structured answers use. Pure, and without compiling code. Callers'
// regular expressions (`pattern`) and `format` are not run: one hostile pattern would stop the whole process.
// Invariant: an unknown keyword or a reference that leads nowhere restricts nothing.
import { isObject, type JsonObject } from "./json-value.ts";

/** Deeper nesting than any answer has; ends references that go in circles. */
const MAX_DEPTH = 128;

const typeOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : isObject(value) ? "object" : typeof value;

const hasType = (value: unknown, type: unknown): boolean => {
  const actual = typeOf(value);
  return type === actual || (type === "integer" && typeof value === "number" && Number.isInteger(value));
};

/** Equality of JSON values, whatever the order of keys. */
const sameJson = (one: unknown, other: unknown): boolean => {
  if (Array.isArray(one)) {
    return Array.isArray(other) && one.length === other.length && one.every((item, at) => sameJson(item, other[at]));
  }
  if (!isObject(one)) return one === other;
  const keys = Object.keys(one);
  return (
    isObject(other) &&
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && sameJson(one[key], other[key]))
  );
};

const numberOf = (schema: JsonObject, key: string): number | undefined => {
  const value = schema[key];
  return typeof value === "number" ? value : undefined;
};

const listOf = (schema: JsonObject, key: string): readonly unknown[] | undefined => {
  const value = schema[key];
  return Array.isArray(value) ? value : undefined;
};

/** The first thing wrong with `value`, as a sentence with its place, or null. */
export const schemaProblem = (value: unknown, schema: JsonObject): string | null => {
  const resolve = (reference: string): unknown => {
    if (!reference.startsWith("#")) return undefined;
    let found: unknown = schema;
    for (const piece of reference.slice(1).split("/").slice(1)) {
      const key = decodePointer(piece);
      if (Array.isArray(found)) found = found[Number(key)];
      else found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
    }
    return found;
  };

  const check = (item: unknown, rule: unknown, { at, depth }: { at: string; depth: number }): string | null => {
    if (rule === false) return `${at} must not be there`;
    if (!isObject(rule) || depth > MAX_DEPTH) return null;
    const inner: Check = (next, nextRule, place = at) => check(next, nextRule, { at: place, depth: depth + 1 });
    const reference = rule["$ref"];
    return (
      (typeof reference === "string" ? inner(item, resolve(reference)) : null) ??
      checkKind(item, rule, at) ??
      (typeof item === "number" ? checkNumber(item, rule, at) : null) ??
      (typeof item === "string" ? checkString(item, rule, at) : null) ??
      (Array.isArray(item) ? checkArray(item, rule, { at, inner }) : null) ??
      (isObject(item) ? checkObject(item, rule, { at, inner }) : null) ??
      checkCombined(item, rule, { at, inner })
    );
  };
  return check(value, schema, { at: "the value", depth: 0 });
};

const decodePointer = (piece: string): string => {
  const text = piece.replaceAll("~1", "/").replaceAll("~0", "~");
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

type Check = (item: unknown, rule: unknown, place?: string) => string | null;
interface Inside {
  readonly at: string;
  readonly inner: Check;
}

const checkKind = (item: unknown, rule: JsonObject, at: string): string | null => {
  const { type } = rule;
  const types = Array.isArray(type) ? type : typeof type === "string" ? [type] : [];
  if (types.length > 0 && !types.some((one) => hasType(item, one))) {
    return `${at} must be of type ${types.join(" or ")}, not ${typeOf(item)}`;
  }
  const choices = listOf(rule, "enum");
  if (choices && !choices.some((one) => sameJson(one, item))) return `${at} must be one of ${JSON.stringify(choices)}`;
  if (Object.hasOwn(rule, "const") && !sameJson(rule["const"], item)) {
    return `${at} must be ${JSON.stringify(rule["const"])}`;
  }
  return null;
};

const checkNumber = (item: number, rule: JsonObject, at: string): string | null => {
  const bounds: [key: string, broken: (limit: number) => boolean][] = [
    ["minimum", (limit) => item < limit],
    ["maximum", (limit) => item > limit],
    ["exclusiveMinimum", (limit) => item <= limit],
    ["exclusiveMaximum", (limit) => item >= limit],
    ["multipleOf", (step) => step > 0 && Math.abs(item / step - Math.round(item / step)) > 1e-9],
  ];
  return brokenBound(bounds, rule, at);
};

const brokenBound = (
  bounds: readonly [key: string, broken: (limit: number) => boolean][],
  rule: JsonObject,
  at: string,
): string | null => {
  for (const [key, broken] of bounds) {
    const limit = numberOf(rule, key);
    if (limit !== undefined && broken(limit)) return `${at} breaks ${key} ${limit}`;
  }
  return null;
};

const checkString = (item: string, rule: JsonObject, at: string): string | null => {
  const length = [...item].length;
  return brokenBound(
    [
      ["minLength", (limit) => length < limit],
      ["maxLength", (limit) => length > limit],
    ],
    rule,
    at,
  );
};

const checkArray = (items: readonly unknown[], rule: JsonObject, { at, inner }: Inside): string | null => {
  const broken = brokenBound(
    [
      ["minItems", (limit) => items.length < limit],
      ["maxItems", (limit) => items.length > limit],
    ],
    rule,
    at,
  );
  if (broken) return broken;
  if (rule["uniqueItems"] === true && items.some((one, index) => items.slice(0, index).some((b) => sameJson(one, b)))) {
    return `${at} must not hold the same item twice`;
  }
  const prefix = listOf(rule, "prefixItems") ?? [];
  for (const [index, item] of items.entries()) {
    const found = inner(item, index < prefix.length ? prefix[index] : rule["items"], `${at}[${index}]`);
    if (found) return found;
  }
  return null;
};

const checkObject = (item: JsonObject, rule: JsonObject, { at, inner }: Inside): string | null => {
  for (const key of listOf(rule, "required") ?? []) {
    if (typeof key === "string" && !Object.hasOwn(item, key)) return `${at} lacks the key ${JSON.stringify(key)}`;
  }
  const properties = isObject(rule["properties"]) ? rule["properties"] : {};
  const others = rule["patternProperties"] === undefined ? rule["additionalProperties"] : undefined;
  for (const [key, value] of Object.entries(item)) {
    const place = `${at}.${key}`;
    const known = Object.hasOwn(properties, key);
    const found = inner(value, known ? properties[key] : others, place);
    if (found) return found;
  }
  return brokenBound(
    [
      ["minProperties", (limit) => Object.keys(item).length < limit],
      ["maxProperties", (limit) => Object.keys(item).length > limit],
    ],
    rule,
    at,
  );
};

const checkCombined = (item: unknown, rule: JsonObject, { at, inner }: Inside): string | null => {
  for (const one of listOf(rule, "allOf") ?? []) {
    const found = inner(item, one);
    if (found) return found;
  }
  const any = listOf(rule, "anyOf");
  if (any && any.length > 0) {
    const found = any.map((one) => inner(item, one));
    if (!found.includes(null)) return any.length === 1 ? (found[0] ?? null) : `${at} fits none of the allowed forms`;
  }
  const one = listOf(rule, "oneOf");
  const fitting = one?.filter((form) => inner(item, form) === null).length;
  if (fitting !== undefined && fitting !== 1) return `${at} fits ${fitting} of the forms of which it must fit one`;
  if (isObject(rule["not"]) && inner(item, rule["not"]) === null) return `${at} has a form that is not allowed`;
  return null;
};
