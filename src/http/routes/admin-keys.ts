// Client keys as the admin side sees them, in today's shapes and in those of earlier programs. Decides nothing about keys.
// Invariant: a secret is in an answer only where it was just made, and such an answer is not to be kept by anybody.
import { KEY_SORTS, type KeyAdmin, type KeySort, type MadeKey, MOST_AT_ONCE, type NewKeys } from "../../admin/keys.ts";
import { readChosenSecret, readKeyFields } from "../../admin/key-fields.ts";
import type { KeyStatus } from "../../admin/key-view.ts";
import { GatewayError } from "../../core/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { actorOf } from "../actor.ts";
import { readLooseText, readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { pageOf } from "../paging.ts";
import { adminPaths } from "./admin-paths.ts";

const STATUSES: readonly string[] = ["all", "active", "disabled", "expired", "exhausted"] satisfies (
  KeyStatus | "all"
)[];
/** One page for pages that know no pages. */
const SIZES = { usual: 10_000, most: 10_000 };

const admin = (call: Call): KeyAdmin => call.deps.keyAdmin;
const wrong = (param: string, message: string): GatewayError => new GatewayError("invalid_value", message, { param });

/** `keys`, `ids`, or a single `key` or `id`: ids or whole secrets. */
export const refsOf = (body: JsonObject): readonly string[] => {
  const many = body["keys"] ?? body["ids"];
  if (Array.isArray(many)) {
    if (many.every((ref) => typeof ref === "string")) return many;
    throw wrong("keys", "'keys' must be a list of texts.");
  }
  const one = body["id"] ?? body["key"];
  return typeof one === "string" && one !== "" ? [one] : [];
};

const statusOf = (query: URLSearchParams): KeyStatus | "all" => {
  const text = query.get("status") ?? "all";
  if (STATUSES.includes(text)) return text as KeyStatus | "all";
  throw wrong("status", `'status' must be one of ${STATUSES.join(", ")}.`);
};

const sortOf = (query: URLSearchParams): KeySort | undefined => {
  const text = query.get("sort") ?? "";
  const found = KEY_SORTS.find((one) => one === text);
  if (text === "" || found) return found;
  throw wrong("sort", `'sort' must be one of ${KEY_SORTS.join(", ")}.`);
};

const isDescending = (query: URLSearchParams): boolean => {
  const text = query.get("order") ?? "asc";
  if (text === "asc" || text === "desc") return text === "desc";
  throw wrong("order", "'order' must be asc or desc.");
};

const list = (call: Call): Response => {
  const { searchParams } = call.url;
  const page = pageOf(searchParams, SIZES);
  const found = admin(call).list({
    ...{ ...page, search: searchParams.get("search") ?? "", status: statusOf(searchParams) },
    ...{ sort: sortOf(searchParams), descending: isDescending(searchParams) },
  });
  const { items, ...rest } = found;
  return Response.json({ success: true, data: items, ...rest, page: page.page, page_size: page.pageSize });
};

const one = (call: Call): Response => Response.json({ success: true, data: admin(call).get(call.params["id"] ?? "") });

const SECRET_HEADERS = { "cache-control": "no-store" };

/** The only shape with a secret in it. */
const shown = ({ view, secret }: MadeKey) => ({ ...view, key: secret, secret });

export const createdResponse = (made: readonly MadeKey[], many: boolean): Response => {
  const data = made.map(shown);
  return Response.json({ success: true, data: many ? data : data[0] }, { headers: SECRET_HEADERS });
};

export const countOf = (body: JsonObject): number | undefined => {
  const { count } = body;
  if (count === undefined || count === null) return undefined;
  if (typeof count === "number" && Number.isInteger(count) && count >= 1 && count <= MOST_AT_ONCE) return count;
  throw wrong("count", `'count' must be a whole number from 1 to ${MOST_AT_ONCE}.`);
};

const create = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const count = countOf(body);
  const { name_prefix: prefix, ...rest } = body;
  const fields = readKeyFields(prefix === undefined ? rest : { ...rest, name: prefix }, call.deps.catalogue);
  const wanted: NewKeys = { fields, count: count ?? 1, secret: readChosenSecret(body["key"]) };
  return createdResponse(await admin(call).create(wanted, actorOf(call)), count !== undefined);
};

const update = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const data = await admin(call).update(refsOf(body), readKeyFields(body, call.deps.catalogue), actorOf(call));
  return Response.json({ success: true, data });
};

const rotate = async (call: Call): Promise<Response> => {
  const [ref] = refsOf(await readObject(call));
  if (ref === undefined) throw new GatewayError("missing_required_parameter", "Missing key", { param: "key" });
  return createdResponse([await admin(call).rotate(ref, actorOf(call))], false);
};

const remove = async (call: Call): Promise<Response> => {
  const deleted = await admin(call).remove(refsOf(await readObject(call)), actorOf(call));
  return Response.json({ success: true, deleted });
};

const importFile = async (call: Call): Promise<Response> => {
  const result = await admin(call).importText(await readLooseText(call), actorOf(call));
  return Response.json({ success: true, ...result });
};

export const adminKeyRoutes: readonly Route[] = [
  {
    method: "GET",
    ...adminPaths("/keys"),
    auth: "admin",
    summary: "Client keys with what they have used: search, status, sort, order, page, page_size.",
    handle: list,
  },
  {
    method: "GET",
    ...adminPaths("/keys/:id"),
    auth: "admin",
    summary: "One client key.",
    handle: one,
  },
  {
    method: "POST",
    ...adminPaths("/keys"),
    auth: "admin",
    summary: "Make a key, or `count` of them; the only answer that shows the secret.",
    handle: create,
  },
  {
    method: "POST",
    ...adminPaths("/keys/update"),
    auth: "admin",
    summary: "Change name, note, state, expiry, models or limits of the named keys.",
    handle: update,
  },
  {
    method: "POST",
    ...adminPaths("/keys/rotate"),
    auth: "admin",
    summary: "Give a key another secret; the old one is refused at once.",
    handle: rotate,
  },
  {
    method: "POST",
    ...adminPaths("/keys/delete"),
    auth: "admin",
    summary: "Remove the named keys.",
    handle: remove,
  },
  {
    method: "POST",
    ...adminPaths("/keys/import"),
    auth: "admin",
    summary: "Add the keys of an earlier program's api_keys.json.",
    handle: importFile,
  },
];
