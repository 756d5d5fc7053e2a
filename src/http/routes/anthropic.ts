// POST /v1/messages and /v1/messages/count_tokens, and the model list as clients of Anthropic's API want it. Knows no provider.
// Invariant: an answer that fails before its first visible piece has a true HTTP status, and counting asks no upstream.
import { showsReasoning, type GenerationRequest } from "../../core/request.ts";
import { countRequest } from "../../core/usage.ts";
import { hexId } from "../../lib/ids.ts";
import { unixSeconds } from "../../lib/clock.ts";
import { listModelInfos, retrieveModelInfo } from "../../protocols/anthropic/catalog.ts";
import { parseCountRequest, parseMessagesRequest } from "../../protocols/anthropic/messages-request.ts";
import { collectMessage, createMessagesStreamEncoder } from "../../protocols/anthropic/messages-response.ts";
import { readJson } from "../body.ts";
import { baseUrl } from "../client-address.ts";
import type { Call, Route } from "../context.ts";

const MEGABYTE = 1024 * 1024;

const limitsOf = ({ config }: Call) => ({
  maxAttachments: config.asset.max_attachments,
  maxAttachmentBytes: config.asset.max_attachments_mb * MEGABYTE,
});

const inputTokens = (request: GenerationRequest, { config }: Call): number =>
  countRequest(request, config.usage.image_tokens);

const messages = async (call: Call): Promise<Response> => {
  const { config, deps, record } = call;
  const request = parseMessagesRequest(await readJson(call), limitsOf(call));
  record.model = request.model;
  record.stream = request.stream;
  const id = hexId("msg_");
  const run = await deps.gateway.chat(request, {
    id,
    created: unixSeconds(deps.clock),
    signal: call.signal,
    abort: call.abort,
    record,
    // Asked for only when there is a picture to link to.
    get baseUrl() {
      return baseUrl(call);
    },
  });
  const answer = {
    id,
    model: request.model,
    inputTokens: inputTokens(request, call),
    showThinking: showsReasoning(request, config.app.thinking),
    stop: request.stop ?? [],
  };
  if (!request.stream) return Response.json(await collectMessage(run.events, answer));
  const encoder = createMessagesStreamEncoder(answer);
  call.hold();
  return deps.streams.respond({
    request: call.request,
    server: call.server,
    events: run.events,
    encode: encoder.push,
    // A ping may not come before the message has begun, so what is written depends on when it is written.
    get heartbeat() {
      return encoder.heartbeat;
    },
    record,
    abort: call.abort,
    onEnd: call.close,
  });
};

const countTokens = async (call: Call): Promise<Response> => {
  const request = parseCountRequest(await readJson(call), limitsOf(call));
  call.record.model = request.model;
  // An unknown model is an error here as it would be for the message itself.
  retrieveModelInfo(call.deps.catalogue, { name: request.model });
  return Response.json({ input_tokens: inputTokens(request, call) });
};

/** The answer of the model routes for a client that says `anthropic-version`; `undefined` for any other. */
export const anthropicModels = ({ request, params, principal, deps }: Call): Response | undefined => {
  if (!request.headers.has("anthropic-version")) return undefined;
  const id = params["id"];
  const allowed = principal.client?.models ?? null;
  return Response.json(
    id === undefined
      ? listModelInfos(deps.catalogue, allowed)
      : retrieveModelInfo(deps.catalogue, { name: id, allowed }),
  );
};

export const anthropicRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/messages",
    auth: "api",
    toggle: "enable_messages",
    generates: true,
    summary: "A message, streamed or whole (Anthropic's format).",
    handle: messages,
  },
  {
    method: "POST",
    path: "/v1/messages/count_tokens",
    auth: "api",
    toggle: "enable_messages",
    summary: "How many tokens a message's request would have; nothing is generated.",
    handle: countTokens,
  },
];
