// What a simulated answer costs: token counts, the bill in ticks, and the two ways in which the API writes them.
// Knows no stream. Invariant: the same ask gives the same counts, and a recorded sample comes out as it was recorded.
import { findModel, LONG_CONTEXT_TOKENS, TEXT_MODELS } from "./models.ts";

export interface ToolCounts {
  web_search_calls: number;
  x_search_calls: number;
  code_interpreter_calls: number;
  file_search_calls: number;
  mcp_calls: number;
  document_search_calls: number;
  image_generation_calls: number;
  x_posts_fetched?: number;
  x_users_fetched?: number;
}

export interface Usage {
  /** All of the prompt, the cached part included. */
  input: number;
  cached: number;
  /** All of the output, reasoning included. */
  output: number;
  reasoning: number;
  ticks: number | undefined;
  tools: ToolCounts | undefined;
  /** The last turn's context, where it differs from the sum of all turns. */
  context?: { input: number; output: number };
}

export const NO_TOOLS: ToolCounts = {
  web_search_calls: 0,
  x_search_calls: 0,
  code_interpreter_calls: 0,
  file_search_calls: 0,
  mcp_calls: 0,
  document_search_calls: 0,
  image_generation_calls: 0,
};

/** Bills of the real API, recorded 2026-02 and 2026-08. */
export const SAMPLES: Record<string, { model: string; fingerprint?: string; usage: Usage }> = {
  "sample-chat": {
    model: "grok-3-mini",
    fingerprint: "fp_2a885414fb",
    usage: { input: 12, cached: 2, output: 229, reasoning: 228, ticks: 1_176_500, tools: undefined },
  },
  "sample-x-search": {
    model: "grok-4.6",
    usage: {
      input: 10_926,
      cached: 4_736,
      output: 702,
      reasoning: 615,
      ticks: 289_600_000,
      tools: { ...NO_TOOLS, x_search_calls: 2 },
      context: { input: 4_614, output: 107 },
    },
  },
};

const PER_CALL_TICKS = 50_000_000;
const PER_POST_TICKS = 50_000_000;
const PER_PROFILE_TICKS = 100_000_000;
const PER_FILE_SEARCH_TICKS = 25_000_000;
const PER_PICTURE_TICKS = 400_000_000;

/** About four characters a token; ideographs count one each. */
export function countTokens(text: string): number {
  const wide = text.match(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/gu)?.length ?? 0;
  return wide + Math.ceil((text.length - wide) / 4);
}

export function ticksOf(model: string, usage: Omit<Usage, "ticks">, priority = false): number {
  const price = findModel(TEXT_MODELS, model)?.price ?? { input: 0, cached: 0, output: 0 };
  const long = usage.input >= LONG_CONTEXT_TOKENS ? 2 : 1;
  const fresh = usage.input - usage.cached;
  const tokens = fresh * price.input + usage.cached * price.cached + usage.output * price.output;
  return tokens * long * (priority ? 2 : 1) + toolTicks(usage.tools ?? NO_TOOLS);
}

/** X searches are billed by what they fetched, since 2026-09-21. */
function toolTicks(tools: ToolCounts): number {
  return (
    (tools.web_search_calls + tools.code_interpreter_calls + tools.document_search_calls) * PER_CALL_TICKS +
    (tools.x_posts_fetched ?? 0) * PER_POST_TICKS +
    (tools.x_users_fetched ?? 0) * PER_PROFILE_TICKS +
    tools.file_search_calls * PER_FILE_SEARCH_TICKS +
    tools.image_generation_calls * PER_PICTURE_TICKS
  );
}

export function responsesUsage(usage: Usage): object {
  const used = Object.entries(usage.tools ?? {})
    .filter(([name]) => name.endsWith("_calls"))
    .reduce((sum, [, count]) => sum + Number(count), 0);
  return {
    input_tokens: usage.input,
    input_tokens_details: { cached_tokens: usage.cached },
    output_tokens: usage.output,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.input + usage.output,
    num_sources_used: 0,
    num_server_side_tools_used: used,
    ...(usage.ticks === undefined ? {} : { cost_in_usd_ticks: usage.ticks }),
    ...(usage.tools === undefined ? {} : { server_side_tool_usage_details: usage.tools }),
    ...(usage.context === undefined
      ? {}
      : { context_details: { input_tokens: usage.context.input, output_tokens: usage.context.output } }),
  };
}

/** Completion tokens leave the reasoning out here; `beside` leaves the cached tokens out of the prompt, too. */
export function chatUsage(usage: Usage, beside = false): object {
  return {
    prompt_tokens: usage.input - (beside ? usage.cached : 0),
    completion_tokens: usage.output - usage.reasoning,
    total_tokens: usage.input + usage.output,
    prompt_tokens_details: {
      text_tokens: usage.input,
      audio_tokens: 0,
      image_tokens: 0,
      cached_tokens: usage.cached,
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
    num_sources_used: 0,
    ...(usage.ticks === undefined ? {} : { cost_in_usd_ticks: usage.ticks }),
    ...(usage.tools === undefined ? {} : { server_side_tool_usage_details: usage.tools }),
  };
}
