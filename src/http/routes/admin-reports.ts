// Reports about past requests on the admin side, in today's shapes and in those of earlier programs. Adds nothing up itself.
import { GatewayError } from "../../core/errors.ts";
import type { Reports, TopQuestion } from "../../admin/reports.ts";
import { actorOf } from "../actor.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";
import { flagOf, momentOf, numberOf, oneOf, rangeOf, textOf } from "./report-query.ts";

const DIMENSIONS = ["all", "model", "key", "account"] as const;
const BY: Readonly<Record<string, TopQuestion["by"]>> = {
  requests: "requests",
  failed: "failed",
  tokens: "tokensOut",
  tokens_in: "tokensIn",
  tokens_out: "tokensOut",
  images: "images",
  videos: "videos",
  total_ms: "totalMs",
};
const ROWS = { least: 1, most: 500 };
const OLD_ROWS = { least: 1, most: 1_000 };

const ranged = (call: Call) => ({
  query: call.url.searchParams,
  range: rangeOf(call.url.searchParams, call.deps.clock.now()),
});

const totals = async (call: Call): Promise<Response> => {
  const { range } = ranged(call);
  const data = await call.deps.reports.totals(range);
  return Response.json({ status: "success", from: range.fromMs, to: range.toMs, data });
};

const series = async (call: Call): Promise<Response> => {
  const { query, range } = ranged(call);
  const dimension = oneOf(query, "dimension", DIMENSIONS) ?? "all";
  const value = textOf(query, "value") ?? "";
  if ((dimension === "all") !== (value === "")) {
    throw new GatewayError("invalid_value", "A dimension needs a 'value', and a value its 'dimension'.", {
      param: "value",
    });
  }
  const span = oneOf(query, "span", ["hour", "day", "auto"]) ?? "auto";
  const found = await call.deps.reports.series({ ...range, span, dimension, value });
  return Response.json({ status: "success", span: found.span, data: found.points });
};

const top = async (call: Call): Promise<Response> => {
  const { query, range } = ranged(call);
  const dimension = oneOf(query, "dimension", ["model", "key", "account"]) ?? "model";
  const by = BY[oneOf(query, "by", Object.keys(BY)) ?? "requests"] ?? "requests";
  const limit = Math.floor(numberOf(query, "limit", { least: 1, most: 100 }) ?? 10);
  const data = await call.deps.reports.top({ ...range, dimension, by, limit });
  return Response.json({ status: "success", data });
};

const filterOf = (query: URLSearchParams): Parameters<Reports["requests"]>[0] => ({
  id: textOf(query, "id"),
  route: textOf(query, "route"),
  key: textOf(query, "key"),
  model: textOf(query, "model"),
  account: textOf(query, "account"),
  outcome: oneOf(query, "outcome", ["finished", "client-closed", "upstream-cut", "failed"]),
  code: textOf(query, "code"),
  stream: flagOf(query, "stream"),
  status: statusOf(query),
  fromMs: momentOf(query, "from"),
  toMs: momentOf(query, "to"),
  slowerThanMs: numberOf(query, "slower_than_ms", { least: 0, most: 1e9 }),
  retried: flagOf(query, "retried"),
  text: textOf(query, "search"),
});

/** 404, or 4xx for all of a kind. */
const statusOf = (query: URLSearchParams): number | undefined => {
  const text = textOf(query, "status");
  if (text === undefined) return undefined;
  if (/^[1-5]xx$/i.test(text)) return Number(text[0]);
  if (/^[1-5]\d\d$/.test(text)) return Number(text);
  throw new GatewayError("invalid_value", "'status' must be a status such as 429 or a class such as 4xx.", {
    param: "status",
  });
};

const requests = async (call: Call): Promise<Response> => {
  const query = call.url.searchParams;
  const limit = Math.floor(numberOf(query, "limit", ROWS) ?? 50);
  const before = numberOf(query, "before", { least: 0, most: Number.MAX_SAFE_INTEGER });
  const { items, next } = await call.deps.reports.requests(filterOf(query), { before, limit });
  return Response.json({ status: "success", items, next });
};

const request = async (call: Call): Promise<Response> => {
  const [newest, ...others] = await call.deps.reports.request(call.params["id"] ?? "");
  return Response.json({ status: "success", data: newest, others });
};

const size = async (call: Call): Promise<Response> =>
  Response.json({ status: "success", ...(await call.deps.reports.size()) });

const clear = async (call: Call): Promise<Response> => {
  const removed = await call.deps.reports.clear(actorOf(call));
  return Response.json({ status: "success", success: true, message: `${removed} rows removed.`, removed });
};

const metrics = async (call: Call): Promise<Response> => Response.json(await call.deps.oldReports.metrics());

const requestStats = async (call: Call): Promise<Response> =>
  Response.json({ success: true, data: await call.deps.oldReports.requestStats() });

const logs = async (call: Call): Promise<Response> => {
  const limit = Math.floor(numberOf(call.url.searchParams, "limit", OLD_ROWS) ?? OLD_ROWS.most);
  const data = await call.deps.oldReports.logs(limit);
  return Response.json({ success: true, data, logs: data, total: data.length });
};

export const adminReportRoutes: readonly Route[] = [
  {
    method: "GET",
    ...adminPaths("/reports/totals"),
    auth: "admin",
    summary: "What all requests of a time add up to: range (24h, 30d), or from and to.",
    handle: totals,
  },
  {
    method: "GET",
    ...adminPaths("/reports/series"),
    auth: "admin",
    summary: "The same by hour or day, for all or for one model, key or account: range, span, dimension, value.",
    handle: series,
  },
  {
    method: "GET",
    ...adminPaths("/reports/top"),
    auth: "admin",
    summary: "The models, keys or accounts with the most: range, dimension, by, limit.",
    handle: top,
  },
  {
    method: "GET",
    ...adminPaths("/requests"),
    auth: "admin",
    summary: "Past requests, newest first, by any column and by search; next goes into before.",
    handle: requests,
  },
  {
    method: "GET",
    ...adminPaths("/requests/:id"),
    auth: "admin",
    summary: "One request with its attempts.",
    handle: request,
  },
  {
    method: "GET",
    ...adminPaths("/journal"),
    auth: "admin",
    summary: "How many rows the journal holds, and about how many bytes.",
    handle: size,
  },
  {
    method: "POST",
    path: "/api/v1/admin/logs/clear",
    aliases: ["/v1/admin/logs/clear", "/admin/api/logs/clear", "/api/logs/clear"],
    auth: "admin",
    summary: "Remove all rows of the journal; what they added up to stays.",
    handle: clear,
  },
  {
    method: "GET",
    ...adminPaths("/metrics"),
    auth: "admin",
    summary: "Accounts, stored files and requests in numbers (older page).",
    handle: metrics,
  },
  {
    method: "GET",
    path: "/api/v1/admin/request-stats",
    aliases: ["/v1/admin/request-stats", "/admin/api/request-stats", "/api/request-stats"],
    auth: "admin",
    summary: "Requests by hour, day and model (older page).",
    handle: requestStats,
  },
  {
    method: "GET",
    path: "/api/v1/admin/logs",
    aliases: ["/v1/admin/logs", "/admin/api/logs", "/api/logs"],
    auth: "admin",
    summary: "The newest requests (older page): limit.",
    handle: logs,
  },
];
