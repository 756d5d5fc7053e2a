// Single requests as the journal has them: found by words and outcome, read further on demand, opened with their attempts.
// Invariant: rows are only ever added at the end, so that nothing moves under the reader.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RequestView } from "../../../src/admin/report-view.ts";
import { get, messageOf, post } from "../../shared/api.ts";
import { bytes, count, dollars, milliseconds, moment } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Skeleton } from "../../shared/loaded.tsx";
import { confirm } from "../../shared/modal.tsx";
import { toast } from "../../shared/toast.tsx";
import { RequestDialog } from "./request-dialog.tsx";
import { OUTCOMES, type Outcome, say, sayOutcome } from "./words.ts";

interface Answer {
  readonly items: readonly RequestView[];
  readonly next: number | null;
}

const TYPING_MS = 250;
const ROWS = 50;
const TONES: Readonly<Record<string, string>> = { finished: "ok", failed: "bad", "upstream-cut": "bad" };

export const Requests = () => {
  const search = useSignal("");
  const outcome = useSignal<Outcome | "">("");
  const retried = useSignal(false);
  const rows = useSignal<readonly RequestView[]>([]);
  const next = useSignal<number | null>(null);
  const busy = useSignal(true);
  const opened = useSignal<RequestView | null>(null);
  const load = async (before: number | null, isCurrent: () => boolean) => {
    busy.value = true;
    try {
      const query = { search: search.value, outcome: outcome.value, retried: retried.value ? true : null };
      let shown: readonly RequestView[] = before === null ? [] : rows.value;
      const enough = shown.length + ROWS;
      let from = before;
      // A search through many requests comes in parts, and a part may hold nothing.
      do {
        const answer = await get<Answer>("/requests", { ...query, before: from, limit: ROWS });
        if (!isCurrent()) return;
        shown = [...shown, ...answer.items];
        from = answer.next;
        rows.value = shown;
        next.value = from;
      } while (from !== null && shown.length < enough);
    } catch (thrown) {
      toast(messageOf(thrown), "error");
    } finally {
      if (isCurrent()) busy.value = false;
    }
  };
  const reload = () => load(null, () => true);
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => void load(null, () => isCurrent), TYPING_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [search.value, outcome.value, retried.value]);
  return (
    <section class="panel" aria-label={say("requests")}>
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
              onInput={(event) => (search.value = event.currentTarget.value)}
            />
          </div>
          <select
            class="select"
            aria-label={say("outcome")}
            value={outcome.value}
            onChange={(event) => (outcome.value = OUTCOMES.find((one) => one === event.currentTarget.value) ?? "")}
          >
            <option value="">{say("anyOutcome")}</option>
            {OUTCOMES.map((one) => (
              <option key={one} value={one}>
                {sayOutcome(one)}
              </option>
            ))}
          </select>
          <label class="check">
            <input
              type="checkbox"
              checked={retried.value}
              onChange={(event) => (retried.value = event.currentTarget.checked)}
            />
            {say("retriedOnly")}
          </label>
          <button type="button" class="button small" disabled={busy.value} onClick={() => void reload()}>
            <Icon name="refresh" size={16} />
            {say("refresh")}
          </button>
        </div>
      </div>
      {rows.value.length === 0 ? (
        busy.value ? (
          <Skeleton lines={9} />
        ) : (
          <p class="empty">{say("none")}</p>
        )
      ) : (
        <Rows rows={rows.value} onOpen={(row) => (opened.value = row)} />
      )}
      <div class="row wrap list-foot">
        <JournalSize onCleared={() => void reload()} />
        {next.value === null ? null : (
          <button
            type="button"
            class="button small"
            disabled={busy.value}
            onClick={() => void load(next.value, () => true)}
          >
            {say("more")}
          </button>
        )}
      </div>
      {opened.value ? <RequestDialog row={opened.value} onClose={() => (opened.value = null)} /> : null}
    </section>
  );
};

const Rows = ({ rows, onOpen }: { rows: readonly RequestView[]; onOpen: (row: RequestView) => void }) => (
  <div class="table-wrap">
    <table class="table with-actions">
      <thead>
        <tr>
          <th>{say("time")}</th>
          <th>{say("model")}</th>
          <th>{say("key")}</th>
          <th>{say("status")}</th>
          <th class="number">{say("duration")}</th>
          <th class="number">{say("tokens")}</th>
          <th class="number">{say("cost")}</th>
          <th>
            <span class="sr-only">{say("attempts")}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={row.seq}>
            <td class="nowrap">{moment(Date.parse(row.time))}</td>
            <td>{row.model ?? <span class="muted">{row.route}</span>}</td>
            <td class="muted">{row.key_name}</td>
            <td class="nowrap">
              <span class={`badge ${TONES[row.outcome] ?? "warn"}`}>{row.status}</span>{" "}
              <span class="small-text">{row.code ?? sayOutcome(row.outcome)}</span>
            </td>
            <td class="number nowrap">{milliseconds(row.total_ms)}</td>
            <td class="number nowrap">
              {count(row.tokens_in)} / {count(row.tokens_out)}
            </td>
            <td class="number nowrap">{row.cost_usd === 0 ? <span class="muted">–</span> : dollars(row.cost_usd)}</td>
            <td>
              <button
                type="button"
                class="icon-button"
                aria-label={say("open", { id: row.id })}
                onClick={() => onOpen(row)}
              >
                <Icon name="right" />
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

const JournalSize = ({ onCleared }: { onCleared: () => void }) => {
  const size = useSignal<{ rows: number; bytes: number } | null>(null);
  const load = () =>
    get<{ rows: number; bytes: number }>("/journal").then(
      (answer) => void (size.value = answer),
      () => undefined,
    );
  useEffect(() => void load(), []);
  const clear = async () => {
    const yes = await confirm({ title: say("clear"), text: say("clearText"), action: say("clear"), danger: true });
    if (!yes) return;
    try {
      const { removed } = await post<{ removed: number }>("/logs/clear");
      toast(say("cleared", { n: count(removed) }));
    } catch (thrown) {
      toast(messageOf(thrown), "error");
    }
    await load();
    onCleared();
  };
  return (
    <span class="row grow muted small-text">
      {size.value === null ? "" : say("rows", { n: count(size.value.rows), size: bytes(size.value.bytes) })}
      <button type="button" class="button quiet small danger" onClick={() => void clear()}>
        {say("clear")}
      </button>
    </span>
  );
};
