// What a chat answer consists of: events become content, reasoning, tool calls, citations and an end, in the order in
// which a caller sees them. The stream and the single body are both written from here, so that they cannot disagree.
// Knows neither frames nor bodies. Invariant: works event by event; where batches begin or end changes nothing.
import type { GatewayError } from "../../core/errors.ts";
import type { ActivityKind, FinishReason, GenerationEvent, Usage } from "../../core/events.ts";

/** How reasoning is shown: its own field, inline `<think>` tags, or not at all. */
export type ReasoningFormat = "reasoning_content" | "think_tags" | "hidden";

/** A cited page, with its place in the final content. */
export interface Citation {
  readonly url: string;
  readonly title: string;
  readonly start: number;
  readonly end: number;
}

export interface ChatEnd {
  readonly reason: FinishReason;
  readonly usage: Usage | null;
  readonly citations: readonly Citation[];
}

/** Called in the order of the answer; texts are never empty; `finish` or `failure` comes last. */
export interface ChatSink {
  start(): void;
  content(text: string): void;
  reasoning(text: string): void;
  toolStart(index: number, call: { readonly id: string; readonly name: string }): void;
  toolArguments(index: number, text: string): void;
  finish(end: ChatEnd): void;
  failure(error: GatewayError): void;
}

export interface ChatFold {
  accept(event: GenerationEvent): void;
  /** True after `finish` or `failure`; later events are ignored. */
  readonly ended: boolean;
}

const ACTIVITY: Readonly<Record<ActivityKind, string>> = {
  "web-search": "Searching the web",
  "x-search": "Searching X",
  code: "Running code",
  browse: "Reading",
  "image-search": "Searching for pictures",
  agent: "Agent",
  other: "Working",
};

export const createChatFold = (format: ReasoningFormat, sink: ChatSink): ChatFold => {
  const content = createContentWriter(sink);
  const reasoning = createReasoningWriter(format, { sink, content });
  const tools = createToolWriter(sink);
  const citations = createCitations(content);
  let usage: Usage | null = null;
  let ended = false;

  const text = (piece: string) => {
    if (piece === "") return;
    reasoning.close();
    content.answer(piece);
  };
  const ownLine = (piece: string) => {
    reasoning.close();
    content.ownLine(piece);
  };
  const finish = (reason: FinishReason) => {
    reasoning.close();
    sink.finish({ reason, usage, citations: citations.all() });
  };

  return {
    get ended() {
      return ended;
    },
    accept(event) {
      if (ended) return;
      switch (event.type) {
        case "text-delta":
          return text(event.text);
        case "reasoning-delta":
          return reasoning.add(event.text);
        case "start":
          return sink.start();
        case "reasoning-start":
          return reasoning.paragraph();
        case "activity":
          if (event.phase === "start") reasoning.line(activityText(event));
          return;
        case "tool-start":
          reasoning.close();
          return tools.start(event);
        case "tool-delta":
          return tools.add(event.block, event.text);
        case "tool-end":
          return tools.end(event.block, event.arguments);
        case "image":
          // A picture without a link could not be stored; its upstream address is useless to a caller.
          if (!event.partial && event.source.link !== undefined) ownLine(`![image](${event.source.link})`);
          return;
        case "video":
          if (event.source.link !== undefined) ownLine(`[video](${event.source.link})`);
          return;
        case "citation":
          return citations.add(event);
        case "usage":
          usage = event.usage;
          return;
        case "finish":
          ended = true;
          return finish(event.reason);
        case "failure":
          ended = true;
          return sink.failure(event.error);
        case "reasoning-end":
        case "text-start":
        case "text-end":
        case "progress":
        case "upstream":
        case "audio":
        case "connected":
          return;
        default:
          event satisfies never;
      }
    },
  };
};

const activityText = (event: Extract<GenerationEvent, { type: "activity" }>): string => {
  const who = event.agent === undefined || event.agent === "" ? "" : `${event.agent}: `;
  const what = event.detail === "" ? "" : `: ${event.detail}`;
  return `${who}${ACTIVITY[event.kind]}${what}`;
};

interface ContentWriter {
  /** A piece of the upstream's answer; citations count in these. */
  answer(text: string): void;
  /** Text of ours on a line of its own. */
  ownLine(text: string): void;
  /** Text of ours, as it is. */
  extra(text: string): void;
  /** Where a position of the upstream's answer lies in the final content. */
  place(position: number, side: "start" | "end"): number;
  readonly length: number;
  /** True when the content does not end with a line break. */
  readonly lineOpen: boolean;
}

