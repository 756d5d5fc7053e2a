// Tools that run at the upstream: which of them a caller may name, under which names, and the options that are passed on.
// Knows no provider. Invariant: an option that nobody upstream knows is never passed on.
import type { ServerTool } from "../../core/request.ts";
import { isObject, type JsonObject } from "../../lib/json.ts";
import { given } from "./field.ts";

const NAMES: readonly (readonly [RegExp, ServerTool["type"]])[] = [
  [/^web_search(_preview)?(_\d{4}_\d{2}_\d{2})?$/, "web_search"],
  [/^x_search$/, "x_search"],
  [/^code_(interpreter|execution)$/, "code_interpreter"],
];

/** As docs.x.ai names them (read 2026-11). */
const OPTIONS: Readonly<Record<ServerTool["type"], readonly string[]>> = {
  web_search: ["enable_image_understanding", "enable_image_search", "user_location"],
  x_search: [
    "allowed_x_handles",
    "excluded_x_handles",
    "from_date",
    "to_date",
    "enable_image_understanding",
    "enable_video_understanding",
  ],
  code_interpreter: [],
};
const FILTERS = ["allowed_domains", "excluded_domains"] as const;

/** What a caller may write as a tool's type, for refusals of anything else. */
export const HOSTED_NAMES: readonly string[] = ["web_search", "web_search_preview", "x_search", "code_interpreter"];

export const hostedType = (type: unknown): ServerTool["type"] | undefined =>
  typeof type === "string" ? NAMES.find(([pattern]) => pattern.test(type))?.[1] : undefined;

const picked = (source: JsonObject, names: readonly string[]): JsonObject =>
  Object.fromEntries(names.flatMap((name) => (given(source, name) === undefined ? [] : [[name, source[name]]])));

/** The lists of domains stand in `filters`, or beside the type. */
const filtersOf = (item: JsonObject): JsonObject => {
  const nested = given(item, "filters");
  const filters = { ...picked(item, FILTERS), ...(isObject(nested) ? picked(nested, FILTERS) : {}) };
  return Object.keys(filters).length > 0 ? { filters } : {};
};

export const readHostedTool = (item: JsonObject, type: ServerTool["type"]): ServerTool => ({
  type,
  options: { ...picked(item, OPTIONS[type]), ...(type === "web_search" ? filtersOf(item) : {}) },
});
