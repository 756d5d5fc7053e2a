// One request with everything that the journal kept of it. Asks nothing.
import { Fragment } from "preact";
import type { RequestView } from "../../../src/admin/report-view.ts";
import { count, dollars, milliseconds, moment } from "../../shared/format.ts";
import { Modal } from "../../shared/modal.tsx";
import { say, sayOutcome } from "./words.ts";

export const RequestDialog = ({ row, onClose }: { row: RequestView; onClose: () => void }) => {
  const facts: readonly [string, string | null][] = [
    [say("time"), moment(Date.parse(row.time))],
    [say("route"), row.route],
    [say("model"), row.served === null || row.served === row.model ? row.model : `${row.model} → ${row.served}`],
    [say("mode"), row.mode],
    [say("key"), row.key_name],
    [say("account"), row.account],
    [say("status"), `${row.status} · ${sayOutcome(row.outcome)}`],
    [say("code"), row.code],
    [say("first"), row.first_byte_ms === null ? null : milliseconds(row.first_byte_ms)],
    [say("duration"), milliseconds(row.total_ms)],
    [
      say("tokens"),
      `${count(row.tokens_in)} / ${count(row.tokens_out)}${row.tokens_estimated ? ` (${say("estimated")})` : ""}`,
    ],
    [say("cost"), row.cost_usd === 0 ? null : dollars(row.cost_usd)],
  ];
  return (
    <Modal
      title={say("details", { id: row.id })}
      onClose={onClose}
      size="wide"
      onSubmit={onClose}
      foot={
        <button type="submit" class="button">
          {say("close")}
        </button>
      }
    >
      <dl class="pairs">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <Fragment key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </Fragment>
          ),
        )}
      </dl>
      {row.attempts.length === 0 ? null : (
        <div class="stack">
          <h3>{say("attempts")}</h3>
          <div class="table-wrap" role="group" tabIndex={0} aria-label={say("attempts")}>
            <table class="table">
              <thead>
                <tr>
                  <th>{say("account")}</th>
                  <th class="number">{say("duration")}</th>
                  <th>{say("code")}</th>
                  <th>{say("reason")}</th>
                </tr>
              </thead>
              <tbody>
                {row.attempts.map((attempt, index) => (
                  <tr key={index}>
                    <td class="mono">{attempt.account}</td>
                    <td class="number nowrap">{milliseconds(attempt.ms)}</td>
                    <td>
                      <span class={`badge ${attempt.code === null ? "ok" : "bad"}`}>{attempt.code ?? "ok"}</span>
                    </td>
                    <td class="audit-target">{attempt.reason}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
      )}
    </Modal>
  );
};
