// Which endpoints are served: one card each with a switch that acts at once and a call to copy. Which switches there are is
// the schema's to say.
// Invariant: a switch that could not be saved goes back to where it was.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { FormField } from "../../../src/config/describe.ts";
import { get, messageOf, post } from "../../shared/api.ts";
import { CopyButton } from "../../shared/copy-button.tsx";
import { Icon } from "../../shared/icons.tsx";
import { inLanguage, language, speak } from "../../shared/language.ts";
import { useLoaded, Waiting } from "../../shared/loaded.tsx";
import { publicAt } from "../../shared/place.ts";
import { toast } from "../../shared/toast.tsx";
import type { Form } from "../config/store.ts";
import { ENDPOINTS } from "./endpoints.ts";

const say = speak({
  title: ["Endpoints", "下游接口"],
  intro: [
    "What is served to clients. A switched-off endpoint answers 404; keep the models and one text endpoint on.",
    "对外提供的接口。关闭后返回 404；建议保持模型列表与至少一个文本接口开启。",
  ],
  on: ["served", "已开启"],
  off: ["off", "已关闭"],
  saved: ["{name} is {state}.", "{name}：{state}"],
  call: ["A call to try it", "调用示例"],
  copy: ["Copy the call", "复制示例"],
  locked: ["Set by {env}.", "由环境变量 {env} 设置。"],
});

const SECTION = "downstream";

/** For a switch that the table does not know yet, the path stands in the schema's help text. */
const pathOf = ({ help, name }: FormField): string =>
  ENDPOINTS[name]?.path ?? /\/v1\/[\w/*-]*/.exec(help.en)?.[0] ?? name;

const textOf = ({ help, name }: FormField): string => {
  const text = ENDPOINTS[name]?.text;
  return text ? text[language.value === "zh" ? 1 : 0] : inLanguage(help);
};

/** Null for a switch that has no call of its own to show. */
const curlOf = ({ name }: FormField): string | null => {
  const known = ENDPOINTS[name];
  if (!known) return null;
  const lines = [`curl ${publicAt(known.path)}`, '-H "Authorization: Bearer $API_KEY"'];
  return [...lines, ...(known.call === "" ? [] : [known.call])].join(" \\\n  ");
};

export const DownstreamPage = () => {
  const loaded = useLoaded(() => get<Form>("/config/form"));
  useEffect(() => void loaded.reload(), []);
  const fields = loaded.value.value?.sections.find(({ name }) => name === SECTION)?.fields ?? [];
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
      </header>
      {loaded.value.value === null ? (
        <div class="panel">
          <Waiting loaded={loaded} lines={9} />
        </div>
      ) : null}
      <div class="cards">
        {fields.map((field) => (
          <Endpoint key={field.path} field={field} reload={loaded.reload} />
        ))}
      </div>
    </div>
  );
};

const Endpoint = ({ field, reload }: { field: FormField; reload: () => Promise<void> }) => {
  const busy = useSignal(false);
  const wanted = useSignal<boolean | null>(null);
  const isOn = wanted.value ?? field.value === true;
  const path = pathOf(field);
  const curl = curlOf(field);
  const change = async (on: boolean) => {
    busy.value = true;
    wanted.value = on;
    try {
      await post("/config", { [SECTION]: { [field.name]: on } });
      toast(say("saved", { name: path, state: on ? say("on") : say("off") }));
      await reload();
    } catch (thrown) {
      toast(messageOf(thrown), "error");
    } finally {
      wanted.value = null;
      busy.value = false;
    }
  };
  return (
    <section class="panel padded endpoint" aria-label={path}>
      <div class="row">
        <span class="badge blue">{ENDPOINTS[field.name]?.method ?? "API"}</span>
        <span class="grow">
          <span class={`badge ${isOn ? "ok" : ""}`}>{isOn ? say("on") : say("off")}</span>
        </span>
        <input
          type="checkbox"
          class="switch"
          aria-label={path}
          checked={isOn}
          disabled={field.locked || busy.value}
          onChange={(event) => void change(event.currentTarget.checked)}
        />
      </div>
      <p>
        <strong class="mono endpoint-path">{path}</strong>
      </p>
      <p class="muted">{textOf(field)}</p>
      {field.locked ? (
        <p class="row muted small-text">
          <Icon name="lock" size={15} />
          {say("locked", { env: field.env })}
        </p>
      ) : null}
      {curl === null ? null : (
        <details class="call">
          <summary class="small-text muted">{say("call")}</summary>
          <div class="example">
            <pre class="code" tabIndex={0}>
              {curl}
            </pre>
            <CopyButton text={curl} label={say("copy")} />
          </div>
        </details>
      )}
    </section>
  );
};
