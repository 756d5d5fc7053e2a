// /v1/responses/{id} and what lies below it: looking up, writing again, deleting. Knows no storage.
// Invariant: what belongs to another caller is answered as if it did not exist.
import { GatewayError } from "../../core/errors.ts";
import { deletedResponse, pageItems } from "../../protocols/openai/responses-lists.ts";
import { replayResponse } from "../../protocols/openai/responses-replay.ts";
import type { Call, Route } from "../context.ts";
import { SSE_HEADERS } from "../streaming.ts";

const idOf = (call: Call): string => call.params["id"] ?? "";

const stored = (call: Call) => call.deps.responses.get(idOf(call), call.principal.id);

const streamWanted = (query: URLSearchParams): boolean => {
  const value = query.get("stream") ?? "false";
  if (value === "true" || value === "false") return value === "true";
  throw new GatewayError("invalid_stream", "'stream' must be true or false.", { param: "stream" });
};

const startingAfter = (query: URLSearchParams): number => {
  const value = query.get("starting_after");
  if (value === null) return -1;
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new GatewayError("invalid_value", "'starting_after' must be a sequence number.", { param: "starting_after" });
};

const retrieve = async (call: Call): Promise<Response> => {
  const query = call.url.searchParams;
  const { body, events } = await stored(call);
  if (!streamWanted(query)) return Response.json(body);
  const after = startingAfter(query);
  if (events === null) {
    const message = "This response cannot be streamed, because it was not created with 'stream': true.";
    throw new GatewayError("unsupported_value", message, { param: "stream" });
  }
  return new Response(replayResponse({ body, events }, after), { headers: SSE_HEADERS });
};

const remove = async (call: Call): Promise<Response> => {
  await call.deps.responses.remove(idOf(call), call.principal.id);
  return Response.json(deletedResponse(idOf(call)));
};

const inputItems = async (call: Call): Promise<Response> => {
  const { input } = await stored(call);
  return Response.json(pageItems(input, call.url.searchParams));
};

const cancel = async (call: Call): Promise<Response> => {
  await stored(call);
  throw new GatewayError(
    "unsupported_operation",
    "Only background responses can be cancelled; end the request instead.",
  );
};

export const openaiStoredResponseRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/v1/responses/:id",
    auth: "api",
    toggle: "enable_responses",
    summary: "A stored response; with stream=true its events again.",
    handle: retrieve,
  },
  {
    method: "DELETE",
    path: "/v1/responses/:id",
    auth: "api",
    toggle: "enable_responses",
    summary: "Forgets a stored response.",
    handle: remove,
  },
  {
    method: "GET",
    path: "/v1/responses/:id/input_items",
    auth: "api",
    toggle: "enable_responses",
    summary: "What a stored response was asked.",
    handle: inputItems,
  },
  {
    method: "POST",
    path: "/v1/responses/:id/cancel",
    auth: "api",
    toggle: "enable_responses",
    summary: "Refuses: no response runs in the background.",
    handle: cancel,
  },
];
