// What others show of the configuration: the form, the masked dump. Drawn from the schema; knows no key by name.
// Invariant: no secret leaves this file unmasked.
import type { Help, Kind } from "./fields.ts";
import { sectionRegistry } from "./fields.ts";
import type { ConfigSnapshot } from "./live.ts";
import type { Origin } from "./load.ts";
import { maskValue } from "./mask.ts";
import { configValue } from "./patch.ts";
import { type Config, type ConfigKey, configKeys, sections } from "./schema.ts";
import { nestValues, type Tree } from "./tree.ts";

export interface FormField {
  path: string;
  name: string;
  kind: Kind;
  help: Help;
  allowed: string;
  choices?: readonly string[];
  min?: number;
  max?: number;
  unit?: string;
  needs?: { path: string; is: boolean };
  env: string;
  secret: boolean;
  restart: boolean;
  /** Set by the environment, or settable only at the start: shown, not editable. */
  locked: boolean;
  origin: Origin;
  defaultValue: unknown;
  /** Masked when secret; sent back unchanged it changes nothing. */
  value: unknown;
}

export interface FormSection {
  name: string;
  title: Help;
  fields: FormField[];
}

export interface ConfigForm {
  /** Send it back with a change to notice another editor. */
  revision: number;
  pendingRestart: string[];
  sections: FormSection[];
}

export function describeForm(snapshot: ConfigSnapshot): ConfigForm {
  return {
    revision: snapshot.revision,
    pendingRestart: snapshot.pendingRestart,
    sections: listSections().map(({ name, title, keys }) => ({
      name,
      title,
      fields: keys.map((key) => describeField(key, snapshot)),
    })),
  };
}

export interface SectionOfKeys {
  name: string;
  title: Help;
  keys: ConfigKey[];
}

export function listSections(): SectionOfKeys[] {
  const all = [...configKeys.values()];
  return Object.entries(sections).map(([name, schema]) => ({
    name,
    title: sectionRegistry.get(schema)?.title ?? { en: name, zh: name },
    keys: all.filter((key) => key.section === name),
  }));
}

/** The whole tree, fit for a screen or a log. */
export function maskedConfig(config: Config): Record<string, Tree> {
  return nestValues(
    [...configKeys.values()].map((key) => [key.path, maskValue(key, configValue(config, key))] as const),
  );
}

/** One line a setting with its masked value and where it comes from. */
export function dumpConfig(config: Config, origins: ReadonlyMap<string, Origin>): string {
  const width = Math.max(...[...configKeys.keys()].map((path) => path.length));
  return [...configKeys.values()]
    .map((key) => {
      const origin = origins.get(key.path) ?? "default";
      const where = origin === "environment" ? `environment ${key.env}` : origin;
      return `${key.path.padEnd(width)}  ${JSON.stringify(maskValue(key, configValue(config, key)))}  (${where})`;
    })
    .join("\n");
}

function describeField(key: ConfigKey, snapshot: ConfigSnapshot): FormField {
  const {
    help,
    kind,
    allowed,
    choices,
    min,
    max,
    unit,
    needs,
    secret = false,
    restart = false,
    startup = false,
  } = key.meta;
  const origin = snapshot.origins.get(key.path) ?? "default";
  return {
    path: key.path,
    name: key.name,
    kind,
    help,
    allowed,
    choices,
    min,
    max,
    unit,
    needs,
    env: key.env,
    secret,
    restart,
    locked: startup || origin === "environment",
    origin,
    defaultValue: key.defaultValue,
    value: maskValue(key, configValue(snapshot.config, key)),
  };
}
