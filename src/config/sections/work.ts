// The settings of chats, attachments and stored files: a table, one entry a key.
import { boolean, choice, integer, number, section } from "../fields.ts";

export const chat = section(
  { en: "Chat", zh: "对话" },
  {
    timeout: number(
      120,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: { en: "Longest wait for the upstream's first byte.", zh: "等待上游首字节的最长时间。" },
      },
    ),
    stream_timeout: number(
      90,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: {
          en: "Longest silence between two frames of the upstream; thinking counts as a frame.",
          zh: "上游两帧之间的最长静默时间（思考帧也计入）。",
        },
      },
    ),
    total_timeout: number(
      600,
      { min: 0.05, max: 86_400 },
      {
        unit: "seconds",
        help: { en: "Longest whole answer.", zh: "整个回答的最长时间。" },
      },
    ),
    session_seconds: number(
      3600,
      { min: 0, max: 604_800 },
      {
        unit: "seconds",
        help: {
          en: "How long a conversation comes back to the account that served its last turn; 0 lets every turn go anywhere.",
          zh: "对话在多长时间内继续使用上一轮的账号；0 表示每轮都可使用任意账号。",
        },
      },
    ),
    transport: choice(
      "auto",
      { choices: ["auto", "socket", "rest"] },
      {
        help: {
          en: "How conversations travel: WebSocket, HTTP requests, or whichever works.",
          zh: "对话的传输方式：WebSocket（socket）、HTTP 请求（rest）或自动选择（auto）。",
        },
      },
    ),
    selector: choice(
      "mode_id",
      { choices: ["mode_id", "model_mode"] },
      {
        help: {
          en: "How an HTTP request names the model: by mode (the site since 2026-04) or by the older pair of name and mode.",
          zh: "HTTP 请求如何指定模型：按模式（2026-04 起的站点，mode_id）或旧的名称与模式对（model_mode）。",
        },
      },
    ),
    reasoning_format: choice(
      "reasoning_content",
      { choices: ["reasoning_content", "think_tags", "hidden"] },
      {
        help: {
          en: "Where reasoning appears: in its own field, inside the text between <think> tags, or nowhere.",
          zh: "思考内容的位置：独立字段、正文中的 <think> 标签内，或不返回。",
        },
      },
    ),
    heartbeat_seconds: number(
      15,
      { min: 0.05, max: 300 },
      {
        unit: "seconds",
        help: {
          en: "A silent stream gets a comment line this often, so that proxies keep it open.",
          zh: "静默的流每隔多久发送一次心跳注释，避免被中间代理断开。",
        },
      },
    ),
    commit_grace_seconds: number(
      10,
      { min: 0, max: 120 },
      {
        unit: "seconds",
        help: {
          en: "How long a stream is held back while nothing is visible, so that a failure can still move to another account.",
          zh: "流在没有可见内容时最多暂缓多久，以便失败时仍可更换账号。",
        },
      },
    ),
  },
);

export const asset = section(
  { en: "Attachments and files", zh: "附件与文件" },
  {
    upload_timeout: number(
      60,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: { en: "Longest upload of one attachment to the upstream.", zh: "向上游上传单个附件的最长时间。" },
      },
    ),
    download_timeout: number(
      60,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: { en: "Longest download of one file.", zh: "下载单个文件的最长时间。" },
      },
    ),
    upload_concurrent: integer(
      10,
      { min: 1, max: 1000 },
      {
        help: { en: "Uploads that run at the same time.", zh: "同时进行的上传数。" },
      },
    ),
    download_concurrent: integer(
      20,
      { min: 1, max: 1000 },
      {
        help: {
          en: "Pictures and clips of accounts that are fetched at the same time.",
          zh: "同时从账号下载的图片与视频数。",
        },
      },
    ),
    list_timeout: number(
      60,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: { en: "Longest wait for a page of an account's files.", zh: "等待账号文件列表一页的最长时间。" },
      },
    ),
    delete_timeout: number(
      60,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: { en: "Longest removal of one file from an account.", zh: "从账号删除单个文件的最长时间。" },
      },
    ),
    list_concurrent: integer(
      10,
      { min: 1, max: 1000 },
      {
        help: {
          en: "Accounts whose files are listed or cleared at the same time.",
          zh: "同时列出或清理文件的账号数。",
        },
      },
    ),
    delete_concurrent: integer(
      10,
      { min: 1, max: 1000 },
      {
        help: { en: "Files of one account that are removed at the same time.", zh: "单个账号同时删除的文件数。" },
      },
    ),
    max_download_mb: number(
      32,
      { min: 0.01, max: 2048 },
      {
        unit: "megabytes",
        help: { en: "Largest linked picture or file that is fetched.", zh: "允许抓取的链接图片或文件的最大体积。" },
      },
    ),
    allow_private_urls: boolean(false, {
      help: {
        en: "Let callers link pictures and files on private networks; loopback and cloud metadata stay closed.",
        zh: "允许调用方引用内网地址的图片和文件；本机回环与云元数据地址始终禁止。",
      },
    }),
    max_attachments: integer(
      8,
      { min: 0, max: 100 },
      {
        help: { en: "Pictures and files that one request may carry.", zh: "单个请求可携带的图片和文件数量。" },
      },
    ),
    max_attachments_mb: number(
      64,
      { min: 0.01, max: 2048 },
      {
        unit: "megabytes",
        help: { en: "Size of all attachments of a request together.", zh: "单个请求所有附件的总大小上限。" },
      },
    ),
  },
);

export const cache = section(
  { en: "Stored pictures and clips", zh: "本地图片与视频" },
  {
    enable_auto_clean: boolean(true, {
      help: { en: "Remove the oldest files when the limit is reached.", zh: "达到上限时自动删除最旧的文件。" },
    }),
    limit_mb: number(
      512,
      { min: 1, max: 1_000_000 },
      {
        unit: "megabytes",
        needs: { path: "cache.enable_auto_clean", is: true },
        help: {
          en: "Room for stored pictures and clips together; above it the oldest go, down to 80 %.",
          zh: "本地图片与视频合计的空间上限；超出后从最旧的文件开始删除，直至 80%。",
        },
      },
    ),
    link_seconds: integer(
      0,
      { min: 0, max: 31_536_000 },
      {
        unit: "seconds",
        help: {
          en: "How long a link to a stored file works, by a signature in it; 0 lets links work as long as the file is there. Once set, links without a signature stop working.",
          zh: "本地文件链接的有效时间（链接中带签名）；0 表示文件存在期间一直有效。启用后，不带签名的旧链接失效。",
        },
      },
    ),
    min_free_mb: number(
      200,
      { min: 0, max: 1_000_000 },
      {
        unit: "megabytes",
        help: {
          en: "Space that stays free on the disk: below it old files go first, then nothing more is stored.",
          zh: "磁盘须保留的空间：低于此值时先删除旧文件，仍不足则不再保存新文件。",
        },
      },
    ),
  },
);
