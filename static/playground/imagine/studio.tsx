// What is to be drawn: prompt, pictures to change, and the choices that stand beside them. Knows no run.
// Invariant: what cannot be begun cannot be pressed, and everything is reached by keyboard.
import type { ComponentChildren } from "preact";
import { bytes } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { toast } from "../../shared/toast.tsx";
import { type Choice, Choose, plain } from "../media/choose.tsx";
import { EarlierPrompts } from "../media/prompts.tsx";
import { ReferenceField } from "../media/references.tsx";
import { canPickFolder, folder, pickFolder } from "../media/saving.ts";
import {
  change,
  COUNTS,
  EDIT_COUNTS,
  mostRuns,
  offer,
  RATIOS,
  RUNS,
  type Settings,
  settings,
  TRANSPORTS,
} from "./settings.ts";
import { prompt, promptBook, references, runs, start, stop } from "./store.ts";
import { say } from "./words.ts";

const FIELD = "imagine-prompt";

export const focusPrompt = (): void => document.getElementById(FIELD)?.focus();

export const writePrompt = (words: string): void => {
  prompt.value = words;
  focusPrompt();
};

const canStart = (): boolean =>
  prompt.value.trim() !== "" && (settings.value.mode === "generate" || references.list.value.length > 0);

const Modes = () => (
  <div class="tabs" role="group" aria-label={say("mode")}>
    {(["generate", "edit"] as const).map((mode) => (
      <button key={mode} type="button" aria-pressed={settings.value.mode === mode} onClick={() => change({ mode })}>
        <Icon name={mode === "generate" ? "image" : "edit"} size={16} />
        {say(mode === "generate" ? "generate" : "editMode")}
      </button>
    ))}
  </div>
);

const counted = (values: readonly number[]): Choice<number>[] =>
  values.map((value) => ({ value, label: value === 0 ? say("endless") : String(value) }));

const Choices = () => {
  const { mode, ratio, editRatio, count, editCount, runs: atOnce, quality } = settings.value;
  const isEdit = mode === "edit";
  const most = mostRuns.value;
  return (
    <div class="studio-choices">
      {isEdit ? (
        <Choose
          id="imagine-ratio"
          label={say("ratio")}
          value={editRatio}
          choices={[{ value: "auto", label: say("ratioAuto") }, ...plain(RATIOS)]}
          onChoose={(value) => change({ editRatio: value })}
        />
      ) : (
        <Choose
          id="imagine-ratio"
          label={say("ratio")}
          value={ratio}
          choices={plain(RATIOS)}
          onChoose={(value) => change({ ratio: value })}
        />
      )}
      <Choose<number>
        id="imagine-count"
        label={say("count")}
        value={isEdit ? editCount : count}
        choices={counted(isEdit ? EDIT_COUNTS : COUNTS)}
        onChoose={(value) => change(isEdit ? { editCount: value } : { count: value })}
      />
      <Choose<number>
        id="imagine-runs"
        label={say("runs")}
        value={Math.min(atOnce, most)}
        choices={RUNS.filter((n) => n <= most).map((n) => ({
          value: n,
          label: n === 1 ? say("run1") : say("runsN", { n }),
        }))}
        onChoose={(value) => change({ runs: value })}
      />
      {isEdit ? null : (
        <Choose<Settings["quality"]>
          id="imagine-quality"
          label={say("quality")}
          value={quality}
          choices={[
            { value: "speed", label: say("speed") },
            { value: "quality", label: say("fine") },
          ]}
          onChoose={(value) => change({ quality: value })}
        />
      )}
    </div>
  );
};

const Switch = (about: {
  id: string;
  label: string;
  hint?: string;
  checked: boolean;
  onChange: (on: boolean) => void;
}) => (
  <div class="field">
    <span class="switch-line">
      <input
        id={about.id}
        type="checkbox"
        class="switch"
        checked={about.checked}
        onChange={(event) => about.onChange(event.currentTarget.checked)}
      />
      <label for={about.id}>{about.label}</label>
    </span>
    {about.hint === undefined ? null : <span class="hint">{about.hint}</span>}
  </div>
);

