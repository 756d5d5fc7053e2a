// What an administrator can do with the files that the site keeps for accounts: count, list, remove, clear. Without HTTP.
// Accounts are named by id or token. Invariant: only accounts that were named (or "all") are asked, a failure of one never
// stops the others, and every clearing leaves an audit row in the account's own transaction.
import type { Actor, Audit } from "../access/audit.ts";
import { accountId, type Account } from "../accounts/account.ts";
import { isApiKey } from "../accounts/api-keys.ts";
import type { Pool } from "../accounts/pool.ts";
import { readToken } from "../accounts/tokens.ts";
import { asGatewayError, GatewayError } from "../core/errors.ts";
import { mapLimited } from "../lib/lock.ts";
import { mask, type Log } from "../lib/log.ts";
import type { ProviderCall, RemoteAsset, RemoteAssets } from "../providers/port.ts";
import type { ItemOutcome, TaskInfo, Tasks } from "./tasks.ts";
import { invalid } from "./account-checks.ts";

export interface AccountFacts {
  readonly id: string;
  readonly token: string;
  readonly pool: string;
  readonly status: string;
  readonly last_asset_clear_at: number | null;
}

/** One account's files; `error` when it could not be asked. */
export interface AssetLoad {
  readonly account: AccountFacts;
  readonly assets: readonly RemoteAsset[];
  readonly error: string | null;
}

export interface ClearOutcome {
  readonly total: number;
  readonly success: number;
  readonly failed: number;
  /** There was nothing to remove. */
  readonly skipped?: boolean;
}

export interface ClearResult {
  readonly account: AccountFacts;
  readonly result: ClearOutcome | null;
  readonly error: string | null;
}

export interface Work {
  readonly refs: readonly string[] | "all";
  readonly concurrency?: number;
}

export interface Summary {
  readonly total: number;
  readonly ok: number;
  readonly fail: number;
}

export interface AssetAdmin {
  accounts(): AccountFacts[];
  /** The first account of the basic pool that can be used. */
  usual(): AccountFacts | null;
  load(work: Work & { readonly signal: AbortSignal; readonly most: number }): Promise<AssetLoad[]>;
  clear(work: Work & { readonly signal: AbortSignal; readonly by: Actor }): Promise<ClearResult[]>;
  remove(request: { ref: string; assetId: string; signal: AbortSignal; by: Actor }): Promise<boolean>;
  /** `report` makes the task's result. */
  startLoad(work: Work, report: (loads: AssetLoad[]) => unknown): TaskInfo;
  startClear(
    work: Work & { readonly by: Actor },
    report: (results: ClearResult[], summary: Summary) => unknown,
  ): TaskInfo;
}

export interface AssetAdminDeps {
  readonly pool: Pool;
  readonly assets: RemoteAssets;
  readonly tasks: Tasks;
  readonly audit: Pick<Audit, "row" | "write">;
  readonly settings: () => { readonly list_concurrent: number; readonly delete_concurrent: number };
  readonly log: Log;
}

const factsOf = ({ id, token, pool, status, last_asset_clear_at }: Account): AccountFacts => ({
  id,
  token,
  pool,
  status,
  last_asset_clear_at,
});

