// What can be done with all selected accounts, at the bottom while something is selected.
// Invariant: no second job begins while one runs.
import { count } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Menu } from "../../shared/menu.tsx";
import { taskRuns } from "../../shared/tasks.ts";
import type { Opened } from "./dialogs.ts";
import { page, select, selection, selectMatching } from "./store.ts";
import { clearCooldown, exportAccounts, refreshMany, removeAccounts, switchAccounts } from "./verbs.ts";
import { say } from "./words.ts";

export const BatchBar = ({ open }: { open: Opened }) => {
  const ids = [...selection.value];
  if (ids.length === 0) return null;
  const isBusy = taskRuns.value;
  const matching = page.value?.total ?? 0;
  return (
    <section class="batch" aria-label={say("selected", { n: count(ids.length) })}>
      <span class="row">
        <strong class="nowrap" aria-live="polite">
          {say("selected", { n: count(ids.length) })}
        </strong>
        {matching > ids.length ? (
          <button type="button" class="button quiet small" onClick={() => void selectMatching()}>
            {say("selectMatching", { n: count(matching) })}
          </button>
        ) : null}
      </span>
      <span class="row">
        <button type="button" class="button small" disabled={isBusy} onClick={() => void refreshMany(ids)}>
          <Icon name="refresh" size={16} />
          {say("refreshSelected")}
        </button>
        <Menu
          label={say("export")}
          buttonClass="button small"
          actions={[
            { label: say("exportText"), icon: "download", run: () => void exportAccounts("text", ids) },
            { label: say("exportJson"), icon: "download", run: () => void exportAccounts("json", ids) },
          ]}
        >
          <Icon name="download" size={16} />
          <span class="wide-only">{say("export")}</span>
        </Menu>
        <Menu
          label={say("more")}
          buttonClass="button small"
          actions={[
            { label: say("enable"), icon: "power", run: () => void switchAccounts(ids, false) },
            { label: say("disable"), icon: "power", run: () => void switchAccounts(ids, true) },
            { label: say("clearCooldown"), icon: "snow", run: () => void clearCooldown(ids) },
            { label: say("setTags"), icon: "edit", run: () => (open.value = { kind: "edit-many", ids }) },
            {
              label: say("adultMenu"),
              icon: "shield",
              disabled: isBusy,
              run: () => (open.value = { kind: "adult", ids }),
            },
          ]}
        >
          <Icon name="more" size={18} />
        </Menu>
        <button type="button" class="button small quiet danger" onClick={() => void removeAccounts({ ids })}>
          <Icon name="trash" size={16} />
          <span class="wide-only">{say("deleteAction")}</span>
          <span class="sr-only narrow-only">{say("deleteAction")}</span>
        </button>
        <button
          type="button"
          class="icon-button small"
          aria-label={say("unselect")}
          title={say("unselect")}
          onClick={() => select([])}
        >
          <Icon name="close" size={16} />
        </button>
      </span>
    </section>
  );
};