const Filter = () => {
  const { hideBelowBytes } = settings.value;
  const offered = offer.value ? [offer.value.medium_min_bytes, offer.value.final_min_bytes] : [];
  const sizes = [...new Set([0, ...offered, hideBelowBytes])].toSorted((one, other) => one - other);
  return (
    <Choose<number>
      id="imagine-filter"
      label={say("filter")}
      value={hideBelowBytes}
      choices={sizes.map((value) => ({
        value,
        label: value === 0 ? say("filterOff") : say("filterBelow", { size: bytes(value) }),
      }))}
      onChoose={(value) => change({ hideBelowBytes: value })}
    />
  );
};

const Folder = () => {
  const choose = async () => {
    try {
      if (await pickFolder()) change({ autoSave: true });
    } catch (thrown) {
      toast(say("notSaved", { why: thrown instanceof Error ? thrown.message : String(thrown) }), "error");
    }
  };
  if (!canPickFolder()) return <span class="hint">{say("folderNone")}</span>;
  return (
    <span class="row wrap">
      <button type="button" class="button small" onClick={() => void choose()}>
        {folder.value === null ? say("pickFolder") : folder.value.name}
      </button>
      {folder.value === null ? null : (
        <button type="button" class="link small-text" onClick={() => (folder.value = null)}>
          {say("leaveFolder")}
        </button>
      )}
    </span>
  );
};

const Labelled = ({ label, hint, children }: { label: string; hint?: string; children: ComponentChildren }) => (
  <div class="field">
    <span class="label">{label}</span>
    {children}
    {hint === undefined ? null : <span class="hint">{hint}</span>}
  </div>
);

const TRANSPORT_WORDS = { auto: "transportAuto", ws: "transportWs", sse: "transportSse" } as const;

const More = () => {
  const { transport, adult, autoSave, mode } = settings.value;
  return (
    <details class="studio-more">
      <summary>
        <Icon name="sliders" size={16} />
        {say("more")}
      </summary>
      <div class="studio-choices wide">
        <div class="field">
          <Filter />
          <span class="hint">{say("filterHint")}</span>
        </div>
        {mode === "edit" ? null : (
          <div class="field">
            <Choose<Settings["transport"]>
              id="imagine-transport"
              label={say("transport")}
              value={transport}
              choices={TRANSPORTS.map((value) => ({ value, label: say(TRANSPORT_WORDS[value]) }))}
              onChoose={(value) => change({ transport: value })}
            />
            <span class="hint">{say("transportHint")}</span>
          </div>
        )}
        <div class="field">
          <Switch
            id="imagine-save"
            label={say("autoSave")}
            checked={autoSave}
            onChange={(on) => change({ autoSave: on })}
          />
          <Labelled label={say("folder")}>
            <Folder />
          </Labelled>
        </div>
        {offer.value?.nsfw === true && mode === "generate" ? (
          <Switch
            id="imagine-adult"
            label={say("adult")}
            hint={say("adultHint")}
            checked={adult}
            onChange={(on) => change({ adult: on })}
          />
        ) : null}
      </div>
    </details>
  );
};

export const Studio = () => {
  const isEdit = settings.value.mode === "edit";
  const isRunning = runs.value.length > 0;
  return (
    <form
      class="panel studio"
      onSubmit={(event) => {
        event.preventDefault();
        if (canStart() && !isRunning) start();
      }}
    >
      <Modes />
      {isEdit ? <ReferenceField book={references} label={say("references")} /> : null}
      <div class="studio-prompt">
        <textarea
          id={FIELD}
          class="textarea"
          rows={3}
          aria-label={say("prompt")}
          placeholder={say(isEdit ? "editHint" : "promptHint")}
          value={prompt.value}
          onInput={(event) => (prompt.value = event.currentTarget.value)}
        />
        <EarlierPrompts book={promptBook} onChoose={writePrompt} />
      </div>
      <div class="studio-row">
        <Choices />
        {isRunning ? (
          // Keyed, because one that became the other under the pointer would do both.
          <button key="stop" type="button" class="button danger studio-go" onClick={stop}>
            <Icon name="stop" />
            {say("stop")}
          </button>
        ) : (
          <button
            key="start"
            type="submit"
            class="button primary studio-go"
            title={say("startKey")}
            disabled={!canStart()}
          >
            <Icon name={isEdit ? "edit" : "image"} />
            {say(isEdit ? "startEdit" : "start")}
          </button>
        )}
      </div>
      <More />
    </form>
  );
};
