// Draws Markdown as elements, block by block. No text ever becomes markup: whatever a model writes stays text.
// Invariant: while an answer arrives only the blocks at its end are drawn again.
import type { Token, Tokens } from "marked";
import { Component, type ComponentChild } from "preact";
import { useRef } from "preact/hooks";
import { Clip } from "../media.tsx";
import { CodeBlock } from "./code-block.tsx";
import { Formula } from "./formula.tsx";
import { inline } from "./inline.tsx";
import { clipIn } from "./html.ts";
import { type KnownToken, read, type Reading } from "./tokens.ts";

export const Markdown = ({ text, isArriving = false }: { text: string; isArriving?: boolean }) => {
  const reading = useRef<Reading | null>(null);
  reading.current = read(text, reading.current);
  const { tokens } = reading.current;
  return (
    <div class="markdown">
      {tokens.map((token, index) => (
        <Block key={index} token={token} isArriving={isArriving && index === tokens.length - 1} />
      ))}
    </div>
  );
};

interface BlockProps {
  readonly token: Token;
  readonly isArriving: boolean;
}

class Block extends Component<BlockProps> {
  override shouldComponentUpdate(next: BlockProps): boolean {
    const { token, isArriving } = this.props;
    return next.token.raw !== token.raw || next.token.type !== token.type || next.isArriving !== isArriving;
  }
  override render({ token, isArriving }: BlockProps) {
    return shown(token as KnownToken, { isArriving });
  }
}

const shown = (token: KnownToken, { isArriving }: { isArriving: boolean }): ComponentChild => {
  switch (token.type) {
    case "heading":
      return (
        <p class={`heading heading-${token.depth}`} role="heading" aria-level={Math.min(6, token.depth + 2)}>
          {inline(token.tokens)}
        </p>
      );
    case "code":
      return <CodeBlock language={token.lang ?? ""} text={token.text} isArriving={isArriving} />;
    case "formula":
      return <Formula tex={token.tex} display={token.display} />;
    case "blockquote":
      return <blockquote>{blocks(token.tokens)}</blockquote>;
    case "list":
      return <List list={token} />;
    case "table":
      return <Table table={token} />;
    case "hr":
      return <hr />;
    case "html":
      return <Html text={token.text} />;
    case "paragraph":
      return <p>{inline(token.tokens)}</p>;
    case "text":
      return <>{token.tokens ? inline(token.tokens) : token.text}</>;
    case "space":
    case "def":
    case "checkbox":
      return null;
    default:
      return <p>{token.raw}</p>;
  }
};

const blocks = (tokens: readonly Token[] = []): ComponentChild =>
  tokens.map((token, index) => <Block key={index} token={token} isArriving={false} />);

const List = ({ list: { ordered, start, items } }: { list: Tokens.List }) => {
  const shownItems = items.map((item, index) => (
    <li key={index} class={item.task ? "task" : undefined}>
      {item.task ? <input type="checkbox" checked={item.checked ?? false} disabled aria-label={item.text} /> : null}
      {blocks(item.tokens)}
    </li>
  ));
  return ordered ? <ol start={start === "" ? 1 : start}>{shownItems}</ol> : <ul>{shownItems}</ul>;
};

const Table = ({ table: { header, rows } }: { table: Tokens.Table }) => (
  <div class="table-wrap" tabIndex={0} role="group">
    <table class="table">
      <thead>
        <tr>
          {header.map(({ tokens, align }, index) => (
            <th key={index} class={align ?? undefined}>
              {inline(tokens)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map(({ tokens, align }, column) => (
              <td key={column} class={align ?? undefined}>
                {inline(tokens)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** Only a player is understood; any other markup is shown as what it is. */
const Html = ({ text }: { text: string }) => {
  const clip = clipIn(text);
  if (clip !== null) return <Clip {...clip} />;
  return text.trim() === "" || text.startsWith("<!--") ? null : <p>{text}</p>;
};
