// Finds every module that a TypeScript file names, type imports included (the transpiler's own scan drops those).
// Works on text: statements begin a line, as the formatter writes them; import-rules.test.ts holds it against the transpiler.

export interface FoundImport {
  readonly specifier: string;
  /** Erased at compile time: `import type`, `export type … from`, `import("x").T`, or only `type` names inside braces. */
  readonly typeOnly: boolean;
  readonly dynamic: boolean;
  readonly line: number;
}

const staticForm = /^[ \t]*(import|export)\b([^"'`;=()]*?)\bfrom\s*["']([^"'\n]+)["']/gm;
const sideEffectForm = /^[ \t]*import\s*["']([^"'\n]+)["']/gm;
const callForm =
  /\b(import|require|require\.resolve|import\.meta\.require|import\.meta\.resolve)\(\s*([^)\s][^)]*?)\s*,?\s*\)(\s*\.\s*[A-Z])?/g;
const literal = /^["'`]([^"'`$]+)["'`]$/;

export function scanImports(source: string): FoundImport[] {
  const text = blankComments(source);
  const found: FoundImport[] = [];
  const lineAt = (index: number) => text.slice(0, index).split("\n").length;
  for (const match of text.matchAll(staticForm)) {
    const [, , clause = "", specifier = ""] = match;
    found.push({ specifier, typeOnly: isTypeClause(clause), dynamic: false, line: lineAt(match.index) });
  }
  for (const match of text.matchAll(sideEffectForm)) {
    found.push({ specifier: match[1] ?? "", typeOnly: false, dynamic: false, line: lineAt(match.index) });
  }
  for (const match of text.matchAll(callForm)) {
    const [, , argument = "", member] = match;
    // Something computed is reported as it stands, so that a rule can refuse it.
    const specifier = literal.exec(argument.split(/,\s*\{/)[0]?.trim() ?? "")?.[1] ?? `computed: ${argument}`;
    const typeOnly = member !== undefined && /[:<|&=]\s*(typeof\s+)?$/.test(text.slice(0, match.index));
    found.push({ specifier, typeOnly, dynamic: true, line: lineAt(match.index) });
  }
  return found.toSorted((a, b) => a.line - b.line);
}

function isTypeClause(clause: string): boolean {
  const trimmed = clause.trim();
  if (/^type\s+[^,\s]/.test(trimmed)) return true;
  const braces = /^\{([^}]*)\}$/.exec(trimmed);
  const names = braces?.[1]?.split(",").map((name) => name.trim()) ?? [];
  const real = names.filter((name) => name !== "");
  return real.length > 0 && real.every((name) => name.startsWith("type "));
}

/** Comments become spaces of the same shape, so that lines keep their numbers; comment marks inside strings stay. */
function blankComments(source: string): string {
  const token = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`|\/\*[\s\S]*?\*\/|(?<![:\\/])\/\/[^\n]*/g;
  return source.replace(token, (piece) => (/^\/[/*]/.test(piece) ? piece.replace(/[^\n]/g, " ") : piece));
}
