// Decides what a patch of settings means: which stored values come, go or stay. Pure; nothing is written here.
// Invariant: a patch is taken whole or refused whole, and a masked secret is never stored in place of the secret.
import {
  describeProblem,
  fingerprintOf,
  type LoadedConfig,
  type Problem,
  readValue,
  type StoredSetting,
  type StoredSettings,
} from "./load.ts";
import { maskValue } from "./mask.ts";
import { type Config, type ConfigKey, configKeys } from "./schema.ts";
import { type Note, translateNames } from "./translate.ts";
import { canonicalJson, flattenTree, isTree, type Tree } from "./tree.ts";

export interface PatchPlan {
  problems: Problem[];
  /** Keys that cannot be changed here, each with what holds them. */
  locked: { key: string; reason: string }[];
  stored: StoredSettings;
  notes: Note[];
}

export function planPatch(tree: Tree, state: { loaded: LoadedConfig; stored: StoredSettings }): PatchPlan {
  const { values, notes } = translateNames(flattenTree(tree), "request");
  const plan = { problems: [] as Problem[], locked: [] as PatchPlan["locked"], notes };
  const stored = new Map<string, StoredSetting>(Object.entries(state.stored));
  for (const [path, given] of values) {
    const key = configKeys.get(path);
    if (key === undefined) continue;
    if (given.value === null) {
      stored.delete(path);
      continue;
    }
    const decision = decide(key, given.value, state.loaded);
    if (decision.kind === "problem") {
      plan.problems.push(describeProblem(key, given, { source: "request", reason: decision.reason }));
    } else if (decision.kind === "locked") plan.locked.push({ key: path, reason: decision.reason });
    else if (decision.kind === "beneath") stored.delete(path);
    else if (decision.kind === "store") {
      stored.set(path, { value: decision.value, replaced: fingerprintOf(path, state.loaded.fileValues) });
    }
  }
  return { ...plan, stored: Object.fromEntries(stored) };
}

type Decision =
  | { kind: "problem"; reason: string }
  | { kind: "locked"; reason: string }
  | { kind: "unchanged" }
  | { kind: "beneath" }
  | { kind: "store"; value: unknown };

function decide(key: ConfigKey, raw: unknown, loaded: LoadedConfig): Decision {
  const current = configValue(loaded.config, key);
  const unmasked = unmask(key, raw, current);
  if (unmasked === maskedLeftover) return { kind: "problem", reason: "is partly masked; type the whole value again" };
  const read = readValue(key, unmasked);
  if (!read.ok) return { kind: "problem", reason: read.reason };
  const { value } = read;
  if (same(value, current)) return { kind: "unchanged" };
  if (key.meta.startup === true) {
    return { kind: "locked", reason: `can only be set by the file or by the environment variable ${key.env}` };
  }
  if (loaded.origins.get(key.path) === "environment") {
    return { kind: "locked", reason: `is set by the environment variable ${key.env}` };
  }
  const beneath = loaded.fileValues.has(key.path) ? loaded.fileValues.get(key.path) : key.defaultValue;
  return same(value, beneath) ? { kind: "beneath" } : { kind: "store", value };
}

export function configValue(config: Config, key: Pick<ConfigKey, "section" | "name">): unknown {
  const tree: Record<string, unknown> = config;
  const section = tree[key.section];
  return isTree(section) ? section[key.name] : undefined;
}

export function changedKeys(before: Config, after: Config): string[] {
  return [...configKeys.values()]
    .filter((key) => !same(configValue(before, key), configValue(after, key)))
    .map((key) => key.path);
}

function same(one: unknown, other: unknown): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

const maskedLeftover = Symbol("masked");

/** A form sends back what it was shown: puts the secrets back where their masks still stand. */
function unmask(key: ConfigKey, raw: unknown, current: unknown): unknown {
  if (key.meta.secret !== true) return raw;
  if (Array.isArray(current)) return unmaskList(key, raw, current);
  if (typeof raw !== "string") return raw;
  if (raw !== "" && raw === maskValue(key, current)) return current;
  return looksMasked(raw) ? maskedLeftover : raw;
}

function unmaskList(key: ConfigKey, raw: unknown, current: readonly unknown[]): unknown {
  const items: unknown = typeof raw === "string" ? raw.split(",").map((item) => item.trim()) : raw;
  if (!Array.isArray(items)) return raw;
  const masks = current.map((secret) => maskValue(key, secret));
  const given: readonly unknown[] = items;
  const left = [...current];
  const restored: unknown[] = [];
  for (const item of given) {
    const meant = count(masks, item);
    // Two short secrets look the same: when not all of them come back, nobody knows which one was meant to go.
    if (meant !== 0 && meant !== count(given, item)) return maskedLeftover;
    if (meant === 0 && typeof item === "string" && looksMasked(item)) return maskedLeftover;
    const index = left.findIndex((secret) => maskValue(key, secret) === item);
    restored.push(index === -1 ? item : left.splice(index, 1)[0]);
  }
  return restored;
}

function count(items: readonly unknown[], wanted: unknown): number {
  return items.filter((item) => item === wanted).length;
}

function looksMasked(text: string): boolean {
  return text === "****" || text.includes("****@") || /^.{4}….{4}$/u.test(text);
}
