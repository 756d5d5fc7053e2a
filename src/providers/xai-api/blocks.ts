// Writes events in the grammar's order: the start first, one open text or reasoning block at a time, one end. Pure; knows no
// upstream. Invariant: whatever order it is called in, what it writes obeys core/events.ts.
import type { GatewayError } from "../../core/errors.ts";
import type { GenerationEvent } from "../../core/events.ts";

export interface AnswerStart {
  readonly id: string;
  readonly model: string;
  readonly created: number;
}

type Loose = Extract<GenerationEvent, { type: "activity" | "citation" | "image" | "usage" }>;

export interface Blocks {
  start(): void;
  text(text: string): void;
  reasoning(text: string): void;
  /** Ends the reasoning; sealed without a readable word, it becomes a block of its own. */
  endReasoning(sealed?: string): void;
  /** The number of the new call's block. */
  toolStart(callId: string, name: string): number;
  toolDelta(block: number, text: string): void;
  toolEnd(block: number, args: string): void;
  loose(event: Loose): void;
  finish(event: Extract<GenerationEvent, { type: "finish" }>): void;
  fail(error: GatewayError): void;
  /** The events since the last call. */
  take(): GenerationEvent[];
  readonly over: boolean;
  /** Characters of text so far. */
  readonly written: number;
  /** Something has come that a caller would take for an answer. */
  readonly answered: boolean;
  readonly called: boolean;
}

export const createBlocks = (about: AnswerStart): Blocks => {
  let out: GenerationEvent[] = [];
  let block = 0;
  let open: "none" | "reasoning" | "text" = "none";
  let started = false;
  let over = false;
  let written = 0;
  let answered = false;
  let called = false;
  const tools = new Set<number>();

  const start = () => {
    if (started) return;
    started = true;
    out.push({ type: "start", id: about.id, model: about.model, created: about.created });
  };
  const close = () => {
    if (open === "text") out.push({ type: "text-end", block });
    else if (open === "reasoning") out.push({ type: "reasoning-end", block });
    open = "none";
  };
  const begin = (kind: "reasoning" | "text") => {
    start();
    close();
    block++;
    open = kind;
    out.push(kind === "text" ? { type: "text-start", block } : { type: "reasoning-start", block });
  };

  return {
    start,
    text(text) {
      if (text === "" || over) return;
      if (open !== "text") begin("text");
      written += text.length;
      answered = true;
      out.push({ type: "text-delta", block, text });
    },
    reasoning(text) {
      if (text === "" || over) return;
      if (open !== "reasoning") begin("reasoning");
      out.push({ type: "reasoning-delta", block, text });
    },
    endReasoning(sealed) {
      if (over) return;
      if (open !== "reasoning") {
        if (sealed === undefined) return;
        begin("reasoning");
      }
      out.push({ type: "reasoning-end", block, ...(sealed === undefined ? {} : { sealed }) });
      open = "none";
    },
    toolStart(callId, name) {
      start();
      close();
      block++;
      tools.add(block);
      called = true;
      answered = true;
      out.push({ type: "tool-start", block, callId, name });
      return block;
    },
    toolDelta(at, text) {
      if (text !== "" && tools.has(at)) out.push({ type: "tool-delta", block: at, text });
    },
    toolEnd(at, args) {
      if (tools.delete(at)) out.push({ type: "tool-end", block: at, arguments: args });
    },
    loose(event) {
      start();
      if (event.type === "image") answered = true;
      out.push(event);
    },
    finish(event) {
      if (over) return;
      start();
      close();
      over = true;
      out.push(event);
    },
    fail(error) {
      if (over) return;
      over = true;
      out.push({ type: "failure", error });
    },
    take() {
      const events = out;
      out = [];
      return events;
    },
    get over() {
      return over;
    },
    get written() {
      return written;
    },
    get answered() {
      return answered;
    },
    get called() {
      return called;
    },
  };
};
