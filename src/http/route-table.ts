// Looks things up in the route table for requests that no route took: which methods the path has, which routes are near.
// Off the hot path. Knows no handler.
import type { AuthClass, Method, Route } from "./context.ts";

export interface ListedRoute {
  readonly method: Method;
  readonly path: string;
  readonly auth: AuthClass;
  readonly toggle: string | null;
  readonly summary: string;
  /** True for another path of a route that is listed under its first path. */
  readonly alias: boolean;
}

/** Every path that is served, one row each. */
export const listRoutes = (routes: readonly Route[]): ListedRoute[] =>
  routes.flatMap((route) =>
    [route.path, ...(route.aliases ?? [])].map((path, index) => ({
      method: route.method,
      path,
      auth: route.auth,
      toggle: route.toggle ?? null,
      summary: route.summary,
      alias: index > 0,
    })),
  );

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const patternOf = (path: string): RegExp => {
  const parts = path.split("/").map((part) => {
    if (!part.startsWith(":")) return escape(part);
    return part.endsWith("{.+}") ? ".+" : "[^/]+";
  });
  return new RegExp(`^${parts.join("/")}$`);
};

export interface RouteTable {
  /** Rows whose path fits, whatever the method. */
  at(path: string): readonly ListedRoute[];
  /** Up to three routes of the API that look like what was asked. */
  near(path: string): readonly ListedRoute[];
}

export const createRouteTable = (routes: readonly Route[]): RouteTable => {
  const rows = listRoutes(routes).map((row) => ({ row, pattern: patternOf(row.path) }));
  return {
    at: (path) => rows.filter(({ pattern }) => pattern.test(path)).map(({ row }) => row),
    near: (path) =>
      rows
        .filter(({ row }) => row.auth !== "admin" && row.path.startsWith("/v1/"))
        .map(({ row }) => ({ row, score: likeness(row.path, path) }))
        .toSorted((one, other) => other.score - one.score)
        .slice(0, 3)
        .map(({ row }) => row),
  };
};

/** Share of two-letter pieces that two paths have in common. */
const likeness = (one: string, other: string): number => {
  const pieces = (text: string) => new Set(Array.from({ length: text.length - 1 }, (_, at) => text.slice(at, at + 2)));
  const [left, right] = [pieces(one.toLowerCase()), pieces(other.toLowerCase())];
  return (2 * left.intersection(right).size) / (left.size + right.size);
};
