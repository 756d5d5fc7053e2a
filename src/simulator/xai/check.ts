// What the simulated API refuses in a body of Responses or Chat Completions, before anything is generated.
// Knows no answer. Invariant: a body is refused for the first fault found, with the words of the real API where they
// are known.
import { fieldsOf, textOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import { toolsOf } from "./ask.ts";
import { checkPictures } from "./check-pictures.ts";
import type { TextModel } from "./models.ts";
import { badArgument, badShape, gone } from "./refusals.ts";
import type { XaiRefusal } from "./refusals.ts";
import { parametersFault, schemaFault } from "./schema.ts";

type Found = XaiRefusal | undefined;
const EMPTY = "Invalid request content: Each message must have at least one content element.";

/** Faults that can be told without knowing the model. */
export function checkShape(body: unknown, needed: "input" | "messages"): Found {
  if (body === null || typeof body !== "object" || Array.isArray(body)) return badShape("invalid type, expected a map");
  const fields = fieldsOf(body);
  if (fields[needed] === undefined) return badShape(`missing field \`${needed}\``);
  if (needed === "messages" && !Array.isArray(fields[needed]))
    return badShape("invalid type: messages must be a sequence");
  if (needed === "input" && typeof fields[needed] !== "string" && !Array.isArray(fields[needed]))
    return badShape("data did not match any variant of untagged enum ModelInput");
  if (typeof fields["model"] !== "string") return badShape("missing field `model`");
  if (fields["search_parameters"] !== undefined || fields["web_search_options"] !== undefined) return gone();
  return undefined;
}

export function checkResponses(body: Fields, model: TextModel): Found {
  const format = fieldsOf(fieldsOf(body["text"])["format"]);
  const effort = fieldsOf(body["reasoning"])["effort"];
  return (
    first(itemsOf(body["input"]), checkItem) ??
    (body["input"] === "" ? badArgument(EMPTY) : undefined) ??
    checkParameters(body, model) ??
    checkEffort(effort, model) ??
    first(toolsOf(body), checkTool) ??
    checkChoice(body["tool_choice"]) ??
    checkFormat(textOf(format["type"]), format["schema"]) ??
    (body["instructions"] != null && body["previous_response_id"] != null
      ? badArgument("Argument not supported: instructions cannot be used with previous_response_id.")
      : undefined)
  );
}

export function checkChat(body: Fields, model: TextModel): Found {
  const format = fieldsOf(body["response_format"]);
  if (model.responsesOnly) return badArgument(`Model ${model.id} is only available on the Responses API.`);
  return (
    first(itemsOf(body["messages"]), checkMessage) ??
    checkParameters(body, model) ??
    checkEffort(body["reasoning_effort"], model) ??
    first(toolsOf(body), checkChatTool) ??
    (toolsOf(body).length > 128 ? badArgument("A maximum of 128 tools is supported.") : undefined) ??
    checkFormat(textOf(format["type"]), fieldsOf(format["json_schema"])["schema"])
  );
}

/** What no model of today takes. */
const REFUSED: Record<string, string> = {
  stop: "stop",
  presence_penalty: "presencePenalty",
  frequency_penalty: "frequencyPenalty",
  logit_bias: "logitBias",
  top_k: "topK",
};

function checkParameters(body: Fields, model: TextModel): Found {
  const name = Object.keys(REFUSED).find((parameter) => body[parameter] != null);
  if (name !== undefined) return badArgument(`Model ${model.id} does not support parameter ${REFUSED[name]}.`);
  for (const limit of ["max_output_tokens", "max_completion_tokens", "max_tokens"]) {
    const value = body[limit];
    if (value != null && (typeof value !== "number" || value < 1))
      return badArgument(`Invalid value for \`${limit}\`: must be at least 1.`);
  }
  if (toolsOf(body).length > 350) return badArgument("A maximum of 350 tools is supported.");
  return undefined;
}

function checkEffort(effort: unknown, model: TextModel): Found {
  if (effort == null) return undefined;
  if (model.efforts.length === 0) return badArgument(`Model ${model.id} does not support parameter reasoningEffort.`);
  if (model.efforts.some((one) => one === effort)) return undefined;
  return badArgument(
    `This model does not support \`reasoning_effort\` value \`${typeof effort === "string" ? effort : JSON.stringify(effort)}\`.`,
  );
}

const TOOLS = [
  "function",
  "web_search",
  "x_search",
  "code_interpreter",
  "code_execution",
  "file_search",
  "collections_search",
  "mcp",
  "image_generation",
  "view_image",
  "view_x_video",
];

function checkTool(tool: Fields): Found {
  const type = textOf(tool["type"]);
  if (!TOOLS.includes(type))
    return badShape(`unknown variant \`${type}\`, expected one of \`function\`, \`web_search\``);
  const extra = ["search_context_size", "external_web_access", "container"].find((name) => tool[name] !== undefined);
  if (extra !== undefined) return badArgument(`Argument not supported: ${extra}`);
  if (type === "function") return checkFunction(tool);
  const filters = { ...tool, ...fieldsOf(tool["filters"]) };
  return (
    checkNames(filters, ["allowed_domains", "excluded_domains"], 5) ??
    checkNames(filters, ["allowed_x_handles", "excluded_x_handles"], 10)
  );
}

function checkChatTool(tool: Fields): Found {
  if (tool["type"] !== "function")
    return badShape(`unknown variant \`${textOf(tool["type"])}\`, expected \`function\``);
  return checkFunction(fieldsOf(tool["function"]));
}

function checkFunction(tool: Fields): Found {
  if (textOf(tool["name"]) === "") return badShape("missing field `name`");
  const fault = parametersFault(tool["parameters"]);
  return fault === undefined
    ? undefined
    : badArgument(`Invalid function parameters for ${textOf(tool["name"])}: ${fault}`);
}

function checkNames(tool: Fields, [allowed, excluded]: [string, string], most: number): Found {
  if (tool[allowed] !== undefined && tool[excluded] !== undefined)
    return badArgument(`${allowed} and ${excluded} cannot be used together.`);
  const names = tool[allowed] ?? tool[excluded];
  return Array.isArray(names) && names.length > most ? badArgument(`At most ${most} entries are allowed.`) : undefined;
}

/** Server tools cannot be forced by their name. */
function checkChoice(choice: unknown): Found {
  if (choice === undefined || choice === null || typeof choice === "string") return undefined;
  const type = textOf(fieldsOf(choice)["type"]);
  return type === "function" ? undefined : badShape(`tool_choice: unknown variant \`${type}\``);
}

function checkFormat(type: string, schema: unknown): Found {
  if (type === "" || type === "text" || type === "json_object") return undefined;
  if (type !== "json_schema") return badShape(`unknown variant \`${type}\``);
  if (schema === undefined) return badShape("missing field `schema`");
  const fault = schemaFault(schema);
  return fault === undefined ? undefined : badArgument(fault);
}

const ROLES = ["system", "developer", "user", "assistant", "tool"];

function checkItem(item: Fields): Found {
  const type = item["type"] ?? "message";
  if (type === "reasoning") {
    if (!Array.isArray(item["summary"])) return badShape("missing field `summary`");
    const bare = itemsOf(item["content"]).some((part) => part["type"] === undefined);
    return bare ? badShape("missing field `type`") : undefined;
  }
  if (type === "function_call_output" && item["call_id"] === undefined) return badShape("missing field `call_id`");
  if (type !== "message") return undefined;
  if (!ROLES.includes(textOf(item["role"])))
    return badShape("data did not match any variant of untagged enum ModelInput");
  return checkContent(item["content"]);
}

function checkMessage(message: Fields): Found {
  const role = textOf(message["role"]);
  if (!ROLES.includes(role)) return badShape(`unknown variant \`${role}\`, expected one of \`system\`, \`user\``);
  if (role !== "user" && message["name"] != null) return badArgument("`name` is only supported for user messages.");
  if (role === "assistant" && Array.isArray(message["tool_calls"]) && message["tool_calls"].length > 0)
    return undefined;
  return checkContent(message["content"]);
}

function checkContent(content: unknown): Found {
  const empty = content == null || content === "" || (Array.isArray(content) && content.length === 0);
  return empty ? badArgument(EMPTY) : checkPictures(itemsOf(content));
}

function itemsOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.map(fieldsOf) : [];
}

function first(items: Fields[], check: (item: Fields) => Found): Found {
  for (const item of items) {
    const found = check(item);
    if (found !== undefined) return found;
  }
  return undefined;
}
