// Accounts as lists: read, add, replace and remove, in the shapes that pages and scripts of earlier gateways know.
// Decides nothing about accounts. Invariant: a body of the wrong shape is refused with the field's name, and nothing was done.
import type { ImportOutcome } from "../../admin/account-changes.ts";
import { isObject, parseObject, stringAt } from "../../lib/json.ts";
import { readJson, readLooseText, readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";
import { changes, done, isConfirmed, namedIn, texts } from "./admin-tokens-body.ts";
import { listQueryOf } from "./token-query.ts";

/** Lists hold secrets: nothing on the way may keep them. */
const PRIVATE = { "cache-control": "no-store" };

const etagOf = (call: Call): string => `"${call.deps.accounts.revision()}"`;

const byPool = (call: Call): Response =>
  Response.json(call.deps.accounts.byPool(), { headers: { ...PRIVATE, etag: etagOf(call) } });

const page = (call: Call): Response => {
  const { accounts } = call.deps;
  const list = accounts.list(listQueryOf(call.url.searchParams));
  return Response.json({ ...list, totals: accounts.totals() }, { headers: { ...PRIVATE, etag: etagOf(call) } });
};

const item = (call: Call): Response =>
  Response.json({ item: call.deps.accounts.get(call.params["id"] ?? "") }, { headers: PRIVATE });

export const summed = (outcome: ImportOutcome): object => {
  const { added, updated, unchanged, removed } = outcome;
  const message = `${added} added, ${updated} changed, ${unchanged} as they were, ${removed} removed.`;
  return { message, count: added, skipped: unchanged, ...outcome };
};

/** Whole pools as a page regrouped them: what is stated goes over what is stored, what a named pool omits is removed. */
export const replacePools = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const pools = Object.fromEntries(Object.entries(body).filter(([name]) => name !== "confirm"));
  const seen = call.request.headers.get("if-match")?.replace(/^W\//, "").replaceAll('"', "");
  const outcome = await changes(call).replacePools(pools, {
    confirm: isConfirmed(call, body),
    ...(seen === undefined || seen === "*" ? {} : { revision: seen }),
  });
  return done({ ...summed(outcome), count: outcome.added + outcome.updated + outcome.unchanged });
};

/** Few new accounts are asked what they are before the answer; the background asks for many. */
const ASKED_AT_ONCE = 20;

const add = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const pool = stringAt(body, "pool");
  const note = stringAt(body, "note");
  // "auto" of older pages: the first look at the quota decides.
  const isAuto = pool === undefined || pool === "auto";
  const outcome = await changes(call).add({
    tokens: namedIn(body),
    ...(isAuto ? {} : { pool }),
    ...(body["tags"] === undefined ? {} : { tags: texts(body["tags"], "tags") }),
    ...(note === undefined ? {} : { note }),
  });
  const isFew = outcome.added > 0 && outcome.added <= ASKED_AT_ONCE;
  const asked = pool === "auto" && isFew ? await call.deps.accountRefresh.now(outcome.added_ids) : null;
  return done({ ...summed(outcome), synced: asked?.summary.ok ?? 0 });
};

/** A file's content as it is, or JSON `{text, pool?}`. */
const importFile = async (call: Call): Promise<Response> => {
  const raw = await readLooseText(call);
  const wrapped = parseObject(raw);
  const text = stringAt(wrapped, "text");
  const pool = call.url.searchParams.get("pool") ?? (text === undefined ? undefined : stringAt(wrapped, "pool"));
  return done(summed(await changes(call).importText(text ?? raw, pool === undefined ? {} : { pool })));
};

const remove = async (call: Call): Promise<Response> => {
  const body = await readJson(call);
  const confirm = isConfirmed(call, isObject(body) ? body : undefined);
  const { changed, missing, kept } = await changes(call).remove(namedIn(body), { confirm });
  return done({ deleted: changed.length, missing, kept });
};

export const adminTokenRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/api/v1/admin/tokens",
    aliases: ["/v1/admin/tokens"],
    auth: "admin",
    summary: "All accounts by pool, with their sessions.",
    handle: byPool,
  },
  {
    method: "GET",
    ...adminPaths("/tokens/list"),
    auth: "admin",
    summary:
      "Accounts page by page, sessions masked: search, status, state, pool, upstream, tag, without_tag, sort, order, page.",
    handle: page,
  },
  {
    method: "GET",
    ...adminPaths("/tokens/item/:id"),
    auth: "admin",
    summary: "One account by its id, with its session.",
    handle: item,
  },
  {
    method: "POST",
    path: "/api/v1/admin/tokens",
    aliases: ["/v1/admin/tokens"],
    auth: "admin",
    summary: "Replace the named pools; confirm when more than half would go, If-Match refuses to overwrite others.",
    handle: replacePools,
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
];
