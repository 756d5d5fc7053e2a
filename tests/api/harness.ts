// A server with fakes behind it: a gateway whose answers a test writes, a clock that a test moves, settings that a test sets.
import { createAdminAccess } from "../../src/access/admin-session.ts";
import { createAudit } from "../../src/access/audit.ts";
import { createApiKeys } from "../../src/access/api-keys.ts";
import { createSocketSecrets } from "../../src/access/socket-secrets.ts";
import { createPublicAccess } from "../../src/access/public-access.ts";
import { createAttemptLimiter } from "../../src/access/limits.ts";
import { createClientLimits } from "../../src/access/limits-client.ts";
import { type Config, configSchema } from "../../src/config/schema.ts";
import { createTasks } from "../../src/admin/tasks.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { EventBatch, GenerationEvent, GenerationStream } from "../../src/core/events.ts";
import type { GenerationRequest } from "../../src/core/request.ts";
import { createPlaygroundTasks } from "../../src/gateway/playground-tasks.ts";
import type { CallContext, ChatGateway } from "../../src/gateway/port.ts";
import type { RequestRecord } from "../../src/gateway/record.ts";
import { createResponseStore } from "../../src/gateway/response-store.ts";
import { createResponses } from "../../src/gateway/responses.ts";
import { createSeal } from "../../src/gateway/seal.ts";
import type { HttpServer, ServerDeps } from "../../src/http/context.ts";
import { ROUTES } from "../../src/http/routes.ts";
import { createServer } from "../../src/http/server.ts";
import type { Clock } from "../../src/lib/clock.ts";
import { createLog, type LogFields } from "../../src/lib/log.ts";
import { createMemoryDocuments } from "../../src/storage/memory.ts";
import { aCatalogue } from "../support/catalogue.ts";

export const API_KEY = "key-for-the-tests-0001";
export const APP_KEY = "a long enough password";

export interface ManualClock extends Clock {
  /** Moves time on and runs what is due, in order. */
  advance(ms: number): Promise<void>;
  readonly tickers: number;
}

export const createManualClock = (start = 1_760_000_000_000): ManualClock => {
  let elapsed = 0;
  const sleepers = new Set<{ at: number; wake: () => void }>();
  const tickers = new Set<{ next: number; ms: number; run: () => void }>();
  const nextDue = () => Math.min(...[...sleepers].map(({ at }) => at), ...[...tickers].map(({ next }) => next));
  const runDue = () => {
    for (const sleeper of [...sleepers]) {
      if (sleeper.at > elapsed) continue;
      sleepers.delete(sleeper);
      sleeper.wake();
    }
    for (const ticker of [...tickers]) {
      if (ticker.next > elapsed) continue;
      ticker.next += ticker.ms;
      ticker.run();
    }
  };
  return {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleeper = { at: elapsed + ms, wake: resolve };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", () => {
          sleepers.delete(sleeper);
          reject(signal.reason);
        });
      }),
    every(ms, run) {
      const ticker = { next: elapsed + ms, ms, run };
      tickers.add(ticker);
      return () => tickers.delete(ticker);
    },
    async advance(ms) {
      const end = elapsed + ms;
      for (;;) {
        await settled();
        const due = nextDue();
        if (due > end) break;
        elapsed = Math.max(elapsed, due);
        runDue();
      }
      elapsed = end;
    },
    get tickers() {
      return tickers.size;
    },
  };
};

/** Lets promises that are due run. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const START: GenerationEvent = { type: "start", id: "chatcmpl-x", model: "grok-4", created: 1_760_000_000 };
export const FINISH: GenerationEvent = { type: "finish", reason: "stop", raw: null };

export const textBatches = (...texts: string[]): EventBatch[] => [
  [START, { type: "text-start", block: 0 }],
  ...texts.map((text): EventBatch => [{ type: "text-delta", block: 0, text }]),
  [{ type: "text-end", block: 0 }, FINISH],
];

export interface Asked {
  readonly request: GenerationRequest;
  readonly context: CallContext;
}

export type Answer = (asked: Asked) => GenerationStream | Promise<GenerationStream>;

export async function* fromBatches(batches: readonly EventBatch[]): GenerationStream {
  yield* batches;
}

export interface Harness {
  readonly server: ReturnType<typeof createServer>;
  readonly clock: ManualClock;
  readonly asked: Asked[];
  readonly records: RequestRecord[];
  readonly lines: LogFields[];
  /** Idle limits that the server was told, in seconds, for requests with an address. */
  readonly idleLimits: number[];
  readonly deps: ServerDeps;
  config: Config;
  answer: Answer;
  components: Record<string, string>;
  request(path: string, init?: RequestInit & { address?: string }): Promise<Response>;
  /** The same with the API key. */
  api(path: string, init?: RequestInit): Promise<Response>;
  admin(path: string, init?: RequestInit): Promise<Response>;
}

