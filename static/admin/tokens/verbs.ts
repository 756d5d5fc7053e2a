// What can be done with accounts from the page: each verb asks the API, tells how it went and loads the rows again.
// Draws nothing. Invariant: what is removed is asked about first, and a failure is always shown.
import type { ChangeOutcome, RemovalOutcome } from "../../../src/admin/account-changes.ts";
import type { TokenOutcome } from "../../../src/admin/account-refresh.ts";
import { ask, messageOf, post, saveAs, send } from "../../shared/api.ts";
import { count } from "../../shared/format.ts";
import { confirm } from "../../shared/modal.tsx";
import { follow, type Started } from "../../shared/tasks.ts";
import { toast } from "../../shared/toast.tsx";
import { tellEnd } from "../task-card.tsx";
import { filters, load, queryOf, type Row, select, selection } from "./store.ts";
import { say } from "./words.ts";

export type Ids = readonly string[];

/** Shows what goes wrong and loads the rows again whatever happened. */
export const attempt = async (work: () => Promise<string | null>): Promise<boolean> => {
  try {
    const told = await work();
    if (told !== null) toast(told);
    return true;
  } catch (thrown) {
    toast(messageOf(thrown), "error");
    return false;
  } finally {
    void load();
  }
};

interface Summary {
  readonly summary: { readonly ok: number };
  readonly missing: ChangeOutcome["missing"];
}

const tellChanged = ({ summary, missing }: Summary): string =>
  [
    say("changed", { n: count(summary.ok) }),
    ...(missing.length > 0 ? [say("missing", { n: count(missing.length) })] : []),
  ].join(" ");

export const switchAccounts = (ids: Ids, disabled: boolean): Promise<boolean> =>
  attempt(async () => tellChanged(await post<Summary>("/tokens/disabled/batch", { tokens: ids, disabled })));

export const clearCooldown = (ids: Ids): Promise<boolean> =>
  attempt(async () => tellChanged(await post<Summary>("/tokens/clear-cooldown", { tokens: ids })));

export const clearAllCooldowns = async (): Promise<void> => {
  const yes = await confirm({
    title: say("clearAllCooldowns"),
    text: say("clearAllText"),
    action: say("clearAllCooldowns"),
  });
  if (yes) await attempt(async () => tellChanged(await post<Summary>("/tokens/clear-cooldown", { all: true })));
};

export const refreshOne = ({ id, upstream }: Row): Promise<boolean> =>
  attempt(async () => {
    const isKey = upstream === "xai";
    const { details } = await post<{ details: readonly (TokenOutcome & { message?: string })[] }>("/tokens/refresh", {
      tokens: [id],
    });
    const [first] = details;
    if (first?.outcome === "done") return say(isKey ? "refreshedKey" : "refreshed");
    throw new Error(first?.message ?? say("unknown"));
  });

interface Begun extends Started {
  readonly joined?: boolean;
  /** Keys that were left out. */
  readonly api_keys?: number;
}

interface Job {
  readonly label: string;
  readonly start: () => Promise<Begun>;
  /** The same for those that failed. */
  readonly again: (ids: Ids) => void;
}

const followTask = async ({ label, start, again }: Job): Promise<void> => {
  try {
    const { task_id: id, total = 0, message, joined, api_keys: keys = 0 } = await start();
    if (joined === true) toast(say("joined"), "info");
    if (keys > 0) toast(say("keysLeftOut", { n: count(keys) }), "info");
    if (id === undefined) return keys > 0 ? undefined : toast(message ?? "", "info");
    await follow({ id, total, label, again }, (run) => {
      tellEnd(run);
      void load();
    });
  } catch (thrown) {
    toast(messageOf(thrown), "error");
  }
};

export const refreshMany = (ids: Ids): Promise<void> =>
  followTask({
    label: say("taskRefresh"),
    start: () => post<Begun>("/tokens/refresh/async", { tokens: ids }),
    again: refreshAgain,
  });

const refreshAgain = (ids: Ids): void => void refreshMany(ids);

export const refreshAll = (): Promise<void> =>
  followTask({
    label: say("taskRefresh"),
    start: () => post<Begun>("/tokens/refresh-all"),
    again: refreshAgain,
  });

export interface AdultWish {
  readonly adult_content: boolean;
  readonly accept_terms: boolean;
  readonly birth_date: string | null;
}

export const setAdult = (ids: Ids, wish: AdultWish): Promise<void> => {
  const { birth_date: date, ...rest } = wish;
  const body = { tokens: ids, ...rest, ...(date === null ? {} : { birth_date: date, confirm: true }) };
  return followTask({
    label: say("taskAdult"),
    start: () => post<Begun>("/tokens/settings/async", body),
    again: (failed) => void setAdult(failed, wish),
  });
};

interface Removed {
  readonly deleted: number;
  readonly kept: RemovalOutcome["kept"];
}

export const removeAccounts = async (rows: { ids: Ids; only?: Row }): Promise<void> => {
  const { ids, only } = rows;
  const yes = await confirm({
    title: say("deleteTitle"),
    text: only ? say("deleteOne", { token: only.token_masked }) : say("deleteText", { n: count(ids.length) }),
    action: say("deleteAction"),
    danger: true,
  });
  if (!yes) return;
  await attempt(async () => {
    const { deleted, kept } = await send<Removed>("DELETE", "/tokens", { body: { tokens: ids, confirm: true } });
    const gone = new Set(ids).difference(new Set(kept));
    select([...selection.value].filter((id) => !gone.has(id)));
    if (kept.length > 0) toast(say("kept", { n: count(kept.length) }), "info");
    return say("deleted", { n: count(deleted) });
  });
};

/** The named accounts, or what the filters let through. */
export const exportAccounts = (format: "text" | "json", ids?: Ids): Promise<boolean> =>
  attempt(async () => {
    const response = await (ids
      ? ask("POST", "/tokens/export", { body: { tokens: ids, format } })
      : ask("GET", "/tokens/export", { query: { ...queryOf(filters.value), format } }));
    await saveAs(response, `tokens.${format === "json" ? "json" : "txt"}`);
    return null;
  });
