// The shapes in which pages of earlier gateways read about stored and remote files. Pure.
// Invariant: sizes in megabytes have two decimals, and no field that a page knows is ever missing.
import type { AccountFacts, AssetLoad, ClearOutcome, ClearResult } from "../../admin/assets.ts";
import type { KindTotals, MediaItem, MediaUse } from "../../admin/media.ts";
import { mediaLink } from "../../media/links.ts";

const MEGABYTE = 1024 * 1024;

const twoDecimals = (value: number): number => Math.round(value * 100) / 100;

export const megabytes = (bytes: number): number => twoDecimals(bytes / MEGABYTE);

/** As people read it. */
export const humanSize = (bytes: number): string => {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${step === 0 ? bytes : (bytes / 1024 ** step).toFixed(1)} ${units[step] ?? "B"}`;
};

export const totalsShape = ({ count, bytes }: KindTotals) => ({ count, size_mb: megabytes(bytes), size_bytes: bytes });

const kindShape = (totals: KindTotals, limitBytes: number | null) => {
  const ratio = limitBytes === null || limitBytes === 0 ? 0 : totals.bytes / limitBytes;
  return {
    ...totalsShape(totals),
    limited: limitBytes !== null,
    limit_bytes: limitBytes ?? 0,
    limit_mb: megabytes(limitBytes ?? 0),
    usage_ratio: twoDecimals(ratio * 100) / 100,
    usage_percent: twoDecimals(ratio * 100),
  };
};

/** The limit is one for both kinds together. */
export const localShape = ({ image, video, limitBytes }: MediaUse) => ({
  local_image: kindShape(image, limitBytes),
  local_video: kindShape(video, limitBytes),
});

/** `query` is what the address needs beside the name while links end. */
export const itemShape = ({ kind, name, bytes, modifiedMs, preview }: MediaItem, query: (name: string) => string) => ({
  name,
  size_bytes: bytes,
  mtime_ms: modifiedMs,
  modified_at: modifiedMs / 1000,
  view_url: mediaLink("", { kind, name }) + query(name),
  ...(preview === null ? {} : { preview_url: mediaLink("", { kind: "image", name: preview }) + query(preview) }),
});

/** Longer than elsewhere: pages tell accounts apart by it. */
const maskWide = (token: string): string => (token.length > 24 ? `${token.slice(0, 8)}...${token.slice(-16)}` : token);
export const maskPair = (token: string): string =>
  token.length > 20 ? `${token.slice(0, 8)}...${token.slice(-8)}` : token;

const accountShape = ({ token, last_asset_clear_at }: AccountFacts) => ({
  token,
  token_masked: maskWide(token),
  last_asset_clear_at,
});

const statusOf = ({ error }: AssetLoad): string => (error === null ? "ok" : `error: ${error}`);

export type OnlineScope = "none" | "single" | "selected" | "all";

export interface OnlineView {
  readonly scope: OnlineScope;
  readonly accounts: readonly AccountFacts[];
  readonly loads: readonly AssetLoad[];
  readonly warning: string | null;
}

/** What is said of all accounts that were asked together. */
const overall = ({ accounts, loads, scope }: OnlineView): string => {
  if (accounts.length === 0) return "no_token";
  if (scope === "none") return "not_loaded";
  const [first] = loads;
  if (!first) return "unknown";
  return loads.some(({ error }) => error === null) ? "ok" : statusOf(first);
};

export const onlineShape = (view: OnlineView) => {
  const { scope, accounts, loads, warning } = view;
  const single = scope === "single" ? loads[0]?.account : undefined;
  return {
    online: {
      count: loads.reduce((sum, { assets }) => sum + assets.length, 0),
      status: overall(view),
      ...(single ? accountShape(single) : { token: null, last_asset_clear_at: null }),
    },
    online_accounts: accounts.map((account) => ({
      ...accountShape(account),
      pool: account.pool,
      status: account.status,
    })),
    online_scope: scope,
    online_details: loads.map((load) => ({
      ...accountShape(load.account),
      count: load.assets.length,
      status: statusOf(load),
    })),
    ...(warning === null ? {} : { warning }),
  };
};

export const clearedShape = ({ result, error }: ClearResult) =>
  result !== null && error === null
    ? { status: "success", result }
    : { status: "error", error: error ?? "unknown", ...(result === null ? {} : { result }) };

export const byToken = (results: readonly ClearResult[]) =>
  Object.fromEntries(results.map((one) => [one.account.token, clearedShape(one)]));

export const NOTHING: ClearOutcome = { total: 0, success: 0, failed: 0 };
