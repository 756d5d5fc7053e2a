// The content blocks of one message, by role. A user's blocks are results of tools, words and attachments; an assistant's
// are words and calls. Invariant: what a user sends is read or refused with its place; of an answer's history only reasoning
// and what another server did for itself are left out.
import type { ContentPart, ToolCall } from "../../core/request.ts";
import type { JsonObject } from "../../lib/json.ts";
import { DIGEST_MARK } from "./seal.ts";
import { contentTexts, readDocument, readImage } from "./attachments.ts";
import { at, given, isBlank, list, object, refuse, text } from "./field.ts";

export interface ToolResult {
  readonly id: string;
  readonly idParam: string;
  readonly failed: boolean;
  readonly content: readonly ContentPart[];
}

export interface UserBlocks {
  readonly results: readonly ToolResult[];
  readonly content: readonly ContentPart[];
}

export interface AssistantBlocks {
  readonly content: readonly ContentPart[];
  readonly calls: readonly ToolCall[];
  /** Reasoning as only its upstream can read it: what the signatures of the thinking blocks hold. */
  readonly sealed: readonly string[];
}

/** Blank texts are left out: clients send them after a stop, a compaction or a tool without output. */
const words = (value: unknown): readonly ContentPart[] =>
  isBlank(value) ? [] : [{ type: "text", text: String(value) }];

const blocksOf = (content: unknown, param: string): readonly { block: JsonObject; type: string; param: string }[] =>
  list(content, at(param)).map((item, index) => {
    const place = `${param}.${index}`;
    const block = object(item, at(place, "invalid_block"));
    return { block, type: text(block["type"], at(`${place}.type`, "missing_type")), param: place };
  });

const readText = (block: JsonObject, param: string): readonly ContentPart[] => {
  const value = given(block, "text");
  if (value !== undefined && typeof value !== "string") refuse(at(`${param}.text`), "must be a string");
  return words(value);
};

/** What another server's own tools did, as it stands in the history of an answer or after it. */
const isForeign = (type: string): boolean =>
  type === "server_tool_use" || type === "mcp_tool_use" || (type.endsWith("_tool_result") && type !== "tool_result");

const SILENT: ReadonlySet<string> = new Set(["thinking", "redacted_thinking", "tool_reference", "container_upload"]);

/** A result of the caller's own search, or the summary of an older part of the conversation. */
const readPassage = (block: JsonObject): readonly ContentPart[] => {
  const { content } = block;
  const body = typeof content === "string" ? content : contentTexts(content).join("\n");
  const head = [block["title"], block["source"]].filter((value) => !isBlank(value)).join(" — ");
  return words(head === "" ? body : `[${head}]\n${body}`);
};

const readUserBlock = (block: JsonObject, type: string, param: string): readonly ContentPart[] => {
  switch (type) {
    case "text":
      return readText(block, param);
    case "image":
      return [readImage(block, param)];
    case "document":
      return [readDocument(block, param)];
    case "search_result":
    case "compaction":
      return readPassage(block);
    default:
      if (SILENT.has(type) || isForeign(type)) return [];
      return refuse(
        at(`${param}.type`, "invalid_type"),
        `blocks of type '${type.slice(0, 40)}' are not supported here`,
      );
  }
};

export const readUser = (content: unknown, param: string): UserBlocks => {
  if (content === undefined || typeof content === "string") return { results: [], content: words(content) };
  const results: ToolResult[] = [];
  const parts: ContentPart[] = [];
  for (const { block, type, param: place } of blocksOf(content, param)) {
    if (type !== "tool_result") {
      parts.push(...readUserBlock(block, type, place));
      continue;
    }
    if (parts.length > 0) {
      refuse(at(place), "tool_result blocks must come before the other content of their message");
    }
    results.push(readResult(block, place));
  }
  return { results, content: parts };
};

const readResult = (block: JsonObject, param: string): ToolResult => {
  const idParam = `${param}.tool_use_id`;
  const value = given(block, "content");
  const parts =
    value === undefined || typeof value === "string"
      ? words(value)
      : blocksOf(value, `${param}.content`).flatMap((item) => readUserBlock(item.block, item.type, item.param));
  return {
    id: text(block["tool_use_id"], at(idParam, "missing_required_parameter")),
    idParam,
    failed: block["is_error"] === true || block["is_error"] === "true",
    content: parts,
  };
};

export const readAssistant = (content: unknown, param: string): AssistantBlocks => {
  if (content === undefined || typeof content === "string") return { content: words(content), calls: [], sealed: [] };
  const parts: ContentPart[] = [];
  const calls: ToolCall[] = [];
  const sealed: string[] = [];
  for (const { block, type, param: place } of blocksOf(content, param)) {
    if (type === "text") parts.push(...readText(block, place));
    else if (type === "tool_use") calls.push(readCall(block, place));
    else if (type === "compaction") parts.push(...readPassage(block));
    else if (type === "thinking") sealed.push(...signatureOf(block));
    else if (type === "tool_result" || type === "image" || type === "document") {
      refuse(at(`${place}.type`, "invalid_type"), `'${type}' blocks are not allowed in assistant messages`);
    }
    // Any other block is a trace of another server's work.
  }
  return { content: parts, calls, sealed };
};

/** A signature that is only a digest tells its upstream nothing. */
const signatureOf = ({ signature }: JsonObject): readonly string[] =>
  typeof signature === "string" && signature !== "" && !signature.startsWith(DIGEST_MARK) ? [signature] : [];

const readCall = (block: JsonObject, param: string): ToolCall => ({
  id: text(block["id"], at(`${param}.id`, "missing_required_parameter")),
  name: text(block["name"], at(`${param}.name`, "missing_required_parameter")),
  arguments: JSON.stringify(object(given(block, "input") ?? {}, at(`${param}.input`))),
});

/** System text: a string or text blocks. */
export const readSystem = (content: unknown, param: string): readonly ContentPart[] => {
  if (content === undefined || typeof content === "string") return words(content).filter(isMeant);
  return blocksOf(content, param)
    .flatMap(({ block, type, param: place }) => {
      if (type === "text") return readText(block, place);
      return SILENT.has(type) ? [] : refuse(at(`${place}.type`, "invalid_type"), "only text blocks are allowed here");
    })
    .filter(isMeant);
};

/** Claude Code's accounting line is not meant for a model, and it changes with every request (observed 2026-03). */
const isMeant = (part: ContentPart): boolean =>
  part.type !== "text" || !part.text.trimStart().startsWith("x-anthropic-billing-header:");
