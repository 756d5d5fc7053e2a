// The data lines of a streamed chat completion, as timed frames that are already encoded.
// Knows no request. Invariant: a tool call is whole in one chunk, and the usage comes in a chunk without choices.
import type { Beat } from "../answer-stream.ts";
import { tokenCountOf } from "./plan.ts";
import type { Disturbance, Plan } from "./plan.ts";
import { paced } from "./response-events.ts";
import type { EncodedFrame } from "./response-events.ts";

export const CITATIONS = ["https://example.com/articles/bun-runtime"];

export interface ChatHead {
  id: string;
  created: number;
  model: string;
}

export interface ChatToolCall {
  id: string;
  index: number;
  type: "function";
  function: { name: string; arguments: string };
}

export interface ChatPlay {
  head: ChatHead;
  plan: Plan;
  calls: ChatToolCall[];
  finish: string;
  usage: object | undefined;
  has(word: string): boolean;
}

export function* chatBeats(play: ChatPlay): Generator<Beat> {
  const { plan, head } = play;
  const { delayMs } = plan;
  if ((yield* disturb(plan.early)) === "ended") return;
  const facts = { id: head.id, object: "chat.completion.chunk", created: head.created, model: head.model };
  const opening = JSON.stringify({ ...facts, system_fingerprint: plan.fingerprint }).slice(0, -1);
  const chunk = (rest: string): Beat => ({ send: { text: `data: ${opening},${rest}}\n\n` } satisfies EncodedFrame });
  const choice = (delta: object, finish: string | null = null): Beat =>
    chunk(`"choices":${JSON.stringify([{ index: 0, delta, finish_reason: finish }])}`);
  const say = (field: string, json: string): Beat =>
    chunk(`"choices":[{"index":0,"delta":{"${field}":${json}},"finish_reason":null}]`);

  yield choice({ role: "assistant", content: "" });
  if (play.has("unknown-events")) yield chunk(`"choices":[],"undocumented":{"nested":[1,null]}`);
  const total = plan.parts.reduce((sum, part) => sum + tokenCountOf(part), 0);
  let left = Math.max(1, Math.floor(total / 2));
  for (const part of plan.parts) {
    if (part.do === "reason") {
      for (const token of part.summary) {
        const beat = say("reasoning_content", JSON.stringify(token));
        yield paced(beat, delayMs);
        if (play.has("thinking-repeat")) yield beat;
      }
    }
    if (part.do !== "say") continue;
    for (const json of part.spoken.json) {
      yield paced(say("content", json), delayMs);
      if (--left === 0 && (yield* disturb(plan.middle)) === "ended") return;
    }
  }
  if (total === 0 && (yield* disturb(plan.middle)) === "ended") return;
  for (const call of play.calls) yield choice({ tool_calls: [call] });
  if (play.has("no-terminal")) return;
  yield choice({}, play.finish);
  const usage = play.usage === undefined ? "" : `,"usage":${JSON.stringify(play.usage)}`;
  const citations = play.has("cited") ? `,"citations":${JSON.stringify(CITATIONS)}` : "";
  if (usage !== "" || citations !== "") yield chunk(`"choices":[]${usage}${citations}`);
}

/** The real API has no agreed error frame here: it writes the body of its error answers as data. */
function* disturb(what: Disturbance[]): Generator<Beat, "ended" | undefined> {
  for (const act of what) {
    if (act.do === "pause") {
      yield { pauseMs: act.ms };
      continue;
    }
    if (act.do === "cut" || act.do === "hang") yield { stop: act.do };
    else {
      const text = `data: ${JSON.stringify({ code: "internal", error: "Internal error" })}\n\n`;
      yield { send: { text } satisfies EncodedFrame };
    }
    return "ended";
  }
  return undefined;
}
