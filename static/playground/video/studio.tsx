// What is to be filmed: prompt, the picture to begin with, and the choices that stand beside them. Knows no line.
// Invariant: what cannot be begun cannot be pressed, and everything is reached by keyboard.
import { Icon } from "../../shared/icons.tsx";
import { Choose, plain } from "../media/choose.tsx";
import { EarlierPrompts } from "../media/prompts.tsx";
import { ReferenceField } from "../media/references.tsx";
import { change, COUNTS, mostRuns, presets, RATIOS, RESOLUTIONS, RUNS, SECONDS, settings } from "./settings.ts";
import { isEnding, isRunning, prompt, promptBook, references, start, stop } from "./store.ts";
import { say } from "./words.ts";

const FIELD = "video-prompt";

export const focusPrompt = (): void => document.getElementById(FIELD)?.focus();

export const writePrompt = (words: string): void => {
  prompt.value = words;
  focusPrompt();
};

const Modes = () => (
  <div class="tabs" role="group" aria-label={say("mode")}>
    {(["single", "waterfall"] as const).map((mode) => (
      <button key={mode} type="button" aria-pressed={settings.value.mode === mode} onClick={() => change({ mode })}>
        <Icon name={mode === "single" ? "film" : "overview"} size={16} />
        {say(mode)}
      </button>
    ))}
  </div>
);

const Lines = () => {
  const { count, runs } = settings.value;
  const most = mostRuns();
  return (
    <>
      <Choose
        id="video-count"
        label={say("count")}
        value={count}
        choices={COUNTS.map((value) => ({ value, label: value === 0 ? say("endless") : String(value) }))}
        onChoose={(value) => change({ count: value })}
      />
      <Choose
        id="video-runs"
        label={say("runs")}
        value={RUNS.find((n) => n === Math.min(runs, most)) ?? 1}
        choices={RUNS.filter((n) => n <= most).map((value) => ({
          value,
          label: value === 1 ? say("run1") : say("runsN", { n: value }),
        }))}
        onChoose={(value) => change({ runs: value })}
      />
    </>
  );
};

const Choices = () => {
  const { mode, ratio, seconds, resolution, preset } = settings.value;
  return (
    <div class="studio-choices">
      <Choose
        id="video-ratio"
        label={say("ratio")}
        value={ratio}
        choices={plain(RATIOS)}
        onChoose={(value) => change({ ratio: value })}
      />
      <Choose
        id="video-length"
        label={say("length")}
        value={seconds}
        choices={SECONDS.map((value) => ({ value, label: say("secondsN", { n: value }) }))}
        onChoose={(value) => change({ seconds: value })}
      />
      <Choose
        id="video-resolution"
        label={say("resolution")}
        value={resolution}
        choices={plain(RESOLUTIONS)}
        onChoose={(value) => change({ resolution: value })}
      />
      <Choose
        id="video-preset"
        label={say("preset")}
        value={preset}
        choices={presets().map((value) => ({ value, label: say(value) }))}
        onChoose={(value) => change({ preset: value })}
      />
      {mode === "waterfall" ? <Lines /> : null}
    </div>
  );
};

const Go = () => {
  if (!isRunning.value) {
    return (
      // Keyed, because one that became the other under the pointer would do both.
      <button
        key="start"
        type="submit"
        class="button primary studio-go"
        title={say("startKey")}
        disabled={prompt.value.trim() === ""}
      >
        <Icon name="film" />
        {say("start")}
      </button>
    );
  }
  const isGraceful = settings.value.mode === "waterfall" && !isEnding.value;
  return (
    <button key="stop" type="button" class={`button studio-go ${isGraceful ? "" : "danger"}`} onClick={stop}>
      <Icon name="stop" />
      {say(isGraceful ? "finish" : isEnding.value ? "stopNow" : "stop")}
    </button>
  );
};

export const Studio = () => (
  <form
    class="panel studio"
    onSubmit={(event) => {
      event.preventDefault();
      if (!isRunning.value) void start();
    }}
  >
    <Modes />
    <div class="studio-prompt">
      <textarea
        id={FIELD}
        class="textarea"
        rows={3}
        aria-label={say("prompt")}
        placeholder={say("promptHint")}
        value={prompt.value}
        onInput={(event) => (prompt.value = event.currentTarget.value)}
      />
      <EarlierPrompts book={promptBook} onChoose={writePrompt} />
    </div>
    <ReferenceField book={references} label={say("reference")} />
    <div class="studio-row">
      <Choices />
      <Go />
    </div>
    <span class="switch-line">
      <input
        id="video-save"
        type="checkbox"
        class="switch"
        checked={settings.value.autoSave}
        onChange={(event) => change({ autoSave: event.currentTarget.checked })}
      />
      <label for="video-save">{say("autoSave")}</label>
    </span>
  </form>
);
