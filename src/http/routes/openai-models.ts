// GET /v1/models and /v1/models/{id}, also for clients of Anthropic's API. Knows no account: which models are listed follows from what the gateway can serve.
import { digestOf } from "../../access/digest.ts";
import type { ModelKind } from "../../core/models.ts";
import { listAgentModels } from "../../protocols/openai/agent-catalog.ts";
import { listModels, retrieveModel } from "../../protocols/openai/catalog.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";
import { anthropicModels } from "./anthropic.ts";

/** A model is listed only when a route can serve it. */
const SERVED: readonly ModelKind[] = ["chat", "image", "image-edit", "video"];

/** Coding agents name their version and ask for more than a list of names; they ask at every start. */
const agentModels = ({ request, url, deps }: Call): Response | undefined => {
  if (!url.searchParams.has("client_version")) return undefined;
  const text = JSON.stringify(listAgentModels(deps.catalogue));
  const headers = { etag: `"${digestOf(text)}"`, "content-type": "application/json" };
  const known =
    request.headers
      .get("if-none-match")
      ?.replaceAll("W/", "")
      .split(/\s*,\s*/) ?? [];
  return known.includes(headers.etag) ? new Response(null, { status: 304, headers }) : new Response(text, { headers });
};

const allowedOf = ({ principal }: Call) => ({ allowed: principal.client?.models ?? null });

/** A key that is limited to some models sees no others. */
export const listAll = (call: Call): Response =>
  anthropicModels(call) ??
  agentModels(call) ??
  Response.json(listModels(call.deps.catalogue, { kinds: SERVED, ...allowedOf(call) }));

/** SDKs percent-encode the id; the router has decoded it. */
const retrieve = (call: Call): Response =>
  anthropicModels(call) ??
  Response.json(
    retrieveModel(call.deps.catalogue, { name: call.params["id"] ?? "", kinds: SERVED, ...allowedOf(call) }),
  );

export const openaiModelRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/models",
    auth: "api",
    toggle: "enable_models",
    summary: "The models that can be asked for.",
    handle: listAll,
  },
  {
    method: "GET",
    path: "/v1/models/:id{.+}",
    auth: "api",
    toggle: "enable_models",
    summary: "One model by id or alias.",
    handle: retrieve,
  },
  {
    method: "GET",
    ...adminPaths("/models"),
    auth: "admin",
    summary: "All models that are served now, whatever the switch of /v1/models says.",
    handle: ({ deps }) => Response.json(listModels(deps.catalogue, { kinds: SERVED })),
  },
];
