// The page of the files: how much is kept, one list at a time, what can be done with files.
// Invariant: nothing is removed without a question.
import { type Signal, useSignal } from "@preact/signals";
import { bytes, count, percent } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { taskRuns } from "../../shared/tasks.ts";
import { useEvery } from "../../shared/ticker.ts";
import { LocalFiles } from "./local-files.tsx";
import { OnlineFiles } from "./online-files.tsx";
import { accounts, details, type Kind, loadSummary, local, type LocalUse } from "./store.ts";
import { say } from "./words.ts";

type Place = Kind | "online";

const RELOAD_MS = 15_000;

export const CachePage = () => {
  const place = useSignal<Place>("image");
  useEvery(RELOAD_MS, () => void (taskRuns.value ? null : loadSummary()));
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
      </header>
      <div class="cards places" role="group" aria-label={say("title")}>
        <LocalCard kind="image" place={place} use={local.value?.image} />
        <LocalCard kind="video" place={place} use={local.value?.video} />
        <OnlineCard place={place} />
      </div>
      {place.value === "online" ? <OnlineFiles /> : <LocalFiles key={place.value} kind={place.value} />}
    </div>
  );
};

const LocalCard = ({ kind, place, use }: { kind: Kind; place: Signal<Place>; use: LocalUse | undefined }) => (
  <button type="button" class="place" aria-pressed={place.value === kind} onClick={() => (place.value = kind)}>
    <span class="row">
      <Icon name={kind === "image" ? "cache" : "play"} />
      {say(kind)}
    </span>
    <strong>{use ? bytes(use.size_bytes) : "–"}</strong>
    <span class="muted small-text">
      {use ? (use.count === 1 ? say("fileOne") : say("files", { n: count(use.count) })) : ""}
      {use?.limited === true ? (
        <> · {say("ofLimit", { percent: percent(use.usage_ratio), limit: bytes(use.limit_bytes) })}</>
      ) : null}
    </span>
    {use?.limited === true ? (
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${Math.min(100, use.usage_ratio * 100)}%` }} />
      </span>
    ) : null}
  </button>
);

const OnlineCard = ({ place }: { place: Signal<Place> }) => {
  const known = [...details.value.values()];
  const files = known.reduce((sum, { count: number }) => sum + number, 0);
  return (
    <button
      type="button"
      class="place"
      aria-pressed={place.value === "online"}
      onClick={() => (place.value = "online")}
    >
      <span class="row">
        <Icon name="upload" />
        {say("online")}
      </span>
      <strong>{known.length === 0 ? say("accountsN", { n: count(accounts.value.length) }) : count(files)}</strong>
      <span class="muted small-text">
        {known.length === 0 ? say("notLoaded") : say("loadedN", { n: count(files), m: count(known.length) })}
      </span>
    </button>
  );
};
