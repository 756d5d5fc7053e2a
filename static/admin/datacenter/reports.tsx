// Sums over a chosen time: figures, a chart, the models, keys and accounts with the most. Adds nothing up itself.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SumsView } from "../../../src/admin/report-view.ts";
import type { SeriesPoint, TopRow } from "../../../src/admin/reports.ts";
import { get } from "../../shared/api.ts";
import { Bars } from "../../shared/chart.tsx";
import { clockTime, count, day, dollars, milliseconds, percent, shortCount } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { useLoaded, Waiting } from "../../shared/loaded.tsx";
import { useEvery } from "../../shared/ticker.ts";
import { say } from "./words.ts";

const RANGES = ["24h", "7d", "30d", "90d"] as const;
type Range = (typeof RANGES)[number];
const DIMENSIONS = [
  ["model", "topModels"],
  ["key", "topKeys"],
  ["account", "topAccounts"],
] as const;
const RELOAD_MS = 10_000;

interface Report {
  readonly totals: SumsView;
  readonly span: string;
  readonly points: readonly SeriesPoint[];
  readonly tops: readonly (readonly TopRow[])[];
}

const fetchReport = async (range: Range): Promise<Report> => {
  const [totals, series, ...tops] = await Promise.all([
    get<{ data: SumsView }>("/reports/totals", { range }),
    get<{ span: string; data: SeriesPoint[] }>("/reports/series", { range }),
    ...DIMENSIONS.map(([dimension]) => get<{ data: TopRow[] }>("/reports/top", { range, dimension })),
  ]);
  return { totals: totals.data, span: series.span, points: series.data, tops: tops.map(({ data }) => data) };
};

export const Reports = () => {
  const range = useSignal<Range>("24h");
  const follows = useSignal(true);
  const loaded = useLoaded(() => fetchReport(range.value));
  useEffect(() => void loaded.reload(), [range.value]);
  useEvery(RELOAD_MS, () => {
    if (follows.value) void loaded.reload();
  });
  const report = loaded.value.value;
  return (
    <>
      <div class="row wrap">
        <div class="tabs" role="group" aria-label={say("range")}>
          {RANGES.map((one) => (
            <button key={one} type="button" aria-pressed={range.value === one} onClick={() => (range.value = one)}>
              {say(`range_${one}`)}
            </button>
          ))}
        </div>
        <span class="row push">
          <label class="check">
            <input
              type="checkbox"
              checked={follows.value}
              onChange={(event) => (follows.value = event.currentTarget.checked)}
            />
            {say("follow")}
          </label>
          <button type="button" class="button small" disabled={loaded.busy.value} onClick={() => void loaded.reload()}>
            <Icon name="refresh" size={16} />
            {say("refresh")}
          </button>
        </span>
      </div>
      {report === null ? (
        <div class="panel">
          <Waiting loaded={loaded} lines={11} />
        </div>
      ) : (
        <>
          <Figures totals={report.totals} />
          <Chart report={report} />
          <div class="cards">
            {DIMENSIONS.map(([dimension, word], index) => (
              <Top key={dimension} title={say(word)} rows={report.tops[index] ?? []} />
            ))}
          </div>
        </>
      )}
    </>
  );
};

const MEASURES = ["requests", "latency", "tokens", "media", "cost"] as const;
type Measure = (typeof MEASURES)[number];

interface Drawn {
  readonly names: readonly [string, string?];
  readonly parts: (point: SeriesPoint) => { readonly good: number; readonly bad: number };
  readonly format?: (value: number) => string;
  readonly least?: number;
}

