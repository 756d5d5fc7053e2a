// What a person can do about an answer that did not come, by the code of the failure. A table and its reading.
// Invariant: every failure has something to do next; what only the operator can mend is said to be so.
import { speak } from "../../shared/language.ts";
import type { Problem } from "./conversation.ts";

const say = speak({
  connection: ["Check the connection, then try again.", "请检查网络连接后重试。"],
  wait: ["Too much was asked in a short time. Wait a little, then try again.", "请求过于频繁，请稍候再试。"],
  account: [
    "No account is free for this model right now. Try another model or try again later; whoever runs this gateway sees the reason under Tokens.",
    "当前没有可用于该模型的账号。请换一个模型或稍后重试；网关管理员可在 Token 页面查看原因。",
  ],
  model: ["Choose another model in the list above.", "请在上方列表中换一个模型。"],
  long: ["Start a new chat, or delete earlier messages of this one.", "请开始新对话，或删除较早的消息。"],
  policy: [
    "The model declined on content grounds. Word the question differently.",
    "模型因内容政策拒绝回答，请换一种问法。",
  ],
  files: ["Attach fewer or smaller files and ask again.", "请减少附件数量或大小后重新提问。"],
  off: ["Whoever runs this gateway has switched this off.", "网关管理员已关闭此功能。"],
  key: ["The key is no longer accepted. Enter it again.", "密钥已失效，请重新输入。"],
  settings: [
    "Look at the settings of this conversation; the message names what is wrong.",
    "请检查此对话的设置，错误信息中说明了原因。",
  ],
  again: ["That is usually over soon. Try again.", "这通常是暂时的，请重试。"],
  operator: ["Try again; if it stays, tell whoever runs this gateway.", "请重试；若仍然出现，请告知网关管理员。"],
});

type Advice = Parameters<typeof say>[0];
/** What a button can do about it, beside asking again. */
export type Remedy = "model" | "new" | null;

const BY_CODE: Readonly<Record<string, Advice>> = {
  unreachable: "connection",
  upstream_cut: "connection",
  no_available_account: "account",
  account_quota: "account",
  account_auth: "account",
  account_blocked: "account",
  account_no_credits: "account",
  upstream_rate_limited: "wait",
  rate_limit_exceeded: "wait",
  concurrency_limit_exceeded: "wait",
  server_overloaded: "wait",
  too_many_attempts: "wait",
  model_not_found: "model",
  model_not_allowed: "model",
  model_not_supported: "model",
  account_model_denied: "model",
  unsupported_value: "model",
  context_too_long: "long",
  content_policy_violation: "policy",
  request_too_large: "files",
  file_too_large: "files",
  too_many_attachments: "files",
  unsupported_media_type: "files",
  endpoint_disabled: "off",
  route_not_found: "off",
  missing_api_key: "key",
  invalid_api_key: "key",
  egress_blocked: "operator",
  egress_rejected_signature: "operator",
  egress_unreachable: "operator",
  storage_full: "operator",
  internal_error: "operator",
};

const keyOf = ({ code, status }: Problem): Advice => BY_CODE[code] ?? (status === 400 ? "settings" : "again");

export const adviceFor = (problem: Problem): { text: string; remedy: Remedy } => {
  const key = keyOf(problem);
  return { text: say(key), remedy: key === "model" || key === "account" ? "model" : key === "long" ? "new" : null };
};
