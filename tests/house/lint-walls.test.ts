// Plants a violation of every wall that the linter holds, in a folder of its own under the project's configuration, and
// expects each to be seen exactly where it is forbidden. A wall whose rule was renamed or switched off fails here.
import { afterAll, beforeAll, expect, test } from "bun:test";
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { root } from "./sources.ts";

interface Wall {
  readonly what: string;
  readonly rule: string;
  readonly source: string;
  readonly refusedIn: readonly string[];
  readonly allowedIn: readonly string[];
}

const anywhere = ["src/core", "src/gateway", "src/http/routes", "src/providers/grok-web", "src/lib"];
const edge = ["src/core", "src/gateway", "src/http/routes", "src/providers/grok-web"];
const outside = ["tests/unit", "scripts"];

const walls: readonly Wall[] = [
  {
    what: "hono outside http",
    rule: "no-restricted-imports",
    source: 'import { Hono } from "hono";\nexport const a = new Hono();',
    refusedIn: ["src/gateway", "src/admin"],
    allowedIn: ["src/http", "src/http/routes", ...outside],
  },
  {
    what: "hono/streaming",
    rule: "no-restricted-imports",
    source: 'import { streamSSE } from "hono/streaming";\nexport const a = streamSSE;',
    refusedIn: ["src/gateway", "src/http", "src/http/routes"],
    allowedIn: [],
  },
  {
    what: "wreq-js",
    rule: "no-restricted-imports",
    source: 'import { createSession } from "wreq-js";\nexport const a = createSession;',
    refusedIn: [...edge, "src/providers"],
    allowedIn: ["src/providers/upstream-http.ts"],
  },
  {
    what: "bun:sqlite",
    rule: "no-restricted-imports",
    source: 'import { Database } from "bun:sqlite";\nexport const a = Database;',
    refusedIn: [...edge, "src/storage"],
    allowedIn: ["src/storage/sqlite.ts", ...outside],
  },
  {
    what: "chance from node:crypto",
    rule: "no-restricted-imports",
    source: 'import { randomBytes } from "node:crypto";\nexport const a = randomBytes;',
    refusedIn: edge,
    allowedIn: ["src/lib", ...outside],
  },
  {
    what: "process.env",
    rule: "no-process-env",
    source: "export const a = process.env.HOME;",
    refusedIn: [...anywhere, "src/main.ts"],
    allowedIn: ["src/config", ...outside],
  },
  {
    what: "Bun.env",
    rule: "no-restricted-properties",
    source: "export const a = Bun.env.HOME;",
    refusedIn: edge,
    allowedIn: outside,
  },
  {
    what: "console",
    rule: "no-console",
    source: 'console.log("a");\nexport const a = 1;',
    refusedIn: [...anywhere, "static/admin"],
    allowedIn: ["src/lib/log.ts", "src/cli.ts", "src/cli-import.ts", "src/main.ts", ...outside],
  },
  {
    what: "standard output",
    rule: "no-restricted-properties",
    source: 'export const a = process.stdout.write("a");',
    refusedIn: edge,
    allowedIn: ["src/lib/log.ts", "src/cli.ts", "src/main.ts", ...outside],
  },
  ...[
    ["Date.now", "export const a = Date.now();"],
    ["Math.random", "export const a = Math.random();"],
    ["crypto.randomUUID", "export const a = crypto.randomUUID();"],
    ["Bun.randomUUIDv7", "export const a = Bun.randomUUIDv7();"],
    ["Bun.nanoseconds", "export const a = Bun.nanoseconds();"],
  ].map(([what = "", source = ""]) => ({
    what,
    rule: "no-restricted-properties",
    source,
    refusedIn: edge,
    allowedIn: ["src/lib", "src/simulator", "static/admin", ...outside],
  })),
  {
    what: "performance",
    rule: "no-restricted-globals",
    source: "export const a = performance.now();",
    refusedIn: edge,
    allowedIn: ["src/lib", "src/simulator", "static/admin", ...outside],
  },
  ...[
    ["fetch", 'export const a = await fetch("http://a");'],
    ["fetch by its global object", 'export const a = await globalThis.fetch("http://a");'],
    ["WebSocket", 'export const a = new WebSocket("ws://a");'],
  ].map(([what = "", source = ""]) => ({
    what,
    rule: "no-restricted-globals",
    source,
    refusedIn: edge,
    allowedIn: ["src/providers/upstream-http.ts", "src/simulator", "static/admin", ...outside],
  })),
  {
    what: "a floating promise",
    rule: "no-floating-promises",
    source: "const b = async (): Promise<number> => 1;\nb();\nexport const a = 1;",
    refusedIn: [...anywhere, ...outside, "static/admin"],
    allowedIn: [],
  },
  {
    what: "a switch that forgets a case",
    rule: "switch-exhaustiveness-check",
    source:
      'export function a(b: "x" | "y"): number {\n  switch (b) {\n    case "x":\n      return 1;\n  }\n  return 2;\n}',
    refusedIn: [...anywhere, ...outside, "static/admin"],
    allowedIn: [],
  },
  {
    what: "any",
    rule: "no-explicit-any",
    source: "export const a = (b: any): string => String(b);",
    refusedIn: [...anywhere, ...outside, "static/admin"],
    allowedIn: [],
  },
  {
    what: "an unchecked value of JSON.parse",
    rule: "no-unsafe-assignment",
    source: 'export const a: { b: string } = JSON.parse("{}");',
    refusedIn: anywhere,
    allowedIn: ["tests/unit"],
  },
  {
    what: "a default export",
    rule: "no-default-export",
    source: "export default 1;",
    refusedIn: [...anywhere, ...outside, "static/admin"],
    allowedIn: [],
  },
  {
    what: "process.exit",
    rule: "no-process-exit",
    source: "export const a = (): never => process.exit(1);",
    refusedIn: anywhere,
    allowedIn: ["src/main.ts", ...outside],
  },
];

