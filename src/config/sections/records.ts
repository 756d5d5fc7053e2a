// The settings of keys handed out to clients, of the journal of requests, of log files and of metrics: a table, one entry a key.
import { addressList, boolean, integer, number, section, text } from "../fields.ts";

export const keys = section(
  { en: "Client keys", zh: "客户端密钥" },
  {
    reset_offset_minutes: integer(
      480,
      { min: -720, max: 840 },
      {
        env: "CACHE_RESET_TZ_OFFSET_MINUTES",
        help: {
          en: "Minutes that the day of daily limits and daily reports is ahead of UTC; 480 is UTC+8.",
          zh: "每日限额与日报所用时区相对 UTC 的分钟数；480 即 UTC+8。",
        },
      },
    ),
    hold_output_tokens: integer(
      1000,
      { min: 0, max: 1_000_000 },
      {
        unit: "tokens",
        help: {
          en: "Tokens held for an answer whose length the request does not limit, while it runs, where the key has a token limit.",
          zh: "密钥设有令牌限额而请求未限制输出长度时，回答进行期间预留的令牌数。",
        },
      },
    ),
  },
);

export const journal = section(
  { en: "Journal and reports", zh: "请求日志与统计" },
  {
    enabled: boolean(true, {
      help: {
        en: "Keep one row for each API request (never its content); reports are made from them.",
        zh: "为每个 API 请求记录一行（不含内容），统计由此生成。",
      },
    }),
    retention_days: number(
      30,
      { min: 0.01, max: 3650 },
      {
        help: { en: "Days that the rows of requests are kept.", zh: "请求记录的保留天数。" },
      },
    ),
    max_mb: number(
      512,
      { min: 1, max: 1_000_000 },
      {
        unit: "megabytes",
        help: {
          en: "Space that the rows may take, about; the oldest go first.",
          zh: "请求记录大约可占用的空间，超出后先删除最旧的。",
        },
      },
    ),
    hourly_days: integer(
      14,
      { min: 1, max: 3650 },
      {
        help: { en: "Days that hourly totals are kept.", zh: "按小时汇总的保留天数。" },
      },
    ),
    daily_days: integer(
      400,
      { min: 1, max: 36_500 },
      {
        help: { en: "Days that daily totals are kept.", zh: "按天汇总的保留天数。" },
      },
    ),
  },
);

export const log = section(
  { en: "Log files", zh: "日志文件" },
  {
    file_enabled: boolean(false, {
      env: "LOG_FILE_ENABLED",
      help: {
        en: "Write log lines to files as well as to standard error.",
        zh: "除标准错误外，同时将日志写入文件。",
      },
    }),
    dir: text("", {
      env: "LOG_DIR",
      restart: true,
      needs: { path: "log.file_enabled", is: true },
      help: {
        en: "Folder of the log files; empty is logs in the data folder.",
        zh: "日志文件目录；留空为数据目录下的 logs。",
      },
    }),
    max_file_size_mb: number(
      20,
      { min: 0.001, max: 10_000 },
      {
        unit: "megabytes",
        needs: { path: "log.file_enabled", is: true },
        help: { en: "A file of this size is closed and a new one begun.", zh: "单个日志文件达到该大小后换新文件。" },
      },
    ),
    max_files: integer(
      7,
      { min: 1, max: 1000 },
      {
        needs: { path: "log.file_enabled", is: true },
        help: { en: "Log files kept; the oldest go first.", zh: "保留的日志文件数，先删除最旧的。" },
      },
    ),
  },
);

export const metrics = section(
  { en: "Metrics", zh: "监控指标" },
  {
    enabled: boolean(true, {
      help: { en: "Serve GET /metrics for Prometheus.", zh: "提供 Prometheus 使用的 GET /metrics。" },
    }),
    token: text("", {
      secret: true,
      needs: { path: "metrics.enabled", is: true },
      help: {
        en: "Bearer token for GET /metrics; the admin password works as well.",
        zh: "访问 GET /metrics 的 Bearer 令牌；管理员密码同样可用。",
      },
    }),
    allow: addressList([], {
      needs: { path: "metrics.enabled", is: true },
      help: {
        en: "Addresses or ranges that may read GET /metrics without a token.",
        zh: "无需令牌即可读取 GET /metrics 的地址或网段。",
      },
    }),
  },
);
