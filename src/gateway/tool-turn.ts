// Holds an answer to what the caller demanded of it: a tool call, or JSON. What misses the demand is put to the model once
// more with a correction; then it is delivered as it is where that is honest, and fails where it is not.
// Knows no provider and no protocol. Invariant: nothing of an answer is seen before it is sure to be the one delivered.
import { GatewayError } from "../core/errors.ts";
import type { EventBatch, GenerationEvent, GenerationStream } from "../core/events.ts";
import { readJsonAnswer, type JsonFormat } from "../core/json-answer.ts";
import type { Correction, GenerationRequest } from "../core/request.ts";
import { callableTools } from "../core/tool-calls.ts";
import { pullStream } from "../lib/pull.ts";

/** An answer without a call, complete up to its `finish`. */
interface Answer {
  readonly events: EventBatch;
  readonly text: string;
  /** It answers a correction already: there is no other try. */
  readonly corrected: boolean;
}

/** What to deliver, or how to ask again. */
type Verdict = { readonly deliver: EventBatch } | { readonly ask: Correction };

interface Demand {
  /** An answer to a correction is delivered whatever it is, so it need not be held back. */
  readonly lenient: boolean;
  judge(answer: Answer): Verdict;
}

const failure = (message: string): Verdict => ({
  deliver: [{ type: "failure", error: new GatewayError("upstream_error", message) }],
});

const callDemand = (request: GenerationRequest): Demand | null => {
  const { toolChoice } = request;
  if (callableTools(request).length === 0) return null;
  if (toolChoice?.mode !== "required" && toolChoice?.mode !== "forced") return null;
  const forced = toolChoice.mode === "forced";
  const wanted = forced ? `the tool '${toolChoice.name}'` : "a tool";
  return {
    // A plain answer is better than none when any tool would have done.
    lenient: !forced,
    judge({ events, text, corrected }) {
      if (!corrected) {
        return { ask: { answer: text, note: `Your answer did not call ${wanted}, but it has to. Make the call now.` } };
      }
      return forced ? failure(`The model did not call ${wanted}, also when asked again.`) : { deliver: events };
    },
  };
};

const jsonDemand = (format: JsonFormat): Demand => ({
  lenient: false,
  judge({ events, text, corrected }) {
    const { json, problem } = readJsonAnswer(text, format);
    if (json !== null && problem === null) return { deliver: withText(events, json) };
    if (!corrected) {
      const note = `Your answer cannot be used: ${problem}. Answer again with the corrected JSON and nothing else.`;
      return { ask: { answer: text, note } };
    }
    // Without `strict` a schema is a wish, as in OpenAI's API; being JSON is not.
    if (json !== null && format.type === "json_schema" && !format.strict) return { deliver: withText(events, json) };
    return failure(`The model did not answer with the JSON that was asked for, also when asked again: ${problem}.`);
  },
});

/** A demand for a call comes first: an answer that calls a tool owes no JSON. */
const demandOf = (request: GenerationRequest): Demand | null => {
  const format = request.responseFormat;
  return callDemand(request) ?? (format === undefined || format.type === "text" ? null : jsonDemand(format));
};

/** The same answer with all its text in one block; places in the old text mean nothing any more. */
const withText = (events: EventBatch, text: string): EventBatch => {
  const blocks = events.map((event) => ("block" in event ? event.block : 0));
  const block = Math.max(0, ...blocks) + 1;
  const isText = (event: GenerationEvent) => event.type.startsWith("text-");
  const others = events.slice(0, -1).filter((event) => !isText(event));
  return [
    ...others.map((event): GenerationEvent => {
      if (event.type !== "citation") return event;
      return { type: "citation", url: event.url, title: event.title };
    }),
    { type: "text-start", block },
    { type: "text-delta", block, text },
    { type: "text-end", block },
    ...events.slice(-1),
  ];
};

const textOf = (events: EventBatch): string =>
  events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");

export interface DemandingTurn {
  readonly request: GenerationRequest;
  /** Puts a request to an account; the second time to the same one if it can. */
  readonly ask: (request: GenerationRequest) => GenerationStream;
}

/** The answer to a request, held to its demands; without any it passes as it comes. */
export const demandingTurn = ({ request, ask }: DemandingTurn): GenerationStream => {
  const demand = demandOf(request);
  if (!demand) return ask(request);
  let source = ask(request);
  let held: GenerationEvent[] = [];
  let corrected = false;
  let passing = false;

  const release = (): EventBatch => {
    passing = true;
    const events = held;
    held = [];
    return events;
  };
  /** What an ended answer leads to; null when it is asked again. */
  const conclude = async (last: GenerationEvent): Promise<EventBatch | null> => {
    if (last.type === "failure") {
      held = [last];
      return release();
    }
    // A moderation verdict is final.
    if (last.type === "finish" && last.reason === "content-filter") return release();
    const verdict = demand.judge({ events: held, text: textOf(held), corrected });
    if ("deliver" in verdict) {
      held = [...verdict.deliver];
      return release();
    }
    await source.return();
    corrected = true;
    held = [];
    passing = demand.lenient;
    source = ask({ ...request, correction: verdict.ask });
    return null;
  };
  const pull = async (): Promise<EventBatch | null> => {
    for (;;) {
      const { done, value } = await source.next();
      if (done) return null;
      if (passing) return value;
      held.push(...value);
      if (value.some(({ type }) => type === "tool-start")) return release();
      const last = value[value.length - 1];
      if (last?.type !== "finish" && last?.type !== "failure") continue;
      const batch = await conclude(last);
      if (batch) return batch;
    }
  };
  return pullStream(pull, () => void source.return());
};
