// Which endpoints are served: one card each with a switch that acts at once. Drawn from the schema's section of endpoints.
// Invariant: a switch that could not be saved goes back to where it was.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { FormField } from "../../../src/config/describe.ts";
import { get, messageOf, post } from "../../shared/api.ts";
import { Icon } from "../../shared/icons.tsx";
import { inLanguage, speak } from "../../shared/language.ts";
import { useLoaded, Waiting } from "../../shared/loaded.tsx";
import { toast } from "../../shared/toast.tsx";
import type { Form } from "../config/store.ts";

const say = speak({
  title: ["Endpoints", "下游接口"],
  intro: [
    "What is served to clients. A switched-off endpoint answers 404; keep the models and one text endpoint on.",
    "对外提供的接口。关闭后返回 404；建议保持模型列表与至少一个文本接口开启。",
  ],
  on: ["served", "已开启"],
  off: ["off", "已关闭"],
  saved: ["{name} is {state}.", "{name}：{state}"],
  locked: ["Set by {env}.", "由环境变量 {env} 设置。"],
});

const SECTION = "downstream";

/** The path stands in the schema's help text. */
const pathOf = ({ help, name }: FormField): string => /\/v1\/[\w/*-]*/.exec(help.en)?.[0] ?? name;

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
      {loaded.value.value === null ? <Waiting loaded={loaded} /> : null}
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
        <strong class="mono grow">{path}</strong>
        <span class={`badge ${isOn ? "ok" : ""}`}>{isOn ? say("on") : say("off")}</span>
        <input
          type="checkbox"
          class="switch"
          aria-label={path}
          checked={isOn}
          disabled={field.locked || busy.value}
          onChange={(event) => void change(event.currentTarget.checked)}
        />
      </div>
      <p class="muted">{inLanguage(field.help)}</p>
      {field.locked ? (
        <p class="row muted small-text">
          <Icon name="lock" size={15} />
          {say("locked", { env: field.env })}
        </p>
      ) : null}
    </section>
  );
};
