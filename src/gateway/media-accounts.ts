// Which accounts may draw and film, the preferred ones first. Adult content goes to accounts that the operator has tagged for
// it, in turn and within a daily limit; long or large clips go to paid accounts where there are any.
// Knows no provider. Invariant: an account without the tag never serves an adult request.
import { isApiKey } from "../accounts/api-keys.ts";
import type { Need, Pool } from "../accounts/pool.ts";
import type { Config } from "../config/schema.ts";
import { GatewayError } from "../core/errors.ts";
import type { ClipRequest } from "../core/media-request.ts";
import type { Model } from "../core/models.ts";
import type { Clock } from "../lib/clock.ts";
import { excludeOthers, type MayUse } from "./key-access.ts";
import { isObject, numberAt } from "../lib/json.ts";
import type { Log } from "../lib/log.ts";
import type { Documents } from "../storage/port.ts";

export type Needs = (tried: ReadonlySet<string>) => readonly Need[];

export interface MediaAccounts {
  /** Reads what was counted before a restart. */
  open(): Promise<void>;
  pictures(offers: readonly Model[], adult: boolean): Needs;
  /** Throws GatewayError when no kind of account that is offered can ever serve it. */
  clips(
    offers: readonly Model[],
    clip: Pick<ClipRequest, "resolution" | "seconds" | "preset" | "extension" | "edit">,
  ): Needs;
  /** Whether the operator has switched the account on for adult content. */
  isAdult(accountId: string): boolean;
  /** Counts an adult request that the account has served. */
  served(accountId: string): void;
}

export interface MediaAccountsDeps {
  readonly pool: Pick<Pool, "all" | "get" | "keys" | "keyCount">;
  readonly mayUse: MayUse;
  readonly documents: Documents;
  readonly config: () => Config;
  readonly clock: Clock;
  readonly log: Log;
}

const TAG = "nsfw";
const COLLECTION = "adult_use";
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** Ten times the weight after an hour and more without use. */
const IDLE_PER_MINUTE = 0.1;
const IDLE_MOST = 10;
/** 480p in the shortest length is what every account films. */
const SHORTEST_SECONDS = 6;

interface Use {
  readonly count: number;
  readonly sinceMs: number;
  readonly lastMs: number;
}

const readUse = (body: unknown): Use | undefined => {
  const stored = isObject(body) ? body : {};
  const [count, sinceMs, lastMs] = ["count", "sinceMs", "lastMs"].map((key) => numberAt(stored, key));
  return count === undefined || sinceMs === undefined || lastMs === undefined ? undefined : { count, sinceMs, lastMs };
};

/** Keys draw from no counter. */
const windowFor = ({ upstream }: Model, window: Need["window"]): Pick<Need, "window"> =>
  upstream === "web" && window ? { window } : {};

