// Files that the site keeps for accounts, on the admin side: counts, lists, removal; at once or as a task that can be watched.
// Decides nothing itself. Invariant: whoever is asked about many accounts either waits or gets a task, never a cut-off answer.
import type { AssetLoad, ClearResult, Summary, Work } from "../../admin/assets.ts";
import type { TaskInfo } from "../../admin/tasks.ts";
import { GatewayError } from "../../core/errors.ts";
import { arrayAt, type JsonObject, stringAt } from "../../lib/json.ts";
import { actorOf } from "../actor.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { IDLE_SECONDS } from "../streaming.ts";
import { adminPaths } from "./admin-paths.ts";
import { byToken, clearedShape, localShape, maskPair, NOTHING, onlineShape, type OnlineScope } from "./cache-shapes.ts";

/** More accounts are asked by a task only. */
const MOST_COUNTED = 1000;
const MOST_LISTED = 100;

/** The connection is quiet while accounts are asked one after the other. */
const patiently = async <T>(call: Call, work: () => Promise<T>): Promise<T> => {
  call.server?.timeout(call.request, 0);
  try {
    return await work();
  } finally {
    call.server?.timeout(call.request, IDLE_SECONDS);
  }
};

const tokensIn = (body: JsonObject): string[] => {
  const tokens = arrayAt(body, "tokens");
  if (tokens.every((token): token is string => typeof token === "string")) return [...tokens];
  throw new GatewayError("invalid_value", "'tokens' must be a list of texts.", { param: "tokens" });
};

const commaList = (text: string | null): string[] =>
  (text ?? "")
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "");

interface Scope {
  readonly scope: OnlineScope;
  readonly refs: readonly string[] | "all";
}

const scopeOf = (query: URLSearchParams): Scope => {
  if (query.get("scope") === "all") return { scope: "all", refs: "all" };
  const tokens = commaList(query.get("tokens"));
  if (tokens.length > 0) return { scope: "selected", refs: tokens };
  const token = query.get("token")?.trim() ?? "";
  return token === "" ? { scope: "none", refs: [] } : { scope: "single", refs: [token] };
};

const summary = async (call: Call, { scope, refs }: Scope, asked?: readonly AssetLoad[]) => {
  const { assetAdmin, mediaAdmin } = call.deps;
  const work = { refs, signal: call.signal, most: MOST_COUNTED };
  const loads = asked ?? (await patiently(call, () => assetAdmin.load(work)));
  const accounts = assetAdmin.accounts();
  const wanted = refs === "all" ? accounts.length : refs.length;
  const cut = asked === undefined && wanted > MOST_COUNTED;
  const warning = cut ? `Only the first ${MOST_COUNTED} of ${wanted} accounts were asked; load them as a task.` : null;
  return { ...localShape(await mediaAdmin.use()), ...onlineShape({ scope, accounts, loads, warning }) };
};

const overview = async (call: Call): Promise<Response> =>
  Response.json(await summary(call, scopeOf(call.url.searchParams)));

const started = ({ task_id, total }: TaskInfo): Response => Response.json({ status: "success", task_id, total });

const loadAsync = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const all = stringAt(body, "scope") === "all";
  const tokens = tokensIn(body);
  if (!all && tokens.length === 0) throw noTokens();
  const scope: Scope = all ? { scope: "all", refs: "all" } : { scope: "selected", refs: tokens };
  return started(call.deps.assetAdmin.startLoad(scope, (loads) => summary(call, scope, loads)));
};

const noTokens = (): GatewayError => new GatewayError("invalid_value", "No tokens provided", { param: "tokens" });

const clear = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const { assetAdmin } = call.deps;
  const tokens = tokensIn(body);
  const by = actorOf(call);
  if (tokens.length > 0) {
    const work = { refs: tokens, signal: call.signal, by };
    const results = await patiently(call, () => assetAdmin.clear(work));
    return Response.json({ status: "success", results: byToken(results) });
  }
  const ref = stringAt(body, "token") ?? assetAdmin.usual()?.id;
  if (ref === undefined || ref === "") {
    throw new GatewayError("invalid_value", "No available token to perform cleanup", { param: "token" });
  }
  const [result] = await patiently(call, () => assetAdmin.clear({ refs: [ref], signal: call.signal, by }));
  return Response.json({ status: "success", result: needed(result).result ?? NOTHING });
};

/** A single account that failed is a failed request. */
const needed = (result: ClearResult | undefined): ClearResult => {
  if (result && result.error === null) return result;
  throw new GatewayError("upstream_error", `The files could not be cleared: ${result?.error ?? "no such account"}`);
};

const taskResult = (results: readonly ClearResult[], counts: Summary) => ({
  status: "success",
  summary: counts,
  results: byToken(results),
});

