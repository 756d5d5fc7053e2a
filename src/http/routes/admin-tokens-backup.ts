// Accounts out and back: export as text or JSON, the copies made before bulk changes, and the way back to one.
// Decides nothing. Invariant: an export is never kept by anything on the way.
import { type JsonObject, stringAt } from "../../lib/json.ts";
import { readLooseObject, readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";
import { changes, done, namedIn, wrong } from "./admin-tokens-body.ts";
import { summed } from "./admin-tokens.ts";
import { listQueryOf } from "./token-query.ts";

type Chosen = Parameters<Call["deps"]["accounts"]["exportText"]>[0];

const file = (call: Call, what: { chosen: Chosen; format: string; isSelection: boolean }): Response => {
  const { chosen, format, isSelection } = what;
  const date = new Date(call.deps.clock.now()).toISOString().slice(0, 10);
  const name = `tokens_export_${isSelection ? "selected_" : ""}${date}`;
  const { accounts } = call.deps;
  const as = (body: string, about: { type: string; ending: string }): Response =>
    new Response(body, {
      headers: {
        "content-type": `${about.type}; charset=utf-8`,
        "content-disposition": `attachment; filename="${name}.${about.ending}"`,
        "cache-control": "no-store",
      },
    });
  if (format === "json") {
    return as(JSON.stringify(accounts.exportJson(chosen), null, 2), { type: "application/json", ending: "json" });
  }
  if (format === "text" || format === "txt") {
    return as(accounts.exportText(chosen), { type: "text/plain", ending: "txt" });
  }
  throw wrong("format", "'format' must be text or json.");
};

const exportFiltered = (call: Call): Response =>
  file(call, {
    chosen: listQueryOf(call.url.searchParams),
    format: call.url.searchParams.get("format") ?? "text",
    isSelection: false,
  });

const exportNamed = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  return file(call, { chosen: namedIn(body), format: stringAt(body, "format") ?? "text", isSelection: true });
};

const snapshots = async (call: Call): Promise<Response> => done({ snapshots: await call.deps.accounts.snapshots() });

const restore = async (call: Call): Promise<Response> => {
  const body: JsonObject = (await readLooseObject(call)) ?? {};
  const id = stringAt(body, "snapshot") ?? stringAt(body, "id");
  return done(summed(await changes(call).restore(id)));
};

export const adminTokenBackupRoutes: readonly Route[] = [
  {
    method: "GET",
    ...adminPaths("/tokens/export"),
    auth: "admin",
    summary: "Accounts as a file: format text or json, and the filters of the list.",
    handle: exportFiltered,
  },
  {
    method: "POST",
    ...adminPaths("/tokens/export"),
    auth: "admin",
    summary: "The named accounts as a file.",
    handle: exportNamed,
  },
  {
    method: "GET",
    ...adminPaths("/tokens/snapshots"),
    auth: "admin",
    summary: "Copies of the pool that were made before bulk changes.",
    handle: snapshots,
  },
  {
    method: "POST",
    ...adminPaths("/tokens/restore"),
    auth: "admin",
    summary: "Bring the accounts of a snapshot back; the newest when none is named.",
    handle: restore,
  },
];
