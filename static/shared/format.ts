// Numbers, times and sizes as people of the chosen language read them. Pure but for the language.
import { language } from "./language.ts";

const locale = (): string => (language.value === "zh" ? "zh-CN" : "en-GB");

export const count = (value: number): string => new Intl.NumberFormat(locale()).format(value);

/** Large numbers in a small place. */
export const shortCount = (value: number): string =>
  // British English writes millions with the letter of milli.
  new Intl.NumberFormat(language.value === "zh" ? "zh-CN" : "en-US", {
    notation: "compact",
    maximumFractionDigits: 1,
  }).format(value);

/** US dollars; what is less than a cent keeps two digits. */
export const dollars = (value: number): string =>
  new Intl.NumberFormat(language.value === "zh" ? "zh-CN" : "en-US", {
    style: "currency",
    currency: "USD",
    ...(value > 0 && value < 0.01 ? { maximumSignificantDigits: 2 } : {}),
  }).format(value);

export const percent = (ratio: number): string =>
  new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(ratio);

export const dateTime = (ms: number): string =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(ms);

/** To the second, for what happens often. */
export const moment = (ms: number): string =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "short", timeStyle: "medium" }).format(ms);

/** As long as a request takes. */
export const milliseconds = (ms: number): string =>
  ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${count(Math.round(ms))} ms`;

export const clockTime = (ms: number): string =>
  new Intl.DateTimeFormat(locale(), { hour: "2-digit", minute: "2-digit" }).format(ms);

export const day = (ms: number): string =>
  new Intl.DateTimeFormat(locale(), { month: "short", day: "numeric" }).format(ms);

export const bytes = (value: number): string => {
  const units = ["B", "KB", "MB", "GB", "TB"];
  const step = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  const shown = value / 1024 ** step;
  return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: step === 0 || shown >= 100 ? 0 : 1 }).format(shown)} ${units[step] ?? "B"}`;
};

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** "3 hours ago", "in 5 minutes". */
export const relative = (ms: number, now: number): string => {
  const seconds = Math.round((ms - now) / 1000);
  const [unit, size] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto", style: "short" }).format(
    Math.trunc(seconds / size),
    unit,
  );
};

/** "2:05:09" or "4:07", for what counts down. */
export const countdown = (seconds: number): string => {
  const whole = Math.max(0, Math.ceil(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
};

/** "20 h", "90 min": the length of a window. */
export const span = (seconds: number): string => {
  const zh = language.value === "zh";
  if (seconds >= 3600) return `${Math.round((seconds / 3600) * 10) / 10} ${zh ? "小时" : "h"}`;
  if (seconds >= 60) return `${Math.round(seconds / 60)} ${zh ? "分钟" : "min"}`;
  return `${Math.round(seconds)} ${zh ? "秒" : "s"}`;
};
