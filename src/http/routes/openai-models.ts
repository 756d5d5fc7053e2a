// GET /v1/models and /v1/models/{id}, also for clients of Anthropic's API. Knows no account: which models are listed follows from what the gateway can serve.
import type { ModelKind } from "../../core/models.ts";
import { listModels, retrieveModel } from "../../protocols/openai/catalog.ts";
import type { Call, Route } from "../context.ts";
import { anthropicModels } from "./anthropic.ts";

/** A model is listed only when a route can serve it. */
const SERVED: readonly ModelKind[] = ["chat"];

const list = (call: Call): Response => anthropicModels(call) ?? Response.json(listModels(SERVED));

/** SDKs percent-encode the id; the router has decoded it. */
const retrieve = (call: Call): Response =>
  anthropicModels(call) ?? Response.json(retrieveModel(call.params["id"] ?? "", SERVED));

export const openaiModelRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/models",
    auth: "api",
    toggle: "enable_models",
    summary: "The models that can be asked for.",
    handle: list,
  },
  {
    method: "GET",
    path: "/v1/models/:id{.+}",
    auth: "api",
    toggle: "enable_models",
    summary: "One model by id or alias.",
    handle: retrieve,
  },
];
