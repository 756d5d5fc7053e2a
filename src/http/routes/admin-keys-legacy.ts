// Client keys in the shapes of the earliest admin page. Decides nothing; the verbs are those of the newer routes.
// Invariant: a key is named by its id, which stands where those pages had the key itself.
import { readKeyFields } from "../../admin/key-fields.ts";
import type { KeyView } from "../../admin/key-view.ts";
import { GatewayError } from "../../core/errors.ts";
import type { JsonObject } from "../../lib/json.ts";
import { actorOf } from "../actor.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { countOf, createdResponse, refsOf } from "./admin-keys.ts";

const rowOf = ({ key, name, created_at, is_active, display_key }: KeyView) => ({
  ...{ key, name, created_at, is_active, display_key },
});

const list = (call: Call): Response => {
  const everything = { search: "", status: "all", page: 1, pageSize: Number.MAX_SAFE_INTEGER } as const;
  const { items, global_key_set } = call.deps.keyAdmin.list(everything);
  return Response.json({ success: true, data: items.map(rowOf), global_key_set });
};

const add = async (call: Call): Promise<Response> => {
  const { name } = await readObject(call);
  const fields = readKeyFields(name === undefined ? {} : { name }, call.deps.catalogue);
  return createdResponse(await call.deps.keyAdmin.create({ fields }, actorOf(call)), false);
};

const addMany = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const fields = readKeyFields(
    body["name_prefix"] === undefined ? {} : { name: body["name_prefix"] },
    call.deps.catalogue,
  );
  return createdResponse(await call.deps.keyAdmin.create({ fields, count: countOf(body) ?? 1 }, actorOf(call)), true);
};

const remove = async (call: Call): Promise<Response> => {
  const deleted = await call.deps.keyAdmin.remove(refsOf(await readObject(call)), actorOf(call));
  return Response.json({ success: true, message: `${deleted} removed.`, deleted });
};

const change =
  (names: readonly string[]) =>
  async (call: Call): Promise<Response> => {
    const body = await readObject(call);
    const stated: JsonObject = Object.fromEntries(names.map((name) => [name, stateOf(body, name)]));
    const changed = await call.deps.keyAdmin.update(
      refsOf(body),
      readKeyFields(stated, call.deps.catalogue),
      actorOf(call),
    );
    return Response.json({ success: true, message: `${changed.length} changed.`, updated: changed.length });
  };

const stateOf = (body: JsonObject, name: string): unknown => {
  if (body[name] !== undefined) return body[name];
  throw new GatewayError("missing_required_parameter", `Missing ${name}`, { param: name });
};

const row = (path: string, summary: string, handle: Route["handle"]): Route => ({
  method: "POST",
  path: `/api/keys/${path}`,
  auth: "admin",
  summary: `${summary} (older page).`,
  handle,
});

export const adminKeyLegacyRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/api/keys",
    auth: "admin",
    summary: "Client keys (older page).",
    handle: list,
  },
  row("add", "Make a key", add),
  row("batch-add", "Make several keys", addMany),
  row("delete", "Remove a key", remove),
  row("batch-delete", "Remove several keys", remove),
  row("status", "Switch a key on or off", change(["is_active"])),
  row("batch-status", "Switch several keys on or off", change(["is_active"])),
  row("name", "Name a key", change(["name"])),
];
