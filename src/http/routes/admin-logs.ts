// The program's log files on the admin side. Reads no file itself.
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";
import { numberOf, textOf } from "./report-query.ts";

const LINES = { least: 1, most: 5_000 };
const USUAL_LINES = 500;

const files = async (call: Call): Promise<Response> => Response.json({ files: await call.deps.logFiles.list() });

const tail = async (call: Call): Promise<Response> => {
  const query = call.url.searchParams;
  const lines = Math.floor(numberOf(query, "lines", LINES) ?? USUAL_LINES);
  return Response.json(await call.deps.logFiles.tail(textOf(query, "file") ?? null, lines));
};

export const adminLogRoutes: readonly Route[] = [
  {
    method: "GET",
    ...adminPaths("/logs/files"),
    auth: "admin",
    summary: "The log files, newest first.",
    handle: files,
  },
  {
    method: "GET",
    ...adminPaths("/logs/tail"),
    auth: "admin",
    quiet: true,
    summary: "The end of a log file: file, lines.",
    handle: tail,
  },
];
