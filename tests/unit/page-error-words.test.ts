// The pages explain refusals by codes that the gateway really has, and keep what a refusal names.
import { expect, test } from "bun:test";
import { ERROR_TABLE } from "../../src/core/errors.ts";
import { CHINESE, inChinese } from "../../static/shared/error-words.ts";

test("every explained code is one of the gateway's", () => {
  const own = ["unreachable"];
  expect(Object.keys(CHINESE).filter((code) => !Object.hasOwn(ERROR_TABLE, code) && !own.includes(code))).toEqual([]);
});

test("what a refusal names stays in the sentence, and an unknown code keeps the gateway's words", () => {
  expect(inChinese({ code: "invalid_value", message: "'n' is $& large" })).toBe("值不合法：'n' is $& large");
  expect(inChinese({ code: "conflict", message: "Somebody else was first." })).not.toContain("Somebody");
  expect(inChinese({ code: "toString", message: "as it is" })).toBe("as it is");
});
