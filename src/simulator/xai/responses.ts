// POST /v1/responses and what belongs to stored answers: read, delete, input items, compaction.
// Knows nothing of Chat Completions. Invariant: an answer can be continued by the team that got it, and by no other.
import { nowMs, randomHex, randomUuid } from "../chance.ts";
import { fieldsOf, textOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { askOfResponses, inputItems } from "./ask.ts";
import type { XaiAsk } from "./ask.ts";
import { openBlob, sealBlob } from "./blobs.ts";
import { answered, generationHeaders, isRefusal, refusedGeneration } from "./call.ts";
import type { XaiCall } from "./call.ts";
import { checkResponses, checkShape } from "./check.ts";
import { findModel, TEXT_MODELS } from "./models.ts";
import type { TextModel } from "./models.ts";
import { planAnswer } from "./plan.ts";
import type { Plan } from "./plan.ts";
import { playStream, playWhole } from "./play.ts";
import { badArgument, notFound, UNDECODABLE, UNDECRYPTABLE } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";
import { responseBeats } from "./response-events.ts";
import { makeItems } from "./response-items.ts";
import type { StoredResponse } from "./state.ts";
import { chatUsage, countTokens, responsesUsage, ticksOf } from "./usage.ts";

export async function createResponse(call: XaiCall): Promise<Response | XaiRefusal> {
  const read = readAsk(call);
  if (isRefusal(read)) return read;
  const { ask, body } = read;
  const refusal = refusedGeneration(call, ask.words, ask.model.id);
  if (refusal !== undefined) return refusal;
  const plan = await planAnswer(call, ask);
  const id = randomUuid();
  const items = makeItems(plan, id);
  const base = { id, ...describeAsk(ask, body), model: plan.modelId };
  const finished = finishedResponse({ base, plan, output: items.map(({ item }) => item), ask });
  if (body["store"] !== false) remember(call, { body, finished, ask, history: read.history });
  call.world.journal.countTokens(plan.usage.output - plan.usage.reasoning);
  const { words } = ask;
  if (!ask.stream) {
    const error = { code: "server_error", message: "The model failed to answer." };
    const failed = { ...base, status: "failed", error, output: [], usage: null };
    return playWhole(call, { plan, words, whole: finished, failed });
  }
  const beats = responseBeats({ plan, items, base, finished, has: words.has });
  return playStream(call, { beats, words, end: "" });
}

interface ReadAsk {
  ask: XaiAsk;
  body: Fields;
  history: Fields[];
}

function readAsk(call: XaiCall): ReadAsk | XaiRefusal {
  const shape = checkShape(call.body, "input");
  if (shape !== undefined) return shape;
  const body = fieldsOf(call.body);
  const model = servedModel(call, textOf(body["model"]));
  if (model === undefined) return badArgument(`Model not found: ${textOf(body["model"])}`);
  const fault = checkResponses(body, model) ?? checkRetention(call, body);
  if (fault !== undefined) return fault;
  const earlier = earlierResponse(call, body["previous_response_id"]);
  if (earlier !== undefined && isRefusal(earlier)) return earlier;
  const blobs = openBlobs(call, inputItems(body["input"]));
  if (isRefusal(blobs)) return blobs;
  const history = earlier?.history ?? [];
  const conversationHeader = call.request.headers.get("x-grok-conv-id") ?? earlier?.conversation ?? "";
  const source = { body, model, history, compacted: blobs.compacted, scenario: call.key.scenario };
  return { ask: askOfResponses({ ...source, conversationHeader }), body, history };
}

/** undefined for models that are not there, or not for this key. */
export function servedModel({ key }: XaiCall, id: string): TextModel | undefined {
  const model = findModel(TEXT_MODELS, id);
  return key.kind === "small" && model?.id !== "grok-4.3" ? undefined : model;
}

/** Text inferred: only the rule is known. */
function checkRetention({ key }: XaiCall, body: Fields): XaiRefusal | undefined {
  return key.kind === "zdr" && body["store"] !== false
    ? badArgument("Your team has zero data retention enabled: `store` must be false.")
    : undefined;
}

function earlierResponse({ world, key }: XaiCall, id: unknown): StoredResponse | XaiRefusal | undefined {
  if (id === undefined || id === null) return undefined;
  const stored = world.xai.responses.get(textOf(id));
  return stored === undefined || stored.teamId !== key.team.id
    ? notFound(`Response with id=${textOf(id)} not found.`)
    : stored;
}

function openBlobs({ key }: XaiCall, items: Fields[]): { compacted: number } | XaiRefusal {
  let compacted = 0;
  for (const item of items) {
    const blob = textOf(item["encrypted_content"]);
    if (blob === "") continue;
    const kind = textOf(item["type"]).startsWith("compaction") ? "compaction" : "reasoning";
    const turns = openBlob(key.team.id, kind, blob);
    if (turns === undefined) return badArgument(kind === "compaction" ? UNDECODABLE : UNDECRYPTABLE);
    compacted += turns;
  }
  return { compacted };
}

/** What a response repeats of its request. */
function describeAsk(ask: XaiAsk, body: Fields): Fields {
  const reasons = ask.model.efforts.length > 0 || ask.model.reasons;
  return {
    object: "response",
    created_at: Math.floor(nowMs() / 1000),
    background: false,
    error: null,
    incomplete_details: null,
    instructions: body["instructions"] ?? null,
    max_output_tokens: body["max_output_tokens"] ?? null,
    metadata: {},
    parallel_tool_calls: ask.parallel,
    previous_response_id: body["previous_response_id"] ?? null,
    ...(body["prompt_cache_key"] === undefined ? {} : { prompt_cache_key: body["prompt_cache_key"] }),
    reasoning: reasons ? { effort: ask.effort ?? null, summary: fieldsOf(body["reasoning"])["summary"] ?? null } : null,
    // Unknown tiers are quietly served as the default one.
    service_tier: ask.priority ? "priority" : "default",
    store: body["store"] !== false,
    temperature: body["temperature"] ?? null,
    text: body["text"] ?? { format: { type: "text" } },
    tool_choice: body["tool_choice"] ?? "auto",
    tools: body["tools"] ?? [],
    top_p: body["top_p"] ?? null,
    user: body["user"] ?? null,
  };
}

function finishedResponse({
  base,
  plan,
  output,
  ask,
}: {
  base: Fields;
  plan: Plan;
  output: Fields[];
  ask: XaiAsk;
}): Fields {
  return {
    ...base,
    status: plan.incomplete === undefined ? "completed" : "incomplete",
    incomplete_details: plan.incomplete === undefined ? null : { reason: plan.incomplete },
    completed_at: Math.floor(nowMs() / 1000),
    output,
    usage: ask.words.has("no-usage") ? null : responsesUsage(plan.usage),
    ...(ask.words.has("unknown-events") ? { undocumented: { nested: [1, null] } } : {}),
  };
}

function remember(
  { world, key }: XaiCall,
  { body, finished, ask, history }: { body: Fields; finished: Fields; ask: XaiAsk; history: Fields[] },
): void {
  const input = inputItems(body["input"]);
  const output = Array.isArray(finished["output"]) ? finished["output"].map(fieldsOf) : [];
  const id = textOf(finished["id"]);
  // A conversation without a name goes by its first answer.
  const conversation = ask.conversation === "" ? id : ask.conversation;
  if (ask.conversation === "") world.xai.cached.set(`${key.team.id}/${ask.model.id}/${id}`, ask.inputTokens);
  world.xai.responses.set(id, {
    conversation,
    teamId: key.team.id,
    response: finished,
    input,
    history: [...history, ...input, ...output],
    oldUsage: ask.words.has("old-usage"),
  });
}

export function readResponse(call: XaiCall): Response | XaiRefusal {
  const stored = storedResponse(call);
  if (isRefusal(stored)) return stored;
  if (!stored.oldUsage) return answered(stored.response);
  const usage = fieldsOf(stored.response["usage"]);
  const cached = Number(fieldsOf(usage["input_tokens_details"])["cached_tokens"] ?? 0);
  const reasoning = Number(fieldsOf(usage["output_tokens_details"])["reasoning_tokens"] ?? 0);
  const counts = { input: Number(usage["input_tokens"]), output: Number(usage["output_tokens"]), cached, reasoning };
  const ticks = Number(usage["cost_in_usd_ticks"]);
  return answered({ ...stored.response, usage: chatUsage({ ...counts, ticks, tools: undefined }) });
}

export function deleteResponse(call: XaiCall): Response | XaiRefusal {
  const stored = storedResponse(call);
  if (isRefusal(stored)) return stored;
  const id = call.params["id"] ?? "";
  call.world.xai.responses.delete(id);
  return answered({ id, object: "response", deleted: true });
}

export function listInputItems(call: XaiCall): Response | XaiRefusal {
  const stored = storedResponse(call);
  if (isRefusal(stored)) return stored;
  const query = call.url.searchParams;
  const named = stored.input.map((item, index): Fields => ({ id: `msg_in_${index}_${call.params["id"]}`, ...item }));
  // Newest first is the default.
  const ordered = query.get("order") === "asc" ? named : named.toReversed();
  const start = 1 + ordered.findIndex((item) => item["id"] === query.get("after"));
  const limit = Math.min(100, Number(query.get("limit") ?? 20));
  const data = ordered.slice(start, start + limit);
  return answered({
    object: "list",
    data,
    first_id: data[0]?.["id"] ?? null,
    last_id: data.at(-1)?.["id"] ?? null,
    has_more: start + limit < ordered.length,
  });
}

function storedResponse({ world, key, params }: XaiCall): StoredResponse | XaiRefusal {
  const id = params["id"] ?? "";
  const stored = world.xai.responses.get(id);
  return stored === undefined || stored.teamId !== key.team.id ? notFound(`Response with id=${id} not found.`) : stored;
}

export function compactResponse(call: XaiCall): Response | XaiRefusal {
  const read = readAsk(call);
  if (isRefusal(read)) return read;
  const { ask } = read;
  if (ask.stream) return badArgument("Compaction cannot be streamed.");
  const refusal = refusedGeneration(call, ask.words, ask.model.id);
  if (refusal !== undefined) return refusal;
  const blob = sealBlob(call.key.team.id, "compaction", ask.turns.length);
  const output = [{ id: `cmpi_${randomHex(24)}`, type: "compaction", encrypted_content: blob }];
  const counts = {
    input: ask.inputTokens,
    cached: 0,
    output: countTokens(blob),
    reasoning: 0,
    tools: undefined,
  };
  return answered(
    {
      id: `cmp_${randomUuid()}`,
      object: "response.compaction",
      created_at: Math.floor(nowMs() / 1000),
      output,
      usage: responsesUsage({ ...counts, ticks: ticksOf(ask.model.id, counts) }),
    },
    { headers: generationHeaders(call.key) },
  );
}
