// JSON schemas as the official API takes them. Callers write those of other APIs too: OpenAPI's `nullable`, type names in upper
// case or of a programming language, functions without parameters. Pure. Invariant: a schema that needs nothing is not changed.
import { isObject, type JsonObject } from "../../lib/json.ts";

/** Deeper than any schema; ends those that hold themselves. */
const MAX_DEPTH = 64;

/** Names that mean one of JSON's types. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: "integer",
  float: "number",
  double: "number",
  bool: "boolean",
  str: "string",
  dict: "object",
  list: "array",
};

/** Keywords whose value is a map of schemas, a list of schemas, or a schema. */
const MAPS = ["properties", "$defs", "definitions", "patternProperties"];
const LISTS = ["anyOf", "oneOf", "allOf", "prefixItems"];
const SINGLES = ["items", "additionalProperties", "not", "contains"];

const typeName = (type: unknown): unknown => {
  if (typeof type !== "string") return type;
  const lower = type.toLowerCase();
  return TYPE_NAMES[lower] ?? lower;
};

/** `nullable` says in OpenAPI what a list of types says in JSON Schema. */
const withNull = ({ nullable: _nullable, ...schema }: JsonObject): JsonObject => {
  const types = [schema["type"]].flat().filter((type) => typeof type === "string");
  const values = schema["enum"];
  return {
    ...schema,
    ...(types.length > 0 && !types.includes("null") ? { type: [...types, "null"] } : {}),
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...(values as unknown[]), null] } : {}),
  };
};

/** The same schema in words that the API knows. */
export const cleanSchema = (schema: unknown, depth = 0): unknown => {
  if (!isObject(schema) || depth > MAX_DEPTH) return schema;
  const inner = (value: unknown) => cleanSchema(value, depth + 1);
  const out: Record<string, unknown> = { ...schema };
  const { type } = schema;
  if (typeof type === "string") {
    if (type.toLowerCase() === "any") delete out["type"];
    else out["type"] = typeName(type);
  } else if (Array.isArray(type)) out["type"] = type.map(typeName);
  for (const key of MAPS) {
    const map = schema[key];
    if (isObject(map)) out[key] = Object.fromEntries(Object.entries(map).map(([name, value]) => [name, inner(value)]));
  }
  for (const key of LISTS) {
    const list = schema[key];
    if (Array.isArray(list)) out[key] = list.map(inner);
  }
  for (const key of SINGLES) {
    const single = schema[key];
    if (Array.isArray(single)) out[key] = single.map(inner);
    else if (isObject(single)) out[key] = inner(single);
  }
  return schema["nullable"] === undefined ? out : schema["nullable"] === true ? withNull(out) : withoutNullable(out);
};

const withoutNullable = ({ nullable: _nullable, ...schema }: JsonObject): JsonObject => schema;

/** A branch of an alternative has to say itself that it is an object. */
const asObject = (schema: unknown): unknown =>
  isObject(schema) && schema["type"] === undefined && schema["$ref"] === undefined
    ? { type: "object", ...schema }
    : schema;

/** What a function takes: always an object, be it an empty one. */
export const functionParameters = (parameters: JsonObject): JsonObject => {
  const clean = cleanSchema(parameters) as JsonObject;
  const out: Record<string, unknown> = { ...clean };
  for (const key of ["anyOf", "oneOf"]) {
    const branches = out[key];
    if (Array.isArray(branches)) out[key] = branches.map(asObject);
  }
  if (out["$ref"] !== undefined) return out;
  if (out["type"] === undefined || out["type"] === null) out["type"] = "object";
  if (out["type"] === "object" && out["properties"] === undefined && !out["anyOf"] && !out["oneOf"] && !out["allOf"]) {
    out["properties"] = {};
  }
  return out;
};
