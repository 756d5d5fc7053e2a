// What an answer of /v1/messages consists of: events become blocks, one open at a time, with indexes 0, 1, 2 … The stream and
// the single body are both written from here, so that they cannot disagree. Knows neither frames nor bodies.
// Invariant: every block that is opened is closed before the next one and before the end; where batches begin changes nothing.
import type { GatewayError } from "../../core/errors.ts";
import type { ActivityKind, FinishReason, GenerationEvent, Usage } from "../../core/events.ts";
import { createSeal, type Seal } from "./seal.ts";

export type BlockStart =
  | { readonly type: "thinking" }
  | { readonly type: "text" }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string };

export interface AnswerEnd {
  readonly reason: FinishReason;
  /** What the upstream, or our own cut, gave as the reason. */
  readonly raw: string | null;
  readonly usage: Usage | null;
}

/** Called in the order of the answer; texts are never empty; `finish` or `failure` comes last. */
export interface AnswerSink {
  start(): void;
  blockStart(index: number, block: BlockStart): void;
  thinking(index: number, text: string): void;
  signature(index: number, signature: string): void;
  text(index: number, text: string): void;
  toolInput(index: number, json: string): void;
  blockStop(index: number): void;
  finish(end: AnswerEnd): void;
  failure(error: GatewayError): void;
}

export interface AnswerFoldOptions {
  readonly id: string;
  readonly showThinking: boolean;
}

export interface AnswerFold {
  accept(event: GenerationEvent): void;
  /** True after `start`: before it nothing of the answer may be written. */
  readonly started: boolean;
  /** True after `finish` or `failure`; later events are ignored. */
  readonly ended: boolean;
}

export const createAnswerFold = (options: AnswerFoldOptions, sink: AnswerSink): AnswerFold => {
  const blocks = createBlockWriter(options.id, sink);
  const words = createWordWriter(blocks);
  const thoughts = createThoughtWriter(blocks);
  const { showThinking } = options;
  let usage: Usage | null = null;
  let started = false;
  let ended = false;
  /** What came while a tool's block was open: another call, or words after it. */
  let deferred: GenerationEvent[] = [];

  const afterTool = () => {
    const waiting = deferred;
    deferred = [];
    for (const event of waiting) write(event);
  };
  const write = (event: GenerationEvent): void => {
    const tool = blocks.openTool;
    if (tool !== null && !("block" in event && event.block === tool)) {
      deferred.push(event);
      return;
    }
    switch (event.type) {
      case "text-delta":
        return words.add(event.text);
      case "reasoning-start":
        if (showThinking) thoughts.paragraph();
        return;
      case "reasoning-delta":
        if (showThinking) thoughts.add(event.text);
        return;
      case "reasoning-end":
        // A caller that wants no thinking shown still sends its seal back.
        if (event.sealed !== undefined) blocks.seal(event.sealed);
        return;
      case "activity":
        if (showThinking && event.phase === "start") thoughts.line(activityText(event));
        return;
      case "tool-start":
        return blocks.startTool(event);
      case "tool-delta":
        return blocks.toolInput(event.text);
      case "tool-end":
        blocks.endTool(event.arguments);
        return afterTool();
      case "image":
        // A picture without a link could not be stored; its upstream address is useless to a caller.
        if (!event.partial && event.source.link !== undefined) words.ownLine(`![image](${event.source.link})`);
        return;
      case "video":
        if (event.source.link !== undefined) words.ownLine(`[video](${event.source.link})`);
        return;
      default:
        // The rest has no place in a message. Links of cited pages stand in the text already.
        return;
    }
  };

  return {
    get started() {
      return started;
    },
    get ended() {
      return ended;
    },
    accept(event) {
      if (ended) return;
      switch (event.type) {
        case "start":
          started = true;
          return sink.start();
        case "usage":
          usage = event.usage;
          return;
        case "finish":
          ended = true;
          blocks.close();
          return sink.finish({ reason: event.reason, raw: event.raw, usage });
        case "failure":
          ended = true;
          return sink.failure(event.error);
        default:
          return write(event);
      }
    },
  };
};

