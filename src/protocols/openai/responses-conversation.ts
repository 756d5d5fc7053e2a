// Puts a request behind what came before it: one conversation as messages, and whether the upstream may go on with its own.
// Knows no store. Invariant: the messages always hold the whole conversation, so that it can be told anew to any account.
import type { Continuation, GenerationRequest, Message } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { type AttachmentLimits, limitAttachments } from "./chat-messages.ts";
import { type Found, type InputItem, resolveItems } from "./responses-input.ts";
import { messagesOf } from "./responses-messages.ts";
import type { ResponsesEcho } from "./responses-object.ts";
import type { ResponsesRequest, Verbosity } from "./responses-request.ts";

/** Where the upstream holds the conversation of the earlier response. */
export interface Thread {
  readonly accountId: string;
  readonly conversationId: string;
  readonly responseId: string;
}

export interface Past {
  /** Items of all earlier turns, oldest first. */
  readonly items: readonly JsonObject[];
  /** The response object that is continued. */
  readonly response: JsonObject;
  readonly thread: Thread | null;
}

export interface Conversation {
  readonly generation: GenerationRequest;
  /** This turn's input with everything resolved. */
  readonly input: readonly InputItem[];
}

export interface Surroundings {
  readonly past: Past | null;
  readonly found: Found;
  readonly limits: AttachmentLimits;
}

const LENGTH_WISH: Readonly<Record<Verbosity, string>> = {
  low: "Keep the answer short and to the point.",
  medium: "",
  high: "Give a long, thorough answer.",
};

/** Instructions hold for one turn: they are not inherited from the earlier response. */
const instructionsOf = ({ echo, verbosity }: ResponsesRequest): readonly Message[] => {
  const wish = verbosity === null ? "" : LENGTH_WISH[verbosity];
  const text = [echo.instructions ?? "", wish].filter((part) => part.trim() !== "").join("\n\n");
  return text === "" ? [] : [{ role: "system", content: [{ type: "text", text }] }];
};

export const converse = (request: ResponsesRequest, { past, found, limits }: Surroundings): Conversation => {
  const input = resolveItems(request.input, found);
  const earlier = (past?.items ?? []).map((item) => ({ item, param: "previous_response_id" }));
  // Read as one list, because a result of this turn may answer a call of an earlier one.
  const before = messagesOf(earlier).length;
  const all = messagesOf([...earlier, ...input]);
  const instructions = instructionsOf(request);
  const messages = [...all.slice(0, before), ...instructions, ...all.slice(before)];
  const speaks = input.some(({ item }) => SPOKEN.has(item["type"]) || item["role"] === "assistant");
  const continuation = past === null ? undefined : continuationOf(past, { request, before, instructions, speaks });
  return {
    input,
    generation: {
      ...request.options,
      messages: limitAttachments(messages, limits),
      ...(continuation === undefined ? {} : { continuation }),
    },
  };
};

/** Calls that the caller puts into the assistant's mouth. */
const SPOKEN: ReadonlySet<unknown> = new Set(["function_call", "custom_tool_call", "local_shell_call", "shell_call"]);

interface Turn {
  readonly request: ResponsesRequest;
  readonly before: number;
  readonly instructions: readonly Message[];
  /** The input speaks for the assistant, which cannot be done in the upstream's conversation. */
  readonly speaks: boolean;
}

/**
 * The upstream's conversation holds what earlier turns were told. It can only be gone on with when this turn is told the
 * same, or when nothing was told yet: what has been said there cannot be taken back.
 */
const continuationOf = ({ thread, response }: Past, turn: Turn): Continuation | undefined => {
  if (thread === null || response["model"] !== turn.request.echo.model || turn.speaks) return undefined;
  const told = setupOf(response);
  const same = told === setupOf(setupFields(turn.request.echo));
  if (!same && told !== NOTHING_TOLD) return undefined;
  return {
    accountId: thread.accountId,
    conversationId: thread.conversationId,
    parentResponseId: thread.responseId,
    known: turn.before + (same ? turn.instructions.length : 0),
  };
};

const setupFields = ({ instructions, tools, toolChoice, text }: ResponsesEcho): JsonObject => ({
  instructions,
  tools,
  tool_choice: toolChoice,
  text,
});

/** What shapes an answer beside the conversation itself. */
const setupOf = (fields: JsonObject): string => {
  const { text } = fields;
  const format = isObject(text) ? text : {};
  return JSON.stringify([
    fields["instructions"] ?? null,
    fields["tools"] ?? [],
    fields["tool_choice"] ?? "auto",
    format["format"] ?? { type: "text" },
    format["verbosity"] ?? null,
  ]);
};

const NOTHING_TOLD = setupOf({});
