// What models each key of the official API may use: asked for now and then, kept across restarts, read at every request.
// Knows the pool and a function that asks. Invariant: a key whose models are not known is thought to have every one.
import { isApiKey } from "../accounts/api-keys.ts";
import type { Pool } from "../accounts/pool.ts";
import type { Credential } from "../core/credential.ts";
import { asGatewayError } from "../core/errors.ts";
import type { XaiModel } from "../core/models.ts";
import type { Clock } from "../lib/clock.ts";
import { isObject, numberAt } from "../lib/json.ts";
import { mapLimited } from "../lib/lock.ts";
import type { Log } from "../lib/log.ts";
import type { Documents } from "../storage/port.ts";

export interface XaiModels {
  /** Reads what was known before a restart. */
  open(): Promise<void>;
  /** Begins to ask: at once for keys whose models are not known, later for all. */
  start(): void;
  stop(): Promise<void>;
  /** Asks for one key now. Throws GatewayError. */
  refresh(accountId: string): Promise<readonly XaiModel[]>;
  find(name: string): XaiModel | undefined;
  all(): readonly XaiModel[];
  /** What the key may use, as far as is known. */
  of(accountId: string): readonly XaiModel[];
  /** Whether the key may use the model; null while nobody knows. */
  has(accountId: string, modelId: string): boolean | null;
}

export interface XaiModelsDeps {
  readonly pool: Pick<Pool, "all" | "get" | "credential" | "signal" | "subscribe">;
  readonly documents: Documents;
  /** Asks the upstream. Throws GatewayError. */
  readonly ask: (credential: Credential, signal: AbortSignal) => Promise<readonly XaiModel[]>;
  readonly clock: Clock;
  readonly log: Log;
  readonly refreshMs: () => number;
}

interface Listing {
  readonly models: readonly XaiModel[];
  readonly at: number;
}

const COLLECTION = "xai_models";
const LOOK_MS = 30_000;
/** After a question that brought nothing. */
const RETRY_MS = 5 * 60_000;
const AT_ONCE = 4;

const readListing = (body: unknown): Listing | null => {
  const at = numberAt(isObject(body) ? body : {}, "at");
  const models = isObject(body) ? body["models"] : undefined;
  // Our own writing of an earlier version may lack what this one reads: such a listing is asked for anew.
  const whole = Array.isArray(models) && models.every((model) => isObject(model) && isObject(model["xai"]));
  return at === undefined || !whole ? null : { at, models: models as XaiModel[] };
};

export const createXaiModels = (deps: XaiModelsDeps): XaiModels => {
  const { pool, documents, clock, log } = deps;
  const listings = new Map<string, Listing>();
  const tried = new Map<string, number>();
  const stopped = new AbortController();
  let byName: ReadonlyMap<string, XaiModel> = new Map();
  let models: readonly XaiModel[] = [];
  let asking: Promise<unknown> = Promise.resolve();
  let stopTimer: (() => void) | null = null;

  const keys = () => pool.all().filter(isApiKey);
  const isUsable = (id: string): boolean => {
    const status = pool.get(id)?.status;
    return status === "active" || status === "cooling";
  };
  /** An id outranks another model's alias. */
  const reindex = () => {
    const found = new Map<string, XaiModel>();
    for (const [id, listing] of listings) {
      if (isUsable(id)) for (const model of listing.models) if (!found.has(model.id)) found.set(model.id, model);
    }
    models = [...found.values()];
    const names = models.flatMap((model) => model.aliases.map((alias): [string, XaiModel] => [alias, model]));
    byName = new Map([...names, ...found]);
  };

  const refresh: XaiModels["refresh"] = async (id) => {
    const credential = pool.credential(id);
    if (!credential) return [];
    tried.set(id, clock.now());
    const listing = { models: await deps.ask(credential, stopped.signal), at: clock.now() };
    listings.set(id, listing);
    reindex();
    await documents.write([{ collection: COLLECTION, id, body: listing }]);
    return listing.models;
  };

  const isDue = (id: string): boolean => {
    const now = clock.now();
    if (!isUsable(id) || now - (tried.get(id) ?? Number.NEGATIVE_INFINITY) < RETRY_MS) return false;
    return now - (listings.get(id)?.at ?? Number.NEGATIVE_INFINITY) >= deps.refreshMs();
  };
  const forget = async () => {
    const gone = [...listings.keys()].filter((id) => !pool.get(id));
    for (const id of gone) {
      listings.delete(id);
      tried.delete(id);
    }
    if (gone.length > 0) await documents.write(gone.map((id) => ({ collection: COLLECTION, id, remove: true })));
  };
  const look = async () => {
    await forget();
    const due = keys().filter(({ id }) => isDue(id));
    await mapLimited(due, AT_ONCE, async ({ id }) => {
      try {
        await refresh(id);
      } catch (thrown) {
        if (stopped.signal.aborted) return;
        const error = asGatewayError(thrown);
        // A key that is refused is refused for everything; any other failure says nothing about the key's own work.
        if (error.row.signal === "dead") pool.signal(id, { type: "failed", error, mode: null });
        log.warn("the models of an API key could not be listed", { account: id, code: error.code });
      }
    });
    reindex();
  };
  /** One after the other, so that a key is never asked twice at a time. */
  const lookSoon = () => {
    asking = asking
      .then(() => (stopped.signal.aborted ? undefined : look()))
      .catch((error: unknown) => log.error("the models of the API keys could not be looked after", { error }));
  };

  return {
    async open() {
      for (const { id, body } of await documents.list(COLLECTION)) {
        const listing = readListing(body);
        if (listing) listings.set(id, listing);
      }
      reindex();
    },
    start() {
      const leave = pool.subscribe(({ kind, id, status, before }) => {
        const key = pool.get(id);
        if (kind === "removed" ? listings.has(id) : key !== undefined && isApiKey(key) && status !== before) lookSoon();
      });
      stopped.signal.addEventListener("abort", leave);
      stopTimer = clock.every(LOOK_MS, lookSoon);
      lookSoon();
    },
    async stop() {
      stopTimer?.();
      stopped.abort();
      await asking;
    },
    refresh,
    find: (name) => byName.get(name),
    all: () => models,
    of: (accountId) => listings.get(accountId)?.models ?? [],
    has(accountId, modelId) {
      const listing = listings.get(accountId);
      return listing ? listing.models.some(({ id }) => id === modelId) : null;
    },
  };
};
