// Reads a whole answer as a strict client of chat completions or of messages would, and refuses whatever such a client could
// stumble over: state machines that know the protocol and nothing of the gateway. `responses-grammar.ts` is the third.
// Invariant: what is returned as `complete` had every mark of a complete answer, and nothing came after its end.
import type { MessageBody } from "../../src/protocols/anthropic/messages-response.ts";

export interface ReadAnswer {
  readonly outcome: "complete" | "failed";
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly finish: string | null;
  /** Input and output tokens; null when the answer names none. */
  readonly tokens: readonly [input: number, output: number] | null;
  readonly error: string | null;
}

/** Throws with the reason, and what was at fault. */
export const must = (fits: boolean, why: string, at?: unknown): void => {
  if (!fits) throw new Error(`stream grammar: ${why}${at === undefined ? "" : `: ${JSON.stringify(at)}`}`);
};

const COMMENT = /^: \w+$/;

/** Frames as text; every one ends with an empty line, and comments are left out. */
const rawFrames = (text: string): string[] => {
  const frames = text.split("\n\n");
  must(frames.pop() === "", "the stream does not end with an empty line");
  return frames.filter((frame) => !COMMENT.test(frame));
};

export interface NamedFrame {
  readonly type: string;
}

/** Frames that carry their name twice: in the event line and in the one line of data. */
export const namedFrames = <Frame extends NamedFrame>(text: string): Frame[] =>
  rawFrames(text).map((written) => {
    const [, name, data] = /^event: ([\w.]+)\ndata: (\{[^\n]*\})$/.exec(written) ?? [];
    must(data !== undefined, "no named frame", written);
    const frame = JSON.parse(data ?? "") as Frame;
    must(frame.type === name, "the data has another name than the event", written);
    return frame;
  });

const parsesAsObject = (json: string): boolean => {
  const value: unknown = JSON.parse(json);
  return typeof value === "object" && value !== null && !Array.isArray(value);
};

interface ToolPiece {
  readonly index: number;
  readonly id?: string;
  readonly type?: "function";
  readonly function: { readonly name?: string; readonly arguments: string };
}

export interface ChatChunk {
  readonly id: string;
  readonly object: string;
  readonly created: number;
  readonly model: string;
  readonly usage?: { readonly prompt_tokens: number; readonly completion_tokens: number } | null;
  readonly error?: { readonly message: string; readonly type: string; readonly param: null; readonly code: string };
  readonly choices: readonly {
    readonly index: number;
    readonly finish_reason: string | null;
    readonly delta: {
      readonly role?: string;
      readonly content?: string;
      readonly reasoning_content?: string;
      readonly annotations?: readonly unknown[];
      readonly tool_calls?: readonly ToolPiece[];
    };
  }[];
}

/** The chunks before `[DONE]`, an error among them. */
export const chatChunks = (text: string): ChatChunk[] => {
  const frames = rawFrames(text);
  must(frames.pop() === "data: [DONE]", "the stream does not end with [DONE]");
  return frames.map((frame) => {
    must(/^data: \{[^\n]*\}$/.test(frame), "no chunk", frame);
    return JSON.parse(frame.slice("data: ".length)) as ChatChunk;
  });
};

export const readChatStream = (text: string): ReadAnswer => {
  const chunks = chatChunks(text);
  const [first] = chunks;
  const calls: { id: string; name: string; arguments: string }[] = [];
  let content = "";
  let reasoning = "";
  let finish: string | null = null;
  let error: string | null = null;
  let tokens: [number, number] | null = null;

  const toolPiece = (piece: ToolPiece) => {
    if (piece.id !== undefined) {
      must(piece.index === calls.length && piece.type === "function", "a call out of its place", piece);
      must(piece.id !== "" && !calls.some(({ id }) => id === piece.id), "a call without an id of its own", piece);
      must((piece.function.name ?? "") !== "", "a call without a name", piece);
      calls.push({ id: piece.id, name: piece.function.name ?? "", arguments: "" });
    } else must(piece.index < calls.length && piece.function.name === undefined, "a piece of no call", piece);
    const call = calls[piece.index];
    if (call) call.arguments += piece.function.arguments;
  };
  const choice = ({ delta, finish_reason, index }: ChatChunk["choices"][number], at: number) => {
    must(index === 0, "a choice that nobody asked for", index);
    must(finish === null, "a choice after its end", delta);
    must((delta.role === "assistant") === (at === 0), "the role belongs into the first chunk alone", delta);
    content += delta.content ?? "";
    reasoning += delta.reasoning_content ?? "";
    for (const piece of delta.tool_calls ?? []) toolPiece(piece);
    finish = finish_reason;
  };

  for (const [at, chunk] of chunks.entries()) {
    must(error === null, "a chunk after the error", chunk);
    must(tokens === null, "a chunk after the usage", chunk);
    if (chunk.error) {
      must(Object.keys(chunk).join() === "error", "an error with other keys beside it", chunk);
      must(Object.keys(chunk.error).join() === "message,type,param,code", "an error of another form", chunk.error);
      must(finish === null, "an error after the end", chunk);
      error = chunk.error.code;
      continue;
    }
    must(chunk.object === "chat.completion.chunk", "no chunk", chunk);
    for (const key of ["id", "created", "model"] as const) must(chunk[key] === first?.[key], `another ${key}`, chunk);
    must(chunk.choices.length <= 1, "more than one choice", chunk);
    for (const one of chunk.choices) choice(one, at);
    if (chunk.choices.length > 0) must((chunk.usage ?? null) === null, "usage beside a choice", chunk);
    else {
      must(finish !== null && !!chunk.usage, "usage before the end", chunk);
      tokens = [chunk.usage?.prompt_tokens ?? -1, chunk.usage?.completion_tokens ?? -1];
    }
  }
  must((error === null) === (finish !== null), "neither an end nor an error, or both");
  if (finish !== null) {
    for (const call of calls) must(parsesAsObject(call.arguments), "arguments that are no object", call);
    if (finish === "tool_calls") must(calls.length > 0, "an end with calls, and no call");
  }
  return { outcome: error === null ? "complete" : "failed", text: content, reasoning, calls, finish, tokens, error };
};

