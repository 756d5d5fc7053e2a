// What a conversation is held with: model, system prompt, parameters. Kept with the conversation; new ones begin with the last choice.
// Invariant: a parameter that was not touched is not sent.
import { useId } from "preact/hooks";
import { Modal } from "../../shared/modal.tsx";
import { ModelChoice } from "./model-choice.tsx";
import { models } from "./models.ts";
import { changeSettings, current } from "./store.ts";
import { say } from "./words.ts";

const EFFORTS = ["none", "low", "medium", "high"] as const;

export const SettingsDialog = ({ onClose }: { onClose: () => void }) => {
  const { settings } = current.value;
  const id = useId();
  const about = models.value.find((model) => model.id === settings.model)?.description;
  return (
    <Modal
      title={say("settings")}
      onClose={onClose}
      onSubmit={onClose}
      foot={
        <button type="submit" class="button primary">
          {say("close")}
        </button>
      }
    >
      <div class="field">
        <label for={`${id}-model`}>{say("model")}</label>
        <ModelChoice id={`${id}-model`} />
        {about === undefined ? null : <span class="hint">{about}</span>}
      </div>
      <div class="field">
        <label for={`${id}-system`}>{say("system")}</label>
        <textarea
          id={`${id}-system`}
          class="textarea"
          rows={4}
          aria-describedby={`${id}-system-hint`}
          value={settings.system}
          onChange={(event) => changeSettings({ system: event.currentTarget.value })}
        />
        <span class="hint" id={`${id}-system-hint`}>
          {say("systemHint")}
        </span>
      </div>
      <div class="two">
        <Slider name="temperature" value={settings.temperature} range={{ max: 2, middle: 0.8 }} />
        <Slider name="topP" value={settings.topP} range={{ max: 1, middle: 0.95 }} />
        <div class="field">
          <label for={`${id}-effort`}>{say("effort")}</label>
          <select
            id={`${id}-effort`}
            class="select fill"
            value={settings.effort ?? ""}
            onChange={({ currentTarget: { value } }) => changeSettings({ effort: value === "" ? null : value })}
          >
            <option value="">{say("effortDefault")}</option>
            {EFFORTS.map((effort) => (
              <option key={effort} value={effort}>
                {say(`effort_${effort}`)}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for={`${id}-tokens`}>{say("maxTokens")}</label>
          <input
            id={`${id}-tokens`}
            class="input"
            type="number"
            min={1}
            inputmode="numeric"
            placeholder={say("noLimit")}
            value={settings.maxTokens ?? ""}
            onChange={({ currentTarget: { valueAsNumber: value } }) =>
              changeSettings({ maxTokens: Number.isInteger(value) && value > 0 ? value : null })
            }
          />
        </div>
      </div>
      <label class="check">
        <input
          type="checkbox"
          class="switch"
          checked={settings.stream}
          onChange={(event) => changeSettings({ stream: event.currentTarget.checked })}
        />
        <span>
          {say("stream")}
          <br />
          <span class="muted small-text">{say("streamHint")}</span>
        </span>
      </label>
    </Modal>
  );
};

interface SliderProps {
  readonly name: "temperature" | "topP";
  readonly value: number | null;
  readonly range: { readonly max: number; readonly middle: number };
}

const Slider = ({ name, value, range: { max, middle } }: SliderProps) => {
  const id = useId();
  return (
    <div class="field">
      <span class="slider-head">
        <label for={id}>{say(name)}</label>
        <output for={id} class="muted">
          {value === null ? say("byDefault") : value.toFixed(2)}
        </output>
        {value === null ? null : (
          <button type="button" class="link small-text" onClick={() => changeSettings({ [name]: null })}>
            {say("reset")}
          </button>
        )}
      </span>
      <input
        id={id}
        type="range"
        class={value === null ? "range untouched" : "range"}
        min={0}
        max={max}
        step={0.05}
        value={value ?? middle}
        onInput={(event) => changeSettings({ [name]: event.currentTarget.valueAsNumber })}
      />
    </div>
  );
};
