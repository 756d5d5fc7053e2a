// Trying one account and showing what came back, also what the upstream said in its own words: a real call, or for a key of
// the official API also a look at it that costs nothing.
// Invariant: a failed test is an answer like any other; nothing of it is hidden.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { AccountTestReport } from "../../../src/admin/account-test.ts";
import type { TokenInfo } from "../../../src/admin/token-info.ts";
import { get, messageOf, post } from "../../shared/api.ts";
import { relative } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { speak } from "../../shared/language.ts";
import { Modal } from "../../shared/modal.tsx";
import { now } from "../../shared/ticker.ts";
import { canDo, knownModels, loadKnownModels } from "../models.tsx";
import { isKey, load, type Row } from "./store.ts";

const say = speak({
  title: ["Test {token}", "测试 {token}"],
  intro: [
    "A real call to the upstream through this account. It counts as one call.",
    "通过该账号向上游发起一次真实请求，会消耗一次额度。",
  ],
  introKey: [
    "Looking the key up costs nothing. A real call is paid by the key's team.",
    "查询密钥不产生费用；真实请求由密钥所属团队付费。",
  ],
  what: ["What to try", "测试内容"],
  check: ["Look the key up (free)", "查询密钥（免费）"],
  model: ["Model", "模型"],
  cheapest: ["The cheapest that can do it", "可用模型中最便宜的"],
  usual: ["The usual one", "默认模型"],
  isTaken: ["The key is taken. Models: {n}.", "密钥有效，可用模型 {n} 个。"],
  isRefused: ["The key cannot serve now.", "密钥目前不可用。"],
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

/** For a session, and for a key. */
const SESSION_TESTS = ["chat", "stream", "image", "upload"] as const;
const KEY_TESTS = ["check", "chat", "stream", "image"] as const;
type Test = (typeof SESSION_TESTS)[number] | (typeof KEY_TESTS)[number];

interface Check {
  readonly valid: boolean;
  readonly message?: string;
}

export const TestDialog = ({ row, onClose }: { row: Row; onClose: () => void }) => {
  const tests: readonly Test[] = isKey(row) ? KEY_TESTS : SESSION_TESTS;
  const what = useSignal<Test>(tests[0] ?? "chat");
  const model = useSignal("");
  const busy = useSignal(false);
  const report = useSignal<AccountTestReport | null>(null);
  const checked = useSignal<(Check & { readonly models: number }) | null>(null);
  const problem = useSignal<string | null>(null);
  const run = async () => {
    if (busy.value) return;
    busy.value = true;
    report.value = null;
    checked.value = null;
    problem.value = null;
    try {
      if (what.value === "check") checked.value = await lookUp(row.id);
      else {
        const body = { token: row.id, capability: what.value, ...(model.value === "" ? {} : { model: model.value }) };
        report.value = (await post<{ data: AccountTestReport }>("/tokens/test", body)).data;
      }
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
      <p class="muted">{say(isKey(row) ? "introKey" : "intro")}</p>
      <div class="field">
        <label for="test-what">{say("what")}</label>
        <select
          id="test-what"
          class="select fill"
          value={what.value}
          onChange={(event) => {
            what.value = tests.find((one) => one === event.currentTarget.value) ?? "chat";
            model.value = "";
          }}
        >
          {tests.map((one) => (
            <option key={one} value={one}>
              {say(one)}
            </option>
          ))}
        </select>
      </div>
      {what.value === "check" ? null : <ModelField row={row} test={what.value} model={model} />}
      <div aria-live="polite" class="stack">
        {checked.value ? <Checked check={checked.value} /> : null}
        {report.value ? <Report report={report.value} /> : null}
        {problem.value === null ? null : <p class="field-error">{problem.value}</p>}
      </div>
    </Modal>
  );
};

const lookUp = async (id: string) => {
  const { data } = await post<{ data: Check }>("/tokens/test", { token: id });
  const { item } = await get<{ item: TokenInfo }>(`/tokens/item/${encodeURIComponent(id)}`);
  return { ...data, models: item.models?.length ?? 0 };
};

const Checked = ({ check }: { check: Check & { readonly models: number } }) => (
  <div class={`notice ${check.valid ? "good" : "bad"}`}>
    <Icon name={check.valid ? "check" : "warning"} />
    <div>
      <strong>{check.valid ? say("isTaken", { n: check.models }) : say("isRefused")}</strong>
      {check.message === undefined ? null : <div>{check.message}</div>}
    </div>
  </div>
);

interface ModelFieldProps {
  readonly row: Row;
  readonly test: Test;
  readonly model: Signal<string>;
}

/** What the key lists, or what sessions serve. */
const ModelField = ({ row, test, model }: ModelFieldProps) => {
  const kind = test === "image" ? "image" : "chat";
  const ids = isKey(row)
    ? (row.models ?? []).filter((one) => one.kind === kind).map(({ id }) => id)
    : knownModels.value.filter((one) => one.upstreams.includes("web") && canDo(one, kind)).map(({ id }) => id);
  useEffect(() => void loadKnownModels(), []);
  return (
    <div class="field">
      <label for="test-model">{say("model")}</label>
      <select
        id="test-model"
        class="select fill"
        value={model.value}
        onChange={(event) => (model.value = event.currentTarget.value)}
      >
        <option value="">{say(isKey(row) ? "cheapest" : "usual")}</option>
        {ids.map((id) => (
          <option key={id} value={id}>
            {id}
          </option>
        ))}
      </select>
    </div>
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
