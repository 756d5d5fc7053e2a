// Reads a body of Responses or Chat Completions into one ask: turns, tools, wishes.
// Refuses nothing but a model; what else is wrong with a body is told by check.ts.
// Invariant: both surfaces give the same ask for the same conversation.
import { fieldsOf, textOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import type { Words } from "../scenarios.ts";
import type { Effort, TextModel } from "./models.ts";
import { countTokens } from "./usage.ts";
import { readXaiWords } from "./words.ts";

export interface Turn {
  role: string;
  text: string;
  pictures: number;
  files: number;
}

export interface XaiFunction {
  name: string;
  parameters: unknown;
}

export interface XaiAsk {
  model: TextModel;
  words: Words;
  turns: Turn[];
  lastUser: string;
  /** Output of a tool that stands after the last user turn. */
  toolOutput: string | undefined;
  attachments: number;
  functions: XaiFunction[];
  serverTools: Fields[];
  /** Name of a forced function, or one of the three words. */
  choice: "auto" | "none" | "required" | { name: string };
  parallel: boolean;
  effort: Effort | undefined;
  wantsSummary: boolean;
  wantsEncrypted: boolean;
  format: "text" | "json_object" | { schema: unknown };
  limit: number | undefined;
  /** Responses count reasoning against the limit, Chat Completions do not. */
  limitsReasoning: boolean;
  stream: boolean;
  /** What the prompt cache goes by; empty without. */
  conversation: string;
  priority: boolean;
  inputTokens: number;
}

export interface AskSource {
  body: Fields;
  model: TextModel;
  /** Items of earlier turns that the upstream keeps. */
  history: Fields[];
  /** Turns hidden in a compaction. */
  compacted: number;
  scenario: string;
  conversationHeader: string;
}

export function askOfResponses(source: AskSource): XaiAsk {
  const { body } = source;
  const items = [...source.history, ...inputItems(body["input"])];
  const reasoning = fieldsOf(body["reasoning"]);
  const format = fieldsOf(fieldsOf(body["text"])["format"]);
  const include = Array.isArray(body["include"]) ? body["include"] : [];
  const instructions = textOf(body["instructions"]);
  const lead = instructions === "" ? [] : [turn("system", instructions)];
  return {
    ...sharedAsk(source, [...lead, ...items.flatMap(turnOfItem)]),
    functions: toolsOf(body).filter(isFunction).map(functionOf),
    serverTools: toolsOf(body).filter((tool) => !isFunction(tool)),
    effort: effortOf(reasoning["effort"], source.model),
    wantsSummary: typeof reasoning["summary"] === "string",
    wantsEncrypted: include.includes("reasoning.encrypted_content"),
    format: formatOf(textOf(format["type"]), format["schema"]),
    limit: numberOf(body["max_output_tokens"]),
    limitsReasoning: true,
  };
}

export function askOfChat(source: AskSource): XaiAsk {
  const { body } = source;
  const messages = (Array.isArray(body["messages"]) ? body["messages"] : []).map(fieldsOf);
  const format = fieldsOf(body["response_format"]);
  const functions = toolsOf(body).map((tool) => functionOf(fieldsOf(tool["function"])));
  return {
    ...sharedAsk(
      source,
      messages.map((message) => turn(textOf(message["role"]), message["content"])),
    ),
    functions,
    serverTools: [],
    effort: effortOf(body["reasoning_effort"], source.model),
    wantsSummary: false,
    wantsEncrypted: false,
    format: formatOf(textOf(format["type"]), fieldsOf(format["json_schema"])["schema"]),
    limit: numberOf(body["max_completion_tokens"] ?? body["max_tokens"]),
    limitsReasoning: false,
  };
}

type SharedAsk = Omit<
  XaiAsk,
  "functions" | "serverTools" | "effort" | "wantsSummary" | "wantsEncrypted" | "format" | "limit" | "limitsReasoning"
>;

function sharedAsk({ body, model, compacted, scenario, conversationHeader }: AskSource, turns: Turn[]): SharedAsk {
  const lastIndex = turns.findLastIndex(({ role }) => role === "user");
  const lastUser = turns[lastIndex]?.text ?? "";
  const tokens = turns.reduce((sum, { text, pictures }) => sum + countTokens(text) + 4 + pictures * 256, 0);
  const tools = body["tools"] === undefined ? 0 : countTokens(JSON.stringify(body["tools"]));
  return {
    model,
    turns,
    lastUser,
    words: readXaiWords(lastUser, scenario),
    toolOutput: turns.slice(lastIndex + 1).findLast(({ role }) => role === "tool")?.text,
    attachments: turns.reduce((sum, { pictures, files }) => sum + pictures + files, 0),
    choice: choiceOf(body["tool_choice"]),
    parallel: body["parallel_tool_calls"] !== false,
    stream: body["stream"] === true,
    conversation: textOf(body["prompt_cache_key"]) || conversationHeader,
    priority: body["service_tier"] === "priority",
    inputTokens: model.hiddenTokens + tokens + tools + compacted * 50,
  };
}

export function inputItems(input: unknown): Fields[] {
  if (typeof input === "string") return [{ type: "message", role: "user", content: input }];
  return Array.isArray(input) ? input.map(fieldsOf) : [];
}

export function toolsOf(body: Fields): Fields[] {
  return Array.isArray(body["tools"]) ? body["tools"].map(fieldsOf) : [];
}

function turnOfItem(item: Fields): Turn[] {
  switch (item["type"] ?? "message") {
    case "message":
      return [turn(textOf(item["role"]), item["content"])];
    case "function_call":
      return [turn("assistant", textOf(item["arguments"]))];
    case "function_call_output":
      return [turn("tool", item["output"])];
    default:
      return [];
  }
}

function turn(role: string, content: unknown): Turn {
  if (typeof content === "string") return { role, text: content, pictures: 0, files: 0 };
  const parts = (Array.isArray(content) ? content : []).map(fieldsOf);
  return {
    role,
    text: parts.map((part) => textOf(part["text"])).join(""),
    pictures: parts.filter((part) => /image/.test(textOf(part["type"]))).length,
    files: parts.filter((part) => /file/.test(textOf(part["type"]))).length,
  };
}

const isFunction = (tool: Fields): boolean => tool["type"] === "function";

function functionOf(tool: Fields): XaiFunction {
  return { name: textOf(tool["name"]), parameters: tool["parameters"] };
}

function choiceOf(value: unknown): XaiAsk["choice"] {
  if (value === "none" || value === "required") return value;
  const fields = fieldsOf(value);
  const name = textOf(fields["name"]) || textOf(fieldsOf(fields["function"])["name"]);
  return name === "" ? "auto" : { name };
}

function effortOf(value: unknown, model: TextModel): Effort | undefined {
  return (["none", "low", "medium", "high", "xhigh"] as const).find((one) => one === value) ?? model.defaultEffort;
}

function formatOf(type: string, schema: unknown): XaiAsk["format"] {
  if (type === "json_schema") return { schema };
  return type === "json_object" ? type : "text";
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
