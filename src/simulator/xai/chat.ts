// POST /v1/chat/completions, streamed, whole or deferred, with the quirks of the real one.
// Knows nothing of Responses. Invariant: reasoning tokens are never part of completion tokens here.
import type { Beat } from "../answer-stream.ts";
import { nowMs, randomHex, randomUuid } from "../chance.ts";
import { fieldsOf, textOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { askOfChat } from "./ask.ts";
import type { XaiAsk } from "./ask.ts";
import { answered, isRefusal, refusedGeneration } from "./call.ts";
import type { XaiCall } from "./call.ts";
import { chatBeats, CITATIONS } from "./chat-chunks.ts";
import type { ChatHead, ChatToolCall } from "./chat-chunks.ts";
import { checkChat, checkShape } from "./check.ts";
import { planAnswer } from "./plan.ts";
import type { Part, Plan } from "./plan.ts";
import { playStream, playWhole } from "./play.ts";
import { badArgument, modelMissing, notFound } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";
import { servedModel } from "./responses.ts";
import { spoken } from "./spoken.ts";
import { chatUsage } from "./usage.ts";

export async function createCompletion(call: XaiCall): Promise<Response | XaiRefusal> {
  const ask = readAsk(call);
  if (isRefusal(ask)) return ask;
  const body = fieldsOf(call.body);
  const refusal = refusedGeneration(call, ask.words, ask.model.id);
  if (refusal !== undefined) return refusal;
  const plan = withEcho(await planAnswer(call, ask), ask);
  const { words } = ask;
  const head = { id: randomUuid(), created: Math.floor(nowMs() / 1000), model: plan.modelId };
  const calls = toolCalls(plan.parts);
  const finish = finishReason(plan, words.has("finish-empty"));
  call.world.journal.countTokens(plan.usage.output - plan.usage.reasoning);
  if (ask.stream && body["deferred"] !== true) {
    const usage = wantsUsage(body) && !words.has("no-usage") ? usageOf(plan, ask) : undefined;
    const beats: Iterator<Beat> = chatBeats({ head, plan, calls, finish, usage, has: words.has });
    return playStream(call, { beats, words, end: words.has("no-terminal") ? "" : "data: [DONE]\n\n" });
  }
  const whole = completion(ask, { head, plan, calls, finish, count: Number(body["n"] ?? 1) });
  if (body["deferred"] === true) return defer(call, whole);
  return playWhole(call, { plan, words, whole, failed: { code: "internal", error: "Internal error" } });
}

function readAsk(call: XaiCall): XaiAsk | XaiRefusal {
  const shape = checkShape(call.body, "messages");
  if (shape !== undefined) return shape;
  const body = fieldsOf(call.body);
  const model = servedModel(call, textOf(body["model"]));
  if (model === undefined) return modelMissing(call.key, textOf(body["model"]));
  const fault = checkChat(body, model);
  if (fault !== undefined) return fault;
  if (Array.isArray(body["messages"]) && body["messages"].length === 0)
    return badArgument("Invalid request content: messages must not be empty.");
  const conversationHeader = call.request.headers.get("x-grok-conv-id") ?? "";
  return askOfChat({ body, model, history: [], compacted: 0, scenario: call.key.scenario, conversationHeader });
}

/** Some models say the last assistant message again. */
function withEcho(plan: Plan, ask: XaiAsk): Plan {
  const earlier = ask.turns.findLast(({ role }) => role === "assistant")?.text ?? "";
  if (!ask.words.has("echo-assistant") || earlier === "") return plan;
  return { ...plan, parts: [{ do: "say", spoken: spoken([earlier]), annotations: [] }, ...plan.parts] };
}

function toolCalls(parts: Part[]): ChatToolCall[] {
  return parts
    .filter((part) => part.do === "call")
    .map((part, index) => ({
      id: `call_${randomHex(8)}`,
      index,
      type: "function",
      function: { name: part.name, arguments: part.args },
    }));
}

function finishReason(plan: Plan, empty: boolean): string {
  if (plan.incomplete === "max_output_tokens") return "length";
  if (plan.incomplete === "content_filter") return "content_filter";
  const calls = plan.parts.some((part) => part.do === "call");
  return calls ? (empty ? "" : "tool_calls") : "stop";
}

const wantsUsage = (body: Fields): boolean => fieldsOf(body["stream_options"])["include_usage"] !== false;

function usageOf(plan: Plan, ask: XaiAsk): object {
  return chatUsage(plan.usage, ask.words.has("cached-beside"));
}

function completion(
  ask: XaiAsk,
  made: { head: ChatHead; plan: Plan; calls: ChatToolCall[]; finish: string; count: number },
): Fields {
  const { head, plan, calls, finish } = made;
  const text = plan.parts.map((part) => (part.do === "say" ? part.spoken.tokens.join("") : "")).join("");
  const thought = plan.parts.map((part) => (part.do === "reason" ? part.summary.join("") : "")).join("");
  const message = {
    role: "assistant",
    content: text,
    ...(thought === "" ? {} : { reasoning_content: thought }),
    refusal: null,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const choices = Array.from({ length: made.count }, (_, index) => ({ index, message, finish_reason: finish }));
  return {
    id: head.id,
    object: "chat.completion",
    created: head.created,
    model: head.model,
    choices,
    ...(ask.words.has("no-usage") ? {} : { usage: usageOf(plan, ask) }),
    system_fingerprint: plan.fingerprint,
    ...(ask.words.has("cited") ? { citations: CITATIONS } : {}),
  };
}

function defer({ world, key }: XaiCall, answer: Fields): Response {
  const id = randomUuid();
  world.xai.deferred.set(id, { teamId: key.team.id, polls: 1, answer });
  return answered({ request_id: id });
}

/** Pending answers have status 202 and no body; a finished one can be read once. */
export function readDeferred({ world, key, params }: XaiCall): Response | XaiRefusal {
  const id = params["id"] ?? "";
  const deferred = world.xai.deferred.get(id);
  if (deferred === undefined || deferred.teamId !== key.team.id)
    return notFound(`Deferred completion ${id} not found.`);
  if (deferred.polls-- > 0) return new Response(null, { status: 202 });
  world.xai.deferred.delete(id);
  return answered(deferred.answer);
}
