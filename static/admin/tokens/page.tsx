// The page of the tokens: numbers, filters, table, what can be done with a selection, and the dialogs over it.
// Knows no rule about accounts. Invariant: what is shown is loaded again every few seconds, unless somebody is choosing.
import { useSignal } from "@preact/signals";
import { count, shortCount } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Skeleton } from "../../shared/loaded.tsx";
import { Menu } from "../../shared/menu.tsx";
import { Pager } from "../../shared/pager.tsx";
import { useShortcuts } from "../../shared/shortcuts.tsx";
import { taskRuns } from "../../shared/tasks.ts";
import { useEvery } from "../../shared/ticker.ts";
import { AddDialog } from "./add-dialog.tsx";
import { AdultDialog } from "./adult-dialog.tsx";
import { BatchBar } from "./batch-bar.tsx";
import type { Dialog, Opened } from "./dialogs.ts";
import { EditDialog, EditManyDialog } from "./edit-dialog.tsx";
import { FilterBar } from "./filters.tsx";
import { ImportDialog } from "./import-dialog.tsx";
import { RestoreDialog } from "./restore-dialog.tsx";
import { AccountRowView } from "./row.tsx";
import {
  filters,
  goTo,
  idsMatching,
  isFiltered,
  load,
  loading,
  page,
  pageSize,
  problem,
  select,
  selection,
  setSize,
  SIZES,
  toggle,
} from "./store.ts";
import { TestDialog } from "./test-dialog.tsx";
import { clearAllCooldowns, exportAccounts, refreshAll, refreshMany } from "./verbs.ts";
import { say } from "./words.ts";

const RELOAD_MS = 5000;

export const TokensPage = () => {
  const open: Opened = useSignal<Dialog | null>(null);
  useEvery(RELOAD_MS, () => void load());
  const close = () => (open.value = null);
  useShortcuts(() => [
    { keys: "n", what: say("add"), run: () => (open.value = { kind: "add" }) },
    { keys: "i", what: say("import"), run: () => (open.value = { kind: "import" }) },
    { keys: "r", what: say("refreshSelectedKey"), run: () => void refreshChosen() },
    { keys: "a", what: say("selectPage"), run: selectShown },
    { keys: "x", what: say("unselect"), run: () => select([]) },
    { keys: "[", what: say("previousPage"), run: () => step(-1) },
    { keys: "]", what: say("nextPage"), run: () => step(1) },
  ]);
  return (
    <div
      class="page"
      onDragOver={(event) => {
        if (event.dataTransfer?.types.includes("Files") !== true || open.value !== null) return;
        event.preventDefault();
        open.value = { kind: "import" };
      }}
    >
      <header class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
        <HeadButtons open={open} />
      </header>
      <Stats />
      <section class="panel" aria-label={say("title")}>
        <FilterBar />
        <List open={open} />
      </section>
      <BatchBar open={open} />
      <DialogPlace dialog={open.value} close={close} />
    </div>
  );
};

const selectShown = (): void => toggle(page.value?.items.map(({ id }) => id) ?? [], true);

const step = (by: number): void => {
  const next = (page.value?.page ?? 1) + by;
  if (next >= 1 && next <= (page.value?.pages ?? 1)) goTo(next);
};

/** What is selected, else all. */
const refreshChosen = async (): Promise<void> => {
  if (taskRuns.value || (page.value?.totals.total ?? 0) === 0) return;
  await (selection.value.size > 0 ? refreshMany([...selection.value]) : refreshAll());
};

const adultForAll = async (open: Opened): Promise<void> => {
  const ids = await idsMatching();
  if (ids.length > 0) open.value = { kind: "adult", ids };
};

const HeadButtons = ({ open }: { open: Opened }) => (
  <div class="row">
    <button
      type="button"
      class="button"
      disabled={taskRuns.value || (page.value?.totals.total ?? 0) === 0}
      onClick={() => void refreshAll()}
    >
      <Icon name="refresh" />
      {say("refreshAll")}
    </button>
    <button type="button" class="button" onClick={() => (open.value = { kind: "import" })}>
      <Icon name="upload" />
      {say("import")}
    </button>
    <button type="button" class="button primary" onClick={() => (open.value = { kind: "add" })}>
      <Icon name="plus" />
      {say("add")}
    </button>
    <Menu
      label={say("more")}
      buttonClass="button icon-only"
      actions={[
        { label: say("exportAllText"), icon: "download", run: () => void exportAccounts("text") },
        { label: say("exportAllJson"), icon: "download", run: () => void exportAccounts("json") },
        "line",
        {
          label: say("adultForList"),
          icon: "shield",
          disabled: taskRuns.value || (page.value?.total ?? 0) === 0,
          run: () => void adultForAll(open),
        },
        { label: say("clearAllCooldowns"), icon: "snow", run: () => void clearAllCooldowns() },
        { label: say("restore"), icon: "undo", run: () => (open.value = { kind: "restore" }) },
      ]}
    >
      <Icon name="more" size={20} />
    </Menu>
  </div>
);

