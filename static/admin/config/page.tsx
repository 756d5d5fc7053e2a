// The page of the settings: sections, search, the form, the bar with what is not saved yet. Knows the schema only.
// Invariant: nothing typed is lost without a question.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { FormField, FormSection } from "../../../src/config/describe.ts";
import { Icon } from "../../shared/icons.tsx";
import { inLanguage } from "../../shared/language.ts";
import { Skeleton } from "../../shared/loaded.tsx";
import { confirm } from "../../shared/modal.tsx";
import { useShortcuts } from "../../shared/shortcuts.tsx";
import { guardLeaving } from "../../shared/router.ts";
import { FieldRow } from "./field.tsx";
import { dirty, discard, drafts, form, load, problem, refused, save, saving } from "./store.ts";
import { say } from "./words.ts";

const mayLeave = async (): Promise<boolean> => {
  if (!dirty.value) return true;
  const yes = await confirm({ title: say("leaveTitle"), text: say("leaveText"), action: say("leave"), danger: true });
  if (yes) discard();
  return yes;
};

const holdUnload = (event: BeforeUnloadEvent): void => {
  if (dirty.value) event.preventDefault();
};

const matches = (field: FormField, search: string): boolean =>
  search === "" ||
  [field.path, field.env, field.help.en, field.help.zh].some((text) => text.toLowerCase().includes(search));

const isChanged = (field: FormField): boolean => field.origin !== "default" || drafts.value.has(field.path);

export const ConfigPage = () => {
  const search = useSignal("");
  const changedOnly = useSignal(false);
  const chosen = useSignal(decodeURIComponent(location.hash.slice(1)));
  useEffect(() => {
    void load();
    guardLeaving(mayLeave);
    window.addEventListener("beforeunload", holdUnload);
    return () => {
      guardLeaving(null);
      window.removeEventListener("beforeunload", holdUnload);
    };
  }, []);
  useShortcuts(() => [{ keys: "Ctrl+S", what: say("save"), run: () => void (dirty.value ? save() : null) }]);
  const sections = form.value?.sections ?? [];
  const words = search.value.trim().toLowerCase();
  const isSearch = words !== "" || changedOnly.value;
  const current = sections.find(({ name }) => name === chosen.value) ?? sections[0];
  const shown = isSearch
    ? sections
        .map((section) => ({
          ...section,
          fields: section.fields.filter((field) => matches(field, words) && (!changedOnly.value || isChanged(field))),
        }))
        .filter(({ fields }) => fields.length > 0)
    : current
      ? [current]
      : [];
  const choose = (name: string) => {
    chosen.value = name;
    search.value = "";
    changedOnly.value = false;
    history.replaceState(null, "", `#${name}`);
    scrollTo(0, 0);
  };
  return (
    <div class="page">
      <header class="page-head">
        <div>
          <h1>{say("title")}</h1>
          <p class="muted">{say("intro")}</p>
        </div>
      </header>
      <Warnings />
      <div class="row wrap">
        <div class="search grow config-search">
          <Icon name="search" />
          <input
            class="input"
            type="search"
            aria-label={say("search")}
            placeholder={say("search")}
            value={search.value}
            onInput={(event) => (search.value = event.currentTarget.value)}
          />
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={changedOnly.value}
            onChange={(event) => (changedOnly.value = event.currentTarget.checked)}
          />
          {say("changedOnly")}
        </label>
      </div>
      <form
        class="config"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <SectionNav sections={sections} current={isSearch ? null : (current?.name ?? null)} onChoose={choose} />
        <div class="stack">
          {form.value === null ? <Waiting /> : null}
          {form.value !== null && shown.length === 0 ? <p class="panel empty">{say("nothing")}</p> : null}
          {shown.map((section) => (
            <Section key={section.name} section={section} />
          ))}
        </div>
        <SaveBar />
      </form>
    </div>
  );
};

const Waiting = () =>
  problem.value === null ? <Skeleton lines={12} panel /> : <p class="panel empty danger-text">{problem.value}</p>;

const Warnings = () => {
  const { warning = null, pendingRestart = [] } = form.value ?? {};
  return (
    <>
      {warning === null ? null : (
        <p class="notice warn">
          <Icon name="warning" />
          {warning}
        </p>
      )}
      {pendingRestart.length === 0 ? null : (
        <p class="notice">
          <Icon name="info" />
          {say("pending", { keys: pendingRestart.join(", ") })}
        </p>
      )}
    </>
  );
};

interface SectionNavProps {
  readonly sections: readonly FormSection[];
  readonly current: string | null;
  readonly onChoose: (name: string) => void;
}

/** On a narrow window the sections are a strip that scrolls. */
const bringIntoView = (button: HTMLButtonElement | null): void => {
  const strip = button?.parentElement;
  if (button && strip && strip.scrollWidth > strip.clientWidth) {
    strip.scrollLeft = button.offsetLeft - strip.offsetLeft - (strip.clientWidth - button.offsetWidth) / 2;
  }
};

const SectionNav = ({ sections, current, onChoose }: SectionNavProps) => (
  <nav class="config-nav" aria-label={say("sections")}>
    {sections.map(({ name, title, fields }) => {
      const unsaved = fields.filter(({ path }) => drafts.value.has(path)).length;
      return (
        <button
          key={name}
          type="button"
          aria-current={name === current ? "true" : undefined}
          ref={name === current ? bringIntoView : undefined}
          onClick={() => onChoose(name)}
        >
          {inLanguage(title)}
          {unsaved > 0 ? <span class="badge accent">{unsaved}</span> : null}
        </button>
      );
    })}
  </nav>
);

const Section = ({ section }: { section: FormSection }) => (
  <section class="panel" aria-label={inLanguage(section.title)}>
    <h2 class="section-title">
      {inLanguage(section.title)} <span class="mono muted">[{section.name}]</span>
    </h2>
    {section.fields.map((field) => (
      <FieldRow key={field.path} field={field} />
    ))}
  </section>
);

/** The reason stands beside the setting already. */
const isShown = (path: string | null): boolean =>
  path !== null && document.querySelector(`[id="setting-${CSS.escape(path)}"]`) !== null;

const SaveBar = () => {
  const number = drafts.value.size;
  const refusal = refused.value;
  if (number === 0 && refusal === null) return null;
  return (
    <div class="save-bar">
      {refusal === null || isShown(refusal.path) ? null : (
        <p class="field-error prose" role="alert">
          {refusal.message}
        </p>
      )}
      <span class="row">
        <strong class="nowrap" aria-live="polite">
          {number === 1 ? say("unsavedOne") : say("unsaved", { n: number })}
        </strong>
        <button type="button" class="button small" onClick={discard}>
          {say("discard")}
        </button>
        <button type="submit" class="button small primary" disabled={saving.value || number === 0}>
          {saving.value ? say("saving") : say("save")}
        </button>
      </span>
    </div>
  );
};
