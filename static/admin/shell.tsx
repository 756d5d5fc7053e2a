// The frame of every page: navigation, drawer on narrow windows, language, theme, logout, the running job.
// Knows no page's content. Invariant: everything in it is reached by keyboard, and the present page is named as such.
import { signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { get, post, setSession } from "../shared/api.ts";
import { LanguageMenu, ThemeMenu } from "../shared/choices.tsx";
import { Icon } from "../shared/icons.tsx";
import { language, speak } from "../shared/language.ts";
import { at } from "../shared/place.ts";
import { leaveFor } from "../shared/router.ts";
import { goShortcut, ShortcutList, showShortcuts, useShortcuts } from "../shared/shortcuts.tsx";
import { followAgain } from "../shared/tasks.ts";
import { PAGES, type PagePath } from "./page-list.ts";
import { TaskCard, tellEnd } from "./task-card.tsx";

const say = speak({
  pages: ["Pages", "页面"],
  menu: ["Menu", "菜单"],
  close: ["Close the menu", "关闭菜单"],
  logout: ["Sign out", "退出登录"],
  skip: ["Skip to the content", "跳到正文"],
  storage: ["Kind of store", "存储方式"],
  shortcuts: ["Keyboard shortcuts", "键盘快捷键"],
  playground: ["Playground", "体验页面"],
  playgroundOff: [
    "The playground is off; app.public_enabled switches it on.",
    "体验页面未启用，可在配置 app.public_enabled 中开启。",
  ],
});

const about = signal<{ version: string; storage: string; playground: boolean } | null>(null);

const learn = async (): Promise<void> => {
  if (about.value) return;
  const [health, storage, config] = await Promise.all([
    get<{ version: string }>("/health"),
    get<{ type: string }>("/storage"),
    get<{ app: { public_enabled: boolean } }>("/config"),
  ]);
  about.value = { version: health.version, storage: storage.type, playground: config.app.public_enabled };
};

const logout = async (): Promise<void> => {
  await post("/logout").catch(() => undefined);
  setSession(null);
};

const Brand = () => (
  <a class="brand" href={at("/admin")}>
    <span class="brand-sign">
      <Icon name="dialog" />
    </span>
    Grok2API
  </a>
);

const Side = ({ current }: { current: PagePath }) => (
  <div class="side">
    <Brand />
    <nav class="nav" aria-label={say("pages")}>
      {PAGES.map(({ path, icon, name }) => (
        <a key={path} href={at(path)} aria-current={path === current ? "page" : undefined}>
          <Icon name={icon} />
          {name[language.value === "zh" ? 1 : 0]}
        </a>
      ))}
    </nav>
    <div class="side-foot">
      {about.value ? <PlaygroundLink isOn={about.value.playground} /> : null}
      {about.value ? (
        <span class="row muted">
          <span class="badge" title={say("storage")}>
            {about.value.storage}
          </span>
          {about.value.version}
        </span>
      ) : null}
      <span class="side-tools">
        <span class="row">
          <LanguageMenu />
          <ThemeMenu />
          <button
            type="button"
            class="icon-button keyboard-help"
            aria-label={say("shortcuts")}
            title={`${say("shortcuts")} (?)`}
            onClick={showShortcuts}
          >
            <Icon name="keyboard" />
          </button>
        </span>
        <button
          type="button"
          class="icon-button"
          aria-label={say("logout")}
          title={say("logout")}
          onClick={() => void logout()}
        >
          <Icon name="logout" />
        </button>
      </span>
    </div>
  </div>
);

/** While it is off, to where it is switched on. */
const PlaygroundLink = ({ isOn }: { isOn: boolean }) => (
  <a class="row muted" href={at(isOn ? "/chat" : "/admin/config")} title={isOn ? undefined : say("playgroundOff")}>
    <Icon name="dialog" size={16} />
    {say("playground")}
  </a>
);

const titleOf = (current: PagePath): string =>
  PAGES.find(({ path }) => path === current)?.name[language.value === "zh" ? 1 : 0] ?? "";

export const Shell = ({ current, children }: { current: PagePath; children: ComponentChildren }) => {
  const drawer = useRef<HTMLDialogElement>(null);
  const isOpen = useSignal(false);
  useShortcuts(
    () =>
      PAGES.map(({ path, name }, index) =>
        goShortcut({ name: name[language.value === "zh" ? 1 : 0], number: index + 1, run: () => void leaveFor(path) }),
      ),
    "everywhere",
  );
  useEffect(() => {
    void learn().catch(() => undefined);
    followAgain(tellEnd);
    const wide = matchMedia("(min-width: 768px)");
    const close = () => drawer.current?.close();
    wide.addEventListener("change", close);
    return () => wide.removeEventListener("change", close);
  }, []);
  const title = titleOf(current);
  useEffect(() => {
    document.title = `${title} · Grok2API`;
  }, [title]);
  return (
    <div class="shell">
      <a class="button skip" href="#content">
        {say("skip")}
      </a>
      <header class="top">
        <button
          type="button"
          class="icon-button"
          aria-label={say("menu")}
          aria-haspopup="dialog"
          aria-expanded={isOpen.value}
          onClick={() => {
            drawer.current?.showModal();
            isOpen.value = true;
          }}
        >
          <Icon name="menu" size={22} />
        </button>
        <Brand />
      </header>
      <dialog
        ref={drawer}
        class="drawer"
        aria-label={say("menu")}
        onClose={() => (isOpen.value = false)}
        onClick={(event) => {
          const isLink = event.target instanceof Element && event.target.closest("a") !== null;
          const isButton = event.target instanceof Element && event.target.closest(".keyboard-help") !== null;
          if (event.target === drawer.current || isLink || isButton) drawer.current?.close();
        }}
      >
        <Side current={current} />
      </dialog>
      <Side current={current} />
      <main class="main" id="content" tabIndex={-1}>
        {children}
      </main>
      <TaskCard />
      <ShortcutList />
    </div>
  );
};
