// Cuts Markdown into tokens with marked, and formulas with it. Pure; draws nothing.
// Invariant: a text that only grew is not cut again from its start: what can no longer change stays the very same object.
import { Marked, type MarkedToken, type Token, type TokenizerExtension } from "marked";

export interface FormulaToken {
  readonly type: "formula";
  readonly raw: string;
  readonly tex: string;
  readonly display: boolean;
}

/** Every kind that there is; marked's own type leaves room for any other. */
export type KnownToken = MarkedToken | FormulaToken;

const formula = (raw: string, tex: string | undefined, display: boolean): FormulaToken | undefined =>
  tex === undefined || tex.trim() === "" ? undefined : { type: "formula", raw, tex: tex.trim(), display };

/** `$$ … $$` and `\[ … \]` over whole lines. */
const BLOCK = /^ {0,3}(?:\$\$([\s\S]+?)\$\$|\\\[([\s\S]+?)\\\])[ \t]*(?:\n|$)/;
/** The same inside a line, `\( … \)`, and `$ … $` as long as it cannot be an amount of money. */
const INLINE =
  /^(?:\$\$([^\n]+?)\$\$|\\\[([^\n]+?)\\\]|\\\(([\s\S]+?)\\\)|\$(?![\s$])((?:\\.|[^\\$\n])*?[^\s\\$])\$(?![\d$]))/;

const block: TokenizerExtension = {
  name: "formula",
  level: "block",
  start: (source) => {
    const found = source.search(/(?:^|\n) {0,3}(?:\$\$|\\\[)/);
    return found < 0 ? undefined : found;
  },
  tokenizer: (source) => {
    const [raw, dollars, bracket] = BLOCK.exec(source) ?? [];
    return raw === undefined ? undefined : formula(raw, dollars ?? bracket, true);
  },
};

const inline: TokenizerExtension = {
  name: "formula",
  level: "inline",
  start: (source) => {
    const found = source.search(/\$|\\[([]/);
    return found < 0 ? undefined : found;
  },
  tokenizer: (source) => {
    const [raw, dollars, bracket, paren, dollar] = INLINE.exec(source) ?? [];
    if (raw === undefined) return undefined;
    return formula(raw, dollars ?? bracket ?? paren ?? dollar, dollars !== undefined || bracket !== undefined);
  },
};

const marked = new Marked({ gfm: true, breaks: true }, { extensions: [block, inline] });

export const tokensOf = (text: string): Token[] => marked.lexer(text);

export interface Reading {
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** A list or a quote may go on after what looks like its end. */
const MAY_CHANGE = 3;

/** Cuts a text; with what was read of an earlier state of it, only its end. */
export const read = (text: string, before: Reading | null): Reading => {
  if (before === null || !text.startsWith(before.text)) return { text, tokens: tokensOf(text) };
  if (text === before.text) return before;
  const filled = before.tokens.map((_, index) => index).filter((index) => before.tokens[index]?.type !== "space");
  const settled = before.tokens.slice(0, filled.at(-MAY_CHANGE) ?? 0);
  const length = settled.reduce((sum, { raw }) => sum + raw.length, 0);
  // What marked tidies up on its way, such as tabs, makes its tokens differ from the text; then all is read again.
  if (!text.startsWith(settled.map(({ raw }) => raw).join(""))) return { text, tokens: tokensOf(text) };
  return { text, tokens: [...settled, ...tokensOf(text.slice(length))] };
};
