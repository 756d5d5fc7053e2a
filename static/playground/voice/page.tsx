// The page of the voice: how it is to sound, the session, what was said. Keys that work on it.
// Invariant: the page says before anything is pressed when this browser cannot lend its microphone here.
import { useEffect } from "preact/hooks";
import { CopyButton } from "../../shared/copy-button.tsx";
import { countdown } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { useShortcuts } from "../../shared/shortcuts.tsx";
import { now } from "../../shared/ticker.ts";
import { Choose } from "../media/choose.tsx";
import { adviceFor, wordsOf } from "../media/problem.ts";
import { wasLoadedAt } from "../own-document.ts";
import type { PageView } from "../page-view.ts";
import { running } from "../running.ts";
import { canListen } from "./microphone.ts";
import {
  begunMs,
  change,
  end,
  FASTEST,
  isMuted,
  isReconnecting,
  isSilenced,
  level,
  lines,
  mute,
  PERSONALITIES,
  settings,
  SLOWEST,
  speaking,
  stage,
  start,
  trouble,
  unsilence,
  VOICES,
} from "./store.ts";
import { say } from "./words.ts";

const isIdle = (): boolean => stage.value === "idle";

/** The policy of another page's document does not let this one reach the voice server. */
const isOwnDocument = wasLoadedAt("/voice");

const canStart = (): boolean =>
  isOwnDocument && canListen() && (settings.value.personality !== "custom" || settings.value.instruction.trim() !== "");

const Speed = () => {
  const { speed } = settings.value;
  return (
    <div class="field">
      <div class="slider-head">
        <label for="voice-speed">{say("speed")}</label>
        <output for="voice-speed">{speed.toFixed(1)}×</output>
      </div>
      <input
        id="voice-speed"
        class="range"
        type="range"
        min={SLOWEST}
        max={FASTEST}
        step={0.1}
        value={speed}
        onInput={(event) => change({ speed: Number(event.currentTarget.value) })}
      />
    </div>
  );
};

const Settings = () => {
  const { voice, personality, instruction } = settings.value;
  return (
    <section class="panel padded stack voice-settings">
      <fieldset class="plain">
        <legend>{say("voice")}</legend>
        <div class="voices">
          {VOICES.map((one) => (
            <label key={one} class="voice-choice">
              <input
                type="radio"
                name="voice"
                value={one}
                checked={voice === one}
                onChange={() => change({ voice: one })}
              />
              <span>{one[0]?.toUpperCase() + one.slice(1)}</span>
            </label>
          ))}
        </div>
      </fieldset>
      <Choose
        id="voice-personality"
        label={say("personality")}
        value={personality}
        choices={PERSONALITIES.map((value) => ({ value, label: say(value) }))}
        onChoose={(value) => change({ personality: value })}
      />
      {personality === "custom" ? (
        <div class="field">
          <label for="voice-instruction">{say("instruction")}</label>
          <textarea
            id="voice-instruction"
            class="textarea"
            maxLength={8000}
            placeholder={say("instructionHint")}
            value={instruction}
            onInput={(event) => change({ instruction: event.currentTarget.value })}
          />
        </div>
      ) : null}
      <Speed />
      {isIdle() ? null : <p class="muted small-text">{say("later")}</p>}
    </section>
  );
};

const stageWords = (): string => {
  if (stage.value !== "talking") return say(stage.value);
  if (isReconnecting.value) return say("reconnecting");
  if (speaking.value === "grok") return say("grokSpeaks");
  if (isMuted.value) return say("muted");
  return say(speaking.value === "you" ? "youSpeak" : "talking");
};

const Level = () => (
  <span
    class="bar level"
    role="meter"
    aria-label={say("level")}
    aria-valuemin={0}
    aria-valuemax={100}
    aria-valuenow={Math.round((isMuted.value ? 0 : level.value) * 100)}
  >
    <span style={{ width: `${Math.round((isMuted.value ? 0 : level.value) * 100)}%` }} />
  </span>
);

const Orb = () => {
  const { value } = stage;
  const size = 1 + (isMuted.value ? 0 : level.value) * 0.16;
  const isWaiting = value !== "idle" && value !== "talking";
  return (
    <div class={`orb ${value} ${speaking.value === "grok" ? "speaks" : ""}`} style={{ scale: String(size) }}>
      {isWaiting ? <span class="spinner" /> : <Icon name="microphone" size={40} />}
    </div>
  );
};

