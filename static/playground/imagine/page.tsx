// The page of the pictures: what is to be drawn, and the waterfall of what has come. Keys that work on it.
// Invariant: pictures that are dropped or pasted anywhere on the page come along to be changed.
import { useEffect } from "preact/hooks";
import { messageOf } from "../../shared/api.ts";
import { Icon } from "../../shared/icons.tsx";
import { useShortcuts } from "../../shared/shortcuts.tsx";
import { toast } from "../../shared/toast.tsx";
import { DropHere, usePictureDrops } from "../media/references.tsx";
import { Wall, WallItem } from "../media/wall.tsx";
import type { PageView } from "../page-view.ts";
import { toggleSelecting, WallBar } from "./bar.tsx";
import { CardView } from "./card.tsx";
import { change, loadOffer } from "./settings.ts";
import { cards, references, runs, shown, stop } from "./store.ts";
import { focusPrompt, Studio, writePrompt } from "./studio.tsx";
import { say } from "./words.ts";

const Empty = () => (
  <div class="empty">
    <Icon name="image" size={34} />
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

const ImaginePage = () => {
  const isDropping = usePictureDrops((files) => {
    change({ mode: "edit" });
    void references.take(files);
  });
  useShortcuts(() => [
    { keys: "p", what: say("focusPrompt"), run: focusPrompt },
    { keys: "s", what: say("stopKey"), run: stop },
    { keys: "x", what: say("selectKey"), run: toggleSelecting },
  ]);
  useEffect(() => {
    loadOffer().catch((thrown: unknown) => toast(messageOf(thrown), "error"));
  }, []);
  const isEmpty = cards.value.length === 0 && runs.value.length === 0;
  return (
    <div class="page">
      <div class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
      </div>
      <Studio />
      <WallBar />
      {isEmpty ? (
        <Empty />
      ) : (
        <Wall label={say("pictures")}>
          {shown.value.map((card) => (
            <WallItem key={card.id}>
              <CardView card={card} />
            </WallItem>
          ))}
        </Wall>
      )}
      {isDropping.value ? <DropHere /> : null}
    </div>
  );
};

export const view: PageView = { Page: ImaginePage };