const drawnAs = (measure: Measure): Drawn => {
  switch (measure) {
    case "requests":
      return { names: [say("served"), say("failed")], parts: ({ served, failed }) => ({ good: served, bad: failed }) };
    case "latency":
      return {
        names: [say("first"), say("rest")],
        parts: ({ first_byte_ms: first, total_ms: total }) => ({
          good: first ?? 0,
          bad: Math.max(0, (total ?? 0) - (first ?? 0)),
        }),
        format: milliseconds,
      };
    case "tokens":
      return {
        names: [say("tokensIn"), say("tokensOut")],
        parts: (point) => ({ good: point.tokens_in, bad: point.tokens_out }),
        format: shortCount,
      };
    case "media":
      return { names: [say("pictures"), say("clips")], parts: ({ images, videos }) => ({ good: images, bad: videos }) };
    case "cost":
      return {
        names: [say("costChart")],
        parts: ({ cost_usd: cost }) => ({ good: cost, bad: 0 }),
        format: dollars,
        least: 0.01,
      };
    default:
      return measure satisfies never;
  }
};

const Chart = ({ report }: { report: Report }) => {
  const measure = useSignal<Measure>("requests");
  const { names, parts, format, least } = drawnAs(measure.value);
  const title = say(`chart_${measure.value}`);
  return (
    <section class="panel padded" aria-labelledby="report-chart">
      <div class="row wrap chart-head">
        <h2 id="report-chart" class="grow">
          {title}
        </h2>
        <div class="tabs" role="group" aria-label={say("measure")}>
          {MEASURES.map((one) => (
            <button key={one} type="button" aria-pressed={measure.value === one} onClick={() => (measure.value = one)}>
              {say(`measure_${one}`)}
            </button>
          ))}
        </div>
      </div>
      <Bars
        title={title}
        names={names}
        neutral={measure.value !== "requests"}
        {...(format ? { format } : {})}
        {...(least === undefined ? {} : { least })}
        bars={report.points.map((point) => ({
          label: report.span === "hour" ? `${day(point.start_ms)} ${clockTime(point.start_ms)}` : day(point.start_ms),
          tick: report.span === "hour" ? clockTime(point.start_ms) : day(point.start_ms),
          ...parts(point),
        }))}
      />
    </section>
  );
};

const ms = (value: number | null): string => (value === null ? "–" : milliseconds(value));

const Figures = ({ totals }: { totals: SumsView }) => {
  const figures: readonly [string, string][] = [
    [say("total"), shortCount(totals.requests)],
    [say("served"), shortCount(totals.served)],
    [say("failed"), shortCount(totals.failed)],
    [say("left"), shortCount(totals.client_closed)],
    [say("rate"), totals.success_rate === null ? "–" : percent(totals.success_rate / 100)],
    [say("first"), ms(totals.first_byte_ms)],
    [say("took"), ms(totals.total_ms)],
    [say("tokensIn"), shortCount(totals.tokens_in)],
    [say("tokensOut"), shortCount(totals.tokens_out)],
    [say("tokensReasoning"), shortCount(totals.tokens_reasoning)],
    [say("picturesClips"), `${shortCount(totals.images)} / ${shortCount(totals.videos)}`],
    [say("cost"), dollars(totals.cost_usd)],
  ];
  return (
    <dl class="stats many">
      {figures.map(([name, value]) => (
        <div key={name} class="stat">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
};

const Top = ({ title, rows }: { title: string; rows: readonly TopRow[] }) => {
  const most = Math.max(1, ...rows.map(({ requests }) => requests));
  return (
    <section class="panel padded" aria-label={title}>
      <h2>{title}</h2>
      {rows.length === 0 ? (
        <p class="muted">{say("none")}</p>
      ) : (
        <ol class="top-list">
          {rows.map(({ value, name, requests, failed, cost_usd: cost }) => (
            <li key={value}>
              <span class="row">
                <span class="grow ellipsis" title={name}>
                  {name}
                </span>
                {failed > 0 ? <span class="danger-text small-text">{say("failedN", { n: count(failed) })}</span> : null}
                {cost > 0 ? <span class="muted small-text">{dollars(cost)}</span> : null}
                <strong>{count(requests)}</strong>
              </span>
              <span class="bar" aria-hidden="true">
                <span style={{ width: `${(requests / most) * 100}%` }} />
              </span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
};
