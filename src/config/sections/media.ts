// The settings of pictures and clips: a table, one entry a key.
import { boolean, choice, integer, number, section } from "../fields.ts";

export const image = section(
  { en: "Pictures", zh: "图片" },
  {
    method: choice(
      "imagine_ws",
      {
        choices: ["imagine_ws", "legacy"],
        aliases: {
          imagine_ws_experimental: "imagine_ws",
          experimental: "imagine_ws",
          new: "imagine_ws",
          new_method: "imagine_ws",
        },
      },
      {
        help: {
          en: "How pictures are drawn: over the site's picture socket, or inside a chat (legacy). When the socket cannot be had, the chat serves.",
          zh: "绘图方式：站点的图片 WebSocket（imagine_ws）或在对话中绘制（legacy）。WebSocket 不可用时自动使用对话方式。",
        },
      },
    ),
    timeout: number(
      60,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: { en: "Longest wait for the first sign of a picture.", zh: "等待首个图片信号的最长时间。" },
      },
    ),
    stream_timeout: number(
      60,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: { en: "Longest silence of the upstream while it draws.", zh: "绘图过程中上游的最长静默时间。" },
      },
    ),
    final_timeout: number(
      30,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: {
          en: "Longest silence after the previews, before the finished pictures. A value that is too short looks like failing prompts.",
          zh: "预览之后、成品之前的最长静默时间。过短会表现为绘图失败。",
        },
      },
    ),
    total_timeout: number(
      300,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: { en: "Longest whole request for pictures.", zh: "整个绘图请求的最长时间。" },
      },
    ),
    default_count: integer(
      4,
      { min: 1, max: 4 },
      {
        help: {
          en: "Pictures of a request to /v1/images/generations/nsfw that does not say how many.",
          zh: "/v1/images/generations/nsfw 未指定数量时的图片数。",
        },
      },
    ),
    sso_daily_limit: integer(
      10,
      { min: 0, max: 10_000 },
      {
        help: {
          en: "Adult requests that one account serves within 24 hours; 0 means no limit.",
          zh: "单个账号 24 小时内可服务的成人内容请求数；0 表示不限。",
        },
      },
    ),
    nsfw: boolean(false, {
      help: {
        en: "Requests that do not say may draw adult content, on accounts with the tag nsfw only.",
        zh: "请求未指定时是否允许成人内容；仅对带 nsfw 标签的账号生效。",
      },
    }),
    final_min_bytes: integer(
      100_000,
      { min: 0, max: 100_000_000 },
      {
        help: {
          en: "The playground's filter hides pictures smaller than this.",
          zh: "体验页面的过滤器会隐藏小于该大小的图片。",
        },
      },
    ),
    medium_min_bytes: integer(
      30_000,
      { min: 0, max: 100_000_000 },
      {
        help: {
          en: "Size from which the playground takes a picture for more than a preview.",
          zh: "体验页面将不小于该大小的图片视为非预览图。",
        },
      },
    ),
  },
);

export const video = section(
  { en: "Clips", zh: "视频" },
  {
    timeout: number(
      60,
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
        help: { en: "Longest silence of the upstream while it films.", zh: "生成视频过程中上游的最长静默时间。" },
      },
    ),
    total_timeout: number(
      900,
      { min: 0.05, max: 86_400 },
      {
        unit: "seconds",
        help: { en: "Longest making of one clip.", zh: "生成单个视频的最长时间。" },
      },
    ),
    upscale_timeout: number(
      180,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: {
          en: "Longest enlargement of a clip to 720p; after it the clip is delivered as it is.",
          zh: "将视频放大到 720p 的最长时间；超时则交付原视频。",
        },
      },
    ),
    concurrent: integer(
      20,
      { min: 1, max: 1000 },
      {
        help: {
          en: "Jobs of /v1/videos that run at the same time; further ones wait as queued.",
          zh: "/v1/videos 同时运行的任务数；超出的任务排队等待。",
        },
      },
    ),
    max_queued: integer(
      200,
      { min: 0, max: 100_000 },
      {
        help: {
          en: "Jobs that may wait; further ones are refused with 503.",
          zh: "允许排队的任务数；超出时返回 503。",
        },
      },
    ),
    keep_hours: number(
      168,
      { min: 0.01, max: 87_600 },
      {
        unit: "hours",
        help: {
          en: "Ended jobs are forgotten after this time; their files follow the rules of the cache section.",
          zh: "已结束的任务保留时间；其文件遵循 cache 部分的规则。",
        },
      },
    ),
    resume_timeout: number(
      300,
      { min: 0, max: 86_400 },
      {
        unit: "seconds",
        help: {
          en: "How long a job that a restart interrupted is looked for at the upstream before it counts as failed.",
          zh: "重启后在上游查找中断任务成品的最长时间，超时则视为失败。",
        },
      },
    ),
  },
);
