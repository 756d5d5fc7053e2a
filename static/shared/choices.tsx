// The two choices that every page offers: language and theme.
import { Icon } from "./icons.tsx";
import { language, setLanguage, speak } from "./language.ts";
import { Menu } from "./menu.tsx";
import { setTheme, theme, THEMES } from "./theme.ts";

const say = speak({
  language: ["Language", "语言"],
  theme: ["Theme", "主题"],
  system: ["As the system", "跟随系统"],
  light: ["Light", "浅色"],
  dark: ["Dark", "深色"],
});

export const LanguageMenu = () => (
  <Menu
    label={say("language")}
    actions={[
      { label: "English", run: () => setLanguage("en"), chosen: language.value === "en" },
      { label: "中文", run: () => setLanguage("zh"), chosen: language.value === "zh" },
    ]}
  >
    <Icon name="language" />
  </Menu>
);

const SIGNS = { system: "system", light: "sun", dark: "moon" } as const;

export const ThemeMenu = () => (
  <Menu
    label={say("theme")}
    actions={THEMES.map((one) => ({
      label: say(one),
      icon: SIGNS[one],
      run: () => setTheme(one),
      chosen: theme.value === one,
    }))}
  >
    <Icon name={SIGNS[theme.value]} />
  </Menu>
);
