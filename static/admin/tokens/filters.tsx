// The filters over the table: kind, search, state, pool, adult content, tag, order. Each count is what a click on it would show.
import { count } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import {
  ADULT_TAG,
  clearFilters,
  type Adult,
  filterBy,
  filters,
  isFiltered,
  type Kind,
  page,
  type Sort,
  type View,
} from "./store.ts";
import { say } from "./words.ts";

const KINDS: readonly Kind[] = ["any", "web", "xai"];
const VIEWS: readonly View[] = ["all", "active", "cooling", "exhausted", "expired", "disabled"];
const ADULT: readonly Adult[] = ["any", "on", "off"];
const SORTS = [
  ["none", "sortNone"],
  ["created", "sortCreated"],
  ["last_used", "sortUsed"],
  ["use_count", "sortCalls"],
  ["quota", "sortQuota"],
  ["quota-asc", "sortQuotaLeast"],
] as const satisfies readonly (readonly [Sort, Parameters<typeof say>[0]])[];

const countOf = (view: View): number => {
  const counts = page.value?.counts;
  if (!counts) return 0;
  if (view === "exhausted") return counts.state.exhausted;
  if (view !== "all") return counts.status[view];
  return Object.values(counts.status).reduce((sum, one) => sum + one, 0);
};

export const FilterBar = () => (
  <div class="filters">
    <div class="row wrap">
      <KindChips />
      <div class="search grow">
        <Icon name="search" />
        <input
          class="input"
          type="search"
          aria-label={say("search")}
          placeholder={say("search")}
          value={filters.value.search}
          onInput={(event) => filterBy({ search: event.currentTarget.value })}
        />
      </div>
      <Selects />
    </div>
    <div class="row wrap">
      <div class="tabs" role="group" aria-label={say("status")}>
        {VIEWS.map((view) => (
          <button
            key={view}
            type="button"
            aria-pressed={filters.value.view === view}
            onClick={() => filterBy({ view })}
          >
            {say(view)}
            <span class="count">{count(countOf(view))}</span>
          </button>
        ))}
      </div>
      <PoolChips />
      {filters.value.kind === "xai" ? null : <AdultChips />}
      {isFiltered.value ? (
        <button type="button" class="button quiet small" onClick={clearFilters}>
          <Icon name="close" size={15} />
          {say("clearFilters")}
        </button>
      ) : null}
    </div>
  </div>
);

interface Chip {
  readonly label: string;
  /** Null where it is not known. */
  readonly number: number | null;
  readonly isOn: boolean;
  readonly choose: () => void;
}

const Chips = ({ label, chips }: { label: string; chips: readonly Chip[] }) => (
  <div class="tabs" role="group" aria-label={label}>
    {chips.map(({ label: name, number, isOn, choose }) => (
      <button key={name} type="button" aria-pressed={isOn} onClick={choose}>
        {name}
        {number === null ? null : <span class="count">{count(number)}</span>}
      </button>
    ))}
  </div>
);

/** The two kinds together are what the list shows without this filter. */
const kindCount = (kind: Kind): number => {
  const { web = 0, xai = 0 } = page.value?.counts.upstreams ?? {};
  return kind === "any" ? web + xai : kind === "web" ? web : xai;
};

const KindChips = () => (
  <Chips
    label={say("kind")}
    chips={KINDS.map((kind) => ({
      label: say(kind === "any" ? "all" : kind),
      number: kindCount(kind),
      isOn: filters.value.kind === kind,
      // Keys know no adult content.
      choose: () => filterBy({ kind, ...(kind === "xai" ? { adult: "any" } : {}) }),
    }))}
  />
);

/** More pools than fit beside each other are a list to choose from. */
const MOST_CHIPS = 5;

const poolEntries = () => withChosen(Object.entries(page.value?.counts.pools ?? {}), filters.value.pool);

const PoolChips = () => {
  const pools = poolEntries();
  // Before the first answer there is a place for them.
  if (pools.length === 1 || pools.length > MOST_CHIPS) return null;
  const chip = (name: string, number: number | null): Chip => ({
    label: name === "" ? say("anyPool") : name,
    number,
    isOn: filters.value.pool === name,
    choose: () => filterBy({ pool: name }),
  });
  return <Chips label={say("pool")} chips={[chip("", null), ...pools.map(([name, number]) => chip(name, number))]} />;
};

const adultCount = (adult: Adult): number | null => {
  const { counts, total = 0 } = page.value ?? {};
  const withTag = counts?.tags[ADULT_TAG] ?? 0;
  if (adult === "on") return withTag;
  if (adult === "any" || filters.value.tag !== "") return null;
  const sessions = counts?.upstreams.web ?? 0;
  return filters.value.adult === "off" ? total : filters.value.adult === "any" ? sessions - withTag : null;
};

const AdultChips = () => (
  <Chips
    label={say("adult")}
    chips={ADULT.map((adult) => ({
      label: say(adult === "any" ? "anyAdult" : adult === "on" ? "adultOn" : "adultOff"),
      number: adultCount(adult),
      isOn: filters.value.adult === adult,
      // Only sessions have it on or off.
      choose: () => filterBy({ adult, ...(adult === "any" ? {} : { kind: "web" }) }),
    }))}
  />
);

const Selects = () => {
  const { pool, adult, tag, sort } = filters.value;
  const pools = poolEntries();
  const tags = Object.entries(page.value?.counts.tags ?? {}).filter(([name]) => name !== ADULT_TAG);
  return (
    <>
      {pools.length > MOST_CHIPS ? (
        <select
          class="select"
          aria-label={say("pool")}
          value={pool}
          onChange={(event) => filterBy({ pool: event.currentTarget.value })}
        >
          <option value="">{say("anyPool")}</option>
          {pools.map(([name, number]) => (
            <option key={name} value={name}>
              {name} ({count(number)})
            </option>
          ))}
        </select>
      ) : null}
      {tags.length > 0 || tag !== "" ? (
        <select
          class="select"
          aria-label={say("tag")}
          value={tag}
          disabled={adult === "on"}
          onChange={(event) => filterBy({ tag: event.currentTarget.value })}
        >
          <option value="">{say("anyTag")}</option>
          {withChosen(tags, tag).map(([name, number]) => (
            <option key={name} value={name}>
              {name} ({count(number)})
            </option>
          ))}
        </select>
      ) : null}
      <select
        class="select"
        aria-label={say("sort")}
        value={sort}
        onChange={(event) =>
          filterBy({ sort: SORTS.find(([one]) => one === event.currentTarget.value)?.[0] ?? "none" })
        }
      >
        {SORTS.map(([one, word]) => (
          <option key={one} value={one}>
            {say(word)}
          </option>
        ))}
      </select>
    </>
  );
};

/** What is chosen stays in the list although nothing has it any more. */
const withChosen = (entries: [string, number][], chosen: string): [string, number][] =>
  chosen === "" || entries.some(([name]) => name === chosen) ? entries : [...entries, [chosen, 0]];
