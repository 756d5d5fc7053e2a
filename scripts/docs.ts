// Writes what documents say about the program from the program itself: the example configuration, and in markdown files
// every region between `<!-- generated:NAME -->` and `<!-- /generated -->`. With --check it writes nothing and fails when
// something is stale. A new kind of region is one entry in `generators`.
import { join } from "node:path";
import { configTables, exampleToml, type Language } from "../src/config/document.ts";
import { ERROR_TABLE } from "../src/core/errors.ts";
import { CATALOGUE } from "../src/core/models.ts";
import { ROUTES } from "../src/http/routes.ts";
import { SCENARIOS } from "../src/simulator/scenarios.ts";
import { XAI_KINDS } from "../src/simulator/xai/keys.ts";
import { XAI_SCENARIOS } from "../src/simulator/xai/words.ts";

export type Generators = Readonly<Record<string, (language: Language) => string>>;

const generators: Generators = {
  config: configTables,
  errors: errorTable,
  models: modelTable,
  routes: routeTable,
  scenarios: () => scenarioTable(SCENARIOS),
  "xai-keys": xaiKeyTable,
  "xai-scenarios": () => scenarioTable(XAI_SCENARIOS),
};

/** Markdown files that may hold regions; one that does not exist has none. */
const documents: readonly { path: string; language: Language }[] = [
  { path: "README.md", language: "en" },
  { path: "README.zh-CN.md", language: "zh" },
  { path: "ARCHITECTURE.md", language: "en" },
];

const opening = /^<!-- generated:([a-z-]+) -->$/;
const closing = "<!-- /generated -->";

/** The text with every region filled anew; a region without an end or of an unknown name is an error. */
export function fillRegions(text: string, language: Language, known: Generators): string {
  const result: string[] = [];
  let region: string | null = null;
  for (const line of text.split("\n")) {
    const name = opening.exec(line)?.[1];
    if (name !== undefined) {
      if (region !== null) throw new Error(`the region ${region} begins but has no end before ${name}`);
      const generate = known[name];
      if (generate === undefined) throw new Error(`nothing generates the region ${name}`);
      region = name;
      result.push(line, "", generate(language).trim(), "", closing);
    } else if (line === closing) {
      if (region === null) throw new Error("a region ends that has no beginning");
      region = null;
    } else if (region === null) result.push(line);
  }
  if (region !== null) throw new Error(`the region ${region} has no end`);
  return result.join("\n");
}

/** Null when equal. */
export function firstDifference(before: string, after: string): string | null {
  if (before === after) return null;
  const [old, fresh] = [before.split("\n"), after.split("\n")];
  const index = fresh.findIndex((line, at) => line !== old[at]);
  const at = index === -1 ? fresh.length : index;
  return `line ${at + 1}: has ${JSON.stringify(old[at] ?? "")}, should have ${JSON.stringify(fresh[at] ?? "")}`;
}

function errorTable(language: Language): string {
  const head =
    language === "zh"
      ? "| 代码 | 状态 | 责任方 | 重试 | 含义（英文） |"
      : "| Code | Status | Blame | Retried before output | Meaning |";
  const rows = Object.entries(ERROR_TABLE).map(
    ([code, row]) => `| \`${code}\` | ${row.status} | ${row.blame} | ${row.retry} | ${row.meaning} |`,
  );
  return [head, "|---|---|---|---|---|", ...rows].join("\n");
}

function modelTable(language: Language): string {
  const head =
    language === "zh"
      ? "| 模型 | 别名 | 类型 | 账号等级 | 说明（英文） |"
      : "| Model | Aliases | Kind | Account tier | Description |";
  const rows = CATALOGUE.map((model) => {
    const aliases = model.aliases.map((alias) => `\`${alias}\``).join(", ");
    return `| \`${model.id}\` | ${aliases} | ${model.kind} | ${model.tier} | ${model.description} |`;
  });
  return [head, "|---|---|---|---|---|", ...rows].join("\n");
}

/** One row a route; other paths of the same handler stand beside it. */
function routeTable(language: Language): string {
  const head =
    language === "zh" ? "| 路由 | 凭据 | 开关 | 说明（英文） |" : "| Route | Credential | Toggle | What it does |";
  const rows = ROUTES.map(({ method, path, aliases = [], auth, toggle, summary }) => {
    const others = aliases.length > 0 ? ` (${aliases.map((alias) => `\`${alias}\``).join(", ")})` : "";
    return `| \`${method} ${path}\`${others} | ${auth} | ${toggle ? `\`downstream.${toggle}\`` : ""} | ${summary} |`;
  });
  return [head, "|---|---|---|---|", ...rows].join("\n");
}

function scenarioTable(scenarios: readonly { name: string; summary: string; number?: number }[]): string {
  const rows = scenarios.map(({ name, summary, number }) => {
    return `| \`sim:${name}${number === undefined ? "" : "-N"}\` | ${summary} |`;
  });
  return ["| Word in the prompt | What the simulated upstream does |", "|---|---|", ...rows].join("\n");
}

function xaiKeyTable(): string {
  const rows = Object.entries(XAI_KINDS).map(
    ([kind, summary]) => `| \`xai-sim-${kind}-<team>-<suffix>\` | ${summary} |`,
  );
  return ["| Key | What the simulated xAI API answers it |", "|---|---|", ...rows].join("\n");
}

async function wantedFiles(root: string): Promise<{ path: string; before: string; after: string }[]> {
  const example = join("data", "config.example.toml");
  const texts = await Promise.all(
    documents.map(async ({ path, language }) => {
      const before = await readText(join(root, path));
      return { path, before, after: fillRegions(before, language, generators) };
    }),
  );
  return [{ path: example, before: await readText(join(root, example)), after: exampleToml() }, ...texts];
}

async function readText(path: string): Promise<string> {
  const file = Bun.file(path);
  return (await file.exists()) ? file.text() : "";
}

async function main(): Promise<number> {
  const check = process.argv.includes("--check");
  const root = join(import.meta.dir, "..");
  const stale = (await wantedFiles(root)).filter(({ before, after }) => before !== after);
  for (const { path, before, after } of stale) {
    if (!check) await Bun.write(join(root, path), after);
    console.log(check ? `${path} is stale; ${firstDifference(before, after)}` : `wrote ${path}`);
  }
  if (check && stale.length > 0) console.log("run: npm run docs");
  return check && stale.length > 0 ? 1 : 0;
}

if (import.meta.main) process.exit(await main());
