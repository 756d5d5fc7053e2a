// The only reader of the process environment, and the rules by which a variable names a setting.
// An empty variable counts as not set, because container files often pass on variables that nobody filled in.
import { join } from "node:path";
import { envNotes, legacyRules } from "./legacy.ts";
import { nearestName } from "./nearest.ts";
import { configKeys, envName } from "./schema.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export function readEnvironment(): Environment {
  return { ...process.env };
}

/** The operator's file; it is found before any setting is known, so only the environment can move it. */
export function configPath(environment: Environment): string {
  return environment["CONFIG_LOCAL_PATH"] || join(environment["DATA_DIR"] || "./data", "config.toml");
}

export interface NamedVariable {
  /** Path of a setting, or an old name that is still to be translated. */
  path: string;
  variable: string;
  value: string;
}

export function settingsFromEnvironment(environment: Environment): { variables: NamedVariable[]; notes: string[] } {
  const found = new Map<string, NamedVariable & { rank: number }>();
  const notes: string[] = [];
  for (const [variable, value] of Object.entries(environment)) {
    if (value === undefined || value === "") continue;
    const target = variableIndex.get(variable);
    if (target === undefined) notes.push(...explainVariable(variable, value));
    else if (target.rank < (found.get(target.path)?.rank ?? Infinity))
      found.set(target.path, { ...target, variable, value });
  }
  return { variables: [...found.values()].map(({ path, variable, value }) => ({ path, variable, value })), notes };
}

/** Lower ranks win: the documented name, the same name by rule, then the prefix of an earlier program. */
const variableIndex: ReadonlyMap<string, { path: string; rank: number }> = new Map<
  string,
  { path: string; rank: number }
>([
  ...[...Object.keys(legacyRules), ...configKeys.keys()].flatMap((path) => [
    [envName(path).replace("GROK2API_", "GROK_"), { path, rank: 2 }] as const,
    [envName(path), { path, rank: 1 }] as const,
  ]),
  ...[...configKeys.values()].map((key) => [key.env, { path: key.path, rank: 0 }] as const),
]);

function explainVariable(variable: string, value: string): string[] {
  const note = Object.hasOwn(envNotes, variable) ? envNotes[variable] : undefined;
  if (note !== undefined)
    return note.harmless.includes(value.toLowerCase()) ? [] : [`${variable} is ignored: ${note.reason}`];
  if (!variable.startsWith("GROK2API_")) return [];
  const names = [...configKeys.values()].map((key) => key.env);
  const nearest = nearestName(variable, names);
  return [`${variable} is not a setting${nearest === null ? "" : `; did you mean ${nearest}?`}`];
}
