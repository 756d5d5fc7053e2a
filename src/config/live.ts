// The configuration of a running program: what is valid now, how it changes, and who wants to know.
// Knows no form, no route and no database. Invariant: `current()` is always a whole, valid configuration; a change is
// stored first, then acts at once, then is told to the listeners.
import { z } from "zod";
import { createGate } from "../lib/lock.ts";
import type { Log } from "../lib/log.ts";
import type { Environment } from "./environment.ts";
import { type ConfigFile, readConfigFiles } from "./file.ts";
import {
  formatProblems,
  loadConfig,
  type LoadedConfig,
  type Origin,
  type Problem,
  type StoredSettings,
} from "./load.ts";
import { changedKeys, planPatch } from "./patch.ts";
import { type Config, configKeys } from "./schema.ts";
import type { Note } from "./translate.ts";
import { canonicalJson, type Tree } from "./tree.ts";

/** The part of a document store that settings need; any store with revisions fits. */
export interface SettingsDocuments {
  get(collection: string, id: string): Promise<{ revision: number; body: unknown } | null>;
  write(changes: SettingsChange[]): Promise<{ ok: true; revisions: number[] } | { ok: false }>;
}

export interface SettingsChange {
  collection: string;
  id: string;
  body: unknown;
  expect?: number;
}

export interface ConfigSnapshot {
  config: Config;
  origins: ReadonlyMap<string, Origin>;
  /** Of the stored settings; an editor sends it back to notice another editor. */
  revision: number;
  /** Keys whose value waits for a restart. */
  pendingRestart: string[];
}

export interface ConfigChange {
  config: Config;
  changed: string[];
}

export interface PatchOptions {
  expectRevision?: number;
  /** Documents that are written in the transaction of the change. */
  along?: (change: { before: Config; after: Config; changed: string[] }) => SettingsChange[];
}

export type PatchResult =
  | { ok: true; revision: number; changed: string[]; restart: string[]; notes: Note[] }
  | { ok: false; reason: "invalid"; problems: Problem[]; notes: Note[] }
  | { ok: false; reason: "locked"; locked: { key: string; reason: string }[]; notes: Note[] }
  | { ok: false; reason: "conflict"; revision: number };

export type ReloadResult = { ok: true; changed: string[]; notes: Note[] } | { ok: false; message: string };

export interface LiveConfig {
  current(): Config;
  snapshot(): ConfigSnapshot;
  /** A null takes the stored value away. Old names are understood. All or nothing. */
  patch(tree: Tree, options?: PatchOptions): Promise<PatchResult>;
  /** Reads file and stored settings again; on a fault everything stays as it was. */
  reload(): Promise<ReloadResult>;
  subscribe(listener: (change: ConfigChange) => void): () => void;
}

export interface LiveConfigOptions {
  documents: SettingsDocuments;
  /** The operator's file; it need not exist. */
  path: string;
  environment: Environment;
  log: Log;
}

interface State {
  files: ConfigFile[];
  stored: StoredSettings;
  revision: number;
  loaded: LoadedConfig;
}

const place = { collection: "settings", id: "config" };
const storedSchema = z.record(z.string(), z.object({ value: z.unknown(), replaced: z.string().nullable() }));
const patchAttempts = 5;

