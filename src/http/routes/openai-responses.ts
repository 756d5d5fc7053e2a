// POST /v1/responses and what is asked in the same words: a count of tokens, a compaction. Knows no provider.
// Invariants: an answer that fails before its first visible piece has a true HTTP status; an answer is kept at the moment
// of its end, unless the caller wants it forgotten.
import type { EventBatch } from "../../core/events.ts";
import type { GenerationRequest } from "../../core/request.ts";
import { countRequest } from "../../core/usage.ts";
import { hexId } from "../../lib/ids.ts";
import type { JsonObject } from "../../lib/json.ts";
import { unixSeconds } from "../../lib/clock.ts";
import { type Conversation, converse } from "../../protocols/openai/responses-conversation.ts";
import type { UpstreamIds } from "../../protocols/openai/responses-fold.ts";
import { referenceOf, sealOf, storedItems } from "../../protocols/openai/responses-input.ts";
import { COMPACTION_PROMPT, compactionObject, inputTokensObject } from "../../protocols/openai/responses-lists.ts";
import { outputText, type ResponseObject } from "../../protocols/openai/responses-object.ts";
import { keptEvents } from "../../protocols/openai/responses-replay.ts";
import { parseResponsesRequest, type ResponsesRequest } from "../../protocols/openai/responses-request.ts";
import { collectResponse, createResponsesStreamEncoder } from "../../protocols/openai/responses-response.ts";
import { readJson } from "../body.ts";
import { baseUrl } from "../client-address.ts";
import { type Call, CONTINUATION_HEADER, type Route } from "../context.ts";
import { SSE_HEARTBEAT } from "../streaming.ts";

const MEGABYTE = 1024 * 1024;

const isText = (value: string | null): value is string => value !== null;

/** The request with everything that it refers to. */
const conversationOf = async (call: Call, request: ResponsesRequest): Promise<Conversation> => {
  const { config, deps, principal } = call;
  const parent = request.echo.previousResponseId;
  const past = parent === null ? null : await deps.responses.past(parent, principal.id);
  const itemIds = request.input.map(referenceOf).filter(isText);
  const sealed = request.input.map(sealOf).filter(isText);
  const found = await deps.responses.find({ itemIds, sealed }, principal.id);
  const limits = {
    maxAttachments: config.asset.max_attachments,
    maxAttachmentBytes: config.asset.max_attachments_mb * MEGABYTE,
  };
  return converse(request, { past, found, limits });
};

const run = (call: Call, about: { request: GenerationRequest; id: string; created: number }) =>
  call.deps.gateway.chat(about.request, {
    id: about.id,
    created: about.created,
    signal: call.signal,
    abort: call.abort,
    record: call.record,
    // Asked for only when there is a picture to link to.
    get baseUrl() {
      return baseUrl(call);
    },
  });

const createResponse = async (call: Call): Promise<Response> => {
  const { deps, record, principal } = call;
  const request = parseResponsesRequest(await readJson(call), call.request.headers);
  record.model = request.echo.model;
  record.stream = request.options.stream;
  const { generation, input } = await conversationOf(call, request);
  const id = hexId("resp_");
  const created = unixSeconds(deps.clock);
  const { events } = await run(call, { request: generation, id, created });
  const parent = request.echo.previousResponseId;
  const headers: Record<string, string> =
    parent === null ? {} : { [CONTINUATION_HEADER]: record.continued === true ? "continued" : "replayed" };

  const keep = (response: ResponseObject, about: { upstream: UpstreamIds; events: readonly JsonObject[] | null }) => {
    if (!request.echo.store) return;
    deps.responses.keep({
      ...about,
      id,
      owner: principal.id,
      parent,
      body: { ...response },
      input: storedItems(input, id),
      record,
    });
  };
  const answer = { id, created, echo: request.echo, completedAt: () => unixSeconds(deps.clock) };
  if (!request.options.stream) {
    const { response, upstream } = await collectResponse(events, answer);
    keep(response, { upstream, events: null });
    return Response.json(response, { headers });
  }
  const encoder = createResponsesStreamEncoder(answer);
  const kept: JsonObject[] = [];
  const encode = (batch: EventBatch): string => {
    const text = encoder.push(batch);
    if (!request.echo.store) return text;
    for (const event of keptEvents(batch)) kept.push(event);
    const { response, upstream } = encoder;
    if (response !== null) keep(response, { upstream, events: kept });
    return text;
  };
  call.hold();
  return deps.streams.respond({
    request: call.request,
    server: call.server,
    events,
    encode,
    heartbeat: SSE_HEARTBEAT,
    record,
    headers,
    abort: call.abort,
    onEnd: call.close,
  });
};

const countInput = async (call: Call): Promise<Response> => {
  const request = parseResponsesRequest(await readJson(call), call.request.headers);
  call.record.model = request.echo.model;
  const { generation } = await conversationOf(call, request);
  return Response.json(inputTokensObject(countRequest(generation, call.config.usage.image_tokens)));
};

/** Asks the model for a summary and seals it, so that only this gateway and this caller can go on from it. */
const compact = async (call: Call): Promise<Response> => {
  const { deps, principal } = call;
  const request = parseResponsesRequest(await readJson(call), call.request.headers, { inputOptional: true });
  call.record.model = request.echo.model;
  const { generation, input } = await conversationOf(call, request);
  const { model, messages } = generation;
  const id = hexId("resp_");
  const created = unixSeconds(deps.clock);
  const question = { role: "user", content: [{ type: "text", text: COMPACTION_PROMPT }] } as const;
  const asked: GenerationRequest = { model, messages: [...messages, question], stream: false, showReasoning: false };
  const { events } = await run(call, { request: asked, id, created });
  const { response } = await collectResponse(events, { id, created, echo: request.echo, completedAt: () => created });
  const sealed = await deps.responses.seal(outputText(response.output), principal.id);
  const kept = storedItems(input, id).filter((item) => item["role"] === "user");
  return Response.json(compactionObject({ id, created, kept, sealed, usage: call.record.usage }));
};

export const openaiResponsesRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/v1/responses",
    auth: "api",
    toggle: "enable_responses",
    generates: true,
    summary: "A response, streamed or whole (OpenAI's newer format).",
    handle: createResponse,
  },
  {
    method: "POST",
    path: "/v1/responses/input_tokens",
    auth: "api",
    toggle: "enable_responses",
    summary: "How many tokens a request would have; nothing is generated.",
    handle: countInput,
  },
  {
    method: "POST",
    path: "/v1/responses/compact",
    auth: "api",
    toggle: "enable_responses",
    generates: true,
    summary: "A conversation in short: a sealed summary to go on from.",
    handle: compact,
  },
];
