// The bill of an answer in OpenAI's meaning: all of the prompt, all of the output with its reasoning. Reads the keys of both
// surfaces (retrieved answers have the older ones). Pure. Invariant: parts are folded in only where the total says so.
import type { Usage } from "../../core/events.ts";
import { numberAt, objectAt, type JsonObject } from "../../lib/json.ts";

const countAt = (value: JsonObject | undefined, key: string): number | undefined => {
  const found = numberAt(value, key);
  return found === undefined ? undefined : Math.max(0, Math.round(found));
};

interface Counts {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly reasoning: number;
}

/** Which parts the two sums leave out: reasoning (Chat Completions), cached input (seen at times), both, or none. */
const leftOut = ({ input, output, cached, reasoning }: Counts, total: number | undefined) => {
  const missing = total === undefined ? undefined : total - input - output;
  if (missing === undefined) return { reasoning: reasoning > output, cached: cached > input };
  if (missing > 0 && missing === reasoning) return { reasoning: true, cached: false };
  if (missing > 0 && missing === cached) return { reasoning: false, cached: true };
  if (missing > 0 && missing === reasoning + cached) return { reasoning: true, cached: true };
  return { reasoning: reasoning > output, cached: cached > input };
};

/** Null when the upstream has not counted. */
export const readUsage = (usage: JsonObject | undefined): Usage | null => {
  const input = countAt(usage, "input_tokens") ?? countAt(usage, "prompt_tokens");
  const output = countAt(usage, "output_tokens") ?? countAt(usage, "completion_tokens");
  if (input === undefined || output === undefined) return null;
  const ofInput = objectAt(usage, "input_tokens_details") ?? objectAt(usage, "prompt_tokens_details");
  const ofOutput = objectAt(usage, "output_tokens_details") ?? objectAt(usage, "completion_tokens_details");
  const cached = countAt(ofInput, "cached_tokens") ?? 0;
  const reasoning = countAt(ofOutput, "reasoning_tokens") ?? 0;
  const out = leftOut({ input, output, cached, reasoning }, countAt(usage, "total_tokens"));
  const costTicks = countAt(usage, "cost_in_usd_ticks");
  return {
    inputTokens: input + (out.cached ? cached : 0),
    outputTokens: output + (out.reasoning ? reasoning : 0),
    reasoningTokens: reasoning,
    cachedTokens: cached,
    estimated: false,
    ...(costTicks === undefined ? {} : { costTicks }),
  };
};
