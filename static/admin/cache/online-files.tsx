// Files that the site keeps for the accounts: counted and cleared as jobs, for one account, some or all.
// Invariant: no second job begins while one runs.
import { useSignal } from "@preact/signals";
import { count, relative } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { confirm } from "../../shared/modal.tsx";
import { Pager } from "../../shared/pager.tsx";
import { taskRuns } from "../../shared/tasks.ts";
import { now } from "../../shared/ticker.ts";
import { AccountFiles } from "./account-files.tsx";
import { accounts, clearOnline, countOnline, details, type OnlineAccount } from "./store.ts";
import { say } from "./words.ts";

const SIZES = [50, 100, 200] as const;

const clearAsked = async (tokens: readonly string[]): Promise<void> => {
  const text = say("clearOnlineText", { n: count(tokens.length) });
  const yes = await confirm({ title: say("clearOnlineTitle"), text, action: say("clear"), danger: true });
  if (yes) await clearOnline(say("taskClear"), tokens);
};

export const OnlineFiles = () => {
  const chosen = useSignal<ReadonlySet<string>>(new Set());
  const page = useSignal(1);
  const size = useSignal<number>(50);
  const all = accounts.value;
  if (all.length === 0) return <p class="panel empty">{say("none")}</p>;
  const isBusy = taskRuns.value;
  const shown = all.slice((page.value - 1) * size.value, page.value * size.value);
  const toggle = (tokens: readonly string[], on: boolean) => {
    const next = new Set(chosen.value);
    for (const token of tokens) {
      if (on) next.add(token);
      else next.delete(token);
    }
    chosen.value = next;
  };
  const picked = [...chosen.value];
  return (
    <section class="panel" aria-label={say("online")}>
      <div class="row wrap list-head">
        <label class="check grow">
          <input
            type="checkbox"
            checked={shown.every(({ token }) => chosen.value.has(token))}
            onChange={(event) =>
              toggle(
                shown.map(({ token }) => token),
                event.currentTarget.checked,
              )
            }
          />
          {picked.length > 0 ? say("selected", { n: count(picked.length) }) : say("selectPage")}
        </label>
        <button
          type="button"
          class="button small"
          disabled={isBusy}
          onClick={() => void countOnline(say("taskLoad"), picked.length > 0 ? picked : null)}
        >
          <Icon name="refresh" size={16} />
          {picked.length > 0 ? say("load") : say("loadAll")}
        </button>
        <button
          type="button"
          class="button small quiet danger"
          disabled={isBusy || picked.length === 0}
          onClick={() => void clearAsked(picked)}
        >
          <Icon name="trash" size={16} />
          {say("clear")}
        </button>
      </div>
      <div class="table-wrap">
        <table class="table with-actions">
          <thead>
            <tr>
              <th class="cell-check">
                <span class="sr-only">{say("selectPage")}</span>
              </th>
              <th>{say("token")}</th>
              <th>{say("pool")}</th>
              <th>{say("count")}</th>
              <th>{say("lastClear")}</th>
              <th>
                <span class="sr-only">{say("clear")}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((account) => (
              <Row
                key={account.token}
                account={account}
                isBusy={isBusy}
                chosen={chosen.value.has(account.token)}
                onChoose={(on) => toggle([account.token], on)}
              />
            ))}
          </tbody>
        </table>
      </div>
      <Pager
        page={page.value}
        pages={Math.max(1, Math.ceil(all.length / size.value))}
        total={all.length}
        size={size.value}
        sizes={SIZES}
        onPage={(next) => (page.value = next)}
        onSize={(next) => {
          page.value = 1;
          size.value = next;
        }}
      />
    </section>
  );
};

interface RowProps {
  readonly account: OnlineAccount;
  readonly isBusy: boolean;
  readonly chosen: boolean;
  readonly onChoose: (on: boolean) => void;
}

const Row = ({ account, isBusy, chosen, onChoose }: RowProps) => {
  const known = details.value.get(account.token);
  const shown = useSignal(false);
  const { token_masked: masked } = account;
  return (
    <>
      <tr>
        <td class="cell-check">
          <input
            type="checkbox"
            aria-label={say("select", { name: masked })}
            checked={chosen}
            onChange={(event) => onChoose(event.currentTarget.checked)}
          />
        </td>
        <td class="nowrap">
          <span class="row cell-open">
            <button
              type="button"
              class={`icon-button small turn ${shown.value ? "open" : ""}`}
              aria-expanded={shown.value}
              aria-label={say("listFiles", { name: masked })}
              onClick={() => (shown.value = !shown.value)}
            >
              <Icon name="right" size={15} />
            </button>
            <span class="mono">{masked}</span>
          </span>
        </td>
        <td>{account.pool}</td>
        <td>
          {known === undefined ? (
            <span class="muted">{say("notLoaded")}</span>
          ) : known.status === "ok" ? (
            <span class="badge blue">{count(known.count)}</span>
          ) : (
            <span class="badge bad" title={known.status}>
              {say("failed")}
            </span>
          )}
        </td>
        <td class="muted nowrap">
          {account.last_asset_clear_at === null ? say("never") : relative(account.last_asset_clear_at, now.value)}
        </td>
        <td>
          <span class="row actions">
            <button
              type="button"
              class="icon-button"
              disabled={isBusy}
              aria-label={`${say("load")} ${masked}`}
              title={say("load")}
              onClick={() => void countOnline(say("taskLoad"), [account.token])}
            >
              <Icon name="refresh" />
            </button>
            <button
              type="button"
              class="icon-button"
              disabled={isBusy}
              aria-label={`${say("clear")} ${masked}`}
              title={say("clear")}
              onClick={() => void clearAsked([account.token])}
            >
              <Icon name="trash" />
            </button>
          </span>
        </td>
      </tr>
      {shown.value ? (
        <tr class="details-row">
          <td colSpan={6}>
            <AccountFiles token={account.token} />
          </td>
        </tr>
      ) : null}
    </>
  );
};
