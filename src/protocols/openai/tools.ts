// The tool fields of OpenAI-shaped requests: declarations, choice, and their older names `functions` and `function_call`.
// Takes the nested shape of Chat Completions and the flat one of Responses. Invariant: what is declared is either offered
// to the model or refused with `invalid_tools` naming the entry; nothing is dropped in silence.
import type { GenerationRequest, ServerTool, ToolChoice, ToolDefinition } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { given, looseBoolean, type Place, refuse } from "./field.ts";
import { HOSTED_NAMES, hostedType, readHostedTool } from "./hosted-tools.ts";

export const MAX_TOOLS = 128;
export const MAX_DESCRIPTION_BYTES = 16 * 1024;
export const TOOL_NAME = /^[A-Za-z0-9_-]{1,64}$/;
const NO_PARAMETERS = { type: "object", properties: {} };

export interface ParsedTools {
  readonly tools: readonly ToolDefinition[];
  /** Tools that run at the upstream, such as its web search. */
  readonly hosted: readonly ServerTool[];
  /** True when the hosted drawing of pictures is among the tools. */
  readonly draws: boolean;
}

export interface ToolRules {
  /** Whether the API knows the hosted `image_generation`. */
  readonly drawing: boolean;
}

const DRAWING = "image_generation";

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;

/** Name, description and schema of one function; `at` is where the object that holds them stands. */
export const parseFunctionTool = (source: JsonObject, at: Place): ToolDefinition => {
  const name = source["name"];
  if (typeof name !== "string" || !TOOL_NAME.test(name)) {
    const place = { ...at, param: `${at.param}.name` };
    return refuse(place, `'${place.param}' must be 1 to 64 letters, digits, '_' or '-'.`);
  }
  const description = given(source, "description");
  if (description !== undefined && typeof description !== "string") {
    return refuse({ ...at, param: `${at.param}.description` }, `'${at.param}.description' must be a string.`);
  }
  if (description !== undefined && bytesOf(description) > MAX_DESCRIPTION_BYTES) {
    const message = `'${at.param}.description' is longer than ${MAX_DESCRIPTION_BYTES} bytes.`;
    return refuse({ ...at, param: `${at.param}.description` }, message);
  }
  const parameters = given(source, "parameters") ?? NO_PARAMETERS;
  if (!isObject(parameters)) {
    return refuse({ ...at, param: `${at.param}.parameters` }, `'${at.param}.parameters' must be a JSON schema object.`);
  }
  const strict = looseBoolean(given(source, "strict"), { ...at, param: `${at.param}.strict` });
  return {
    name,
    ...(description === undefined || description.trim() === "" ? {} : { description }),
    parameters,
    ...(strict ? { strict } : {}),
  };
};

/** Refuses a list that is too long or names a function twice. */
export const checkToolList = (tools: readonly ToolDefinition[], place: Place): void => {
  if (tools.length > MAX_TOOLS) refuse(place, `'${place.param}' may hold at most ${MAX_TOOLS} tools.`);
  const names = new Set<string>();
  for (const { name } of tools) {
    if (names.has(name)) refuse(place, `'${place.param}' declares '${name}' more than once.`);
    names.add(name);
  }
};

const listOf = (value: unknown, place: Place): readonly unknown[] => {
  if (!Array.isArray(value)) return refuse(place, `'${place.param}' must be a list.`);
  // Checked before the entries are: a list of a million tools is refused for its length.
  if (value.length > MAX_TOOLS) return refuse(place, `'${place.param}' may hold at most ${MAX_TOOLS} tools.`);
  return value;
};

/** `tools` of Chat Completions and of Responses. */
export const parseTools = (value: unknown, param: string, rules: ToolRules = { drawing: false }): ParsedTools => {
  const place: Place = { code: "invalid_tools", param };
  if (value === undefined || value === null) return { tools: [], hosted: [], draws: false };
  const hosted: ServerTool[] = [];
  let draws = false;
  const tools = listOf(value, place).flatMap((item, index) => {
    const at: Place = { ...place, param: `${param}.${index}` };
    if (!isObject(item)) return refuse(at, `'${at.param}' must be an object.`);
    const { type } = item;
    const runsUpstream = hostedType(type);
    if (runsUpstream !== undefined) {
      // Naming one twice is no more than naming it once.
      if (!hosted.some((known) => known.type === runsUpstream)) hosted.push(readHostedTool(item, runsUpstream));
      return [];
    }
    if (type === DRAWING && rules.drawing) {
      draws = true;
      return [];
    }
    if (type !== "function") {
      const others = [...HOSTED_NAMES, ...(rules.drawing ? [DRAWING] : [])];
      const message = `'${at.param}.type' must be one of: function, ${others.join(", ")}.`;
      return refuse({ ...at, param: `${at.param}.type` }, message);
    }
    const nested = given(item, "function");
    if (nested === undefined) return [parseFunctionTool(item, at)];
    if (!isObject(nested)) {
      return refuse({ ...at, param: `${at.param}.function` }, `'${at.param}.function' must be an object.`);
    }
    return [parseFunctionTool(nested, { ...at, param: `${at.param}.function` })];
  });
  checkToolList(tools, place);
  return { tools, hosted, draws };
};

