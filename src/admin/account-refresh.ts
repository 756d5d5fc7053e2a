// Asking for quotas because a person wants it: some accounts at once, or many as a task that can be watched and cancelled.
// Knows no HTTP. Invariant: every named account gets its own verdict, and at most one refresh of all runs at a time.
import type { Pool } from "../accounts/pool.ts";
import type { Refresher, RefreshOutcome } from "../accounts/refresh.ts";
import { GatewayError } from "../core/errors.ts";
import { createAccountRefs, type Refs } from "./account-refs.ts";
import type { ItemOutcome, TaskInfo, Tasks } from "./tasks.ts";
import { byMaskedToken, maskToken } from "./token-info.ts";

export type TokenOutcome = RefreshOutcome & { readonly token: string };

export interface RefreshSummary {
  readonly total: number;
  readonly ok: number;
  readonly fail: number;
  readonly skipped: number;
}

export interface RefreshResult {
  readonly summary: RefreshSummary;
  readonly results: readonly TokenOutcome[];
}

export interface RefreshLimits {
  readonly concurrency?: number;
}

/** Of the running or last refresh of all. */
export interface RefreshProgress {
  readonly running: boolean;
  readonly total: number;
  readonly current: number;
  readonly success: number;
  readonly failed: number;
}

export interface AccountRefresh {
  /** Waits for the verdicts. */
  now(refs: Refs, limits?: RefreshLimits & { readonly signal?: AbortSignal }): Promise<RefreshResult>;
  /** `masked` names the accounts of the result so that it may be shown to anybody. */
  start(refs: Refs, limits?: RefreshLimits & { readonly masked?: boolean }): TaskInfo;
  /** Joins the one that runs. Throws when the pool is empty. */
  startAll(): { readonly task: TaskInfo; readonly joined: boolean };
  progress(): RefreshProgress;
}

export interface AccountRefreshDeps {
  readonly pool: Pool;
  readonly refresher: Refresher;
  readonly tasks: Tasks;
  /** Questions at the same time unless a request says otherwise. */
  readonly concurrent: () => number;
}

/** More at the same time than any request may ask for. */
const MOST_AT_ONCE = 100;

export const createAccountRefresh = (deps: AccountRefreshDeps): AccountRefresh => {
  const { pool, refresher, tasks } = deps;
  const refs = createAccountRefs(pool);
  let lastAll: string | null = null;
  let remembered: RefreshProgress = { running: false, total: 0, current: 0, success: 0, failed: 0 };

  const atOnce = ({ concurrency = deps.concurrent() }: RefreshLimits): number =>
    Math.min(MOST_AT_ONCE, Math.max(1, Math.floor(concurrency)));
  const tokenOf = (id: string): string => pool.get(id)?.token ?? "";
  const missing = (name: string): TokenOutcome => ({
    id: "",
    token: name,
    outcome: "skipped",
    reason: "there is no such account",
  });

  const begin = (ids: readonly string[], how: { kind: string; masked: boolean; limits: RefreshLimits }): TaskInfo => {
    const seen: TokenOutcome[] = [];
    return tasks.start({
      kind: how.kind,
      items: ids,
      concurrency: atOnce(how.limits),
      mask: (id) => maskToken(tokenOf(id)),
      run: async (id, signal): Promise<ItemOutcome> => {
        const token = tokenOf(id);
        const [outcome] = await refresher.refresh([id], { by: "person", signal, concurrency: 1 });
        if (!outcome) return { ok: false, error: "nothing was asked" };
        seen.push({ ...outcome, token });
        return { ...itemOutcome(outcome), detail: detailOf(outcome) };
      },
      result: ({ total, ok, fail }) => ({
        status: "success",
        summary: { total, ok, fail },
        results: resultsByToken(seen, how.masked),
      }),
    });
  };

  const progress = (): RefreshProgress => {
    const task = lastAll === null ? null : tasks.get(lastAll);
    if (!task) return { ...remembered, running: false };
    const { total, processed, ok, fail } = task;
    remembered = { running: task.status === "running", total, current: processed, success: ok, failed: fail };
    return remembered;
  };

  return {
    async now(named, { signal, ...limits } = {}) {
      const { ids, missing: unknown } = refs.resolve(named);
      const outcomes = await refresher.refresh(ids, {
        by: "person",
        concurrency: atOnce(limits),
        ...(signal ? { signal } : {}),
      });
      const known = outcomes.map((outcome) => ({ ...outcome, token: tokenOf(outcome.id) }));
      return resultOf([...known, ...unknown.map(missing)]);
    },
    start(named, { masked = false, ...limits } = {}) {
      const { ids } = refs.resolve(named);
      if (ids.length === 0) throw new GatewayError("not_found", "There is no such account.", { param: "tokens" });
      return begin(ids, { kind: "refresh", masked, limits });
    },
    startAll() {
      const running = lastAll === null ? null : tasks.get(lastAll);
      if (running?.status === "running") return { task: running, joined: true };
      const ids = pool.all().map(({ id }) => id);
      if (ids.length === 0) throw new GatewayError("invalid_value", "No tokens available");
      const task = begin(ids, { kind: "refresh-all", masked: true, limits: {} });
      lastAll = task.task_id;
      return { task, joined: false };
    },
    progress,
  };
};

const itemOutcome = (outcome: RefreshOutcome): ItemOutcome => {
  switch (outcome.outcome) {
    case "done":
      return { ok: true };
    case "skipped":
      return { ok: false, error: outcome.reason };
    case "failed":
      return { ok: false, error: outcome.message };
    default:
      return outcome satisfies never;
  }
};

/** The id lets a page try again those that failed. */
const detailOf = (outcome: RefreshOutcome): object =>
  outcome.outcome === "failed" ? { id: outcome.id, code: outcome.code } : { id: outcome.id };

/** The shape that pages know: token → whether it worked. */
export const resultsByToken = (outcomes: readonly TokenOutcome[], masked: boolean): Record<string, boolean> =>
  masked
    ? byMaskedToken(outcomes, ({ outcome }) => outcome === "done")
    : Object.fromEntries(outcomes.map(({ token, outcome }) => [token, outcome === "done"]));

const resultOf = (results: readonly TokenOutcome[]): RefreshResult => {
  const count = (outcome: RefreshOutcome["outcome"]) => results.filter((result) => result.outcome === outcome).length;
  const summary = { total: results.length, ok: count("done"), fail: count("failed"), skipped: count("skipped") };
  return { summary, results };
};
