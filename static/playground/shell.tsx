// The frame of every page of the playground: names of the pages, what the page adds beside them, language, theme, the way out.
// Knows no page's content. Invariant: everything in it is reached by keyboard, and the present page is named as such.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { LanguageMenu, ThemeMenu } from "../shared/choices.tsx";
import { Icon } from "../shared/icons.tsx";
import { language, speak } from "../shared/language.ts";
import { at } from "../shared/place.ts";
import { leaveFor } from "../shared/router.ts";
import { goShortcut, ShortcutList, showShortcuts, useShortcuts } from "../shared/shortcuts.tsx";
import { closeDrawer, isDrawerOpen } from "./drawer.ts";
import { FIRST, type PagePath, PAGES } from "./page-list.ts";
import type { PageView } from "./page-view.ts";
import { access, signOut } from "./visitor.ts";

const say = speak({
  pages: ["Pages", "页面"],
  menu: ["Menu", "菜单"],
  skip: ["Skip to the content", "跳到正文"],
  admin: ["Admin dashboard", "管理后台"],
  signOut: ["Sign out", "退出登录"],
  shortcuts: ["Keyboard shortcuts", "键盘快捷键"],
  loading: ["Loading…", "加载中…"],
  failed: ["This page could not be loaded.", "此页面加载失败。"],
  again: ["Try again", "重试"],
});

const nameOf = (current: PagePath): string =>
  PAGES.find(({ path }) => path === current)?.name[language.value === "zh" ? 1 : 0] ?? "";

const Brand = () => (
  <a class="brand" href={at(FIRST)}>
    <span class="brand-sign">
      <Icon name="dialog" />
    </span>
    Grok2API
  </a>
);

const Side = ({ current, view }: { current: PagePath; view: PageView | null }) => (
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
    {view?.Side ? <view.Side /> : null}
    <div class="side-foot">
      <a class="row muted admin-link" href={at("/admin")}>
        <Icon name="overview" size={16} />
        {say("admin")}
      </a>
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
        {access.value.kind === "keyed" ? (
          <button
            type="button"
            class="icon-button"
            aria-label={say("signOut")}
            title={say("signOut")}
            onClick={signOut}
          >
            <Icon name="logout" />
          </button>
        ) : null}
      </span>
    </div>
  </div>
);

const Drawer = ({ current, view }: { current: PagePath; view: PageView | null }) => {
  const box = useRef<HTMLDialogElement>(null);
  const isOpen = isDrawerOpen.value;
  useEffect(() => {
    if (isOpen) box.current?.showModal();
    else box.current?.close();
  }, [isOpen]);
  return (
    <dialog
      ref={box}
      class="drawer"
      aria-label={say("menu")}
      onClose={closeDrawer}
      onClick={(event) => {
        const isLeaving = event.target instanceof Element && event.target.closest("a, .keyboard-help") !== null;
        if (event.target === box.current || isLeaving) closeDrawer();
      }}
    >
      {isOpen ? <Side current={current} view={view} /> : null}
    </dialog>
  );
};

/** A page that was loaded once is there at once. */
const loaded = new Map<PagePath, PageView>();

const fetchPage = async (current: PagePath, into: { view: Signal<PageView | null>; failed: Signal<boolean> }) => {
  into.failed.value = false;
  try {
    const found = await PAGES.find(({ path }) => path === current)?.load();
    if (!found) return;
    loaded.set(current, found.view);
    into.view.value = found.view;
  } catch {
    into.failed.value = true;
  }
};

export const Shell = ({ current }: { current: PagePath }) => {
  const view = useSignal<PageView | null>(loaded.get(current) ?? null);
  const failed = useSignal(false);
  useShortcuts(
    () =>
      PAGES.map(({ path, name }, index) =>
        goShortcut({ name: name[language.value === "zh" ? 1 : 0], number: index + 1, run: () => void leaveFor(path) }),
      ),
    "everywhere",
  );
  useEffect(() => {
    if (view.value === null) void fetchPage(current, { view, failed });
    const wide = matchMedia("(min-width: 768px)");
    wide.addEventListener("change", closeDrawer);
    return () => {
      wide.removeEventListener("change", closeDrawer);
      closeDrawer();
    };
  }, []);
  const title = nameOf(current);
  useEffect(() => {
    document.title = `${title} · Grok2API`;
  }, [title]);
  const { value: shown } = view;
  return (
    <div class={`shell playground ${shown?.fills === true ? "fills" : ""}`}>
      <a class="button skip" href="#content">
        {say("skip")}
      </a>
      <header class="top">
        <button
          type="button"
          class="icon-button"
          aria-label={say("menu")}
          aria-haspopup="dialog"
          aria-expanded={isDrawerOpen.value}
          onClick={() => (isDrawerOpen.value = true)}
        >
          <Icon name="menu" size={22} />
        </button>
        {shown?.Top ? <shown.Top /> : <Brand />}
      </header>
      <Drawer current={current} view={shown} />
      <Side current={current} view={shown} />
      <main class="main" id="content" tabIndex={-1}>
        {shown ? <shown.Page /> : <Pending failed={failed.value} onAgain={() => location.reload()} />}
      </main>
      <ShortcutList />
    </div>
  );
};

const Pending = ({ failed, onAgain }: { failed: boolean; onAgain: () => void }) =>
  failed ? (
    <div class="empty" role="alert">
      <span class="danger-text">{say("failed")}</span>
      <button type="button" class="button" onClick={onAgain}>
        {say("again")}
      </button>
    </div>
  ) : (
    <p class="empty" aria-busy="true">
      <span class="spinner" />
      {say("loading")}
    </p>
  );
