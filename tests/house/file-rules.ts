// The house style that concerns a file as a whole, as a table: what is refused, why, and a planted file that proves the rule.
// Names of this machine are taken from the machine, so that none is written down here.
import { homedir, hostname } from "node:os";
import { dirname } from "node:path";
import { scanImports } from "./import-scan.ts";
import { root, type SourceFile } from "./sources.ts";

export interface FileRule {
  readonly name: string;
  readonly reason: string;
  readonly applies: (path: string) => boolean;
  /** What is wrong with the file; nothing when it is fine. */
  readonly find: (file: SourceFile) => string[];
  readonly planted: SourceFile;
  readonly clean: SourceFile;
}

/** Files longer than the limit because they are tables; each with its reason. */
export const dataTables: ReadonlyMap<string, string> = new Map([]);
const lineLimit = 400;

const inProgram = (path: string): boolean => /^(src|scripts|static)\/.*\.tsx?$/.test(path) && !path.endsWith(".d.ts");
const inServer = (path: string): boolean => /^src\/.*\.ts$/.test(path);
const inCode = (path: string): boolean => /^(src|scripts|static|tests)\/.*\.tsx?$/.test(path);
const isTest = (path: string): boolean => /^tests\/.*\.ts$/.test(path);
// Rules and their planted files have to spell out what they refuse.
const notHouse = (path: string): boolean => !path.startsWith("tests/house/");

const bannedWords = [
  "util",
  "utils",
  "helper",
  "helpers",
  "common",
  "misc",
  "manager",
  "managers",
  "service",
  "services",
];
const header = "// Owns a thing and says so.\n// Knows nothing else.\n";
const filler = (lines: number): string => "export const a = 1;\n".repeat(lines);

/** Every line that matches, with its number. */
function linesMatching(text: string, pattern: RegExp): string[] {
  return text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`line ${index + 1}: ${line.trim()}`] : []));
}

function headerLines(text: string): number {
  const lines = text.split("\n").filter((line, index) => index > 0 || !line.startsWith("#!"));
  const block = /^\/\*\*?([\s\S]*?)\*\//.exec(lines.join("\n"));
  if (block) return (block[1] ?? "").split("\n").filter((line) => /\w/.test(line)).length;
  const end = lines.findIndex((line) => !line.startsWith("//"));
  return end < 0 ? lines.length : end;
}

export interface Machine {
  readonly checkout: string;
  readonly home: string;
  readonly host: string;
}

/** Where this checkout, its owner and this machine can be found; what is usual everywhere says nothing. */
export function machineNames({ checkout, home, host }: Machine): string[] {
  const usual = /^\/($|(tmp|home|app|opt|src|srv|usr|var|mnt|data|workspace|builds?|repo)$)/;
  const folders = [checkout, dirname(checkout), home].filter((path) => path !== "" && !usual.test(path));
  // A container's host name is random, and a short one is a word.
  const hosts = /^(localhost|[0-9a-f]{12})$/.test(host) || host.length < 6 ? [] : [host];
  return [...folders.map((path) => `${path}/`), ...hosts];
}

const thisMachine = machineNames({ checkout: root, home: homedir(), host: hostname() });
// /home/workdir is the upstream's own sandbox, which its answers name.
const somebodysHome = /(?<![\w.$])\/(home|Users)\/(?!workdir\/)\w[\w.-]*\//;

export function registryHosts(configured: string | undefined): string[] {
  const own = configured && URL.canParse(configured) ? [new URL(configured).host] : [];
  return own.filter((host) => host !== "");
}

const mentions = (text: string, names: readonly string[]): string[] =>
  names.filter((name) => new RegExp(`(?<![\\w$.])${RegExp.escape(name)}`).test(text)).map((name) => `mentions ${name}`);

