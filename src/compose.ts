// Puts the program together: the only file that names concrete things. Order of start: settings, storage, pool, upstream,
// use cases, HTTP; stopping goes the other way. Tests call the same function with overrides.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createAdminAccess } from "./access/admin-session.ts";
import { createAudit } from "./access/audit.ts";
import { digestOf } from "./access/digest.ts";
import { createAttemptLimiter } from "./access/limits.ts";
import { createPublicAccess } from "./access/public-access.ts";
import { createConfiguredKeys } from "./accounts/configured-keys.ts";
import { parseImport, type ParsedImport } from "./accounts/import.ts";
import { createPool, type Pool } from "./accounts/pool.ts";
import { createRefresher } from "./accounts/refresh.ts";
import { createRefreshSchedule } from "./accounts/schedule.ts";
import { tokenSettingsOf } from "./accounts/settings.ts";
import { createAccountRefresh } from "./admin/account-refresh.ts";
import { createSiteSettings } from "./admin/account-settings.ts";
import { createAccountTest } from "./admin/account-test.ts";
import { createAccountAdmin } from "./admin/accounts.ts";
import type { Migration } from "./admin/migration.ts";
import { reportLines, tookAnything } from "./admin/migration-report.ts";
import { createLogFiles } from "./admin/log-files.ts";
import { createSettingsAdmin } from "./admin/settings.ts";
import { createTasks } from "./admin/tasks.ts";
import type { App, ComposeOptions, FolderReport, ImportReport } from "./cli/port.ts";
import { composeFiles, mediaLimits } from "./compose-files.ts";
import { composeLog } from "./compose-log.ts";
import { composeMedia } from "./compose-media.ts";
import { composePlayground } from "./compose-playground.ts";
import { composeRecords, type Records } from "./compose-records.ts";
import { composeUpstreams } from "./compose-upstreams.ts";
import { configPath, type Environment } from "./config/environment.ts";
import { readConfigFiles } from "./config/file.ts";
import { createLiveConfig } from "./config/live.ts";
import { formatProblems, loadConfig } from "./config/load.ts";
import type { Config } from "./config/schema.ts";
import { createByKind } from "./gateway/by-kind.ts";
import { createGenerate } from "./gateway/generate.ts";
import { meteredChat, meteredMedia } from "./gateway/metered.ts";
import { createResponseStore } from "./gateway/response-store.ts";
import { createResponses } from "./gateway/responses.ts";
import { createSeal } from "./gateway/seal.ts";
import { createSessions } from "./gateway/session.ts";
import { ROUTES } from "./http/routes.ts";
import { serve, type Listening } from "./http/serve.ts";
import { createServer, type Server } from "./http/server.ts";
import { closeAll } from "./lib/close-all.ts";
import { systemClock, type Clock } from "./lib/clock.ts";
import { chance } from "./lib/ids.ts";
import type { Log } from "./lib/log.ts";
import { createForeignFetcher, resolveHost } from "./media/foreign.ts";
import { createMediaStore } from "./media/store.ts";
import { fetchPinned } from "./providers/upstream-http.ts";
import type { Documents } from "./storage/port.ts";
import { openSqlite, type SqliteStore } from "./storage/sqlite.ts";

/** What tests may put in the place of the real thing, and look at. */
export interface Overrides {
  readonly clock?: Clock;
  readonly log?: Log;
}

export interface Composed extends App {
  readonly server: Server;
  readonly pool: Pool;
  readonly records: Records;
  listen(): Promise<Listening>;
}

const MEGABYTE = 1024 * 1024;
const TICK_MS = 5_000;
const TRIM_MS = 10 * 60_000;
const HOUR_MS = 3_600_000;
/** The browser-like client is loaded this long after the start, when it no longer delays readiness. */
const WARM_UP_MS = 100;

/** Settings enough to find the data folder; the living settings come from storage, which lies in it. */
const initialConfig = async (environment: Environment): Promise<Config> => {
  const files = await readConfigFiles(configPath(environment));
  const loaded = loadConfig({ files, environment });
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  return loaded.config;
};

const openStorage = (folder: string): SqliteStore => openSqlite({ path: join(folder, "grok2api.db") });

