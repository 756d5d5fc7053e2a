// What a conversation is: turns that hang on each other, of which one line is shown. Pure.
// Invariant: nothing said is lost by asking again or by editing; the other line stays and can be gone back to.

export interface Settings {
  readonly model: string;
  readonly system: string;
  readonly stream: boolean;
  /** Null leaves it to the gateway. */
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly maxTokens: number | null;
  readonly effort: string | null;
}

export interface Attachment {
  readonly id: string;
  readonly name: string;
  readonly mime: string;
  readonly bytes: number;
}

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly status: number;
  readonly retryAfterMs: number | null;
}

/** `cut` stands where the page was left before the answer was whole. */
export type End = "arriving" | "done" | "length" | "stopped" | "failed" | "cut";

export interface Turn {
  readonly id: string;
  /** The turn that it answers or follows; null for the first. */
  readonly parent: string | null;
  readonly role: "user" | "assistant";
  readonly text: string;
  readonly reasoning: string;
  readonly attachments: readonly Attachment[];
  readonly model: string;
  readonly createdMs: number;
  readonly firstMs: number | null;
  readonly reasoningMs: number | null;
  readonly tookMs: number | null;
  readonly tokens: number | null;
  readonly end: End;
  readonly problem: Problem | null;
}

export interface Conversation {
  readonly id: string;
  readonly title: string;
  /** The title was given by the visitor and follows the first question no more. */
  readonly named: boolean;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly settings: Settings;
  readonly turns: readonly Turn[];
  /** Last turn of the line that is shown. */
  readonly leaf: string | null;
}

/** What the list of conversations needs of one. */
export interface Head {
  readonly id: string;
  readonly title: string;
  readonly updatedMs: number;
  readonly model: string;
}

export const headOf = ({ id, title, updatedMs, settings }: Conversation): Head => ({
  id,
  title,
  updatedMs,
  model: settings.model,
});

export const newId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, "0")).join("");

export const blankConversation = (settings: Settings, now: number): Conversation => ({
  ...{ id: newId(), title: "", named: false, createdMs: now, updatedMs: now },
  ...{ settings, turns: [], leaf: null },
});

export const newTurn = (about: Pick<Turn, "parent" | "role" | "model"> & Partial<Turn>, now: number): Turn => ({
  ...{ id: newId(), text: "", reasoning: "", attachments: [], createdMs: now },
  ...{ firstMs: null, reasoningMs: null, tookMs: null, tokens: null, end: "done", problem: null },
  ...about,
});

/** The turns that are shown, first to last. */
export const lineOf = ({ turns, leaf }: Pick<Conversation, "turns" | "leaf">): Turn[] => {
  const byId = new Map(turns.map((turn) => [turn.id, turn]));
  const line: Turn[] = [];
  for (
    let at = leaf === null ? undefined : byId.get(leaf);
    at;
    at = at.parent === null ? undefined : byId.get(at.parent)
  )
    line.push(at);
  return line.toReversed();
};

/** Turns in the same place as this one, oldest first. */
export const variantsOf = ({ turns }: Pick<Conversation, "turns">, { parent }: Turn): Turn[] =>
  turns.filter((turn) => turn.parent === parent);

/** The newest end of the line that goes through a turn. */
export const endOf = ({ turns }: Pick<Conversation, "turns">, id: string): string => {
  let at = id;
  for (;;) {
    const next = turns.findLast(({ parent }) => parent === at);
    if (!next) return at;
    at = next.id;
  }
};

export const withTurn = (conversation: Conversation, turn: Turn): Conversation => ({
  ...conversation,
  turns: [...conversation.turns, turn],
  leaf: turn.id,
  updatedMs: turn.createdMs,
});

export const changeTurn = (conversation: Conversation, id: string, change: Partial<Turn>): Conversation => ({
  ...conversation,
  turns: conversation.turns.map((turn) => (turn.id === id ? { ...turn, ...change } : turn)),
});

/** Without a turn and all that follows it. */
export const withoutTurn = (conversation: Conversation, id: string): Conversation => {
  const gone = new Set([id]);
  for (const { id: own, parent } of conversation.turns) if (parent !== null && gone.has(parent)) gone.add(own);
  const turns = conversation.turns.filter((turn) => !gone.has(turn.id));
  if (conversation.leaf !== null && !gone.has(conversation.leaf)) return { ...conversation, turns };
  const removed = conversation.turns.find((turn) => turn.id === id);
  const sibling = turns.findLast(({ parent }) => parent === removed?.parent);
  const leaf = sibling ? endOf({ turns }, sibling.id) : (removed?.parent ?? null);
  return { ...conversation, turns, leaf };
};

const LONGEST_TITLE = 60;

export const titleFrom = (text: string): string => {
  const line = text
    .replace(/[#>*`_]+/g, "")
    .replace(/\s+/g, " ")
    .trim();
  const letters = [...line];
  return letters.length > LONGEST_TITLE ? `${letters.slice(0, LONGEST_TITLE - 1).join("")}…` : line;
};
