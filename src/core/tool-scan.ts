// Where a text that arrives in pieces may begin to call tools: the triggers, and the code fences in which nothing is one.
// Pure. Invariant: `triggerAt` says "perhaps" only while more text could still make the place a trigger.

/** How a block of calls is written; decides where it ends. */
export type BlockKind = (typeof TAGS)[number] | "json";

/** The longer name first: `<tool_call` begins both. */
const TAGS = ["tool_calls", "function_calls", "tool_call", "function_call", "xai:function_call", "invoke"] as const;
/** Blanks between the parts of a JSON opening; a longer run is no opening. */
const MAX_BLANKS = 64;

const OBJECT_OPENING = ["{", '"tool_calls"', ":"];
const CALL_KEYS = ["name", "function", "type", "id", "tool_name", "tool"];
const ARRAY_OPENINGS = CALL_KEYS.map((key) => ["[", "{", `"${key}"`, ":"]);

/** A place that may begin a block: nothing else needs a closer look. */
export const CANDIDATE = /[<{[]/g;

/** Matches the parts with blanks between them; "perhaps" when the text ends before the last part does. */
const sequence = (text: string, from: number, parts: readonly string[]): "perhaps" | boolean => {
  let at = from;
  for (const [index, part] of parts.entries()) {
    const begin = at;
    while (index > 0 && at - begin <= MAX_BLANKS && /\s/.test(text[at] ?? "")) at++;
    const piece = text.slice(at, at + part.length);
    if (piece !== part) return part.startsWith(piece) && at + piece.length === text.length ? "perhaps" : false;
    at += part.length;
  }
  return true;
};

const tagAt = (text: string, at: number): BlockKind | "perhaps" | null => {
  const rest = text.slice(at + 1, at + 24).toLowerCase();
  for (const tag of TAGS) {
    if (rest.length <= tag.length ? tag.startsWith(rest) : false) return "perhaps";
    if (rest.startsWith(tag) && /[\s>]/.test(rest[tag.length] ?? "")) return tag;
  }
  return null;
};

export const triggerAt = (
  text: string,
  at: number,
  place: { readonly lineStart: boolean },
): BlockKind | "perhaps" | null => {
  if (text[at] === "<") return tagAt(text, at);
  if (!place.lineStart) return null;
  const openings = text[at] === "{" ? [OBJECT_OPENING] : ARRAY_OPENINGS;
  const found = openings.map((parts) => sequence(text, at, parts));
  if (found.includes(true)) return "json";
  return found.includes("perhaps") ? "perhaps" : null;
};

export interface Surroundings {
  pass(text: string): void;
  /** After a block: the next text stands on a line of its own. */
  newLine(): void;
  /** Inside a code fence, on a fence's line, or right after a backtick. */
  readonly code: boolean;
  /** Only blanks so far on this line. */
  readonly lineStart: boolean;
}

const FENCE_OPENS = /^[\s>]*(?:(?:[-*+]|\d{1,9}[.)])\s+)?(`{3,}(?=[^`]*$)|~{3,})/;
/** Of a longer line only the beginning matters; it closes no fence. */
const MAX_LINE = 400;

/** Follows the text and knows whether a place in it is code (fences as in CommonMark, also inside quotes and lists). */
export const createSurroundings = (): Surroundings => {
  let line = "";
  let fence: string | null = null;

  const endLine = () => {
    if (fence === null) fence = FENCE_OPENS.exec(line)?.[1] ?? null;
    else {
      const mark = line.replace(/^[\s>]+/, "").trimEnd();
      if (mark.length >= fence.length && mark === (fence[0] ?? "").repeat(mark.length)) fence = null;
    }
    line = "";
  };
  return {
    pass(text) {
      let from = 0;
      for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
        line = (line + text.slice(from, at)).slice(0, MAX_LINE);
        endLine();
        from = at + 1;
      }
      if (from < text.length) {
        const rest = line + text.slice(from);
        // The last character is kept: it may be the backtick before a trigger.
        line = rest.length > MAX_LINE ? rest.slice(0, MAX_LINE - 1) + rest.slice(-1) : rest;
      }
    },
    newLine() {
      line = "";
    },
    get code() {
      return fence !== null || line.endsWith("`") || FENCE_OPENS.test(line);
    },
    get lineStart() {
      return line.trim() === "";
    },
  };
};