interface Block {
  readonly type: string;
  readonly id?: string;
  readonly name?: string;
  text?: string;
  thinking?: string;
  signature?: string;
  input?: unknown;
}

interface MessageFrame extends NamedFrame {
  readonly index?: number;
  readonly message?: MessageBody;
  readonly content_block?: Block;
  readonly delta?: Partial<
    Record<"type" | "text" | "thinking" | "signature" | "partial_json" | "stop_reason" | "stop_sequence", string>
  >;
  readonly usage?: { readonly output_tokens: number };
  readonly error?: { readonly type: string; readonly message: string };
}

/** Which key a delta of each kind lengthens, and the block that it may come in. */
const DELTAS: Readonly<Record<string, readonly [block: string, key: "text" | "thinking" | "signature" | "json"]>> = {
  text_delta: ["text", "text"],
  thinking_delta: ["thinking", "thinking"],
  signature_delta: ["thinking", "signature"],
  input_json_delta: ["tool_use", "json"],
};

/** A block as its frames tell it. */
const createBlock = (start: Block) => {
  const block: Block = { ...start };
  const told = { text: "", thinking: "", signature: "", json: "" };
  must(["text", "thinking", "tool_use"].includes(start.type), "an unknown block", start);
  must(!start.text && !start.thinking && !start.signature, "a block that begins with content", start);
  return {
    delta(delta: NonNullable<MessageFrame["delta"]>) {
      const [kind, key] = DELTAS[delta.type ?? ""] ?? [];
      must(key !== undefined && kind === start.type, "a delta that its block cannot have", [start, delta]);
      must(key === "signature" || told.signature === "", "a thought after its seal", delta);
      if (key !== undefined) told[key] += delta[key === "json" ? "partial_json" : key] ?? "";
    },
    stop(): Block {
      if (start.type === "text") block.text = told.text;
      if (start.type === "thinking") {
        must(told.signature !== "", "a thought without a seal", start);
        Object.assign(block, { thinking: told.thinking, signature: told.signature });
      }
      if (start.type === "tool_use") {
        must(parsesAsObject(told.json === "" ? "{}" : told.json), "arguments that are no object", told);
        block.input = JSON.parse(told.json === "" ? "{}" : told.json);
      }
      return block;
    },
    get unfinished(): Block {
      return start.type === "tool_use" ? { ...block, input: told.json } : { ...block, ...told };
    },
  };
};

export interface ReadMessage extends ReadAnswer {
  /** As a request without a stream would have been answered; null when the answer failed. */
  readonly body: MessageBody | null;
}

export const readMessagesStream = (text: string): ReadMessage => {
  const frames = namedFrames<MessageFrame>(text);
  const blocks: Block[] = [];
  let open: ReturnType<typeof createBlock> | null = null;
  let message: MessageBody | null = null;
  let end: Pick<MessageFrame, "delta" | "usage"> | null = null;
  let stopped = false;
  let error: string | null = null;

  for (const frame of frames) {
    must(!stopped && error === null, "an event after the last one", frame);
    if (frame.type === "error") {
      must(end === null && (frame.error?.message ?? "") !== "", "an error without words, or after the end", frame);
      error = frame.error?.type ?? "";
    } else if (frame.type === "message_start") {
      must(message === null && frame.message?.stop_reason === null, "a second beginning", frame);
      must(frame.message?.content.length === 0, "a beginning with content", frame);
      message = frame.message ?? null;
    } else {
      must(message !== null, "an event before the beginning", frame);
      must(end === null || frame.type === "message_stop", "an event after message_delta", frame);
      if (frame.type === "content_block_start") {
        must(open === null && frame.index === blocks.length, "a block out of its place", frame);
        open = createBlock(frame.content_block ?? { type: "none" });
      } else if (frame.type === "content_block_delta" || frame.type === "content_block_stop") {
        must(open !== null && frame.index === blocks.length, "a piece of no open block", frame);
        if (frame.type === "content_block_delta") open?.delta(frame.delta ?? {});
        else if (open) {
          blocks.push(open.stop());
          open = null;
        }
      } else if (frame.type === "message_delta") {
        must(open === null, "an end inside a block", frame);
        end = frame;
      } else if (frame.type === "message_stop") {
        must(end !== null, "a stop without a reason", frame);
        stopped = true;
      } else must(frame.type === "ping", "an unknown event", frame);
    }
  }
  must(stopped !== (error !== null), "neither an end nor an error");
  const told = open ? [...blocks, open.unfinished] : blocks;
  const of = (kind: string) => told.filter(({ type }) => type === kind);
  const body =
    end && message ? { ...message, content: blocks, ...end.delta, usage: { ...message.usage, ...end.usage } } : null;
  return {
    outcome: stopped ? "complete" : "failed",
    text: of("text")
      .map((block) => block.text ?? "")
      .join(""),
    reasoning: of("thinking")
      .map((block) => block.thinking ?? "")
      .join(""),
    calls: of("tool_use").map(({ id = "", name = "", input }) => ({
      id,
      name,
      arguments: typeof input === "string" ? input : JSON.stringify(input),
    })),
    finish: end?.delta?.stop_reason ?? null,
    tokens: body ? [body.usage.input_tokens, body.usage.output_tokens] : null,
    error,
    body: body as MessageBody | null,
  };
};
