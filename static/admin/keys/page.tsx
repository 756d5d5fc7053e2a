// The page of the API keys: list, filters, what can be done with one. Knows no secret but one that was just made.
// Invariant: a secret is shown once, right after it was made, and kept nowhere in the page.
import { useSignal, type Signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { KeyStatus, KeyView } from "../../../src/admin/key-view.ts";
import { get, messageOf, post } from "../../shared/api.ts";
import { count, dateTime, relative } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { useLoaded, Waiting } from "../../shared/loaded.tsx";
import { Menu } from "../../shared/menu.tsx";
import { confirm } from "../../shared/modal.tsx";
import { Pager } from "../../shared/pager.tsx";
import { now } from "../../shared/ticker.ts";
import { toast } from "../../shared/toast.tsx";
import { KeyDialog, SecretDialog, type Made } from "./dialogs.tsx";
import { say } from "./words.ts";

interface KeyList {
  readonly data: readonly KeyView[];
  readonly total: number;
  readonly counts: Readonly<Record<KeyStatus, number>>;
  readonly global_key_set: boolean;
}

type Open =
  | { readonly kind: "new" }
  | { readonly kind: "edit"; readonly key: KeyView }
  | { readonly kind: "made"; readonly made: readonly Made[] };

const VIEWS = ["all", "active", "disabled", "expired", "exhausted"] as const;
const SIZES = [20, 50, 100, 200] as const;
const TONES = { active: "ok", disabled: "", expired: "bad", exhausted: "warn" } as const;

export const KeysPage = () => {
  const search = useSignal("");
  const status = useSignal<(typeof VIEWS)[number]>("all");
  const page = useSignal(1);
  const size = useSignal(50);
  const open = useSignal<Open | null>(null);
  const loaded = useLoaded(() =>
    get<KeyList>("/keys", { search: search.value, status: status.value, page: page.value, page_size: size.value }),
  );
  useEffect(() => void loaded.reload(), [search.value, status.value, page.value, size.value]);
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
        <button type="button" class="button primary" onClick={() => (open.value = { kind: "new" })}>
          <Icon name="plus" />
          {say("create")}
        </button>
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
                  {view === "all" || found === null ? null : <span class="count">{count(found.counts[view])}</span>}
                </button>
              ))}
            </div>
          </div>
        </div>
        {found === null ? <Waiting loaded={loaded} /> : null}
        {found === null ? null : (
          <Rows
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
  if (dialog.kind === "made") return <SecretDialog made={dialog.made} onClose={close} />;
  return (
    <KeyDialog
      of={dialog.kind === "edit" ? dialog.key : null}
      onClose={close}
      onMade={(made) => (open.value = { kind: "made", made })}
    />
  );
};

interface RowsProps {
  readonly keys: readonly KeyView[];
  readonly isFiltered: boolean;
  readonly open: Signal<Open | null>;
  readonly reload: () => Promise<void>;
}

const Rows = ({ keys, isFiltered, open, reload }: RowsProps) => {
  if (keys.length === 0) return <p class="empty">{isFiltered ? say("noMatch") : say("none")}</p>;
  return (
    <div class="table-wrap">
      <table class="table with-actions">
        <thead>
          <tr>
            <th>{say("name")}</th>
            <th>{say("key")}</th>
            <th>{say("status")}</th>
            <th>{say("today")}</th>
            <th>{say("lastUsed")}</th>
            <th>
              <span class="sr-only">{say("editAction")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <td>
                <strong>{key.name}</strong>
                {key.note === "" ? null : <div class="muted small-text">{key.note}</div>}
              </td>
              <td class="mono nowrap">{key.display_key}</td>
              <td>
                <span class={`badge ${TONES[key.status]}`}>{say(key.status)}</span>
              </td>
              <td>
                <Used of={key} />
              </td>
              <td class="nowrap muted" title={say("created") + ": " + dateTime(key.created_at * 1000)}>
                {key.last_used_at === null ? say("never") : relative(key.last_used_at * 1000, now.value)}
              </td>
              <td>
                <Actions of={key} open={open} reload={reload} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};

const BUCKETS = ["chat", "heavy", "image", "video"] as const;

const Used = ({ of: key }: { of: KeyView }) => (
  <ul class="quota used-today">
    {BUCKETS.map((bucket) => {
      const limit = key[`${bucket}_limit`];
      const used = key.usage_today[`${bucket}_used`] ?? 0;
      if (limit < 0 && used === 0) return null;
      return (
        <li key={bucket} class={limit >= 0 && used >= limit ? "empty-window" : ""} title={say(bucket)}>
          <span class="quota-kind">{bucket}</span>
          <span class="quota-left">{limit < 0 ? count(used) : `${count(used)}/${count(limit)}`}</span>
          {limit < 0 ? null : (
            <span class="quota-bar" aria-hidden="true">
              <span style={{ width: `${limit === 0 ? 100 : Math.min(100, (used / limit) * 100)}%` }} />
            </span>
          )}
        </li>
      );
    })}
  </ul>
);

interface ActionsProps {
  readonly of: KeyView;
  readonly open: Signal<Open | null>;
  readonly reload: () => Promise<void>;
}

const Actions = ({ of: key, open, reload }: ActionsProps) => {
  const { name } = key;
  const attempt = async (work: () => Promise<string | null>) => {
    try {
      const told = await work();
      if (told !== null) toast(told);
    } catch (thrown) {
      toast(messageOf(thrown), "error");
    }
    await reload();
  };
  const toggle = () =>
    attempt(async () => {
      await post("/keys/update", { key: key.id, is_active: !key.is_active });
      return say("saved");
    });
  const rotate = async () => {
    const question = { title: say("rotateTitle"), text: say("rotateText", { name }), action: say("rotate") };
    if (!(await confirm(question))) return;
    await attempt(async () => {
      const { data } = await post<{ data: Made }>("/keys/rotate", { key: key.id });
      open.value = { kind: "made", made: [data] };
      return null;
    });
  };
  const remove = async () => {
    const question = { title: say("deleteTitle"), text: say("deleteText", { name }), action: say("deleteAction") };
    if (!(await confirm({ ...question, danger: true }))) return;
    await attempt(async () => {
      await post("/keys/delete", { key: key.id });
      return say("deleted");
    });
  };
  return (
    <Menu
      label={say("actions", { name })}
      actions={[
        { label: say("editAction"), icon: "edit", run: () => (open.value = { kind: "edit", key }) },
        { label: key.is_active ? say("disable") : say("enable"), icon: "power", run: () => void toggle() },
        { label: say("rotate"), icon: "refresh", run: () => void rotate() },
        "line",
        { label: say("delete"), icon: "trash", danger: true, run: () => void remove() },
      ]}
    >
      <Icon name="more" size={20} />
    </Menu>
  );
};
