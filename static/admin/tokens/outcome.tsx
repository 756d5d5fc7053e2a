// What became of accounts that were brought in: how many are new, and why each of the others was not taken.
// Invariant: every line that was not taken is told with its number.
import type { ImportOutcome } from "../../../src/admin/account-changes.ts";
import { count } from "../../shared/format.ts";
import { speak } from "../../shared/language.ts";
import { Modal } from "../../shared/modal.tsx";
import { refreshMany } from "./verbs.ts";

const say = speak({
  close: ["Close", "关闭"],
  again: ["Add more", "继续添加"],
  refresh: ["Ask about what is new ({n})", "查询新账号的额度与模型（{n}）"],
  result: [
    "{added} added, {updated} changed, {unchanged} as they were.",
    "新增 {added}，更新 {updated}，未变 {unchanged}。",
  ],
  problems: ["Not taken: {n}", "未导入：{n} 行"],
  line: ["Line {n}", "第 {n} 行"],
});

interface OutcomeProps {
  readonly title: string;
  readonly outcome: ImportOutcome;
  readonly onClose: () => void;
  /** Back to where more can be typed. */
  readonly onMore: () => void;
}

export const Outcome = ({ title, outcome, onClose, onMore }: OutcomeProps) => {
  const { added, updated, unchanged, problems, added_ids: ids } = outcome;
  return (
    <Modal
      title={title}
      onClose={onClose}
      onSubmit={onClose}
      foot={
        <>
          <button type="button" class="button" onClick={onMore}>
            {say("again")}
          </button>
          {ids.length > 0 ? (
            <button
              type="button"
              class="button"
              onClick={() => {
                void refreshMany(ids);
                onClose();
              }}
            >
              {say("refresh", { n: count(ids.length) })}
            </button>
          ) : null}
          <button type="submit" class="button primary">
            {say("close")}
          </button>
        </>
      }
    >
      <p role="status">
        {say("result", { added: count(added), updated: count(updated), unchanged: count(unchanged) })}
      </p>
      {problems.length === 0 ? null : (
        <div class="stack">
          <h3>{say("problems", { n: count(problems.length) })}</h3>
          <ul class="problems" tabIndex={0}>
            {problems.map(({ line, where, kind, reason }, index) => (
              <li key={index}>
                <span class={`badge ${kind === "repeated" ? "" : "bad"}`}>{where ?? say("line", { n: line })}</span>{" "}
                {reason}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Modal>
  );
};
