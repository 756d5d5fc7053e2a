// Who changed what: the rows of the audit, newest first, with what was before and after. Changes nothing.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { get } from "../../shared/api.ts";
import { moment } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { speak } from "../../shared/language.ts";
import { useLoaded, Waiting } from "../../shared/loaded.tsx";
import { Pager } from "../../shared/pager.tsx";

const say = speak({
  title: ["Audit", "审计"],
  intro: ["Changes made on the admin side, newest first.", "管理端的更改记录，最新在前。"],
  search: ["Action begins with…", "按操作前缀筛选…"],
  time: ["Time", "时间"],
  who: ["Who", "操作者"],
  action: ["Action", "操作"],
  target: ["What", "对象"],
  none: ["Nothing was changed yet.", "暂无更改记录。"],
  before: ["Before", "更改前"],
  after: ["After", "更改后"],
  details: ["Before and after", "更改前后"],
});

interface AuditRow {
  readonly id: string;
  readonly time: number;
  readonly actor: string;
  readonly address: string;
  readonly action: string;
  readonly target: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

interface AuditPage {
  readonly items: readonly AuditRow[];
  readonly total: number;
  readonly page: number;
  readonly page_size: number;
}

const SIZES = [50, 100, 200, 500] as const;

export const AuditPageView = () => {
  const action = useSignal("");
  const page = useSignal(1);
  const size = useSignal(50);
  const loaded = useLoaded(() =>
    get<AuditPage>("/audit", { action: action.value, page: page.value, page_size: size.value }),
  );
  useEffect(() => void loaded.reload(), [action.value, page.value, size.value]);
  const found = loaded.value.value;
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
        <div class="search page-search">
          <Icon name="search" />
          <input
            class="input"
            type="search"
            aria-label={say("search")}
            placeholder={say("search")}
            value={action.value}
            onInput={(event) => {
              page.value = 1;
              action.value = event.currentTarget.value.trim();
            }}
          />
        </div>
      </header>
      <section class="panel" aria-label={say("title")}>
        {found === null ? <Waiting loaded={loaded} /> : <Rows rows={found.items} />}
        {found === null ? null : (
          <Pager
            page={page.value}
            pages={Math.max(1, Math.ceil(found.total / size.value))}
            total={found.total}
            size={size.value}
            sizes={SIZES}
            onPage={(next) => (page.value = next)}
            onSize={(next) => {
              size.value = next;
              page.value = 1;
            }}
          />
        )}
      </section>
    </div>
  );
};

const Rows = ({ rows }: { rows: readonly AuditRow[] }) => {
  if (rows.length === 0) return <p class="empty">{say("none")}</p>;
  return (
    <div class="table-wrap" role="group" tabIndex={0} aria-label={say("title")}>
      <table class="table">
        <thead>
          <tr>
            <th>{say("time")}</th>
            <th>{say("action")}</th>
            <th>{say("target")}</th>
            <th>{say("who")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td class="nowrap">{moment(row.time)}</td>
              <td class="mono nowrap">{row.action}</td>
              <td class="audit-target">
                {row.target}
                {row.before === undefined && row.after === undefined ? null : <Change row={row} />}
              </td>
              <td class="nowrap muted">
                {row.actor} · {row.address}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
};

const Change = ({ row }: { row: AuditRow }) => (
  <details>
    <summary class="small-text muted">{say("details")}</summary>
    {(["before", "after"] as const).map((when) =>
      row[when] === undefined ? null : (
        <div key={when}>
          <strong class="small-text">{say(when)}</strong>
          <pre class="raw" tabIndex={0}>
            {JSON.stringify(row[when], null, 2)}
          </pre>
        </div>
      ),
    )}
  </details>
);
