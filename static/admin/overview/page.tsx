// The first page: what needs a hand, how the pool stands, what went through in the last day, how to call the API.
// Invariant: every warning says what to do and leads there.
import { Fragment } from "preact";
import type { TokenPage, TokenTotals } from "../../../src/admin/accounts.ts";
import type { SumsView } from "../../../src/admin/report-view.ts";
import type { SeriesPoint } from "../../../src/admin/reports.ts";
import { get, session } from "../../shared/api.ts";
import { Bars } from "../../shared/chart.tsx";
import { CopyButton } from "../../shared/copy-button.tsx";
import { bytes, clockTime, count, dollars, milliseconds, percent, shortCount, span } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { type Loaded, Skeleton, useLoaded, Waiting } from "../../shared/loaded.tsx";
import { at, publicAt } from "../../shared/place.ts";
import { useEvery } from "../../shared/ticker.ts";
import type { LocalUse } from "../cache/store.ts";
import type { Form } from "../config/store.ts";
import { NO_USABLE, say, sayComponent, sayState } from "./words.ts";

interface Health {
  readonly version: string;
  readonly commit: string;
  readonly uptime_s: number;
}

interface Ready {
  readonly ready: boolean;
  readonly components: Readonly<Record<string, string>>;
}

interface Overview {
  readonly health: Health;
  readonly ready: Ready;
  readonly pool: TokenPage & { readonly totals: TokenTotals };
  readonly form: Form;
  readonly keys: { readonly total: number; readonly global_key_set: boolean };
  readonly day: SumsView;
  readonly hours: readonly SeriesPoint[];
  readonly files: LocalUses;
  /** Requests that run at this moment. */
  readonly now: number | null;
}

interface LocalUses {
  readonly local_image: LocalUse;
  readonly local_video: LocalUse;
}

/** A pool without a usable account is known not to be ready; the browser would note each such answer as an error. */
const readiness = async ({ totals }: Overview["pool"]): Promise<Ready> =>
  totals.active + totals.cooling === 0
    ? { ready: false, components: { accounts: NO_USABLE } }
    : ((await (await fetch(at("/readyz"))).json()) as Ready);

/** The gauges that Prometheus reads say what runs now; null where they are switched off. */
const running = async (): Promise<number | null> => {
  const response = await fetch(at("/metrics"), { headers: { authorization: `Bearer ${session.value}` } });
  const found = response.ok ? /^grok2api_requests_in_flight (\d+)/m.exec(await response.text()) : null;
  return found ? Number(found[1]) : null;
};

const fetchAll = async (): Promise<Overview> => {
  const pool = await get<Overview["pool"]>("/tokens/list", { page_size: 1 });
  const [health, ready, form, keys, day, hours, files, now] = await Promise.all([
    get<Health>("/health"),
    readiness(pool),
    get<Form>("/config/form"),
    get<Overview["keys"]>("/keys", { page_size: 1 }),
    get<{ data: SumsView }>("/reports/totals", { range: "24h" }),
    get<{ data: SeriesPoint[] }>("/reports/series", { range: "24h", span: "hour" }),
    get<LocalUses>("/cache/local"),
    running(),
  ]);
  return { health, ready, pool, form, keys, files, now, day: day.data, hours: hours.data };
};

const RELOAD_MS = 10_000;

export const OverviewPage = () => {
  const loaded = useLoaded(fetchAll);
  useEvery(RELOAD_MS, () => void loaded.reload());
  const all = loaded.value.value;
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
      </header>
      {all === null ? (
        <Placeholders loaded={loaded} />
      ) : (
        <>
          <Warnings all={all} />
          <div class="cards">
            <Pool all={all} />
            <ApiKeys all={all} />
            <State all={all} />
          </div>
          <Traffic all={all} />
          <Calling all={all} />
        </>
      )}
    </div>
  );
};

/** As high as what will stand there. */
const Placeholders = ({ loaded }: { loaded: Loaded<Overview> }) =>
  loaded.problem.value === null ? (
    <>
      <div class="cards">
        <Skeleton lines={7} panel />
        <Skeleton lines={7} panel />
      </div>
      <Skeleton lines={8} panel />
    </>
  ) : (
    <Waiting loaded={loaded} />
  );

/** Links would lead elsewhere than where this page was reached. */
const wrongAddress = (form: Form): string | null => {
  const fields = form.sections.find(({ name }) => name === "app")?.fields ?? [];
  const set = fields.find(({ name }) => name === "app_url")?.value;
  if (typeof set !== "string" || set === "" || set.replace(/\/+$/, "") === publicAt("")) return null;
  return set;
};

