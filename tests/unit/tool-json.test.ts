// JSON answers: what is found in a text, what a schema refuses, and that nothing is made up.
import { describe, expect, test } from "bun:test";
import { readJsonAnswer, type JsonFormat } from "../../src/core/json-answer.ts";
import { schemaProblem } from "../../src/core/json-schema.ts";

const object: JsonFormat = { type: "json_object" };
const bySchema = (schema: object): JsonFormat => ({
  type: "json_schema",
  name: "n",
  schema: schema as { [key: string]: unknown },
  strict: true,
});

describe("found in an answer", () => {
  test.each([
    ['{"a":1}', '{"a":1}'],
    ['  {"a":1}\n', '{"a":1}'],
    ['```json\n{"a":1}\n```', '{"a":1}'],
    ['Here you are:\n```\n{"a":1}\n```\nBye.', '{"a":1}'],
    ['Sure! {"a":{"b":"}"}} is it.', '{"a":{"b":"}"}}'],
    ['{"a":1 [[1]](https://example.com/x)}', '{"a":1}'],
    ['{"a":"```js\\ncode\\n```"}', '{"a":"```js\\ncode\\n```"}'],
  ])("%j", (text, json) => {
    expect(readJsonAnswer(text, object)).toEqual({ json, problem: null });
  });

  test.each([["Hello"], [""], ['{"a":1'], ['{"a":1,}'], ["{a:1}"]])("%j is no JSON", (text) => {
    expect(readJsonAnswer(text, object)).toEqual({ json: null, problem: "it is not valid JSON" });
  });

  test("an object is wanted, not a list", () => {
    expect(readJsonAnswer("[1]", object).problem).toBe("it is not a JSON object");
  });

  test("a schema may want a mere value", () => {
    expect(readJsonAnswer('"yes"', bySchema({ type: "string" }))).toEqual({ json: '"yes"', problem: null });
    expect(readJsonAnswer("```json\n5\n```", bySchema({ type: "integer" }))).toEqual({ json: "5", problem: null });
  });

  test("what misses the schema is still handed back", () => {
    expect(readJsonAnswer('{"a":1}', bySchema({ required: ["b"] }))).toEqual({
      json: '{"a":1}',
      problem: 'the value lacks the key "b"',
    });
  });
});

const tree = {
  $defs: {
    node: {
      type: "object",
      properties: { name: { type: "string" }, children: { type: "array", items: { $ref: "#/$defs/node" } } },
      required: ["name"],
      additionalProperties: false,
    },
    loop: { $ref: "#/$defs/loop" },
    "a/b": { type: "null" },
  },
};

/** Schema, a value that fits, a value that does not, and the problem. */
const RULES: [schema: object, good: unknown, bad: unknown, problem: string][] = [
  [{ type: "string" }, "a", 1, "the value must be of type string, not number"],
  [{ type: ["string", "null"] }, null, 1, "the value must be of type string or null, not number"],
  [{ type: "integer" }, 3, 3.5, "the value must be of type integer, not number"],
  [{ type: "number" }, 3, "3", "the value must be of type number, not string"],
  [{ type: "object" }, {}, [], "the value must be of type object, not array"],
  [{ enum: ["a", { b: 1 }] }, { b: 1 }, "c", 'the value must be one of ["a",{"b":1}]'],
  [{ const: [1, 2] }, [1, 2], [2, 1], "the value must be [1,2]"],
  [{ minimum: 1 }, 1, 0, "the value breaks minimum 1"],
  [{ maximum: 1 }, 1, 2, "the value breaks maximum 1"],
  [{ exclusiveMinimum: 1 }, 2, 1, "the value breaks exclusiveMinimum 1"],
  [{ exclusiveMaximum: 1 }, 0, 1, "the value breaks exclusiveMaximum 1"],
  [{ multipleOf: 0.1 }, 0.3, 0.35, "the value breaks multipleOf 0.1"],
  [{ minLength: 2 }, "👋👋", "👋", "the value breaks minLength 2"],
  [{ maxLength: 1 }, "👋", "ab", "the value breaks maxLength 1"],
  [{ items: { type: "string" } }, ["a"], ["a", 1], "the value[1] must be of type string, not number"],
  [{ minItems: 1 }, [1], [], "the value breaks minItems 1"],
  [{ maxItems: 1 }, [1], [1, 2], "the value breaks maxItems 1"],
  [
    { uniqueItems: true },
    [1, { a: 1 }],
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    "the value must not hold the same item twice",
  ],
  [{ prefixItems: [{ type: "string" }], items: false }, ["a"], ["a", "b"], "the value[1] must not be there"],
  [{ required: ["a"] }, { a: null }, { b: 1 }, 'the value lacks the key "a"'],
  [{ properties: { a: { type: "string" } } }, { a: "x" }, { a: 1 }, "the value.a must be of type string, not number"],
  [{ properties: { a: {} }, additionalProperties: false }, { a: 1 }, { b: 1 }, "the value.b must not be there"],
  [{ additionalProperties: { type: "number" } }, { x: 1 }, { x: "" }, "the value.x must be of type number, not string"],
  [{ minProperties: 1 }, { a: 1 }, {}, "the value breaks minProperties 1"],
  [{ allOf: [{ type: "number" }, { minimum: 2 }] }, 2, 1, "the value breaks minimum 2"],
  [{ anyOf: [{ type: "number" }, { type: "null" }] }, null, "", "the value fits none of the allowed forms"],
  [{ oneOf: [{ minimum: 2 }, { maximum: 3 }] }, 4, 2, "the value fits 2 of the forms of which it must fit one"],
  [{ not: { type: "null" } }, 1, null, "the value has a form that is not allowed"],
  [
    { ...tree, $ref: "#/$defs/node" },
    { name: "a", children: [{ name: "b" }] },
    { name: "a", children: [{}] },
    'the value.children[0] lacks the key "name"',
  ],
  [{ ...tree, $ref: "#/$defs/a~1b" }, null, 1, "the value must be of type null, not number"],
];

describe("schemas", () => {
  test.each(RULES)("%j", (schema, good, bad, problem) => {
    expect(schemaProblem(good, schema as { [key: string]: unknown })).toBeNull();
    expect(schemaProblem(bad, schema as { [key: string]: unknown })).toBe(problem);
  });

  test("references that go in circles or nowhere restrict nothing, and end", () => {
    expect(schemaProblem(1, { ...tree, $ref: "#/$defs/loop" })).toBeNull();
    expect(schemaProblem(1, { $ref: "#/$defs/none" })).toBeNull();
    expect(schemaProblem(1, { $ref: "https://example.com/schema" })).toBeNull();
    expect(schemaProblem({}, { $ref: "#/__proto__/x" })).toBeNull();
  });

  test("callers' expressions are never run", () => {
    const started = performance.now();
    expect(schemaProblem(`${"a".repeat(40)}!`, { type: "string", pattern: "^(a+)+$" })).toBeNull();
    expect(performance.now() - started).toBeLessThan(200);
  });

  test("keys of the object's own prototype are no properties", () => {
    expect(schemaProblem({}, { required: ["toString"] })).toBe('the value lacks the key "toString"');
    expect(schemaProblem(JSON.parse('{"constructor":1}'), { properties: {}, additionalProperties: false })).toBe(
      "the value.constructor must not be there",
    );
  });
});