export const createAssetAdmin = (deps: AssetAdminDeps): AssetAdmin => {
  const { pool, assets, tasks, audit, settings, log } = deps;

  const account = (ref: string): Account => {
    const reading = readToken(ref);
    const found = pool.get(ref) ?? ("token" in reading ? pool.get(accountId(reading.token)) : undefined);
    if (!found) throw new GatewayError("account_not_found", "There is no such account.", { param: "token" });
    if (isApiKey(found)) throw invalid("token", "A key of the official API has no files on the site.");
    return found;
  };
  const sessions = () => pool.all().filter((one) => !isApiKey(one));
  const chosen = ({ refs }: Work): Account[] =>
    refs === "all" ? sessions() : [...new Map(refs.map(account).map((one) => [one.id, one])).values()];
  const atOnce = ({ concurrency }: Work) => Math.min(concurrency ?? Infinity, settings().list_concurrent);
  const now = (id: string, before: Account): AccountFacts => factsOf(pool.get(id) ?? before);

  const callFor = (id: string, signal: AbortSignal): ProviderCall => {
    const credential = pool.credential(id);
    if (!credential) throw new GatewayError("account_not_found", "The account was removed meanwhile.");
    const learn: ProviderCall["learn"] = ({ userId }) => {
      if (userId !== undefined) pool.signal(id, { type: "learned", userId });
    };
    return { credential, signal, log, learn };
  };
  /** A refused session is news about the account; anything else is not. */
  const failed = (id: string, thrown: unknown): string => {
    const error = asGatewayError(thrown);
    const { signal } = error.row;
    if (signal === "suspect" || signal === "dead") pool.signal(id, { type: "failed", error, mode: "fast" });
    log.at(error.row.log, "the files of an account could not be worked on", { account: id, code: error.code, error });
    return error.message;
  };

  const loadOne = async (one: Account, signal: AbortSignal): Promise<AssetLoad> => {
    try {
      const found = await assets.list(callFor(one.id, signal));
      return { account: now(one.id, one), assets: found, error: null };
    } catch (thrown) {
      signal.throwIfAborted();
      return { account: now(one.id, one), assets: [], error: failed(one.id, thrown) };
    }
  };

  const removeAll = async (one: Account, signal: AbortSignal): Promise<ClearOutcome> => {
    const call = callFor(one.id, signal);
    const found = await assets.list(call);
    let success = 0;
    let last: unknown;
    await mapLimited(found, settings().delete_concurrent, async ({ id }) => {
      try {
        signal.throwIfAborted();
        await assets.remove(id, call);
        success++;
      } catch (thrown) {
        last = thrown;
      }
    });
    if (last !== undefined) failed(one.id, last);
    const counts = { total: found.length, success, failed: found.length - success };
    return found.length === 0 ? { ...counts, skipped: true } : counts;
  };
  const clearOne = async (one: Account, work: { signal: AbortSignal; by: Actor }): Promise<ClearResult> => {
    const { signal, by } = work;
    try {
      const result = await removeAll(one, signal);
      const row = audit.row({ by, action: "assets.clear", target: one.id, after: result });
      const nothingDone = result.total > 0 && result.success === 0;
      if (!nothingDone) await pool.recording([row]).markAssetsCleared(one.id);
      return { account: now(one.id, one), result, error: nothingDone ? "no file could be removed" : null };
    } catch (thrown) {
      signal.throwIfAborted();
      return { account: now(one.id, one), result: null, error: failed(one.id, thrown) };
    }
  };

  const told = ({ error, detail }: { error: string | null; detail?: unknown }): ItemOutcome => ({
    ok: error === null,
    ...(detail === undefined ? {} : { detail }),
    ...(error === null ? {} : { error }),
  });

  return {
    accounts: () => sessions().map(factsOf),
    usual() {
      const found = pool.all().find(({ pool: name, status }) => name === "ssoBasic" && status === "active");
      return found ? factsOf(found) : null;
    },
    load: (work) => mapLimited(chosen(work).slice(0, work.most), atOnce(work), (one) => loadOne(one, work.signal)),
    clear: (work) => mapLimited(chosen(work), atOnce(work), (one) => clearOne(one, work)),
    async remove({ ref, assetId, signal, by }) {
      const { id } = account(ref);
      const removed = await assets.remove(assetId, callFor(id, signal)).catch((thrown: unknown) => {
        failed(id, thrown);
        throw thrown;
      });
      if (removed) await audit.write({ by, action: "assets.delete", target: `${id} ${assetId}` });
      return removed;
    },
    startLoad(work, report) {
      const loads: AssetLoad[] = [];
      return tasks.start({
        kind: "assets.load",
        items: chosen(work),
        concurrency: atOnce(work),
        mask: ({ token }) => mask(token),
        async run(one, signal) {
          const load = await loadOne(one, signal);
          loads.push(load);
          return told({ error: load.error, detail: { count: load.assets.length } });
        },
        result: () => report(loads),
      });
    },
    startClear(work, report) {
      const results: ClearResult[] = [];
      return tasks.start({
        kind: "assets.clear",
        items: chosen(work),
        concurrency: atOnce(work),
        mask: ({ token }) => mask(token),
        async run(one, signal) {
          const result = await clearOne(one, { signal, by: work.by });
          results.push(result);
          return told({ error: result.error, detail: result.result ?? undefined });
        },
        result: (summary) => report(results, summary),
      });
    },
  };
};
