// One setting as a row of the form, by its kind alone. Knows no setting by name.
// Invariant: help, limits, default and source are said in words beside the control, and what is locked cannot be typed into.
import type { ComponentChild } from "preact";
import type { FormField } from "../../../src/config/describe.ts";
import { CopyButton } from "../../shared/copy-button.tsx";
import { Icon } from "../../shared/icons.tsx";
import { inLanguage } from "../../shared/language.ts";
import { drafts, idleBecause, isHidden, refused, setDraft, shownValue, typed } from "./store.ts";
import { say, sayUnit } from "./words.ts";

const ORIGIN_TONES = { default: "", file: "blue", stored: "accent", environment: "violet" } as const;

export const FieldRow = ({ field }: { field: FormField }) => {
  const draft = drafts.value.get(field.path);
  const problem = refused.value?.path === field.path ? refused.value.message : null;
  const id = `setting-${field.path}`;
  const idle = idleBecause(field);
  return (
    <div class={`setting ${draft === undefined ? "" : "changed"} ${idle ? "idle" : ""}`}>
      <div class="setting-text">
        <label class="setting-name" for={id}>
          <span class="mono">{field.name}</span>
          <span class={`badge ${ORIGIN_TONES[field.origin]}`} title={say("sourceOf")}>
            {say(field.origin)}
          </span>
          {field.restart ? <span class="badge warn">{say("restart")}</span> : null}
        </label>
        <p class="setting-help" id={`${id}-help`}>
          {inLanguage(field.help)}
        </p>
        <Facts field={field} />
        {idle ? (
          <p class="setting-idle small-text">{say(idle.is ? "idleOff" : "idleOn", { path: idle.path })}</p>
        ) : null}
      </div>
      <div class="setting-control">
        <div class="row">
          <Control field={field} id={id} problem={problem} />
          {field.locked ? <Icon name="lock" /> : <Undo field={field} />}
        </div>
        {draft === null ? <span class="badge warn">{say("willReset")}</span> : null}
        {problem === null ? null : (
          <p class="field-error" id={`${id}-problem`} role="alert">
            {problem}
          </p>
        )}
      </div>
    </div>
  );
};

const Undo = ({ field }: { field: FormField }) => {
  const draft = drafts.value.get(field.path);
  if (draft !== undefined) {
    return (
      <button
        type="button"
        class="icon-button small"
        aria-label={`${say("undo")}: ${field.path}`}
        title={say("undo")}
        onClick={() => setDraft(field, undefined)}
      >
        <Icon name="undo" size={16} />
      </button>
    );
  }
  if (field.origin !== "stored") return null;
  return (
    <button
      type="button"
      class="icon-button small"
      aria-label={`${say("reset")}: ${field.path}`}
      title={say("reset")}
      onClick={() => setDraft(field, null)}
    >
      <Icon name="trash" size={16} />
    </button>
  );
};

const shownDefault = ({ defaultValue, secret }: FormField): string => {
  if (typeof defaultValue === "boolean") return defaultValue ? say("on") : say("off");
  const text = Array.isArray(defaultValue)
    ? defaultValue.map(String).join(", ")
    : String((defaultValue as string) ?? "");
  return text === "" || secret ? say("empty") : text;
};

const lockText = (field: FormField): string =>
  say(field.origin === "environment" ? "locked" : "startup", { env: field.env });

const Facts = ({ field }: { field: FormField }) => (
  <p class="setting-facts muted small-text">
    {field.locked ? <span>{lockText(field)}</span> : null}
    <span>{say("defaultIs", { value: shownDefault(field) })}</span>
    <span class="mono" title={field.env}>
      {field.env}
    </span>
  </p>
);

interface ControlProps {
  readonly field: FormField;
  readonly id: string;
  readonly problem: string | null;
}

