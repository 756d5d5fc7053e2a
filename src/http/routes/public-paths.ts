// Where the playground's routes lie: under the name of today and those of later programs. Knows no route.
import type { Route } from "../context.ts";

export const publicPaths = (path: string): Pick<Route, "path" | "aliases"> => ({
  path: `/v1/public${path}`,
  aliases: [`/v1/function${path}`, `/webui/api${path}`],
});

/** The tasks that a stop names. */
export const taskIdsOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((id): id is string => typeof id === "string") : [];
