// The page of the API keys: list, filters, what can be done with one. Knows no secret but one that was just made.
// Invariant: a secret is shown once, right after it was made, and kept nowhere in the page.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { KeySort } from "../../../src/admin/keys.ts";
import type { KeyStatus, KeyView } from "../../../src/admin/key-view.ts";
import { get } from "../../shared/api.ts";
import { count } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { useLoaded, Waiting } from "../../shared/loaded.tsx";
import { Pager } from "../../shared/pager.tsx";
import { useShortcuts } from "../../shared/shortcuts.tsx";
import { KeyDialog, SecretDialog } from "./dialogs.tsx";
import { ImportKeysDialog } from "./import-dialog.tsx";
import type { Sorting } from "../sort-head.tsx";
import { type Open, Rows } from "./rows.tsx";
import { say } from "./words.ts";

interface KeyList {
  readonly data: readonly KeyView[];
  readonly total: number;
  readonly counts: Readonly<Record<KeyStatus, number>>;
  readonly global_key_set: boolean;
}

const VIEWS = ["all", "active", "disabled", "expired", "exhausted"] as const;
const SIZES = [20, 50, 100, 200] as const;

const countOf = ({ counts }: KeyList, view: (typeof VIEWS)[number]): number =>
  view === "all" ? Object.values(counts).reduce((sum, one) => sum + one, 0) : counts[view];

export const KeysPage = () => {
  const search = useSignal("");
  const status = useSignal<(typeof VIEWS)[number]>("all");
  const page = useSignal(1);
  const size = useSignal(50);
  const sorting = useSignal<Sorting<KeySort> | null>(null);
  const open = useSignal<Open | null>(null);
  const loaded = useLoaded(() =>
    get<KeyList>("/keys", {
      ...{ search: search.value, status: status.value, page: page.value, page_size: size.value },
      sort: sorting.value?.by ?? null,
      order: sorting.value?.descending === true ? "desc" : null,
    }),
  );
  useEffect(() => void loaded.reload(), [search.value, status.value, page.value, size.value, sorting.value]);
  useShortcuts(() => [{ keys: "n", what: say("create"), run: () => (open.value = { kind: "new" }) }]);
  const found = loaded.value.value;
  const close = () => {
    open.value = null;
    void loaded.reload();
  };
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
        <div class="row">
          <button type="button" class="button" onClick={() => (open.value = { kind: "import" })}>
            <Icon name="upload" />
            {say("import")}
          </button>
          <button type="button" class="button primary" onClick={() => (open.value = { kind: "new" })}>
            <Icon name="plus" />
            {say("create")}
          </button>
        </div>
      </header>
      {found === null ? null : (
        <p class={`notice ${found.global_key_set ? "" : "warn"}`}>
          <Icon name="info" />
          {found.global_key_set ? say("globalSet") : say("globalUnset")}
        </p>
      )}
      <section class="panel" aria-label={say("title")}>
        <div class="filters">
          <div class="row wrap">
            <div class="search grow">
              <Icon name="search" />
              <input
                class="input"
                type="search"
                aria-label={say("search")}
                placeholder={say("search")}
                value={search.value}
                onInput={(event) => {
                  page.value = 1;
                  search.value = event.currentTarget.value;
                }}
              />
            </div>
            <div class="tabs" role="group" aria-label={say("status")}>
              {VIEWS.map((view) => (
                <button
                  key={view}
                  type="button"
                  aria-pressed={status.value === view}
                  onClick={() => {
                    page.value = 1;
                    status.value = view;
                  }}
                >
                  {say(view)}
                  {found === null ? null : <span class="count">{count(countOf(found, view))}</span>}
                </button>
              ))}
            </div>
          </div>
        </div>
        {found === null ? <Waiting loaded={loaded} /> : null}
        {found === null ? null : (
          <Rows
            sorting={sorting}
            keys={found.data}
            isFiltered={search.value !== "" || status.value !== "all"}
            open={open}
            reload={loaded.reload}
          />
        )}
        {found === null || found.total <= Math.min(...SIZES) ? null : (
          <Pager
            page={page.value}
            pages={Math.max(1, Math.ceil(found.total / size.value))}
            total={found.total}
            size={size.value}
            sizes={SIZES}
            onPage={(next) => (page.value = next)}
            onSize={(next) => {
              page.value = 1;
              size.value = next;
            }}
          />
        )}
      </section>
      <DialogPlace open={open} close={close} />
    </div>
  );
};

const DialogPlace = ({ open, close }: { open: Signal<Open | null>; close: () => void }) => {
  const dialog = open.value;
  if (dialog === null) return null;
  if (dialog.kind === "import") return <ImportKeysDialog onClose={close} />;
  if (dialog.kind === "made") return <SecretDialog made={dialog.made} onClose={close} />;
  return (
    <KeyDialog
      of={dialog.kind === "edit" ? dialog.key : null}
      onClose={close}
      onMade={(made) => (open.value = { kind: "made", made })}
    />
  );
};
