// The settings of the official API as an upstream, and of the choice between it and web accounts. A table, one entry a key.
import { boolean, choice, httpUrl, integer, number, proxyUrl, section, textList } from "../fields.ts";

export const xai = section(
  { en: "Official xAI API", zh: "xAI 官方 API" },
  {
    api_keys: textList([], {
      secret: true,
      help: {
        en: "Keys of the official API (xai-…), beside those added on the page of tokens. A key that leaves this list leaves the pool.",
        zh: "官方 API 密钥（xai-…），与令牌页添加的密钥并存。从此列表移除的密钥也会从池中移除。",
      },
    }),
    base_url: httpUrl("https://api.x.ai/v1", {
      help: {
        en: "Address of the API; a regional host is allowed.",
        zh: "API 地址，可使用区域主机。",
      },
    }),
    proxy_url: proxyUrl({
      help: {
        en: "Proxy for calls to the official API (http, https); empty goes directly.",
        zh: "访问官方 API 所用代理（http、https）；留空则直连。",
      },
    }),
    media_hosts: textList(["imgen.x.ai", "vidgen.x.ai", "imagine-public.x.ai", "assets.grok.com"], {
      help: {
        en: "Hosts from which finished pictures and clips are fetched, beside the API's own; other addresses are refused.",
        zh: "下载成品图片与视频所允许的主机（API 主机除外）；其他地址一律拒绝。",
      },
    }),
    max_inflight: integer(
      64,
      { min: 1, max: 10_000 },
      {
        help: {
          en: "Requests that one key serves at the same time.",
          zh: "单个密钥的并发请求数。",
        },
      },
    ),
    first_byte_timeout: number(
      120,
      { min: 1, max: 3600 },
      {
        unit: "seconds",
        help: {
          en: "Wait for the beginning of a streamed answer.",
          zh: "等待流式回答开始的时间。",
        },
      },
    ),
    stream_timeout: number(
      600,
      { min: 1, max: 3600 },
      {
        unit: "seconds",
        help: {
          en: "Longest silence within a streamed answer; long reasoning sends nothing for minutes.",
          zh: "流式回答中允许的最长静默；长时间推理可能数分钟无输出。",
        },
      },
    ),
    timeout: number(
      300,
      { min: 1, max: 3600 },
      {
        unit: "seconds",
        help: {
          en: "Wait for answers that come in one piece: pictures, speech, listings.",
          zh: "等待一次性返回的回答（图片、语音、列表）的时间。",
        },
      },
    ),
    poll_interval: number(
      1.5,
      { min: 0.01, max: 60 },
      {
        unit: "seconds",
        help: {
          en: "How often a clip in the making is asked after.",
          zh: "查询生成中视频进度的间隔。",
        },
      },
    ),
    models_refresh_minutes: number(
      60,
      { min: 1, max: 10_080 },
      {
        help: {
          en: "How often the models of a key are asked for again.",
          zh: "重新获取密钥可用模型的间隔（分钟）。",
        },
      },
    ),
    daily_budget_usd: number(
      0,
      { min: 0, max: 1_000_000 },
      {
        help: {
          en: "What all callers together may spend in US dollars a day, which begins as keys.reset_offset_minutes says; 0 sets no limit.",
          zh: "所有调用者每天合计可花费的美元（每日起点见 keys.reset_offset_minutes）；0 为不限。",
        },
      },
    ),
    monthly_budget_usd: number(
      0,
      { min: 0, max: 10_000_000 },
      {
        help: {
          en: "The same for a calendar month.",
          zh: "每个自然月合计可花费的美元；0 为不限。",
        },
      },
    ),
  },
);

export const routing = section(
  { en: "Choice of the upstream", zh: "上游选择" },
  {
    prefer: choice(
      "web",
      { choices: ["web", "xai", "cheapest"] },
      {
        help: {
          en: "Who serves a model that web accounts and API keys both have: web accounts first, API keys first, or whatever costs least, which also waits for a busy web account. A name such as xai/grok-4.3 or web/grok-4 decides for itself.",
          zh: "网页账号与 API 密钥都能提供的模型由谁服务：先网页账号、先 API 密钥，或花费最少者（会等待忙碌的网页账号）。也可用 xai/grok-4.3、web/grok-4 这样的名称指定。",
        },
      },
    ),
    failover: boolean(true, {
      help: {
        en: "Go to the other kind when the preferred one cannot serve. Off, a web account's trouble never costs money.",
        zh: "首选一方无法服务时改用另一方。关闭后，网页账号出问题也不会产生费用。",
      },
    }),
  },
);
