// What stands above the conversation: its title, its model, its settings. In the frame's own bar on narrow windows.
import { useSignal } from "@preact/signals";
import { Icon } from "../../shared/icons.tsx";
import { Menu } from "../../shared/menu.tsx";
import { headOf } from "./conversation.ts";
import { ModelChoice } from "./model-choice.tsx";
import { loadModels, modelsProblem } from "./models.ts";
import { SettingsDialog } from "./settings.tsx";
import { begin, current, settleModel } from "./store.ts";
import { exportJson, exportMarkdown, removeOne } from "./verbs.ts";
import { say } from "./words.ts";

const SettingsButton = () => {
  const isOpen = useSignal(false);
  return (
    <>
      <button
        type="button"
        class="icon-button"
        aria-label={say("settings")}
        title={say("settings")}
        onClick={() => (isOpen.value = true)}
      >
        <Icon name="sliders" />
      </button>
      {isOpen.value ? <SettingsDialog onClose={() => (isOpen.value = false)} /> : null}
    </>
  );
};

const ModelsProblem = () =>
  modelsProblem.value === null ? null : (
    <span class="models-problem small-text" role="alert">
      <span class="danger-text ellipsis" title={modelsProblem.value}>
        {say("noModels", { why: modelsProblem.value })}
      </span>
      <button type="button" class="link" onClick={() => void loadModels().then(settleModel)}>
        {say("reload")}
      </button>
    </span>
  );

export const ChatBar = () => {
  const conversation = current.value;
  const { id, title, turns } = conversation;
  return (
    <header class="chat-bar">
      <h1 class="ellipsis" title={title}>
        {title === "" ? say("untitled") : title}
      </h1>
      <ModelsProblem />
      <span class="chat-bar-tools">
        <ModelChoice />
        <SettingsButton />
        <Menu
          label={say("more")}
          disabled={turns.length === 0}
          actions={[
            { label: say("asMarkdown"), icon: "download", run: () => void exportMarkdown(id) },
            { label: say("asJson"), icon: "download", run: () => void exportJson(id) },
            "line",
            { label: say("remove"), icon: "trash", danger: true, run: () => void removeOne(headOf(conversation)) },
          ]}
        >
          <Icon name="more" />
        </Menu>
      </span>
    </header>
  );
};

/** The same for narrow windows. */
export const TopBar = () => (
  <div class="chat-top">
    <ModelChoice />
    <span class="row">
      <SettingsButton />
      <button type="button" class="icon-button" aria-label={say("newChat")} title={say("newChat")} onClick={begin}>
        <Icon name="plus" size={21} />
      </button>
    </span>
  </div>
);
