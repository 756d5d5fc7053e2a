// Colours code by what most languages have in common: comments, strings, numbers, words that are reserved somewhere.
// Invariant: the text is shown as it is; a language that it does not know loses colours only.
import type { ComponentChild } from "preact";

const WORDS =
  "abstract and any as async await bool boolean break case catch chan char class const continue def default defer del do double elif else end enum export extends false final finally float fn for from func function go if impl implements import in instanceof int interface is lambda let long match mod mut new nil none not null number or package pass private protected pub public raise return self select static string struct super switch then this throw throws trait true try type typeof undefined union unsafe until use using val var virtual void when where while with yield";

const RESERVED = new Set([...WORDS.split(" "), "None", "True", "False"]);
const SQL = new Set(
  "SELECT FROM WHERE INSERT INTO VALUES UPDATE SET DELETE CREATE TABLE JOIN LEFT ON GROUP BY ORDER LIMIT AND OR NOT NULL AS".split(
    " ",
  ),
);

/** Languages in which # begins a comment, and those in which -- does. */
const HASH = /^(py|python|rb|ruby|sh|bash|shell|zsh|yaml|yml|toml|r|perl|make|dockerfile|ini)$/;
const DASHES = /^(sql|lua|haskell|hs)$/;
const MARKUP = /^(html|xml|svg|vue)$/;

const tokenPattern = (language: string): RegExp => {
  const comments = [
    ...(HASH.test(language) ? ["#[^\\n]*"] : []),
    ...(DASHES.test(language) ? ["--[^\\n]*"] : []),
    ...(MARKUP.test(language) ? ["<!--[\\s\\S]*?-->"] : []),
    ...(HASH.test(language) || MARKUP.test(language) ? [] : ["\\/\\/[^\\n]*", "\\/\\*[\\s\\S]*?\\*\\/"]),
  ];
  const strings = ['"(?:[^"\\\\\\n]|\\\\.)*"', "'(?:[^'\\\\\\n]|\\\\.)*'", "`(?:[^`\\\\]|\\\\.)*`"];
  return new RegExp(
    `(?<comment>${comments.join("|")})|(?<string>${strings.join("|")})|(?<number>\\b\\d[\\w.]*\\b)|(?<word>[A-Za-z_$][\\w$]*)`,
    "g",
  );
};

const kindOf = (groups: Record<string, string | undefined>): string | null => {
  if (groups["comment"] !== undefined) return "comment";
  if (groups["string"] !== undefined) return "string";
  if (groups["number"] !== undefined) return "number";
  const { word = "" } = groups;
  return RESERVED.has(word) || SQL.has(word) ? "word" : null;
};

export const highlight = (code: string, language: string): ComponentChild[] => {
  const parts: ComponentChild[] = [];
  let at = 0;
  for (const match of code.matchAll(tokenPattern(language.toLowerCase()))) {
    const kind = kindOf(match.groups ?? {});
    if (kind === null) continue;
    if (match.index > at) parts.push(code.slice(at, match.index));
    parts.push(
      <span key={match.index} class={`code-${kind}`}>
        {match[0]}
      </span>,
    );
    at = match.index + match[0].length;
  }
  parts.push(code.slice(at));
  return parts;
};
