// The choice of a conversation's model, in groups by what the models give.
import { chatModels, mediaModels, models } from "./models.ts";
import { changeSettings, current } from "./store.ts";
import { say } from "./words.ts";

export const ModelChoice = ({ id }: { id?: string }) => {
  const { model } = current.value.settings;
  const isListed = models.value.some((one) => one.id === model);
  const options = (list: typeof models.value) =>
    list.map((one) => (
      <option key={one.id} value={one.id}>
        {one.display_name ?? one.id}
      </option>
    ));
  return (
    <select
      id={id}
      class="select model-choice"
      aria-label={id === undefined ? say("model") : undefined}
      value={model}
      onChange={(event) => changeSettings({ model: event.currentTarget.value })}
    >
      {isListed ? null : <option value={model}>{model === "" ? "…" : model}</option>}
      <optgroup label={say("words")}>{options(chatModels())}</optgroup>
      {mediaModels().length > 0 ? <optgroup label={say("media")}>{options(mediaModels())}</optgroup> : null}
    </select>
  );
};
