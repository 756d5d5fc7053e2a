// Login, settings and storage in the shapes of the earliest admin page. Decides nothing; old names of settings are those
// that the configuration translates anyway. Invariant: secrets are shown masked, and sent back masked they change nothing.
import { isObject, type JsonObject, objectAt } from "../../lib/json.ts";
import { actorOf } from "../actor.ts";
import { readObject } from "../body.ts";
import type { Call, Route } from "../context.ts";
import { legacy } from "./admin-legacy-shapes.ts";
import { login, logout } from "./admin-session.ts";

type Section = Readonly<Record<string, unknown>>;

/** Old name → where its value is today. */
const GLOBAL: Readonly<Record<string, string>> = {
  base_url: "app.app_url",
  log_level: "server.log_level",
  image_mode: "app.image_format",
  admin_username: "app.admin_username",
  admin_password: "app.app_key",
};
const GROK: Readonly<Record<string, string>> = {
  api_key: "app.api_key",
  proxy_url: "proxy.base_proxy_url",
  cache_proxy_url: "proxy.asset_proxy_url",
  cf_clearance: "proxy.cf_clearance",
  x_statsig_id: "app.x_statsig_id",
  dynamic_statsig: "app.dynamic_statsig",
  filtered_tags: "app.filter_tags",
  show_thinking: "app.thinking",
  temporary: "app.temporary",
  stream_first_response_timeout: "chat.timeout",
  stream_chunk_timeout: "chat.stream_timeout",
  stream_total_timeout: "chat.total_timeout",
  retry_status_codes: "retry.retry_status_codes",
};

const valueAt = (tree: Readonly<Record<string, Section>>, path: string): unknown => {
  const [section = "", name = ""] = path.split(".");
  const value = tree[section]?.[name];
  // Lists were texts with commas.
  return Array.isArray(value) ? value.join(",") : value;
};

const viewOf = (tree: Readonly<Record<string, Section>>, names: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(names).map(([old, path]) => [old, valueAt(tree, path)]));

/** There was one limit for pictures and one for clips; their sum is the limit of today. */
const cacheLimits = (tree: Readonly<Record<string, Section>>) => {
  const limit = Number(valueAt(tree, "cache.limit_mb"));
  const images = Math.floor(limit / 3);
  return { image_cache_max_size_mb: images, video_cache_max_size_mb: limit - images };
};

const view = (call: Call) => {
  const tree = call.deps.settings.read();
  return { global: { ...viewOf(tree, GLOBAL), ...cacheLimits(tree) }, grok: viewOf(tree, GROK) };
};

const readSettings = (call: Call): Response => Response.json({ success: true, data: view(call) });

/** What the page sends back as it was shown is no change. */
const changedIn = (sent: JsonObject, shown: Section): JsonObject =>
  Object.fromEntries(Object.entries(sent).filter(([name, value]) => !Bun.deepEquals(value, shown[name])));

const CACHE_NAMES = ["image_cache_max_size_mb", "video_cache_max_size_mb"];

const changeSettings = async (call: Call): Promise<Response> => {
  const body = await readObject(call);
  const shown = view(call);
  const sent = objectAt(body, "global_config") ?? objectAt(body, "global") ?? {};
  const global = changedIn(sent, shown.global);
  // One of the two alone does not say what the sum is to be.
  const both = CACHE_NAMES.some((name) => name in global)
    ? Object.fromEntries(CACHE_NAMES.map((name) => [name, sent[name] ?? Reflect.get(shown.global, name)]))
    : {};
  const grok = changedIn(objectAt(body, "grok_config") ?? objectAt(body, "grok") ?? {}, shown.grok);
  const tree = { global: { ...global, ...both }, grok };
  const result = await call.deps.settings.change(tree, { by: actorOf(call) });
  return Response.json({ success: true, message: "配置更新成功", ...result });
};

const MODES: Readonly<Record<string, string>> = { local: "FILE", mysql: "MYSQL", redis: "REDIS", d1: "D1" };

const storageMode = (call: Call): Response => {
  const { type } = call.deps.settings.storage();
  return Response.json({ success: true, data: { mode: MODES[type] ?? type.toUpperCase() } });
};

/** The newer answer holds everything that the oldest page reads, but for the text. */
const withMessage =
  (message: string, handle: (call: Call) => Promise<Response>) =>
  async (call: Call): Promise<Response> => {
    const body: unknown = await (await handle(call)).json();
    return Response.json({ ...(isObject(body) ? body : {}), message });
  };

export const adminLegacyRoutes: readonly Route[] = [
  {
    method: "POST",
    path: "/api/login",
    auth: "public",
    summary: "Log in (oldest page).",
    handle: legacy("LOGIN_ERROR", withMessage("登录成功", login)),
  },
  {
    method: "POST",
    path: "/api/logout",
    auth: "admin",
    summary: "End the session (oldest page).",
    handle: legacy("LOGOUT_ERROR", withMessage("登出成功", logout)),
  },
  {
    method: "GET",
    path: "/api/settings",
    auth: "admin",
    summary: "Settings in two groups (oldest page).",
    handle: legacy("GET_SETTINGS_ERROR", readSettings),
  },
  {
    method: "POST",
    path: "/api/settings",
    auth: "admin",
    summary: "Change settings under their oldest names.",
    handle: legacy("UPDATE_SETTINGS_ERROR", changeSettings),
  },
  {
    method: "GET",
    path: "/api/storage/mode",
    auth: "admin",
    summary: "The kind of store (oldest page).",
    handle: legacy("STORAGE_MODE_ERROR", storageMode),
  },
];