export const compose = async (options: ComposeOptions, overrides: Overrides = {}): Promise<Composed> => {
  const { env: environment, version, purpose } = options;
  const clock = overrides.clock ?? systemClock;
  const initial = await initialConfig(environment);
  const folder = initial.server.data_dir;
  const logging = composeLog({ initial, clock, given: overrides.log });
  const { log } = logging;
  const documents = openStorage(folder);
  const live = await createLiveConfig({ documents, path: configPath(environment), environment, log });
  const config = () => live.current();
  logging.use(config());
  live.subscribe(() => logging.use(config()));

  const tokenSettings = () => tokenSettingsOf(config());
  const pool = createPool({
    documents,
    clock,
    log,
    settings: tokenSettings,
    rescue: (resting) => schedule.wake(resting),
  });
  await pool.load();
  if (purpose === "serve") await importTokenFile({ folder, documents, pool, log });
  const configuredKeys = createConfiguredKeys({ pool, log });
  if (purpose === "serve") {
    await configuredKeys.apply(config().xai.api_keys);
    live.subscribe(() => {
      configuredKeys
        .apply(config().xai.api_keys)
        .catch((error: unknown) => log.error("the keys of xai.api_keys could not be taken over", { error }));
    });
  }

  const upstreams = composeUpstreams({ pool, documents, config, clock, log });
  const { http, grokWeb, catalogue, provider, xaiModels } = upstreams;
  await xaiModels.open();
  const media = createMediaStore({
    directory: join(folder, "tmp"),
    documents,
    clock,
    log,
    limits: () => mediaLimits(config()),
  });
  const fetchForeign = createForeignFetcher({
    fetch: fetchPinned,
    resolve: resolveHost,
    clock,
    allowPrivate: () => config().asset.allow_private_urls,
  });

  const { attachments, pictures, mediaGateway, mediaChat, videoJobs, uploads, incoming, links } = await composeMedia({
    ...{ folder, pool, documents, config, clock, log, media, fetchForeign, catalogue, provider },
    mayUse: xaiModels.has,
    meter: () => records.jobMeter,
  });
  const chat = createGenerate({
    ...{ pool, catalogue, provider, config, clock, log },
    mayUse: xaiModels.has,
    sessions: createSessions({ lifeMs: () => config().chat.session_seconds * 1000, nowMs: clock.monotonic }),
    attachments,
    pictures,
  });
  const gateway = createByKind({ catalogue, chat, media: mediaChat });

  const responseStore = createResponseStore({ documents, clock, log, limits: () => responseLimits(config()) });
  if (purpose === "serve") await responseStore.load();
  if (purpose === "serve") await incoming.clear();

  const refresher = createRefresher({
    pool,
    log,
    settings: tokenSettings,
    ask: upstreams.checkAccount,
  });
  const schedule = createRefreshSchedule({ pool, refresher, clock, log, settings: tokenSettings, chance });
  const audit = createAudit({ documents, clock });
  const tasks = createTasks({ clock, log });
  const files = composeFiles({
    ...{ folder, documents, pool, live, media, tasks, audit, clock, log },
    assets: grokWeb.assets,
  });
  if (purpose === "serve") await takeOwnFolder(files.migration, log);
  const adminAccess = createAdminAccess({
    documents,
    clock,
    log,
    settings: () => config().app,
    limiter: createAttemptLimiter(clock),
  });
  const { firstPassword } = purpose === "serve" ? await adminAccess.open() : { firstPassword: null };

  const records = await composeRecords({
    documents,
    journal: documents.journal,
    catalogue,
    pool,
    mediaAdmin: files.mediaAdmin,
    config,
    clock,
    log,
    version,
    audit,
  });
  const publicAccess = createPublicAccess({ settings: () => config().app, limiter: createAttemptLimiter(clock) });
  const metered = meteredMedia(mediaGateway, records.meter);
  const client = watchClient(grokWeb.warmUp);
  const server = createServer(
    {
      ...composePlayground({ pool, media: metered, provider: grokWeb, config, clock, log }),
      config,
      clock,
      log,
      version,
      startedMs: clock.monotonic(),
      apiKeys: records.apiKeys,
      limits: records.limits,
      keyUsage: records.keyUsage,
      keyAdmin: records.keyAdmin,
      reports: records.reports,
      oldReports: records.oldReports,
      logFiles: createLogFiles(logging.folder),
      exposition: records.exposition,
      recorded: records.recorded,
      adminAccess,
      publicAccess,
      catalogue,
      gateway: meteredChat(gateway, records.meter),
      pictures: metered,
      ...{ speech: upstreams.speech(records.meter), socketSecrets: records.socketSecrets },
      videoJobs,
      checkClip: mediaChat.checkClip,
      uploads,
      incoming,
      links,
      responses: createResponses({ store: responseStore, seal: createSeal(documents), clock, config }),
      settings: createSettingsAdmin({ live, audit, storageType: "local", passwordWeakness: adminAccess.weakness }),
      accounts: createAccountAdmin({ pool, audit, clock, log, keyModels: xaiModels.of }),
      accountRefresh: createAccountRefresh({ pool, refresher, tasks, concurrent: () => config().usage.concurrent }),
      siteSettings: createSiteSettings({
        ...{ pool, tasks, audit, clock, log },
        site: grokWeb.accountSettings,
        settings: () => config().nsfw,
      }),
      accountTest: createAccountTest({
        ...{ pool, clock, log, provider },
        keyModels: xaiModels.of,
        timeoutMs: () => config().chat.timeout * 1000,
      }),
      tasks,
      audit,
      media,
      mediaAdmin: files.mediaAdmin,
      assetAdmin: files.assetAdmin,
      readiness: { components: async () => ({ ...(await readiness(documents, pool)), ...(await client.state()) }) },
    },
    ROUTES,
  );

  let listening: Listening | null = null;
  const timers: (() => void)[] = [];
  const tidyRecords = () => {
    records.tidy().catch((error: unknown) => log.error("old records could not be tidied", { error }));
  };
  const startTimers = () => {
    schedule.start();
    xaiModels.start();
    timers.push(
      // Whoever makes the journal smaller wants the space now.
      live.subscribe(({ changed }) => {
        if (changed.some((key) => key.startsWith("journal."))) tidyRecords();
      }),
      clock.every(TICK_MS, pool.tick),
      clock.every(TRIM_MS, () => {
        responseStore.trim();
        media.trim().catch((error: unknown) => log.error("trimming failed", { error }));
        tidyRecords();
        audit.prune().catch((error: unknown) => log.error("old audit rows could not be removed", { error }));
      }),
    );
  };

  return {
    get config() {
      return config();
    },
    firstPassword,
    server,
    pool,
    records,
    async listen() {
      const { host, port } = config().server;
      listening = serve({ server, host, port });
      startTimers();
      await records.open();
      await videoJobs.load();
      if (records.apiKeys.open)
        log.warn("app.api_key is empty and no client key exists: the API is open to everybody who reaches it");
      for (const warning of [publicAccess.warning(), adminAccess.weakness()]) if (warning) log.warn(warning);
      setTimeout(() => {
        client.start().catch((error: unknown) => log.error(CLIENT_DEAD, { error }));
      }, WARM_UP_MS).unref();
      return listening;
    },
    resetAdminPassword: adminAccess.resetPassword,
    async importAccounts(text): Promise<ImportReport> {
      const { added, known, problems } = await importAccounts(pool, parseImport(text));
      return { added, merged: known, refused: problems.map(problemLine) };
    },
    async importFolder(path): Promise<FolderReport> {
      const report = await files.migration.take(path, { id: "command-line", address: "local" });
      await records.open();
      return { took: tookAnything(report), lines: reportLines(report) };
    },
    async stop() {
      for (const stopTimer of timers) stopTimer();
      const graceMs = config().server.grace_seconds * 1000;
      // A disk that is full must not cost what another store holds.
      await closeAll([
        () => (listening ? listening.stop(graceMs) : server.drain(graceMs)),
        ...[schedule.stop, xaiModels.stop, tasks.stop, videoJobs.stop, http.close, responseStore.close],
        ...[records.close, pool.close, documents.close, logging.close],
      ]);
    },
  };
};

