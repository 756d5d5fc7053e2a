// The answer of /v1/models for coding agents that name their version: the catalogue with what an agent has to know about
// a model before it talks to it. The shape is that of the agent's own back end (read from its public source, 2026-01).
// Invariant: every field that its parser requires is there; what the upstream does not tell is left to its defaults.
import type { Catalogue } from "../../core/models.ts";

interface ReasoningLevel {
  readonly effort: string;
  readonly description: string;
}

export interface AgentModel {
  readonly slug: string;
  readonly display_name: string;
  readonly description: string;
  readonly default_reasoning_level?: string;
  readonly supported_reasoning_levels: readonly ReasoningLevel[];
  readonly shell_type: "shell_command";
  readonly visibility: "list";
  readonly supported_in_api: true;
  readonly priority: number;
  readonly upgrade: null;
  readonly base_instructions: string;
  readonly supports_reasoning_summaries: boolean;
  readonly support_verbosity: boolean;
  readonly default_verbosity: null;
  readonly apply_patch_tool_type: "function";
  readonly truncation_policy: { readonly mode: "bytes"; readonly limit: number };
  readonly supports_parallel_tool_calls: boolean;
  readonly experimental_supported_tools: readonly string[];
  readonly input_modalities: readonly string[];
}

/** The agent sends these back as `instructions`, so without them it would have none. */
const INSTRUCTIONS = `You are a coding agent that works in a terminal, in the folder of the user's project.

- Look before you act: read the files that matter, and never guess what a file or an interface contains.
- Do what was asked completely, and nothing beyond it. Keep to the style of the code around your change.
- Use the functions that you are offered for every look at the disk, every change and every command; do not claim to have run something that you have not run.
- Prefer small changes that can be checked. Run the project's own tests or build when there are any, and say so when you could not.
- Never undo changes that are not yours, and never delete data or rewrite history unless the user has asked for it.
- End with a short account of what you changed, where, and what is left.`;

const LEVELS: readonly ReasoningLevel[] = [
  { effort: "low", description: "Quick answers with little thought" },
  { effort: "medium", description: "A balance of speed and thought" },
  { effort: "high", description: "More thought for hard problems" },
];

/** Output of a tool beyond this is shortened by the agent before it is sent back. */
const TOOL_OUTPUT_BYTES = 10_000;

export const listAgentModels = (catalogue: Catalogue): { readonly models: readonly AgentModel[] } => ({
  models: catalogue
    .all()
    .filter((model) => model.kind === "chat")
    .map((model, index) => ({
      slug: model.id,
      display_name: model.name,
      description: model.description,
      ...(model.reasoning ? { default_reasoning_level: "medium" } : {}),
      supported_reasoning_levels: model.reasoning ? LEVELS : [],
      shell_type: "shell_command",
      visibility: "list",
      supported_in_api: true,
      priority: index,
      upgrade: null,
      base_instructions: INSTRUCTIONS,
      supports_reasoning_summaries: true,
      support_verbosity: true,
      default_verbosity: null,
      apply_patch_tool_type: "function",
      truncation_policy: { mode: "bytes", limit: TOOL_OUTPUT_BYTES },
      supports_parallel_tool_calls: true,
      experimental_supported_tools: [],
      input_modalities: ["text", "image"],
    })),
});
