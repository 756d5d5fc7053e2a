// The page of the clips: what is to be filmed, the player, and all clips of this browser. Keys that work on it.
// Invariant: a picture that is dropped or pasted anywhere on the page becomes the one that begins to move.
import { useEffect } from "preact/hooks";
import { messageOf } from "../../shared/api.ts";
import { Icon } from "../../shared/icons.tsx";
import { Clip } from "../../shared/media.tsx";
import { useShortcuts } from "../../shared/shortcuts.tsx";
import { toast } from "../../shared/toast.tsx";
import { DropHere, usePictureDrops } from "../media/references.tsx";
import { BatchBar } from "../media/selection.tsx";
import { Wall, WallItem } from "../media/wall.tsx";
import type { PageView } from "../page-view.ts";
import { ClipCard } from "./card.tsx";
import { linkOf } from "./clips.ts";
import { loadOffer, settings } from "./settings.ts";
import {
  clear,
  clips,
  filesOf,
  finished,
  goOn,
  isEnding,
  isRunning,
  references,
  remove,
  selection,
  stop,
  watched,
} from "./store.ts";
import { focusPrompt, Studio, writePrompt } from "./studio.tsx";
import { say } from "./words.ts";

const Player = () => {
  const clip = finished.value.find(({ id }) => id === watched.value);
  const link = clip ? linkOf(clip) : null;
  if (!clip || link === null || settings.value.mode !== "single") return null;
  return (
    <section class="panel padded player" aria-label={say("player")}>
      <div class="player-stage" style={{ aspectRatio: clip.form.ratio.replace(":", " / ") }}>
        <Clip key={clip.id} source={link} />
      </div>
      <div class="row">
        <p class="grow ellipsis" title={clip.prompt}>
          {clip.prompt}
        </p>
        <button
          type="button"
          class="icon-button small"
          aria-label={say("closePlayer")}
          title={say("closePlayer")}
          onClick={() => (watched.value = null)}
        >
          <Icon name="close" size={16} />
        </button>
      </div>
    </section>
  );
};

const Bar = () => {
  const filming = clips.value.filter(({ state }) => state.kind === "filming").length;
  if (clips.value.length === 0) return null;
  return (
    <div class="wall-bar">
      <div class="counters" role="status" aria-label={say("state")}>
        {filming > 0 ? (
          <span class="badge accent">
            <span class="spinner" />
            {say("filmingN", { n: filming })}
          </span>
        ) : null}
        {finished.value.length > 0 ? (
          <span class="badge ok">
            {say(finished.value.length === 1 ? "finished1" : "finishedN", { n: finished.value.length })}
          </span>
        ) : null}
        {isEnding.value && isRunning.value ? <span class="muted">{say("ending")}</span> : null}
      </div>
      {selection.isOn.value ? (
        <BatchBar
          selection={selection}
          shown={finished.value.map(({ id }) => id)}
          name="video"
          filesOf={filesOf}
          onRemove={remove}
          removeText={(n) => say("clearText", { n })}
        />
      ) : (
        <div class="row">
          <button
            type="button"
            class="button small"
            disabled={finished.value.length === 0}
            onClick={() => selection.turn(true)}
          >
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
  );
};

const Empty = () => (
  <div class="empty">
    <Icon name="film" size={34} />
    <strong>{say("none")}</strong>
    <span>{say("noneHint")}</span>
    <span class="ideas">
      {(["idea1", "idea2", "idea3"] as const).map((idea) => (
        <button key={idea} type="button" class="button small" onClick={() => writePrompt(say(idea))}>
          {say(idea)}
        </button>
      ))}
    </span>
  </div>
);

const VideoPage = () => {
  const isDropping = usePictureDrops((files) => void references.take(files));
  useShortcuts(() => [
    { keys: "p", what: say("focusPrompt"), run: focusPrompt },
    { keys: "s", what: say("stopKey"), run: stop },
    {
      keys: "x",
      what: say("selectKey"),
      run: () => selection.turn(!selection.isOn.value && finished.value.length > 0),
    },
  ]);
  useEffect(() => {
    goOn();
    loadOffer().catch((thrown: unknown) => toast(messageOf(thrown), "error"));
  }, []);
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
      </div>
      <Studio />
      <Player />
      <Bar />
      {clips.value.length === 0 ? (
        <Empty />
      ) : (
        <Wall label={say("clips")} wide>
          {clips.value.map((clip) => (
            <WallItem key={clip.id}>
              <ClipCard clip={clip} />
            </WallItem>
          ))}
        </Wall>
      )}
      {isDropping.value ? <DropHere /> : null}
    </div>
  );
};

export const view: PageView = { Page: VideoPage };
