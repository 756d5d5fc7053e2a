// Cuts Markdown into blocks: headings, lists, quotes, tables, code, paragraphs. Pure; draws nothing.
// Invariant: a text that is still arriving never fails; what is not closed yet reaches to the end.

export type Block =
  | { readonly kind: "heading"; readonly level: number; readonly text: string }
  | { readonly kind: "code"; readonly language: string; readonly text: string }
  | { readonly kind: "quote"; readonly blocks: readonly Block[] }
  | {
      readonly kind: "list";
      readonly ordered: boolean;
      readonly start: number;
      readonly items: readonly (readonly Block[])[];
    }
  | { readonly kind: "table"; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: "line" }
  | { readonly kind: "text"; readonly text: string };

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const LINE = /^ {0,3}([-*_])( *\1){2,} *$/;
const TABLE_RULE = /^ *\|?( *:?-+:? *\|)+ *(:?-+:? *)?$/;

const indentOf = (line: string): number => line.length - line.trimStart().length;

const cells = (line: string): string[] =>
  line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll("\\|", "|"));

interface Cut {
  readonly block: Block;
  /** Lines that it took. */
  readonly taken: number;
}

type Cutter = (lines: readonly string[]) => Cut | null;

const code: Cutter = (lines) => {
  const [, fence, language = ""] = FENCE.exec(lines[0] ?? "") ?? [];
  if (fence === undefined) return null;
  const end = lines.findIndex(
    (line, index) => index > 0 && line.trim().startsWith(fence) && line.trim() === fence[0]?.repeat(line.trim().length),
  );
  const last = end < 0 ? lines.length : end;
  return { block: { kind: "code", language, text: lines.slice(1, last).join("\n") }, taken: last + 1 };
};

const heading: Cutter = ([line = ""]) => {
  const [, marks, text = ""] = HEADING.exec(line) ?? [];
  return marks === undefined ? null : { block: { kind: "heading", level: marks.length, text }, taken: 1 };
};

const rule: Cutter = ([line = ""]) => (LINE.test(line) ? { block: { kind: "line" }, taken: 1 } : null);

const quote: Cutter = (lines) => {
  const count = lines.findIndex((line) => !/^ {0,3}>/.test(line));
  const taken = count < 0 ? lines.length : count;
  if (taken === 0) return null;
  const inner = lines.slice(0, taken).map((line) => line.replace(/^ {0,3}> ?/, ""));
  return { block: { kind: "quote", blocks: cutLines(inner) }, taken };
};

const table: Cutter = (lines) => {
  const [head = "", below = ""] = lines;
  if (!head.includes("|") || !TABLE_RULE.test(below)) return null;
  const end = lines.findIndex((line, index) => index > 1 && !line.includes("|"));
  const taken = end < 0 ? lines.length : end;
  return { block: { kind: "table", head: cells(head), rows: lines.slice(2, taken).map(cells) }, taken };
};

const list: Cutter = (lines) => {
  const [, space = "", mark] = ITEM.exec(lines[0] ?? "") ?? [];
  if (mark === undefined) return null;
  const ordered = /\d/.test(mark);
  const items: string[][] = [];
  let taken = 0;
  for (const line of lines) {
    const found = ITEM.exec(line);
    const isOwn =
      found !== null && (found[1]?.length ?? 0) <= space.length + 1 && /\d/.test(found[2] ?? "") === ordered;
    if (isOwn) items.push([found[3] ?? ""]);
    else if (line.trim() === "" || indentOf(line) > space.length) items.at(-1)?.push(line);
    else break;
    taken++;
  }
  const start = ordered ? Number.parseInt(mark, 10) : 1;
  return { block: { kind: "list", ordered, start, items: items.map((item) => cutLines(dedent(item))) }, taken };
};

/** Lines after the first lose the indent that made them part of the item. */
const dedent = ([first = "", ...rest]: readonly string[]): string[] => {
  const filled = rest.filter((line) => line.trim() !== "");
  const common = Math.min(...filled.map(indentOf), 99);
  return [first, ...rest.map((line) => line.slice(Math.min(common, indentOf(line))))];
};

const CUTTERS: readonly Cutter[] = [code, heading, rule, quote, table, list];

const cutLines = (lines: readonly string[]): Block[] => {
  const blocks: Block[] = [];
  let text: string[] = [];
  const flush = () => {
    if (text.length > 0) blocks.push({ kind: "text", text: text.join("\n") });
    text = [];
  };
  for (let at = 0; at < lines.length;) {
    const rest = lines.slice(at);
    const cut = CUTTERS.map((cutter) => cutter(rest)).find((found) => found !== null);
    if (cut) {
      flush();
      blocks.push(cut.block);
      at += cut.taken;
      continue;
    }
    const line = lines[at] ?? "";
    if (line.trim() === "") flush();
    else text.push(line);
    at++;
  }
  flush();
  return blocks;
};

export const blocksOf = (markdown: string): Block[] => cutLines(markdown.split(/\r?\n/));