/** The older `functions`: the same without a type. */
export const parseFunctions = (value: unknown, param: string): ParsedTools => {
  const place: Place = { code: "invalid_tools", param };
  if (value === undefined || value === null) return { tools: [], hosted: [], draws: false };
  const tools = listOf(value, place).map((item, index) => {
    const at: Place = { ...place, param: `${param}.${index}` };
    return isObject(item) ? parseFunctionTool(item, at) : refuse(at, `'${at.param}' must be an object.`);
  });
  checkToolList(tools, place);
  return { tools, hosted: [], draws: false };
};

export interface ChoiceContext extends ParsedTools {
  readonly param: string;
}

const MODES = ["auto", "none", "required"] as const;

const declaredName = (value: unknown, context: ChoiceContext): string => {
  const place: Place = { code: "invalid_tool_choice", param: context.param };
  if (typeof value !== "string") return refuse(place, `'${context.param}' must name a function.`);
  if (context.tools.some(({ name }) => name === value)) return value;
  return refuse(place, `'${context.param}' names '${value}', which is not among the tools.`);
};

const choiceMode = (value: unknown, context: ChoiceContext): (typeof MODES)[number] => {
  const place: Place = { code: "invalid_tool_choice", param: context.param };
  const mode = MODES.find((item) => item === value);
  if (mode === undefined) return refuse(place, `'${context.param}' must be auto, none, required or a named function.`);
  if (mode !== "required" || context.tools.length > 0) return mode;
  // What the upstream does by itself cannot be forced; with nothing else declared it decides.
  if (context.hosted.length > 0 || context.draws) return "auto";
  return refuse(place, `'${context.param}' is 'required', but no tools are declared.`);
};

/** `tool_choice` in its string, nested, flat and allowed-tools shapes; undefined is the default, auto. */
export const parseToolChoice = (value: unknown, context: ChoiceContext): ToolChoice | undefined => {
  if (value === undefined || value === null) return undefined;
  const place: Place = { code: "invalid_tool_choice", param: context.param };
  if (typeof value === "string") return { mode: choiceMode(value, context) };
  if (!isObject(value)) return refuse(place, `'${context.param}' must be a string or an object.`);
  const { type } = value;
  if (type === "function") {
    const nested = given(value, "function");
    return { mode: "forced", name: declaredName((isObject(nested) ? nested : value)["name"], context) };
  }
  if (isHosted(type, context)) return { mode: "auto" };
  if (type === DRAWING && context.draws) return { mode: "auto" };
  if (type !== "allowed_tools") {
    return refuse(place, `'${context.param}.type' must be 'function' or 'allowed_tools'.`);
  }
  const nested = given(value, "allowed_tools");
  const source = isObject(nested) ? nested : value;
  const { tools } = source;
  if (!Array.isArray(tools)) return refuse(place, `'${context.param}' must list the allowed tools.`);
  const allowed = tools.flatMap((item: unknown) => {
    if (!isObject(item)) return refuse(place, `Every allowed tool of '${context.param}' must be an object.`);
    if (hostedType(item["type"]) !== undefined) return [];
    if (item["type"] === DRAWING && context.draws) return [];
    const inner = given(item, "function");
    return [declaredName((isObject(inner) ? inner : item)["name"], context)];
  });
  const mode = choiceMode(given(source, "mode") ?? "auto", context);
  if (mode === "required" && allowed.length === 0) {
    return refuse(place, `'${context.param}' requires a call, but allows no tool.`);
  }
  return { mode, allowed };
};

/** A tool that runs upstream cannot be forced there, only offered. */
const isHosted = (type: unknown, { hosted }: ChoiceContext): boolean => {
  const named = hostedType(type);
  return named !== undefined && hosted.some((tool) => tool.type === named);
};

const parseFunctionCall = (value: unknown, context: ChoiceContext): ToolChoice | undefined => {
  if (value === undefined) return undefined;
  if (isObject(value)) return { mode: "forced", name: declaredName(value["name"], context) };
  return { mode: choiceMode(value, context) };
};

export type ToolFields = Pick<
  GenerationRequest,
  "tools" | "toolChoice" | "parallelToolCalls" | "webSearch" | "serverTools"
>;

/** All tool fields of a body, as parts of a GenerationRequest; `tools` wins over the older `functions`. */
export const parseToolFields = (body: JsonObject, rules: ToolRules = { drawing: false }): ToolFields => {
  const modern = given(body, "tools") !== undefined || given(body, "functions") === undefined;
  const declared = modern
    ? parseTools(given(body, "tools"), "tools", rules)
    : parseFunctions(body["functions"], "functions");
  const choice =
    parseToolChoice(given(body, "tool_choice"), { ...declared, param: "tool_choice" }) ??
    parseFunctionCall(given(body, "function_call"), { ...declared, param: "function_call" });
  const parallel = given(body, "parallel_tool_calls");
  const place: Place = { code: "invalid_value", param: "parallel_tool_calls" };
  // The older fields know one call an answer.
  const parallelToolCalls = parallel === undefined ? modern : looseBoolean(parallel, place);
  return {
    ...(declared.tools.length === 0 ? {} : { tools: declared.tools, parallelToolCalls }),
    ...(declared.tools.length === 0 || choice === undefined ? {} : { toolChoice: choice }),
    ...(declared.hosted.length === 0 ? {} : { serverTools: declared.hosted }),
    ...(declared.hosted.some(({ type }) => type === "web_search") ? { webSearch: true } : {}),
  };
};
