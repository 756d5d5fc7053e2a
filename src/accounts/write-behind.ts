// Writes changed accounts to storage after the fact: the state of an account at once, its counters collected for a while.
// Invariant: no change is lost to another writer. On a stale revision the stored document is read again and the changes
// made since are applied to it once more, in their order.
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../lib/log.ts";
import type { DocumentChange, DocumentName, Documents, WriteResult } from "../storage/port.ts";
import { parseAccount } from "./account.ts";
import type { Change, Entry } from "./entry.ts";

export const ACCOUNTS = "accounts";

export interface WriteBehindDeps {
  readonly documents: Documents;
  readonly clock: Clock;
  readonly log: Log;
  readonly delayMs: () => number;
  /** The entry's account was replaced by the stored one with our changes on top. */
  readonly rebased: (entry: Entry, account: NonNullable<ReturnType<typeof parseAccount>>) => void;
  /** Somebody else has deleted the account. */
  readonly vanished: (entry: Entry) => void;
}

export interface WriteBehind {
  mark(entry: Entry, urgent: boolean): void;
  forget(entry: Entry): void;
  /**
   * Everything that was marked before is in storage once this resolves; rejects when it could not be written. `along` is
   * written in the same transaction as the changes that were made in the same turn.
   */
  flush(along?: readonly DocumentChange[]): Promise<void>;
  isDirty(entry: Entry): boolean;
  /** Ends waiting timers; call after the last flush. */
  stop(): void;
}

interface Sent {
  readonly entry: Entry;
  readonly changes: Change[];
}

/** What goes out in one transaction. */
interface Round {
  readonly removing: readonly string[];
  readonly batch: readonly Sent[];
  readonly along: readonly DocumentChange[];
}

const CONFLICT_ROUNDS = 10;
const RETRY_MS = 2000;

export const createWriteBehind = (deps: WriteBehindDeps): WriteBehind => {
  const { documents, clock, log } = deps;
  const dirty = new Set<Entry>();
  const removals = new Set<string>();
  const extras: DocumentChange[] = [];
  const stopped = new AbortController();
  let soon = false;
  let timed = false;
  let last: Promise<void> = Promise.resolve();

  const store = ({ removing, batch, along }: Round): Promise<WriteResult> =>
    documents.write([
      ...removing.map((id) => ({ collection: ACCOUNTS, id, remove: true as const })),
      ...batch.map(({ entry }) => ({
        collection: ACCOUNTS,
        id: entry.id,
        body: entry.account,
        expect: entry.revision,
      })),
      ...along,
    ]);

  const putBack = ({ removing, batch, along }: Round) => {
    extras.unshift(...along);
    for (const id of removing) removals.add(id);
    for (const { entry, changes } of batch) {
      entry.pending = [...changes, ...entry.pending];
      if (entry.slot >= 0) dirty.add(entry);
    }
  };

  const rebase = async (entry: Entry) => {
    const stored = await documents.get(ACCOUNTS, entry.id);
    if (entry.slot < 0) return;
    if (!stored) {
      // A new account collided with one that was deleted a moment later: the next round creates it.
      if (entry.revision === 0) return;
      dirty.delete(entry);
      deps.vanished(entry);
      return;
    }
    entry.revision = stored.revision;
    const theirs = parseAccount(stored.body);
    if (theirs)
      deps.rebased(
        entry,
        entry.pending.reduce((account, change) => change(account), theirs),
      );
  };

  const rebaseAll = async (conflicts: readonly DocumentName[]) => {
    const ids = new Set(conflicts.map(({ id }) => id));
    await Promise.all([...dirty].filter((entry) => ids.has(entry.id)).map(rebase));
  };

  const drain = async () => {
    for (let round = 0; dirty.size + removals.size + extras.length > 0; round++) {
      if (round >= CONFLICT_ROUNDS)
        throw new Error("accounts are changed by somebody else faster than they can be written");
      const removing = [...removals];
      const batch = [...dirty].map((entry) => ({ entry, changes: entry.pending }));
      removals.clear();
      dirty.clear();
      for (const { entry } of batch) entry.pending = [];
      const sent = { removing, batch, along: extras.splice(0) };
      const result = await store(sent).catch((thrown: unknown) => {
        putBack(sent);
        throw thrown;
      });
      if (result.ok) {
        const { revisions } = result;
        batch.forEach(({ entry }, index) => {
          entry.revision = revisions[removing.length + index] ?? entry.revision + 1;
        });
        // What was marked meanwhile has its own timer.
        return;
      }
      putBack(sent);
      await rebaseAll(result.conflicts);
    }
  };

  const flush = (along: readonly DocumentChange[] = []): Promise<void> => {
    extras.push(...along);
    const run = last.then(drain);
    last = run.catch(() => {});
    return run;
  };

  const wait = (ms: number) => {
    if (timed) return;
    timed = true;
    const go = () => {
      timed = false;
      inBackground();
    };
    clock.sleep(ms, stopped.signal).then(go, () => {});
  };
  const inBackground = () => {
    flush().catch((thrown: unknown) => {
      log.error("accounts could not be written and will be tried again", { error: thrown });
      wait(Math.max(RETRY_MS, deps.delayMs()));
    });
  };

  return {
    mark(entry, urgent) {
      dirty.add(entry);
      if (!urgent) return wait(deps.delayMs());
      if (soon) return;
      soon = true;
      queueMicrotask(() => {
        soon = false;
        inBackground();
      });
    },
    forget(entry) {
      dirty.delete(entry);
      removals.add(entry.id);
    },
    flush,
    isDirty: (entry) => dirty.has(entry) || entry.pending.length > 0,
    stop: () => stopped.abort(),
  };
};
