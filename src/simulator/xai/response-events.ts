// The event stream of a simulated response, as timed frames that are already encoded.
// Knows no request. Invariant: sequence numbers count every event from 0, and the items of the last event are those
// that were streamed.
import type { Beat } from "../answer-stream.ts";
import type { Fields } from "../fields.ts";
import type { Disturbance, Part, Plan } from "./plan.ts";
import { tokenCountOf } from "./plan.ts";
import type { MadeItem } from "./response-items.ts";

export interface ResponsePlay {
  plan: Plan;
  items: MadeItem[];
  /** The response without output and usage. */
  base: Fields;
  /** The response as it is at its end. */
  finished: Fields;
  has(word: string): boolean;
}

/** Bytes of one or more events; written as they are. */
export interface EncodedFrame {
  text: string;
}

export function* responseBeats(play: ResponsePlay): Generator<Beat> {
  const { plan, base } = play;
  const events = createEvents();
  if ((yield* disturb(events, play, plan.early)) === "ended") return;
  const started = { ...base, status: "in_progress", output: [], usage: null };
  yield events.frame("response.created", { response: started });
  yield events.frame("response.in_progress", { response: started });
  if (play.has("unknown-events")) yield events.frame("response.weather.changed", { forecast: { sky: "clear" } });
  const total = plan.parts.reduce((sum, part) => sum + tokenCountOf(part), 0);
  const half = { left: Math.max(1, Math.floor(total / 2)), spent: false };
  for (const [index, made] of play.items.entries()) {
    if ((yield* itemBeats({ events, play, half }, made, index)) === "ended") return;
  }
  if (!half.spent && (yield* disturb(events, play, plan.middle)) === "ended") return;
  if (play.has("no-terminal")) return;
  const incomplete = plan.incomplete === undefined ? "response.completed" : "response.incomplete";
  yield events.frame(play.has("done-event") ? "response.done" : incomplete, { response: play.finished });
}

interface Events {
  frame(type: string, fields: object): Beat;
  /** Frames of one kind that differ in a text alone. */
  deltas(type: string, fields: object): (json: string) => Beat;
}

function createEvents(): Events {
  let sequence = 0;
  return {
    frame: (type, fields) => {
      const body = JSON.stringify({ type, sequence_number: sequence++, ...fields });
      return { send: { text: `event: ${type}\ndata: ${body}\n\n` } satisfies EncodedFrame };
    },
    deltas(type, fields) {
      const head = `event: ${type}\ndata: ${JSON.stringify({ type, ...fields }).slice(0, -1)},"sequence_number":`;
      return (json) => ({ send: { text: `${head}${sequence++},"delta":${json}}\n\n` } satisfies EncodedFrame });
    },
  };
}

interface Stage {
  events: Events;
  play: ResponsePlay;
  /** Tokens until what happens in the middle. */
  half: { left: number; spent: boolean };
}

type Ending = "ended" | undefined;

function* disturb(events: Events, play: ResponsePlay, what: Disturbance[]): Generator<Beat, Ending> {
  for (const act of what) {
    if (act.do === "pause") {
      yield { pauseMs: act.ms };
      continue;
    }
    if (act.do === "cut" || act.do === "hang") yield { stop: act.do };
    if (act.do === "error")
      yield events.frame("error", { code: "internal_error", message: "Internal error", param: null });
    if (act.do === "failed") {
      const error = { code: "server_error", message: "The model failed to answer." };
      yield events.frame("response.failed", { response: { ...play.base, status: "failed", error, output: [] } });
    }
    return "ended";
  }
  return undefined;
}

function* itemBeats(stage: Stage, { part, item }: MadeItem, index: number): Generator<Beat, Ending> {
  const { events } = stage;
  const place = { output_index: index };
  switch (part.do) {
    case "reason":
      yield events.frame("response.output_item.added", {
        ...place,
        item: { ...item, summary: [], status: "in_progress" },
      });
      yield* reasoningBeats(stage, part, { ...place, item_id: item.id });
      break;
    case "say": {
      yield events.frame("response.output_item.added", {
        ...place,
        item: { ...item, content: [], status: "in_progress" },
      });
      const ending = yield* messageBeats(stage, { part, item }, { ...place, item_id: item.id, content_index: 0 });
      if (ending === "ended") return ending;
      break;
    }
    case "call": {
      const at = { ...place, item_id: item.id };
      yield events.frame("response.output_item.added", {
        ...place,
        item: { ...item, arguments: "", status: "in_progress" },
      });
      yield events.deltas("response.function_call_arguments.delta", at)(JSON.stringify(part.args));
      yield events.frame("response.function_call_arguments.done", { ...at, name: part.name, arguments: part.args });
      break;
    }
    default:
      yield events.frame("response.output_item.added", { ...place, item });
      yield* serverToolBeats(events, part, { ...place, item_id: item.id });
  }
  yield events.frame("response.output_item.done", { ...place, item });
  return undefined;
}

