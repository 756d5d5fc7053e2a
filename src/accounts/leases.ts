// Lending accounts to calls: choosing, counting who is out, taking the outcome back exactly once, and waiting for a place.
// Knows no storage. Invariant: every lease is counted in flight from `acquire` to its one `report`.
import type { GatewayError } from "../core/errors.ts";
import { COST_UNITS, modeFor, type Mode, type Model } from "../core/models.ts";
import { modelRestsUntil } from "./api-keys.ts";
import type { Credential } from "../core/credential.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Signal } from "./account.ts";
import type { Entry, EntryIndex } from "./entry.ts";
import { explain, restingFor, survey, type Emptiness, type SurveyNeed } from "./explain.ts";
import type { QuotaKind } from "../core/quota.ts";
import { planFor, selectSlot, windowOf, type Selection } from "./select.ts";
import type { TokenSettings } from "./settings.ts";

export interface Need {
  readonly model: Model;
  /** Ids of accounts that the request has tried. */
  readonly exclude: ReadonlySet<string>;
  /** Id of the account that should serve it if it can, because a conversation lives there. */
  readonly sticky?: string;
  /** Id of the one account that may serve it, for a second try on the same account. */
  readonly only?: string;
  /** The counter that the call draws from, when the model alone does not tell. */
  readonly window?: QuotaKind;
}

export type Outcome =
  | { readonly kind: "served"; readonly units?: number }
  | { readonly kind: "failed"; readonly error: GatewayError }
  | { readonly kind: "client-closed" }
  /** Nothing was sent upstream: the place is given back without a trace. */
  | { readonly kind: "unused" };

export interface Lease {
  readonly credential: Credential;
  /** The model that it was lent for. */
  readonly model: Model;
  /** The mode in which this account serves the model; keys have one way only. */
  readonly mode: Mode | "api";
  /** The counter that the call draws from; null for keys. */
  readonly window: QuotaKind | null;
  learn(facts: { readonly userId?: string; readonly teamId?: string }): void;
  /** Exactly once, whatever happened. */
  report(outcome: Outcome): void;
}

export interface LeaseDeps {
  readonly index: EntryIndex;
  readonly signal: (entry: Entry, signal: Signal) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => TokenSettings;
  readonly chance: () => number;
  /** Told which accounts rest while nobody can serve; what it returns is over when no more news will come. */
  readonly rescue: (resting: readonly string[]) => Promise<unknown> | null;
  /** A second report throws instead of being logged; for tests. */
  readonly strict: boolean;
}

export interface Leases {
  acquire(need: Need): Lease | null;
  waitForFree(need: Need, limit: { readonly signal: AbortSignal; readonly ms: number }): Promise<Lease | null>;
  explainEmpty(need: Need): Emptiness;
  /** Something may have become selectable: serves whoever waits. */
  wake(): void;
}

export const credentialOf = ({ account }: Entry): Credential => ({
  accountId: account.id,
  token: account.token,
  tier: account.tier,
  ...(account.user_id === null ? {} : { userId: account.user_id }),
  ...(account.team_id === null ? {} : { teamId: account.team_id }),
});

