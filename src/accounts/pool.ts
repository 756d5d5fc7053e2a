// The pool of accounts: an index in memory that is the truth in this process, leases for calls, verbs for people, and
// storage behind it. Knows neither HTTP nor the upstream. Invariant: every change of an account goes through `change`, which
// keeps document, selection numbers, storage and listeners together.
import { chance as machineChance } from "../lib/ids.ts";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { DocumentChange, Documents } from "../storage/port.ts";
import { parseAccount, transition, type Account, type AccountStatus, type Signal } from "./account.ts";
import { createEntryIndex, type Change, type Entry } from "./entry.ts";
import { createLeases, credentialOf, type Leases } from "./leases.ts";
import type { Credential } from "../core/credential.ts";
import { listAccounts, type ListPage, type ListQuery } from "./listing.ts";
import { createRoster, type Roster } from "./roster.ts";
import type { TokenSettings } from "./settings.ts";
import { createSnapshots } from "./snapshots.ts";
import { ACCOUNTS, createWriteBehind } from "./write-behind.ts";

/** What callers of `acquire` need beside the pool. */
export type { Lease, Need } from "./leases.ts";

export interface PoolDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: () => TokenSettings;
  readonly chance?: () => number;
  /** Asks for news of accounts that rest while nobody can serve; null when there will be none. */
  readonly rescue?: (resting: readonly string[]) => Promise<unknown> | null;
  /** Tests: a second report of a lease throws. */
  readonly strict?: boolean;
}

/** Never holds a token. */
export interface PoolChange {
  readonly kind: "added" | "changed" | "removed";
  readonly id: string;
  readonly status: AccountStatus;
  readonly before: AccountStatus | null;
}

export interface Pool extends Omit<Leases, "wake">, Roster {
  /** Reads all accounts; again later to take over what other processes have written. */
  load(): Promise<void>;
  readonly size: number;
  /** How many of them are keys of the official API. */
  readonly keyCount: number;
  /** Those keys; asked for at every request, where `all` would be too much. */
  keys(): readonly Account[];
  /** Grows whenever an account comes or goes. */
  readonly revision: number;
  get(id: string): Account | undefined;
  all(): readonly Account[];
  list(query: ListQuery): ListPage;
  inFlight(id: string): number;
  credential(id: string): Credential | null;
  /** Applies a signal that did not come from a lease; false when there is no such account. */
  signal(id: string, signal: Signal): boolean;
  subscribe(listener: (change: PoolChange) => void): () => void;
  /** The same verbs; these documents are written in the transaction of the verb that is called. For one call. */
  recording(along: readonly DocumentChange[]): Roster;
  /** Ends the rests whose time is over; for a timer of some seconds. */
  tick(): void;
  /** Everything so far is in storage once this resolves. */
  flush(): Promise<void>;
  /** Flushes and stops all timers. */
  close(): Promise<void>;
}

