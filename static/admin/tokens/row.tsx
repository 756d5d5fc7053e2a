// One account as a row of the table, or as a card on a narrow window, and what it tells when it is opened.
// Invariant: the session itself is never in the row; it is fetched only when somebody copies it.
import { useComputed, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { TokenInfo } from "../../../src/admin/token-info.ts";
import { get } from "../../shared/api.ts";
import { CopyButton } from "../../shared/copy-button.tsx";
import { count, countdown, dateTime, relative } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { type Action, Menu } from "../../shared/menu.tsx";
import { leaveFor } from "../../shared/router.ts";
import { now } from "../../shared/ticker.ts";
import type { Opened } from "./dialogs.ts";
import { FromSettings, KeyCell, KeyDetails, KindCell, OutOfCredits, outOfCredits } from "./key-cells.tsx";
import { QuotaCell, Windows } from "./quota.tsx";
import { ADULT_TAG, isKey, type Row, selection, toggle } from "./store.ts";
import { clearCooldown, refreshOne, removeAccounts, switchAccounts } from "./verbs.ts";
import { say } from "./words.ts";

const TONES = { active: "ok", cooling: "warn", expired: "bad", disabled: "" } as const;
const TIERS: Readonly<Record<string, string>> = { basic: "blue", super: "warn", heavy: "violet" };

const StatusCell = ({ row }: { row: Row }) => {
  const left = row.cooldown_until === null ? 0 : (row.cooldown_until - now.value) / 1000;
  return (
    <span class="row wrap status-cell">
      <span class={`badge ${TONES[row.status]}`}>{outOfCredits(row) ? say("noCredits") : say(row.status)}</span>
      {row.status === "cooling" && left > 0 ? (
        <span class="muted small-text nowrap" title={row.cooldown_until === null ? "" : dateTime(row.cooldown_until)}>
          {countdown(left)}
        </span>
      ) : null}
      {row.status === "active" && row.state === "exhausted" ? <span class="badge warn">{say("exhausted")}</span> : null}
      {row.in_flight > 0 ? <span class="badge accent">{say("inFlight", { n: row.in_flight })}</span> : null}
    </span>
  );
};

const NoteCell = ({ row }: { row: Row }) => (
  <div class="note-cell">
    {row.note === "" ? null : (
      <span class="ellipsis" title={row.note}>
        {row.note}
      </span>
    )}
    {row.tags.length === 0 ? null : (
      <span class="row wrap tag-list">
        {row.tags.map((tag) => (
          <span key={tag} class={`badge ${tag === ADULT_TAG ? "violet" : ""}`}>
            {tag === ADULT_TAG ? say("adultBadge") : tag}
          </span>
        ))}
      </span>
    )}
  </div>
);

const callsText = ({ use_count: calls }: Row): string =>
  calls === 1 ? say("callOne") : say("callsN", { n: count(calls) });

/** Read each second, drawn only when the words change. */
const Ago = ({ at }: { at: number | null }) => {
  const moment = useSignal(at);
  moment.value = at;
  return <>{useComputed(() => (moment.value === null ? say("never") : relative(moment.value, now.value))).value}</>;
};

const UsedCell = ({ row }: { row: Row }) => (
  <div class="used-cell">
    <span class="nowrap">{callsText(row)}</span>
    <span class="muted small-text nowrap">
      <Ago at={row.last_used_at} />
    </span>
  </div>
);

const fullToken = async (id: string): Promise<string> =>
  (await get<{ item: TokenInfo }>(`/tokens/item/${encodeURIComponent(id)}`)).item.token;

export const AccountRowView = ({ row, open }: { row: Row; open: Opened }) => {
  const shown = useSignal(false);
  const busy = useSignal(false);
  const isSelected = useComputed(() => selection.value.has(row.id)).value;
  const refresh = async () => {
    busy.value = true;
    await refreshOne(row);
    busy.value = false;
  };
  return (
    <>
      <tr class={isSelected ? "selected" : ""}>
        <td class="cell-check">
          <input
            type="checkbox"
            checked={isSelected}
            aria-label={say("selectRow", { token: row.token_masked })}
            onChange={(event) => toggle([row.id], event.currentTarget.checked)}
          />
        </td>
        <td class="cell-token">
          <span class="row">
            <button
              type="button"
              class={`icon-button small turn ${shown.value ? "open" : ""}`}
              aria-expanded={shown.value}
              aria-label={say("details", { token: row.token_masked })}
              onClick={() => (shown.value = !shown.value)}
            >
              <Icon name="right" size={15} />
            </button>
            <span class="mono nowrap">{row.token_masked}</span>
            <CopyButton text={() => fullToken(row.id)} label={say("copyToken")} />
          </span>
        </td>
        <td class="cell-pool">
          {isKey(row) ? (
            <KindCell row={row} />
          ) : (
            <span class={`badge ${TIERS[row.tier] ?? ""}`} title={row.tier}>
              {row.pool}
            </span>
          )}
        </td>
        <td class="cell-status">
          <StatusCell row={row} />
        </td>
        <td class="cell-quota">{isKey(row) ? <KeyCell row={row} /> : <QuotaCell row={row} />}</td>
        <td class="cell-note">
          <NoteCell row={row} />
        </td>
        <td class="cell-used">
          <UsedCell row={row} />
        </td>
        <td class="cell-actions">
          <span class="row actions">
            <button
              type="button"
              class="icon-button"
              aria-label={`${refreshWord(row)} ${row.token_masked}`}
              title={refreshWord(row)}
              disabled={busy.value}
              onClick={() => void refresh()}
            >
              {busy.value ? <span class="spinner" /> : <Icon name="refresh" />}
            </button>
            <Menu label={say("actions")} actions={actionsOf(row, open)}>
              <Icon name="more" size={20} />
            </Menu>
          </span>
        </td>
      </tr>
      {shown.value ? <Details row={row} /> : null}
    </>
  );
};

const refreshWord = (row: Row): string => say(isKey(row) ? "refreshKey" : "refresh");

const removal = (row: Row): Action =>
  row.from_config
    ? { label: say("deleteThere"), icon: "config", run: () => void leaveFor("/admin/config#xai") }
    : {
        ...{ label: say("delete"), icon: "trash", danger: true },
        run: () => void removeAccounts({ ids: [row.id], only: row }),
      };

const actionsOf = (row: Row, open: Opened) => {
  const isOff = row.status === "disabled";
  return [
    { label: say("test"), icon: "flask" as const, run: () => (open.value = { kind: "test", row }) },
    { label: say("edit"), icon: "edit" as const, run: () => (open.value = { kind: "edit", row }) },
    {
      label: isOff ? say("enable") : say("disable"),
      icon: "power" as const,
      run: () => void switchAccounts([row.id], !isOff),
    },
    {
      label: say("clearCooldown"),
      icon: "snow" as const,
      run: () => void clearCooldown([row.id]),
      disabled: row.state !== "exhausted" && Object.keys(row.model_rests).length === 0,
    },
    ...(isKey(row)
      ? []
      : [
          {
            label: say("adultMenu"),
            icon: "shield" as const,
            run: () => (open.value = { kind: "adult" as const, ids: [row.id] }),
          },
        ]),
    "line" as const,
    removal(row),
  ];
};

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt class="muted small-text">{name}</dt>
    <dd>{children}</dd>
  </div>
);

