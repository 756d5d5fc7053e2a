// Accounts in the shapes of the earliest admin page: `success` in every answer, pools by the kind of session.
// Decides nothing; the verbs are those of the newer routes.
import { type JsonObject, stringAt } from "../../lib/json.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { legacy, legacyCounts, legacyRow, TOKEN_POOLS } from "./admin-legacy-shapes.ts";
import { changes, isConfirmed, namedIn, wrong } from "./admin-tokens-body.ts";
import { replacePools } from "./admin-tokens.ts";

const everybody = (call: Call) => Object.values(call.deps.accounts.byPool()).flat();

const list = (call: Call): Response => {
  const data = everybody(call).map(legacyRow);
  return Response.json({ success: true, data, total: data.length }, { headers: { "cache-control": "no-store" } });
};

const poolIn = (body: JsonObject): string => {
  const pool = TOKEN_POOLS[stringAt(body, "token_type") ?? ""];
  if (pool === undefined) throw wrong("token_type", "'token_type' must be sso or ssoSuper.");
  return pool;
};

const add = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const { added } = await changes(call).add({ tokens: namedIn(body), pool: poolIn(body) });
  return Response.json({ success: true, message: `${added} added.`, count: added });
};

const remove = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  poolIn(body);
  const { changed } = await changes(call).remove(namedIn(body), { confirm: isConfirmed(call, body) });
  return Response.json({ success: true, message: `${changed.length} removed.`, count: changed.length });
};

const refreshAll = (call: Call): Response => {
  const { joined, task } = call.deps.accountRefresh.startAll();
  const data = call.deps.accountRefresh.progress();
  const message = joined ? "刷新任务正在进行中" : "刷新任务已启动";
  return Response.json({ success: !joined, message, data, task_id: task.task_id });
};

const stats = (call: Call): Response => {
  const all = everybody(call);
  const data = {
    normal: legacyCounts(all.filter(({ token_type }) => token_type === "sso")),
    super: legacyCounts(all.filter(({ token_type }) => token_type === "ssoSuper")),
    total: all.length,
  };
  return Response.json({ success: true, data });
};

export const adminLegacyTokenRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/api/tokens",
    auth: "admin",
    summary: "All accounts (oldest page).",
    handle: legacy("LIST_ERROR", list),
  },
  {
    method: "POST",
    path: "/api/tokens",
    auth: "admin",
    summary: "Replace the named pools (oldest page).",
    handle: legacy("ADD_ERROR", replacePools),
  },
  {
    method: "POST",
    path: "/api/tokens/add",
    auth: "admin",
    summary: "Add accounts (oldest page).",
    handle: legacy("INVALID_TYPE", add),
  },
  {
    method: "POST",
    path: "/api/tokens/delete",
    auth: "admin",
    summary: "Remove accounts (oldest page).",
    handle: legacy("INVALID_TYPE", remove),
  },
  {
    method: "POST",
    path: "/api/tokens/refresh-all",
    auth: "admin",
    summary: "Ask for all quotas (oldest page).",
    handle: legacy("REFRESH_ALL_ERROR", refreshAll),
  },
  {
    method: "GET",
    path: "/api/stats",
    auth: "admin",
    summary: "Accounts by state (oldest page).",
    handle: legacy("STATS_ERROR", stats),
  },
];
