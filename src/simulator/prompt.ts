// Reads the one string that a chat call carries back into turns, whatever way the caller flattened it.
// Must not know any caller's code. Invariant: a message without role marks is one user turn, word for word.

export interface PromptTurn {
  role: string;
  text: string;
}

export interface Prompt {
  message: string;
  turns: PromptTurn[];
  /** The last user turn; the whole message when no turn is the user's. */
  lastUser: string;
  /** A tool's result stands after the last user turn. */
  toolResult: string | undefined;
  /** The model's last answer is shown to it again with a remark: after the user come an answer and a system turn. */
  corrected: boolean;
  toolNames: string[];
}

const ROLE = "system|developer|user|assistant|tool";
/** `[user]` on a line of its own, `[user]: text`, `[tool result for x]`, with or without a colon. */
const BRACKET = new RegExp(`^\\[(${ROLE}|tool result(?: for [^\\]\\n]*)?)\\]:?[ ]?`, "gim");
/** `user: text` at the start of a paragraph. */
const PREFIX = new RegExp(`^(${ROLE})(?:\\[[^\\]\\n]*\\])?(?:#\\S+)?: `, "i");

export function readPrompt(message: string): Prompt {
  const turns = readBracketTurns(message) ?? readPrefixTurns(message) ?? [{ role: "user", text: message }];
  const lastUserIndex = turns.findLastIndex((turn) => turn.role === "user");
  const after = turns.slice(lastUserIndex + 1);
  const result = after.findLast((turn) => turn.role.startsWith("tool") || turn.text.startsWith("Tool result ("));
  return {
    message,
    turns,
    lastUser: turns[lastUserIndex]?.text ?? message,
    toolResult: result?.text.replace(/^Tool result \([^)]*\): ?/, ""),
    corrected: after.at(-2)?.role === "assistant" && after.at(-1)?.role === "system",
    toolNames: readToolNames(message),
  };
}

function readBracketTurns(message: string): PromptTurn[] | undefined {
  const marks = [...message.matchAll(BRACKET)];
  if (marks.length === 0 || (marks[0]?.index ?? 0) > 0) return undefined;
  return marks.map((mark, index) => {
    const start = mark.index + mark[0].length;
    const text = message.slice(start, marks[index + 1]?.index ?? message.length);
    return { role: (mark[1] ?? "user").toLowerCase(), text: text.replace(/^\n/, "").trimEnd() };
  });
}

function readPrefixTurns(message: string): PromptTurn[] | undefined {
  const blocks = message.split("\n\n");
  if (!blocks.some((block) => PREFIX.test(block))) return undefined;
  const turns: PromptTurn[] = [];
  blocks.forEach((block, index) => {
    const mark = PREFIX.exec(block);
    const previous = turns.at(-1);
    if (mark !== null) {
      turns.push({ role: (mark[1] ?? "user").toLowerCase(), text: block.slice(mark[0].length) });
    } else if (previous?.role === "bare" || (previous !== undefined && !lastBareBlock(blocks, index))) {
      previous.text += `\n\n${block}`;
    } else {
      turns.push({ role: "bare", text: block });
    }
  });
  return turns.map((turn) => (turn.role === "bare" ? { ...turn, role: "user" } : turn));
}

/** Only the bare paragraphs that follow the last marked one, or stand before a tool's result, are the user's. */
function lastBareBlock(blocks: string[], index: number): boolean {
  const nextMarked = blocks.slice(index + 1).find((block) => PREFIX.test(block));
  return nextMarked === undefined || /^(tool|assistant)/i.test(nextMarked);
}

function readToolNames(message: string): string[] {
  const patterns = [
    /^\s*(?:[-*]\s*)?Tool(?: name)?:\s*`?([A-Za-z_][\w.-]*)/gim,
    /^#{2,4}\s+(?:Tool:?\s+)?`?([A-Za-z_][\w.-]*)`?\s*$/gm,
    /<tool_name>\s*([A-Za-z_][\w.-]*)\s*<\/tool_name>/g,
    /"name"\s*:\s*"([A-Za-z_][\w.-]*)"/g,
    /^\s*[-*]\s+`?([A-Za-z_][\w.-]*)`?\s*[:(]/gm,
  ];
  for (const pattern of patterns) {
    const names = [...message.matchAll(pattern)].map((match) => match[1] ?? "");
    const real = names.filter((name) => name !== "" && !/^(name|tool_name|function_name)$/i.test(name));
    if (real.length > 0) return [...new Set(real)];
  }
  return [];
}
