// What the data center says, in both languages. A table.
import { speak } from "../../shared/language.ts";

export const say = speak({
  title: ["Data center", "数据中心"],
  intro: ["What went through the gateway, and what it wrote down.", "网关处理过的请求与日志。"],
  reports: ["Reports", "报表"],
  requests: ["Requests", "请求记录"],
  logs: ["Log files", "日志文件"],
  range: ["Time", "时间范围"],
  range_24h: ["24 hours", "24 小时"],
  range_7d: ["7 days", "7 天"],
  range_30d: ["30 days", "30 天"],
  range_90d: ["90 days", "90 天"],
  total: ["Requests", "请求总数"],
  served: ["Served", "成功"],
  failed: ["Failed", "失败"],
  left: ["Left early", "客户端断开"],
  rate: ["Served well", "成功率"],
  first: ["First words after", "平均首字延迟"],
  took: ["Took on average", "平均耗时"],
  tokensIn: ["Tokens in", "输入 tokens"],
  tokensOut: ["Tokens out", "输出 tokens"],
  pictures: ["Pictures", "图片"],
  clips: ["Clips", "视频"],
  chart: ["Requests over time", "请求趋势"],
  topModels: ["Models", "模型排行"],
  topKeys: ["Keys", "Key 排行"],
  topAccounts: ["Accounts", "账号排行"],
  name: ["Name", "名称"],
  none: ["Nothing in this time.", "此时间段内没有数据。"],
  search: ["Search id, model, key, account, code", "搜索 ID、模型、Key、账号、错误码"],
  outcome: ["Outcome", "结果"],
  anyOutcome: ["Any outcome", "全部结果"],
  outcome_finished: ["finished", "完成"],
  "outcome_client-closed": ["left early", "客户端断开"],
  "outcome_upstream-cut": ["cut by the upstream", "上游中断"],
  outcome_failed: ["failed", "失败"],
  retriedOnly: ["Retried only", "仅显示重试过的"],
  time: ["Time", "时间"],
  model: ["Model", "模型"],
  key: ["Key", "Key"],
  status: ["Status", "状态"],
  duration: ["Took", "耗时"],
  tokens: ["Tokens", "Tokens"],
  more: ["Show more", "加载更多"],
  details: ["Request {id}", "请求 {id}"],
  open: ["Details of {id}", "{id} 的详情"],
  attempts: ["Attempts", "尝试"],
  account: ["Account", "账号"],
  code: ["Code", "错误码"],
  reason: ["Reason", "原因"],
  route: ["Route", "路由"],
  mode: ["Mode", "模式"],
  estimated: ["estimated", "估算"],
  close: ["Close", "关闭"],
  clear: ["Empty the journal", "清空记录"],
  clearText: [
    "All rows about single requests are removed; the sums in the reports stay.",
    "将删除全部单条请求记录，报表汇总数据会保留。",
  ],
  cleared: ["{n} rows removed.", "已删除 {n} 条。"],
  rows: ["{n} rows, {size}", "{n} 条，{size}"],
  file: ["File", "文件"],
  lines: ["Lines", "行数"],
  filter: ["Only lines with…", "仅显示包含…的行"],
  refresh: ["Refresh", "刷新"],
  follow: ["Follow", "自动刷新"],
  noFiles: [
    "No log file is written. Switch log.file_enabled on in the settings.",
    "尚未写入日志文件，可在配置中开启 log.file_enabled。",
  ],
  empty: ["(empty)", "（空）"],
});

/** How requests end, as the journal calls it. */
export const OUTCOMES = ["finished", "client-closed", "upstream-cut", "failed"] as const;
export type Outcome = (typeof OUTCOMES)[number];

export const sayOutcome = (outcome: string): string => {
  const known = OUTCOMES.find((one) => one === outcome);
  return known ? say(`outcome_${known}`) : outcome;
};