let folder = "";
let seen = new Map<string, Set<string>>();

/** A place that is a file collects the sources of all its walls; in a folder every wall has a file of its own. */
const fileFor = (wall: Wall, place: string): string =>
  place.endsWith(".ts") ? place : `${place}/planted-${walls.indexOf(wall)}.ts`;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lint-walls-"));
  for (const wall of walls) {
    for (const place of [...wall.refusedIn, ...wall.allowedIn]) {
      const file = join(folder, fileFor(wall, place));
      mkdirSync(dirname(file), { recursive: true });
      appendFileSync(file, `${wall.source.replace(/\ba\b(?= =|\()/, `a${walls.indexOf(wall)}`)}\n`);
    }
  }
  for (const name of [".oxlintrc.json", "tsconfig.json"]) cpSync(join(root, name), join(folder, name));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  seen = lint();
}, 60_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lint(): Map<string, Set<string>> {
  const run = Bun.spawnSync([join(root, "node_modules/.bin/oxlint"), "--format=json"], { cwd: folder });
  const report: { diagnostics: { code?: string; filename: string; message: string }[] } = JSON.parse(
    run.stdout.toString(),
  );
  const found = new Map<string, Set<string>>();
  for (const { code = "", filename, message } of report.diagnostics) {
    // Without a rule it is a syntax error, behind which every wall of the file would look respected.
    const rule = /\(([^)]+)\)$/.exec(code)?.[1];
    if (rule === undefined) throw new Error(`${filename}: ${message}`);
    found.set(filename, (found.get(filename) ?? new Set()).add(rule));
  }
  return found;
}

for (const wall of walls) {
  test(`${wall.what} is seen where it is forbidden, and only there`, () => {
    const has = (place: string) => seen.get(fileFor(wall, place))?.has(wall.rule) ?? false;
    expect(wall.refusedIn.filter((place) => !has(place))).toEqual([]);
    expect(wall.allowedIn.filter(has)).toEqual([]);
  });
}