const responseLimits = ({ responses }: Config) => ({
  maxAgeMs: responses.retention_hours * HOUR_MS,
  maxCount: responses.max_stored,
  maxBytes: responses.max_stored_mb * MEGABYTE,
});

/** What an earlier program left in our own folder; a fault in it must not keep the gateway from serving. */
const takeOwnFolder = async (migration: Migration, log: Log): Promise<void> => {
  try {
    const report = await migration.takeOwn({ id: "start", address: "local" });
    for (const line of report === null ? [] : reportLines(report)) log.info(line);
  } catch (error) {
    log.error("what an earlier program left in the data folder could not be taken over", { error });
  }
};

const importAccounts = async (pool: Pool, parsed: ParsedImport) => {
  const { added, updated, unchanged } = await pool.upsert(parsed.accounts);
  await pool.flush();
  return { added: added.length, known: updated.length + unchanged.length, problems: parsed.problems };
};

const problemLine = ({ line, where, reason }: ParsedImport["problems"][number]): string =>
  `${where ?? `line ${line}`}: ${reason}`;

/**
 * `token.json` is taken over when it is new or has changed since it was last taken over; it is never written. Taking over
 * only adds: what the pool knows about an account stays.
 */
const importTokenFile = async (about: {
  folder: string;
  documents: Documents;
  pool: Pool;
  log: Log;
}): Promise<void> => {
  const { folder, documents, pool, log } = about;
  const path = join(folder, "token.json");
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return null;
    throw new Error(`cannot read ${path}: ${error.message}`);
  });
  if (text === null) return;
  const digest = digestOf(text);
  const seen = await documents.get("imports", "token.json");
  if (seen && (seen.body as { digest?: unknown }).digest === digest) return;
  const { added, known, problems } = await importAccounts(pool, parseImport(text));
  for (const problem of problems) log.warn(`token.json ${problemLine(problem)}`);
  log.info("accounts taken over from token.json", { added, known, problems: problems.length });
  await documents.write([{ collection: "imports", id: "token.json", body: { digest } }]);
};

const CLIENT_DEAD =
  "the upstream client cannot start; check proxy.browser, and that TMPDIR is writable and allows execution";

/** A client that could not start is tried again whenever somebody asks whether requests can be served. */
const watchClient = (warmUp: () => Promise<void>) => {
  let failed = false;
  const start = async (): Promise<void> => {
    try {
      await warmUp();
      failed = false;
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  return {
    start,
    state: async (): Promise<Record<string, string>> => {
      if (failed) await start().catch(() => undefined);
      return failed ? { client: CLIENT_DEAD } : {};
    },
  };
};

const readiness = async (documents: Documents, pool: Pool): Promise<Record<string, string>> => {
  const storage = await documents.get("secrets", "readiness").then(
    () => "ok",
    () => "the database does not answer",
  );
  const usable = pool.all().some(({ status }) => status === "active" || status === "cooling");
  return { storage, accounts: usable ? "ok" : "the pool has no usable account" };
};
