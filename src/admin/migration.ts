// Takes a whole data folder of an earlier program over: accounts, settings, pictures and clips; the rest is kept or left.
// Knows no HTTP and no SQL. Invariant: it only adds, so that it can be repeated; nothing in the old folder is changed, unless
// it is this program's own folder, in which files move to where they are looked for now.
import { readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Actor, Audit } from "../access/audit.ts";
import { digestOf } from "../access/digest.ts";
import type { Pool } from "../accounts/pool.ts";
import type { LiveConfig } from "../config/live.ts";
import { isObject } from "../lib/json.ts";
import type { Log } from "../lib/log.ts";
import { namesIn } from "../media/folder.ts";
import type { MediaKind } from "../media/links.ts";
import type { MediaStore } from "../media/store.ts";
import type { Documents } from "../storage/port.ts";
import { ACCOUNT_DATABASE, type ReadTable, takeAccounts, TOKEN_FILE } from "./migration-accounts.ts";
import type { AccountsTaken, Left, MediaTaken, MigrationReport, SettingsTaken } from "./migration-report.ts";
import { takeSettings } from "./migration-settings.ts";

export interface Migration {
  /** `path` is a data folder or the folder around it. Throws an Error for the operator when it is neither. */
  take(path: string, by: Actor): Promise<MigrationReport>;
  /** What an earlier program has left in this program's own folder; null when there is nothing new. */
  takeOwn(by: Actor): Promise<MigrationReport | null>;
}

export interface MigrationDeps {
  /** This program's own data folder. */
  readonly ownFolder: string;
  readonly pool: Pool;
  readonly live: LiveConfig;
  readonly media: Pick<MediaStore, "adopt">;
  readonly documents: Documents;
  readonly audit: Audit;
  readonly readTable: ReadTable;
  readonly clock: { now(): number };
  readonly log: Log;
}

/** Where earlier programs kept media. */
const MEDIA_PLACES: readonly (readonly [place: string, kind: MediaKind])[] = [
  ["tmp/image", "image"],
  ["tmp/video", "video"],
  ["temp/image", "image"],
  ["temp/video", "video"],
  ["files/images", "image"],
  ["files/videos", "video"],
];
const OWN_MEDIA = new Set(["tmp/image", "tmp/video"]);

/** Files whose content has no place yet and must not be lost. */
const ASIDE = ["api_keys.json", "api_key_usage.json"] as const;
const LARGEST_ASIDE_BYTES = 8 * 1024 * 1024;

/** Any of them makes a folder a data folder. */
const MARKS = [TOKEN_FILE, ACCOUNT_DATABASE, "config.toml", "setting.toml", "tmp", "temp", "files", ...ASIDE];

const LEFT_ALONE: Readonly<Record<string, string>> = {
  "stats.json": "its counts are those of the older program",
  "logs.json": "its log lines are those of the older program",
  logs: "its log lines are those of the older program",
  cache: "its index of files is made anew here",
  "imagine_nsfw_state.json": "its daily counts start anew here",
  "grok2api.db": "it is a database of this program: to move it, copy it while the program is stopped",
};
/** Parts of what is taken, and traces that mean nothing. */
const SILENT = new Set<string>([
  ...MARKS,
  ".locks",
  ".scheduler.lock",
  ".gitkeep",
  "accounts.db-wal",
  "accounts.db-shm",
  "grok2api.db-wal",
  "grok2api.db-shm",
  "config.example.toml",
]);
const IMPORTS = "imports";
const OWN_FOLDER = "own-folder";

