// Chooses what is shown: the login where a key is needed, else the page of the path inside the shell.
// Invariant: whoever signs in comes back to the page that was asked for.
import { useEffect } from "preact/hooks";
import { messageOf } from "../shared/api.ts";
import { speak } from "../shared/language.ts";
import { LightboxPlace } from "../shared/lightbox.tsx";
import { ConfirmPlace } from "../shared/modal.tsx";
import { navigate, path } from "../shared/router.ts";
import { Toasts } from "../shared/toast.tsx";
import { LoginPage } from "./login.tsx";
import { FIRST, isPage, LOGIN, type PagePath } from "./page-list.ts";
import { Shell } from "./shell.tsx";
import { access, enter } from "./visitor.ts";

const say = speak({ loading: ["Loading…", "加载中…"], again: ["Try again", "重试"] });

/** Where to go after the login: only ever a page of the playground. */
const wanted = (): PagePath => {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  return isPage(next) ? next : FIRST;
};

const Current = () => {
  const here = path.value;
  const { kind } = access.value;
  useEffect(() => {
    if (kind === "locked" && here !== LOGIN) navigate(`${LOGIN}?next=${encodeURIComponent(here)}`, { replace: true });
    if ((kind === "open" || kind === "keyed") && !isPage(here)) navigate(wanted(), { replace: true });
  }, [kind, here]);
  if (kind === "locked") return <LoginPage />;
  if (kind === "unreachable") return <Unreachable />;
  if (kind === "asking" || !isPage(here)) {
    return (
      <p class="empty whole" aria-busy="true">
        <span class="spinner" />
        {say("loading")}
      </p>
    );
  }
  return <Shell key={here} current={here} />;
};

const Unreachable = () => (
  <main class="empty whole">
    <p role="alert" class="danger-text">
      {access.value.kind === "unreachable" ? messageOf(access.value.problem) : null}
    </p>
    <button type="button" class="button" onClick={() => void enter()}>
      {say("again")}
    </button>
  </main>
);

export const App = () => {
  useEffect(() => void enter(), []);
  return (
    <>
      <Current />
      <ConfirmPlace />
      <LightboxPlace />
      <Toasts />
    </>
  );
};
