// The pages of the playground: path, sign, name, and where each is loaded from when it is wanted. A table.
// Invariant: a page's code is fetched with its first visit only, so that nobody waits for what another page needs.
import type { IconName } from "../shared/icons.tsx";
import type { PageView } from "./page-view.ts";

interface PageRow {
  readonly path: string;
  readonly icon: IconName;
  readonly name: readonly [en: string, zh: string];
  readonly load: () => Promise<{ readonly view: PageView }>;
}

export const PAGES = [
  { path: "/chat", icon: "dialog", name: ["Chat", "对话"], load: () => import("./chat/page.tsx") },
  { path: "/imagine", icon: "image", name: ["Imagine", "绘图"], load: () => import("./imagine/page.tsx") },
  { path: "/video", icon: "film", name: ["Video", "视频"], load: () => import("./video/page.tsx") },
  { path: "/voice", icon: "microphone", name: ["Voice", "语音"], load: () => import("./voice/page.tsx") },
] as const satisfies readonly PageRow[];

export type PagePath = (typeof PAGES)[number]["path"];

export const LOGIN = "/login";
export const FIRST: PagePath = "/chat";

export const isPage = (path: string): path is PagePath => PAGES.some((page) => page.path === path);