export const createMigration = (deps: MigrationDeps): Migration => {
  const { pool, live, documents, audit, log } = deps;

  const takeMedia = async (folder: string, own: boolean): Promise<MediaTaken> => {
    const total = { files: 0, bytes: 0, known: 0, left: [] as Left[] };
    for (const [place, kind] of MEDIA_PLACES) {
      if (own && OWN_MEDIA.has(place)) continue;
      for (const name of await namesIn(join(folder, place))) {
        const adoption = await deps.media.adopt({ kind, name, path: join(folder, place, name), move: own });
        if (adoption.state === "taken") {
          total.files++;
          total.bytes += adoption.bytes;
        } else if (adoption.state === "known") total.known++;
        else total.left.push({ name: `${place}/${name}`, reason: adoption.reason });
      }
    }
    return total;
  };

  /** The whole text under its digest: two folders with different contents are both kept. */
  const keepAside = async (about: { folder: string; name: string; by: Actor; left: Left[] }): Promise<boolean> => {
    const { folder, name, by, left } = about;
    const { size } = await stat(join(folder, name));
    if (size > LARGEST_ASIDE_BYTES) {
      left.push({ name, reason: "it is too large to be kept" });
      return false;
    }
    const text = await readFile(join(folder, name), "utf8");
    const digest = digestOf(text);
    const id = `${name}:${digest.slice(0, 16)}`;
    if (await documents.get(IMPORTS, id)) return true;
    const body = { name, digest, taken_at: deps.clock.now(), text };
    const change = { collection: IMPORTS, id, body };
    await documents.write(audit.audited([change], { by, action: "migration.keep", target: name }));
    return true;
  };

  const take = async (
    folder: string,
    options: { by: Actor; own: boolean; atStart?: boolean },
  ): Promise<MigrationReport> => {
    const { by, own, atStart = false } = options;
    const names = new Set(await namesIn(folder));
    // The start has its own way with this file, which knows whether it has changed.
    if (atStart) names.delete(TOKEN_FILE);
    const left: Left[] = [];
    const accounts = await takeAccounts({ folder, names, pool, readTable: deps.readTable, audit, by, left });
    const settings = own ? NO_SETTINGS : await takeSettings({ folder, live, audit, by });
    const media = await takeMedia(folder, own);
    const aside: string[] = [];
    for (const name of ASIDE) if (names.has(name) && (await keepAside({ folder, name, by, left }))) aside.push(name);
    for (const name of [...names].toSorted()) {
      if (!SILENT.has(name)) left.push({ name, reason: LEFT_ALONE[name] ?? "it is nothing that is known" });
    }
    const report = { folder, accounts, settings, media, aside, left };
    const after = summary(report);
    await audit.write({ by, action: "migration.take", target: folder, after });
    log.info("an old data folder was taken over", { folder, ...after });
    return report;
  };

  return {
    async take(path, by) {
      const folder = await dataFolder(path);
      return take(folder, { by, own: folder === (await realpath(deps.ownFolder).catch(() => deps.ownFolder)) });
    },
    async takeOwn(by) {
      const folder = deps.ownFolder;
      const traces = await tracesOf(folder);
      if (traces === "") return null;
      const seen = await documents.get(IMPORTS, OWN_FOLDER);
      if (isObject(seen?.body) && seen.body["digest"] === digestOf(traces)) return null;
      const report = await take(folder, { by, own: true, atStart: true });
      // What could not be taken is still there, and is no news at the next start.
      const body = { digest: digestOf(await tracesOf(folder)) };
      await documents.write([{ collection: IMPORTS, id: OWN_FOLDER, body }]);
      return report;
    },
  };
};

const NO_SETTINGS: SettingsTaken = { taken: [], kept: [], refused: [], notes: [] };

const summary = ({ accounts, settings, media, aside, left }: MigrationReport) => ({
  accounts_added: accounts.added,
  accounts_known: known(accounts),
  account_rows_left: accounts.problems.length,
  settings_taken: settings.taken.length,
  settings_refused: settings.refused.length,
  media_taken: media.files,
  media_left: media.left.length,
  kept_aside: aside.length,
  left: left.length,
});

const known = ({ updated, unchanged }: AccountsTaken): number => updated + unchanged;

const isFolder = async (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

const isDataFolder = async (path: string): Promise<boolean> => {
  const names = new Set(await namesIn(path));
  return MARKS.some((mark) => names.has(mark));
};

/** People name the folder of the program as often as the one with its data. */
const dataFolder = async (path: string): Promise<string> => {
  if (!(await isFolder(path))) throw new Error(`${path} is no folder`);
  for (const candidate of [path, join(path, "data")]) {
    if ((await isFolder(candidate)) && (await isDataFolder(candidate))) return realpath(candidate);
  }
  throw new Error(`${path} holds no data of a program that is known: none of ${MARKS.join(", ")} is in it`);
};

/** What an earlier program would have left in the folder, as a text that changes with it. */
const tracesOf = async (folder: string): Promise<string> => {
  const names = new Set(await namesIn(folder));
  const traces: string[] = [];
  for (const name of [ACCOUNT_DATABASE, `${ACCOUNT_DATABASE}-wal`, ...ASIDE]) {
    if (!names.has(name)) continue;
    const { size, mtimeMs } = await stat(join(folder, name));
    traces.push(`${name} ${size} ${mtimeMs}`);
  }
  for (const [place] of MEDIA_PLACES) {
    if (!OWN_MEDIA.has(place)) traces.push(...(await namesIn(join(folder, place))).map((name) => `${place}/${name}`));
  }
  return traces.join("\n");
};
