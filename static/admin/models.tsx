// The models that are served now, for fields where one is chosen, each with a mark of who serves it. Knows no page.
// Invariant: the list is only a help; whatever is typed is the gateway's to judge.
import { signal } from "@preact/signals";
import { get } from "../shared/api.ts";
import { shortCount } from "../shared/format.ts";
import { speak } from "../shared/language.ts";

const say = speak({
  web: ["web sessions", "网页会话"],
  xai: ["API keys", "API 密钥"],
  servedBy: ["Served by {who}.", "提供方：{who}。"],
  bothServe: ["{first}, then {second}", "{first}优先，其次{second}"],
  context: ["Context: {n} tokens.", "上下文 {n} tokens。"],
});

export interface KnownModel {
  readonly id: string;
  readonly capabilities: readonly string[];
  readonly upstreams: readonly ("web" | "xai")[];
  readonly context_length?: number;
}

export const knownModels = signal<readonly KnownModel[]>([]);

/** Without the list every name can still be typed. */
export const loadKnownModels = async (): Promise<void> => {
  try {
    knownModels.value = (await get<{ data: readonly KnownModel[] }>("/models")).data;
  } catch {
    knownModels.value = [];
  }
};

export const canDo = ({ capabilities }: KnownModel, kind: "chat" | "image"): boolean => capabilities.includes(kind);

/** Who serves it, the preferred first. */
export const markOf = ({ upstreams }: KnownModel): string => upstreams.map((one) => say(one)).join(" + ");

/** The same in a sentence, below the field. */
export const ModelNote = ({ of: model }: { of: KnownModel | undefined }) => {
  if (!model) return null;
  const [first, second] = model.upstreams.map((one) => say(one));
  if (first === undefined) return null;
  const who = second === undefined ? first : say("bothServe", { first, second });
  return (
    <span class="hint">
      {say("servedBy", { who })}{" "}
      {model.context_length === undefined ? null : say("context", { n: shortCount(model.context_length) })}
    </span>
  );
};

/** What a field with this list offers while one types. */
export const ModelOptions = ({ id, models }: { id: string; models: readonly KnownModel[] }) => (
  <datalist id={id}>
    {models.map((model) => (
      <option key={model.id} value={model.id}>
        {markOf(model)}
      </option>
    ))}
  </datalist>
);
