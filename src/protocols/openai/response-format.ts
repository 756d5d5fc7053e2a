// `response_format` of Chat Completions and `text.format` of Responses: free text, a JSON object, or JSON by a schema.
import type { ResponseFormat } from "../../core/request.ts";
import { isObject } from "../../lib/json.ts";
import { given, looseBoolean, objectValue, oneOf, type Place, refuse } from "./field.ts";

const NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Takes the schema nested in `json_schema` (Chat Completions) or beside the type (Responses). */
export const parseResponseFormat = (value: unknown, param: string): ResponseFormat | undefined => {
  if (value === undefined || value === null) return undefined;
  const place: Place = { code: "invalid_value", param };
  const format = objectValue(value, place);
  const type = oneOf(format["type"], {
    ...place,
    param: `${param}.type`,
    allowed: ["text", "json_object", "json_schema"],
  });
  if (type !== "json_schema") return { type };
  const nested = given(format, "json_schema");
  const at = nested === undefined ? param : `${param}.json_schema`;
  const source = nested === undefined ? format : objectValue(nested, { ...place, param: at });
  const { name } = source;
  if (typeof name !== "string" || !NAME.test(name)) {
    return refuse({ ...place, param: `${at}.name` }, `'${at}.name' must be 1 to 64 letters, digits, '_' or '-'.`);
  }
  const schema = given(source, "schema") ?? {};
  if (!isObject(schema)) return refuse({ ...place, param: `${at}.schema` }, `'${at}.schema' must be an object.`);
  const strict = looseBoolean(given(source, "strict"), { ...place, param: `${at}.strict` });
  return { type, name, schema, strict };
};