export type Overrides = Partial<ServerDeps> & { readonly settingsTree?: unknown };

export const parseConfig = (tree: unknown): Config =>
  configSchema.parse(tree ?? { app: { api_key: [API_KEY], app_key: APP_KEY } });

export const createHarness = (overrides: Overrides = {}): Harness => {
  const { settingsTree, ...given } = overrides;
  const clock = createManualClock();
  const asked: Asked[] = [];
  const records: RequestRecord[] = [];
  const lines: LogFields[] = [];
  const idleLimits: number[] = [];
  const gateway: ChatGateway = {
    async chat(request, context) {
      const one = { request, context };
      asked.push(one);
      return { events: await harness.answer(one) };
    },
  };
  const log = createLog({
    level: () => "debug",
    format: "json",
    now: clock.now,
    write: (line) => lines.push(JSON.parse(line) as LogFields),
  });
  const config = () => harness.config;
  const documents = createMemoryDocuments();
  const deps: ServerDeps = {
    config,
    clock,
    log,
    version: { version: "9.9.9", commit: "abcdef" },
    startedMs: 0,
    apiKeys: createApiKeys(() => config().app.api_key),
    catalogue: aCatalogue(),
    limits: createClientLimits(clock),
    keyUsage: { headers: () => [] },
    keyAdmin: refuseAll("keyAdmin"),
    reports: refuseAll("reports"),
    oldReports: refuseAll("oldReports"),
    logFiles: refuseAll("logFiles"),
    exposition: async () => "",
    adminAccess: createAdminAccess({
      documents: createMemoryDocuments(),
      clock,
      settings: () => config().app,
      limiter: createAttemptLimiter(clock),
      log,
    }),
    publicAccess: createPublicAccess({ settings: () => config().app, limiter: createAttemptLimiter(clock) }),
    imagine: refuseAll("imagine"),
    voice: refuseAll("voice"),
    speech: refuseAll("speech"),
    socketSecrets: createSocketSecrets(clock),
    playground: {
      imagine: createPlaygroundTasks({ clock, maxRuns: () => config().playground.max_runs }),
      video: createPlaygroundTasks({ clock, maxRuns: () => config().playground.max_runs }),
    },
    gateway,
    pictures: refuseAll("pictures"),
    videoJobs: refuseAll("videoJobs"),
    checkClip: refuseAll("checkClip"),
    uploads: refuseAll("uploads"),
    incoming: refuseAll("incoming"),
    responses: createResponses({
      store: createResponseStore({
        documents,
        clock,
        log,
        limits: () => ({ maxAgeMs: 3_600_000, maxCount: 100, maxBytes: 1_000_000 }),
      }),
      seal: createSeal(documents),
      clock,
      config,
    }),
    settings: refuseAll("settings"),
    accounts: refuseAll("accounts"),
    accountRefresh: refuseAll("accountRefresh"),
    siteSettings: refuseAll("siteSettings"),
    accountTest: refuseAll("accountTest"),
    tasks: createTasks({ clock, log }),
    audit: createAudit({ documents: createMemoryDocuments(), clock }),
    media: { find: async () => null },
    links: { query: () => "", secondsLeft: () => null },
    mediaAdmin: refuseAll("mediaAdmin"),
    assetAdmin: refuseAll("assetAdmin"),
    readiness: { components: async () => harness.components },
    recorded: (record) => records.push(record),
    ...given,
  };
  const server = createServer(deps, ROUTES);
  const withBearer = (init: RequestInit | undefined, credential: string): RequestInit => {
    const headers = new Headers(init?.headers);
    headers.set("authorization", `Bearer ${credential}`);
    return { ...init, headers };
  };
  const harness: Harness = {
    server,
    clock,
    asked,
    records,
    lines,
    idleLimits,
    deps,
    config: parseConfig(settingsTree),
    answer: () => fromBatches(textBatches("Hello", " there")),
    components: { storage: "ok", accounts: "ok" },
    async request(path, { address, ...init } = {}) {
      const fake: HttpServer | undefined =
        address === undefined
          ? undefined
          : {
              timeout: (_request, seconds) => idleLimits.push(seconds),
              requestIP: () => ({ address }),
            };
      return server.app.request(path, init, fake ? { server: fake } : {});
    },
    api: (path, init) => harness.request(path, withBearer(init, API_KEY)),
    admin: (path, init) => harness.request(path, withBearer(init, APP_KEY)),
  };
  return harness;
};

/** Stands for a use case that the test must not reach. */
export const refuseAll = <T extends object>(name: string): T =>
  new Proxy({} as T, {
    get: (_, verb) => () => {
      throw new GatewayError("internal_error", `${name}.${String(verb)} was not to be called`);
    },
  });

export const json = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

export const chatBody = (more: object = {}) => ({
  model: "grok-4",
  messages: [{ role: "user", content: "Hi" }],
  ...more,
});
