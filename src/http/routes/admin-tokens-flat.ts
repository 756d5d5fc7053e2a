// The flat shapes below /admin/api: one list for all pools, pools by the tier's name, and the state of the directory.
// Decides nothing. Invariant: the same accounts and rules as under the documented paths.
import type { TokenInfo } from "../../admin/token-info.ts";
import type { Call, Route } from "../context.ts";
import { adminPaths } from "./admin-paths.ts";
import { done } from "./admin-tokens-body.ts";
import { replacePools } from "./admin-tokens.ts";

const FLAT_POOLS: Readonly<Record<string, string>> = { ssoBasic: "basic", ssoSuper: "super", ssoHeavy: "heavy" };
const CHAT_KINDS = ["auto", "fast", "expert", "heavy"];

const flatRow = (info: TokenInfo) => ({
  id: info.id,
  token: info.token,
  pool: FLAT_POOLS[info.pool] ?? info.pool,
  status: info.status,
  quota: Object.fromEntries(
    CHAT_KINDS.flatMap((kind) => {
      const window = info.windows[kind];
      return window ? [[kind, { remaining: window.remaining, total: window.total }]] : [];
    }),
  ),
  use_count: info.use_count,
  fail_count: info.fail_count,
  last_used_at: info.last_used_at,
  last_fail_reason: info.last_fail_reason,
  cooldown_until: info.cooldown_until,
  tags: info.tags,
  note: info.note,
});

const flat = (call: Call): Response =>
  Response.json(
    { tokens: Object.values(call.deps.accounts.byPool()).flat().map(flatRow) },
    { headers: { "cache-control": "no-store", etag: `"${call.deps.accounts.revision()}"` } },
  );

const status = (call: Call): Response =>
  done({ ...call.deps.accounts.status(), selection_strategy: call.config.token.strategy });

const sync = async (call: Call): Promise<Response> => done(await call.deps.accounts.sync());

export const adminTokenFlatRoutes: readonly Route[] = [
  {
    method: "GET",
    path: "/admin/api/tokens",
    auth: "admin",
    summary: "All accounts in one list, with their sessions.",
    handle: flat,
  },
  {
    method: "POST",
    path: "/admin/api/tokens",
    auth: "admin",
    summary: "Replace the named pools.",
    handle: replacePools,
  },
  {
    method: "GET",
    ...adminPaths("/status"),
    auth: "admin",
    quiet: true,
    summary: "Size and revision of the pool, and how accounts are chosen.",
    handle: status,
  },
  {
    method: "POST",
    ...adminPaths("/sync"),
    auth: "admin",
    summary: "Take over what other programs wrote into the same store.",
    handle: sync,
  },
];
