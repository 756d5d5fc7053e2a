// The one parser of emulated tool calls, for streams and whole answers: text in any pieces in, text and calls out.
// States: TEXT → CAPTURE → DONE. Only a tail that may become a block is held back. Invariants: the pieces' borders change
// nothing; a block that is no call after all comes out again as the text that it was; text after the first call does not.
import type { ToolDefinition } from "./request.ts";
import { createJsonEnd, type Reading } from "./tool-json.ts";
import { type BlockCalls, type FindTool, readJsonCalls, readMarkup, unfinishedArguments } from "./tool-markup.ts";
import { CANDIDATE, createSurroundings, triggerAt, type BlockKind } from "./tool-scan.ts";

export interface ToolSink {
  text(text: string): void;
  call(name: string, argumentsJson: string): void;
}

export interface ToolReaderOptions {
  /** The tools that may be called; a call of another name is text. */
  readonly tools: readonly ToolDefinition[];
  /** False keeps the first call of the answer. */
  readonly parallel: boolean;
}

export interface ToolReader {
  push(text: string): void;
  /** The text is over: what is held back is decided now. */
  end(): void;
  /** True once a call was read. */
  readonly called: boolean;
}

/** A block larger than this is taken for text. */
const MAX_BLOCK = 4 * 1024 * 1024;
/** Closing tags tried when a block has to be mended. */
const MAX_CLOSINGS = 64;

const findIn = (tools: readonly ToolDefinition[]): FindTool => {
  const exact = new Map(tools.map((tool) => [tool.name, tool]));
  const folded = new Map(tools.map((tool) => [tool.name.toLowerCase(), tool]));
  return (name) => exact.get(name) ?? folded.get(name.trim().toLowerCase());
};

/** What a captured block turned out to be; "open" while it may still grow. */
type Verdict = "open" | "text" | { readonly calls: BlockCalls["calls"]; readonly length: number };

const closingOf = (kind: BlockKind): RegExp => new RegExp(`</${kind}\\s{0,8}>`, "gi");
/** No closing tag is longer. */
const CLOSING_LENGTH = 32;

/** What has to follow an opening tag; anything else is somebody writing about tool calls. */
const opensCalls = (kind: BlockKind, block: string): boolean | null => {
  const head = block.indexOf(">");
  if (head < 0) return block.length > 512 ? false : null;
  if (/\bname\s*=\s*["'][^"']+["']/i.test(block.slice(0, head))) return true;
  if (kind === "invoke") return false;
  const next = /\S/.exec(block.slice(head + 1))?.[0];
  return next === undefined ? null : next === "<" || next === "{" || next === "[" || next === "`";
};

