// The data center: reports, single requests and log files, one at a time. Knows no number.
import { useSignal } from "@preact/signals";
import { LogFiles } from "./log-files.tsx";
import { Reports } from "./reports.tsx";
import { Requests } from "./requests.tsx";
import { say } from "./words.ts";

const VIEWS = ["reports", "requests", "logs"] as const;
type View = (typeof VIEWS)[number];

export const DatacenterPage = () => {
  const view = useSignal<View>(VIEWS.find((one) => location.hash === `#${one}`) ?? "reports");
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
        <div class="tabs" role="group" aria-label={say("title")}>
          {VIEWS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={view.value === one}
              onClick={() => {
                view.value = one;
                history.replaceState(null, "", `#${one}`);
              }}
            >
              {say(one)}
            </button>
          ))}
        </div>
      </header>
      {view.value === "reports" ? <Reports /> : null}
      {view.value === "requests" ? <Requests /> : null}
      {view.value === "logs" ? <LogFiles /> : null}
    </div>
  );
};