/** Throws an Error that names every problem when the configuration is not valid. */
export async function createLiveConfig(options: LiveConfigOptions): Promise<LiveConfig> {
  const { documents, log } = options;
  let state = await readState(options);
  const atStart = state.loaded.config;
  const listeners = new Set<(change: ConfigChange) => void>();
  // Changes are made one after the other, so that an older state never replaces a newer one.
  const gate = createGate(() => 1);

  for (const { level, message } of state.loaded.notes) log.at(level, message);
  await forgetDropped();

  function replaceState(next: State): string[] {
    const changed = changedKeys(state.loaded.config, next.loaded.config);
    state = next;
    if (changed.length > 0) for (const listener of listeners) tell(listener, { config: next.loaded.config, changed });
    return changed;
  }

  function tell(listener: (change: ConfigChange) => void, change: ConfigChange): void {
    try {
      listener(change);
    } catch (error) {
      log.error("a listener failed after a change of settings", { error });
    }
  }

  /** Another node that starts at the same time may be first; then there is nothing left to do. */
  async function forgetDropped(): Promise<void> {
    const { droppedStored } = state.loaded;
    if (droppedStored.length === 0) return;
    const stored = Object.fromEntries(Object.entries(state.stored).filter(([path]) => !droppedStored.includes(path)));
    const result = await documents.write([{ ...place, body: stored, expect: state.revision }]);
    if (result.ok) state = { ...state, stored, revision: result.revisions[0] ?? state.revision };
  }

  async function tryPatch(tree: Tree, along: PatchOptions["along"]): Promise<PatchResult> {
    const before = state;
    const { problems, locked, stored, notes } = planPatch(tree, before);
    if (problems.length > 0) return { ok: false, reason: "invalid", problems, notes };
    if (locked.length > 0) return { ok: false, reason: "locked", locked, notes };
    if (canonicalJson(stored) === canonicalJson(before.stored)) {
      return { ok: true, revision: before.revision, changed: [], restart: [], notes };
    }
    const loaded = requireLoaded({ files: before.files, stored, environment: options.environment });
    const configs = { before: before.loaded.config, after: loaded.config };
    const more = along?.({ ...configs, changed: changedKeys(configs.before, configs.after) }) ?? [];
    const result = await documents.write([{ ...place, body: stored, expect: before.revision }, ...more]);
    if (!result.ok) return { ok: false, reason: "conflict", revision: before.revision };
    const revision = result.revisions[0] ?? before.revision + 1;
    const changed = replaceState({ ...before, stored, revision, loaded });
    return { ok: true, revision, changed, restart: changed.filter(needsRestart), notes };
  }

  async function readAgain(): Promise<string[]> {
    const changed = replaceState(await readState(options));
    await forgetDropped();
    return changed;
  }

  async function patchRepeatedly(tree: Tree, { expectRevision, along }: PatchOptions): Promise<PatchResult> {
    for (let attempt = 1; ; attempt++) {
      if (expectRevision !== undefined && expectRevision !== state.revision) {
        return { ok: false, reason: "conflict", revision: state.revision };
      }
      const result = await tryPatch(tree, along);
      if (result.ok || result.reason !== "conflict") return result;
      await readAgain();
      if (attempt === patchAttempts) return { ...result, revision: state.revision };
    }
  }

  async function alone<T>(work: () => Promise<T>): Promise<T> {
    const leave = await gate.enter();
    try {
      return await work();
    } finally {
      leave();
    }
  }

  return {
    current: () => state.loaded.config,
    snapshot: () => ({
      config: state.loaded.config,
      origins: state.loaded.origins,
      revision: state.revision,
      pendingRestart: changedKeys(atStart, state.loaded.config).filter(needsRestart),
    }),
    patch: (tree, patching = {}) => alone(() => patchRepeatedly(tree, patching)),
    reload: () =>
      alone(async () => {
        try {
          const changed = await readAgain();
          return { ok: true, changed, notes: state.loaded.notes };
        } catch (thrown) {
          return { ok: false, message: thrown instanceof Error ? thrown.message : String(thrown) };
        }
      }),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

async function readState(options: LiveConfigOptions): Promise<State> {
  const [files, document] = await Promise.all([
    readConfigFiles(options.path),
    options.documents.get(place.collection, place.id),
  ]);
  const stored = document === null ? {} : parseStored(document.body);
  const loaded = requireLoaded({ files, stored, environment: options.environment });
  return { files, stored, revision: document?.revision ?? 0, loaded };
}

function requireLoaded(sources: Parameters<typeof loadConfig>[0]): LoadedConfig {
  const result = loadConfig(sources);
  if (!result.ok) throw new Error(`the configuration is not valid:\n${formatProblems(result.problems)}`);
  freeze(result.config);
  return result;
}

function parseStored(body: unknown): StoredSettings {
  const result = storedSchema.safeParse(body);
  if (result.success) return result.data;
  throw new Error(`the stored settings (document ${place.collection}/${place.id}) cannot be understood`);
}

function needsRestart(path: string): boolean {
  return configKeys.get(path)?.meta.restart === true;
}

/** One object serves the whole program, so nobody may change it in passing. */
function freeze(value: object): void {
  const inners: unknown[] = Object.values(value);
  for (const inner of inners) if (typeof inner === "object" && inner !== null) freeze(inner);
  Object.freeze(value);
}
