// What goes on and what has come so far, in numbers; and what can be done with many pictures at once. Knows no card's inside.
import { countdown } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { now } from "../../shared/ticker.ts";
import { pictureOf } from "./cards.ts";
import { BatchBar } from "../media/selection.tsx";
import { change } from "./settings.ts";
import {
  begunMs,
  cards,
  clear,
  endedMs,
  endReason,
  hidden,
  meanMs,
  nameOf,
  pictures,
  remove,
  runs,
  selection,
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

const filesOf = async (ids: readonly string[]) =>
  shown.value.toReversed().flatMap((card) => {
    const drawn = ids.includes(String(card.id)) ? pictureOf(card) : null;
    return drawn ? [{ name: nameOf(card), blob: drawn.blob }] : [];
  });

export const toggleSelecting = (): void => selection.turn(!selection.isOn.value && pictures.value.length > 0);

const REASONS = { time_limit: "endTime", errors: "endErrors" } as const;

const isReason = (reason: string): reason is keyof typeof REASONS => Object.hasOwn(REASONS, reason);

export const WallBar = () => {
  const reason = endReason.value;
  if (cards.value.length === 0 && runs.value.length === 0) return null;
  return (
    <>
      <div class="wall-bar">
        <Counters />
        {selection.isOn.value ? (
          <BatchBar
            selection={selection}
            shown={shown.value.flatMap((card) => (pictureOf(card) ? String(card.id) : []))}
            name="imagine"
            filesOf={filesOf}
            onRemove={(ids) => remove(new Set([...ids].map(Number)))}
            removeText={(n) => say("clearText", { n })}
          />
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
