// What the upstream's own tools are doing, for callers to watch. Its traces look like calls, and a caller that tried to run
// them would fail. Item types and names as of 2026-10. Pure.
import type { ActivityKind } from "../../core/events.ts";
import { objectAt, parseObject, stringAt, type JsonObject } from "../../lib/json.ts";

const KINDS: Readonly<Record<string, ActivityKind>> = {
  web_search_call: "web-search",
  x_search_call: "x-search",
  code_interpreter_call: "code",
  file_search_call: "other",
  mcp_call: "other",
  image_generation_call: "other",
  custom_tool_call: "other",
};

const kindOf = (type: string, name: string): ActivityKind => {
  if (/browse|open_page/.test(name)) return "browse";
  if (/image_search|search_images/.test(name)) return "image-search";
  if (name.startsWith("x_")) return "x-search";
  if (name.startsWith("web_search")) return "web-search";
  if (name.startsWith("code_")) return "code";
  return KINDS[type] ?? "other";
};

/** Calls that the server has run already carry such ids. */
export const isServerCall = (item: JsonObject): boolean =>
  /^(?:xs|ws|ci|fs)_call/.test(stringAt(item, "call_id") ?? "");

/** Kind and the one argument worth showing; null for items that are no tool of the server. */
export const describeServerTool = (item: JsonObject): { kind: ActivityKind; detail: string } | null => {
  const type = stringAt(item, "type") ?? "";
  if (KINDS[type] === undefined && !isServerCall(item)) return null;
  const action = objectAt(item, "action");
  const name = stringAt(item, "name") ?? stringAt(action, "type") ?? "";
  const args = parseObject(stringAt(item, "input") ?? stringAt(item, "arguments") ?? "");
  const detail =
    stringAt(action, "query") ??
    stringAt(action, "url") ??
    stringAt(item, "code") ??
    stringAt(item, "prompt") ??
    stringAt(args, "query") ??
    stringAt(args, "url") ??
    stringAt(args, "username") ??
    stringAt(args, "post_id") ??
    "";
  return { kind: kindOf(type, name), detail: detail || (KINDS[type] === "other" ? name.replaceAll("_", " ") : "") };
};

const PICTURE_TYPES: readonly (readonly [begins: string, mime: string])[] = [
  ["/9j/", "image/jpeg"],
  ["iVBOR", "image/png"],
  ["UklGR", "image/webp"],
];

/** A drawn picture's bytes; with or without a data URI's head. */
export const drawnPicture = (item: JsonObject): { base64: string; mime?: string } | null => {
  const result = stringAt(item, "result");
  if (!result) return null;
  const base64 = result.replace(/^data:[^,]*,/, "");
  const mime = PICTURE_TYPES.find(([begins]) => base64.startsWith(begins))?.[1];
  return { base64, ...(mime ? { mime } : {}) };
};
