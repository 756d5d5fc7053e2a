// The settings of the playground and of voice sessions: a table, one entry a key.
import { integer, number, section, spelledText } from "../fields.ts";

export const playground = section(
  { en: "Playground", zh: "体验页面" },
  {
    max_runs: integer(
      3,
      { min: 1, max: 100 },
      {
        help: {
          en: "Picture runs, and clips, that one visitor (address) of the playground may have going at once.",
          zh: "单个访客（按地址）同时进行的绘图任务数，以及视频任务数。",
        },
      },
    ),
    run_seconds: number(
      1800,
      { min: 0.1, max: 86_400 },
      {
        unit: "seconds",
        help: {
          en: "Longest picture run: it ends after this time even when the page stays open.",
          zh: "单次连续绘图的最长时间；到时即使页面未关闭也会停止。",
        },
      },
    ),
  },
);

const socketAddress = (value: string): string | null => {
  const trimmed = value.trim().replace(/\/+$/, "");
  return /^wss?:$/.test(URL.canParse(trimmed) ? new URL(trimmed).protocol : "") ? trimmed : null;
};

export const voice = section(
  { en: "Voice", zh: "语音" },
  {
    timeout: number(
      60,
      { min: 0.05, max: 3600 },
      {
        unit: "seconds",
        help: { en: "Longest wait for the token of a voice session.", zh: "获取语音会话令牌的最长时间。" },
      },
    ),
    livekit_url: spelledText(
      "wss://livekit.grok.com",
      { allowed: "an address that begins with ws:// or wss://", tidy: socketAddress },
      {
        help: {
          en: "LiveKit server that the browser joins for a voice session.",
          zh: "浏览器建立语音会话时连接的 LiveKit 服务器。",
        },
      },
    ),
  },
);