function* reasoningBeats({ events, play }: Stage, part: Extract<Part, { do: "reason" }>, at: object): Generator<Beat> {
  if (part.summary.length === 0) return;
  const text = part.summary.join("");
  const { delayMs } = play.plan;
  if (part.raw) {
    const place = { ...at, content_index: 0 };
    const delta = events.deltas("response.reasoning_text.delta", place);
    for (const token of part.summary) yield paced(delta(JSON.stringify(token)), delayMs);
    yield events.frame("response.reasoning_text.done", { ...place, text });
    return;
  }
  const place = { ...at, summary_index: 0 };
  yield events.frame("response.reasoning_summary_part.added", { ...place, part: { type: "summary_text", text: "" } });
  const delta = events.deltas("response.reasoning_summary_text.delta", place);
  for (const token of part.summary) yield paced(delta(JSON.stringify(token)), delayMs);
  yield events.frame("response.reasoning_summary_text.done", { ...place, text });
  yield events.frame("response.reasoning_summary_part.done", { ...place, part: { type: "summary_text", text } });
}

function* messageBeats(
  { events, play, half }: Stage,
  { part, item }: { part: Extract<Part, { do: "say" }>; item: Fields },
  at: object,
): Generator<Beat, Ending> {
  const empty = { type: "output_text", text: "", logprobs: [], annotations: [] };
  yield events.frame("response.content_part.added", { ...at, part: empty });
  const delta = events.deltas("response.output_text.delta", { ...at, logprobs: [] });
  const { delayMs, middle } = play.plan;
  for (const json of part.spoken.json) {
    yield paced(delta(json), delayMs);
    if (--half.left === 0) {
      half.spent = true;
      if ((yield* disturb(events, play, middle)) === "ended") return "ended";
    }
  }
  for (const [index, annotation] of part.annotations.entries()) {
    yield events.frame("response.output_text.annotation.added", { ...at, annotation_index: index, annotation });
  }
  const text = part.spoken.tokens.join("");
  yield events.frame("response.output_text.done", { ...at, logprobs: [], text });
  const [whole] = Array.isArray(item["content"]) ? (item["content"] as unknown[]) : [];
  yield events.frame("response.content_part.done", { ...at, part: whole });
  return undefined;
}

/** The item is there and complete before its own events. */
function* serverToolBeats(events: Events, part: Part, at: object): Generator<Beat> {
  switch (part.do) {
    case "web-search":
      yield* named(events, { tool: "web_search_call", steps: ["in_progress", "searching", "completed"] }, at);
      return;
    case "x-search":
      if (part.asTrace) {
        const input = JSON.stringify({ query: part.query, limit: "3", mode: "Latest" });
        yield events.deltas("response.custom_tool_call_input.delta", at)(JSON.stringify(input));
        yield events.frame("response.custom_tool_call_input.done", { ...at, input });
      } else yield* named(events, { tool: "x_search_call", steps: ["in_progress", "searching", "completed"] }, at);
      return;
    case "run-code": {
      const steps = ["interpreting", "completed"];
      yield* named(events, { tool: "code_interpreter_call", steps: ["in_progress"] }, at);
      yield events.deltas("response.code_interpreter_call_code.delta", at)(JSON.stringify(part.code));
      yield events.frame("response.code_interpreter_call_code.done", { ...at, code: part.code });
      yield* named(events, { tool: "code_interpreter_call", steps }, at);
      return;
    }
    case "draw":
      yield* named(events, { tool: "image_generation_call", steps: ["in_progress", "generating", "completed"] }, at);
      return;
    case "ask-server": {
      const args = '{"query":"x"}';
      yield* named(events, { tool: "mcp_call", steps: ["in_progress"] }, at);
      yield events.deltas("response.mcp_call_arguments.delta", at)(JSON.stringify(args));
      yield events.frame("response.mcp_call_arguments.done", { ...at, arguments: args });
      yield* named(events, { tool: "mcp_call", steps: ["completed"] }, at);
      return;
    }
    default:
  }
}

function* named(events: Events, { tool, steps }: { tool: string; steps: string[] }, at: object): Generator<Beat> {
  for (const step of steps) yield events.frame(`response.${tool}.${step}`, at);
}

export function paced(beat: Beat, delayMs: number): Beat {
  return delayMs > 0 && "send" in beat ? { ...beat, delayMs } : beat;
}
