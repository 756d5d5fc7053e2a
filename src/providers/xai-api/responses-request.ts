// What a request becomes as the body of POST /responses. Always streamed and never stored: who keeps conversations is the
// gateway. Invariant: nothing is sent that the model is known to refuse.
import type { XaiModel } from "../../core/models.ts";
import type {
  GenerationRequest,
  ReasoningEffort,
  ResponseFormat,
  ToolChoice,
  ToolDefinition,
} from "../../core/request.ts";
import { fingerprint } from "../../lib/ids.ts";
import type { JsonObject } from "../../lib/json.ts";
import { cleanSchema, functionParameters } from "./tool-schema.ts";

export interface XaiBody extends JsonObject {
  readonly input: readonly JsonObject[];
  readonly prompt_cache_key: string;
}

const LADDER: readonly ReasoningEffort[] = ["minimal", "low", "medium", "high", "xhigh"];

/** The wanted effort where the model has it, else the nearest below, else the nearest above; `none` has no neighbour. */
export const effortFor = (
  wanted: ReasoningEffort | undefined,
  efforts: readonly ReasoningEffort[] | null,
): ReasoningEffort | undefined => {
  if (wanted === undefined) return undefined;
  if (efforts?.includes(wanted)) return wanted;
  if (wanted === "none") return undefined;
  // Of a model that nobody has told about, the three that every model with efforts has.
  const known = efforts ?? ["low", "medium", "high"];
  const at = LADDER.indexOf(wanted);
  const nearest = [...LADDER.slice(0, at).toReversed(), ...LADDER.slice(at)];
  return nearest.find((effort) => known.includes(effort));
};

const reasoningOf = (request: GenerationRequest, { reasoning, xai }: XaiModel): JsonObject => {
  // Such models refuse the parameter whatever it holds.
  if (xai.efforts?.length === 0) return {};
  const effort = effortFor(request.reasoningEffort, xai.efforts);
  const wantsSummary = effort !== "none" && request.showReasoning !== false && (xai.efforts !== null || reasoning);
  if (effort === undefined && !wantsSummary) return {};
  return { reasoning: { ...(effort ? { effort } : {}), ...(wantsSummary ? { summary: "auto" } : {}) } };
};

const functionTool = ({ name, description, parameters }: ToolDefinition): JsonObject => ({
  type: "function",
  name,
  ...(description ? { description } : {}),
  parameters: functionParameters(parameters),
});

const choiceOf = (choice: ToolChoice): unknown =>
  choice.mode === "forced" ? { type: "function", name: choice.name } : choice.mode;

const toolsOf = (request: GenerationRequest): JsonObject => {
  const { tools = [], toolChoice, serverTools = [], webSearch } = request;
  const allowed = toolChoice?.mode === "forced" ? undefined : toolChoice?.allowed;
  const functions = allowed ? tools.filter(({ name }) => allowed.includes(name)) : tools;
  const own = serverTools.map(({ type, options }) => ({ ...options, type }));
  const adds = webSearch === true && !own.some(({ type }) => type === "web_search");
  const all = [...own, ...(adds ? [{ type: "web_search" }] : []), ...functions.map(functionTool)];
  if (all.length === 0) return {};
  return {
    tools: all,
    ...(toolChoice ? { tool_choice: choiceOf(toolChoice) } : {}),
    ...(request.parallelToolCalls === false ? { parallel_tool_calls: false } : {}),
  };
};

const formatOf = (format: ResponseFormat | undefined): JsonObject => {
  if (!format || format.type === "text") return {};
  if (format.type === "json_object") return { text: { format: { type: "json_object" } } };
  const { name, strict, schema } = format;
  return { text: { format: { type: "json_schema", name, strict, schema: cleanSchema(schema) } } };
};

/** What a conversation is called upstream, for its prompt cache: stays the same while it grows, and tells nothing of the caller. */
export const conversationName = ({ sessionKey, messages }: GenerationRequest): string => {
  if (sessionKey !== undefined) return fingerprint(`conversation:${sessionKey}`);
  const first = messages.findIndex(({ role }) => role === "user");
  const beginning = messages.filter(({ role }, index) => role === "system" || index === first);
  const texts = beginning.map(({ role, content }) => [
    role,
    content.map((part) => (part.type === "text" ? part.text : part.type)),
  ]);
  return fingerprint(`beginning:${JSON.stringify(texts)}`);
};

export const responsesBody = (
  request: GenerationRequest,
  { model, input }: { model: XaiModel; input: readonly JsonObject[] },
): XaiBody => ({
  model: model.id,
  input,
  stream: true,
  store: false,
  // Whoever sends nothing back has no use for it.
  ...(request.wantsSealedReasoning ? { include: ["reasoning.encrypted_content"] } : {}),
  prompt_cache_key: conversationName(request),
  ...reasoningOf(request, model),
  ...toolsOf(request),
  ...formatOf(request.responseFormat),
  ...(request.maxTokens === undefined ? {} : { max_output_tokens: request.maxTokens }),
  ...(request.temperature === undefined ? {} : { temperature: request.temperature }),
  ...(request.topP === undefined ? {} : { top_p: request.topP }),
});

const isSealed = (item: JsonObject): boolean => item["encrypted_content"] !== undefined;

/** The same without what only the upstream can read; null when there is nothing of that kind. */
export const withoutSealed = (body: XaiBody): XaiBody | null =>
  body.input.some(isSealed) ? { ...body, input: body.input.filter((item) => !isSealed(item)) } : null;
