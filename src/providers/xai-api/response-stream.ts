// Reads the events of a streamed response into an answer. Pure: what cuts the bytes into events is lib/ndjson's.
// Event types as of 2026-10; others are passed over. Invariant: an answer that has not been ended by the upstream is a failure.
import { GatewayError } from "../../core/errors.ts";
import type { FinishReason, GenerationEvent } from "../../core/events.ts";
import { isObject, numberAt, objectAt, objectsAt, stringAt, type JsonObject } from "../../lib/json.ts";
import { createBlocks, type AnswerStart } from "./blocks.ts";
import { classifyInBand, isErrorBody } from "./failures.ts";
import { createMessageText } from "./message-text.ts";
import { describeServerTool, drawnPicture, isServerCall } from "./server-tools.ts";
import { readUsage } from "./usage.ts";

export interface ResponseReader {
  /** Takes one parsed event. */
  accept(event: unknown): void;
  fail(error: GatewayError): void;
  /** The connection has ended. */
  end(): void;
  take(): GenerationEvent[];
  readonly over: boolean;
}

export interface ReaderOptions extends AnswerStart {
  /** Of several messages only the last is the answer: asked for JSON, the model at times writes it twice (2026-07). */
  readonly lastOnly: boolean;
  /** The reasoning of an item in a form for the caller to keep. */
  readonly seal: (item: JsonObject) => string | undefined;
}

/** Where an item stands in the answer; ids repeat. */
type ItemKey = number | string;

interface OpenCall {
  readonly block: number;
  args: string;
}

const INCOMPLETE: Readonly<Record<string, FinishReason>> = {
  max_output_tokens: "length",
  max_tokens: "length",
  max_prompt_tokens: "length",
  content_filter: "content-filter",
};

const keyOf = (event: JsonObject): ItemKey => numberAt(event, "output_index") ?? stringAt(event, "item_id") ?? "";

const textsOf = (item: JsonObject, key: "summary" | "content"): string =>
  objectsAt(item, key)
    .flatMap((part) => stringAt(part, "text") ?? [])
    .join(key === "summary" ? "\n\n" : "");

