// Takes the settings of an old installation's files over into the stored settings. Knows no folder but the files' own.
// Invariant: a setting that is made here in any way stays as it is; a value that is not allowed is named and not taken; no
// value is ever quoted.
import { basename, join } from "node:path";
import type { Actor, Audit } from "../access/audit.ts";
import { type ConfigFile, readConfigFile } from "../config/file.ts";
import type { LiveConfig } from "../config/live.ts";
import { readValue } from "../config/load.ts";
import { configValue } from "../config/patch.ts";
import { type ConfigKey, configKeys } from "../config/schema.ts";
import { translateNames } from "../config/translate.ts";
import { canonicalJson, flattenTree, nestValues } from "../config/tree.ts";
import type { Left, SettingsTaken } from "./migration-report.ts";
import { settingsAudit } from "./settings.ts";

/** The later one wins, as it did when both were in use. */
const FILES = ["setting.toml", "config.toml"] as const;
/** Shipped by older programs: nobody chose them. */
const SHIPPED_PASSWORDS = new Set<unknown>(["grok2api", "admin"]);

export interface SettingsSource {
  readonly folder: string;
  readonly live: LiveConfig;
  readonly audit: Pick<Audit, "row">;
  readonly by: Actor;
}

type Decision =
  | { readonly kind: "take"; readonly value: unknown }
  | { readonly kind: "same" }
  | { readonly kind: "kept" | "refused"; readonly reason: string };

export const takeSettings = async (source: SettingsSource): Promise<SettingsTaken> => {
  const { live } = source;
  const refused: Left[] = [];
  const kept: Left[] = [];
  const notes: string[] = [];
  const given = new Map<string, unknown>();
  for (const file of await readFiles(source.folder, refused)) {
    const translation = translateNames(flattenTree(file.tree), basename(file.path));
    notes.push(...translation.notes.map(({ message }) => message));
    for (const [path, { value }] of translation.values) given.set(path, value);
  }
  const wanted = new Map<string, unknown>();
  for (const [path, value] of given) {
    const key = configKeys.get(path);
    if (key === undefined) continue;
    const decision = decide(key, { value, live });
    if (decision.kind === "take") wanted.set(path, decision.value);
    else if (decision.kind === "kept") kept.push({ name: path, reason: decision.reason });
    else if (decision.kind === "refused") refused.push({ name: path, reason: decision.reason });
  }
  const failure = wanted.size === 0 ? null : await store(source, wanted);
  if (failure !== null) refused.push(...[...wanted.keys()].map((name) => ({ name, reason: failure })));
  const taken = failure === null ? [...wanted.keys()] : [];
  if (taken.includes("app.app_key")) notes.push("app.app_key: the old admin password is in force from now on");
  return { taken, kept, refused, notes };
};

const readFiles = async (folder: string, refused: Left[]): Promise<ConfigFile[]> => {
  const files: ConfigFile[] = [];
  for (const name of FILES) {
    try {
      const file = await readConfigFile(join(folder, name));
      if (file !== null) files.push(file);
    } catch (thrown) {
      refused.push({ name, reason: thrown instanceof Error ? thrown.message : String(thrown) });
    }
  }
  return files;
};

const decide = (key: ConfigKey, about: { value: unknown; live: LiveConfig }): Decision => {
  const { config, origins } = about.live.snapshot();
  const read = readValue(key, about.value);
  if (!read.ok) return { kind: "refused", reason: read.reason };
  if (canonicalJson(read.value) === canonicalJson(configValue(config, key))) return { kind: "same" };
  if (key.meta.startup === true) return { kind: "kept", reason: `is set by the file or by ${key.env} only` };
  if (key.path === "app.app_key" && SHIPPED_PASSWORDS.has(read.value)) {
    return { kind: "kept", reason: "is the password that the older program was shipped with" };
  }
  const origin = origins.get(key.path) ?? "default";
  return origin === "default" ? { kind: "take", value: read.value } : { kind: "kept", reason: ORIGINS[origin] };
};

const ORIGINS = {
  file: "is set in this installation's own file",
  stored: "was set on this installation's admin page",
  environment: "is set by this installation's environment",
} as const;

/** Null when all is well, else why nothing was stored. */
const store = async (source: SettingsSource, wanted: ReadonlyMap<string, unknown>): Promise<string | null> => {
  const along = settingsAudit(source.audit, source.by);
  const result = await source.live.patch(nestValues(wanted), { along });
  if (result.ok) return null;
  switch (result.reason) {
    case "invalid":
      return `nothing was stored, because ${result.problems.map(({ key, reason }) => `${key} ${reason}`).join(", ")}`;
    case "locked":
      return `nothing was stored, because ${result.locked.map(({ key, reason }) => `${key} ${reason}`).join(", ")}`;
    case "conflict":
      return "nothing was stored, because somebody else changed the settings at the same time; try again";
  }
};