const DialogPlace = ({ dialog, close }: { dialog: Dialog | null; close: () => void }) => {
  if (dialog === null) return null;
  switch (dialog.kind) {
    case "add":
      return <AddDialog onClose={close} />;
    case "import":
      return <ImportDialog onClose={close} />;
    case "edit":
      return <EditDialog row={dialog.row} onClose={close} />;
    case "edit-many":
      return <EditManyDialog ids={dialog.ids} onClose={close} />;
    case "test":
      return <TestDialog row={dialog.row} onClose={close} />;
    case "adult":
      return <AdultDialog ids={dialog.ids} onClose={close} />;
    case "restore":
      return <RestoreDialog onClose={close} />;
    default:
      return dialog satisfies never;
  }
};

const Stat = ({ name, value, hint, tone = "" }: { name: string; value: string; hint?: string; tone?: string }) => (
  <div class={`stat ${tone}`}>
    <dt>{name}</dt>
    <dd>{value}</dd>
    {hint === undefined ? null : <dd class="stat-hint">{hint}</dd>}
  </div>
);

const Stats = () => {
  const totals = page.value?.totals;
  const shown = (value: number | undefined) => (value === undefined ? "–" : shortCount(value));
  const unknown = totals?.quota_unknown ?? 0;
  return (
    <dl class="stats">
      <Stat name={say("total")} value={shown(totals?.total)} />
      <Stat name={say("active")} value={shown(totals?.active)} tone="ok" />
      <Stat name={say("cooling")} value={shown(totals?.cooling)} tone="warn" />
      <Stat name={say("invalid")} value={shown(totals?.invalid)} tone="bad" hint={say("invalidHint")} />
      <Stat
        name={say("quota")}
        value={shown(totals?.quota)}
        hint={unknown > 0 ? say("quotaUnknown", { n: count(unknown) }) : say("quotaHint")}
      />
      <Stat name={say("calls")} value={shown(totals?.use_count)} />
    </dl>
  );
};

/** Sessions have calls left, keys have models. */
const QUOTA_HEADS = { any: "quotaOrModels", web: "quota", xai: "models" } as const;

const List = ({ open }: { open: Opened }) => {
  const { value } = page;
  if (problem.value !== null && !value) return <p class="empty danger-text">{problem.value}</p>;
  if (!value) return <Skeleton lines={9} />;
  if (value.items.length === 0) return <Nothing open={open} />;
  const ids = value.items.map(({ id }) => id);
  const chosen = ids.filter((id) => selection.value.has(id)).length;
  return (
    <>
      <div class={`table-wrap ${loading.value ? "waiting" : ""}`}>
        <table class="table accounts">
          <thead>
            <tr>
              <th class="cell-check">
                <input
                  type="checkbox"
                  aria-label={say("selectPage")}
                  checked={chosen === ids.length}
                  ref={(box) => {
                    if (box) box.indeterminate = chosen > 0 && chosen < ids.length;
                  }}
                  onChange={(event) => toggle(ids, event.currentTarget.checked)}
                />
              </th>
              <th>{say("token")}</th>
              <th>{say("pool")}</th>
              <th>{say("status")}</th>
              <th>{say(QUOTA_HEADS[filters.value.kind])}</th>
              <th>{say("note")}</th>
              <th>{say("used")}</th>
              <th>
                <span class="sr-only">{say("actions")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {value.items.map((row) => (
              <AccountRowView key={row.id} row={row} open={open} />
            ))}
          </tbody>
        </table>
      </div>
      <Pager
        page={value.page}
        pages={value.pages}
        total={value.total}
        size={pageSize.value}
        sizes={SIZES}
        onPage={goTo}
        onSize={setSize}
      />
    </>
  );
};

const Nothing = ({ open }: { open: Opened }) => (
  <div class="empty">
    <Icon name="tokens" size={34} />
    {isFiltered.value ? (
      <p>{say("noMatch")}</p>
    ) : (
      <>
        <p>
          <strong>{say("none")}</strong>
          <br />
          {say("noneHint")}
        </p>
        <span class="row wrap">
          <button type="button" class="button primary" onClick={() => (open.value = { kind: "add" })}>
            <Icon name="plus" />
            {say("add")}
          </button>
          <button type="button" class="button" onClick={() => (open.value = { kind: "import" })}>
            <Icon name="upload" />
            {say("import")}
          </button>
        </span>
      </>
    )}
  </div>
);
