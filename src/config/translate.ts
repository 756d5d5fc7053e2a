// Brings whatever names a source uses to the settings of today, and says in words what it did.
// Knows no order of sources. Invariant: no name disappears without a note.
import { formerKeys, ignoredKeys, legacyRules } from "./legacy.ts";
import { nearestName } from "./nearest.ts";
import { configKeys, sections } from "./schema.ts";

export interface Note {
  level: "info" | "warn";
  message: string;
}

export interface SourceValue {
  value: unknown;
  /** The name that the source used, when it is an old one. */
  writtenAs?: string;
}

export interface Translation {
  /** By path of today's settings. */
  values: Map<string, SourceValue>;
  notes: Note[];
}

export function translateNames(entries: ReadonlyMap<string, unknown>, source: string): Translation {
  const values = new Map<string, SourceValue>();
  const notes: Note[] = [];
  for (const [path, value] of entries) if (configKeys.has(path)) values.set(path, { value });
  for (const [path, value] of entries) {
    if (configKeys.has(path)) continue;
    const note = Object.hasOwn(legacyRules, path)
      ? applyRule({ path, value, entries, values })
      : explainUnusedName(path, value);
    if (note !== null) notes.push({ ...note, message: `${source}: ${note.message}` });
  }
  return { values, notes };
}

interface OldEntry {
  path: string;
  value: unknown;
  entries: ReadonlyMap<string, unknown>;
  values: Map<string, SourceValue>;
}

function applyRule({ path, value, entries, values }: OldEntry): Note | null {
  const rule = legacyRules[path];
  if (rule === undefined) return null;
  const targets = rule.to.filter((target) => configKeys.has(target));
  if (targets.length === 0) return warn(`${path} has no effect in this version`);
  const converted =
    rule.convert === undefined || value === null ? value : rule.convert(value, (name) => entries.get(name));
  if (converted === undefined) return null;
  const free = targets.filter((target) => !values.has(target));
  for (const target of free) values.set(target, { value: converted, writtenAs: path });
  if (free.length === 0) return warn(`${path} is ignored, because ${targets.join(" and ")} is set too`);
  return { level: "info", message: `${path} is now called ${free.join(" and ")}; the old name still works` };
}

function explainUnusedName(path: string, value: unknown): Note {
  if (Object.hasOwn(ignoredKeys, path)) return { level: "info", message: `${path} is ignored: ${ignoredKeys[path]}` };
  if (formerKeys.has(path)) return warn(`${path} has no effect in this version`);
  if (Object.hasOwn(sections, path))
    return warn(`${path} is a section, not a setting; its keys belong below [${path}]`);
  const nearest = nearestName(path, configKeys.keys());
  const what = value === null ? "is not a setting that could be reset" : "is not a setting";
  return warn(`${path} ${what}${nearest === null ? "" : `; did you mean ${nearest}?`}`);
}

function warn(message: string): Note {
  return { level: "warn", message };
}
