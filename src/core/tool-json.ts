// Arguments of a tool call as a model wrote them: JSON, or something that was meant to be JSON.
// Pure. Invariant: a repair never invents a value and never ends a string that the model left open.
import { isObject, type JsonObject } from "./json-value.ts";

/** `strict` takes sound JSON only, `repair` also what can be mended without guessing at values. */
export type Reading = "strict" | "repair";

const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };

export const unescapeMarkup = (text: string): string =>
  text.replace(/&(lt|gt|quot|apos|amp|#\d{1,7}|#x[0-9a-f]{1,6});/gi, (whole, entity: string) => {
    if (!entity.startsWith("#")) return NAMED[entity.toLowerCase()] ?? whole;
    const hexadecimal = /^#x/i.test(entity);
    const code = Number.parseInt(entity.slice(hexadecimal ? 2 : 1), hexadecimal ? 16 : 10);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });

/** A model that writes bare markup does not escape, so an entity in the same text is meant as it stands. */
const isEscaped = (text: string): boolean => /&(?:lt|gt|quot|apos|amp|#\w+);/i.test(text) && !/[<>]/.test(text);

const unescapeDeep = (value: unknown): unknown => {
  if (typeof value === "string") return unescapeMarkup(value);
  if (Array.isArray(value)) return value.map(unescapeDeep);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [unescapeMarkup(key), unescapeDeep(item)]));
};

export const parseJson = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return undefined;
  }
};

/** Follows a JSON value by its brackets; `end` is where it ends, or -1 so far. */
export const createJsonEnd = () => {
  let at = 0;
  let depth = 0;
  let quoted = false;
  return {
    /** `text` begins with the value and only grows from call to call. */
    end(text: string): number {
      for (; at < text.length; at++) {
        const code = text.charCodeAt(at);
        if (quoted) {
          if (code === 0x22) quoted = false;
          else if (code === 0x5c) {
            // What is escaped may not have come yet.
            if (at + 1 >= text.length) return -1;
            at++;
          }
        } else if (code === 0x22) quoted = true;
        else if (code === 0x7b || code === 0x5b) depth++;
        else if ((code === 0x7d || code === 0x5d) && --depth <= 0) return at + 1;
      }
      return -1;
    },
  };
};

const withoutFence = (text: string): string => /^```[\w-]*\s*\n?([\s\S]*?)\n?\s*```$/.exec(text.trim())?.[1] ?? text;

/** Line breaks inside strings made escapes, commas before a closing bracket dropped, missing closers added. */
const mend = (text: string): string | undefined => {
  const closers: string[] = [];
  let out = "";
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (quoted) {
      if (character === "\\") out += character + (text[++at] ?? "");
      else if (character === "\n") out += "\\n";
      else if (character === "\r") out += "\\r";
      else if (character === "\t") out += "\\t";
      else out += character;
      if (character === '"') quoted = false;
      continue;
    }
    if (character === '"') quoted = true;
    else if (character === "{") closers.push("}");
    else if (character === "[") closers.push("]");
    else if (character === "}" || character === "]") {
      if (closers.pop() !== character) return undefined;
      out = out.replace(/,\s*$/, "");
    }
    out += character;
  }
  return quoted ? undefined : out.replace(/,\s*$/, "") + closers.toReversed().join("");
};

const repaired = (text: string): unknown => {
  const bare = withoutFence(text).trim();
  const begin = bare.indexOf("{");
  if (begin < 0) return undefined;
  const last = bare.lastIndexOf("}");
  // The outermost object; with a closer missing it runs to the end of the text.
  for (const end of [last + 1, bare.length]) {
    const mended = end > begin ? mend(bare.slice(begin, end)) : undefined;
    const value = mended === undefined ? undefined : parseJson(mended);
    if (isObject(value)) return value;
  }
  return undefined;
};

/** The arguments object, or undefined when the text is none. Blank text is an empty object. */
export const readArguments = (text: string, reading: Reading): JsonObject | undefined => {
  if (text.trim() === "") return {};
  const plain = parseJson(text);
  if (isObject(plain)) return isEscaped(text) ? (unescapeDeep(plain) as JsonObject) : plain;
  const unescaped = unescapeMarkup(text);
  for (const value of [
    unescaped === text ? undefined : parseJson(unescaped),
    ...(reading === "repair" ? [repaired(text), repaired(unescaped)] : []),
  ]) {
    if (isObject(value)) return value;
  }
  return undefined;
};
