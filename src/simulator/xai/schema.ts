// JSON schemas as the simulated API takes them: what it refuses in one, and a small value that fits one.
// Knows no request. Invariant: a sample fits every schema whose keywords the real API obeys.
import { fieldsOf, textOf } from "../fields.ts";
import type { Fields } from "../fields.ts";

const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"];
const MAX_DEPTH = 24;

/** What is wrong with a schema; undefined when it is taken. */
export function schemaFault(schema: unknown): string | undefined {
  if (Array.isArray(schema)) return firstFault(schema);
  if (schema === null || typeof schema !== "object") return undefined;
  const fields = schema as Fields;
  const named = [fields["type"]].flat().filter((type): type is string => typeof type === "string");
  const unknown = named.find((type) => !TYPES.includes(type));
  if (unknown !== undefined) return `Invalid JSON schema: "${unknown}" is not a valid type.`;
  const maps = ["properties", "$defs", "definitions"].flatMap((name) => Object.values(fieldsOf(fields[name])));
  return firstFault([...maps, fields["items"], fields["anyOf"], fields["oneOf"], fields["additionalProperties"]]);
}

/** A function's parameters must come out as an object. */
export function parametersFault(schema: unknown): string | undefined {
  const fault = schemaFault(schema);
  if (fault !== undefined || schema === undefined || schema === null) return fault;
  const fields = fieldsOf(schema);
  const branches = [fields["anyOf"], fields["oneOf"]].filter((list) => Array.isArray(list)).flat();
  const resolved = branches.length > 0 ? branches.map(fieldsOf) : [resolve(fields, fields)];
  return resolved.every((branch) => branch["type"] === "object")
    ? undefined
    : "Invalid JSON schema: function parameters must be of type object.";
}

export function sampleOf(schema: unknown): unknown {
  return sample(fieldsOf(schema), { root: fieldsOf(schema), name: "", depth: 0 });
}

interface Place {
  root: Fields;
  /** Name of the property that is filled: cities and the like get a value that reads well. */
  name: string;
  depth: number;
}

function sample(given: Fields, place: Place): unknown {
  const schema = resolve(given, place.root);
  if (place.depth > MAX_DEPTH) return null;
  if ("const" in schema) return schema["const"];
  if (Array.isArray(schema["enum"])) return schema["enum"][0];
  const inner = { ...place, depth: place.depth + 1 };
  const branches = schema["anyOf"] ?? schema["oneOf"];
  if (Array.isArray(branches)) return sample(fieldsOf(branches[0]), inner);
  const type = textOf([schema["type"]].flat()[0]) || ("properties" in schema ? "object" : "string");
  switch (type) {
    case "object":
      return objectSample(schema, inner);
    case "array":
      return arraySample(schema, inner);
    case "integer":
    case "number":
      return numberSample(schema, type);
    case "boolean":
      return true;
    case "null":
      return null;
    default:
      return stringSample(schema, place.name);
  }
}

function objectSample(schema: Fields, place: Place): Fields {
  const properties = Object.entries(fieldsOf(schema["properties"]));
  return Object.fromEntries(properties.map(([name, value]) => [name, sample(fieldsOf(value), { ...place, name })]));
}

function arraySample(schema: Fields, place: Place): unknown[] {
  const asked = Math.max(Number(schema["minItems"] ?? 1), 1);
  const count = Math.min(asked, Number(schema["maxItems"] ?? asked), 100);
  return Array.from({ length: count }, () => sample(fieldsOf(schema["items"]), place));
}

function numberSample(schema: Fields, type: "integer" | "number"): number {
  const above = typeof schema["exclusiveMinimum"] === "number" ? schema["exclusiveMinimum"] + 1 : 0;
  const least = Math.max(Number(schema["minimum"] ?? 0), above);
  const wish = Math.max(least, type === "integer" ? 21 : 21.5);
  return Math.min(wish, Number(schema["maximum"] ?? wish));
}

const BY_NAME: Record<string, string> = { city: "Paris", location: "Paris", country: "France", name: "Ada" };
const BY_FORMAT: Record<string, string> = {
  date: "2026-11-20",
  "date-time": "2026-11-20T12:00:00Z",
  email: "ada@example.com",
  uri: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
};

function stringSample(schema: Fields, name: string): string {
  const value = BY_FORMAT[textOf(schema["format"])] ?? BY_NAME[name.toLowerCase()] ?? "sample";
  const least = Number(schema["minLength"] ?? 0);
  return value.padEnd(least, "x").slice(0, Number(schema["maxLength"] ?? Infinity));
}

/** Follows `#/a/b`; a reference that leads nowhere, or into itself, takes anything. */
function resolve(schema: Fields, root: Fields): Fields {
  let current = schema;
  for (let hops = 0; typeof current["$ref"] === "string" && hops < MAX_DEPTH; hops++) {
    const path = current["$ref"].replace(/^#\/?/, "").split("/").filter(Boolean);
    current = path.reduce<Fields>((at, part) => fieldsOf(at[part]), root);
  }
  return current;
}

function firstFault(schemas: unknown[]): string | undefined {
  return schemas.map(schemaFault).find((fault) => fault !== undefined);
}
