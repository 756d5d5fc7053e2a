// The table of the keys: what each may do and has done, and what can be done with one or with those that are selected.
// Knows no secret but one that was just made. Invariant: what clients would notice is asked about first.
import { useSignal, type Signal } from "@preact/signals";
import type { KeySort } from "../../../src/admin/keys.ts";
import type { KeyView } from "../../../src/admin/key-view.ts";
import { messageOf, post } from "../../shared/api.ts";
import { count, dateTime, day, dollars, relative } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Menu } from "../../shared/menu.tsx";
import { confirm } from "../../shared/modal.tsx";
import { now } from "../../shared/ticker.ts";
import { toast } from "../../shared/toast.tsx";
import { SortHead, type Sorting } from "../sort-head.tsx";
import type { Made } from "./dialogs.tsx";
import { say } from "./words.ts";

export type Open =
  | { readonly kind: "new" }
  | { readonly kind: "import" }
  | { readonly kind: "edit"; readonly key: KeyView }
  | { readonly kind: "made"; readonly made: readonly Made[] };

const TONES = { active: "ok", disabled: "", expired: "bad", exhausted: "warn" } as const;

interface RowsProps {
  readonly keys: readonly KeyView[];
  readonly isFiltered: boolean;
  readonly sorting: Signal<Sorting<KeySort> | null>;
  readonly open: Signal<Open | null>;
  readonly reload: () => Promise<void>;
}

const attempt = async (work: () => Promise<string | null>, reload: () => Promise<void>): Promise<void> => {
  try {
    const told = await work();
    if (told !== null) toast(told);
  } catch (thrown) {
    toast(messageOf(thrown), "error");
  }
  await reload();
};

const switchKeys = (ids: readonly string[], on: boolean) => async (): Promise<string> => {
  const { data } = await post<{ data: readonly unknown[] }>("/keys/update", { keys: ids, is_active: on });
  return say("changed", { n: count(data.length) });
};

const Batch = ({ chosen, reload }: { chosen: Signal<ReadonlySet<string>>; reload: () => Promise<void> }) => {
  const ids = [...chosen.value];
  if (ids.length === 0) return null;
  const remove = async () => {
    const text = say("deleteMany", { n: count(ids.length) });
    if (!(await confirm({ title: say("deleteTitle"), text, action: say("deleteAction"), danger: true }))) return;
    await attempt(async () => {
      const { deleted } = await post<{ deleted: number }>("/keys/delete", { keys: ids });
      chosen.value = new Set();
      return say("deletedMany", { n: count(deleted) });
    }, reload);
  };
  const name = say("selected", { n: count(ids.length) });
  return (
    <section class="batch" aria-label={name}>
      <strong class="nowrap" aria-live="polite">
        {name}
      </strong>
      <span class="row wrap">
        <button type="button" class="button small" onClick={() => void attempt(switchKeys(ids, true), reload)}>
          {say("enable")}
        </button>
        <button type="button" class="button small" onClick={() => void attempt(switchKeys(ids, false), reload)}>
          {say("disable")}
        </button>
        <button type="button" class="button small quiet danger" onClick={() => void remove()}>
          <Icon name="trash" size={16} />
          {say("deleteAction")}
        </button>
        <button
          type="button"
          class="icon-button small"
          aria-label={say("unselect")}
          title={say("unselect")}
          onClick={() => (chosen.value = new Set())}
        >
          <Icon name="close" size={16} />
        </button>
      </span>
    </section>
  );
};