const createBlockReader = (find: FindTool) => {
  /** Up to where closing tags were tried in vain. */
  let tried = 0;
  let brackets = createJsonEnd();

  const declared = ({ calls }: BlockCalls) =>
    calls.flatMap((call) => {
      const tool = find(call.name);
      return tool ? [{ name: tool.name, arguments: call.arguments }] : [];
    });
  const judge = (read: BlockCalls, length: number): Verdict => {
    const calls = declared(read);
    return calls.length > 0 ? { calls, length } : "text";
  };

  const json = (block: string, final: boolean): Verdict => {
    const end = brackets.end(block);
    if (end > 0) return judge(readJsonCalls(block.slice(0, end), "repair"), end);
    if (!final) return "open";
    // The outermost bracket may be forgotten; with more missing, the answer broke off and so may the arguments have.
    const closed = block.trimEnd() + (block.startsWith("[") ? "]" : "}");
    return judge(readJsonCalls(closed, "strict"), block.length);
  };

  /** The content of an envelope may be JSON instead of elements. */
  const content = (block: string, reading: Reading): BlockCalls => {
    const read = readMarkup(block, { reading, find });
    if (read.calls.length > 0) return read;
    const bare = /^<(?:tool|function)_calls?\b[^>]*>([\s\S]*?)(?:<\/(?:tool|function)_calls?\s*>)?$/i.exec(block)?.[1];
    if (bare === undefined || !/^\s*[[{]/.test(bare)) return read;
    const listed = readJsonCalls(bare, reading);
    if (listed.calls.length > 0) return listed;
    const single = readJsonCalls(`[${bare.trim()}]`, "strict");
    return single.calls.length > 0 ? single : read;
  };

  const markup = (kind: BlockKind, block: string, final: boolean): Verdict => {
    const opens = opensCalls(kind, block);
    if (opens === false || (opens === null && final)) return "text";
    const closing = closingOf(kind);
    closing.lastIndex = tried;
    for (let match = closing.exec(block); match; match = closing.exec(block)) {
      const read = content(block.slice(0, closing.lastIndex), "strict");
      if (read.complete && read.calls.length > 0) return judge(read, closing.lastIndex);
      tried = closing.lastIndex;
    }
    return final ? mended(kind, block) : "open";
  };

  /** The text is over and nothing was sound: the first closing tag under which something can be mended counts. */
  const mended = (kind: BlockKind, block: string): Verdict => {
    const ends = [...block.matchAll(closingOf(kind))].map((match) => match.index + match[0].length);
    for (const end of [...ends.slice(0, MAX_CLOSINGS), block.length]) {
      const verdict = judge(content(block.slice(0, end), "repair"), end);
      if (verdict !== "text") return verdict;
    }
    return "text";
  };

  return {
    begin() {
      tried = 0;
      brackets = createJsonEnd();
    },
    read(kind: BlockKind, block: string, final: boolean): Verdict {
      if (block.length > MAX_BLOCK) return "text";
      return kind === "json" ? json(block, final) : markup(kind, block, final);
    },
  };
};

export const createToolReader = (options: ToolReaderOptions, sink: ToolSink): ToolReader => {
  const blocks = createBlockReader(findIn(options.tools));
  const place = createSurroundings();
  /** Text that is not decided yet: blanks that may stand before a block, then perhaps its beginning. */
  let held = "";
  /** How much of `held` the surroundings have seen. */
  let passed = 0;
  let capture: { readonly kind: BlockKind; readonly from: number } | null = null;
  /** Pieces of a block that cannot have ended it: joined when one comes that may, so that a long block stays cheap. */
  let waiting: string[] = [];
  let tail = "";
  let called = false;

  const say = (length: number) => {
    if (length > 0 && !called) sink.text(held.slice(0, length));
    held = held.slice(length);
    passed -= length;
  };
  const passTo = (at: number) => {
    if (at > passed) place.pass(held.slice(passed, at));
    passed = at;
  };
  /** The text before `at`, without the blanks before it: they are nothing if a call follows. */
  const sayUntil = (at: number) => say(held.slice(0, at).trimEnd().length);

  /** TEXT: goes on to the next block, or says what is surely text. True when a block begins. */
  const scan = (final: boolean): boolean => {
    const candidate = new RegExp(CANDIDATE);
    candidate.lastIndex = passed;
    for (let match = candidate.exec(held); match; match = candidate.exec(held)) {
      const at = match.index;
      passTo(at);
      if (place.code) continue;
      const found = triggerAt(held, at, place);
      if (found === null || (found === "perhaps" && final)) continue;
      sayUntil(at);
      if (found === "perhaps") return false;
      blocks.begin();
      capture = { kind: found, from: passed };
      tail = held.slice(-CLOSING_LENGTH);
      return true;
    }
    passTo(held.length);
    if (final) say(held.length);
    else sayUntil(held.length);
    return false;
  };

  /** CAPTURE: true when the block was decided. */
  const decide = ({ kind, from }: { kind: BlockKind; from: number }, final: boolean): boolean => {
    const verdict = blocks.read(kind, held.slice(from), final);
    if (verdict === "open") return false;
    capture = null;
    if (verdict === "text") {
      passTo(from + (final ? unfinishedArguments(held.slice(from)) : 1));
      return true;
    }
    for (const call of verdict.calls) {
      if (called && !options.parallel) break;
      called = true;
      sink.call(call.name, JSON.stringify(call.arguments));
    }
    held = held.slice(from + verdict.length);
    passed = 0;
    place.newLine();
    return true;
  };

  /** True when a captured block may have ended in `text`. */
  const mayDecide = (kind: BlockKind, text: string): boolean => {
    const seen = tail + text;
    tail = seen.slice(-CLOSING_LENGTH);
    if (kind === "json") return /[}\]]/.test(text);
    return opensCalls(kind, held.slice(capture?.from)) !== true || closingOf(kind).test(seen);
  };

  const run = (final: boolean) => {
    while (capture ? decide(capture, final) : scan(final));
  };

  return {
    push(text) {
      if (called && !options.parallel) return;
      waiting.push(text);
      if (capture && !mayDecide(capture.kind, text)) return;
      held += waiting.join("");
      waiting = [];
      run(false);
    },
    end() {
      held += waiting.join("");
      waiting = [];
      run(true);
    },
    get called() {
      return called;
    },
  };
};
