// `tools` and `tool_choice`: the caller's own functions, and web search, which the upstream does by itself. Tools of other
// servers' making (shell, editor, computer) are refused, because nothing here would run them.
// Invariant: a choice that names a tool names one that was declared.
import type { GenerationRequest, ToolChoice, ToolDefinition } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { at, flag, given, isBlank, list, object, oneOf, refuse, text } from "./field.ts";

export type ToolFields = Pick<GenerationRequest, "tools" | "toolChoice" | "parallelToolCalls" | "webSearch">;

const MAX_TOOLS = 128;
const NAME = /^[A-Za-z0-9_-]{1,128}$/;
const SEARCH = /^web_search(?:_\d+)?$/;

interface Declared {
  readonly tools: readonly ToolDefinition[];
  /** Names under which the upstream's own search was declared. */
  readonly searches: ReadonlySet<string>;
}

export const parseTools = (body: JsonObject): ToolFields => {
  const declared = parseDeclared(given(body, "tools"));
  const { tools, searches } = declared;
  return {
    ...(tools.length === 0 ? {} : { tools }),
    ...(searches.size === 0 ? {} : { webSearch: true }),
    ...parseChoice(given(body, "tool_choice"), declared),
  };
};

const parseDeclared = (value: unknown): Declared => {
  const tools: ToolDefinition[] = [];
  const searches = new Set<string>();
  if (value === undefined) return { tools, searches };
  const items = list(value, at("tools", "invalid_tools"));
  if (items.length > MAX_TOOLS) refuse(at("tools", "invalid_tools"), `at most ${MAX_TOOLS} tools are allowed`);
  const names = new Set<string>();
  items.forEach((item, index) => {
    const param = `tools.${index}`;
    const tool = object(item, at(param, "invalid_tools"));
    const type = given(tool, "type") ?? "custom";
    const search = typeof type === "string" && SEARCH.test(type);
    if (!search && type !== "custom") {
      const what = typeof type === "string" ? `'${type.slice(0, 60)}'` : "this type";
      const message = `${what} is not offered here; only custom tools and web_search are`;
      refuse(at(`${param}.type`, "invalid_tools"), message);
    }
    const name = text(given(tool, "name") ?? (search ? "web_search" : undefined), at(`${param}.name`, "invalid_tools"));
    if (names.has(name)) refuse(at(`${param}.name`, "invalid_tools"), "tool names must be unique");
    names.add(name);
    if (search) searches.add(name);
    else tools.push(parseTool(tool, { name, param }));
  });
  return { tools, searches };
};

/** Descriptions have no limit of their own: those of coding agents are long. */
const parseTool = (tool: JsonObject, about: { readonly name: string; readonly param: string }): ToolDefinition => {
  const { name, param } = about;
  if (!NAME.test(name)) {
    refuse(at(`${param}.name`, "invalid_tools"), "must have 1 to 128 letters, digits, underscores or hyphens");
  }
  const description = given(tool, "description");
  if (description !== undefined && typeof description !== "string") {
    refuse(at(`${param}.description`, "invalid_tools"), "must be a string");
  }
  const schema = tool["input_schema"];
  return {
    name,
    ...(isBlank(description) ? {} : { description: String(description) }),
    parameters: isObject(schema)
      ? schema
      : refuse(at(`${param}.input_schema`, "invalid_tools"), "must be a JSON schema object"),
    ...(tool["strict"] === true ? { strict: true } : {}),
  };
};

type Choice = Pick<GenerationRequest, "toolChoice" | "parallelToolCalls">;

const parseChoice = (value: unknown, declared: Declared): Choice => {
  if (value === undefined) return {};
  const choice = object(value, at("tool_choice", "invalid_tool_choice"));
  const type = oneOf(choice["type"], {
    ...at("tool_choice.type", "invalid_tool_choice"),
    allowed: ["auto", "any", "tool", "none"],
  });
  const single = flag(
    given(choice, "disable_parallel_tool_use"),
    at("tool_choice.disable_parallel_tool_use", "invalid_tool_choice"),
  );
  const toolChoice = type === "tool" ? forced(choice, declared) : modeOf(type, declared);
  return {
    ...(toolChoice === undefined ? {} : { toolChoice }),
    ...(single ? { parallelToolCalls: false } : {}),
  };
};

const modeOf = (type: "auto" | "any" | "none", { tools, searches }: Declared): ToolChoice | undefined => {
  if (type !== "any") return tools.length === 0 && type === "auto" ? undefined : { mode: type };
  if (tools.length > 0) return { mode: "required" };
  // Searching is the upstream's own decision; it cannot be called for.
  if (searches.size > 0) return undefined;
  return refuse(at("tool_choice.type", "invalid_tool_choice"), "'any' needs at least one tool");
};

const forced = (choice: JsonObject, { tools, searches }: Declared): ToolChoice | undefined => {
  const place = at("tool_choice.name", "invalid_tool_choice");
  const name = text(choice["name"], place);
  if (searches.has(name)) return undefined;
  if (tools.some((tool) => tool.name === name)) return { mode: "forced", name };
  return refuse(place, `no tool named '${name.slice(0, 128)}' was declared`);
};
