// The names that an account's fields have had in the token files and databases of other gateways, and what they are here.
// A table and its reader; pure. Fields that nobody knows are passed on under their own name.
import type { Tier } from "../core/models.ts";
import { isObject, type JsonObject } from "../lib/json.ts";
import type { AccountStatus } from "./account.ts";
import type { ImportedAccount } from "./imported.ts";
import { canonicalPool } from "./pools.ts";
import { QUOTA_KINDS } from "../core/quota.ts";

type Kind = "count" | "amount" | "time" | "text" | "tags";

const FIELDS: Readonly<Record<string, { readonly kind: Kind; readonly names: readonly string[] }>> = {
  use_count: { kind: "count", names: ["use_count", "usage_use_count", "useCount"] },
  fail_count: { kind: "count", names: ["fail_count", "usage_fail_count", "failed_count", "failedCount", "failCount"] },
  consumed: { kind: "count", names: ["consumed"] },
  quota: { kind: "amount", names: ["quota", "remaining_queries", "remainingQueries"] },
  heavy_quota: {
    kind: "amount",
    names: ["heavy_quota", "heavy_remaining_queries", "heavyremainingQueries", "heavyRemainingQueries"],
  },
  created_at: { kind: "time", names: ["created_at", "created_time", "createdTime", "createdAt"] },
  last_used_at: { kind: "time", names: ["last_used_at", "last_use_at", "lastUsedAt"] },
  last_fail_at: { kind: "time", names: ["last_fail_at", "last_failure_time", "lastFailureTime"] },
  last_fail_reason: { kind: "text", names: ["last_fail_reason", "last_failure_reason", "lastFailureReason"] },
  last_fail_code: { kind: "text", names: ["last_fail_code"] },
  last_sync_at: { kind: "time", names: ["last_sync_at", "lastSyncAt"] },
  last_asset_clear_at: { kind: "time", names: ["last_asset_clear_at", "last_clear_at"] },
  cooldown_until: { kind: "time", names: ["cooldown_until", "cooldownUntil"] },
  user_id: { kind: "text", names: ["user_id", "userId"] },
  note: { kind: "text", names: ["note", "name", "remark"] },
  tags: { kind: "tags", names: ["tags"] },
};

/** Consumed here; everything else that is not in the table goes along unchanged. */
const PLACE_NAMES = ["token", "sso_token", "ssoToken", "sso", "id", "pool", "tier", "status", "token_type", "provider"];
const ALL_NAMES = new Set([...PLACE_NAMES, "windows", ...Object.values(FIELDS).flatMap(({ names }) => names)]);

/** Derived numbers of other gateways' answers; kept, they would be stale at once. */
const DERIVED = new Set(["quota_known", "heavy_quota_known", "quota_source", "state", "token_masked", "in_flight"]);
for (const name of ["cooldown_remaining", "limit_reason", "upstream", "models"]) DERIVED.add(name);
/** Only the settings say what comes from them; a copy elsewhere would be taken out of the pool at the next start. */
DERIVED.add("from_config");

/** Times before 1973 in milliseconds are seconds. */
const SECONDS_BELOW = 1e11;

const asTime = (value: unknown): number | undefined => {
  const number = typeof value === "string" ? (/^\d+$/.test(value) ? Number(value) : Date.parse(value)) : value;
  if (typeof number !== "number" || !Number.isFinite(number) || number <= 0) return undefined;
  return Math.round(number < SECONDS_BELOW ? number * 1000 : number);
};

const asNumber = (value: unknown): number | undefined => {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? Math.trunc(number) : undefined;
};

const readers: Record<Kind, (value: unknown) => unknown> = {
  count: (value) => {
    const number = asNumber(value);
    return number === undefined ? undefined : Math.max(0, number);
  },
  amount: (value) => {
    const number = asNumber(value);
    return number === undefined ? undefined : Math.max(-1, number);
  },
  time: asTime,
  text: (value) => (typeof value === "string" ? value : undefined),
  tags: (value) => {
    const list: unknown = typeof value === "string" ? (parseList(value) ?? value.split(/[,，]/)) : value;
    if (!Array.isArray(list)) return undefined;
    const tags = list.flatMap((tag: unknown) => (typeof tag === "string" && tag.trim() !== "" ? [tag.trim()] : []));
    return [...new Set(tags)];
  },
};

/** Databases keep lists as JSON text. */
const parseList = (text: string): unknown => {
  try {
    return text.trim().startsWith("[") ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
};

const STATUS: Readonly<Record<string, AccountStatus>> = {
  active: "active",
  cooling: "cooling",
  expired: "expired",
  invalid: "expired",
  disabled: "disabled",
};
const TIER: Readonly<Record<string, Tier>> = { basic: "basic", super: "super", heavy: "heavy" };

/** Windows by mode, as newer gateways keep them: under `windows`, or under `quota` when that is an object. */
const readWindows = (value: JsonObject): JsonObject | undefined => {
  const windows = [value.windows, value.quota].find(isObject);
  if (!windows) return undefined;
  const known = Object.entries(windows).flatMap(([kind, window]) =>
    isObject(window) && QUOTA_KINDS.some((name) => name === kind) ? [[kind, readWindow(window)] as const] : [],
  );
  return known.length > 0 ? Object.fromEntries(known) : undefined;
};

const readWindow = (window: JsonObject): JsonObject => ({
  ...window,
  reset_at: asTime(window.reset_at) ?? null,
  synced_at: asTime(window.synced_at) ?? 0,
  // Elsewhere 0 is a default, 1 real and 2 estimated.
  source: window.source === 1 || window.source === "measured" ? "measured" : "estimated",
});

/** What the row says beside its token. */
export const readFields = (value: JsonObject): Omit<ImportedAccount, "token"> => {
  const fields: Record<string, unknown> = {};
  for (const [target, { kind, names }] of Object.entries(FIELDS)) {
    const found = names.map((name) => readers[kind](value[name])).find((read) => read !== undefined && read !== "");
    const empty = names.some((name) => value[name] === "");
    if (found !== undefined) fields[target] = found;
    else if (empty && kind === "text") fields[target] = "";
  }
  const windows = readWindows(value);
  if (windows) fields.windows = windows;
  for (const [name, content] of Object.entries(value)) {
    if (!ALL_NAMES.has(name) && !DERIVED.has(name)) fields[name] = content;
  }
  const status = typeof value.status === "string" ? (STATUS[value.status] ?? "active") : null;
  const tier = typeof value.tier === "string" ? (TIER[value.tier] ?? null) : null;
  const named = [value.pool, value.token_type].find((name) => typeof name === "string");
  return { pool: typeof named === "string" ? canonicalPool(named) : null, tier, status, fields };
};
