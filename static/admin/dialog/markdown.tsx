// Draws Markdown as elements. No text ever becomes markup: whatever a model writes stays text, and links lead only to the web.
// Invariant: a picture is shown only from this gateway or from the answer itself; others are links.
import type { ComponentChild } from "preact";
import { CopyButton } from "../../shared/copy-button.tsx";
import { at, ownFile } from "../../shared/place.ts";
import { type Block, blocksOf } from "./blocks.ts";
import { highlight } from "./highlight.tsx";
import { say } from "./words.ts";

export const Markdown = ({ text }: { text: string }) => <div class="markdown">{blocksOf(text).map(shown)}</div>;

const shown = (block: Block, key: number): ComponentChild => {
  switch (block.kind) {
    case "heading":
      return (
        <p key={key} class={`heading heading-${block.level}`} role="heading" aria-level={Math.min(6, block.level + 2)}>
          {inline(block.text)}
        </p>
      );
    case "code":
      return (
        <div key={key} class="code-block">
          <div class="row code-head">
            <span class="grow muted small-text">{block.language}</span>
            <CopyButton text={block.text} />
          </div>
          <pre class="code" tabIndex={0}>
            <code>{highlight(block.text, block.language)}</code>
          </pre>
        </div>
      );
    case "quote":
      return <blockquote key={key}>{block.blocks.map(shown)}</blockquote>;
    case "list": {
      const items = block.items.map((item, index) => <li key={index}>{item.map(tight)}</li>);
      return block.ordered ? (
        <ol key={key} start={block.start}>
          {items}
        </ol>
      ) : (
        <ul key={key}>{items}</ul>
      );
    }
    case "table":
      return <Table key={key} head={block.head} rows={block.rows} />;
    case "line":
      return <hr key={key} />;
    case "text":
      return <p key={key}>{inline(block.text)}</p>;
    default:
      return block satisfies never;
  }
};

/** Items of a list need no paragraphs. */
const tight = (block: Block, key: number): ComponentChild =>
  block.kind === "text" ? <span key={key}>{inline(block.text)}</span> : shown(block, key);

const Table = ({ head, rows }: { head: readonly string[]; rows: readonly (readonly string[])[] }) => (
  <div class="table-wrap">
    <table class="table">
      <thead>
        <tr>
          {head.map((cell, index) => (
            <th key={index}>{inline(cell)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((cell, column) => (
              <td key={column}>{inline(cell)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

const INLINE =
  /(?<code>`+)(?<coded>[\s\S]*?[^`])\k<code>(?!`)|!\[(?<alt>[^\]]*)\]\((?<image>[^\s)]+)[^)]*\)|\[(?<label>(?:[^[\]]|\[[^\]]*\])+)\]\((?<link>[^\s)]+)[^)]*\)|\*\*(?<bold>[\s\S]+?)\*\*|(?<![\w*])[*_](?<italic>[^*_\s](?:[^*_]*[^*_\s])?)[*_](?![\w*])|~~(?<struck>[^~]+)~~|(?<bare>https?:\/\/[^\s<>()]+[^\s<>().,;:!?'"])/g;

const inline = (text: string): ComponentChild[] => {
  const parts: ComponentChild[] = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    if (match.index > at) parts.push(text.slice(at, match.index));
    parts.push(<span key={match.index}>{piece(match.groups ?? {})}</span>);
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts;
};

type Groups = Readonly<Record<string, string | undefined>>;

const piece = ({ coded, alt, image, label, link, bold, italic, struck, bare }: Groups): ComponentChild => {
  if (coded !== undefined) return <code class="inline-code">{coded}</code>;
  if (image !== undefined) return <Picture source={image} alt={alt ?? ""} />;
  if (link !== undefined) return <Link to={link}>{inline(label ?? link)}</Link>;
  if (bold !== undefined) return <strong>{inline(bold)}</strong>;
  if (italic !== undefined) return <em>{inline(italic)}</em>;
  if (struck !== undefined) return <s>{inline(struck)}</s>;
  return <Link to={bare ?? ""}>{bare}</Link>;
};

const isWeb = (address: string): boolean => /^(https?:|mailto:)/i.test(address) || address.startsWith("/v1/files/");

const Link = ({ to, children }: { to: string; children: ComponentChild }) =>
  isWeb(to) ? (
    <a href={to.startsWith("/") ? at(to) : to} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  ) : (
    <span>{children}</span>
  );

/** A file of this gateway, whatever name the gateway is reached under; null for anything elsewhere. */
export const ownPicture = (source: string): string | null => {
  if (/^data:image\/(png|jpeg|webp|gif);base64,/.test(source)) return source;
  return ownFile(source);
};

export const Picture = ({ source, alt }: { source: string; alt: string }) => {
  const own = ownPicture(source);
  if (own === null) return <Link to={source}>{alt === "" ? say("remote") : alt}</Link>;
  return <img class="picture" src={own} alt={alt} loading="lazy" />;
};
