// Lending accounts to calls: choosing, counting who is out, taking the outcome back exactly once, and waiting for a place.
// Knows no storage. Invariant: every lease is counted in flight from `acquire` to its one `report`.
import type { GatewayError } from "../core/errors.ts";
import { COST_UNITS, modeFor, type Mode, type Model, type Tier } from "../core/models.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { Signal } from "./account.ts";
import type { Entry } from "./entry.ts";
import { explain, survey, type Emptiness, type Survey } from "./explain.ts";
import { QUOTA_KINDS, type QuotaKind } from "./quota.ts";
import { isSelectable, planFor, selectRow, type Plan, type Selection } from "./select.ts";
import type { TokenSettings } from "./settings.ts";

/** The providers' port has the same shape. */
export interface Credential {
  readonly accountId: string;
  readonly token: string;
  readonly tier: Tier;
  readonly userId?: string;
}

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
  /** The mode in which this account serves the model. */
  readonly mode: Mode;
  readonly window: QuotaKind;
  learn(facts: { readonly userId?: string }): void;
  /** Exactly once, whatever happened. */
  report(outcome: Outcome): void;
}

export interface LeaseDeps {
  readonly entries: () => readonly Entry[];
  readonly find: (id: string) => Entry | undefined;
  readonly signal: (entry: Entry, signal: Signal) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => TokenSettings;
  readonly chance: () => number;
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
});

export const createLeases = (deps: LeaseDeps): Leases => {
  const { clock, settings } = deps;
  let turn = 0;

  const candidates = ({ only }: Need): readonly Entry[] =>
    only === undefined ? deps.entries() : [deps.find(only)].filter((entry) => entry !== undefined);

  const choose = (need: Need): Entry | null => {
    turn++;
    const selection: Selection<Entry> = {
      plan: planFor(need.model, need.window),
      now: clock.now(),
      turn,
      maxInflight: settings().max_inflight,
      excluded: [...need.exclude].flatMap((id) => deps.find(id) ?? []),
      chance: deps.chance,
    };
    const rows = candidates(need);
    const sticky = need.sticky === undefined ? undefined : deps.find(need.sticky);
    if (sticky && isSelectable(sticky, selection)) return sticky;
    // Passing over is a preference: the last account that could serve is not withheld from the caller.
    return selectRow(rows, selection) ?? selectRow(rows, { ...selection, turn: Number.POSITIVE_INFINITY });
  };

  const finish = (entry: Entry, signal: Signal | null) => {
    entry.inFlight--;
    if (!signal) return wake();
    const problem = signal.type === "failed" ? signal.error.row.signal : "none";
    if (problem === "error" || problem === "suspect") entry.skipUntil = turn + settings().error_skip_requests + 1;
    if (signal.type === "served") entry.skipUntil = 0;
    deps.signal(entry, signal);
    wake();
  };

  const acquire = (need: Need): Lease | null => {
    const entry = choose(need);
    if (!entry) return null;
    if (entry.restsUntil > 0) deps.signal(entry, { type: "timer" });
    entry.inFlight++;
    const mode = modeFor(need.model, entry.account.tier);
    const window = windowFor(planFor(need.model, need.window), entry);
    let reported = false;
    return {
      credential: credentialOf(entry),
      mode,
      window,
      learn: ({ userId }) => {
        if (userId !== undefined) deps.signal(entry, { type: "learned", userId });
      },
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

  const look = (need: Need): Survey =>
    survey(candidates(need), {
      plan: planFor(need.model, need.window),
      now: clock.now(),
      maxInflight: settings().max_inflight,
      excluded: need.exclude,
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
      const wish = `${waiter.need.model.id} ${waiter.need.window ?? ""}`;
      if (hopeless.has(wish)) continue;
      const lease = acquire(waiter.need);
      if (lease) waiter.take(lease);
      else if (waiter.need.exclude.size === 0 && waiter.need.only === undefined) hopeless.add(wish);
    }
  };

  return {
    acquire,
    wake,
    explainEmpty: (need) => explain(look(need), { model: need.model, now: clock.now() }),
    async waitForFree(need, { signal, ms }) {
      signal.throwIfAborted();
      const at = acquire(need);
      if (at || look(need).busy === 0) return at;
      const over = new AbortController();
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

const windowFor = (plan: Plan, entry: Entry): QuotaKind => QUOTA_KINDS[plan.window[entry.tier] ?? 0] ?? "fast";

const isChatWindow = (window: QuotaKind): boolean => ["fast", "auto", "expert", "heavy"].includes(window);

const signalOf = (outcome: Outcome, call: { window: QuotaKind; model: Model }): Signal | null => {
  switch (outcome.kind) {
    case "served": {
      const usual = isChatWindow(call.window) ? COST_UNITS[call.model.cost] : 1;
      return { type: "served", mode: call.window, units: outcome.units ?? usual };
    }
    case "failed":
      return { type: "failed", error: outcome.error, mode: call.window };
    case "client-closed":
      return { type: "client_closed" };
    case "unused":
      return null;
    default:
      return outcome satisfies never;
  }
};
