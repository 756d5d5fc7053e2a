// Reads one block in which a model calls tools, in any of the syntaxes that models fall back to, as names and arguments.
// Pure; where blocks begin and end in a text is tool-scan.ts's. Invariant: a closing tag inside a JSON string ends nothing.
import { isObject, type JsonObject } from "./json-value.ts";
import { createJsonEnd, parseJson, readArguments, unescapeMarkup, type Reading } from "./tool-json.ts";
import type { ToolDefinition } from "./request.ts";

export interface RawCall {
  readonly name: string;
  readonly arguments: JsonObject;
}

/** `complete` is false when something in the block could not be read. */
export interface BlockCalls {
  readonly calls: readonly RawCall[];
  readonly complete: boolean;
}

/** Finds a declared tool by the name that a model wrote. */
export type FindTool = (name: string) => ToolDefinition | undefined;

const ELEMENT = /<(tool_call|function_call|xai:function_call|invoke)\b([^>]*)>/gi;
const NAME = /^\s*<(tool_name|function_name|name)\s*>([^<]*)<\/\1\s*>/i;
const ARGUMENTS = /^\s*<(parameters|arguments|args|input)\s*>/i;
const PARAMETER = /^\s*<parameter\s+name\s*=\s*["']([^"']*)["'][^>]*>/i;
const ATTRIBUTE = /\bname\s*=\s*["']([^"']*)["']/i;

/** Tries every closing tag in turn: the first whose content is accepted is the right one. */
const contentUntil = <T>(
  text: string,
  search: { readonly from: number; readonly tag: string; readonly accept: (content: string) => T | undefined },
): { readonly value: T; readonly end: number } | undefined => {
  const closing = new RegExp(`</${search.tag}\\s*>`, "gi");
  closing.lastIndex = search.from;
  for (let match = closing.exec(text); match; match = closing.exec(text)) {
    const value = search.accept(text.slice(search.from, match.index));
    if (value !== undefined) return { value, end: closing.lastIndex };
  }
  return undefined;
};

interface Read {
  readonly call: RawCall;
  readonly end: number;
}

export const readMarkup = (block: string, options: { reading: Reading; find: FindTool }): BlockCalls => {
  const { reading, find } = options;

  const argumentsFrom = (from: number, tag: string): { value: JsonObject; end: number } | undefined =>
    contentUntil(block, { from, tag, accept: (content) => readArguments(content, "strict") }) ??
    (reading === "repair"
      ? (contentUntil(block, { from, tag, accept: (content) => readArguments(content, "repair") }) ?? untilEnd(from))
      : undefined);

  /** Without a closing tag only sound JSON counts: what is missing or would have to be mended may have been cut off. */
  const untilEnd = (from: number) => {
    const content = block.slice(from).replace(/<\/?[\w\s]*$/, "");
    const value = content.trim() === "" ? undefined : readArguments(content, "strict");
    return value === undefined ? undefined : { value, end: block.length };
  };

  const named = (element: string, from: number): Read | undefined => {
    const rest = block.slice(from);
    const name = NAME.exec(rest);
    if (!name) return undefined;
    const after = from + name[0].length;
    const open = ARGUMENTS.exec(block.slice(after));
    const call = unescapeMarkup(name[2] ?? "").trim();
    if (open) {
      const found = argumentsFrom(after + open[0].length, open[1] ?? "");
      return found && { call: { name: call, arguments: found.value }, end: found.end };
    }
    const closing = new RegExp(`^\\s*</${element}\\s*>`, "i").exec(block.slice(after));
    return closing ? { call: { name: call, arguments: {} }, end: after + closing[0].length } : undefined;
  };

  const json = (element: string, from: number): Read | undefined => {
    const accept = (kind: Reading) => (content: string) => {
      const call = callOf(readArguments(content, kind), kind);
      return content.trim() === "" ? undefined : call;
    };
    const tries: Reading[] = reading === "strict" ? ["strict"] : ["strict", "repair"];
    for (const kind of tries) {
      const found = contentUntil(block, { from, tag: element, accept: accept(kind) });
      if (found) return { call: found.value, end: found.end };
    }
    const whole = reading === "repair" ? accept("strict")(block.slice(from)) : undefined;
    return whole && { call: whole, end: block.length };
  };

  /** The name is an attribute; the arguments are elements of their own or JSON. */
  const invoked = (name: string, tag: string, from: number): Read | undefined => {
    const collected: [string, unknown][] = [];
    let at = from;
    for (;;) {
      const open = PARAMETER.exec(block.slice(at));
      if (!open) break;
      const found = contentUntil(block, { from: at + open[0].length, tag: "parameter", accept: (text) => text });
      if (!found) return undefined;
      const key = unescapeMarkup(open[1] ?? "");
      collected.push([key, parameterValue(found.value, schemaOf(find(name), key))]);
      at = found.end;
    }
    const rest = block.slice(at);
    const closing = new RegExp(`^\\s*</${tag}\\s*>`, "i").exec(rest);
    if (closing) return { call: { name, arguments: Object.fromEntries(collected) }, end: at + closing[0].length };
    if (collected.length > 0) return undefined;
    const open = ARGUMENTS.exec(rest);
    const found = open ? argumentsFrom(at + open[0].length, open[1] ?? "") : argumentsFrom(at, tag);
    return found && { call: { name, arguments: found.value }, end: found.end };
  };

  const calls: RawCall[] = [];
  let complete = true;
  const element = new RegExp(ELEMENT);
  for (let match = element.exec(block); match; match = element.exec(block)) {
    const tag = (match[1] ?? "").toLowerCase();
    const from = element.lastIndex;
    const attribute = ATTRIBUTE.exec(match[2] ?? "")?.[1];
    // A wrapper around other elements has nothing of its own to read.
    if (/^\s*<(tool_call|(xai:)?function_call|invoke)\b/i.test(block.slice(from))) continue;
    const read =
      attribute === undefined
        ? (named(tag, from) ?? json(tag, from))
        : invoked(unescapeMarkup(attribute).trim(), tag, from);
    if (!read) {
      complete = false;
      // What stands inside an unreadable call is never taken for a call of its own.
      const closing = new RegExp(`</${tag}\\s*>`, "gi");
      closing.lastIndex = from;
      if (!closing.exec(block)) break;
      element.lastIndex = closing.lastIndex;
      continue;
    }
    calls.push(read.call);
    element.lastIndex = Math.max(read.end, from);
  }
  return { calls, complete };
};

