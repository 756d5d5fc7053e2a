// The list of conversations in the side bar and the drawer: search, groups by age, actions. Knows no turn.
// Invariant: what is searched for is looked for in titles at once and in what was said right after.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Icon } from "../../shared/icons.tsx";
import { Menu } from "../../shared/menu.tsx";
import { closeDrawer } from "../drawer.ts";
import { ConversationRow } from "./conversation-row.tsx";
import type { Head } from "./conversation.ts";
import { begin, current, heads, isKept } from "./store.ts";
import { exportAll, importFrom, removeEverything } from "./verbs.ts";
import { openVault } from "./vault.ts";
import { say } from "./words.ts";

const DAY_MS = 86_400_000;
const SEARCH_AFTER_MS = 200;
const LAST_DAYS = 7;

type Age = "today" | "yesterday" | "week" | "older";
const AGES: readonly Age[] = ["today", "yesterday", "week", "older"];

const ageOf = (updatedMs: number): Age => {
  const midnight = new Date().setHours(0, 0, 0, 0);
  if (updatedMs >= midnight) return "today";
  if (updatedMs >= midnight - DAY_MS) return "yesterday";
  return updatedMs >= midnight - LAST_DAYS * DAY_MS ? "week" : "older";
};

/** Conversations in which the words were said. */
const saidIn = async (words: string): Promise<ReadonlySet<string>> => {
  const found = new Set<string>();
  await (
    await openVault()
  ).each(({ id, turns }) => {
    if (turns.some(({ text }) => text.toLowerCase().includes(words))) found.add(id);
    return true;
  });
  return found;
};

export const Conversations = () => {
  const wanted = useSignal("");
  const said = useSignal<ReadonlySet<string>>(new Set());
  const words = wanted.value.trim().toLowerCase();
  useEffect(() => {
    said.value = new Set();
    if (words === "") return;
    let isStale = false;
    const look = async () => {
      const found = await saidIn(words);
      if (!isStale) said.value = found;
    };
    const timer = setTimeout(() => void look(), SEARCH_AFTER_MS);
    return () => {
      isStale = true;
      clearTimeout(timer);
    };
  }, [words]);
  const fits = ({ id, title }: Head) => words === "" || title.toLowerCase().includes(words) || said.value.has(id);
  const shown = heads.value.filter(fits);
  return (
    <section class="conversations" aria-label={say("conversations")}>
      <div class="row">
        <button
          type="button"
          class="button grow new-chat"
          onClick={() => {
            begin();
            closeDrawer();
          }}
        >
          <Icon name="plus" size={17} />
          {say("newChat")}
        </button>
        <ListMenu />
      </div>
      {heads.value.length === 0 ? null : (
        <div class="search">
          <Icon name="search" size={16} />
          <input
            class="input"
            type="search"
            aria-label={say("search")}
            placeholder={say("search")}
            value={wanted.value}
            onInput={(event) => (wanted.value = event.currentTarget.value)}
          />
        </div>
      )}
      <Groups shown={shown} isSearch={words !== ""} />
      {isKept.value ? null : <p class="notice warn small-text">{say("memoryOnly")}</p>}
    </section>
  );
};

const Groups = ({ shown, isSearch }: { shown: readonly Head[]; isSearch: boolean }) => {
  if (shown.length === 0) {
    return <p class="muted small-text conversations-none">{isSearch ? say("nothingFound") : say("noConversations")}</p>;
  }
  return (
    <div class="conversation-groups">
      {AGES.map((age) => {
        const own = shown.filter(({ updatedMs }) => ageOf(updatedMs) === age);
        if (own.length === 0) return null;
        return (
          <div key={age}>
            <h2 class="conversation-age">{say(age)}</h2>
            <ul>
              {own.map((head) => (
                <ConversationRow key={head.id} head={head} isCurrent={head.id === current.value.id} />
              ))}
            </ul>
          </div>
        );
      })}
    </div>
  );
};

const ListMenu = () => {
  const none = heads.value.length === 0;
  return (
    <Menu
      label={say("more")}
      actions={[
        { label: say("allJson"), icon: "download", disabled: none, run: () => void exportAll() },
        { label: say("import"), icon: "upload", run: () => void importFrom() },
        "line",
        { label: say("removeAll"), icon: "trash", danger: true, disabled: none, run: () => void removeEverything() },
      ]}
    >
      <Icon name="more" />
    </Menu>
  );
};
