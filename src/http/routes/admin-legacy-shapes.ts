// How the oldest pages see accounts and refusals. Pure. Invariant: a time is in milliseconds, -1 stands for an unknown number,
// and a refusal carries its code both where old and where new clients look.
import type { TokenInfo } from "../../admin/token-info.ts";
import { GatewayError } from "../../core/errors.ts";
import { toOpenAiError } from "../../protocols/errors.ts";
import type { Call } from "../context.ts";

export const TOKEN_POOLS: Readonly<Record<string, string>> = { sso: "ssoBasic", ssoSuper: "ssoSuper" };

/** Words of those pages: expired, exhausted, cooling down, unused, normal. */
const statusText = (info: TokenInfo): string => {
  if (info.status === "expired" || info.status === "disabled") return "失效";
  if (info.status === "cooling") return info.cooldown_reason === "exhausted" ? "额度耗尽" : "冷却中";
  if (info.quota === 0) return "额度耗尽";
  return info.quota_known ? "正常" : "未使用";
};

const limitReason = (info: TokenInfo): "cooldown" | "exhausted" | "" => {
  if (info.status === "cooling") return info.cooldown_reason === "exhausted" ? "exhausted" : "cooldown";
  return info.status === "active" && info.quota === 0 ? "exhausted" : "";
};

export const legacyRow = (info: TokenInfo) => ({
  token: info.token,
  token_type: info.token_type,
  created_time: info.created_at,
  remaining_queries: info.quota,
  heavy_remaining_queries: info.heavy_quota,
  status: statusText(info),
  tags: info.tags,
  note: info.note,
  cooldown_until: info.cooldown_until,
  cooldown_remaining: info.cooldown_remaining,
  last_failure_time: info.last_fail_at,
  last_failure_reason: info.last_fail_reason,
  limit_reason: limitReason(info),
});

export const legacyCounts = (infos: readonly TokenInfo[]) => {
  const count = (...texts: string[]) => infos.filter((info) => texts.includes(statusText(info))).length;
  return {
    total: infos.length,
    unused: count("未使用"),
    limited: count("冷却中", "额度耗尽"),
    cooldown: count("冷却中"),
    exhausted: count("额度耗尽"),
    expired: count("失效"),
    active: count("正常"),
  };
};

/** Runs a handler whose refusals the oldest pages can read; `code` is their name for its failure. */
export const legacy =
  (code: string, handle: (call: Call) => Response | Promise<Response>) =>
  async (call: Call): Promise<Response> => {
    try {
      return await handle(call);
    } catch (thrown) {
      if (!(thrown instanceof GatewayError) || thrown.code === "client_closed") throw thrown;
      call.record.error = thrown;
      const { status, body, headers } = toOpenAiError(thrown);
      const { message } = body.error;
      const detail = { error: message, code };
      return Response.json({ success: false, message, detail, ...body }, { status, headers });
    }
  };
