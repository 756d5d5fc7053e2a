// Making and changing an API key, and the one sight of its secret. Knows the limits by name, not what they count.
// Invariant: an empty limit is unlimited and is sent as such.
import { useSignal } from "@preact/signals";
import type { KeyView } from "../../../src/admin/key-view.ts";
import { messageOf, post } from "../../shared/api.ts";
import { CopyButton } from "../../shared/copy-button.tsx";
import { Modal } from "../../shared/modal.tsx";
import { toast } from "../../shared/toast.tsx";
import { ModelsField } from "./models-field.tsx";
import { say } from "./words.ts";

export interface Made extends KeyView {
  readonly secret: string;
}

const LIMITS = [
  ["chat_limit", "chat"],
  ["heavy_limit", "heavy"],
  ["image_limit", "image"],
  ["video_limit", "video"],
  ["daily_tokens", "dailyTokens"],
  ["monthly_tokens", "monthlyTokens"],
  ["daily_usd", "dailyUsd"],
  ["monthly_usd", "monthlyUsd"],
  ["rpm", "rpm"],
  ["concurrency", "concurrency"],
] as const;
type Limit = (typeof LIMITS)[number][0];
type Texts = Readonly<Record<Limit, string>>;

const RECOMMENDED: Partial<Texts> = { chat_limit: "300", heavy_limit: "100", image_limit: "100", video_limit: "20" };
const UNLIMITED = Object.fromEntries(LIMITS.map(([name]) => [name, ""])) as Texts;

/** A rate of 0 and a limit of −1 both mean unlimited. */
const textOf = (name: Limit, value: number): string =>
  value < 0 || (value === 0 && (name === "rpm" || name === "concurrency")) ? "" : String(value);

const textsOf = (key: KeyView | null): Texts =>
  key === null ? UNLIMITED : (Object.fromEntries(LIMITS.map(([name]) => [name, textOf(name, key[name])])) as Texts);

/** As the browser's own control writes a moment. */
const localMoment = (seconds: number | null): string => {
  if (seconds === null) return "";
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
};

export interface KeyDialogProps {
  /** Null makes a new one. */
  readonly of: KeyView | null;
  readonly onClose: () => void;
  readonly onMade: (made: readonly Made[]) => void;
}

export const KeyDialog = ({ of: key, onClose, onMade }: KeyDialogProps) => {
  const name = useSignal(key?.name ?? "");
  const note = useSignal(key?.note ?? "");
  const number = useSignal("1");
  const expires = useSignal(localMoment(key?.expires_at ?? null));
  const models = useSignal<readonly string[]>(key?.models ?? []);
  const limits = useSignal<Texts>(textsOf(key));
  const busy = useSignal(false);
  const problem = useSignal<string | null>(null);
  const save = async () => {
    busy.value = true;
    problem.value = null;
    const fields = {
      note: note.value,
      expires_at: expires.value === "" ? null : new Date(expires.value).toISOString(),
      models: models.value,
      ...limits.value,
    };
    try {
      if (key) {
        await post("/keys/update", { ...fields, id: key.id, name: name.value });
        toast(say("saved"));
        onClose();
      } else {
        const many = Number(number.value);
        const stated = name.value.trim() === "" ? {} : { name: name.value };
        const { data } = await post<{ data: readonly Made[] }>("/keys", { ...fields, ...stated, count: many });
        onMade(data);
      }
    } catch (thrown) {
      problem.value = messageOf(thrown);
    } finally {
      busy.value = false;
    }
  };
  return (
    <Modal
      title={key ? say("edit", { name: key.name }) : say("create")}
      onClose={onClose}
      onSubmit={() => void save()}
      foot={
        <>
          <button type="button" class="button" onClick={onClose}>
            {say("cancel")}
          </button>
          <button type="submit" class="button primary" disabled={busy.value}>
            {key ? say("save") : say("make")}
          </button>
        </>
      }
    >
      <div class="two">
        <Field id="key-name" label={say("name")} value={name.value} most={100} onText={(text) => (name.value = text)} />
        {key ? null : (
          <Field
            id="key-number"
            label={say("howMany")}
            value={number.value}
            numeric
            onText={(text) => (number.value = text)}
          />
        )}
      </div>
      <Field id="key-note" label={say("note")} value={note.value} most={1000} onText={(text) => (note.value = text)} />
      <fieldset class="plain">
        <legend class="row wrap">
          <span class="legend-text">
            {say("limits")} <span class="muted small-text">{say("limitHint")}</span>
          </span>
          <button
            type="button"
            class="button small"
            onClick={() => (limits.value = { ...limits.value, ...RECOMMENDED })}
          >
            {say("presetSome")}
          </button>
          <button type="button" class="button small" onClick={() => (limits.value = UNLIMITED)}>
            {say("presetNone")}
          </button>
        </legend>
        <div class="two">
          {LIMITS.map(([limit, word]) => (
            <Field
              key={limit}
              id={`key-${limit}`}
              label={say(word)}
              value={limits.value[limit]}
              placeholder={say("unlimited")}
              numeric
              onText={(text) => (limits.value = { ...limits.value, [limit]: text.trim() })}
            />
          ))}
        </div>
        <p class="muted small-text">{say("usdHint")}</p>
      </fieldset>
      <div class="two">
        <div class="field">
          <label for="key-expires">{say("expires")}</label>
          <input
            id="key-expires"
            class="input"
            type="datetime-local"
            value={expires.value}
            onInput={(event) => (expires.value = event.currentTarget.value)}
          />
          <span class="hint">{say("expiresHint")}</span>
        </div>
      </div>
      <ModelsField chosen={models.value} onChosen={(next) => (models.value = next)} />
      {problem.value === null ? null : (
        <p class="field-error" role="alert">
          {problem.value}
        </p>
      )}
    </Modal>
  );
};

interface FieldProps {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly onText: (text: string) => void;
  readonly numeric?: boolean;
  readonly most?: number;
  readonly placeholder?: string;
}

const Field = ({ id, label, value, onText, numeric = false, most, placeholder }: FieldProps) => (
  <div class="field">
    <label for={id}>{label}</label>
    <input
      id={id}
      class="input"
      autocomplete="off"
      inputMode={numeric ? "numeric" : "text"}
      maxLength={most}
      placeholder={placeholder}
      value={value}
      onInput={(event) => onText(event.currentTarget.value)}
    />
  </div>
);

export const SecretDialog = ({ made, onClose }: { made: readonly Made[]; onClose: () => void }) => {
  const text = made.map(({ secret }) => secret).join("\n");
  return (
    <Modal
      title={say("secretTitle")}
      onClose={onClose}
      onSubmit={onClose}
      foot={
        <button type="submit" class="button primary">
          {say("done")}
        </button>
      }
    >
      <p class="notice warn">{say("secretText")}</p>
      <div class="example">
        <pre class="code" tabIndex={0} aria-label={say("secrets")}>
          {text}
        </pre>
        <CopyButton text={text} label={say("copyAll")} />
      </div>
    </Modal>
  );
};
