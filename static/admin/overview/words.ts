// What the first page says, in both languages. A table.
import { speak } from "../../shared/language.ts";

export const say = speak({
  title: ["Overview", "概览"],
  intro: ["What needs a hand, and how the gateway stands.", "需要处理的事项与网关当前状态。"],
  allWell: ["Nothing needs a hand.", "一切正常，无需处理。"],
  noAccounts: [
    "There are no accounts: no request can be answered. Add a web session, or a key of the official API.",
    "还没有账号，无法应答任何请求。请添加网页会话或官方 API 密钥。",
  ],
  noActive: [
    "No account is active: no request can be answered now. Renew a web session, or add a key of the official API.",
    "没有正常的账号，目前无法应答请求。请更新网页会话或添加官方 API 密钥。",
  ],
  manyCooling: ["More than half of the accounts are resting.", "超过一半的账号正在冷却。"],
  open: [
    "No API key is set: anybody who reaches this address can use the API.",
    "未设置任何 API Key：能访问此地址的人都可以使用 API。",
  ],
  restart: ["Waiting for a restart: {keys}", "等待重启生效：{keys}"],
  elsewhere: [
    "Links to files begin with {set}, but this page was reached under {here}. Change app.app_url, or leave it empty.",
    "文件链接以 {set} 开头，而本页通过 {here} 访问。请修改 app.app_url 或将其留空。",
  ],
  passwordKnown: [
    "app.app_key is a password that everybody knows; change it.",
    "app.app_key 是众所周知的密码，请尽快修改。",
  ],
  passwordShort: [
    "app.app_key is shorter than 8 characters; choose a longer one.",
    "app.app_key 短于 8 个字符，请改用更长的密码。",
  ],
  now: ["Running now", "正在处理"],
  ok: ["ok", "正常"],
  noDatabase: ["the database does not answer", "数据库无响应"],
  noUsable: ["the pool has no usable account", "号池中没有可用账号"],
  files: ["Stored files", "缓存文件"],
  filesAre: ["Pictures {images}, clips {videos}, {size}", "图片 {images}，视频 {videos}，{size}"],
  component_accounts: ["Accounts", "账号"],
  component_storage: ["Storage", "存储"],
  toTokens: ["Tokens", "Token 管理"],
  toConfig: ["Settings", "配置"],
  toKeys: ["API keys", "API Key"],
  pool: ["Accounts", "账号"],
  active: ["Active", "正常"],
  cooling: ["Cooling", "冷却中"],
  expired: ["Expired", "已失效"],
  disabled: ["Switched off", "已禁用"],
  quota: ["Calls left", "剩余次数"],
  quotaUnknown: ["{n} unknown", "{n} 个未知"],
  pools: ["Pools", "号池"],
  apiKeys: ["Official API", "官方 API"],
  keysUsable: ["Usable", "可用"],
  keysResting: ["Resting", "冷却中"],
  noCredits: ["Out of credits", "余额不足"],
  keysInvalid: ["Expired or switched off", "已失效或已禁用"],
  teams: ["Teams", "团队"],
  spent: ["Spent in 24 hours", "24 小时花费"],
  noKeys: [
    "No key of the official API is in the pool. Keys from xAI's console (xai-…) serve every endpoint, with or without web sessions, and cost money by use.",
    "号池中没有官方 API 密钥。xAI 控制台的密钥（xai-…）可服务所有接口，不依赖网页会话，按用量计费。",
  ],
  creditsOut: ["Out of credits at xAI: {n} of {all} API keys.", "余额不足的 API 密钥：{n} / {all}。"],
  state: ["Gateway", "网关"],
  ready: ["Ready", "就绪"],
  yes: ["yes", "是"],
  no: ["no", "否"],
  version: ["Version", "版本"],
  uptime: ["Up for", "已运行"],
  day: ["The last 24 hours", "最近 24 小时"],
  requests: ["Requests", "请求数"],
  success: ["Served well", "成功率"],
  firstByte: ["First words after", "平均首字延迟"],
  tokensOut: ["Tokens out", "输出 tokens"],
  chart: ["Requests by hour", "每小时请求数"],
  served: ["served", "成功"],
  failed: ["failed", "失败"],
  calling: ["Calling the API", "调用 API"],
  base: ["Base address", "接口地址"],
});

/** The parts that readiness names; a new one keeps its own name. */
export const sayComponent = (name: string): string =>
  name === "accounts" || name === "storage" ? say(`component_${name}`) : name;

export const NO_USABLE = "the pool has no usable account";

/** The same for what readiness says of a part. */
export const sayState = (state: string): string => {
  if (state === "ok") return say("ok");
  if (state === "the database does not answer") return say("noDatabase");
  return state === NO_USABLE ? say("noUsable") : state;
};
