// One clip in each of its states. Knows no line.
// Invariant: a card keeps the place of its clip from the beginning; a clip is loaded only as far as its first picture shows.
import { useSignal } from "@preact/signals";
import { Icon, type IconName } from "../../shared/icons.tsx";
import { openLightbox } from "../../shared/lightbox.tsx";
import { ownFile } from "../../shared/place.ts";
import { now } from "../../shared/ticker.ts";
import { adviceFor, wordsOf } from "../media/problem.ts";
import { type Clip, linkOf } from "./clips.ts";
import { settings } from "./settings.ts";
import { again, finished, nameOf, remove, save, selection, stopOne, watched } from "./store.ts";
import { writePrompt } from "./studio.tsx";
import { say } from "./words.ts";

const shapeOf = ({ form }: Clip): { aspectRatio: string } => ({ aspectRatio: form.ratio.replace(":", " / ") });

const play = (clip: Clip): void => {
  if (settings.value.mode === "single") {
    watched.value = clip.id;
    document.getElementById("content")?.scrollIntoView();
    return;
  }
  const items = finished.value.map((one) => ({
    ...{ kind: "video" as const, source: ownFile(linkOf(one) ?? "") ?? "" },
    ...{ caption: one.prompt, fileName: nameOf(one) },
  }));
  openLightbox(items, finished.value.indexOf(clip));
};

const Still = ({ clip }: { clip: Clip }) => {
  const isBroken = useSignal(false);
  const { state } = clip;
  if (state.kind !== "done") return null;
  if (isBroken.value) {
    return (
      <span class="card-box told" style={shapeOf(clip)}>
        {say("broken")}
      </span>
    );
  }
  return (
    <video
      // Telephones show nothing of a clip that is not asked for a moment of it.
      src={`${ownFile(state.link) ?? ""}#t=0.001`}
      poster={state.poster === null ? undefined : (ownFile(state.poster) ?? undefined)}
      style={shapeOf(clip)}
      muted
      loop
      playsInline
      preload="metadata"
      onPointerEnter={(event) => void event.currentTarget.play().catch(() => undefined)}
      onPointerLeave={(event) => event.currentTarget.pause()}
      onError={() => (isBroken.value = true)}
    />
  );
};

const Shown = ({ clip }: { clip: Clip }) => {
  const name = clip.prompt;
  if (selection.isOn.value) {
    const isChosen = selection.ids.value.has(clip.id);
    return (
      <label class={`card-picture choosing ${isChosen ? "chosen" : ""}`}>
        <input
          type="checkbox"
          checked={isChosen}
          aria-label={say("choose", { prompt: name })}
          onChange={() => selection.toggle(clip.id)}
        />
        <Still clip={clip} />
      </label>
    );
  }
  return (
    <button type="button" class="card-picture" aria-label={say("play", { prompt: name })} onClick={() => play(clip)}>
      <Still clip={clip} />
      <span class="play-sign">
        <Icon name="play" size={22} />
      </span>
    </button>
  );
};

const Tool = ({ icon, label, run }: { icon: IconName; label: string; run: () => void }) => (
  <button type="button" class="icon-button small" aria-label={label} title={label} onClick={run}>
    <Icon name={icon} size={15} />
  </button>
);

const Foot = ({ clip }: { clip: Clip }) => {
  const { form, prompt } = clip;
  return (
    <div class="card-foot">
      <span class="grow clip-words" title={prompt}>
        <span class="ellipsis">{prompt}</span>
        <span class="muted ellipsis">
          {form.resolution} · {say("secondsN", { n: form.seconds })} · {form.ratio}
        </span>
      </span>
      {clip.state.kind === "done" ? <Tool icon="download" label={say("save")} run={() => void save(clip)} /> : null}
      <Tool icon="edit" label={say("reuse")} run={() => writePrompt(prompt)} />
      {clip.state.kind === "filming" ? (
        <Tool icon="stop" label={say("stopOne")} run={() => stopOne(clip.id)} />
      ) : (
        <Tool icon="trash" label={say("removeOne")} run={() => remove(new Set([clip.id]))} />
      )}
    </div>
  );
};

const Again = ({ clip, label }: { clip: Clip; label: string }) => (
  <button type="button" class="button small" onClick={() => again(clip)}>
    <Icon name="refresh" size={15} />
    {label}
  </button>
);

const Filming = ({ clip, percent, sinceMs }: { clip: Clip; percent: number | null; sinceMs: number }) => (
  <div class="card-box drawing" style={shapeOf(clip)} aria-busy="true">
    <span class="card-progress">
      <span class="spinner" />
      {percent === null ? say("filming") : say("percent", { n: percent })} ·{" "}
      {say("seconds", { s: Math.max(0, Math.round((now.value - sinceMs) / 1000)) })}
    </span>
    <span class="bar clip-bar" role="progressbar" aria-label={say("filming")} aria-valuenow={percent ?? 0}>
      <span style={{ width: `${percent ?? 0}%` }} />
    </span>
  </div>
);

const Body = ({ clip }: { clip: Clip }) => {
  const { state } = clip;
  switch (state.kind) {
    case "done":
      return <Shown clip={clip} />;
    case "waiting":
      return (
        <div class="card-box" style={shapeOf(clip)}>
          <span class="muted">{say("waiting")}</span>
        </div>
      );
    case "filming":
      return <Filming clip={clip} percent={state.percent} sinceMs={state.sinceMs} />;
    case "stopped":
    case "cut":
      return (
        <div class="card-box told" style={shapeOf(clip)}>
          <span>{say(state.kind)}</span>
          {clip.fromPicture && state.kind === "cut" ? (
            <span>{say("cutPicture")}</span>
          ) : (
            <Again clip={clip} label={say("again")} />
          )}
        </div>
      );
    case "failed":
      return (
        <div class="card-box told bad" role="alert">
          <Icon name="warning" size={22} />
          <strong>{wordsOf(state.problem)}</strong>
          <span>{adviceFor(state.problem)}</span>
          <Again clip={clip} label={say("retry")} />
          <code>{state.problem.code}</code>
        </div>
      );
  }
};

export const ClipCard = ({ clip }: { clip: Clip }) => (
  <>
    <Body clip={clip} />
    <Foot clip={clip} />
  </>
);
