// Finds the JSON in an answer that was asked to be JSON, and says whether it is what the caller asked for. Pure.
// Invariant: what is returned parses, and is text of the answer itself; nothing is made up or completed.
import { isObject } from "./json-value.ts";
import { schemaProblem } from "./json-schema.ts";
import type { ResponseFormat } from "./request.ts";
import { createJsonEnd, parseJson } from "./tool-json.ts";

export type JsonFormat = Exclude<ResponseFormat, { type: "text" }>;

/** `problem` is a sentence for the model; `json` is there when the answer at least is JSON. */
export type JsonVerdict =
  { readonly json: string; readonly problem: null } | { readonly json: string | null; readonly problem: string };

const FENCE = /```[\w-]*[ \t]*\n([\s\S]*?)\n?[ \t]*```/;
/** Links to sources that the upstream writes into its answers. */
const CITATION = /\s*\[\[\d+\]\]\([^)\s]*\)/g;

/** The answer itself, what stands in its fence, or its first whole object or list. */
const candidates = (text: string): string[] => {
  const begin = text.search(/[{[]/);
  const end = begin < 0 ? -1 : createJsonEnd().end(text.slice(begin));
  return [text, FENCE.exec(text)?.[1] ?? "", end > 0 ? text.slice(begin, begin + end) : ""];
};

const found = (text: string): { json: string; value: unknown } | undefined => {
  for (const source of [text, text.replace(CITATION, "")]) {
    for (const candidate of candidates(source)) {
      const json = candidate.trim();
      const value = json === "" ? undefined : parseJson(json);
      if (typeof value === "object" && value !== null) return { json, value };
    }
  }
  return undefined;
};

export const readJsonAnswer = (text: string, format: JsonFormat): JsonVerdict => {
  const answer = found(text) ?? bareValue(text);
  if (!answer) return { json: null, problem: "it is not valid JSON" };
  if (format.type === "json_object") {
    return isObject(answer.value)
      ? { json: answer.json, problem: null }
      : { json: null, problem: "it is not a JSON object" };
  }
  return { json: answer.json, problem: schemaProblem(answer.value, format.schema) };
};

/** A schema may ask for a mere string or number. */
const bareValue = (text: string): { json: string; value: unknown } | undefined => {
  const json = (FENCE.exec(text)?.[1] ?? text).trim();
  const value = parseJson(json);
  return value === undefined ? undefined : { json, value };
};