interface Warning {
  readonly tone: "bad" | "warn" | "";
  readonly text: string;
  readonly to: string;
  readonly action: string;
}

/** The gateway itself warns in English, for logs and scripts. */
const passwordWarning = (warning: string): string =>
  say(warning.includes("everybody knows") ? "passwordKnown" : "passwordShort");

const warningsOf = ({ pool, form, keys, ready }: Overview): Warning[] => {
  const { totals } = pool;
  const found: Warning[] = [];
  const tokens = { to: "/admin/token", action: say("toTokens") };
  const config = { to: "/admin/config#app", action: say("toConfig") };
  // What is wrong with the accounts is told by their numbers below.
  const broken = Object.entries(ready.components).filter(([name, state]) => state !== "ok" && name !== "accounts");
  for (const [name, state] of broken)
    found.push({ tone: "bad", text: `${sayComponent(name)}: ${sayState(state)}`, ...config });
  if (totals.total === 0) found.push({ tone: "bad", text: say("noAccounts"), ...tokens });
  else if (totals.active === 0) found.push({ tone: "bad", text: say("noActive"), ...tokens });
  else if (totals.cooling * 2 > totals.total) found.push({ tone: "warn", text: say("manyCooling"), ...tokens });
  const { total: keysTotal, no_credits: spent } = totals.api_keys;
  if (spent > 0 && totals.active > 0) {
    const text = say("creditsOut", { n: count(spent), all: count(keysTotal) });
    found.push({ tone: "warn", text, ...tokens });
  }
  if (form.warning !== null) found.push({ tone: "warn", text: passwordWarning(form.warning), ...config });
  const elsewhere = wrongAddress(form);
  if (elsewhere !== null) {
    found.push({ tone: "warn", text: say("elsewhere", { set: elsewhere, here: publicAt("") }), ...config });
  }
  if (!keys.global_key_set && keys.total === 0) {
    found.push({ tone: "warn", text: say("open"), to: "/admin/keys", action: say("toKeys") });
  }
  if (form.pendingRestart.length > 0) {
    found.push({ tone: "", text: say("restart", { keys: form.pendingRestart.join(", ") }), ...config });
  }
  return found;
};

const Warnings = ({ all }: { all: Overview }) => {
  const warnings = warningsOf(all);
  if (warnings.length === 0) {
    return (
      <p class="notice good">
        <Icon name="check" />
        {say("allWell")}
      </p>
    );
  }
  return (
    <ul class="warnings">
      {warnings.map(({ tone, text, to, action }) => (
        <li key={text} class={`notice ${tone}`}>
          <Icon name={tone === "" ? "info" : "warning"} />
          <span class="grow">{text}</span>
          <a class="nowrap" href={at(to)}>
            {action}
          </a>
        </li>
      ))}
    </ul>
  );
};

const PARTS = ["active", "cooling", "expired", "disabled"] as const;

const Pool = ({ all: { pool } }: { all: Overview }) => {
  const { counts, totals } = pool;
  return (
    <section class="panel padded" aria-labelledby="overview-pool">
      <h2 id="overview-pool">{say("pool")}</h2>
      <div class="split" aria-hidden="true">
        {PARTS.filter((part) => counts.status[part] > 0).map((part) => (
          <span key={part} class={part} style={{ flexGrow: counts.status[part] }} />
        ))}
      </div>
      <dl class="pairs split-names">
        {PARTS.map((part) => (
          <Fragment key={part}>
            <dt>
              <span class={`dot ${part}`} />
              {say(part)}
            </dt>
            <dd>{count(counts.status[part])}</dd>
          </Fragment>
        ))}
        <dt>{say("quota")}</dt>
        <dd>
          {count(totals.quota)}
          {totals.quota_unknown > 0 ? (
            <span class="muted"> · {say("quotaUnknown", { n: count(totals.quota_unknown) })}</span>
          ) : null}
        </dd>
        <dt>{say("pools")}</dt>
        <dd>
          {Object.keys(counts.pools).length === 0 ? "–" : null}
          {Object.entries(counts.pools).map(([name, number], index) => (
            <Fragment key={name}>
              {index === 0 ? null : ", "}
              <span class="nowrap">{`${name} ${count(number)}`}</span>
            </Fragment>
          ))}
        </dd>
      </dl>
    </section>
  );
};

