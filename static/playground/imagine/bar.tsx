// What goes on and what has come so far, in numbers; and what can be done with many pictures at once. Knows no card's inside.
import { useSignal } from "@preact/signals";
import { countdown } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { confirm } from "../../shared/modal.tsx";
import { now } from "../../shared/ticker.ts";
import { toast } from "../../shared/toast.tsx";
import { pictureOf } from "./cards.ts";
import { download, stampOf, zipped } from "../media/saving.ts";
import { change } from "./settings.ts";
import {
  begunMs,
  cards,
  clear,
  endedMs,
  endReason,
  hidden,
  isSelecting,
  meanMs,
  nameOf,
  pictures,
  remove,
  runs,
  selected,
  shown,
  stop,
} from "./store.ts";
import { say } from "./words.ts";

const KINDS = { ws: "WebSocket", sse: "SSE", http: "HTTP" } as const;

const Counters = () => {
  const isRunning = runs.value.length > 0;
  const seconds = begunMs.value === null ? null : ((endedMs.value ?? now.value) - begunMs.value) / 1000;
  const over = [...new Set(runs.value.flatMap((run) => run.over ?? []))].map((kind) => KINDS[kind]);
  return (
    <div class="counters" role="status" aria-label={say("state")}>
      {isRunning ? (
        <span class="badge accent">
          <span class="spinner" />
          {say("active", { n: runs.value.length })}
        </span>
      ) : null}
      <span class="badge ok">{say("drawn", { n: pictures.value.length })}</span>
      {meanMs.value === null ? null : (
        <span class="muted">{say("mean", { s: say("seconds", { s: (meanMs.value / 1000).toFixed(1) }) })}</span>
      )}
      {/* Counts every second, which nobody wants read out. */}
      {seconds === null ? null : (
        <span class="muted elapsed" aria-hidden="true" title={say("elapsed")}>
          <Icon name="clock" size={14} /> {countdown(Math.floor(Math.max(0, seconds)))}
        </span>
      )}
      {over.length > 0 ? <span class="muted">{say("over", { kind: over.join(", ") })}</span> : null}
    </div>
  );
};

const archiveName = (): string => `imagine-${stampOf(Date.now())}.zip`;

const chosenOnes = () => shown.value.filter((card) => selected.value.has(card.id) && pictureOf(card) !== null);

const Batch = () => {
  const isPacking = useSignal(false);
  const all = shown.value.filter((card) => pictureOf(card) !== null);
  const chosen = chosenOnes();
  const isAll = all.length > 0 && chosen.length === all.length;
  const pack = async () => {
    isPacking.value = true;
    try {
      const files = chosen.toReversed().flatMap((card) => {
        const drawn = pictureOf(card);
        return drawn ? [{ name: nameOf(card), blob: drawn.blob }] : [];
      });
      download({ name: archiveName(), blob: await zipped(files) });
    } catch (thrown) {
      toast(say("notPacked", { why: thrown instanceof Error ? thrown.message : String(thrown) }), "error");
    } finally {
      isPacking.value = false;
    }
  };
  const removeChosen = async () => {
    const question = { title: say("removeTitle"), text: say("clearText", { n: chosen.length }) };
    if (await confirm({ ...question, action: say("remove"), danger: true })) {
      remove(new Set(chosen.map(({ id }) => id)));
    }
  };
  return (
    <div class="row wrap">
      <span class="muted" role="status">
        {say("chosen", { n: chosen.length })}
      </span>
      <button
        type="button"
        class="button small"
        onClick={() => (selected.value = new Set(isAll ? [] : all.map(({ id }) => id)))}
      >
        {say(isAll ? "selectNone" : "selectAll")}
      </button>
      <button
        type="button"
        class="button small"
        disabled={chosen.length === 0 || isPacking.value}
        onClick={() => void pack()}
      >
        <Icon name="download" size={15} />
        {say(isPacking.value ? "packing" : "zip")}
      </button>
      <button type="button" class="button small" disabled={chosen.length === 0} onClick={() => void removeChosen()}>
        <Icon name="trash" size={15} />
        {say("remove")}
      </button>
      <button type="button" class="button small primary" onClick={() => (isSelecting.value = false)}>
        {say("done")}
      </button>
    </div>
  );
};

export const toggleSelecting = (): void => {
  isSelecting.value = !isSelecting.value && pictures.value.length > 0;
  selected.value = new Set();
};

const REASONS = { time_limit: "endTime", errors: "endErrors" } as const;

const isReason = (reason: string): reason is keyof typeof REASONS => Object.hasOwn(REASONS, reason);

export const WallBar = () => {
  const reason = endReason.value;
  if (cards.value.length === 0 && runs.value.length === 0) return null;
  return (
    <>
      <div class="wall-bar">
        <Counters />
        {isSelecting.value ? (
          <Batch />
        ) : (
          <div class="row">
            {runs.value.length > 0 ? (
              <button type="button" class="button small danger wall-stop" onClick={stop}>
                <Icon name="stop" size={15} />
                {say("stop")}
              </button>
            ) : null}
            <button type="button" class="button small" disabled={pictures.value.length === 0} onClick={toggleSelecting}>
              <Icon name="check" size={15} />
              {say("select")}
            </button>
            <button type="button" class="button small" onClick={() => void clear()}>
              <Icon name="trash" size={15} />
              {say("clear")}
            </button>
          </div>
        )}
      </div>
      {reason !== null && isReason(reason) ? (
        <p class="notice warn" role="status">
          <Icon name="info" />
          {say(REASONS[reason])}
        </p>
      ) : null}
      {hidden.value.length > 0 ? (
        <p class="notice" role="status">
          <Icon name="info" />
          <span>
            {say("hidden", { n: hidden.value.length })}{" "}
            <button type="button" class="link" onClick={() => change({ hideBelowBytes: 0 })}>
              {say("showAll")}
            </button>
          </span>
        </p>
      ) : null}
    </>
  );
};
