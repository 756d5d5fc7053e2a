// Trying one account with a real call and showing what came back, also what the upstream said in its own words.
// Invariant: a failed test is an answer like any other; nothing of it is hidden.
import { useSignal } from "@preact/signals";
import type { AccountTestReport } from "../../../src/admin/account-test.ts";
import { messageOf, post } from "../../shared/api.ts";
import { relative } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { speak } from "../../shared/language.ts";
import { Modal } from "../../shared/modal.tsx";
import { now } from "../../shared/ticker.ts";
import { load, type Row } from "./store.ts";

const say = speak({
  title: ["Test {token}", "测试 {token}"],
  intro: [
    "A real call to the upstream through this account. It counts as one call.",
    "通过该账号向上游发起一次真实请求，会消耗一次额度。",
  ],
  what: ["What to try", "测试内容"],
  chat: ["Conversation", "对话"],
  stream: ["Streamed conversation", "流式对话"],
  image: ["Picture", "生成图片"],
  upload: ["Conversation with an attachment", "带附件的对话"],
  run: ["Run the test", "开始测试"],
  running: ["Testing…", "测试中…"],
  close: ["Close", "关闭"],
  ok: ["It works: {model} answered in {ms} ms.", "测试成功：{model} 在 {ms} 毫秒内应答。"],
  first: ["First words after {ms} ms.", "首字延迟 {ms} 毫秒。"],
  failed: ["It failed after {ms} ms.", "测试失败，耗时 {ms} 毫秒。"],
  upstream: ["The upstream said", "上游返回"],
  before: ["Last failure of a real call, {when}", "真实请求最近一次失败（{when}）"],
  status: ["Status: {before} → {after}", "状态：{before} → {after}"],
});

const CAPABILITIES = ["chat", "stream", "image", "upload"] as const;
type Capability = (typeof CAPABILITIES)[number];

export const TestDialog = ({ row, onClose }: { row: Row; onClose: () => void }) => {
  const what = useSignal<Capability>("chat");
  const busy = useSignal(false);
  const report = useSignal<AccountTestReport | null>(null);
  const problem = useSignal<string | null>(null);
  const run = async () => {
    if (busy.value) return;
    busy.value = true;
    report.value = null;
    problem.value = null;
    try {
      const { data } = await post<{ data: AccountTestReport }>("/tokens/test", {
        token: row.id,
        capability: what.value,
      });
      report.value = data;
      void load();
    } catch (thrown) {
      problem.value = messageOf(thrown);
    } finally {
      busy.value = false;
    }
  };
  return (
    <Modal
      title={say("title", { token: row.token_masked })}
      onClose={onClose}
      onSubmit={() => void run()}
      foot={
        <>
          <button type="button" class="button" onClick={onClose}>
            {say("close")}
          </button>
          <button type="submit" class="button primary" disabled={busy.value}>
            {busy.value ? <span class="spinner" /> : <Icon name="play" size={16} />}
            {busy.value ? say("running") : say("run")}
          </button>
        </>
      }
    >
      <p class="muted">{say("intro")}</p>
      <div class="field">
        <label for="test-what">{say("what")}</label>
        <select
          id="test-what"
          class="select fill"
          value={what.value}
          onChange={(event) => (what.value = CAPABILITIES.find((one) => one === event.currentTarget.value) ?? "chat")}
        >
          {CAPABILITIES.map((one) => (
            <option key={one} value={one}>
              {say(one)}
            </option>
          ))}
        </select>
      </div>
      <div aria-live="polite" class="stack">
        {report.value ? <Report report={report.value} /> : null}
        {problem.value === null ? null : <p class="field-error">{problem.value}</p>}
      </div>
    </Modal>
  );
};

const Report = ({ report }: { report: AccountTestReport }) => {
  const { ok, error, text, last_failure: last } = report;
  const upstream = [error?.upstream_status, error?.upstream_code, error?.upstream_text].filter((part) => part != null);
  return (
    <>
      <div class={`notice ${ok ? "good" : "bad"}`}>
        <Icon name={ok ? "check" : "warning"} />
        <div>
          <strong>
            {ok ? say("ok", { model: report.model, ms: report.latency_ms }) : say("failed", { ms: report.latency_ms })}
          </strong>
          {report.first_byte_ms === null ? null : <div>{say("first", { ms: report.first_byte_ms })}</div>}
          {error ? (
            <div>
              <span class="mono">{error.code}</span> {error.message}
            </div>
          ) : null}
          {report.status_before === report.status ? null : (
            <div>{say("status", { before: report.status_before, after: report.status })}</div>
          )}
        </div>
      </div>
      {text === null ? null : <blockquote class="quote">{text}</blockquote>}
      {upstream.length === 0 ? null : (
        <div>
          <h3>{say("upstream")}</h3>
          <pre class="raw" tabIndex={0}>
            {upstream.join("\n")}
          </pre>
        </div>
      )}
      {last === null ? null : (
        <p class="muted small-text">
          {say("before", { when: relative(last.at, now.value) })}: <span class="mono">{last.code}</span> {last.reason}
        </p>
      )}
    </>
  );
};
