// The settings of the program itself and of the API that it serves: a table, one entry a key.
import {
  addressList,
  boolean,
  choice,
  httpUrl,
  integer,
  longText,
  number,
  originList,
  section,
  text,
  textList,
} from "../fields.ts";

export const server = section(
  { en: "Server", zh: "服务" },
  {
    host: text("0.0.0.0", {
      env: "SERVER_HOST",
      restart: true,
      help: {
        en: "Address to listen on; 127.0.0.1 keeps it to this machine.",
        zh: "监听地址；127.0.0.1 表示仅本机可访问。",
      },
    }),
    port: integer(
      8000,
      { min: 0, max: 65535 },
      {
        env: "SERVER_PORT",
        restart: true,
        help: { en: "Port to listen on; 0 picks a free one.", zh: "监听端口；0 表示自动选择空闲端口。" },
      },
    ),
    data_dir: text("./data", {
      env: "DATA_DIR",
      restart: true,
      startup: true,
      help: {
        en: "Folder of the database and the media files; must be writable.",
        zh: "数据库与媒体文件所在目录，必须可写。",
      },
    }),
    log_level: choice(
      "info",
      {
        choices: ["debug", "info", "warn", "error"],
        aliases: { trace: "debug", warning: "warn", critical: "error", fatal: "error" },
      },
      {
        env: "LOG_LEVEL",
        help: { en: "The least important kind of line that is logged.", zh: "日志的最低级别。" },
      },
    ),
    grace_seconds: number(
      20,
      { min: 0, max: 3600 },
      {
        unit: "seconds",
        help: { en: "How long a stop waits for running answers to end.", zh: "停止服务时等待进行中的回答结束的时间。" },
      },
    ),
    max_streams: integer(
      800,
      { min: 1, max: 65535 },
      {
        help: {
          en: "Generations served at the same time; further ones are answered with 503 and Retry-After.",
          zh: "同时处理的生成请求数上限；超出的请求返回 503 和 Retry-After。",
        },
      },
    ),
    trusted_proxies: addressList(
      ["127.0.0.0/8", "::1", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"],
      {
        help: {
          en: "Reverse proxies whose X-Forwarded-* headers are believed; addresses or ranges.",
          zh: "可信反向代理（采信其 X-Forwarded-* 请求头），填写地址或网段。",
        },
      },
    ),
    cors_origins: originList(["*"], {
      help: {
        en: "Web pages of these origins may call the API from a browser; * means any. The admin API never answers foreign pages.",
        zh: "允许从浏览器跨域调用 API 的来源；* 表示任意。管理接口从不接受跨域。",
      },
    }),
    max_body_mb: number(
      32,
      { min: 0.01, max: 1024 },
      {
        unit: "megabytes",
        help: { en: "Largest request body that is accepted.", zh: "允许的最大请求体。" },
      },
    ),
  },
);

export const app = section(
  { en: "Application", zh: "应用" },
  {
    app_url: httpUrl("", {
      help: {
        en: "Public address of this gateway, for links to files; empty takes it from each request. A path at its end is also taken off requests, for proxies that leave it on.",
        zh: "网关的公开地址，用于生成文件链接；留空则取自请求。若以路径结尾，还会从请求路径中去除该前缀（用于保留前缀的反向代理）。",
      },
    }),
    app_key: text("", {
      secret: true,
      help: {
        en: "Admin password set by the operator; empty uses the one made at the first start.",
        zh: "管理员密码；留空则使用首次启动时生成的密码。",
      },
    }),
    admin_username: text("", {
      help: { en: "Admin user name; empty accepts any.", zh: "管理员用户名；留空则不校验。" },
    }),
    api_key: textList([], {
      secret: true,
      help: {
        en: "Keys that callers of /v1 must present; empty leaves the API open.",
        zh: "调用 /v1 所需的密钥（可多个）；留空则接口开放。",
      },
    }),
    public_enabled: boolean(false, {
      help: {
        en: "Serve the playground: the pages /chat, /imagine, /video and /voice, and /v1/public. Also opens /v1, see public_bypass_api_key.",
        zh: "启用体验页面（/chat、/imagine、/video、/voice 与 /v1/public）。同时会开放 /v1，参见 public_bypass_api_key。",
      },
    }),
    public_key: text("", {
      secret: true,
      needs: { path: "app.public_enabled", is: true },
      help: {
        en: "Password of the playground; empty leaves it open to everybody while public_enabled is on.",
        zh: "体验页面的密码；留空则在 public_enabled 开启时对所有人开放。",
      },
    }),
    public_bypass_api_key: boolean(true, {
      needs: { path: "app.public_enabled", is: true },
      help: {
        en: "While public_enabled is on, /v1 takes requests without an API key, as earlier programs did; false keeps asking for one.",
        zh: "public_enabled 开启时，/v1 不再要求 API 密钥（与早期程序一致）；设为 false 则仍须密钥。",
      },
    }),
    image_format: choice(
      "url",
      { choices: ["url", "base64", "b64_json"] },
      {
        help: {
          en: "How pictures are returned when the request does not say; base64 and b64_json mean the same.",
          zh: "请求未指定时图片的返回形式；base64 与 b64_json 等价。",
        },
      },
    ),
    video_format: choice(
      "url",
      { choices: ["url", "html", "markdown"] },
      {
        help: {
          en: "What a chat answer shows of a clip: its address, a <video> element, or a markdown link.",
          zh: "对话回答中视频的形式：链接地址、<video> 元素或 Markdown 链接。",
        },
      },
    ),
    temporary: boolean(true, {
      help: {
        en: "Conversations are temporary: they do not appear in the account's history.",
        zh: "使用临时对话，不进入账号历史记录。",
      },
    }),
    disable_memory: boolean(true, {
      help: { en: "The account's memory of earlier conversations is not used.", zh: "不使用账号的记忆功能。" },
    }),
    thinking: boolean(true, {
      help: { en: "Reasoning text is delivered when the request does not say.", zh: "请求未指定时是否返回思考内容。" },
    }),
    dynamic_statsig: boolean(true, {
      help: {
        en: "Sends a random x-statsig-id instead of the fixed one. The site has refused such values since 2026-06; the chat socket needs none.",
        zh: "发送随机的 x-statsig-id 而非固定值。自 2026-06 起站点可能拒绝这类值；聊天 WebSocket 不需要它。",
      },
    }),
    x_statsig_id: text(
      "ZTpUeXBlRXJyb3I6IENhbm5vdCByZWFkIHByb3BlcnRpZXMgb2YgdW5kZWZpbmVkIChyZWFkaW5nICdjaGlsZE5vZGVzJyk=",
      {
        needs: { path: "app.dynamic_statsig", is: false },
        help: {
          en: "The fixed x-statsig-id, used when dynamic_statsig is off. The site may refuse it.",
          zh: "固定的 x-statsig-id，在 dynamic_statsig 关闭时使用。站点可能拒绝它。",
        },
      },
    ),
    filter_tags: textList(["xaiartifact", "xai:tool_usage_card", "grok:render"], {
      help: { en: "Tags of the site's own markup that are removed from answers.", zh: "从回答中去除的站点自有标签。" },
    }),
    custom_instruction: longText("", {
      help: { en: "Standing instruction added to every conversation.", zh: "附加到每个对话的固定指令。" },
    }),
  },
);

const endpoint = (name: string) =>
  boolean(true, {
    help: { en: `Serve ${name}; switched off, it answers 404.`, zh: `启用 ${name}；关闭后返回 404。` },
  });

export const downstream = section(
  { en: "Endpoints", zh: "下游接口" },
  {
    enable_chat_completions: endpoint("/v1/chat/completions"),
    enable_responses: endpoint("/v1/responses"),
    enable_messages: endpoint("/v1/messages"),
    enable_models: endpoint("/v1/models"),
    enable_images: endpoint("/v1/images/*"),
    enable_images_nsfw: endpoint("/v1/images/generations/nsfw"),
    enable_videos: endpoint("/v1/videos"),
    enable_audio: endpoint("/v1/audio/*, /v1/tts, /v1/stt, /v1/realtime and /v1/public/voice/*"),
    enable_files: endpoint("/v1/files"),
  },
);