export const Rows = ({ keys, isFiltered, sorting, open, reload }: RowsProps) => {
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  if (keys.length === 0) return <Nothing isFiltered={isFiltered} open={open} />;
  const here = keys.filter(({ id }) => chosen.value.has(id)).length;
  const toggle = (ids: readonly string[], on: boolean) => {
    const next = new Set(chosen.value);
    for (const id of ids) {
      if (on) next.add(id);
      else next.delete(id);
    }
    chosen.value = next;
  };
  return (
    <>
      <div class="table-wrap">
        <table class="table with-actions">
          <thead>
            <tr>
              <th class="cell-check">
                <input
                  type="checkbox"
                  aria-label={say("selectPage")}
                  checked={here === keys.length}
                  ref={(box) => {
                    if (box) box.indeterminate = here > 0 && here < keys.length;
                  }}
                  onChange={(event) =>
                    toggle(
                      keys.map(({ id }) => id),
                      event.currentTarget.checked,
                    )
                  }
                />
              </th>
              <SortHead name={say("name")} by="name" sorting={sorting} descending={false} />
              <th>{say("key")}</th>
              <th>{say("status")}</th>
              <SortHead name={say("today")} by="used_today" sorting={sorting} />
              <SortHead name={say("lastUsed")} by="last_used" sorting={sorting} />
              <SortHead name={say("created")} by="created" sorting={sorting} />
              <th>
                <span class="sr-only">{say("editAction")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.map((key) => (
              <tr key={key.id} class={chosen.value.has(key.id) ? "selected" : ""}>
                <td class="cell-check">
                  <input
                    type="checkbox"
                    aria-label={say("selectRow", { name: key.name })}
                    checked={chosen.value.has(key.id)}
                    onChange={(event) => toggle([key.id], event.currentTarget.checked)}
                  />
                </td>
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
                <td class="nowrap muted">
                  {key.last_used_at === null ? say("never") : relative(key.last_used_at * 1000, now.value)}
                </td>
                <td class="nowrap muted" title={dateTime(key.created_at * 1000)}>
                  {day(key.created_at * 1000)}
                </td>
                <td>
                  <Actions of={key} open={open} reload={reload} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Batch chosen={chosen} reload={reload} />
    </>
  );
};

const Nothing = ({ isFiltered, open }: Pick<RowsProps, "isFiltered" | "open">) => (
  <div class="empty">
    <Icon name="keys" size={34} />
    <p>{isFiltered ? say("noMatch") : say("none")}</p>
    {isFiltered ? null : (
      <span class="row wrap">
        <button type="button" class="button primary" onClick={() => (open.value = { kind: "new" })}>
          <Icon name="plus" />
          {say("create")}
        </button>
        <button type="button" class="button" onClick={() => (open.value = { kind: "import" })}>
          <Icon name="upload" />
          {say("import")}
        </button>
      </span>
    )}
  </div>
);

const BUCKETS = ["chat", "heavy", "image", "video"] as const;

const Used = ({ of: key }: { of: KeyView }) => (
  <ul class="quota used-today">
    {BUCKETS.map((bucket) => {
      const limit = key[`${bucket}_limit`];
      const used = key.usage_today[`${bucket}_used`] ?? 0;
      if (limit < 0 && used === 0) return null;
      return (
        <li key={bucket} class={limit >= 0 && used >= limit ? "empty-window" : ""} title={say(bucket)}>
          <span class="quota-kind">{say(`short_${bucket}`)}</span>
          <span class="quota-left">{limit < 0 ? count(used) : `${count(used)}/${count(limit)}`}</span>
          {limit < 0 ? null : (
            <span class="quota-bar" aria-hidden="true">
              <span style={{ width: `${limit === 0 ? 100 : Math.min(100, (used / limit) * 100)}%` }} />
            </span>
          )}
        </li>
      );
    })}
    <Spent of={key} />
  </ul>
);

/** What the official API has charged; nothing to see where no key of it was used. */
const Spent = ({ of: key }: { of: KeyView }) => {
  const { daily_usd: limit } = key;
  const today = key.usage_today["usd_spent"] ?? 0;
  const month = key.usage_month.usd_spent;
  if (limit < 0 && key.monthly_usd < 0 && month === 0) return null;
  const isEmpty = (limit >= 0 && today >= limit) || (key.monthly_usd >= 0 && month >= key.monthly_usd);
  const monthText = key.monthly_usd < 0 ? dollars(month) : `${dollars(month)}/${dollars(key.monthly_usd)}`;
  return (
    <li class={isEmpty ? "empty-window" : ""} title={say("spentToday", { today: dollars(today), month: monthText })}>
      <span class="quota-kind">{say("short_usd")}</span>
      <span class="quota-left">{limit < 0 ? dollars(today) : `${dollars(today)}/${dollars(limit)}`}</span>
      {limit < 0 ? null : (
        <span class="quota-bar" aria-hidden="true">
          <span style={{ width: `${limit === 0 ? 100 : Math.min(100, (today / limit) * 100)}%` }} />
        </span>
      )}
    </li>
  );
};

interface ActionsProps {
  readonly of: KeyView;
  readonly open: Signal<Open | null>;
  readonly reload: () => Promise<void>;
}

const Actions = ({ of: key, open, reload }: ActionsProps) => {
  const { name } = key;
  const toggle = () =>
    attempt(async () => {
      await post("/keys/update", { key: key.id, is_active: !key.is_active });
      return say("saved");
    }, reload);
  const rotate = async () => {
    const question = { title: say("rotateTitle"), text: say("rotateText", { name }), action: say("rotate") };
    if (!(await confirm(question))) return;
    await attempt(async () => {
      const { data } = await post<{ data: Made }>("/keys/rotate", { key: key.id });
      open.value = { kind: "made", made: [data] };
      return null;
    }, reload);
  };
  const remove = async () => {
    const question = { title: say("deleteTitle"), text: say("deleteText", { name }), action: say("deleteAction") };
    if (!(await confirm({ ...question, danger: true }))) return;
    await attempt(async () => {
      await post("/keys/delete", { key: key.id });
      return say("deleted");
    }, reload);
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
