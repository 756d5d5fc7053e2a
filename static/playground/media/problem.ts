// What went wrong with pictures, clips and voice, and what a person can do about it, by the code of the failure.
// Invariant: every failure has something to do next; what only the operator can mend is said to be so.
import { ApiError, messageOf } from "../../shared/api.ts";
import { speak } from "../../shared/language.ts";

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly status: number;
}

/** The page's own code: the connection broke while something was told. */
const CUT = "upstream_cut";

export const problemOf = (thrown: unknown): Problem => {
  if (thrown instanceof ApiError) {
    const { code, message, status } = thrown;
    return { code, message, status };
  }
  return { code: CUT, message: thrown instanceof Error ? thrown.message : String(thrown), status: 0 };
};

export const cutShort = (): ApiError =>
  new ApiError("The connection to the gateway broke.", { status: 0, code: CUT, param: null });

/** A failure that was told inside a stream, in the shape of the API or of the playground's own frames. */
export const toldProblem = (frame: Readonly<Record<string, unknown>>): ApiError => {
  const inner = frame["error"];
  const fields = typeof inner === "object" && inner !== null ? (inner as Record<string, unknown>) : frame;
  const [message, code] = [fields["message"], fields["code"]];
  return new ApiError(typeof message === "string" ? message : "unknown", {
    status: 0,
    code: typeof code === "string" ? code : "unknown",
    param: null,
  });
};

const say = speak({
  connection: ["Check the connection, then try again.", "请检查网络连接后重试。"],
  wait: ["Wait a little, then try again.", "请稍候再试。"],
  account: [
    "No account is free for this right now. Try again later; whoever runs this gateway sees the reason under Tokens.",
    "当前没有可用的账号，请稍后重试；网关管理员可在 Token 页面查看原因。",
  ],
  runs: ["Stop something that runs, here or in another tab, then try again.", "请先停止此处或其他标签页中的任务再试。"],
  policy: ["Word the prompt differently, or use another picture.", "请修改提示词，或换一张图片。"],
  prompt: ["Change what the message names, then try again.", "请按提示修改后重试。"],
  files: ["Use fewer or smaller pictures.", "请减少图片数量或换用更小的图片。"],
  off: ["Whoever runs this gateway has switched this off.", "网关管理员已关闭此功能。"],
  key: ["Enter the playground's key again.", "请重新输入访问密钥。"],
  gone: ["Start it anew.", "请重新开始。"],
  again: ["That is usually over soon. Try again.", "这通常是暂时的，请重试。"],
  operator: ["Try again; if it stays, tell whoever runs this gateway.", "请重试；若仍然出现，请告知网关管理员。"],
});

type Advice = Parameters<typeof say>[0];

const BY_CODE: Readonly<Record<string, Advice>> = {
  unreachable: "connection",
  upstream_cut: "connection",
  no_available_account: "account",
  account_quota: "account",
  account_auth: "account",
  account_blocked: "account",
  no_token: "account",
  rate_limit_exceeded: "account",
  upstream_rate_limited: "wait",
  server_overloaded: "wait",
  too_many_attempts: "wait",
  concurrency_limit_exceeded: "runs",
  content_policy_violation: "policy",
  adult_with_picture: "policy",
  request_too_large: "files",
  file_too_large: "files",
  too_many_attachments: "files",
  unsupported_media_type: "files",
  invalid_media: "files",
  endpoint_disabled: "off",
  permission_denied: "off",
  route_not_found: "off",
  missing_api_key: "key",
  invalid_api_key: "key",
  task_not_found: "gone",
  egress_blocked: "operator",
  egress_rejected_signature: "operator",
  egress_unreachable: "operator",
  storage_full: "operator",
};

/** Asking again in the same words would be answered the same. */
export const isFinal = ({ code, status }: Problem): boolean =>
  status === 400 || ["off", "key", "policy"].includes(BY_CODE[code] ?? "");

export const adviceFor = ({ code, status }: Problem): string =>
  say(BY_CODE[code] ?? (status === 400 ? "prompt" : code === "internal_error" ? "operator" : "again"));

/** In the page's language where the code is known. */
export const wordsOf = (problem: Problem): string =>
  messageOf(new ApiError(problem.message, { ...problem, param: null }));
