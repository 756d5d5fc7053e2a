// How much is left of an account's windows: a mark each, with a bar, and whether the number was measured.
// Invariant: an unknown number is shown as unknown, an estimated one is marked, and both say so in words too.
import type { WindowInfo } from "../../../src/admin/token-info.ts";
import { count, dateTime, relative, span } from "../../shared/format.ts";
import { now } from "../../shared/ticker.ts";
import type { Row } from "./store.ts";
import { say } from "./words.ts";

const ORDER = ["fast", "auto", "expert", "heavy"];
const rank = (kind: string): number => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);

const windowsOf = (row: Row): [kind: string, window: WindowInfo][] =>
  Object.entries(row.windows).toSorted(([one], [other]) => rank(one) - rank(other));

const sourceWord = ({ source }: WindowInfo): string => say(source);

const leftText = ({ remaining, total, source }: WindowInfo): string => {
  const mark = source === "measured" ? "" : "≈";
  const left = remaining < 0 ? "?" : `${mark}${count(remaining)}`;
  return total === null ? left : `${left}/${count(total)}`;
};

const windowTitle = (kind: string, window: WindowInfo): string => {
  const resets =
    window.reset_at > now.peek() ? `, ${say("resets", { when: relative(window.reset_at, now.peek()) })}` : "";
  const length = window.window_seconds === null ? "" : ` / ${span(window.window_seconds)}`;
  return `${kind}: ${leftText(window)}${length}, ${sourceWord(window)}${resets} (${dateTime(window.reset_at)})`;
};

const tone = ({ remaining, total }: WindowInfo): string => {
  if (remaining === 0) return "empty-window";
  return remaining > 0 && total !== null && remaining / total < 0.2 ? "low-window" : "";
};

/** Only the windows that chats draw from; the rest is in the details. */
export const QuotaCell = ({ row }: { row: Row }) => {
  const windows = windowsOf(row).filter(([kind, window]) => ORDER.includes(kind) && window.total !== 0);
  if (windows.length === 0) {
    return <span class="muted">{row.quota_known ? count(row.quota) : say("unknown")}</span>;
  }
  return (
    <ul class="quota">
      {windows.map(([kind, window]) => (
        <li
          key={kind}
          class={`${tone(window)} ${window.source === "measured" ? "" : "guessed"}`}
          title={windowTitle(kind, window)}
        >
          <span class="quota-kind">{kind}</span>
          <span class="quota-left">{leftText(window)}</span>
          <span class="quota-bar" aria-hidden="true">
            <span style={{ width: `${window.total ? (Math.max(0, window.remaining) / window.total) * 100 : 0}%` }} />
          </span>
          <span class="sr-only">{sourceWord(window)}</span>
        </li>
      ))}
    </ul>
  );
};

/** Every window with how its number is known, in an open row. */
export const Windows = ({ row }: { row: Row }) => (
  <div class="table-wrap" role="group" tabIndex={0} aria-label={say("quota")}>
    <table class="table windows">
      <thead>
        <tr>
          <th>{say("window")}</th>
          <th class="number">{say("left")}</th>
          <th>{say("how")}</th>
          <th>{say("length")}</th>
          <th>{say("resetAt")}</th>
        </tr>
      </thead>
      <tbody>
        {windowsOf(row).map(([kind, window]) => (
          <tr key={kind}>
            <td class="mono">{kind}</td>
            <td class="number">{leftText(window)}</td>
            <td>
              <span class={`badge ${window.source === "measured" ? "ok" : ""}`}>{sourceWord(window)}</span>
            </td>
            <td class="nowrap">{window.window_seconds === null ? "—" : span(window.window_seconds)}</td>
            <td class="nowrap" title={dateTime(window.reset_at)}>
              {window.reset_at > now.value ? relative(window.reset_at, now.value) : "—"}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);