const Details = ({ row }: { row: Row }) => (
  <tr class="details-row">
    <td colSpan={8}>
      {row.from_config ? <FromSettings /> : null}
      {outOfCredits(row) ? <OutOfCredits row={row} /> : null}
      {row.last_fail_at === null ? null : (
        <div class={`notice ${row.status === "active" ? "warn" : "bad"}`}>
          <Icon name="warning" />
          <span>
            <strong>{say("lastFailure")}</strong> {relative(row.last_fail_at, now.value)} ({dateTime(row.last_fail_at)})
            {row.last_fail_code === null ? null : <span class="mono"> {row.last_fail_code}</span>}
            {row.last_fail_reason === null ? null : <span class="failure-text">{row.last_fail_reason}</span>}
          </span>
        </div>
      )}
      <dl class="facts">
        <Fact name="ID">
          <span class="mono">{row.id}</span>
        </Fact>
        {isKey(row) ? (
          <Fact name={say("team")}>
            <span class="mono">{row.team_id ?? say("unknown")}</span>
          </Fact>
        ) : (
          <Fact name={say("tierName")}>
            {row.tier} <span class="muted small-text">({row.tier_source})</span>
          </Fact>
        )}
        <Fact name={say("used")}>
          {callsText(row)}, {say("failsN", { n: count(row.fail_count) })}
        </Fact>
        <Fact name={say("createdAt")}>{dateTime(row.created_at)}</Fact>
        <Fact name={say("usedAt")}>{row.last_used_at === null ? say("never") : dateTime(row.last_used_at)}</Fact>
        <Fact name={say(isKey(row) ? "modelsAsked" : "syncedAt")}>
          {row.last_sync_at === null ? say("never") : dateTime(row.last_sync_at)}
        </Fact>
        {row.cooldown_until === null ? null : (
          <Fact name={say("coolsUntil")}>
            {dateTime(row.cooldown_until)} <span class="muted small-text">({row.cooldown_reason})</span>
          </Fact>
        )}
      </dl>
      {isKey(row) ? <KeyDetails row={row} /> : <Windows row={row} />}
    </td>
  </tr>
);
