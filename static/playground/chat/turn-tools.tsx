// What can be done with one turn wherever it stands: another version looked at, the turn removed.
import { Icon } from "../../shared/icons.tsx";
import { confirm } from "../../shared/modal.tsx";
import { type Turn, variantsOf } from "./conversation.ts";
import { choose, current, isArriving, removeTurn } from "./store.ts";
import { say } from "./words.ts";

export const Variants = ({ turn }: { turn: Turn }) => {
  const all = variantsOf(current.value, turn);
  if (all.length < 2) return null;
  const at = all.findIndex(({ id }) => id === turn.id);
  const [before, after] = [all[at - 1], all[at + 1]];
  return (
    <span class="variants" role="group" aria-label={say("variants")}>
      <button
        type="button"
        class="icon-button small"
        aria-label={say("earlierVariant")}
        disabled={!before || isArriving()}
        onClick={() => before && choose(before)}
      >
        <span class="flip">
          <Icon name="right" size={15} />
        </span>
      </button>
      <span>{say("ofVariants", { at: at + 1, of: all.length })}</span>
      <button
        type="button"
        class="icon-button small"
        aria-label={say("laterVariant")}
        disabled={!after || isArriving()}
        onClick={() => after && choose(after)}
      >
        <Icon name="right" size={15} />
      </button>
    </span>
  );
};

export const RemoveTurn = ({ turn }: { turn: Turn }) => {
  const run = async () => {
    const question = { title: say("removeTurnTitle"), text: say("removeTurnText"), action: say("removeTurn") };
    if (await confirm({ ...question, danger: true })) removeTurn(turn);
  };
  return (
    <button
      type="button"
      class="icon-button small"
      aria-label={say("removeTurn")}
      title={say("removeTurn")}
      disabled={isArriving()}
      onClick={() => void run()}
    >
      <Icon name="trash" size={15} />
    </button>
  );
};
