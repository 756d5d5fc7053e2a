// The way in where the operator has set a key for the playground. Knows no other page.
// Invariant: a wrong key is kept nowhere.
import { useSignal } from "@preact/signals";
import { messageOf } from "../shared/api.ts";
import { LanguageMenu, ThemeMenu } from "../shared/choices.tsx";
import { Icon } from "../shared/icons.tsx";
import { speak } from "../shared/language.ts";
import { at } from "../shared/place.ts";
import { tryKey } from "./visitor.ts";

const say = speak({
  title: ["Playground", "体验页面"],
  intro: [
    "Chat, pictures, clips and voice. This gateway asks for a key first.",
    "对话、绘图、视频与语音。此网关需要先输入密钥。",
  ],
  key: ["Playground key", "访问密钥"],
  hint: [
    "Whoever runs this gateway can tell you the key. It is kept in this browser only.",
    "密钥请向网关管理员索取，仅保存在此浏览器中。",
  ],
  enter: ["Enter", "进入"],
  entering: ["Checking…", "验证中…"],
  wrong: ["The key is wrong.", "密钥错误。"],
  admin: ["Admin dashboard", "管理后台"],
});

export const LoginPage = () => {
  const typed = useSignal("");
  const problem = useSignal<string | null>(null);
  const busy = useSignal(false);
  const submit = async () => {
    const key = typed.value.trim();
    if (busy.value || key === "") return;
    busy.value = true;
    problem.value = null;
    try {
      if (!(await tryKey(key))) problem.value = say("wrong");
    } catch (thrown) {
      problem.value = messageOf(thrown);
    } finally {
      busy.value = false;
    }
  };
  return (
    <main class="login">
      <form
        class="panel login-box"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div class="brand">
          <span class="brand-sign">
            <Icon name="dialog" />
          </span>
          Grok2API
        </div>
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
        <div class="field">
          <label for="login-key">{say("key")}</label>
          <input
            id="login-key"
            class="input"
            type="password"
            autocomplete="current-password"
            ref={(input) => {
              if (input && document.activeElement === document.body) input.focus();
            }}
            aria-invalid={problem.value !== null}
            aria-describedby="login-hint login-problem"
            value={typed.value}
            onInput={(event) => (typed.value = event.currentTarget.value)}
          />
          <span class="hint" id="login-hint">
            {say("hint")}
          </span>
          <span class="field-error" id="login-problem" role="alert">
            {problem.value}
          </span>
        </div>
        <button type="submit" class="button primary" disabled={busy.value || typed.value.trim() === ""}>
          {busy.value ? say("entering") : say("enter")}
        </button>
        <div class="login-foot">
          <a class="small-text" href={at("/admin")}>
            {say("admin")}
          </a>
          <span class="row">
            <LanguageMenu />
            <ThemeMenu />
          </span>
        </div>
      </form>
    </main>
  );
};
