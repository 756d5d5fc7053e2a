// Puts the configuration together: default ← operator's file ← stored settings ← environment. Pure: values in, values out.
// A stored setting remembers the file value that it replaced; when the file's value changes later, the file wins.
// Invariant: every value that is not used, and every value that is wrong, is named in a note or a problem.
import { createHash } from "node:crypto";
import { type Environment, settingsFromEnvironment } from "./environment.ts";
import type { ConfigFile } from "./file.ts";
import { maskValue } from "./mask.ts";
import { type Config, type ConfigKey, configKeys, configSchema } from "./schema.ts";
import { type Note, type SourceValue, translateNames } from "./translate.ts";
import { canonicalJson, flattenTree, nestValues } from "./tree.ts";

export type Origin = "default" | "file" | "stored" | "environment";

export interface StoredSetting {
  value: unknown;
  /** Fingerprint of the file's value at the time of storing; null when the file had none. */
  replaced: string | null;
}

/** By path. */
export type StoredSettings = Readonly<Record<string, StoredSetting>>;

export interface ConfigSources {
  /** Later files win. */
  files?: readonly ConfigFile[];
  stored?: StoredSettings;
  environment?: Environment;
}

export interface Problem {
  key: string;
  /** As JSON; masked when the key is secret. */
  value: string;
  /** The file's path, the variable's name, or whose request it was. */
  source: string;
  reason: string;
}

export interface LoadedConfig {
  config: Config;
  origins: ReadonlyMap<string, Origin>;
  /** What the files alone say, checked; the basis of fingerprints. */
  fileValues: ReadonlyMap<string, unknown>;
  notes: Note[];
  /** Stored settings that must be deleted, because the file was changed after them. */
  droppedStored: string[];
}

export type LoadResult = ({ ok: true } & LoadedConfig) | { ok: false; problems: Problem[]; notes: Note[] };

export function loadConfig(sources: ConfigSources): LoadResult {
  const notes: Note[] = [];
  const problems: Problem[] = [];
  const fileValues = new Map<string, unknown>();
  for (const file of sources.files ?? []) {
    const { values, notes: fileNotes } = translateNames(flattenTree(file.tree), file.path);
    notes.push(...fileNotes);
    readAll(values, { source: file.path, into: fileValues, problems });
  }
  const stored = readStored(sources.stored ?? {}, fileValues);
  notes.push(...stored.notes);
  const fromEnvironment = readVariables(sources.environment ?? {}, notes, problems);
  if (problems.length > 0) return { ok: false, problems, notes };

  const origins = new Map<string, Origin>([...configKeys.keys()].map((path) => [path, "default"]));
  const effective = new Map<string, unknown>();
  for (const [origin, values] of [
    ["file", fileValues],
    ["stored", stored.values],
    ["environment", fromEnvironment],
  ] as const) {
    for (const [path, value] of values) {
      effective.set(path, value);
      origins.set(path, origin);
    }
  }
  const config = configSchema.parse(nestValues(effective));
  return { ok: true, config, origins, fileValues, notes, droppedStored: stored.dropped };
}

export type ReadValue = { ok: true; value: unknown } | { ok: false; reason: string };

export function readValue(key: ConfigKey, raw: unknown): ReadValue {
  const result = key.schema.safeParse(raw);
  if (result.success) return { ok: true, value: result.data };
  return { ok: false, reason: result.error.issues[0]?.message ?? `must be ${key.meta.allowed}` };
}

export function describeProblem(key: ConfigKey, given: SourceValue, at: { source: string; reason: string }): Problem {
  const source = given.writtenAs === undefined ? at.source : `${at.source}, written as ${given.writtenAs}`;
  return { key: key.path, value: JSON.stringify(maskValue(key, given.value)) ?? "nothing", source, reason: at.reason };
}

/** One line a problem, for the operator. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(({ key, value, source, reason }) => `${key} = ${value} (${source}): ${reason}`).join("\n");
}

export function fingerprint(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex").slice(0, 32);
}

/** The fingerprint that a setting stored now has to remember. */
export function fingerprintOf(path: string, fileValues: ReadonlyMap<string, unknown>): string | null {
  return fileValues.has(path) ? fingerprint(fileValues.get(path)) : null;
}

function readAll(
  values: ReadonlyMap<string, SourceValue>,
  target: { source: string; into: Map<string, unknown>; problems: Problem[] },
): void {
  for (const [path, given] of values) {
    const key = configKeys.get(path);
    if (key === undefined) continue;
    const read = readValue(key, given.value);
    if (read.ok) target.into.set(path, read.value);
    else target.problems.push(describeProblem(key, given, { source: target.source, reason: read.reason }));
  }
}

function readVariables(environment: Environment, notes: Note[], problems: Problem[]): Map<string, unknown> {
  const { variables, notes: remarks } = settingsFromEnvironment(environment);
  notes.push(...remarks.map((message) => ({ level: "warn" as const, message: `environment: ${message}` })));
  const { values, notes: translated } = translateNames(
    new Map(variables.map(({ path, value }) => [path, value])),
    "environment",
  );
  notes.push(...translated);
  const names = new Map(variables.map(({ path, variable }) => [path, variable]));
  const result = new Map<string, unknown>();
  for (const [path, { value, writtenAs }] of values) {
    const source = `environment variable ${names.get(writtenAs ?? path)}`;
    readAll(new Map([[path, { value }]]), { source, into: result, problems });
  }
  return result;
}

/**
 * A stored value that is no longer allowed is set aside with a note instead of stopping the start: the page on which it
 * could be repaired needs a running program.
 */
function readStored(stored: StoredSettings, fileValues: ReadonlyMap<string, unknown>) {
  const values = new Map<string, unknown>();
  const notes: Note[] = [];
  const dropped: string[] = [];
  for (const [path, { value, replaced }] of Object.entries(stored)) {
    const key = configKeys.get(path);
    if (key === undefined || key.meta.startup === true) {
      notes.push({
        level: "warn",
        message: `stored settings: ${path} is not a setting that can be stored; it is not used`,
      });
    } else if (fileValues.has(path) && fingerprint(fileValues.get(path)) !== replaced) {
      dropped.push(path);
      notes.push({
        level: "info",
        message: `stored settings: ${path} was changed in the file after it was stored; the file wins`,
      });
    } else {
      const read = readValue(key, value);
      if (read.ok) values.set(path, read.value);
      else notes.push({ level: "warn", message: asideNote(key, value, read.reason) });
    }
  }
  return { values, notes, dropped };
}

function asideNote(key: ConfigKey, value: unknown, reason: string): string {
  const problem = describeProblem(key, { value }, { source: "stored settings", reason });
  return `${formatProblems([problem])}; it is not used`;
}
