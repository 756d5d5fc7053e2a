// Bars over time in two parts, drawn as SVG by hand. Knows no number's meaning.
// Invariant: whoever cannot see the bars finds the same numbers in a table.
import { count } from "./format.ts";

export interface Bar {
  readonly label: string;
  /** What stands under the chart, where the label is too long for that. */
  readonly tick?: string;
  /** Lower part. */
  readonly good: number;
  /** Upper part. */
  readonly bad: number;
}

export interface BarsProps {
  readonly title: string;
  readonly bars: readonly Bar[];
  /** One name where there is no upper part. */
  readonly names: readonly [good: string, bad?: string];
  /** The upper part is no fault but a second measure. */
  readonly neutral?: boolean;
  readonly format?: (value: number) => string;
  /** The least that the chart reaches to. */
  readonly least?: number;
}

const HEIGHT = 140;
const WIDTH = 720;
const GAP = 0.22;

/** A round number a little above. */
const topOf = (most: number, least: number): number => {
  if (most <= least) return least;
  const step = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 2.5, 5, 10].map((factor) => factor * step).find((value) => value >= most) ?? most;
};

const TICKS = 6;

/** Some of the labels under their bars; the first and the last stay inside the chart. */
const Ticks = ({ labels }: { labels: readonly string[] }) => {
  const step = Math.max(1, Math.ceil(labels.length / TICKS));
  const shown = labels.map((label, index) => ({ label, index })).filter(({ index }) => index % step === 0);
  return (
    <div class="chart-ticks muted small-text" aria-hidden="true">
      {shown.map(({ label, index }) => (
        <span key={index} style={{ left: `${((index + 0.5) / labels.length) * 100}%` }}>
          {label}
        </span>
      ))}
    </div>
  );
};

export const Bars = ({ title, bars, names, neutral = false, format = count, least = 4 }: BarsProps) => {
  const second = neutral ? "chart-second" : "chart-bad";
  const top = topOf(Math.max(0, ...bars.map(({ good, bad }) => good + bad)), least);
  const step = WIDTH / Math.max(1, bars.length);
  const said = (name: string | undefined, value: number) => (name === undefined ? "" : `${name} ${format(value)}`);
  const high = (value: number) => (value / top) * HEIGHT;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT + 2}`} preserveAspectRatio="none" role="img" aria-label={title}>
        {[0.25, 0.5, 0.75, 1].map((part) => (
          <line
            key={part}
            class="chart-line"
            x1={0}
            x2={WIDTH}
            y1={HEIGHT * (1 - part) + 1}
            y2={HEIGHT * (1 - part) + 1}
          />
        ))}
        {bars.map(({ label, good, bad }, index) => (
          <g key={label + String(index)}>
            <title>{`${label}: ${[said(names[0], good), said(names[1], bad)].filter(Boolean).join(", ")}`}</title>
            <rect class="chart-hit" x={index * step} y={0} width={step} height={HEIGHT + 2} />
            <rect
              class="chart-good"
              x={index * step + (step * GAP) / 2}
              width={step * (1 - GAP)}
              y={HEIGHT - high(good) + 1}
              height={high(good)}
            />
            <rect
              class={second}
              x={index * step + (step * GAP) / 2}
              width={step * (1 - GAP)}
              y={HEIGHT - high(good + bad) + 1}
              height={high(bad)}
            />
          </g>
        ))}
      </svg>
      <span class="chart-top muted small-text" aria-hidden="true">
        {format(top)}
      </span>
      <span class="chart-half muted small-text" aria-hidden="true">
        {format(top / 2)}
      </span>
      <Ticks labels={bars.map(({ label, tick = label }) => tick)} />
      <figcaption class="muted small-text" aria-hidden="true">
        <span class="chart-key good" /> {names[0]}{" "}
        {names[1] === undefined ? null : (
          <>
            <span class={`chart-key ${neutral ? "second" : "bad"}`} /> {names[1]}
          </>
        )}
      </figcaption>
      <div class="sr-only">
        <table>
          <caption>{title}</caption>
          <tbody>
            {bars.map(({ label, good, bad }, index) => (
              <tr key={index}>
                <th scope="row">{label}</th>
                <td>{said(names[0], good)}</td>
                <td>{said(names[1], bad)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
};