const Control = ({ field, id, problem }: ControlProps): ComponentChild => {
  const value = typed(field);
  const shared = {
    id,
    disabled: field.locked,
    "aria-describedby": problem === null ? `${id}-help` : `${id}-help ${id}-problem`,
    "aria-invalid": problem !== null,
  };
  const change = (text: string) => setDraft(field, text);
  switch (field.kind) {
    case "boolean":
      return (
        <input
          {...shared}
          type="checkbox"
          class="switch"
          checked={value === true}
          onChange={(event) => setDraft(field, event.currentTarget.checked)}
        />
      );
    case "choice":
      return (
        <select
          {...shared}
          class="select fill"
          value={String(value)}
          onChange={(event) => change(event.currentTarget.value)}
        >
          {(field.choices ?? []).map((choice) => (
            <option key={choice} value={choice}>
              {choice === "" ? `(${say("empty")})` : choice}
            </option>
          ))}
        </select>
      );
    case "long-text":
    case "text-list":
    case "integer-list":
      return <Lines field={field} shared={shared} value={String(value)} change={change} />;
    case "integer":
    case "number":
      return (
        <>
          <input
            {...shared}
            class="input number-input"
            inputMode="decimal"
            autocomplete="off"
            value={String(value)}
            title={say("allowed", { allowed: field.allowed })}
            onInput={(event) => change(event.currentTarget.value)}
          />
          {field.unit === undefined ? null : <span class="muted">{sayUnit(field.unit)}</span>}
        </>
      );
    case "text":
    case "url":
    case "proxy-url":
      return <Line field={field} shared={shared} value={String(value)} change={change} />;
    default:
      return field.kind satisfies never;
  }
};

interface TextProps {
  readonly field: FormField;
  readonly shared: object;
  readonly value: string;
  readonly change: (text: string) => void;
}

const LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
const SECRET_LENGTH = 32;

/** 56 letters: bytes from 224 on would favour the first ones. */
const randomSecret = (): string => {
  const fair: string[] = [];
  while (fair.length < SECRET_LENGTH) {
    for (const byte of crypto.getRandomValues(new Uint8Array(64))) {
      if (byte < 224 && fair.length < SECRET_LENGTH) fair.push(LETTERS[byte % 56] ?? "");
    }
  }
  return fair.join("");
};

const Line = ({ field, shared, value, change }: TextProps) => {
  const hidden = isHidden(field);
  const mask = String(shownValue(field));
  return (
    <>
      <input
        {...shared}
        class={`input ${hidden ? "mono" : ""}`}
        autocomplete="off"
        spellcheck={false}
        placeholder={hidden ? (mask === "" ? say("secretNone") : mask) : ""}
        title={hidden ? say("secret") : say("allowed", { allowed: field.allowed })}
        value={value}
        onInput={(event) => change(event.currentTarget.value)}
      />
      {hidden && field.kind === "text" && !field.locked ? <Generate make={() => change(randomSecret())} /> : null}
      {hidden && value !== "" ? <CopyButton text={value} /> : null}
    </>
  );
};

const Generate = ({ make }: { make: () => void }) => (
  <button type="button" class="icon-button small" aria-label={say("generate")} title={say("generate")} onClick={make}>
    <Icon name="refresh" size={16} />
  </button>
);

const Lines = ({ field, shared, value, change }: TextProps) => {
  const isList = field.kind !== "long-text";
  const rows = Math.min(10, Math.max(isList ? 2 : 4, value.split("\n").length));
  const add = () => {
    const secret = `sk-${randomSecret()}`;
    change(value === "" ? secret : `${value}\n${secret}`);
  };
  return (
    <div class="grow">
      <textarea
        {...shared}
        class={`textarea ${isList ? "mono" : ""}`}
        rows={rows}
        spellcheck={false}
        value={value}
        onInput={(event) => change(event.currentTarget.value)}
      />
      {isList ? (
        <span class="row muted small-text">
          <span class="grow">{field.secret ? say("secretList") : say("oneALine")}</span>
          {field.secret && !field.locked ? <Generate make={add} /> : null}
        </span>
      ) : null}
    </div>
  );
};
