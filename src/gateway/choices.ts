// Several answers to one request, each a call of its own with an account of its own, read side by side. Knows no protocol.
// Invariant: the request is one: the first failure ends all of it, and its one record holds every attempt and the sum of
// what the answers used.
import { asGatewayError, GatewayError } from "../core/errors.ts";
import { isLast, type EventBatch, type GenerationStream, type Usage } from "../core/events.ts";
import type { GenerationRequest } from "../core/request.ts";
import { pullStream } from "../lib/pull.ts";
import type { CallContext, ChatGateway } from "./port.ts";

export interface ChoicesCall {
  readonly request: GenerationRequest;
  readonly context: CallContext;
  readonly count: number;
}

/** A batch of one of the answers. */
export interface Part {
  readonly index: number;
  readonly events: EventBatch;
  /** Set with the last batch of all. */
  readonly end: { readonly usage: Usage | null } | null;
}

export interface Choices {
  /** One stream for each answer. Read these or `merged`, not both. */
  readonly answers: readonly GenerationStream[];
  /** All answers as one stream with one end; the events of a batch are found with `partOf`. */
  readonly merged: GenerationStream;
  partOf(batch: EventBatch): Part | undefined;
  /** Ends all answers and completes the record; closing `merged` does the same. */
  close(): void;
}

const sumUsage = (usages: readonly (Usage | null)[]): Usage | null => {
  const counted = usages.filter((usage) => usage !== null);
  const [first] = counted;
  if (!first) return null;
  const sum = (of: (usage: Usage) => number) => counted.reduce((total, usage) => total + of(usage), 0);
  return {
    ...first,
    outputTokens: sum((usage) => usage.outputTokens),
    reasoningTokens: sum((usage) => usage.reasoningTokens),
  };
};

export const runChoices = async (gateway: ChatGateway, { request, context, count }: ChoicesCall): Promise<Choices> => {
  const { record } = context;
  // Its reason blames nobody: the accounts of the other answers have done nothing wrong.
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const failures: GatewayError[] = [];
  const one = async (): Promise<GenerationStream[]> => {
    try {
      const { events } = await gateway.chat(request, {
        id: context.id,
        created: context.created,
        signal,
        abort: context.abort,
        record,
        get baseUrl() {
          return context.baseUrl;
        },
      });
      return [events];
    } catch (thrown) {
      failures.push(asGatewayError(thrown));
      stop.abort(new GatewayError("client_closed", "Another answer to the same request failed."));
      return [];
    }
  };
  const sources = (await Promise.all(Array.from({ length: count }, one))).flat();
  const usages: (Usage | null)[] = sources.map(() => null);
  const close = () => {
    for (const [index, source] of sources.entries()) {
      record.usage = null;
      // An answer that is closed early says in the record what it has used so far.
      void source.return();
      usages[index] ??= record.usage;
    }
    record.usage = sumUsage(usages);
  };
  const [failure] = failures;
  if (failure) {
    close();
    throw failure;
  }
  const answers = sources.map((source, index) => noting(source, (usage) => (usages[index] = usage)));
  return { answers, close, ...merge(answers, { close, usage: () => sumUsage(usages) }) };
};

/** The same stream, with its usage told on the way. */
const noting = (source: GenerationStream, tell: (usage: Usage) => void): GenerationStream => {
  const pull = async (): Promise<EventBatch | null> => {
    const { done, value } = await source.next();
    if (done) return null;
    for (const event of value) if (event.type === "usage") tell(event.usage);
    return value;
  };
  return pullStream(pull, () => void source.return());
};

const merge = (
  answers: readonly GenerationStream[],
  whole: { readonly close: () => void; readonly usage: () => Usage | null },
): Pick<Choices, "merged" | "partOf"> => {
  const parts = new WeakMap<EventBatch, Part>();
  const read = async (index: number) => ({ index, step: await answers[index]?.next() });
  const waiting = new Map<number, ReturnType<typeof read>>();
  let begun = false;

  /** The batch as the stream shows it: only the last answer's end is an end. */
  const shown = (index: number, events: EventBatch): EventBatch => {
    const last = events[events.length - 1];
    if (last?.type === "failure") return events;
    const over = last?.type === "finish" && waiting.size === 0;
    const usage = over ? whole.usage() : null;
    const batch: EventBatch = over ? [...(usage ? [{ type: "usage" as const, usage }] : []), last] : [];
    parts.set(batch, { index, events, end: over ? { usage } : null });
    return batch;
  };
  const pull = async (): Promise<EventBatch | null> => {
    // Not before somebody reads: the answers may be read one by one instead.
    if (!begun) for (const index of answers.keys()) waiting.set(index, read(index));
    begun = true;
    while (waiting.size > 0) {
      const { index, step } = await Promise.race(waiting.values());
      waiting.delete(index);
      if (!step || step.done) continue;
      const last = step.value[step.value.length - 1];
      if (!last || !isLast(last)) waiting.set(index, read(index));
      return shown(index, step.value);
    }
    return null;
  };
  return { merged: pullStream(pull, whole.close), partOf: (batch) => parts.get(batch) };
};
