// The list of changes made on the admin side. Writes nothing: a row belongs to the change that it tells of.
import type { Call, Route } from "../context.ts";
import { pageOf } from "../paging.ts";
import { adminPaths } from "./admin-paths.ts";

const list = async (call: Call): Promise<Response> => {
  const { searchParams } = call.url;
  const page = pageOf(searchParams, { usual: 50, most: 500 });
  const { items, total } = await call.deps.audit.list({ ...page, action: searchParams.get("action") ?? "" });
  return Response.json({ status: "success", total, page: page.page, page_size: page.pageSize, items });
};

export const adminAuditRoutes: readonly Route[] = [
  {
    method: "GET",
    ...adminPaths("/audit"),
    auth: "admin",
    summary: "What was changed, when, by whom and from where, newest first: page, page_size, action.",
    handle: list,
  },
];
