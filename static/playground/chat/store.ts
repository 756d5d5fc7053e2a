// The conversations: which is shown, which exist, what is asked and answered in them. Draws nothing.
// Invariant: at most one answer arrives in a conversation at a time; it arrives also while another conversation is shown, and
// what has arrived is kept every few seconds.
import { batch, signal } from "@preact/signals";
import { messageOf } from "../../shared/api.ts";
import { keep, kept } from "../../shared/keeping.ts";
import { toast } from "../../shared/toast.tsx";
import {
  blankConversation,
  changeTurn,
  type Conversation,
  endOf,
  type Head,
  headOf,
  lineOf,
  newTurn,
  type Settings,
  titleFrom,
  type Turn,
  withoutTurn,
  withTurn,
} from "./conversation.ts";
import { type Draft, keepFiles } from "./files.ts";
import { chatModels, loadModels, modelsProblem } from "./models.ts";
import { type Run, runAnswer } from "./run.ts";
import { openVault } from "./vault.ts";
import { say } from "./words.ts";

const LAST_SETTINGS = "grok2api.chat.settings";
const LAST_OPEN = "grok2api.chat.open";

const DEFAULTS: Settings = {
  ...{ model: "", system: "", stream: true, temperature: null },
  ...{ topP: null, maxTokens: null, effort: null },
};

const lastSettings = (): Settings => {
  try {
    return { ...DEFAULTS, ...(JSON.parse(kept(LAST_SETTINGS) ?? "{}") as Partial<Settings>), system: "" };
  } catch {
    return DEFAULTS;
  }
};

export const heads = signal<readonly Head[]>([]);
export const current = signal<Conversation>(blankConversation(lastSettings(), Date.now()));
/** Answers that arrive now, by conversation. */
export const runs = signal<ReadonlyMap<string, Run>>(new Map());
/** Conversations with an answer that nobody has looked at. */
export const unread = signal<ReadonlySet<string>>(new Set());
export const isKept = signal(true);

/** Conversations that are answered while another is shown. */
const aside = new Map<string, Conversation>();

const find = (id: string): Conversation | undefined => (current.value.id === id ? current.value : aside.get(id));

const put = (conversation: Conversation): void => {
  if (current.value.id === conversation.id) current.value = conversation;
  else aside.set(conversation.id, conversation);
};

let toldFull = false;

const save = async (conversation: Conversation): Promise<void> => {
  const others = heads.value.filter(({ id }) => id !== conversation.id);
  heads.value = [headOf(conversation), ...others].toSorted((one, other) => other.updatedMs - one.updatedMs);
  try {
    await (await openVault()).save(conversation);
    channel?.postMessage("changed");
    toldFull = false;
  } catch (thrown) {
    if (!toldFull) toast(say("notKept", { why: messageOf(thrown) }), "error");
    toldFull = true;
  }
};

/** Other tabs of this browser show the same list. */
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("grok2api.playground");
channel?.addEventListener("message", () => void loadHeads());

const loadHeads = async (): Promise<void> => {
  const vault = await openVault();
  isKept.value = vault.lasts;
  const all = await vault.heads();
  heads.value = all.toSorted((one, other) => other.updatedMs - one.updatedMs);
};

let isStarted = false;

/** At the first visit: the list, and what was open when the page was left. */
export const start = async (): Promise<void> => {
  if (isStarted) return;
  isStarted = true;
  await loadHeads();
  const open = kept(LAST_OPEN, "session");
  if (open !== null && current.value.turns.length === 0) await show(open);
};

/** A model that exists, as soon as the list is known. */
export const settleModel = (): void => {
  const { settings } = current.value;
  const [first] = chatModels();
  if (settings.model === "" && first) current.value = { ...current.value, settings: { ...settings, model: first.id } };
};

const leaveCurrent = (): void => {
  const { value } = current;
  if (runs.value.has(value.id)) aside.set(value.id, value);
};

/** An answer that was arriving when its page went away will not arrive any more. */
const asFound = (conversation: Conversation): Conversation => ({
  ...conversation,
  turns: conversation.turns.map((turn) => (turn.end === "arriving" ? { ...turn, end: "cut" } : turn)),
});

export const show = async (id: string): Promise<void> => {
  if (id === current.value.id) return;
  const found = aside.get(id) ?? (await (await openVault()).load(id));
  if (!found) return;
  leaveCurrent();
  const isRunning = runs.value.has(id);
  aside.delete(id);
  batch(() => {
    current.value = isRunning ? found : asFound(found);
    unread.value = new Set([...unread.value].filter((one) => one !== id));
  });
  keep(LAST_OPEN, id, "session");
};

export const begin = (): void => {
  leaveCurrent();
  const { model } = current.value.settings;
  const settings = lastSettings();
  current.value = blankConversation({ ...settings, model: settings.model === "" ? model : settings.model }, Date.now());
  keep(LAST_OPEN, null, "session");
  settleModel();
};

