// A conversation as the items that the official API reads: messages in any order of roles, calls with their outputs beside
// them, reasoning of its own before what it led to. Invariant: every call has one output, every output has its call.
import type { ContentPart, GenerationRequest, Message } from "../../core/request.ts";
import type { Credential } from "../../core/credential.ts";
import type { JsonObject } from "../../lib/json.ts";
import { contentOf, type ContentDeps } from "./content.ts";
import { openReasoning } from "./sealed.ts";

export interface InputDeps extends ContentDeps {
  readonly credential: Credential;
  /** The operator's standing instruction; empty is none. */
  readonly instruction: string;
}

const plainText = (content: readonly ContentPart[]): string =>
  content.flatMap((part) => (part.type === "text" ? part.text : [])).join("\n");

const message = (role: "system" | "user" | "assistant", content: unknown): JsonObject => ({
  type: "message",
  role,
  content,
});

const isEmpty = (content: unknown): boolean => (Array.isArray(content) ? content.length === 0 : content === "");

/** Where the calls and outputs of a conversation stand, to tell which of them have lost the other half. */
const pairing = (messages: readonly Message[]) => {
  const firstCall = new Map<string, number>();
  const lastOutput = new Map<string, number>();
  for (const [index, { toolCalls, toolCallId }] of messages.entries()) {
    for (const { id } of toolCalls ?? []) if (!firstCall.has(id)) firstCall.set(id, index);
    if (toolCallId !== undefined) lastOutput.set(toolCallId, index);
  }
  return {
    isAnswered: (id: string, at: number) => (lastOutput.get(id) ?? -1) > at,
    isAsked: (id: string, at: number) => (firstCall.get(id) ?? at) < at,
  };
};

const assistantItems = (said: Message, credential: Credential): JsonObject[] => {
  const text = plainText(said.content);
  const calls = (said.toolCalls ?? []).map(({ id, name, arguments: args }) => ({
    type: "function_call",
    call_id: id,
    name,
    arguments: args || "{}",
  }));
  if (text === "" && calls.length === 0) return [];
  // Reasoning alone is refused, so it goes only with what it led to.
  const reasoning = openReasoning(said.sealedReasoning ?? [], credential);
  return [...reasoning, ...(text === "" ? [] : [message("assistant", text)]), ...calls];
};

export const inputItems = async (request: GenerationRequest, deps: InputDeps): Promise<JsonObject[]> => {
  const { messages, correction } = request;
  const { isAnswered, isAsked } = pairing(messages);
  const items: JsonObject[] = deps.instruction === "" ? [] : [message("system", deps.instruction)];
  /** Pictures that tools gave: an output is a text, so they follow once all outputs are there. */
  let shown: ContentPart[] = [];
  const show = async () => {
    if (shown.length > 0) items.push(message("user", await contentOf(shown, deps)));
    shown = [];
  };
  for (const [index, said] of messages.entries()) {
    if (said.role === "tool") {
      const output = plainText(said.content);
      const id = said.toolCallId ?? "";
      shown.push(...said.content.filter((part) => part.type === "image"));
      if (isAsked(id, index)) items.push({ type: "function_call_output", call_id: id, output });
      else items.push(message("user", `Output of an earlier tool call: ${output}`));
      continue;
    }
    await show();
    if (said.role === "assistant") {
      items.push(...assistantItems(said, deps.credential));
      for (const { id } of said.toolCalls ?? []) {
        if (!isAnswered(id, index)) items.push({ type: "function_call_output", call_id: id, output: "(no output)" });
      }
      continue;
    }
    const content = await contentOf(said.content, deps);
    if (!isEmpty(content)) items.push(message(said.role, content));
  }
  await show();
  if (correction?.answer) items.push(message("assistant", correction.answer));
  if (correction) items.push(message("user", correction.note));
  return items;
};
