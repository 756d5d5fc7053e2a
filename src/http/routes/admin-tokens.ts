// Accounts as the admin side sees them, in the shapes that pages and scripts of earlier gateways know.
// Decides nothing about accounts. Invariant: a body of the wrong shape is refused with the field's name, and nothing was done.
import type { ImportOutcome, TokenOutcome } from "../../admin/accounts.ts";
import { GatewayError } from "../../core/errors.ts";
import { isObject, type JsonObject, parseObject, stringAt } from "../../lib/json.ts";
import { readJson, readLooseText, readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";
import { listQueryOf } from "./token-query.ts";

const wrong = (param: string, message: string): GatewayError => new GatewayError("invalid_value", message, { param });

const texts = (value: unknown, param: string): readonly string[] => {
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
  throw wrong(param, `'${param}' must be a list of texts.`);
};

/** `tokens`, or a single `token`, or the body itself when it is a list. */
const tokensOf = (body: unknown): readonly string[] => {
  if (Array.isArray(body)) return texts(body, "tokens");
  const given: JsonObject = isObject(body) ? body : {};
  const single = stringAt(given, "token");
  if (given["tokens"] === undefined && single !== undefined) return [single];
  return texts(given["tokens"] ?? [], "tokens");
};

const isConfirmed = (call: Call, body?: JsonObject): boolean =>
  call.url.searchParams.get("confirm") === "true" || body?.["confirm"] === true;

const byPool = (call: Call): Response => Response.json(call.deps.accounts.byPool());

const flat = (call: Call): Response => Response.json({ tokens: Object.values(call.deps.accounts.byPool()).flat() });

const page = (call: Call): Response => Response.json(call.deps.accounts.list(listQueryOf(call.url.searchParams)));

const summed = (outcome: ImportOutcome): Response => {
  const { added, updated, unchanged, removed } = outcome;
  const message = `${added} added, ${updated} changed, ${unchanged} as they were, ${removed} removed.`;
  return Response.json({ status: "success", message, count: added, skipped: unchanged, ...outcome });
};

/** The whole list as a page regrouped it: what is stated goes over what is stored, what is missing is removed. */
const replaceAll = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const pools = Object.fromEntries(Object.entries(body).filter(([name]) => name !== "confirm"));
  return summed(await call.deps.accounts.replaceAll(pools, { confirm: isConfirmed(call, body) }));
};

const add = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const pool = stringAt(body, "pool");
  const note = stringAt(body, "note");
  const outcome = await call.deps.accounts.add({
    tokens: tokensOf(body),
    // "auto" of older pages: the first look at the quota decides.
    ...(pool === undefined || pool === "auto" ? {} : { pool }),
    ...(body["tags"] === undefined ? {} : { tags: texts(body["tags"], "tags") }),
    ...(note === undefined ? {} : { note }),
  });
  return summed(outcome);
};

/** A file's content as it is, or JSON `{text, pool?}`. */
const importFile = async (call: Call): Promise<Response> => {
  const raw = await readLooseText(call);
  const wrapped = parseObject(raw);
  const text = stringAt(wrapped, "text");
  const pool = call.url.searchParams.get("pool") ?? (text === undefined ? undefined : stringAt(wrapped, "pool"));
  return summed(await call.deps.accounts.importText(text ?? raw, pool === undefined ? {} : { pool }));
};

const remove = async (call: Call): Promise<Response> => {
  const body = await readJson(call);
  const confirm = isConfirmed(call, isObject(body) ? body : undefined);
  const { changed, missing } = await call.deps.accounts.remove(tokensOf(body), { confirm });
  return Response.json({ status: "success", deleted: changed.length, missing });
};

const refresh = async (call: Call): Promise<Response> => {
  const refs = tokensOf(await readObject(call));
  const { summary, results } = await call.deps.accounts.refresh({ refs, signal: call.signal });
  return Response.json({
    status: "success",
    summary,
    // Older pages look their token up here.
    results: Object.fromEntries(results.map(({ token, outcome }) => [token, outcome === "done"])),
    details: results.map(detailOf),
  });
};

const detailOf = (result: TokenOutcome) => {
  const { id, outcome } = result;
  if (outcome === "failed") return { id, outcome, code: result.code, message: result.message };
  return outcome === "skipped" ? { id, outcome, message: result.reason } : { id, outcome };
};

export const adminTokenRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/api/v1/admin/tokens",
    aliases: ["/v1/admin/tokens"],
    auth: "admin",
    summary: "All accounts by pool.",
    handle: byPool,
  },
  {
    method: "GET",
    path: "/admin/api/tokens",
    auth: "admin",
    summary: "All accounts in one list.",
    handle: flat,
  },
  {
    method: "GET",
    ...adminPaths("/tokens/list"),
    auth: "admin",
    summary: "Accounts page by page: search, status, state, pool, tag, without_tag, sort, page, page_size.",
    handle: page,
  },
  {
    method: "POST",
    path: "/api/v1/admin/tokens",
    aliases: ["/v1/admin/tokens"],
    auth: "admin",
    summary: "Replace the whole list; ?confirm=true when most accounts would go.",
    handle: replaceAll,
  },
  {
    method: "POST",
    ...adminPaths("/tokens/add"),
    auth: "admin",
    summary: "Add accounts; known ones stay as they are.",
    handle: add,
  },
  {
    method: "POST",
    ...adminPaths("/tokens/import"),
    auth: "admin",
    summary: "Add accounts from a file of any known shape.",
    handle: importFile,
  },
  {
    method: "DELETE",
    ...adminPaths("/tokens"),
    auth: "admin",
    summary: "Remove the named accounts.",
    handle: remove,
  },
  {
    method: "POST",
    ...adminPaths("/tokens/refresh"),
    auth: "admin",
    summary: "Ask the upstream for the quota of the named accounts and wait for it.",
    handle: refresh,
  },
];
