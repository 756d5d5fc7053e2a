// Colours code with the grammars of highlight.js. Fetched with the first block of code.
// Invariant: nodes are made, never markup; a language that it does not know stays plain.
import { common, createLowlight } from "lowlight";
import type { ComponentChild } from "preact";

const lowlight = createLowlight(common);

/** Names that people use beside those that the grammars know. */
const ALIASES: Readonly<Record<string, string>> = {
  vue: "xml",
  svelte: "xml",
  jsonc: "json",
  zsh: "bash",
  ps1: "bash",
};

interface Node {
  readonly type: string;
  readonly value?: string;
  readonly properties?: { readonly className?: unknown };
  readonly children?: readonly Node[];
}

const shown = (node: Node, key: number): ComponentChild => {
  if (node.type === "text") return node.value ?? "";
  const inner = (node.children ?? []).map(shown);
  if (node.type !== "element") return inner;
  const names = node.properties?.className;
  return (
    <span key={key} class={Array.isArray(names) ? names.join(" ") : undefined}>
      {inner}
    </span>
  );
};

export const colour = (text: string, language: string): ComponentChild => {
  const asked = language.toLowerCase().split(/[\s,{:]/)[0] ?? "";
  const name = ALIASES[asked] ?? asked;
  if (!lowlight.registered(name)) return text;
  return shown(lowlight.highlight(name, text), 0);
};