export const createPool = (deps: PoolDeps): Pool => {
  const { documents, clock, log, settings } = deps;
  const index = createEntryIndex();
  const accounts = () => index.entries.map(({ account }) => account);
  const listeners = new Set<(change: PoolChange) => void>();

  let revision = 0;
  const emit = (kind: PoolChange["kind"], about: { account: Account; before: AccountStatus | null }) => {
    const { id, status } = about.account;
    if (kind !== "changed") revision++;
    for (const listener of listeners) listener({ kind, id, status, before: about.before });
  };
  const adopt = (entry: Entry, account: Account) => {
    const before = entry.account;
    if (before === account) return;
    index.replace(entry, account);
    if (before.status !== account.status) {
      const { status, cooldown_reason: reason, last_fail_code: code } = account;
      log.info("account changed state", { account: entry.id, from: before.status, to: status, reason, code });
    }
    emit("changed", { account, before: before.status });
  };
  const place = (account: Account, revision: number): Entry => {
    const entry = index.add(account, revision);
    emit("added", { account, before: null });
    return entry;
  };
  const displace = (leaving: readonly Entry[]) => {
    for (const entry of leaving) {
      index.remove(entry);
      emit("removed", { account: entry.account, before: entry.account.status });
    }
  };

  const writer = createWriteBehind({
    documents,
    clock,
    log,
    delayMs: () => settings().save_delay_ms,
    rebased: adopt,
    vanished: (entry) => displace([entry]),
  });

  const change = (entry: Entry, apply: Change) => {
    if (entry.slot < 0) return;
    const before = entry.account;
    const after = apply(before);
    if (after === before) return;
    entry.pending.push(apply);
    adopt(entry, after);
    writer.mark(entry, after.status !== before.status || after.cooldown_until !== before.cooldown_until);
  };
  const tell = (entry: Entry, sent: Signal) => {
    const now = clock.now();
    change(entry, (account) => transition(account, { signal: sent, now, settings: settings() }));
  };
  const signal = (entry: Entry, sent: Signal) => {
    tell(entry, sent);
    const team = entry.account.team_id;
    if (sent.type !== "failed" || team === null) return;
    for (const mate of index.entries) {
      if (mate !== entry && mate.account.team_id === team) tell(mate, { ...sent, type: "team_failed" });
    }
  };

  const leases = createLeases({
    index,
    signal,
    clock,
    log,
    settings,
    chance: deps.chance ?? machineChance,
    rescue: (resting) => deps.rescue?.(resting) ?? null,
    strict: deps.strict ?? false,
  });

  const rosterWith = (along: readonly DocumentChange[]): Roster =>
    createRoster({
      clock,
      settings,
      snapshots: createSnapshots(documents),
      find: index.find,
      accounts,
      change,
      insert: (account, replay) => {
        const entry = place(account, 0);
        entry.pending.push(replay);
        writer.mark(entry, true);
      },
      unskip: ({ slot }) => {
        if (slot >= 0) index.board.skipUntil[slot] = 0;
      },
      drop: (leaving) => {
        displace(leaving);
        for (const entry of leaving) writer.forget(entry);
      },
      flush: () => {
        leases.wake();
        return writer.flush(along);
      },
    });

  const load = async () => {
    await writer.flush();
    const stored = await documents.list(ACCOUNTS);
    const seen = new Set<string>();
    for (const { id, revision: written, body } of stored) {
      const known = index.find(id);
      // What is in memory is that very revision, or ours on top of it.
      if (known && known.revision >= written) {
        seen.add(id);
        continue;
      }
      const account = parseAccount(body);
      if (!account || account.id !== id) {
        log.error("a stored account cannot be read and is left alone", { account: id });
        continue;
      }
      seen.add(id);
      const entry = index.find(id);
      if (!entry) place(account, written);
      // What changed here meanwhile is settled when it is written.
      else if (!writer.isDirty(entry)) {
        entry.revision = written;
        adopt(entry, account);
      }
    }
    displace(index.entries.filter((entry) => entry.revision > 0 && !seen.has(entry.id) && !writer.isDirty(entry)));
    leases.wake();
  };

  const { wake, ...lending } = leases;
  return {
    ...lending,
    ...rosterWith([]),
    recording: rosterWith,
    load,
    get size() {
      return index.entries.length;
    },
    get keyCount() {
      return index.keys.size;
    },
    keys: () => [...index.keys].map(({ account }) => account),
    get revision() {
      return revision;
    },
    get: (id) => index.find(id)?.account,
    all: accounts,
    list: (query) => listAccounts(accounts(), { query, now: clock.now() }),
    inFlight: (id) => index.board.inFlight[index.find(id)?.slot ?? -1] ?? 0,
    credential: (id) => {
      const entry = index.find(id);
      return entry ? credentialOf(entry) : null;
    },
    signal: (id, sent) => {
      const entry = index.find(id);
      if (!entry) return false;
      signal(entry, sent);
      wake();
      return true;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    tick: () => {
      const now = clock.now();
      for (const entry of index.entries) {
        if (entry.account.status === "cooling" && (entry.account.cooldown_until ?? 0) <= now)
          signal(entry, { type: "timer" });
      }
      wake();
    },
    flush: () => writer.flush(),
    close: async () => {
      await writer.flush();
      writer.stop();
    },
  };
};