const clearAsync = async (call: Call): Promise<Response> => {
  const tokens = tokensIn(await readObject(call));
  if (tokens.length === 0) throw noTokens();
  return started(call.deps.assetAdmin.startClear({ refs: tokens, by: actorOf(call) }, taskResult));
};

const concurrencyIn = (call: Call): Pick<Work, "concurrency"> => {
  const text = call.url.searchParams.get("concurrency") ?? "";
  return /^[1-9]\d{0,3}$/.test(text) ? { concurrency: Number(text) } : {};
};

const batchClear = async (call: Call): Promise<Response> => {
  const tokens = tokensIn(await readObject(call));
  const work = { refs: tokens.length === 0 ? ("all" as const) : tokens, by: actorOf(call), ...concurrencyIn(call) };
  if (call.url.searchParams.get("async") === "true") return started(call.deps.assetAdmin.startClear(work, taskResult));
  const results = await patiently(call, () => call.deps.assetAdmin.clear({ ...work, signal: call.signal }));
  const fail = results.filter(({ error }) => error !== null).length;
  return Response.json({
    status: "success",
    summary: { total: results.length, ok: results.length - fail, fail },
    results: Object.fromEntries(results.map((one) => [maskPair(one.account.token), clearedShape(one)])),
  });
};

const list = async (call: Call): Promise<Response> => {
  const asked = scopeOf(call.url.searchParams);
  const refs = asked.scope === "none" ? "all" : asked.refs;
  const { assetAdmin } = call.deps;
  const loads = await patiently(call, () => assetAdmin.load({ refs, signal: call.signal, most: MOST_LISTED }));
  const wanted = refs === "all" ? assetAdmin.accounts().length : refs.length;
  const warning = wanted > loads.length ? `Only the first ${loads.length} of ${wanted} accounts were asked.` : null;
  return Response.json({
    tokens: loads.map(listShape),
    total_assets: loads.reduce((sum, { assets }) => sum + assets.length, 0),
    ...(warning === null ? {} : { warning }),
  });
};

const listShape = ({ account, assets, error }: AssetLoad) => ({
  token: account.token,
  masked: maskPair(account.token),
  count: assets.length,
  assets: assets.map(({ id, name, key, mime, bytes, createdAt }) => ({
    id,
    name,
    file_path: key,
    content_type: mime,
    size: bytes,
    created_at: createdAt,
  })),
  error,
});

const textIn = (body: JsonObject, name: string): string => {
  const text = stringAt(body, name)?.trim() ?? "";
  if (text !== "") return text;
  throw new GatewayError("missing_required_parameter", `'${name}' is missing.`, { param: name });
};

const deleteItem = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const request = { ref: textIn(body, "token"), assetId: textIn(body, "asset_id") };
  const deleted = await call.deps.assetAdmin.remove({ ...request, signal: call.signal, by: actorOf(call) });
  return Response.json({ status: "success", deleted });
};

const clearToken = async (call: Call): Promise<Response> => {
  const ref = textIn(await readObject(call), "token");
  const work = { refs: [ref], signal: call.signal, by: actorOf(call) };
  const [result] = await patiently(call, () => call.deps.assetAdmin.clear(work));
  return Response.json({ status: "success", deleted: needed(result).result?.success ?? 0 });
};

export const adminAssetRoutes: readonly Route[] = [
  {
    method: "GET",
    ...adminPaths("/cache"),
    auth: "admin",
    summary: "Stored files, and how many files the site keeps: scope=all, tokens=a,b or token=a.",
    handle: overview,
  },
  {
    method: "POST",
    ...adminPaths("/cache/online/clear"),
    auth: "admin",
    summary: "Remove the files that the site keeps for the named accounts and wait for it.",
    handle: clear,
  },
  {
    method: "POST",
    ...adminPaths("/cache/online/clear/async"),
    auth: "admin",
    summary: "The same as a batch task.",
    handle: clearAsync,
  },
  {
    method: "POST",
    ...adminPaths("/cache/online/load/async"),
    auth: "admin",
    summary: "Count the files that the site keeps, as a batch task.",
    handle: loadAsync,
  },
  {
    method: "POST",
    ...adminPaths("/batch/cache-clear"),
    auth: "admin",
    summary:
      "Remove the files that the site keeps for the named accounts or, without names, for all; ?async=true as a task.",
    handle: batchClear,
  },
  {
    method: "GET",
    ...adminPaths("/assets"),
    auth: "admin",
    summary: "The files that the site keeps, by account: tokens=a,b or token=a.",
    handle: list,
  },
  {
    method: "POST",
    ...adminPaths("/assets/delete-item"),
    auth: "admin",
    summary: "Remove one file that the site keeps for an account.",
    handle: deleteItem,
  },
  {
    method: "POST",
    ...adminPaths("/assets/clear-token"),
    auth: "admin",
    summary: "Remove all files that the site keeps for an account.",
    handle: clearToken,
  },
];
