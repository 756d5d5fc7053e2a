// Draws what stands inside a line: emphasis, links, code, pictures, formulas. Knows no block.
// Invariant: links lead only to the web, to mail or to files of this gateway; anything else stays words.
import type { Token, Tokens } from "marked";
import type { ComponentChild } from "preact";
import { Clip, Picture } from "../media.tsx";
import { at, ownFile } from "../place.ts";
import { Formula } from "./formula.tsx";
import type { KnownToken } from "./tokens.ts";

export const inline = (tokens: readonly Token[]): ComponentChild[] =>
  tokens.map((token, index) => <Piece key={index} token={token as KnownToken} />);

/** Marked leaves `&amp;` and its like to the browser. */
const decoded = (text: string): string => {
  if (!/&(#\w+|\w+);/.test(text)) return text;
  return new DOMParser().parseFromString(text.replaceAll("<", "&lt;"), "text/html").documentElement.textContent ?? text;
};

const Piece = ({ token }: { token: KnownToken }): ComponentChild => {
  switch (token.type) {
    case "strong":
      return <strong>{inline(token.tokens)}</strong>;
    case "em":
      return <em>{inline(token.tokens)}</em>;
    case "del":
      return <s>{inline(token.tokens)}</s>;
    case "codespan":
      return <code class="inline-code">{token.text}</code>;
    case "br":
      return <br />;
    case "formula":
      return <Formula tex={token.tex} display={token.display} />;
    case "image":
      return <Picture source={token.href} alt={token.text} />;
    case "link":
      return <Link link={token} />;
    case "html":
      return /^<br\s*\/?>$/i.test(token.raw) ? <br /> : token.raw;
    case "escape":
      return token.text;
    case "text":
      return token.tokens ? <>{inline(token.tokens)}</> : decoded(token.text);
    case "checkbox":
      return null;
    default:
      return token.raw;
  }
};

const isWeb = (address: string): boolean => /^(https?:|mailto:)/i.test(address) || address.startsWith("/v1/files/");
const isClip = (address: string): boolean => /\/v1\/files\/video\//.test(address) && ownFile(address) !== null;

const Link = ({ link: { href, tokens } }: { link: Tokens.Link }) => {
  if (isClip(href)) return <Clip source={href} />;
  if (!isWeb(href)) return <span>{inline(tokens)}</span>;
  return (
    <a href={href.startsWith("/") ? at(href) : href} target="_blank" rel="noopener noreferrer">
      {inline(tokens)}
    </a>
  );
};
