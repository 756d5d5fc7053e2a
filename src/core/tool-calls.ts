// Emulated tool calls as an event step: text events in, text and tool events out; the parsing is tool-reader.ts's.
// A provider whose model calls tools by itself sends tool events, which pass. Knows no prompt and no protocol.
// Invariants: the grammar holds; what is held back when the answer fails is dropped, so that the failure may be retried.
import type { EventBatch, GenerationEvent } from "./events.ts";
import type { GenerationRequest, ToolDefinition } from "./request.ts";
import { createToolReader } from "./tool-reader.ts";
import type { Step } from "./transforms.ts";

/** The tools that this turn may call: none, the forced one, or those that the choice allows. */
export const callableTools = ({ tools = [], toolChoice }: GenerationRequest): readonly ToolDefinition[] => {
  if (toolChoice === undefined) return tools;
  if (toolChoice.mode === "none") return [];
  if (toolChoice.mode === "forced") return tools.filter(({ name }) => name === toolChoice.name);
  const { allowed } = toolChoice;
  return allowed === undefined ? tools : tools.filter(({ name }) => allowed.includes(name));
};

export interface ToolCallOptions {
  readonly tools: readonly ToolDefinition[];
  readonly parallel: boolean;
  /** A fresh id for each call. */
  readonly callId: () => string;
}

type BlockEvent = Extract<GenerationEvent, { readonly block: number }>;

export const createToolCalls = ({ tools, parallel, callId }: ToolCallOptions): Step => {
  let out: GenerationEvent[] = [];
  /** Blocks are numbered anew, because calls are blocks that the provider does not know of. */
  let last = 0;
  let text: number | null = null;
  const renumbered = new Map<number, number>();
  let called = false;

  const closeText = () => {
    if (text !== null) out.push({ type: "text-end", block: text });
    text = null;
  };
  const reader = createToolReader(
    { tools, parallel },
    {
      text(piece) {
        if (text === null) out.push({ type: "text-start", block: (text = ++last) });
        out.push({ type: "text-delta", block: text, text: piece });
      },
      call(name, json) {
        closeText();
        called = true;
        const block = ++last;
        out.push(
          { type: "tool-start", block, callId: callId(), name },
          { type: "tool-delta", block, text: json },
          { type: "tool-end", block, arguments: json },
        );
      },
    },
  );

  /** Reasoning, and calls that the provider itself has read. */
  const passBlock = (event: BlockEvent) => {
    if (event.type.endsWith("-start")) {
      closeText();
      renumbered.set(event.block, ++last);
    }
    if (event.type === "tool-start") called = true;
    out.push({ ...event, block: renumbered.get(event.block) ?? event.block });
  };

  const accept = (event: GenerationEvent) => {
    switch (event.type) {
      case "text-start":
      case "text-end":
        return;
      case "text-delta":
        return reader.push(event.text);
      case "reasoning-start":
      case "reasoning-delta":
      case "reasoning-end":
      case "tool-start":
      case "tool-delta":
      case "tool-end":
        return passBlock(event);
      case "citation":
        // A place in text that was dropped is no place.
        if (!(called && event.range)) out.push(event);
        return;
      case "finish":
        reader.end();
        closeText();
        out.push(called && event.reason !== "content-filter" ? { ...event, reason: "tool-calls" } : event);
        return;
      case "start":
      case "activity":
      case "image":
      case "video":
      case "audio":
      case "connected":
      case "progress":
      case "upstream":
      case "usage":
      case "failure":
        out.push(event);
        return;
      default:
        event satisfies never;
    }
  };

  return {
    over: false,
    push(batch: EventBatch): EventBatch {
      out = [];
      for (const event of batch) accept(event);
      return out;
    },
  };
};