export const createMediaAccounts = ({
  pool,
  mayUse,
  documents,
  config,
  clock,
  log,
}: MediaAccountsDeps): MediaAccounts => {
  const uses = new Map<string, Use>();
  const tagged = () => pool.all().filter(({ tags }) => tags.includes(TAG));

  /** The use of the running day; nothing once it is over. */
  const useOf = (id: string): Use | undefined => {
    const use = uses.get(id);
    return use && clock.now() - use.sinceMs < DAY_MS ? use : undefined;
  };
  const limitOf = (): number => config().image.sso_daily_limit || Number.POSITIVE_INFINITY;

  /** Most is left and longest idle goes first, so that no account is worn out. */
  const worth = (id: string): number => {
    const use = useOf(id);
    const left = Math.min(limitOf(), Number.MAX_SAFE_INTEGER) - (use?.count ?? 0);
    const idleMinutes = use ? (clock.now() - use.lastMs) / MINUTE_MS : Number.POSITIVE_INFINITY;
    return left * (1 + Math.min(IDLE_MOST, IDLE_PER_MINUTE * idleMinutes));
  };

  const adultIds = (): readonly string[] => {
    const all = tagged().map(({ id }) => id);
    if (all.length === 0) {
      throw new GatewayError("no_available_account", "No account is switched on for adult content (tag nsfw).");
    }
    const within = all.filter((id) => (useOf(id)?.count ?? 0) < limitOf());
    if (within.length > 0) return within.toSorted((a, b) => worth(b) - worth(a));
    const next = Math.min(...all.map((id) => (useOf(id)?.sinceMs ?? 0) + DAY_MS));
    const message = "Every account for adult content has reached image.sso_daily_limit.";
    throw new GatewayError("no_available_account", message, { retryAfterMs: Math.max(1000, next - clock.now()) });
  };
  const adultNeeds = (model: Model, window?: Need["window"]): Needs => {
    return (tried) =>
      adultIds()
        .filter((id) => !tried.has(id))
        .map((id) => ({ model, exclude: tried, only: id, ...(window ? { window } : {}) }));
  };
  const without = (tried: ReadonlySet<string>, refuses: (tier: string) => boolean): ReadonlySet<string> =>
    new Set([
      ...tried,
      ...pool
        .all()
        .filter(({ tier }) => refuses(tier))
        .map(({ id }) => id),
    ]);

  /** The needs of each kind of account in the order of the offers; adult content is the web accounts' alone. */
  const ofEach = (
    offers: readonly Model[],
    how: { adult: boolean; window?: Need["window"]; web: (model: Model) => Needs },
  ): Needs => {
    if (how.adult && !offers.some(({ upstream }) => upstream === "web")) {
      throw new GatewayError("model_not_supported", "The official API makes no adult content.", { param: "model" });
    }
    const parts = offers.flatMap((model): Needs[] => {
      if (model.upstream === "web") return [how.adult ? adultNeeds(model, how.window) : how.web(model)];
      return how.adult ? [] : [(tried) => [{ model, exclude: excludeOthers({ pool, mayUse }, { model, tried }) }]];
    });
    return (tried) => parts.flatMap((part) => part(tried));
  };

  /** What carries on a clip of the account: sessions do not know the clips of keys, nor keys those of sessions. */
  const ofKind = (offers: readonly Model[], id: string): readonly Model[] => {
    const maker = pool.get(id);
    if (!maker) return offers;
    const kind = isApiKey(maker) ? "xai" : "web";
    const own = offers.filter(({ upstream }) => upstream === kind);
    if (own.length > 0) return own;
    const message = `The clip was made by ${kind === "xai" ? "an API key" : "a web account"}, which the model is not for.`;
    throw new GatewayError("model_not_supported", message, { param: "model" });
  };

  return {
    async open() {
      for (const { id, body } of await documents.list(COLLECTION)) {
        const use = readUse(body);
        if (use) uses.set(id, use);
      }
    },
    pictures: (offers, adult) => ofEach(offers, { adult, web: (model) => (tried) => [{ model, exclude: tried }] }),
    clips(offers, { resolution, seconds, preset, extension, edit }) {
      const large = resolution !== "480p";
      const window = large ? "video720p" : "video";
      // A clip is carried on where it was made: the others do not know it.
      if (extension) {
        const { accountId } = extension;
        const own = ofKind(offers, accountId);
        return (tried) => own.map((model) => ({ model, exclude: tried, only: accountId, ...windowFor(model, window) }));
      }
      // The key that made a clip has it at hand; any other needs it anew.
      const maker = edit?.clipId === undefined ? undefined : edit.accountId;
      if (maker !== undefined) {
        const any = ofEach(offers, { adult: false, web: () => () => [] });
        const isLeft = edit?.content !== undefined;
        return (tried) => [
          ...offers.map((model) => ({ model, exclude: tried, only: maker })),
          ...(isLeft ? any(tried) : []),
        ];
      }
      const web = (model: Model): Needs => {
        if (!large && seconds <= SHORTEST_SECONDS) return (tried) => [{ model, exclude: tried, window }];
        return (tried) => [
          { model, exclude: without(tried, (tier) => tier === "basic"), window },
          // A basic account films small and has the clip enlarged afterwards.
          { model, exclude: large ? without(tried, (tier) => tier !== "basic") : tried, window: "video" },
        ];
      };
      return ofEach(offers, { adult: preset === "spicy", window: "video", web });
    },
    isAdult: (accountId) => pool.get(accountId)?.tags.includes(TAG) ?? false,
    served(accountId) {
      const now = clock.now();
      const use = useOf(accountId) ?? { count: 0, sinceMs: now, lastMs: now };
      const next = { ...use, count: use.count + 1, lastMs: now };
      uses.set(accountId, next);
      documents
        .write([{ collection: COLLECTION, id: accountId, body: next }])
        .catch((error: unknown) => log.error("the use of an account could not be written", { error }));
    },
  };
};