export const createLeases = (deps: LeaseDeps): Leases => {
  const { clock, settings, index } = deps;
  const { board } = index;
  let turn = 0;

  const slotOf = (id: string | undefined): number => (id === undefined ? undefined : index.find(id)?.slot) ?? -1;

  /** Keys whose team rests for the model. */
  const restingKeys = ({ model }: Need, now: number): Entry[] =>
    model.upstream === "web"
      ? []
      : [...index.keys].filter(({ account }) => modelRestsUntil(account, { model: model.id, now }) > 0);
  const maxInflight = ({ model }: Need): number =>
    model.upstream === "web" ? settings().max_inflight : settings().max_inflight_per_key;

  const choose = (need: Need): Entry | undefined => {
    turn++;
    const now = clock.now();
    const all: Selection = {
      plan: planFor(need.model, need.window),
      now,
      turn,
      maxInflight: maxInflight(need),
      excluded: [...[...need.exclude].map(slotOf), ...restingKeys(need, now).map(({ slot }) => slot)],
      chance: deps.chance,
      strategy: settings().strategy,
    };
    const sticky = slotOf(need.sticky);
    if (sticky >= 0 && selectSlot(board, { ...all, only: sticky }) === sticky) return index.at(sticky);
    const only = slotOf(need.only);
    if (need.only !== undefined && only < 0) return undefined;
    const selection = need.only === undefined ? all : { ...all, only };
    const slot = selectSlot(board, selection);
    // Passing over is a preference: the last account that could serve is not withheld from the caller.
    return index.at(slot >= 0 ? slot : selectSlot(board, { ...selection, turn: Number.POSITIVE_INFINITY }));
  };

  const finish = (entry: Entry, signal: Signal | null) => {
    const { slot } = entry;
    if (slot >= 0) {
      board.inFlight[slot] = (board.inFlight[slot] ?? 1) - 1;
      const problem = signal?.type === "failed" ? signal.error.row.signal : "none";
      if (problem === "error" || problem === "suspect")
        board.skipUntil[slot] = turn + settings().error_skip_requests + 1;
      if (signal?.type === "served") board.skipUntil[slot] = 0;
      if (signal) deps.signal(entry, signal);
    }
    wake();
  };

  const acquire = (need: Need): Lease | null => {
    const entry = choose(need);
    if (!entry) return null;
    if (entry.account.status === "cooling") deps.signal(entry, { type: "timer" });
    board.inFlight[entry.slot] = (board.inFlight[entry.slot] ?? 0) + 1;
    const { mode, window } = drawOf(need, entry);
    let reported = false;
    return {
      credential: credentialOf(entry),
      model: need.model,
      mode,
      window,
      learn: (facts) => deps.signal(entry, { type: "learned", ...facts }),
      report: (outcome) => {
        if (reported) {
          if (deps.strict) throw new Error(`the lease of ${entry.id} was reported twice`);
          deps.log.error("a lease was reported twice; the second report is ignored", { account: entry.id });
          return;
        }
        reported = true;
        finish(entry, signalOf(outcome, { window, model: need.model }));
      },
    };
  };

  const surveyed = (need: Need): SurveyNeed => ({
    model: need.model,
    plan: planFor(need.model, need.window),
    now: clock.now(),
    maxInflight: maxInflight(need),
    excluded: need.exclude,
    ...(need.only === undefined ? {} : { only: need.only }),
  });

  interface Waiter {
    readonly need: Need;
    readonly take: (lease: Lease) => void;
  }
  const waiters = new Set<Waiter>();

  const wake = () => {
    if (waiters.size === 0) return;
    // Waiters with the same wish fail together, so that a release costs few selections however long the queue is.
    const hopeless = new Set<string>();
    for (const waiter of [...waiters]) {
      const { model, window = "" } = waiter.need;
      // Both kinds of account may have a model of the same id.
      const wish = `${model.upstream} ${model.id} ${window}`;
      if (hopeless.has(wish)) continue;
      const lease = acquire(waiter.need);
      if (lease) waiter.take(lease);
      else if (waiter.need.exclude.size === 0 && waiter.need.only === undefined) hopeless.add(wish);
    }
  };

  return {
    acquire,
    wake,
    explainEmpty: (need) => explain(survey(index, surveyed(need)), { model: need.model, now: clock.now() }),
    async waitForFree(need, { signal, ms }) {
      signal.throwIfAborted();
      const at = acquire(need);
      if (at) return at;
      const busy = survey(index, surveyed(need)).busy > 0;
      const news = busy ? null : deps.rescue(restingFor(index, surveyed(need)));
      if (!busy && !news) return null;
      const over = new AbortController();
      void news?.finally(() => over.abort());
      const given: { lease: Lease | null } = { lease: null };
      const waiter: Waiter = {
        need,
        take: (lease) => {
          given.lease = lease;
          waiters.delete(waiter);
          over.abort();
        },
      };
      waiters.add(waiter);
      try {
        await clock.sleep(ms, AbortSignal.any([signal, over.signal])).catch(() => {});
      } finally {
        waiters.delete(waiter);
      }
      // The client left in the same moment: the place goes to the next one.
      if (signal.aborted) given.lease?.report({ kind: "unused" });
      signal.throwIfAborted();
      return given.lease;
    },
  };
};

const drawOf = ({ model, window }: Need, { account }: Entry): Pick<Lease, "mode" | "window"> => {
  if (model.upstream === "xai") return { mode: "api", window: null };
  const mode = modeFor(model, account.tier);
  return { mode, window: window ?? windowOf(model, mode) };
};

const isChatWindow = (window: QuotaKind): boolean => ["fast", "auto", "expert", "heavy"].includes(window);

/** What a call usually takes of its counter. */
const usualUnits = ({ window, model }: { window: QuotaKind | null; model: Model }): number =>
  model.upstream === "web" && window !== null && isChatWindow(window) ? COST_UNITS[model.cost] : 1;

const signalOf = (outcome: Outcome, call: { window: QuotaKind | null; model: Model }): Signal | null => {
  switch (outcome.kind) {
    case "served":
      return { type: "served", mode: call.window, units: outcome.units ?? usualUnits(call) };
    case "failed":
      return { type: "failed", error: outcome.error, mode: call.window, model: call.model.id };
    case "client-closed":
      return { type: "client_closed" };
    case "unused":
      return null;
    default:
      return outcome satisfies never;
  }
};
