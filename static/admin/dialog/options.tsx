// What the dialog is held with: API, model, stream, pictures, system prompt, key. On narrow windows it folds away.
import { useSignal } from "@preact/signals";
import { messageOf } from "../../shared/api.ts";
import { toast } from "../../shared/toast.tsx";
import { ModelNote, ModelOptions } from "../models.tsx";
import { APIS, FORMATS, isImages } from "./calls.ts";
import {
  api,
  fitting,
  format,
  key,
  loadModels,
  makeKey,
  model,
  modelsProblem,
  number,
  setApi,
  setKey,
  size,
  SIZES,
  stream,
  system,
} from "./store.ts";
import { say } from "./words.ts";

const COUNTS = [1, 2, 3, 4];

export const Options = () => {
  const forImages = isImages(api.value);
  return (
    <details class="panel options" open={innerWidth > 1000 || modelsProblem.value !== null}>
      <summary>{say("options")}</summary>
      <div class="stack">
        <div class="field">
          <label for="dialog-api">{say("api")}</label>
          <select
            id="dialog-api"
            class="select fill"
            value={api.value}
            onChange={(event) => setApi(APIS.find((one) => one === event.currentTarget.value) ?? "chat")}
          >
            {APIS.map((one) => (
              <option key={one} value={one}>
                {say(one)}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="dialog-model">{say("model")}</label>
          <input
            id="dialog-model"
            class="input mono"
            list="dialog-models"
            autocomplete="off"
            spellcheck={false}
            value={model.value}
            onInput={(event) => (model.value = event.currentTarget.value)}
          />
          <ModelOptions id="dialog-models" models={fitting()} />
          <ModelNote of={fitting().find(({ id }) => id === model.value)} />
          {modelsProblem.value === null ? null : (
            <span class="field-error">{say("noModels", { why: modelsProblem.value })}</span>
          )}
        </div>
        {forImages ? <PictureOptions /> : <TextOptions />}
        <KeyField />
      </div>
    </details>
  );
};

const TextOptions = () => (
  <>
    <label class="check">
      <input
        type="checkbox"
        checked={stream.value}
        onChange={(event) => (stream.value = event.currentTarget.checked)}
      />
      {say("stream")}
    </label>
    <div class="field">
      <label for="dialog-system">{say("system")}</label>
      <textarea
        id="dialog-system"
        class="textarea"
        rows={2}
        value={system.value}
        onInput={(event) => (system.value = event.currentTarget.value)}
      />
    </div>
  </>
);

const PictureOptions = () => (
  <div class="two">
    <div class="field">
      <label for="dialog-number">{say("number")}</label>
      <select
        id="dialog-number"
        class="select fill"
        value={number.value}
        onChange={(event) => (number.value = Number(event.currentTarget.value))}
      >
        {COUNTS.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </div>
    <div class="field">
      <label for="dialog-size">{say("size")}</label>
      <select
        id="dialog-size"
        class="select fill"
        value={size.value}
        onChange={(event) => (size.value = event.currentTarget.value)}
      >
        {SIZES.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </div>
    <div class="field">
      <label for="dialog-format">{say("format")}</label>
      <select
        id="dialog-format"
        class="select fill"
        value={format.value}
        onChange={(event) => (format.value = FORMATS.find((one) => one === event.currentTarget.value) ?? "b64_json")}
      >
        {FORMATS.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </div>
  </div>
);

const KeyField = () => {
  const busy = useSignal(false);
  const make = async () => {
    busy.value = true;
    try {
      await makeKey();
      toast(say("madeKey"));
    } catch (thrown) {
      toast(messageOf(thrown), "error");
    } finally {
      busy.value = false;
    }
  };
  return (
    <div class="field">
      <label for="dialog-key">{say("key")}</label>
      <input
        id="dialog-key"
        class="input mono"
        type="password"
        autocomplete="off"
        value={key.value}
        onInput={(event) => setKey(event.currentTarget.value)}
        onChange={() => void loadModels()}
      />
      <span class="hint">{say("keyHint")}</span>
      {key.value === "" ? (
        <button type="button" class="button small" disabled={busy.value} onClick={() => void make()}>
          {say("makeKey")}
        </button>
      ) : null}
    </div>
  );
};