const OPENINGS = /^(?:\s*<(?!\/|parameter\b)[^>]*>)*/i;

/** How much of a block that broke off cannot begin a call: inside its unfinished arguments, what looks like one is a value. */
export const unfinishedArguments = (block: string): number => {
  let at = OPENINGS.exec(block)?.[0].length ?? 0;
  for (let open = PARAMETER.exec(block.slice(at)); open; open = PARAMETER.exec(block.slice(at))) {
    const value = contentUntil(block, { from: at + open[0].length, tag: "parameter", accept: (text) => text });
    if (!value) return block.length;
    at = value.end;
  }
  const json = block.slice(at).search(/[{[]/);
  if (json < 0 || createJsonEnd().end(block.slice(at + json)) > 0) return Math.max(at, 1);
  let quoted = false;
  for (let place = at + json; place < block.length; place++) {
    if (block[place] === "\\" && quoted) place++;
    else if (block[place] === '"') quoted = !quoted;
    else if (block[place] === "<" && !quoted) return place;
  }
  return block.length;
};

const schemaOf = (tool: ToolDefinition | undefined, key: string): JsonObject | undefined => {
  const properties = tool?.parameters["properties"];
  const schema = isObject(properties) ? properties[key] : undefined;
  return isObject(schema) ? schema : undefined;
};

/** A parameter in an element of its own has no quotes: the schema says whether `5` is a text or a number. */
const parameterValue = (raw: string, schema: JsonObject | undefined): unknown => {
  const text = /[<>]/.test(raw) ? raw : unescapeMarkup(raw);
  if (schema?.["type"] === "string") return text;
  const value = parseJson(text.trim());
  return value === undefined ? text : value;
};

/** One call as JSON: `{name, arguments}`, `{function: {name, arguments}}` and their kin; arguments may be JSON text. */
const callOf = (value: unknown, reading: Reading): RawCall | undefined => {
  if (!isObject(value)) return undefined;
  const nested = value["function"];
  if (isObject(nested)) return callOf(nested, reading);
  const name = [value["name"], value["tool_name"], nested, value["tool"]].find((item) => typeof item === "string");
  if (typeof name !== "string" || name.trim() === "") return undefined;
  const given = value["arguments"] ?? value["parameters"] ?? value["args"] ?? value["input"] ?? {};
  const args = typeof given === "string" ? readArguments(given, reading) : given;
  return isObject(args) ? { name: name.trim(), arguments: args } : undefined;
};

/** A whole JSON value: an object with a `tool_calls` array, or an array of calls. */
export const readJsonCalls = (text: string, reading: Reading): BlockCalls => {
  const array = text.trimStart().startsWith("[");
  const sound = parseJson(text);
  const value = sound ?? (array ? undefined : readArguments(text, reading));
  const list = Array.isArray(value) ? value : isObject(value) ? value["tool_calls"] : undefined;
  if (!Array.isArray(list)) return { calls: [], complete: false };
  const calls = list.map((item: unknown) => callOf(item, reading));
  const read = calls.filter((call) => call !== undefined);
  return { calls: read, complete: read.length === calls.length };
};