const ACTIVITY: Readonly<Record<ActivityKind, string>> = {
  "web-search": "Searching the web",
  "x-search": "Searching X",
  code: "Running code",
  browse: "Reading",
  "image-search": "Searching for pictures",
  agent: "Agent",
  other: "Working",
};

const activityText = (event: Extract<GenerationEvent, { type: "activity" }>): string => {
  const who = event.agent === undefined || event.agent === "" ? "" : `${event.agent}: `;
  const what = event.detail === "" ? "" : `: ${event.detail}`;
  return `${who}${ACTIVITY[event.kind]}${what}`;
};

interface BlockWriter {
  /** Opens a block of text when none is open; tells whether it did. */
  enter(type: "text" | "thinking"): boolean;
  text(text: string): void;
  thinking(text: string): void;
  /** What the upstream gave as the reasoning that only it can read: the signature of the block, which ends here. */
  seal(signature: string): void;
  startTool(event: Extract<GenerationEvent, { type: "tool-start" }>): void;
  toolInput(json: string): void;
  endTool(fullArguments: string): void;
  close(): void;
  /** The event stream's number of the tool whose block is open. */
  readonly openTool: number | null;
}

const createBlockWriter = (answerId: string, sink: AnswerSink): BlockWriter => {
  let index = -1;
  let open: BlockStart["type"] | null = null;
  let openTool: number | null = null;
  let sent = "";
  let digest: Seal = createSeal(answerId);
  let signature: string | null = null;

  const close = () => {
    if (open === null) return;
    if (open === "thinking") sink.signature(index, signature ?? digest.value);
    sink.blockStop(index);
    open = null;
    openTool = null;
  };
  const start = (block: BlockStart) => {
    close();
    index++;
    open = block.type;
    sink.blockStart(index, block);
  };
  const enter = (type: "text" | "thinking"): boolean => {
    if (open === type) return false;
    start({ type });
    if (type === "thinking") {
      digest = createSeal(answerId);
      signature = null;
    }
    return true;
  };
  const toolInput = (json: string) => {
    if (json === "") return;
    sent += json;
    sink.toolInput(index, json);
  };
  return {
    close,
    enter,
    text: (text) => sink.text(index, text),
    thinking(text) {
      digest.add(text);
      sink.thinking(index, text);
    },
    seal(given) {
      enter("thinking");
      signature = given;
      close();
    },
    startTool(event) {
      start({ type: "tool_use", id: toolUseId(event.callId), name: event.name });
      openTool = event.block;
      sent = "";
    },
    toolInput,
    endTool(fullArguments) {
      if (fullArguments.startsWith(sent)) toolInput(fullArguments.slice(sent.length));
      close();
    },
    get openTool() {
      return openTool;
    },
  };
};

/** The same id under the name that clients of this API know. */
const toolUseId = (callId: string): string => `toolu_${callId.replace(/^(?:call|toolu)_/, "")}`;

/** Text of the answer; pictures stand in it on lines of their own. */
const createWordWriter = (blocks: BlockWriter) => {
  let lineOpen = false;
  let breakBefore = false;
  const write = (text: string, own: boolean) => {
    const fresh = blocks.enter("text");
    const gap = !fresh && (own ? lineOpen : breakBefore && !text.startsWith("\n")) ? "\n" : "";
    blocks.text(gap + text);
    lineOpen = !text.endsWith("\n");
    breakBefore = own;
  };
  return {
    add(text: string): void {
      if (text !== "") write(text, false);
    },
    ownLine: (text: string): void => write(text, true),
  };
};

/** Reasoning, with what the model does meanwhile as lines among it. */
const createThoughtWriter = (blocks: BlockWriter) => {
  let lineOpen = false;
  let breakBefore = false;
  const write = (text: string, gap: string) => {
    const fresh = blocks.enter("thinking");
    blocks.thinking(fresh ? text : gap + text);
    lineOpen = !text.endsWith("\n");
    breakBefore = false;
  };
  return {
    add(text: string): void {
      if (text !== "") write(text, breakBefore ? (lineOpen ? "\n\n" : "\n") : "");
    },
    line: (text: string): void => write(`${text}\n`, lineOpen ? "\n" : ""),
    paragraph(): void {
      breakBefore = true;
    },
  };
};
