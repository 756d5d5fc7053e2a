// The pages of the dashboard: path, sign and name. A table; app.tsx knows what stands behind each.
import type { IconName } from "../shared/icons.tsx";

export const PAGES = [
  { path: "/admin/token", icon: "tokens", name: ["Tokens", "Token"] },
  { path: "/admin/config", icon: "config", name: ["Settings", "配置"] },
] as const satisfies readonly { path: string; icon: IconName; name: readonly [string, string] }[];

export type PagePath = (typeof PAGES)[number]["path"];
