// The pages of the dashboard: path, sign and name. A table; app.tsx knows what stands behind each.
import type { IconName } from "../shared/icons.tsx";

interface PageRow {
  readonly path: string;
  readonly icon: IconName;
  readonly name: readonly [en: string, zh: string];
}

export const PAGES = [
  { path: "/admin", icon: "overview", name: ["Overview", "概览"] },
  { path: "/admin/token", icon: "tokens", name: ["Tokens", "Token"] },
  { path: "/admin/keys", icon: "keys", name: ["API keys", "API Key"] },
  { path: "/admin/config", icon: "config", name: ["Settings", "配置"] },
  { path: "/admin/cache", icon: "cache", name: ["Files", "缓存"] },
  { path: "/admin/downstream", icon: "downstream", name: ["Endpoints", "下游接口"] },
  { path: "/admin/dialog", icon: "dialog", name: ["Dialog", "对话"] },
  { path: "/admin/datacenter", icon: "datacenter", name: ["Data center", "数据中心"] },
  { path: "/admin/audit", icon: "audit", name: ["Audit", "审计"] },
] as const satisfies readonly PageRow[];

export type PagePath = (typeof PAGES)[number]["path"];
