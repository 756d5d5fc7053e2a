// The `input` of a response: whatever shape it has, it becomes a list of items, which is also what is kept for later turns;
// responses-messages.ts turns items into messages. Knows no store: what an item refers to is handed in.
// Invariant: every item remembers where it stood in the caller's body, for the `param` of a refusal.
import type { JsonObject } from "../../lib/json.ts";
import { isObject } from "../../lib/json.ts";
import { GatewayError } from "../../core/errors.ts";
import { given, isBlank, refuse } from "./field.ts";
import { inputItemId } from "./responses-object.ts";
import { isPart } from "./responses-parts.ts";

export interface InputItem {
  readonly item: JsonObject;
  /** Path of the item in the body. */
  readonly param: string;
  /** For a message made of bare parts: where its content stands, and at which index it begins. */
  readonly parts?: { readonly param: string; readonly firstIndex: number };
}

const missing = (): never => {
  throw new GatewayError("missing_required_parameter", "Missing required parameter: 'input'.", { param: "input" });
};

const userText = (text: string): JsonObject => ({
  type: "message",
  role: "user",
  content: [{ type: "input_text", text }],
});

export const parseInput = (body: JsonObject): readonly InputItem[] => {
  const input = given(body, "input");
  if (input === undefined || input === "") return missing();
  if (typeof input === "string") {
    return isBlank(input) ? missing() : [{ item: userText(input), param: "input" }];
  }
  if (isObject(input)) return listItems([input], () => "input");
  if (!Array.isArray(input)) {
    return refuse({ code: "invalid_value", param: "input" }, "'input' must be a string or a list of items.");
  }
  return input.length === 0 ? missing() : listItems(input, (index) => `input.${index}`);
};

const listItems = (list: readonly unknown[], paramOf: (index: number) => string): readonly InputItem[] => {
  const items: InputItem[] = [];
  /** Bare parts in a row are one message of the user. */
  let loose: { readonly content: JsonObject[]; readonly firstIndex: number } | null = null;
  list.forEach((value, index) => {
    const param = paramOf(index);
    if (isObject(value) && isPart(value["type"]) && value["role"] === undefined) {
      if (loose !== null) return void loose.content.push(value);
      loose = { content: [value], firstIndex: index };
      const item = { type: "message", role: "user", content: loose.content };
      return void items.push({ item, param, parts: { param: "input", firstIndex: index } });
    }
    loose = null;
    if (typeof value === "string") return void items.push({ item: userText(value), param });
    if (!isObject(value)) return refuse({ code: "invalid_value", param }, `'${param}' must be an object.`);
    items.push({ item: value, param });
  });
  return items;
};

/** Ids that the input refers to instead of repeating the items; clients leave the type out. */
export const referenceOf = ({ item }: InputItem): string | null => {
  const type = given(item, "type");
  const refers = type === "item_reference" || (type === undefined && item["role"] === undefined);
  const id = item["id"];
  return refers && typeof id === "string" ? id : null;
};

/** The sealed summary of an item, ours or anybody's. */
export const sealOf = ({ item }: InputItem): string | null => {
  const sealed = item["encrypted_content"];
  const compaction = item["type"] === "compaction" || item["type"] === "compaction_summary";
  return compaction && typeof sealed === "string" ? sealed : null;
};

export interface Found {
  /** Referred items by id. */
  readonly items: ReadonlyMap<string, JsonObject>;
  /** Summaries by their sealed text; missing when the seal is not ours. */
  readonly summaries: ReadonlyMap<string, string>;
}

const system = (text: string): JsonObject => ({
  type: "message",
  role: "system",
  content: [{ type: "input_text", text }],
});

/** What stands in for a summary that only its maker can read: the answer must not pretend to know it. */
const UNREADABLE = "[An earlier part of this conversation was summarised by another service and cannot be read here.]";

/** Puts what was found in the place of references and sealed summaries. */
export const resolveItems = (items: readonly InputItem[], found: Found): readonly InputItem[] =>
  items.map((entry) => {
    const sealed = sealOf(entry);
    if (sealed !== null) {
      const summary = found.summaries.get(sealed);
      const text = summary === undefined ? UNREADABLE : `Summary of the conversation so far:\n${summary}`;
      return { ...entry, item: system(text) };
    }
    const id = referenceOf(entry);
    if (id === null) return entry;
    const item = found.items.get(id);
    if (item !== undefined) return { ...entry, item };
    const place = { code: "invalid_value", param: `${entry.param}.id` } as const;
    return refuse(place, `Item with id '${id.slice(0, 100)}' not found.`);
  });

/** Items as they are kept and listed: with an id, and messages with a list of parts. */
export const storedItems = (items: readonly InputItem[], responseId: string): readonly JsonObject[] =>
  items.map(({ item }, index) => {
    const type = typeof item["type"] === "string" ? item["type"] : "message";
    const id = typeof item["id"] === "string" ? item["id"] : inputItemId(type, responseId, index);
    if (type !== "message") return { ...item, id, type };
    return { ...item, id, type, status: "completed", content: partsOf(item) };
  });

const partsOf = ({ role, content }: JsonObject): unknown =>
  typeof content === "string"
    ? [{ type: role === "assistant" ? "output_text" : "input_text", text: content }]
    : content;
