// Stating adult content for accounts, with what the site asks for along with it. Makes nothing up.
// Invariant: terms and birth date are stated only when a person ticks or types them.
import { useSignal } from "@preact/signals";
import { speak } from "../../shared/language.ts";
import { Modal } from "../../shared/modal.tsx";
import { setAdult } from "./verbs.ts";

const say = speak({
  title: ["Adult content of {n} accounts", "设置 {n} 个账号的成人内容"],
  intro: [
    "This changes the settings of the accounts on the site. API keys have none and are left out.",
    "此操作会更改账号在站点上的设置；API 密钥没有此类设置，将自动跳过。",
  ],
  on: ["Switch on", "开启"],
  off: ["Switch off", "关闭"],
  what: ["Adult content", "成人内容"],
  terms: ["Accept the site's terms for these accounts", "为这些账号接受站点条款"],
  birth: ["Birth date of the accounts' holder", "账号持有人的出生日期"],
  birthHint: ["Leave it empty when it is set already. 18 or older.", "若已设置请留空。须年满 18 岁。"],
  sure: ["I confirm that this is the holder's birth date", "我确认这是账号持有人的出生日期"],
  cancel: ["Cancel", "取消"],
  run: ["Apply", "应用"],
});

export const AdultDialog = ({ ids, onClose }: { ids: readonly string[]; onClose: () => void }) => {
  const on = useSignal(true);
  const terms = useSignal(false);
  const birth = useSignal("");
  const sure = useSignal(false);
  const run = () => {
    void setAdult(ids, {
      adult_content: on.value,
      accept_terms: on.value && terms.value,
      birth_date: on.value && birth.value !== "" ? birth.value : null,
    });
    onClose();
  };
  return (
    <Modal
      title={say("title", { n: ids.length })}
      onClose={onClose}
      onSubmit={run}
      foot={
        <>
          <button type="button" class="button" onClick={onClose}>
            {say("cancel")}
          </button>
          <button type="submit" class="button primary" disabled={on.value && birth.value !== "" && !sure.value}>
            {say("run")}
          </button>
        </>
      }
    >
      <p class="muted">{say("intro")}</p>
      <div class="tabs" role="group" aria-label={say("what")}>
        <button type="button" aria-pressed={on.value} onClick={() => (on.value = true)}>
          {say("on")}
        </button>
        <button type="button" aria-pressed={!on.value} onClick={() => (on.value = false)}>
          {say("off")}
        </button>
      </div>
      {on.value ? (
        <>
          <label class="check">
            <input
              type="checkbox"
              checked={terms.value}
              onChange={(event) => (terms.value = event.currentTarget.checked)}
            />
            {say("terms")}
          </label>
          <div class="field">
            <label for="adult-birth">{say("birth")}</label>
            <input
              id="adult-birth"
              class="input"
              type="date"
              value={birth.value}
              onInput={(event) => (birth.value = event.currentTarget.value)}
            />
            <span class="hint">{say("birthHint")}</span>
          </div>
          {birth.value === "" ? null : (
            <label class="check">
              <input
                type="checkbox"
                checked={sure.value}
                onChange={(event) => (sure.value = event.currentTarget.checked)}
              />
              {say("sure")}
            </label>
          )}
        </>
      ) : null}
    </Modal>
  );
};