export const changeSettings = (change: Partial<Settings>): void => {
  const settings = { ...current.value.settings, ...change };
  current.value = { ...current.value, settings };
  keep(LAST_SETTINGS, JSON.stringify(settings));
  if (current.value.turns.length > 0) void save(current.value);
};

export const rename = async (id: string, title: string): Promise<void> => {
  const conversation = find(id) ?? (await (await openVault()).load(id));
  const name = title.trim();
  if (!conversation || name === "" || name === conversation.title) return;
  const renamed = { ...conversation, title: name, named: true };
  if (find(id)) put(renamed);
  await save(renamed);
};

export const remove = async (id: string): Promise<void> => {
  stop(id);
  heads.value = heads.value.filter((head) => head.id !== id);
  if (current.value.id === id) begin();
  // An answer that was just stopped must not bring it back.
  aside.delete(id);
  await (await openVault()).remove(id);
  channel?.postMessage("changed");
};

export const removeAll = async (): Promise<void> => {
  for (const id of runs.value.keys()) stop(id);
  heads.value = [];
  begin();
  aside.clear();
  await (await openVault()).clear();
  channel?.postMessage("changed");
};

export const stop = (id: string): void => runs.value.get(id)?.stop();

export const isArriving = (): boolean => runs.value.has(current.value.id);

/** Whoever is quicker than the list of models waits for it. */
const hasModel = async (): Promise<boolean> => {
  if (current.value.settings.model === "") await loadModels().then(settleModel);
  const isSettled = current.value.settings.model !== "";
  if (!isSettled) toast(say("noModels", { why: modelsProblem.value ?? "" }), "error");
  return isSettled;
};

/** A question, its files, and the answer to it. False: nothing was asked. */
export const ask = async (text: string, drafts: readonly Draft[]): Promise<boolean> => {
  if (isArriving() || (text.trim() === "" && drafts.length === 0) || !(await hasModel())) return false;
  const conversation = current.value;
  let attachments;
  try {
    attachments = await keepFiles(drafts, conversation.id);
  } catch (thrown) {
    toast(say("notKept", { why: messageOf(thrown) }), "error");
    return false;
  }
  const now = Date.now();
  const turn = newTurn({ parent: conversation.leaf, role: "user", model: "", text: text.trim(), attachments }, now);
  const asked = withTurn(conversation, turn);
  const title = asked.named || asked.title !== "" ? asked.title : titleFrom(text) || (drafts[0]?.name ?? "");
  put({ ...asked, title });
  keep(LAST_OPEN, conversation.id, "session");
  void answer(conversation.id);
  return true;
};

/** Another wording of a question, beside the first; what followed the first stays with it. */
export const edit = (turn: Turn, text: string): void => {
  const conversation = current.value;
  if (runs.value.has(conversation.id) || text.trim() === "") return;
  const { parent, attachments } = turn;
  put(withTurn(conversation, newTurn({ parent, role: "user", model: "", text: text.trim(), attachments }, Date.now())));
  void answer(conversation.id);
};

/** Another answer to the same question, beside the first. */
export const retry = (turn: Turn): void => {
  const conversation = current.value;
  if (runs.value.has(conversation.id)) return;
  put({ ...conversation, leaf: turn.role === "user" ? turn.id : turn.parent });
  void answer(conversation.id);
};

export const choose = (turn: Turn): void => {
  if (isArriving()) return;
  put({ ...current.value, leaf: endOf(current.value, turn.id) });
  void save(current.value);
};

export const removeTurn = (turn: Turn): void => {
  if (isArriving()) return;
  put(withoutTurn(current.value, turn.id));
  void save(current.value);
};

const setRun = (id: string, run: Run | null): void => {
  const next = new Map(runs.value);
  if (run) next.set(id, run);
  else next.delete(id);
  runs.value = next;
};

/** Answers the line that is chosen in a conversation. */
const answer = async (id: string): Promise<void> => {
  const conversation = find(id);
  if (!conversation) return;
  const line = lineOf(conversation);
  const { model } = conversation.settings;
  const turn = newTurn({ parent: conversation.leaf, role: "assistant", model, end: "arriving" }, Date.now());
  const run = runAnswer({ turn, line, settings: conversation.settings }, (change) => {
    const now = find(id);
    if (now) void save(changeTurn(now, turn.id, change));
  });
  batch(() => {
    put(withTurn(conversation, turn));
    setRun(id, run);
  });
  void save(withTurn(conversation, turn));
  const change = await run.ended;
  const now = find(id);
  batch(() => {
    setRun(id, null);
    if (!now) return;
    put(changeTurn({ ...now, updatedMs: Date.now() }, turn.id, change));
    if (current.value.id !== id) unread.value = new Set([...unread.value, id]);
  });
  const last = find(id);
  if (!last) return;
  if (current.value.id !== id) aside.delete(id);
  await save(last);
};

/** Conversations from elsewhere. */
export const bring = async (conversations: readonly Conversation[]): Promise<void> => {
  for (const conversation of conversations) await save(asFound(conversation));
};