const ApiKeys = ({ all: { pool, day } }: { all: Overview }) => {
  const { api_keys: keys } = pool.totals;
  const resting = keys.total - keys.active - keys.no_credits - keys.invalid;
  const parts: readonly (readonly [name: Parameters<typeof say>[0], dot: string, number: number])[] = [
    ["keysUsable", "active", keys.active],
    ["keysResting", "cooling", resting],
    ["noCredits", "spent", keys.no_credits],
    ["keysInvalid", "disabled", keys.invalid],
  ];
  return (
    <section class="panel padded" aria-labelledby="overview-keys">
      <h2 id="overview-keys">{say("apiKeys")}</h2>
      {keys.total === 0 ? (
        <p class="muted">{say("noKeys")}</p>
      ) : (
        <>
          <div class="split" aria-hidden="true">
            {parts
              .filter(([, , number]) => number > 0)
              .map(([name, dot, number]) => (
                <span key={name} class={dot} style={{ flexGrow: number }} />
              ))}
          </div>
          <dl class="pairs split-names">
            {parts.map(([name, dot, number]) => (
              <Fragment key={name}>
                <dt>
                  <span class={`dot ${dot}`} />
                  {say(name)}
                </dt>
                <dd>{count(number)}</dd>
              </Fragment>
            ))}
            <dt>{say("teams")}</dt>
            <dd>{count(keys.teams)}</dd>
            <dt>{say("spent")}</dt>
            <dd>{dollars(day.cost_usd)}</dd>
          </dl>
        </>
      )}
    </section>
  );
};

const fileFigures = ({ local_image: image, local_video: video }: LocalUses) => ({
  images: count(image.count),
  videos: count(video.count),
  size: bytes(image.size_bytes + video.size_bytes),
});

const State = ({ all: { health, ready, files } }: { all: Overview }) => (
  <section class="panel padded" aria-labelledby="overview-state">
    <h2 id="overview-state">{say("state")}</h2>
    <dl class="pairs">
      <dt>{say("ready")}</dt>
      <dd>
        <span class={`badge ${ready.ready ? "ok" : "bad"}`}>{ready.ready ? say("yes") : say("no")}</span>
      </dd>
      {Object.entries(ready.components).map(([name, state]) => (
        <Fragment key={name}>
          <dt>{sayComponent(name)}</dt>
          <dd class={state === "ok" ? "" : "danger-text"}>{sayState(state)}</dd>
        </Fragment>
      ))}
      <dt>{say("files")}</dt>
      <dd>{say("filesAre", fileFigures(files))}</dd>
      <dt>{say("version")}</dt>
      <dd>
        {health.version} <span class="muted mono">{health.commit}</span>
      </dd>
      <dt>{say("uptime")}</dt>
      <dd>{span(health.uptime_s)}</dd>
    </dl>
  </section>
);

const Traffic = ({ all: { day, hours, now } }: { all: Overview }) => (
  <section class="panel padded" aria-labelledby="overview-day">
    <h2 id="overview-day">{say("day")}</h2>
    <dl class="figures">
      <div>
        <dt>{say("now")}</dt>
        <dd>{now === null ? "–" : count(now)}</dd>
      </div>
      <div>
        <dt>{say("requests")}</dt>
        <dd>{shortCount(day.requests)}</dd>
      </div>
      <div>
        <dt>{say("success")}</dt>
        <dd>{day.success_rate === null ? "–" : percent(day.success_rate / 100)}</dd>
      </div>
      <div>
        <dt>{say("firstByte")}</dt>
        <dd>{day.first_byte_ms === null ? "–" : milliseconds(day.first_byte_ms)}</dd>
      </div>
      <div>
        <dt>{say("tokensOut")}</dt>
        <dd>{shortCount(day.tokens_out)}</dd>
      </div>
    </dl>
    <Bars
      title={say("chart")}
      names={[say("served"), say("failed")]}
      bars={hours.map(({ start_ms: start, served, failed }) => ({
        label: clockTime(start),
        good: served,
        bad: failed,
      }))}
    />
  </section>
);

const Calling = ({ all: { keys } }: { all: Overview }) => {
  const base = publicAt("/v1");
  const needsKey = keys.global_key_set || keys.total > 0;
  const example = [
    `curl ${base}/chat/completions \\`,
    ...(needsKey ? ['  -H "Authorization: Bearer $API_KEY" \\'] : []),
    '  -H "Content-Type: application/json" \\',
    `  -d '{"model":"grok-4-fast","stream":true,"messages":[{"role":"user","content":"Hello!"}]}'`,
  ].join("\n");
  return (
    <section class="panel padded" aria-labelledby="overview-calling">
      <h2 id="overview-calling">{say("calling")}</h2>
      <p class="row wrap">
        {say("base")} <code class="mono">{base}</code> <CopyButton text={base} />
      </p>
      <div class="example">
        <pre class="code" tabIndex={0}>
          {example}
        </pre>
        <CopyButton text={example} />
      </div>
    </section>
  );
};