/** Counts what it writes, because our own insertions shift every later citation. */
const createContentWriter = (sink: ChatSink): ContentWriter => {
  const inserted: { readonly at: number; readonly length: number }[] = [];
  let answered = 0;
  let length = 0;
  let lineOpen = false;
  let breakBefore = false;

  const write = (text: string) => {
    length += text.length;
    lineOpen = !text.endsWith("\n");
    sink.content(text);
  };
  const insert = (text: string) => {
    inserted.push({ at: answered, length: text.length });
    write(text);
  };
  /** What ends a line of ours before something else follows. */
  const lineEnd = (next: string): string => {
    const end = breakBefore && !next.startsWith("\n") ? "\n" : "";
    breakBefore = false;
    return end;
  };
  return {
    get length() {
      return length;
    },
    get lineOpen() {
      return lineOpen && !breakBefore;
    },
    extra(text) {
      insert(lineEnd(text) + text);
    },
    answer(text) {
      const end = lineEnd(text);
      if (end !== "") inserted.push({ at: answered, length: end.length });
      answered += text.length;
      write(end + text);
    },
    ownLine(text) {
      insert(lineOpen ? `\n${text}` : text);
      breakBefore = true;
    },
    place(position, side) {
      let place = position;
      for (const { at, length: size } of inserted) {
        if (side === "start" ? at <= position : at < position) place += size;
      }
      return place;
    },
  };
};

interface ReasoningWriter {
  add(text: string): void;
  /** A line of ours among the reasoning. */
  line(text: string): void;
  /** The next reasoning begins a new paragraph. */
  paragraph(): void;
  /** The answer goes on: whatever marks reasoning inside the content ends here. */
  close(): void;
}

const createReasoningWriter = (
  format: ReasoningFormat,
  out: { readonly sink: ChatSink; readonly content: ContentWriter },
): ReasoningWriter => {
  let written = false;
  let lineOpen = false;
  let breakBefore = false;
  let tagOpen = false;

  const write = (text: string) => {
    if (format === "reasoning_content") out.sink.reasoning(text);
    else {
      const tag = tagOpen ? "" : `${out.content.lineOpen ? "\n" : ""}<think>\n`;
      tagOpen = true;
      out.content.extra(tag + text);
    }
    written = true;
    lineOpen = !text.endsWith("\n");
  };
  const hidden = format === "hidden";
  return {
    add(text) {
      if (hidden || text === "") return;
      const gap = !breakBefore || !written ? "" : lineOpen ? "\n\n" : "\n";
      breakBefore = false;
      write(gap + text);
    },
    line(text) {
      if (hidden) return;
      write(`${lineOpen ? "\n" : ""}${text}\n`);
      breakBefore = false;
    },
    paragraph() {
      breakBefore = true;
    },
    close() {
      if (!tagOpen) return;
      out.content.extra(lineOpen ? "\n</think>\n" : "</think>\n");
      tagOpen = false;
      // What follows is a new block of reasoning with tags of its own.
      written = false;
      lineOpen = false;
    },
  };
};

interface ToolWriter {
  start(event: Extract<GenerationEvent, { type: "tool-start" }>): void;
  add(block: number, text: string): void;
  end(block: number, fullArguments: string): void;
}

/** Blocks count all kinds of content; callers count tool calls alone, from 0. */
const createToolWriter = (sink: ChatSink): ToolWriter => {
  const open = new Map<number, { readonly index: number; sent: string }>();
  let count = 0;
  const add = (block: number, text: string) => {
    const tool = open.get(block);
    if (tool === undefined || text === "") return;
    tool.sent += text;
    sink.toolArguments(tool.index, text);
  };
  return {
    start(event) {
      const index = count++;
      open.set(event.block, { index, sent: "" });
      sink.toolStart(index, { id: event.callId, name: event.name });
    },
    add,
    end(block, fullArguments) {
      const sent = open.get(block)?.sent ?? "";
      if (fullArguments.startsWith(sent)) add(block, fullArguments.slice(sent.length));
      open.delete(block);
    },
  };
};

const createCitations = (content: ContentWriter) => {
  const seen = new Map<string, Extract<GenerationEvent, { type: "citation" }>>();
  return {
    add(event: Extract<GenerationEvent, { type: "citation" }>): void {
      seen.set(`${event.range?.join("-") ?? ""} ${event.url}`, event);
    },
    /** A source that is only listed points at the end of the answer. */
    all(): readonly Citation[] {
      return [...seen.values()].map(({ url, title, range }) => ({
        url,
        title,
        start: range === undefined ? content.length : content.place(range[0], "start"),
        end: range === undefined ? content.length : content.place(range[1], "end"),
      }));
    },
  };
};
