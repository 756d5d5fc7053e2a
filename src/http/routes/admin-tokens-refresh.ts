// Asking for quotas: named accounts at once, many as a task, all of them with a progress that anybody can join.
// Decides nothing about accounts. Invariant: every named account gets its own verdict.
import type { TokenOutcome } from "../../admin/account-refresh.ts";
import { resultsByToken } from "../../admin/account-refresh.ts";
import type { TaskInfo } from "../../admin/tasks.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths, withLegacy } from "./admin-paths.ts";
import { countIn, done, isTrue, namedIn } from "./admin-tokens-body.ts";

export const started = ({ task_id, total }: TaskInfo, more: object = {}): Response => done({ task_id, total, ...more });

const limits = (call: Call, body: Parameters<typeof countIn>[1]["body"]) => {
  const concurrency = countIn(call, { body, name: "concurrency" });
  return concurrency === undefined ? {} : { concurrency };
};

const refresh = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const { summary, results } = await call.deps.accountRefresh.now(namedIn(body), {
    signal: call.signal,
    ...limits(call, body),
  });
  // Older pages look their token up in the results.
  return done({ summary, results: resultsByToken(results, false), details: results.map(detailOf) });
};

export const detailOf = (result: TokenOutcome) => {
  const { id, outcome } = result;
  if (outcome === "failed") return { id, outcome, code: result.code, message: result.message };
  return outcome === "skipped" ? { id, outcome, message: result.reason } : { id, outcome };
};

const refreshAsync = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  return started(call.deps.accountRefresh.start(namedIn(body), limits(call, body)));
};

/** The same with masked names, waiting or as a task by the query. */
const batch = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const { accountRefresh } = call.deps;
  if (isTrue(call, "async"))
    return started(accountRefresh.start(namedIn(body), { ...limits(call, body), masked: true }));
  const { summary, results } = await accountRefresh.now(namedIn(body), { signal: call.signal, ...limits(call, body) });
  return done({ summary, results: resultsByToken(results, true), details: results.map(detailOf) });
};

const refreshAll = (call: Call): Response => {
  const { task, joined } = call.deps.accountRefresh.startAll();
  return started(task, { joined });
};

const progress = (call: Call): Response => done({ data: call.deps.accountRefresh.progress() });

export const adminTokenRefreshRoutes: readonly Route[] = [
  {
    method: "POST",
    ...withLegacy("/tokens/refresh"),
    auth: "admin",
    summary: "Ask the upstream for the quota of the named accounts and wait for it.",
    handle: refresh,
  },
  {
    method: "POST",
    ...withLegacy("/tokens/refresh/async"),
    auth: "admin",
    summary: "The same as a batch task.",
    handle: refreshAsync,
  },
  {
    method: "POST",
    ...adminPaths("/batch/refresh"),
    auth: "admin",
    summary: "The same with masked names; ?async=true makes it a batch task.",
    handle: batch,
  },
  {
    method: "POST",
    ...adminPaths("/tokens/refresh-all"),
    auth: "admin",
    summary: "Ask for all accounts as a batch task; a second call joins the one that runs.",
    handle: refreshAll,
  },
  {
    method: "GET",
    ...withLegacy("/tokens/refresh-progress"),
    auth: "admin",
    quiet: true,
    summary: "How far the running or last refresh of all is.",
    handle: progress,
  },
];
