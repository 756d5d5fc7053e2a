// The texts about the configuration that are written from the schema: the example file and the tables of the README.
// Knows no file name. Invariant: the example, put in place as it is, changes nothing, because every key is commented out.
import { stringify } from "smol-toml";
import { listSections } from "./describe.ts";
import type { ConfigKey } from "./schema.ts";

export type Language = "en" | "zh";

export function exampleToml(): string {
  const head = [
    "# Settings of Grok2API. Copy this file to config.toml in the data folder and take the # away before the keys to change.",
    "# The program reads config.toml and never writes it. What the admin page changes is stored apart; when a key is changed",
    "# here afterwards, this file wins again. An environment variable wins over both; its name stands in brackets.",
  ];
  const bodies = listSections().map(({ name, title, keys }) =>
    [`# ${title.en}`, `[${name}]`, ...keys.flatMap((key) => ["", ...exampleLines(key)])].join("\n"),
  );
  return `${[head.join("\n"), ...bodies].join("\n\n")}\n`;
}

/** One markdown table a section. */
export function configTables(language: Language): string {
  return listSections()
    .map(({ name, title, keys }) =>
      [`#### \`[${name}]\` ${title[language]}`, "", ...tableRows(keys, language)].join("\n"),
    )
    .join("\n\n");
}

function exampleLines(key: ConfigKey): string[] {
  const { meta } = key;
  const facts = [
    meta.kind === "choice" || meta.min !== undefined ? meta.allowed : "",
    meta.unit ?? "",
    meta.restart === true ? "acts after a restart" : "",
  ].filter((fact) => fact !== "");
  const detail = facts.length === 0 ? "" : ` ${capital(facts.join(", "))}.`;
  return [`# ${meta.help.en}${detail} [${key.env}]`, `# ${assignment(key)}`];
}

function assignment(key: ConfigKey): string {
  return stringify({ [key.name]: key.defaultValue }).trim();
}

const heads = {
  en: ["Key", "Default", "Meaning", "Environment"],
  zh: ["键", "默认值", "说明", "环境变量"],
};
const restartNote = { en: " Acts after a restart.", zh: "重启后生效。" };
const unitNames = {
  en: { seconds: "seconds", milliseconds: "milliseconds", hours: "hours", megabytes: "MB", tokens: "tokens" },
  zh: { seconds: "秒", milliseconds: "毫秒", hours: "小时", megabytes: "MB", tokens: "token" },
};

function tableRows(keys: readonly ConfigKey[], language: Language): string[] {
  const head = heads[language];
  return [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---").join("|")}|`,
    ...keys.map((key) => `| ${tableCells(key, language).map(escapeCell).join(" | ")} |`),
  ];
}

function tableCells(key: ConfigKey, language: Language): string[] {
  const { help, unit, restart, choices } = key.meta;
  const options = choices === undefined ? "" : ` (${choices.map((one) => `\`${one}\``).join(", ")})`;
  const inUnit = unit === undefined ? "" : ` (${unitNames[language][unit]})`;
  const meaning = `${help[language]}${options}${inUnit}${restart === true ? restartNote[language] : ""}`;
  return [`\`${key.name}\``, `\`${JSON.stringify(key.defaultValue)}\``, meaning, `\`${key.env}\``];
}

function escapeCell(cell: string): string {
  return cell.replaceAll("|", "\\|").replaceAll("<think>", "`<think>`");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
