// Items of a conversation as messages: texts, calls and their results, in order. Items that carry nothing for the model
// (reasoning, the upstream's own searches) are left out. Knows no body and no store.
// Invariant: a tool's result answers a call that stands before it.
import type { ContentPart, Message, Role, ToolCall } from "../../core/request.ts";
import type { JsonObject } from "../../lib/json.ts";
import { given, isBlank, refuse } from "./field.ts";
import type { InputItem } from "./responses-input.ts";
import { readContent } from "./responses-parts.ts";

const ROLES: ReadonlyMap<unknown, Role> = new Map<unknown, Role>([
  ["system", "system"],
  ["developer", "system"],
  ["user", "user"],
  ["assistant", "assistant"],
]);

/** Calls of tools that run at the caller's side, and the field that holds what the tool was given. */
const CALLS: ReadonlyMap<unknown, string> = new Map([
  ["function_call", "arguments"],
  ["custom_tool_call", "input"],
  ["local_shell_call", "action"],
  ["shell_call", "action"],
]);
const RESULTS: ReadonlySet<unknown> = new Set([
  "function_call_output",
  "custom_tool_call_output",
  "local_shell_call_output",
  "shell_call_output",
]);
/** The upstream's searches and pictures are part of its answer already. */
const DROPPED: ReadonlySet<unknown> = new Set(["web_search_call", "image_generation_call"]);

export const messagesOf = (items: readonly InputItem[]): readonly Message[] => {
  const messages: Message[] = [];
  const calls = new Map<string, string>();
  for (const entry of items) {
    const type = given(entry.item, "type") ?? (entry.item["role"] === undefined ? undefined : "message");
    if (type === "message") addMessage(messages, entry);
    else if (CALLS.has(type)) addCall(messages, { entry, calls });
    else if (RESULTS.has(type)) addResult(messages, { entry, calls });
    else if (type === "reasoning") addReasoning(messages, entry);
    else if (!DROPPED.has(type)) refuseType(type, entry.param);
  }
  return messages.filter((message) => !isThoughtAlone(message));
};

/** Reasoning whose answer is not part of the conversation. */
const isThoughtAlone = ({ sealedReasoning, content, toolCalls }: Message): boolean =>
  sealedReasoning !== undefined && content.length === 0 && (toolCalls ?? []).length === 0;

const refuseType = (type: unknown, param: string): never => {
  const at = `${param}.type`;
  if (typeof type !== "string") return refuse({ code: "missing_type", param: at }, `'${at}' is missing.`);
  return refuse({ code: "invalid_type", param: at }, `Input items of type '${type.slice(0, 40)}' are not supported.`);
};

const addMessage = (messages: Message[], { item, param, parts }: InputItem): void => {
  const role = ROLES.get(item["role"]);
  if (role === undefined) {
    const known = [...ROLES.keys()].join(", ");
    return refuse({ code: "invalid_role", param: `${param}.role` }, `'${param}.role' must be one of: ${known}.`);
  }
  const place = parts ?? { param: `${param}.content` };
  const content = readContent(given(item, "content"), { ...place, role });
  const last = messages.at(-1);
  if (last !== undefined && role === "assistant" && isThoughtAlone(last)) {
    messages[messages.length - 1] = { ...last, content };
    return;
  }
  if (content.length > 0) return void messages.push({ role, content });
  if (role === "user") refuse({ code: "empty_content", param: place.param }, `'${place.param}' must not be empty.`);
};

/** Only what its upstream can read again goes back; the summary was for the reader. It belongs to the answer that follows. */
const addReasoning = (messages: Message[], { item }: InputItem): void => {
  const sealed = item["encrypted_content"];
  if (typeof sealed !== "string" || sealed === "") return;
  const last = messages.at(-1);
  if (last === undefined || !isThoughtAlone(last)) {
    return void messages.push({ role: "assistant", content: [], sealedReasoning: [sealed] });
  }
  messages[messages.length - 1] = { ...last, sealedReasoning: [...(last.sealedReasoning ?? []), sealed] };
};

interface CallContext {
  readonly entry: InputItem;
  /** Names of the calls so far, by id. */
  readonly calls: Map<string, string>;
}

const callIdOf = ({ item, param }: InputItem): string => {
  const id = given(item, "call_id");
  if (typeof id === "string" && !isBlank(id)) return id;
  const at = `${param}.call_id`;
  const code = id === undefined ? "missing_required_parameter" : "invalid_value";
  return refuse({ code, param: at }, `'${at}' must be a non-empty string.`);
};

/** Calls in a row belong to one turn of the assistant, together with the text before them. */
const addCall = (messages: Message[], { entry, calls }: CallContext): void => {
  const call = readCall(entry);
  calls.set(call.id, call.name);
  const last = messages.at(-1);
  if (last?.role !== "assistant") return void messages.push({ role: "assistant", content: [], toolCalls: [call] });
  messages[messages.length - 1] = { ...last, toolCalls: [...(last.toolCalls ?? []), call] };
};

const readCall = (entry: InputItem): ToolCall => {
  const { item, param } = entry;
  const type = item["type"];
  const id = callIdOf(entry);
  const given_ = item[CALLS.get(type) ?? "arguments"] ?? {};
  if (type === "local_shell_call" || type === "shell_call") {
    return { id, name: "shell", arguments: JSON.stringify(given_) };
  }
  const name = item["name"];
  if (typeof name !== "string" || isBlank(name)) {
    const at = `${param}.name`;
    const code = name === undefined ? "missing_required_parameter" : "invalid_value";
    return refuse({ code, param: at }, `'${at}' must be a non-empty string.`);
  }
  if (type === "custom_tool_call") return { id, name, arguments: JSON.stringify({ input: given_ }) };
  return { id, name, arguments: typeof given_ === "string" ? given_ : JSON.stringify(given_) };
};

const NO_TEXT = "[The result is attached to the next message.]";

/** Files can only be attached to the user's turns, so those of a result follow it in one. */
const addResult = (messages: Message[], { entry, calls }: CallContext): void => {
  const { item, param } = entry;
  const id = callIdOf(entry);
  const name = calls.get(id);
  if (name === undefined) {
    const message = `No tool call found for the output with call_id '${id.slice(0, 100)}'.`;
    return refuse({ code: "invalid_value", param: `${param}.call_id` }, message);
  }
  const content = readOutput(item, param);
  const texts = content.filter((part) => part.type === "text");
  const media = content.filter((part) => part.type !== "text");
  const text: readonly ContentPart[] =
    texts.length === 0 && media.length > 0 ? [{ type: "text", text: NO_TEXT }] : texts;
  messages.push({ role: "tool", toolCallId: id, name, content: text });
  if (media.length > 0) messages.push({ role: "user", content: media });
};

const readOutput = (item: JsonObject, param: string): readonly ContentPart[] => {
  const output = given(item, "output");
  const at = `${param}.output`;
  if (output === undefined) {
    return refuse({ code: "missing_required_parameter", param: at }, `Missing required parameter: '${at}'.`);
  }
  // A shell's output is a list of records, not of parts.
  if (item["type"] === "shell_call_output") return [{ type: "text", text: JSON.stringify(output) }];
  return readContent(output, { role: "tool", param: at });
};
