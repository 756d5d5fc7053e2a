// Which models a key may ask for: chosen from what is served now, or typed. Decides nothing.
// Invariant: nothing chosen means that all are allowed, and the field says so.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../../shared/icons.tsx";
import { knownModels, loadKnownModels, ModelOptions } from "../models.tsx";
import { say } from "./words.ts";

export interface ModelsFieldProps {
  readonly chosen: readonly string[];
  readonly onChosen: (models: readonly string[]) => void;
}

export const ModelsField = ({ chosen, onChosen }: ModelsFieldProps) => {
  const typed = useSignal("");
  useEffect(() => void loadKnownModels(), []);
  const add = (text: string) => {
    const more = text.split(/[\s,，]+/).filter((name) => name !== "");
    if (more.length > 0) onChosen([...new Set([...chosen, ...more])]);
    typed.value = "";
  };
  return (
    <div class="field">
      <label for="key-models">{say("models")}</label>
      <div class="tags-box">
        {chosen.map((id) => (
          <span key={id} class="badge accent mono">
            {id}
            <button
              type="button"
              aria-label={say("removeModel", { id })}
              onClick={() => onChosen(chosen.filter((one) => one !== id))}
            >
              <Icon name="close" size={12} />
            </button>
          </span>
        ))}
        <input
          id="key-models"
          class="mono"
          list="key-models-known"
          autocomplete="off"
          spellcheck={false}
          placeholder={chosen.length === 0 ? say("allModels") : ""}
          value={typed.value}
          onInput={(event) => {
            const { value } = event.currentTarget;
            // One that was picked from the list is complete.
            const isPicked = event instanceof InputEvent ? event.inputType === "insertReplacementText" : true;
            if (/[\s,，]/.test(value) || (isPicked && value !== "")) add(value);
            else typed.value = value;
          }}
          onKeyDown={(event) => {
            if (event.key === "Enter" && typed.value !== "") {
              event.preventDefault();
              add(typed.value);
            }
            if (event.key === "Backspace" && typed.value === "") onChosen(chosen.slice(0, -1));
          }}
          onBlur={() => add(typed.value)}
        />
      </div>
      <ModelOptions id="key-models-known" models={knownModels.value.filter(({ id }) => !chosen.includes(id))} />
      <span class="hint">{say("modelsHint")}</span>
    </div>
  );
};