const Buttons = () =>
  isIdle() ? (
    <button type="button" class="button primary" disabled={!canStart()} onClick={() => void start()}>
      <Icon name="microphone" />
      {say("start")}
    </button>
  ) : (
    <div class="row">
      <button
        type="button"
        class="button"
        aria-pressed={isMuted.value}
        disabled={stage.value !== "talking"}
        onClick={() => void mute()}
      >
        <Icon name={isMuted.value ? "muted" : "microphone"} />
        {say(isMuted.value ? "unmute" : "mute")}
      </button>
      <button type="button" class="button danger" onClick={end}>
        <Icon name="stop" />
        {say("end")}
      </button>
    </div>
  );

const troubleWords = (): readonly string[] => {
  const { value } = trouble;
  if (value === null) return canListen() ? [] : [say("insecure", { origin: location.origin })];
  switch (value.kind) {
    case "microphone":
      return [say(value.trouble, { origin: location.origin })];
    case "token":
      return [wordsOf(value.problem), adviceFor(value.problem)];
    case "room":
      return [say(value.wasJoined ? "noSound" : "notJoined", { host: value.host, why: value.why })];
    case "gone":
      return [say("gone", { why: value.why })];
  }
};

const Trouble = () => {
  const words = troubleWords();
  if (words.length === 0) return null;
  return (
    <div class="notice bad" role="alert">
      <Icon name="warning" />
      <span class="stack-tight">
        {words.map((text) => (
          <span key={text}>{text}</span>
        ))}
      </span>
    </div>
  );
};

const Session = () => (
  <section class="panel padded voice-session" aria-label={say("session")}>
    <Orb />
    <p class="voice-stage" role="status">
      {stageWords()}
    </p>
    {isIdle() && canListen() ? <p class="muted">{say("idleHint")}</p> : null}
    {stage.value === "microphone" ? <p class="muted">{say("microphoneHint")}</p> : null}
    {isIdle() ? null : <Level />}
    {begunMs.value === null ? null : (
      <span class="muted elapsed" aria-hidden="true">
        <Icon name="clock" size={14} /> {countdown(Math.max(0, Math.floor((now.value - begunMs.value) / 1000)))}
      </span>
    )}
    {isSilenced.value && stage.value === "talking" ? (
      <p class="row wrap">
        {say("silenced")}
        <button type="button" class="button small" onClick={unsilence}>
          <Icon name="play" size={15} />
          {say("unsilence")}
        </button>
      </p>
    ) : null}
    <Buttons />
  </section>
);

const asText = (): string => lines.value.map(({ who, text }) => `${say(who)}: ${text}`).join("\n");

const Log = () => (
  <section class="panel padded voice-log">
    <div class="row">
      <h2 class="grow">{say("log")}</h2>
      {lines.value.length === 0 ? null : (
        <>
          <CopyButton text={asText} label={say("copy")} />
          <button
            type="button"
            class="icon-button small"
            aria-label={say("clear")}
            title={say("clear")}
            onClick={() => (lines.value = [])}
          >
            <Icon name="trash" size={15} />
          </button>
        </>
      )}
    </div>
    {lines.value.length === 0 ? (
      <p class="muted">{say("logEmpty")}</p>
    ) : (
      <div class="voice-lines" role="log" aria-label={say("log")} tabIndex={0}>
        {lines.value.map(({ id, who, text, isFinal }) => (
          <p key={id} class={isFinal ? who : `${who} open`}>
            <strong>{say(who)}</strong> {text}
          </p>
        ))}
      </div>
    )}
  </section>
);

const VoicePage = () => {
  useShortcuts(() => [
    {
      keys: "m",
      what: say("muteKey"),
      run: () => {
        if (stage.value === "talking") void mute();
      },
    },
  ]);
  useEffect(() => {
    if (!isOwnDocument && running.value === 0) location.reload();
  }, []);
  return (
    <div class="page voice-page">
      <div>
        <h1>{say("title")}</h1>
        <p class="muted">{say("intro")}</p>
      </div>
      {isOwnDocument ? null : (
        <div class="notice warn" role="alert">
          <Icon name="info" />
          <span class="grow">{say("reload")}</span>
          <button type="button" class="button small" onClick={() => location.reload()}>
            {say("reloadNow")}
          </button>
        </div>
      )}
      <Trouble />
      <div class="voice-parts">
        <Session />
        <Settings />
      </div>
      <Log />
    </div>
  );
};

export const view: PageView = { Page: VoicePage };
