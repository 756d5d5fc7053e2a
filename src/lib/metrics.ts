// Counters, histograms and gauges, and their text for Prometheus (exposition format 0.0.4). Knows no metric of ours.
// Invariants: counting is a look-up and an addition; a metric never has more than so many series, whatever its labels say.

type Labels = readonly string[];

export interface Counter {
  add(values: Labels, by?: number): void;
}

export interface Histogram {
  observe(values: Labels, value: number): void;
}

/** A reading: the values of the labels, and the number. */
export type Reading = readonly [values: Labels, value: number];

export interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels?: Labels;
}

export interface Metrics {
  counter(about: Described): Counter;
  /** Upper bounds, ascending; the last bucket is open. */
  histogram(about: Described & { readonly bounds: readonly number[] }): Histogram;
  /** Read when the text is asked for. */
  gauge(about: Described, read: () => Iterable<Reading> | Promise<Iterable<Reading>>): void;
  /** A number that only grows and is kept elsewhere. */
  total(about: Described, read: () => Iterable<Reading>): void;
  text(): Promise<string>;
}

const MOST_SERIES = 2_000;
const BETWEEN = "\u0001";
/** Takes whatever comes after the last series that there is room for. */
const REST = "other";

interface Family {
  readonly head: string;
  lines(): readonly string[] | Promise<readonly string[]>;
}

export const createMetrics = (): Metrics => {
  const families: Family[] = [];
  const add = (about: Described & { type: string }, lines: Family["lines"]) => {
    families.push({ head: `# HELP ${about.name} ${about.help}\n# TYPE ${about.name} ${about.type}`, lines });
  };
  const readings =
    (about: Described, read: () => Iterable<Reading> | Promise<Iterable<Reading>>): Family["lines"] =>
    async () =>
      [...(await read())].map(
        ([values, value]) => `${about.name}${labelText(about.labels ?? [], values)} ${plain(value)}`,
      );
  return {
    counter(about) {
      const series = createSeries(about.labels ?? [], () => ({ value: 0 }));
      add({ ...about, type: "counter" }, () =>
        series
          .all()
          .map(({ values, state }) => `${about.name}${labelText(about.labels ?? [], values)} ${plain(state.value)}`),
      );
      return {
        add(values, by = 1) {
          series.at(values).value += by;
        },
      };
    },
    histogram(about) {
      const { bounds, labels = [] } = about;
      const series = createSeries(labels, () => ({ counts: new Float64Array(bounds.length + 1), sum: 0 }));
      add({ ...about, type: "histogram" }, () =>
        series
          .all()
          .flatMap(({ values, state }) => histogramLines({ name: about.name, labels, bounds, values, state })),
      );
      return {
        observe(values, value) {
          const state = series.at(values);
          let bucket = 0;
          while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket++;
          state.counts[bucket] = (state.counts[bucket] ?? 0) + 1;
          state.sum += value;
        },
      };
    },
    gauge(about, read) {
      add({ ...about, type: "gauge" }, readings(about, read));
    },
    total(about, read) {
      add({ ...about, type: "counter" }, readings(about, read));
    },
    async text() {
      const parts = await Promise.all(families.map(async ({ head, lines }) => [head, ...(await lines())].join("\n")));
      return `${parts.join("\n")}\n`;
    },
  };
};

const createSeries = <State>(labels: Labels, create: () => State) => {
  const states = new Map<string, { readonly values: Labels; readonly state: State }>();
  const at = (values: Labels): State => {
    const name = values.length === 1 ? (values[0] ?? "") : values.join(BETWEEN);
    const known = states.get(name);
    if (known) return known.state;
    if (states.size >= MOST_SERIES && values.some((value) => value !== REST)) return at(labels.map(() => REST));
    const state = create();
    states.set(name, { values: [...values], state });
    return state;
  };
  return { at, all: () => [...states.values()] };
};

interface HistogramState {
  readonly counts: Float64Array;
  readonly sum: number;
}

const histogramLines = (about: {
  name: string;
  labels: Labels;
  bounds: readonly number[];
  values: Labels;
  state: HistogramState;
}): string[] => {
  const { name, labels, bounds, values, state } = about;
  const withBound = [...labels, "le"];
  let total = 0;
  const lines = [...bounds.map(plain), "+Inf"].map((bound, index) => {
    total += state.counts[index] ?? 0;
    return `${name}_bucket${labelText(withBound, [...values, bound])} ${total}`;
  });
  const own = labelText(labels, values);
  return [...lines, `${name}_sum${own} ${plain(state.sum)}`, `${name}_count${own} ${total}`];
};

const labelText = (labels: Labels, values: Labels): string => {
  if (labels.length === 0) return "";
  return `{${labels.map((label, index) => `${label}="${escape(values[index] ?? "")}"`).join(",")}}`;
};

const escape = (text: string): string => text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");

const plain = (value: number): string => (Number.isFinite(value) ? String(value) : "NaN");
