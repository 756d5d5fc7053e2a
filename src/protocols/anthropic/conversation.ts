// `system` and `messages` as one conversation of the house's own messages: system texts first, each result of a tool as a
// message of its own, pictures of a result in the user message that follows. Invariant: a result of a tool answers a call of
// the assistant turn directly before it, and the newest message of the caller is never empty.
import { GatewayError } from "../../core/errors.ts";
import type { ContentPart, Message } from "../../core/request.ts";
import type { JsonObject } from "../../lib/json.ts";
import { type AttachmentLimits, limitAttachments } from "./attachments.ts";
import { readAssistant, readSystem, readUser, type ToolResult, type UserBlocks } from "./blocks.ts";
import { at, given, list, object, oneOf, refuse, required } from "./field.ts";

const ROLES = ["user", "assistant", "system", "developer"] as const;

export const parseConversation = (body: JsonObject, limits: AttachmentLimits): readonly Message[] => {
  const items = list(required(body["messages"], "messages"), at("messages"));
  if (items.length === 0) refuse(at("messages", "empty_messages"), "at least one message is required");
  const system: Message[] = [];
  const turns: Message[] = [];
  const hoist = (content: readonly ContentPart[]) => {
    if (content.length > 0) system.push({ role: "system", content });
  };
  hoist(readSystem(given(body, "system"), "system"));

  let calls: ReadonlyMap<string, string> = new Map();
  let answering = false;
  items.forEach((item, index) => {
    const param = `messages.${index}`;
    const message = object(item, at(param));
    const role = oneOf(message["role"], { ...at(`${param}.role`, "invalid_role"), allowed: ROLES });
    const content = given(message, "content");
    if (role === "system" || role === "developer") return hoist(readSystem(content, `${param}.content`));
    if (role === "assistant") {
      const blocks = readAssistant(content, `${param}.content`);
      // Two assistant messages in a row are one turn.
      calls = new Map([...(answering ? calls : []), ...blocks.calls.map(({ id, name }) => [id, name] as const)]);
      answering = true;
      if (blocks.content.length === 0 && blocks.calls.length === 0) return;
      const toolCalls = blocks.calls.length === 0 ? {} : { toolCalls: blocks.calls };
      const sealed = blocks.sealed.length === 0 ? {} : { sealedReasoning: blocks.sealed };
      turns.push({ role: "assistant", content: blocks.content, ...toolCalls, ...sealed });
      return;
    }
    const blocks = readUser(content, `${param}.content`);
    answering = false;
    if (index === items.length - 1 && blocks.results.length === 0 && blocks.content.length === 0) {
      refuse(at(`${param}.content`, "empty_content"), "the last message must not be empty");
    }
    turns.push(...userMessages(blocks, calls));
  });
  if (turns.length === 0) {
    throw new GatewayError("empty_messages", "messages: at least one message must have content", { param: "messages" });
  }
  return [...system, ...limitAttachments(turns, limits)];
};

const SHOWN_BELOW = "[The attachments of this result follow in the next message.]";
const SHOWN_HERE: ContentPart = { type: "text", text: "[These are the attachments of the tool results above.]" };

const userMessages = ({ results, content }: UserBlocks, calls: ReadonlyMap<string, string>): readonly Message[] => {
  const attached = results.flatMap((result) => result.content.filter((part) => part.type !== "text"));
  const rest = attached.length === 0 ? content : [SHOWN_HERE, ...attached, ...content];
  const messages = results.map((result) => resultMessage(result, calls));
  return rest.length === 0 ? messages : [...messages, { role: "user", content: rest }];
};

const resultMessage = (result: ToolResult, calls: ReadonlyMap<string, string>): Message => {
  const name = calls.get(result.id);
  if (name === undefined) {
    return refuse(at(result.idParam), `'${result.id.slice(0, 80)}' answers no tool_use block of the message before it`);
  }
  const texts = result.content.flatMap((part) => (part.type === "text" ? [part.text] : []));
  if (texts.length < result.content.length) texts.push(SHOWN_BELOW);
  const text = `${result.failed ? "Tool execution failed: " : ""}${texts.join("\n")}`.trimEnd();
  return { role: "tool", toolCallId: result.id, name, content: text === "" ? [] : [{ type: "text", text }] };
};