export const createResponseReader = (options: ReaderOptions): ResponseReader => {
  const blocks = createBlocks(options);
  const message = createMessageText(blocks, options);
  const begun = new Set<ItemKey>();
  const done = new Set<ItemKey>();
  const calls = new Map<ItemKey, OpenCall>();
  const activities = new Map<ItemKey, string>();
  let images = 0;
  let lastSequence = -1;
  let speaking: ItemKey | null = null;
  /** The reasoning item that is being written: which of its two texts, and which part. */
  let thinking: { key: ItemKey; source: string; part: number } | null = null;

  const speak = (key: ItemKey) => {
    if (speaking === key) return;
    speaking = key;
    message.begin();
  };

  const reason = (event: JsonObject, source: "summary" | "content") => {
    const key = keyOf(event);
    const part = numberAt(event, source === "summary" ? "summary_index" : "content_index") ?? 0;
    const text = stringAt(event, "delta") ?? "";
    if (text === "") return;
    if (thinking?.key !== key) {
      blocks.endReasoning();
      thinking = { key, source, part };
    }
    // Where an item tells its reasoning both raw and in short, one of them is enough.
    if (thinking.source !== source) return;
    if (thinking.part !== part) blocks.reasoning("\n\n");
    thinking.part = part;
    blocks.reasoning(text);
  };
  const reasoned = (item: JsonObject, key: ItemKey) => {
    if (thinking?.key !== key) {
      blocks.endReasoning();
      blocks.reasoning(textsOf(item, "summary") || textsOf(item, "content"));
    }
    thinking = null;
    blocks.endReasoning(options.seal(item));
  };

  const callBegins = (item: JsonObject, key: ItemKey): OpenCall | null => {
    const known = calls.get(key);
    if (known) return known;
    const callId = stringAt(item, "call_id");
    const name = stringAt(item, "name");
    if (!callId || !name) return null;
    message.flush();
    speaking = null;
    const call = { block: blocks.toolStart(callId, name), args: "" };
    calls.set(key, call);
    return call;
  };
  const argue = (call: OpenCall | null | undefined, text: string) => {
    if (!call) return;
    call.args += text;
    blocks.toolDelta(call.block, text);
  };
  const called = (item: JsonObject, key: ItemKey) => {
    const call = callBegins(item, key);
    if (!call) return;
    const whole = stringAt(item, "arguments") || call.args || "{}";
    if (whole.startsWith(call.args)) argue(call, whole.slice(call.args.length));
    blocks.toolEnd(call.block, whole);
    calls.delete(key);
  };

  const act = (item: JsonObject, { key, ends }: { key: ItemKey; ends: boolean }) => {
    const found = describeServerTool(item);
    if (!found) return;
    const { kind, detail } = found;
    // What it is about may only be known once it is done.
    if (!activities.has(key) && (detail !== "" || ends)) {
      activities.set(key, detail);
      blocks.loose({ type: "activity", kind, phase: "start", detail });
    }
    if (!ends) return;
    blocks.loose({ type: "activity", kind, phase: "end", detail: activities.get(key) ?? detail });
    const picture = stringAt(item, "type") === "image_generation_call" ? drawnPicture(item) : null;
    if (picture) blocks.loose({ type: "image", index: images++, source: picture, partial: false });
  };

  const itemBegins = (item: JsonObject, key: ItemKey) => {
    if (begun.has(key)) return;
    begun.add(key);
    const type = stringAt(item, "type");
    if (type === "message") speak(key);
    else if (type === "function_call" && !isServerCall(item)) callBegins(item, key);
    else if (type !== "reasoning") act(item, { key, ends: false });
  };
  const itemEnds = (item: JsonObject, key: ItemKey) => {
    if (done.has(key)) return;
    itemBegins(item, key);
    done.add(key);
    const type = stringAt(item, "type");
    if (type === "message") {
      speak(key);
      const parts = objectsAt(item, "content");
      message.complete(parts.map((part) => stringAt(part, "text") ?? stringAt(part, "refusal") ?? "").join(""));
      for (const part of parts) for (const annotation of objectsAt(part, "annotations")) message.annotate(annotation);
      message.end();
    } else if (type === "reasoning") reasoned(item, key);
    else if (type === "function_call" && !isServerCall(item)) called(item, key);
    else act(item, { key, ends: true });
  };

  const count = (response: JsonObject) => {
    const usage = readUsage(objectAt(response, "usage"));
    if (usage) blocks.loose({ type: "usage", usage });
  };
  const finish = (reason: FinishReason, raw: string | null) => {
    // A limit may be used up by reasoning alone; nothing is gained by asking again.
    if (blocks.answered || reason === "length") return blocks.finish({ type: "finish", reason, raw });
    blocks.fail(
      reason === "content-filter"
        ? new GatewayError("content_policy_violation", "The upstream withheld the answer on content grounds.")
        : new GatewayError("upstream_empty", "The upstream ended its answer without any content."),
    );
  };
  /** The last event: everything that has not been streamed is in it. */
  const conclude = (type: string, response: JsonObject) => {
    const status = stringAt(response, "status") ?? type.slice("response.".length);
    const isFailure = status === "failed" || status === "cancelled";
    if (!isFailure) for (const [index, item] of objectsAt(response, "output").entries()) itemEnds(item, index);
    message.flush();
    for (const [key, { block, args }] of calls) {
      blocks.toolEnd(block, args || "{}");
      calls.delete(key);
    }
    count(response);
    if (isFailure) return blocks.fail(classifyInBand(objectAt(response, "error") ?? {}));
    const raw = stringAt(objectAt(response, "incomplete_details"), "reason") ?? null;
    if (status === "incomplete") return finish(INCOMPLETE[raw ?? ""] ?? "other", raw);
    finish(blocks.called ? "tool-calls" : "stop", null);
  };

  const withItem = (event: JsonObject, then: (item: JsonObject, key: ItemKey) => void) => {
    const item = objectAt(event, "item");
    if (item) then(item, numberAt(event, "output_index") ?? stringAt(item, "id") ?? "");
  };

  const dispatch = (type: string, event: JsonObject): void => {
    switch (type) {
      case "response.created":
      case "response.in_progress":
        return blocks.start();
      case "response.output_item.added":
        return withItem(event, itemBegins);
      case "response.output_item.done":
        return withItem(event, itemEnds);
      case "response.refusal.delta":
        speak(keyOf(event));
        return message.delta(stringAt(event, "delta") ?? "");
      case "response.output_text.annotation.added":
        return message.annotate(objectAt(event, "annotation") ?? {});
      case "response.reasoning_summary_text.delta":
        return reason(event, "summary");
      case "response.reasoning_text.delta":
        return reason(event, "content");
      case "response.function_call_arguments.delta":
        return argue(calls.get(keyOf(event)), stringAt(event, "delta") ?? "");
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
      case "response.done":
        return conclude(type, objectAt(event, "response") ?? {});
      case "error":
        return blocks.fail(classifyInBand(event));
      default:
    }
  };

  return {
    get over() {
      return blocks.over;
    },
    accept(event) {
      if (blocks.over || !isObject(event)) return;
      const { type } = event;
      // The event that nearly all are.
      if (type === "response.output_text.delta") {
        const text = event["delta"];
        const sequence = event["sequence_number"];
        if (typeof text !== "string" || (typeof sequence === "number" && sequence === lastSequence)) return;
        if (typeof sequence === "number") lastSequence = sequence;
        speak(keyOf(event));
        return message.delta(text);
      }
      const sequence = numberAt(event, "sequence_number");
      // An event that is told twice has the same number.
      if (sequence !== undefined && sequence === lastSequence) return;
      lastSequence = sequence ?? lastSequence;
      if (typeof type === "string") dispatch(type, event);
      else if (isErrorBody(event)) blocks.fail(classifyInBand(event));
    },
    fail: blocks.fail,
    end() {
      if (blocks.over) return;
      blocks.fail(new GatewayError("upstream_cut", "The upstream's answer ended before it was complete."));
    },
    take: blocks.take,
  };
};
