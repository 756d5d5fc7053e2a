// Chooses what is shown: the login without a session, else the page of the path inside the shell.
// Invariant: without a session no page is drawn, and whoever logs in comes back to the page that was asked for.
import type { ComponentChild } from "preact";
import { useEffect } from "preact/hooks";
import { session } from "../shared/api.ts";
import { LightboxPlace } from "../shared/lightbox.tsx";
import { ConfirmPlace } from "../shared/modal.tsx";
import { navigate, path } from "../shared/router.ts";
import { Toasts } from "../shared/toast.tsx";
import { AuditPageView } from "./audit/page.tsx";
import { CachePage } from "./cache/page.tsx";
import { ConfigPage } from "./config/page.tsx";
import { DatacenterPage } from "./datacenter/page.tsx";
import { DialogPage } from "./dialog/page.tsx";
import { DownstreamPage } from "./downstream/page.tsx";
import { KeysPage } from "./keys/page.tsx";
import { LoginPage } from "./login.tsx";
import { OverviewPage } from "./overview/page.tsx";
import type { PagePath } from "./page-list.ts";
import { Shell } from "./shell.tsx";
import { TokensPage } from "./tokens/page.tsx";

const LOGIN = "/admin/login";

const VIEWS: Readonly<Record<PagePath, () => ComponentChild>> = {
  "/admin": () => <OverviewPage />,
  "/admin/token": () => <TokensPage />,
  "/admin/keys": () => <KeysPage />,
  "/admin/config": () => <ConfigPage />,
  "/admin/cache": () => <CachePage />,
  "/admin/downstream": () => <DownstreamPage />,
  "/admin/dialog": () => <DialogPage />,
  "/admin/datacenter": () => <DatacenterPage />,
  "/admin/audit": () => <AuditPageView />,
};

const isPage = (value: string): value is PagePath => Object.hasOwn(VIEWS, value);

/** Where to go after the login: only ever a page of this dashboard. */
const wanted = (): string => {
  const next = new URLSearchParams(location.search).get("next") ?? "";
  return isPage(next) ? next : "/admin";
};

const Current = () => {
  const at = path.value;
  const isIn = session.value !== null;
  useEffect(() => {
    if (!isIn && at !== LOGIN) navigate(`${LOGIN}?next=${encodeURIComponent(at)}`, { replace: true });
    if (isIn && at === LOGIN) navigate(wanted(), { replace: true });
  }, [isIn, at]);
  if (!isIn) return <LoginPage />;
  if (!isPage(at)) return null;
  return (
    <Shell key={at} current={at}>
      {VIEWS[at]()}
    </Shell>
  );
};

export const App = () => (
  <>
    <Current />
    <ConfirmPlace />
    <LightboxPlace />
    <Toasts />
  </>
);
