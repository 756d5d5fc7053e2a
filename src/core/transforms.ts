// Event-to-event steps between a provider and an encoder. Pure and synchronous: a step takes a batch and gives a batch,
// so that a burst costs one turn. Invariant: what comes out obeys the grammar whenever what goes in does.
import type { EventBatch, GenerationEvent, Usage } from "./events.ts";
import { createTextCounter, estimateUsage } from "./usage.ts";

export interface Step {
  push(batch: EventBatch): EventBatch;
  /** True once the step has ended the answer by itself: what comes after is of no interest. */
  readonly over: boolean;
}

export interface CutOptions {
  /** The answer ends before the first of these; the matched text is left out. */
  readonly stop: readonly string[];
  readonly maxTokens: number | undefined;
}

/** Ends the answer at a stop text or after so many tokens by our own count; the upstream has neither. */
export const createCut = ({ stop, maxTokens }: CutOptions): Step | null => {
  if (stop.length === 0 && maxTokens === undefined) return null;
  const counter = createTextCounter();
  const longest = Math.max(0, ...stop.map((text) => text.length));
  let held = "";
  let block = -1;
  let over = false;

  /** The match that is complete first, so that it does not matter in which pieces the text came. */
  const firstStop = (text: string): { readonly at: number; readonly mark: string } | null => {
    let first: { at: number; mark: string } | null = null;
    for (const mark of stop) {
      const at = text.indexOf(mark);
      if (at < 0) continue;
      const lead = first === null ? -1 : at + mark.length - (first.at + first.mark.length);
      if (first === null || lead < 0 || (lead === 0 && at < first.at)) first = { at, mark };
    }
    return first;
  };
  /** Characters at the end that may be the beginning of a stop text. */
  const suspicious = (text: string): number => {
    for (let length = Math.min(longest - 1, text.length); length > 0; length--) {
      const tail = text.slice(-length);
      if (stop.some((mark) => mark.startsWith(tail))) return length;
    }
    return 0;
  };
  /** The longest beginning of `text` that the token limit allows. */
  const affordable = (text: string): string => {
    if (maxTokens === undefined) return text;
    let end = 0;
    for (const character of text) {
      counter.add(character);
      if (counter.tokens > maxTokens) return text.slice(0, end);
      end += character.length;
    }
    return text;
  };
  /** `raw` is the stop text that was found: some protocols tell their callers. */
  const cutHere = (out: GenerationEvent[], reason: "stop" | "length", raw: string | null) => {
    out.push({ type: "text-end", block }, { type: "finish", reason, raw });
    over = true;
  };
  const write = (out: GenerationEvent[], text: string): boolean => {
    const fits = affordable(text);
    if (fits !== "") out.push({ type: "text-delta", block, text: fits });
    if (fits.length === text.length) return true;
    cutHere(out, "length", null);
    return false;
  };

  return {
    get over() {
      return over;
    },
    push(batch) {
      const out: GenerationEvent[] = [];
      for (const event of batch) {
        if (over) break;
        if (event.type === "text-delta") {
          block = event.block;
          const text = held + event.text;
          held = "";
          const found = firstStop(text);
          if (found) {
            if (write(out, text.slice(0, found.at)) && !over) cutHere(out, "stop", found.mark);
            continue;
          }
          const keep = text.length - suspicious(text);
          held = text.slice(keep);
          if (keep > 0) write(out, text.slice(0, keep));
        } else if (event.type === "text-end") {
          const rest = held;
          held = "";
          if (rest === "" || write(out, rest)) out.push(event);
        } else if (event.type === "reasoning-delta" && maxTokens !== undefined) {
          counter.add(event.text);
          out.push(event);
        } else out.push(event);
      }
      return out;
    },
  };
};

export interface UsageCount extends Step {
  /** What has passed so far; also right for an answer that broke off. */
  usage(): Usage;
}

/**
 * Counts what passes and puts `usage` before the finish, with the same numbers for every protocol. Where the upstream has
 * counted, its numbers stand.
 */
export const createUsageCount = (inputTokens: number): UsageCount => {
  const text = createTextCounter();
  const reasoning = createTextCounter();
  let told: Usage | null = null;
  const usage = () => told ?? estimateUsage({ input: inputTokens, text: text.tokens, reasoning: reasoning.tokens });
  return {
    over: false,
    usage,
    push(batch) {
      for (const event of batch) {
        if (event.type === "text-delta" || event.type === "tool-delta") text.add(event.text);
        else if (event.type === "tool-start") text.add(event.name);
        else if (event.type === "reasoning-delta") reasoning.add(event.text);
        else if (event.type === "usage") told = event.usage;
      }
      const last = batch[batch.length - 1];
      if (told !== null) return batch;
      return last?.type === "finish" ? [...batch.slice(0, -1), { type: "usage", usage: usage() }, last] : batch;
    },
  };
};

/** Leaves reasoning and what the model does meanwhile out of the answer; what only its upstream can read stays. */
export const createReasoningFilter = (): Step => {
  const hidden = (event: GenerationEvent) => event.type.startsWith("reasoning-") || event.type === "activity";
  const kept = (event: GenerationEvent): readonly GenerationEvent[] => {
    if (event.type !== "reasoning-end" || event.sealed === undefined) return hidden(event) ? [] : [event];
    return [{ type: "reasoning-start", block: event.block }, event];
  };
  return { over: false, push: (batch) => (batch.some(hidden) ? batch.flatMap(kept) : batch) };
};
