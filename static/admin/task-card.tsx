// The running or last job at the edge of every page: how far it is, what failed, a way to stop it. Knows no kind of job.
// Invariant: a card with a failure stays until it is dismissed, so that none is missed.
import { count, percent } from "../shared/format.ts";
import { messageOf } from "../shared/api.ts";
import { Icon } from "../shared/icons.tsx";
import { speak } from "../shared/language.ts";
import { dismissTask, failedIds, retry, stopTask, task, type TaskRun } from "../shared/tasks.ts";
import { toast } from "../shared/toast.tsx";

const say = speak({
  running: ["{done} of {total}", "{done} / {total}"],
  stop: ["Stop", "停止"],
  stopping: ["Stopping…", "正在停止…"],
  dismiss: ["Dismiss", "关闭"],
  ok: ["{n} ok", "成功 {n}"],
  failed: ["{n} failed", "失败 {n}"],
  done: ["Done", "已完成"],
  cancelled: ["Stopped", "已停止"],
  error: ["Failed", "出错"],
  lost: [
    "The connection to the job was lost; it may go on in the gateway.",
    "与任务的连接已断开，任务可能仍在网关中继续。",
  ],
  ended: ["{label}: {ok} ok, {fail} failed.", "{label}：成功 {ok}，失败 {fail}。"],
  ofMany: [
    "{label} stopped: {ok} ok, {fail} failed of {total}.",
    "{label}已停止：成功 {ok}，失败 {fail}，共 {total}。",
  ],
  details: ["What failed", "失败详情"],
  again: ["Try the {n} failed again", "重试失败的 {n} 项"],
});

export const tellEnd = (run: TaskRun): void => {
  const { label, ok, fail, total, status } = run;
  if (status === "done") toast(say("ended", { label, ok, fail }), fail > 0 ? "error" : "ok");
  else if (status === "cancelled") toast(say("ofMany", { label, ok, fail, total }), "info");
  else toast(status === "lost" ? say("lost") : `${label}: ${run.warning ?? say("error")}`, "error");
};

const stateOf = (run: TaskRun): string => {
  if (run.status !== "running") return say(run.status);
  return run.stopping ? say("stopping") : say("running", { done: count(run.processed), total: count(run.total) });
};

const SHOWN_FAILURES = 100;

const Again = ({ run }: { run: TaskRun }) => {
  const ids = run.status === "running" ? [] : failedIds(run);
  const { value: again } = retry;
  if (again === null || ids.length === 0) return null;
  return (
    <button type="button" class="button small" onClick={() => again(ids)}>
      <Icon name="refresh" size={15} />
      {say("again", { n: count(ids.length) })}
    </button>
  );
};

export const TaskCard = () => {
  const run = task.value;
  if (!run) return null;
  const ratio = run.total === 0 ? 1 : run.processed / run.total;
  return (
    <section class="task" aria-label={run.label}>
      <div class="task-head">
        {run.status === "running" ? <span class="spinner" /> : null}
        <strong>{run.label}</strong>
        {run.status === "running" ? (
          <button
            type="button"
            class="button small"
            disabled={run.stopping}
            onClick={() => void stopTask().catch((thrown: unknown) => toast(messageOf(thrown), "error"))}
          >
            <Icon name="stop" size={15} />
            {say("stop")}
          </button>
        ) : (
          <button type="button" class="icon-button small" aria-label={say("dismiss")} onClick={dismissTask}>
            <Icon name="close" size={15} />
          </button>
        )}
      </div>
      <div
        class="bar"
        role="progressbar"
        aria-label={run.label}
        aria-valuemin={0}
        aria-valuemax={run.total}
        aria-valuenow={run.processed}
        aria-valuetext={percent(ratio)}
      >
        <span style={{ width: `${ratio * 100}%` }} />
      </div>
      <div class="row wrap small-text muted">
        <span class="grow">{stateOf(run)}</span>
        <span>{say("ok", { n: count(run.ok) })}</span>
        <span class={run.fail > 0 ? "danger-text" : ""}>{say("failed", { n: count(run.fail) })}</span>
      </div>
      {run.warning === null ? null : <p class="small-text">{run.warning}</p>}
      <Again run={run} />
      {run.failures.length > 0 ? (
        <details>
          <summary class="small-text">{say("details")}</summary>
          <ul tabIndex={0}>
            {run.failures.slice(0, SHOWN_FAILURES).map(({ item, error }, index) => (
              <li key={index}>
                <span class="mono">{item}</span> {error}
              </li>
            ))}
          </ul>
        </details>
      ) : null}
    </section>
  );
};
