// The `messages` list of a chat request: roles, history of tool calls, and which attachments of a long conversation are
// kept. Content parts are read in chat-parts.ts. Invariant: whatever the newest user turn attaches is either passed on or
// refused; only older attachments may be left out, and then a note in the text says so.
import { GatewayError } from "../../core/errors.ts";
import type { ContentPart, Message, Role, ToolCall } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { attachmentBytes, parseContent } from "./chat-parts.ts";
import { given, isBlank, type Place, refuse } from "./field.ts";

export interface AttachmentLimits {
  /** Attachments that one request may carry. */
  readonly maxAttachments: number;
  /** Decoded bytes of all inline attachments together. */
  readonly maxAttachmentBytes: number;
}

/** `developer` is OpenAI's newer word for system, `function` its older one for tool. */
const ROLES: ReadonlyMap<unknown, Role> = new Map<unknown, Role>([
  ["system", "system"],
  ["developer", "system"],
  ["user", "user"],
  ["assistant", "assistant"],
  ["tool", "tool"],
  ["function", "tool"],
]);

const LEFT_OUT = "[An attachment of an earlier turn was left out.]";

export const parseMessages = (body: JsonObject, limits: AttachmentLimits): readonly Message[] => {
  const list = given(body, "messages");
  if (list === undefined) {
    throw new GatewayError("missing_required_parameter", "Missing required parameter: 'messages'.", {
      param: "messages",
    });
  }
  if (!Array.isArray(list)) return refuse({ code: "invalid_value", param: "messages" }, "'messages' must be a list.");
  const knownCalls = new Set<string>();
  const messages: Message[] = [];
  list.forEach((item: unknown, index) => {
    const message = parseMessage(item, { param: `messages.${index}`, knownCalls });
    if (message !== undefined) messages.push(message);
  });
  if (messages.length === 0) {
    return refuse({ code: "empty_messages", param: "messages" }, "'messages' must hold at least one message.");
  }
  return limitAttachments(messages, limits);
};

interface MessageContext {
  readonly param: string;
  /** Ids of the tool calls seen so far; a tool result must answer one of them. */
  readonly knownCalls: Set<string>;
}

/** `undefined` for a message without content that may be dropped: clients send empty system texts and stopped answers. */
const parseMessage = (item: unknown, context: MessageContext): Message | undefined => {
  const { param } = context;
  if (!isObject(item)) return refuse({ code: "invalid_value", param }, `'${param}' must be an object.`);
  const role = ROLES.get(item["role"]);
  if (role === undefined) {
    const known = [...ROLES.keys()].join(", ");
    return refuse({ code: "invalid_role", param: `${param}.role` }, `'${param}.role' must be one of: ${known}.`);
  }
  const content = parseContent(given(item, "content"), { role, param: `${param}.content` });
  const toolCalls = role === "assistant" ? parseToolCalls(item, context) : [];
  if (content.length === 0 && toolCalls.length === 0 && (role === "system" || role === "assistant")) return undefined;
  const toolCallId = role === "tool" ? parseToolCallId(item, context) : undefined;
  return {
    role,
    content,
    ...(toolCalls.length === 0 ? {} : { toolCalls }),
    ...(toolCallId === undefined ? {} : { toolCallId }),
    ...(isBlank(item["name"]) ? {} : { name: String(item["name"]) }),
  };
};

const parseToolCalls = (message: JsonObject, context: MessageContext): readonly ToolCall[] => {
  const param = `${context.param}.tool_calls`;
  const calls = given(message, "tool_calls");
  const legacy = given(message, "function_call");
  if (calls === undefined) {
    if (legacy === undefined) return [];
    return [parseFunction(legacy, { id: "", param: `${context.param}.function_call` })];
  }
  if (!Array.isArray(calls)) return refuse({ code: "invalid_value", param }, `'${param}' must be a list.`);
  return calls.map((call: unknown, index) => {
    const at: Place = { code: "invalid_value", param: `${param}.${index}` };
    if (!isObject(call)) return refuse(at, `'${at.param}' must be an object.`);
    const id = call["id"];
    if (typeof id !== "string" || isBlank(id)) {
      return refuse({ ...at, param: `${at.param}.id` }, `'${at.param}.id' must be a non-empty string.`);
    }
    context.knownCalls.add(id);
    return parseFunction(call["function"], { id, param: `${at.param}.function` });
  });
};

const parseFunction = (value: unknown, at: { readonly id: string; readonly param: string }): ToolCall => {
  const name = isObject(value) ? value["name"] : undefined;
  if (!isObject(value) || typeof name !== "string" || isBlank(name)) {
    const param = `${at.param}.name`;
    return refuse({ code: "invalid_value", param }, `'${param}' must be a non-empty string.`);
  }
  const args = value["arguments"] ?? {};
  return { id: at.id, name, arguments: typeof args === "string" ? args : JSON.stringify(args) };
};

/** The older role `function` names its call by `name` alone and has no id. */
const parseToolCallId = (message: JsonObject, context: MessageContext): string | undefined => {
  if (message["role"] === "function") return undefined;
  const place: Place = { code: "invalid_value", param: `${context.param}.tool_call_id` };
  const id = message["tool_call_id"];
  if (typeof id !== "string" || isBlank(id)) return refuse(place, `'${place.param}' must be a non-empty string.`);
  if (!context.knownCalls.has(id)) return refuse(place, `'${place.param}' answers no tool call of an earlier message.`);
  return id;
};

/** Index of the first message of the newest user turn: after the last answer that stands before the last user message. */
const newestTurn = (messages: readonly Message[]): number => {
  let index = messages.findLastIndex((message) => message.role === "user");
  while (index > 0 && messages[index - 1]?.role !== "assistant") index--;
  return index;
};

/** Spends the caps from the newest message backwards. */
export const limitAttachments = (messages: readonly Message[], limits: AttachmentLimits): readonly Message[] => {
  const mandatoryFrom = newestTurn(messages);
  let places = limits.maxAttachments;
  let bytes = limits.maxAttachmentBytes;
  const keep = (part: ContentPart, mandatory: boolean): ContentPart => {
    if (part.type === "text") return part;
    const size = attachmentBytes(part.source);
    if (places > 0 && size <= bytes) {
      places--;
      bytes -= size;
      return part;
    }
    if (!mandatory) return { type: "text", text: LEFT_OUT };
    if (places === 0) {
      const message = `At most ${limits.maxAttachments} attachments are allowed.`;
      return refuse({ code: "too_many_attachments", param: part.param }, message);
    }
    const message = `The attachments are larger than ${limits.maxAttachmentBytes} bytes together.`;
    return refuse({ code: "file_too_large", param: part.param }, message);
  };
  return messages
    .map((message, index) => ({ message, mandatory: index >= mandatoryFrom }))
    .toReversed()
    .map(({ message, mandatory }) => ({
      ...message,
      content: message.content
        .toReversed()
        .map((part) => keep(part, mandatory))
        .toReversed(),
    }))
    .toReversed();
};