export const fileRules: readonly FileRule[] = [
  {
    name: "kebab-case names",
    reason: "one spelling for every file system and for grep",
    applies: inCode,
    find: ({ path }) => path.split("/").filter((part) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|d))?(\.tsx?)?$/.test(part)),
    planted: { path: "src/core/chatRequest.ts", text: "" },
    clean: { path: "tests/unit/chat-request.test.ts", text: "" },
  },
  {
    name: "names that say something",
    reason: "a drawer for everything grows until nobody finds anything in it",
    applies: inCode,
    find: ({ path }) => path.split(/[/.-]/).filter((word) => bannedWords.includes(word)),
    planted: { path: "src/lib/string-utils.ts", text: "" },
    clean: { path: "src/lib/stream.ts", text: "" },
  },
  {
    name: "exports that say something",
    reason: "the same drawer, under the name of a type",
    applies: inProgram,
    find: ({ text }) =>
      linesMatching(
        text,
        /^export (abstract )?(class|interface|type|const|function) \w+(Manager|Service|Helpers?|Utils?)\b/,
      ),
    planted: { path: "src/accounts/a.ts", text: "export class AccountManager {}" },
    clean: { path: "src/accounts/a.ts", text: "export interface ServiceTier {}" },
  },
  {
    name: "named exports",
    reason: "a thing has one name wherever it is used",
    applies: inCode,
    find: ({ text }) => linesMatching(text, /^\s*export\s+(default\b|\{[^}]*\bas default\b)/),
    planted: { path: "src/core/a.ts", text: "const a = 1;\nexport { a as default };" },
    clean: { path: "src/core/a.ts", text: "export const defaultPort = 1;" },
  },
  {
    name: "no barrels",
    reason: "an import names the file that owns the thing, so the import table means something",
    applies: inProgram,
    find: ({ text }) => {
      const stars = linesMatching(text, /^\s*export\s+(type\s+)?\*/);
      const rest = text.replace(/^\s*export\b[^;]*?\bfrom\s*["'][^"']+["'];?/gm, "").replace(/^\s*\/\/.*$/gm, "");
      return rest.trim() === "" && text.includes(" from ") ? [...stars, "only passes on what others own"] : stars;
    },
    planted: {
      path: "src/core/index.ts",
      text: `${header}export { a } from "./a.ts";\nexport type { B } from "./b.ts";\n`,
    },
    clean: { path: "src/core/index.ts", text: `${header}import { a } from "./a.ts";\nexport const b = a;\n` },
  },
  {
    name: "explicit extensions",
    reason: "what stands in the import is the file",
    applies: inCode,
    find: ({ text }) =>
      scanImports(text)
        .filter(({ specifier }) => /^\.\.?\//.test(specifier) && !/\.[a-z]+$/.test(specifier))
        .map(({ specifier, line }) => `line ${line}: ${specifier}`),
    planted: { path: "tests/unit/a.test.ts", text: 'import type { A } from "../../src/core/a";' },
    clean: { path: "tests/unit/a.test.ts", text: 'import { a } from "../../src/core/a.ts";\nimport "zod";' },
  },
  {
    name: "a header comment",
    reason: "a file says what it owns, what it must not know and what always holds, in at most five lines",
    applies: inProgram,
    find: ({ text }) => {
      const count = headerLines(text);
      return count >= 1 && count <= 5 ? [] : [`begins with ${count} lines of comment instead of 1 to 5`];
    },
    planted: { path: "src/core/a.ts", text: 'import { b } from "./b.ts";\n// Too late.\n' },
    clean: { path: "src/core/a.ts", text: `${header}export const a = 1;\n` },
  },
  {
    name: `at most ${lineLimit} lines`,
    reason: "a file that needs scrolling has two owners; tables of data are listed with their reason",
    applies: (path) => inProgram(path) && !dataTables.has(path),
    find: ({ text }) => {
      const count = text.trimEnd().split("\n").length;
      return count > lineLimit ? [`has ${count} lines`] : [];
    },
    planted: { path: "src/core/a.ts", text: filler(lineLimit + 1) },
    clean: { path: "src/core/a.ts", text: filler(lineLimit) },
  },
  {
    name: "a pure middle",
    reason: "core and protocols are functions from values to values: no runtime, no clock, no chance, no timers",
    applies: (path) => /^src\/(core|protocols)\//.test(path),
    find: ({ text }) =>
      linesMatching(text, /^(?!\s*(\/\/|\*)).*(\bBun\.|\bprocess\.|\bsetTimeout\(|\bsetInterval\(|\bnew Date\(\))/),
    planted: { path: "src/protocols/a.ts", text: "export const a = () => Bun.hash(1);" },
    clean: { path: "src/protocols/a.ts", text: "// Bun.hash would not be pure\nexport const a = new Date(0);" },
  },
  {
    name: "the clock comes from lib",
    reason: "a test can hold a clock that is passed in, but not the machine's",
    applies: (path) => inServer(path) && !/^src\/(lib|simulator)\//.test(path),
    find: ({ text }) => linesMatching(text, /^(?!\s*(\/\/|\*)).*(\bnew Date\(\s*\)|(?<![\w.])Date\(\))/),
    planted: { path: "src/accounts/a.ts", text: "export const a = new Date();" },
    clean: { path: "src/accounts/a.ts", text: "export const a = (b: number) => new Date(b);" },
  },
  {
    name: "one place for streaming answers",
    reason: "heartbeats, disconnects and idle time are handled once, in http/streaming.ts",
    applies: (path) => path.startsWith("src/http/") && path !== "src/http/streaming.ts",
    find: ({ text }) =>
      linesMatching(text, /^(?!\s*(\/\/|\*)).*(new (Readable|Transform)Stream\b|text\/event-stream|\bstreamSSE\b)/),
    planted: { path: "src/http/routes/a.ts", text: "return new Response(new ReadableStream({ pull }));" },
    clean: { path: "src/http/routes/a.ts", text: "return streamed(context, events);" },
  },
  {
    name: "no unfinished business",
    reason: "a note to oneself in shipped code is a stub that nobody tracks",
    applies: (path) => inCode(path) && notHouse(path),
    find: ({ text }) => linesMatching(text, /\b(TODO|FIXME|XXX|HACK)\b|not (yet )?implemented/),
    planted: { path: "src/core/a.ts", text: "// TODO: the rest" },
    clean: { path: "src/core/a.ts", text: "// The rest is the caller's." },
  },
  {
    name: "no test is left out by hand",
    reason: "a skipped test is a rule that nobody keeps; what a machine lacks is named with skipIf",
    applies: (path) => isTest(path) && notHouse(path),
    find: ({ text }) => linesMatching(text, /\b(test|it|describe)\.(only|skip|todo|failing)\b/),
    planted: { path: "tests/unit/a.test.ts", text: 'test.skip("a", () => {});' },
    clean: { path: "tests/e2e/a.test.ts", text: 'test.skipIf(!chromium)("a", () => {});' },
  },
  {
    name: "a silenced rule says why",
    reason: "the next reader has to know whether the reason still holds",
    applies: (path) => inCode(path) && notHouse(path),
    find: ({ text }) =>
      linesMatching(text, /(oxlint|eslint)-disable|@ts-(ignore|expect-error|nocheck)/).filter(
        (line) => !/ -- \w|expect-error \w/.test(line),
      ),
    planted: { path: "src/core/a.ts", text: "// oxlint-disable-next-line no-console" },
    clean: {
      path: "src/core/a.ts",
      text: "// oxlint-disable-next-line no-console -- the one banner\n// @ts-expect-error the types lag behind",
    },
  },
  {
    name: "no name of this machine",
    reason: "a path that exists in one place only breaks everywhere else, and says who built it where",
    applies: notHouse,
    find: ({ text }) => [...mentions(text, thisMachine), ...linesMatching(text, somebodysHome)],
    planted: { path: "README.md", text: "Look into /home/somebody/grok2api/data/config.toml first." },
    clean: { path: "README.md", text: "Look into data/config.toml first." },
  },
  {
    name: "no registry's name",
    reason:
      "which mirror answers is a matter of the machine's npm configuration; a lockfile that names one works only there",
    applies: notHouse,
    find: ({ path, text }) => {
      const resolved = path === "package-lock.json" ? linesMatching(text, /"resolved":\s*"https?:/) : [];
      const named = linesMatching(text, /\bregistry\.[a-z0-9-]+\.[a-z]+|^\s*(\/\/|@[\w-]+:)?registry\s*=/);
      return [...resolved, ...named, ...mentions(text, registryHosts(process.env.npm_config_registry))];
    },
    planted: { path: "package-lock.json", text: '"resolved": "https://packages.invalid/zod.tgz"' },
    clean: { path: "src/providers/registry.ts", text: "registry.add(provider);" },
  },
];
