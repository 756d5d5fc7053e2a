// The way in: one password, or the password and a name where the operator set one. Knows no other page.
// Invariant: the password is sent once and kept nowhere; what stays is the session that it was exchanged for.
import { useSignal } from "@preact/signals";
import { ApiError, send, setSession } from "../shared/api.ts";
import { speak } from "../shared/language.ts";
import { toast } from "../shared/toast.tsx";
import { Icon } from "../shared/icons.tsx";
import { LanguageMenu, ThemeMenu } from "../shared/choices.tsx";

const say = speak({
  title: ["Sign in", "登录"],
  intro: ["Admin dashboard of this gateway.", "网关管理后台。"],
  password: ["Admin password", "管理密码"],
  name: ["User name", "用户名"],
  hint: [
    "The value of app.app_key, or the password that was printed at the first start.",
    "配置项 app.app_key 的值，或首次启动时打印的密码。",
  ],
  enter: ["Sign in", "登录"],
  entering: ["Signing in…", "登录中…"],
  wrong: ["The password is wrong.", "密码错误。"],
  withName: ["Sign in with a user name too", "同时使用用户名登录"],
  unreachable: ["The gateway cannot be reached.", "无法连接到网关。"],
});

interface LoginAnswer {
  readonly token: string;
  readonly warning: string | null;
}

const reasonOf = (thrown: unknown): string => {
  if (!(thrown instanceof ApiError)) return String(thrown);
  if (thrown.status === 0) return say("unreachable");
  return thrown.status === 401 ? say("wrong") : thrown.message;
};

export const LoginPage = () => {
  const password = useSignal("");
  const name = useSignal("");
  const withName = useSignal(false);
  const problem = useSignal<string | null>(null);
  const busy = useSignal(false);
  const enter = async () => {
    if (busy.value || password.value === "") return;
    busy.value = true;
    problem.value = null;
    try {
      const body = { password: password.value, ...(withName.value ? { username: name.value } : {}) };
      const { token, warning } = await send<LoginAnswer>("POST", "/login", { body, open: true });
      setSession(token);
      if (warning !== null) toast(warning, "info");
    } catch (thrown) {
      problem.value = reasonOf(thrown);
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
          void enter();
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
        {withName.value ? (
          <div class="field">
            <label for="login-name">{say("name")}</label>
            <input
              id="login-name"
              class="input"
              autocomplete="username"
              value={name.value}
              onInput={(event) => (name.value = event.currentTarget.value)}
            />
          </div>
        ) : null}
        <div class="field">
          <label for="login-password">{say("password")}</label>
          <input
            id="login-password"
            class="input"
            type="password"
            autocomplete="current-password"
            ref={(input) => {
              if (input && document.activeElement === document.body) input.focus();
            }}
            aria-invalid={problem.value !== null}
            aria-describedby="login-hint login-problem"
            value={password.value}
            onInput={(event) => (password.value = event.currentTarget.value)}
          />
          <span class="hint" id="login-hint">
            {say("hint")}
          </span>
          <span class="field-error" id="login-problem" role="alert">
            {problem.value}
          </span>
        </div>
        <button type="submit" class="button primary" disabled={busy.value || password.value === ""}>
          {busy.value ? say("entering") : say("enter")}
        </button>
        <div class="login-foot">
          <label class="check muted small-text">
            <input
              type="checkbox"
              checked={withName.value}
              onChange={(event) => (withName.value = event.currentTarget.checked)}
            />
            {say("withName")}
          </label>
          <span class="row">
            <LanguageMenu />
            <ThemeMenu />
          </span>
        </div>
      </form>
    </main>
  );
};
