// Settings and storage as the admin side sees them. Decides nothing about values.
// Invariant: no secret leaves unmasked; a masked value that is sent back changes nothing.
import { GatewayError } from "../../core/errors.ts";
import { actorOf } from "../actor.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";

/** The revision comes along, for clients that change settings without the form. */
const read = (call: Call): Response =>
  Response.json(call.deps.settings.read(), { headers: { etag: `"${call.deps.settings.form().revision}"` } });

const form = (call: Call): Response => Response.json(call.deps.settings.form());

const change = async (call: Call): Promise<Response> => {
  const expectRevision = revisionOf(call);
  const result = await call.deps.settings.change(
    { ...(await readObject(call)) },
    { by: actorOf(call), ...(expectRevision === undefined ? {} : { expectRevision }) },
  );
  return Response.json({ status: "success", message: "Settings saved.", ...result });
};

/** The revision that an editor has seen, to notice another editor. */
const revisionOf = (call: Call): number | undefined => {
  const seen = call.request.headers.get("if-match")?.replaceAll('"', "");
  const text = call.url.searchParams.get("revision") ?? seen;
  if (text === undefined || text === "*") return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new GatewayError("invalid_value", "'revision' must be a whole number.", { param: "revision" });
};

const storage = (call: Call): Response => Response.json(call.deps.settings.storage());

export const adminConfigRoutes: readonly Route[] = [
  {
    method: "GET",
    ...adminPaths("/config"),
    auth: "admin",
    summary: "All settings, secrets masked.",
    handle: read,
  },
  {
    method: "GET",
    ...adminPaths("/config/form"),
    auth: "admin",
    summary: "All settings with help, limits and where each value comes from.",
    handle: form,
  },
  {
    method: "POST",
    ...adminPaths("/config"),
    auth: "admin",
    summary: "Change some settings; null takes a stored value away. ?revision= refuses to overwrite another editor.",
    handle: change,
  },
  {
    method: "PUT",
    ...adminPaths("/config"),
    auth: "admin",
    summary: "The same as POST.",
    handle: change,
  },
  {
    method: "GET",
    ...adminPaths("/storage"),
    auth: "admin",
    summary: "The kind of store.",
    handle: storage,
  },
];
