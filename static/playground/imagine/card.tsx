// One card of the waterfall in each of its states. Knows no run.
// Invariant: a card keeps the place of its picture from the beginning, so that little moves when it comes.
import { Icon } from "../../shared/icons.tsx";
import { openLightbox } from "../../shared/lightbox.tsx";
import { now } from "../../shared/ticker.ts";
import { adviceFor, wordsOf } from "../media/problem.ts";
import { download } from "../media/saving.ts";
import { type Card, type Drawn, pictureOf } from "./cards.ts";
import { change } from "./settings.ts";
import { nameOf, references, remove, retry, selection, shown } from "./store.ts";
import { focusPrompt } from "./studio.tsx";
import { say } from "./words.ts";

const formOf = (ratio: string): { aspectRatio: string } => ({
  aspectRatio: ratio === "auto" ? "1 / 1" : ratio.replace(":", " / "),
});

const enlarge = (card: Card): void => {
  const list = shown.value.filter((one) => pictureOf(one) !== null);
  const items = list.map((one) => ({
    ...{ kind: "image" as const, source: pictureOf(one)?.address ?? "" },
    ...{ caption: one.prompt, fileName: nameOf(one) },
  }));
  openLightbox(items, list.indexOf(card));
};

const useForEdit = async (card: Card, { blob }: Drawn): Promise<void> => {
  await references.take([new File([blob], nameOf(card), { type: blob.type })]);
  change({ mode: "edit" });
  focusPrompt();
};

const Picture = ({ card, drawn }: { card: Card; drawn: Drawn }) => {
  const { number } = drawn;
  const image = <img src={drawn.address} alt={card.prompt} style={formOf(card.ratio)} decoding="async" />;
  if (selection.isOn.value) {
    const isChosen = selection.ids.value.has(String(card.id));
    return (
      <label class={`card-picture choosing ${isChosen ? "chosen" : ""}`}>
        <input
          type="checkbox"
          checked={isChosen}
          aria-label={say("choose", { n: number })}
          onChange={() => selection.toggle(String(card.id))}
        />
        {image}
      </label>
    );
  }
  return (
    <button type="button" class="card-picture" aria-label={say("open", { n: number })} onClick={() => enlarge(card)}>
      {image}
    </button>
  );
};

const Foot = ({ card, drawn }: { card: Card; drawn: Drawn }) => {
  const { number, tookMs, blob } = drawn;
  const tool = (about: { icon: "download" | "edit" | "trash"; label: string; run: () => void }) => (
    <button type="button" class="icon-button small" aria-label={about.label} title={about.label} onClick={about.run}>
      <Icon name={about.icon} size={15} />
    </button>
  );
  return (
    <div class="card-foot">
      <span class="muted grow ellipsis">
        #{number} · {say("seconds", { s: (tookMs / 1000).toFixed(1) })}
      </span>
      {tool({
        icon: "download",
        label: say("save", { n: number }),
        run: () => download({ name: nameOf(card), blob }),
      })}
      {tool({ icon: "edit", label: say("use", { n: number }), run: () => void useForEdit(card, drawn) })}
      {tool({ icon: "trash", label: say("removeOne", { n: number }), run: () => remove(new Set([card.id])) })}
    </div>
  );
};

const Again = ({ card, label }: { card: Card; label: string }) => (
  <button type="button" class="button small" onClick={() => retry(card)}>
    <Icon name="refresh" size={15} />
    {label}
  </button>
);

export const CardView = ({ card }: { card: Card }) => {
  const { state } = card;
  const form = formOf(card.ratio);
  switch (state.kind) {
    case "done":
      return (
        <>
          <Picture card={card} drawn={state.drawn} />
          <Foot card={card} drawn={state.drawn} />
        </>
      );
    case "waiting":
      return (
        <div class="card-box" style={form}>
          <span class="muted">{say("waiting")}</span>
        </div>
      );
    case "drawing":
      return (
        <div class="card-box drawing" style={form} aria-busy="true">
          {state.preview === null ? null : <img src={state.preview} alt="" />}
          <span class="card-progress">
            <span class="spinner" />
            {say("drawing")} · {say("seconds", { s: Math.max(0, Math.round((now.value - state.sinceMs) / 1000)) })}
          </span>
        </div>
      );
    case "withheld":
    case "missing":
      return (
        <div class="card-box told" style={form}>
          <Icon name={state.kind === "withheld" ? "shield" : "info"} size={22} />
          <span>{say(state.kind)}</span>
          <Again card={card} label={say("again")} />
        </div>
      );
    case "failed":
      return (
        <div class="card-box told bad" role="alert">
          <Icon name="warning" size={22} />
          <strong>{wordsOf(state.problem)}</strong>
          {state.count > 1 ? <span>{say("lost", { n: state.count })}</span> : null}
          {state.goesOn ? (
            <span class="row">
              <span class="spinner" />
              {say("goesOn")}
            </span>
          ) : (
            <>
              <span>{adviceFor(state.problem)}</span>
              <Again card={card} label={say("retry")} />
            </>
          )}
          <code>{state.problem.code}</code>
        </div>
      );
  }
};
